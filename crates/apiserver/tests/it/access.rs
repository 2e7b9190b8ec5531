//! Who may do what, and who asked for what.

use std::sync::Arc;

use berth_apiserver::{Decision, Identity};
use serde_json::json;

use crate::Cluster;

fn readers_read() -> Cluster {
    Cluster::with(|options| {
        options.authorizer = Some(Arc::new(|identity, request| {
            let reads = matches!(request.verb.as_str(), "get" | "list" | "watch");
            let asks = request.resource.starts_with("selfsubject");
            if identity.groups.iter().any(|group| group == "system:masters") || reads || asks {
                Decision::Allow
            } else {
                Decision::Deny(String::new())
            }
        }));
    })
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_refused_to_write_in_the_words_of_the_field() {
    let cluster = readers_read();
    let jane = cluster.user(Identity::new("jane", ["readers"]));
    jane.get("/api/v1/namespaces/default/configmaps").await.is(200);
    let refused = jane
        .post(
            "/api/v1/namespaces/default/configmaps",
            json!({"metadata": {"name": "x"}}),
        )
        .await;
    refused.refused(
        403,
        "Forbidden",
        "configmaps is forbidden: User \"jane\" cannot create resource \"configmaps\" in API group \"\" in the namespace \"default\"",
    );
    let refused = jane.delete("/apis/storage.k8s.io/v1/storageclasses/x", json!({})).await;
    refused.refused(
        403,
        "Forbidden",
        "storageclasses.storage.k8s.io \"x\" is forbidden: User \"jane\" cannot delete resource \"storageclasses\" in API group \
         \"storage.k8s.io\" at the cluster scope",
    );
    jane.get("/apis").await.is(200);
    let may = async |verb: &str| {
        let review =
            json!({"spec": {"resourceAttributes": {"verb": verb, "resource": "pods", "namespace": "default"}}});
        let answer = jane
            .post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
            .await
            .is(201);
        answer.body["status"]["allowed"].clone()
    };
    assert_eq!((may("get").await, may("create").await), (json!(true), json!(false)));
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_agent_verb_and_resource() {
    let cluster = Cluster::new();
    let agent = [
        ("user-agent", "berth/1.0 (linux)"),
        ("content-type", "application/json"),
    ];
    let path = "/api/v1/namespaces/default/configmaps";
    for (query, count) in [("", 1), ("?dryRun=All", 2)] {
        for index in 0..count {
            let body = json!({"metadata": {"name": format!("x{index}")}}).to_string();
            cluster
                .send(http::Method::POST, &format!("{path}{query}"), &agent, body.into())
                .await;
        }
    }
    let counted = cluster.server.requests();
    let of = |dry_run: bool| {
        let mine = counted
            .iter()
            .find(|count| count.user_agent == "berth/1.0" && count.verb == "create" && count.dry_run == dry_run);
        mine.map(|count| (count.resource.as_str(), count.count))
    };
    assert_eq!(
        (of(false), of(true)),
        (Some(("configmaps", 1)), Some(("configmaps", 2)))
    );
    let text = cluster.get("/metrics").await.is(200).body;
    let line =
        "apiserver_request_total{verb=\"create\",resource=\"configmaps\",user_agent=\"berth/1.0\",dry_run=\"false\"} 1";
    assert!(text.as_str().unwrap().contains(line), "{text}");
}
