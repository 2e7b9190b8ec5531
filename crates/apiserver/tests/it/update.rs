//! Updating and patching: section 8.6 of the conformance list.

use http::Method;
use serde_json::{Value, json};

use crate::{Cluster, widgets};

const MAPS: &str = "/api/v1/namespaces/t/configmaps";
const WIDGETS: &str = "/apis/example.test/v1/namespaces/t/widgets";

async fn with_map() -> (Cluster, Value) {
    let cluster = Cluster::with_namespace().await;
    let map = cluster
        .post(MAPS, json!({"metadata": {"name": "x"}, "data": {"k": "v"}}))
        .await
        .is(201)
        .body;
    (cluster, map)
}

async fn with_widget() -> (Cluster, Value) {
    let cluster = Cluster::with_namespace().await;
    cluster
        .post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", widgets())
        .await
        .is(201);
    let widget = cluster
        .post(WIDGETS, json!({"metadata": {"name": "w"}, "spec": {"mode": "a"}}))
        .await
        .is(201)
        .body;
    (cluster, widget)
}

#[tokio::test(start_paused = true)]
async fn c110_to_c115_put() {
    let (cluster, map) = with_map().await;
    let path = format!("{MAPS}/x");
    let mut changed = map.clone();
    changed["data"]["k"] = "new".into();
    cluster.put(&path, changed.clone()).await.is(200);
    cluster.put(&path, changed.clone()).await.refused(
        409,
        "Conflict",
        "the object has been modified; please apply your changes",
    );
    changed["metadata"]["resourceVersion"] = Value::Null;
    changed["metadata"]["creationTimestamp"] = "2000-01-01T00:00:00Z".into();
    let updated = cluster.put(&path, changed.clone()).await.is(200).body;
    assert_eq!(
        updated["metadata"]["creationTimestamp"],
        map["metadata"]["creationTimestamp"]
    );
    changed["metadata"]["uid"] = "other".into();
    cluster
        .put(&path, changed.clone())
        .await
        .refused(409, "Conflict", "UID in precondition: other");
    changed["metadata"]["name"] = "y".into();
    cluster
        .put(&path, changed)
        .await
        .refused(400, "BadRequest", "does not match the name on the URL");
    cluster
        .put(&format!("{MAPS}/new"), json!({"metadata": {"name": "new"}}))
        .await
        .is(404);
    let role = json!({"metadata": {"name": "r"}, "rules": []});
    cluster
        .put("/apis/rbac.authorization.k8s.io/v1/namespaces/t/roles/r", role)
        .await
        .is(201);
    let leases = "/apis/coordination.k8s.io/v1/namespaces/t/leases";
    cluster.post(leases, json!({"metadata": {"name": "l"}})).await.is(201);
    let unversioned = cluster
        .put(&format!("{leases}/l"), json!({"metadata": {"name": "l"}}))
        .await;
    unversioned.refused(
        422,
        "Invalid",
        "metadata.resourceVersion: Invalid value: 0: must be specified for an update",
    );
}

#[tokio::test(start_paused = true)]
async fn c116_to_c119_generation_and_status() {
    let (cluster, widget) = with_widget().await;
    let path = format!("{WIDGETS}/w");
    let put = async |change: &dyn Fn(&mut Value), path: &str| {
        let mut widget = cluster.get(&format!("{WIDGETS}/w")).await.body;
        change(&mut widget);
        cluster.put(path, widget).await.is(200).body
    };
    assert_eq!(widget["metadata"]["generation"], 1);
    let spec = put(&|widget| widget["spec"]["mode"] = "b".into(), &path).await;
    assert_eq!(spec["metadata"]["generation"], 2);
    let labels = put(&|widget| widget["metadata"]["labels"] = json!({"a": "b"}), &path).await;
    assert_eq!(labels["metadata"]["generation"], 2);
    assert_ne!(
        labels["metadata"]["resourceVersion"],
        spec["metadata"]["resourceVersion"]
    );
    let status = put(&|widget| widget["status"] = json!({"replicas": 1}), &path).await;
    assert_eq!(status.get("status"), None);
    let everything = |widget: &mut Value| {
        widget["status"] = json!({"replicas": 1});
        widget["spec"]["mode"] = "a".into();
        widget["metadata"]["labels"] = json!({});
    };
    let status = put(&everything, &format!("{path}/status")).await;
    assert_eq!(status["status"]["replicas"], 1);
    assert_eq!(status["spec"]["mode"], "b");
    assert_eq!(status["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(status["metadata"]["generation"], 2);
    cluster.get(&format!("{path}/status")).await.is(200);
    cluster
        .post(&format!("{path}/status"), json!({}))
        .await
        .refused(405, "MethodNotAllowed", "");
}

#[tokio::test(start_paused = true)]
async fn c120_c121_json_and_merge_patches() {
    let (cluster, _) = with_map().await;
    let path = format!("{MAPS}/x");
    let patch =
        json!([{"op": "test", "path": "/data/k", "value": "v"}, {"op": "add", "path": "/data/l", "value": "w"}]);
    let patched = cluster.patch("json-patch+json", &path, patch).await.is(200);
    assert_eq!(patched.body["data"], json!({"k": "v", "l": "w"}));
    let failing = json!([{"op": "test", "path": "/data/k", "value": "other"}]);
    cluster
        .patch("json-patch+json", &path, failing)
        .await
        .refused(422, "Invalid", "");
    cluster
        .patch("json-patch+json", &path, json!({"a": 1}))
        .await
        .refused(400, "BadRequest", "");
    let merged = cluster
        .patch("merge-patch+json", &path, json!({"data": {"k": null, "m": "x"}}))
        .await
        .is(200);
    assert_eq!(merged.body["data"], json!({"l": "w", "m": "x"}));
}

#[tokio::test(start_paused = true)]
async fn c122_strategic_merge_knows_the_keys_of_lists() {
    let cluster = Cluster::with_namespace().await;
    let path = "/apis/apps/v1/namespaces/t/deployments";
    let deployment = json!({
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
                {"name": "one", "image": "one", "env": [{"name": "A", "value": "1"}]},
                {"name": "two", "image": "two"},
            ]}},
        },
    });
    cluster.post(path, deployment).await.is(201);
    let containers = async |patch: Value| {
        let patch = json!({"spec": {"template": {"spec": {"containers": patch}}}});
        let patched = cluster
            .patch("strategic-merge-patch+json", &format!("{path}/web"), patch)
            .await
            .is(200)
            .body;
        let containers = patched["spec"]["template"]["spec"]["containers"]
            .as_array()
            .unwrap()
            .clone();
        containers
            .iter()
            .map(|container| format!("{}={}", container["name"], container["image"]))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        containers(json!([{"name": "one", "image": "new"}])).await,
        r#""one"="new" "two"="two""#
    );
    assert_eq!(
        containers(json!([{"name": "two", "$patch": "delete"}])).await,
        r#""one"="new""#
    );
    containers(json!([{"name": "one", "env": [{"name": "B", "value": "2"}]}])).await;
    let env =
        cluster.get(&format!("{path}/web")).await.body["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    assert_eq!(env.as_array().unwrap().len(), 2, "{env}");
}

#[tokio::test(start_paused = true)]
async fn c123_to_c129_what_patches_may_not_do() {
    let (cluster, widget) = with_widget().await;
    let path = format!("{WIDGETS}/w");
    let strategic = cluster.patch("strategic-merge-patch+json", &path, json!({})).await;
    let listed = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    strategic.refused(415, "UnsupportedMediaType", listed);
    cluster
        .send(Method::PATCH, &path, &[("content-type", "text/plain")], b"{}".to_vec())
        .await
        .is(415);
    cluster
        .patch("merge-patch+json", &format!("{WIDGETS}/none"), json!({}))
        .await
        .is(404);
    let spec = json!({"spec": {"mode": "b"}});
    cluster
        .patch("merge-patch+json", &format!("{path}?dryRun=All"), spec.clone())
        .await
        .is(200);
    assert_eq!(cluster.get(&path).await.body["spec"]["mode"], "a");
    cluster.patch("merge-patch+json", &path, spec).await.is(200);
    let stale = json!({"metadata": {"resourceVersion": widget["metadata"]["resourceVersion"]}, "spec": {"mode": "a"}});
    cluster
        .patch("merge-patch+json", &path, stale)
        .await
        .refused(409, "Conflict", "the object has been modified");
    cluster
        .patch("merge-patch+json", &path, json!({"metadata": {"name": "v"}}))
        .await
        .refused(400, "BadRequest", "");
    let finalizers = |list: Value| json!({"metadata": {"finalizers": list}});
    cluster
        .patch("merge-patch+json", &path, finalizers(json!(["example.test/one"])))
        .await
        .is(200);
    cluster.delete(&path, json!({})).await.is(200);
    let late = cluster
        .patch(
            "merge-patch+json",
            &path,
            finalizers(json!(["example.test/one", "example.test/two"])),
        )
        .await;
    late.refused(
        422,
        "Invalid",
        "no new finalizers can be added if the object is being deleted",
    );
    cluster
        .patch("merge-patch+json", &path, finalizers(Value::Null))
        .await
        .is(200);
    cluster.get(&path).await.is(404);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_changes_nothing_keeps_the_version() {
    let (cluster, widget) = with_widget().await;
    let path = format!("{WIDGETS}/w");
    let status = json!({"status": {"replicas": 2}});
    let status = cluster
        .patch("merge-patch+json", &format!("{path}/status"), status)
        .await
        .is(200);
    let (version, revision) = (status.version(), cluster.server.revision());
    let live = status.body.clone();
    let answers = [
        cluster.put(&path, live.clone()).await,
        cluster.put(&format!("{path}/status"), live.clone()).await,
        cluster.patch("merge-patch+json", &path, json!({})).await,
        cluster
            .patch(
                "merge-patch+json",
                &path,
                json!({"spec": widget["spec"], "status": {"replicas": 9}}),
            )
            .await,
        cluster
            .patch(
                "merge-patch+json",
                &format!("{path}/status"),
                json!({"status": {"replicas": 2}}),
            )
            .await,
        cluster
            .patch(
                "json-patch+json",
                &path,
                json!([{"op": "replace", "path": "/spec/mode", "value": "a"}]),
            )
            .await,
    ];
    for answer in answers {
        let answer = answer.is(200);
        assert_eq!(answer.version(), version);
        assert_eq!(answer.body, live);
    }
    assert_eq!(cluster.server.revision(), revision, "nothing was written");
    let (cluster, map) = with_map().await;
    let path = format!("{MAPS}/x");
    let mut same = map.clone();
    // What a client that knows nothing of versions and owners sends.
    same["metadata"] = json!({"name": "x", "labels": map["metadata"]["labels"]});
    for answer in [
        cluster.put(&path, map.clone()).await,
        cluster.put(&path, same).await,
        cluster
            .patch("strategic-merge-patch+json", &path, json!({"data": map["data"]}))
            .await,
    ] {
        assert_eq!(answer.is(200).body, map);
    }
}
