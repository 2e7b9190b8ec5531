//! What a distribution adds to the server.

use std::sync::Arc;

use berth_apiserver::{Decision, Extension, Identity, Objects, RequestAttributes, VirtualDefinition, rbac};
use futures::{FutureExt, future::BoxFuture};
use serde_json::{Value, json};

use crate::Cluster;

struct Distribution;

impl Extension for Distribution {
    fn kinds(&self) -> Vec<VirtualDefinition> {
        vec![VirtualDefinition {
            group: "auth.example.test".to_owned(),
            version: "v1".to_owned(),
            kind: "Token".to_owned(),
            plural: "tokens".to_owned(),
            ..VirtualDefinition::default()
        }]
    }

    fn identify(&self, objects: &Objects<'_>, token: &str) -> Option<Identity> {
        let object = objects.get("auth.example.test", "tokens", None, &format!("hash~{token}"))?;
        Some(Identity::new(object["user"].as_str()?, ["people"]))
    }

    fn decide(&self, objects: &Objects<'_>, identity: &Identity, request: &RequestAttributes) -> Option<Decision> {
        Some(rbac(objects, identity, request))
    }

    fn document(&self, _: &Objects<'_>, identity: Option<&Identity>, path: &str) -> Option<Value> {
        let user = identity.map(|identity| identity.user.clone());
        (path == "/.well-known/example").then(|| json!({ "user": user }))
    }

    fn before_eviction(&self, pod: Value) -> BoxFuture<'static, Result<(), String>> {
        let guarded = pod["metadata"]["labels"]["guarded"] == "yes";
        std::future::ready(if guarded { Err("not now".to_owned()) } else { Ok(()) }).boxed()
    }
}

fn cluster() -> Cluster {
    Cluster::with(|options| options.extension = Some(Arc::new(Distribution)))
}

#[tokio::test(start_paused = true)]
async fn kinds_of_a_distribution_have_names_that_no_custom_kind_may_have() {
    let cluster = cluster();
    let path = "/apis/auth.example.test/v1/tokens";
    cluster
        .post(path, json!({"metadata": {"name": "hash~A:b"}, "user": "jane"}))
        .await
        .is(201);
    let found = cluster.get(&format!("{path}/hash~A:b")).await.is(200).body;
    assert_eq!((&found["kind"], &found["user"]), (&json!("Token"), &json!("jane")));
    cluster.get("/apis/auth.example.test/v1").await.is(200);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_good_as_long_as_its_object_is_there() {
    let cluster = cluster();
    let path = "/apis/auth.example.test/v1/tokens";
    let review = async || {
        let review = json!({"spec": {"token": "secret"}});
        let answer = cluster
            .post("/apis/authentication.k8s.io/v1/tokenreviews", review)
            .await
            .is(201);
        answer.body["status"]["user"]["username"].clone()
    };
    assert_eq!(review().await, Value::Null);
    cluster
        .post(path, json!({"metadata": {"name": "hash~secret"}, "user": "jane"}))
        .await
        .is(201);
    assert_eq!(review().await, "jane");
    cluster.delete(&format!("{path}/hash~secret"), json!({})).await.is(200);
    assert_eq!(review().await, Value::Null);
}

#[tokio::test(start_paused = true)]
async fn documents_of_a_distribution_are_for_strangers_too() {
    let cluster = cluster();
    assert_eq!(
        cluster.get("/.well-known/example").await.is(200).body["user"],
        "system:admin"
    );
    cluster.get("/.well-known/other").await.is(404);
}

#[tokio::test(start_paused = true)]
async fn roles_allow_what_their_rules_say_where_they_are_bound() {
    let cluster = cluster();
    let (jane, group) = (
        cluster.user(Identity::new("jane", ["people"])),
        "/apis/rbac.authorization.k8s.io/v1",
    );
    let may = async |verb: &str, resource: &str, namespace: &str, name: &str| {
        let attributes = json!({"verb": verb, "resource": resource, "namespace": namespace, "name": name});
        let review = json!({"spec": {"resourceAttributes": attributes, "user": "jane", "groups": ["people"]}});
        let answer = cluster
            .post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
            .await
            .is(201);
        answer.body["status"]["allowed"] == true
    };
    jane.get("/api/v1/nodes").await.is(403);
    let role = json!({
        "metadata": {"name": "look"},
        "rules": [
            {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "pods/log"]},
            {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"]},
        ],
    });
    cluster.post(&format!("{group}/clusterroles"), role).await.is(201);
    let binding = |subject: Value, role: &str| {
        let name = format!("{role}-{}", subject["name"].as_str().unwrap());
        json!({"metadata": {"name": name}, "subjects": [subject], "roleRef": {"kind": "ClusterRole", "name": role, "apiGroup": "rbac.authorization.k8s.io"}})
    };
    let people = json!({"kind": "Group", "name": "people", "apiGroup": "rbac.authorization.k8s.io"});
    let path = format!("{group}/namespaces/default/rolebindings");
    cluster.post(&path, binding(people, "look")).await.is(201);
    assert!(may("list", "pods", "default", "").await);
    assert!(!may("list", "pods", "kube-system", "").await);
    assert!(!may("delete", "pods", "default", "x").await);
    assert!(may("get", "secrets", "default", "one").await);
    assert!(!may("get", "secrets", "default", "two").await);
    let everything =
        json!({"metadata": {"name": "all"}, "rules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]});
    cluster.post(&format!("{group}/clusterroles"), everything).await.is(201);
    let user = json!({"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"});
    cluster
        .post(&format!("{group}/clusterrolebindings"), binding(user, "all"))
        .await
        .is(201);
    assert!(may("delete", "nodes", "", "x").await);
    jane.get("/api/v1/nodes").await.is(200);
}

async fn with_budget(allowed: i64, labels: Value) -> Cluster {
    let cluster = cluster();
    let pod = json!({
        "metadata": {"name": "web", "labels": labels},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "example.test/c:1"}]},
    });
    cluster.post("/api/v1/namespaces/default/pods", pod).await.is(201);
    let running = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    cluster
        .patch(
            "merge-patch+json",
            "/api/v1/namespaces/default/pods/web/status",
            running,
        )
        .await
        .is(200);
    let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    let budget = json!({
        "metadata": {"name": "two"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
    });
    cluster.post(budgets, budget).await.is(201);
    let status = json!({"status": {
        "observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 2, "desiredHealthy": 2, "expectedPods": 2,
    }});
    cluster
        .patch("merge-patch+json", &format!("{budgets}/two/status"), status)
        .await
        .is(200);
    cluster
}

const EVICTION: &str = "/api/v1/namespaces/default/pods/web/eviction";

fn eviction() -> Value {
    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web", "namespace": "default"}})
}

#[tokio::test(start_paused = true)]
async fn an_eviction_takes_a_disruption_from_the_budget_or_is_put_off() {
    let cluster = with_budget(0, json!({"app": "web"})).await;
    let refused = cluster.post(EVICTION, eviction()).await;
    let causes = refused.body["details"]["causes"].clone();
    refused.refused(
        429,
        "TooManyRequests",
        "Cannot evict pod as it would violate the pod's disruption budget.",
    );
    assert_eq!(
        causes,
        json!([{"reason": "DisruptionBudget", "message": "The disruption budget two needs 2 healthy pods and has 2 currently"}])
    );
    cluster.get("/api/v1/namespaces/default/pods/web").await.is(200);

    let cluster = with_budget(1, json!({"app": "web"})).await;
    let dry = cluster.post(&format!("{EVICTION}?dryRun=All"), eviction()).await;
    dry.is(201);
    let evicted = cluster.post(EVICTION, eviction()).await.is(201);
    assert_eq!(evicted.body["status"], "Success");
    cluster.get("/api/v1/namespaces/default/pods/web").await.is(404);
    let budget = cluster
        .get("/apis/policy/v1/namespaces/default/poddisruptionbudgets/two")
        .await
        .is(200);
    assert_eq!(budget.body["status"]["disruptionsAllowed"], 0);
    assert!(budget.body["status"]["disruptedPods"]["web"].is_string());
}

#[tokio::test(start_paused = true)]
async fn pods_of_no_budget_go_and_a_distribution_may_have_an_eviction_wait() {
    let cluster = with_budget(0, json!({"app": "other"})).await;
    cluster.post(EVICTION, eviction()).await.is(201);
    let cluster = with_budget(1, json!({"guarded": "yes"})).await;
    cluster
        .post(EVICTION, eviction())
        .await
        .refused(429, "TooManyRequests", "not now");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_approved_and_signed_on_paths_of_their_own() {
    let cluster = cluster();
    let jane = cluster.user(Identity::new("jane", ["system:masters"]));
    let path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let request = json!({
        "metadata": {"name": "one"},
        "spec": {"request": "LS0t", "signerName": "example.test/one", "usages": ["client auth"], "username": "someone-else"},
    });
    let made = jane.post(path, request).await.is(201);
    assert_eq!(made.body["spec"]["username"], "jane");
    let approval = json!({"status": {
        "certificate": "LS0t",
        "conditions": [{"type": "Approved", "status": "True", "reason": "Tested", "message": ""}],
    }});
    let by_status = cluster
        .patch("merge-patch+json", &format!("{path}/one/status"), approval.clone())
        .await
        .is(200);
    assert_eq!(by_status.body["status"]["certificate"], "LS0t");
    assert_eq!(by_status.body["status"]["conditions"], json!([]));
    let approval = json!({"status": {"certificate": "b3RoZXI=", "conditions": approval["status"]["conditions"]}});
    let approved = cluster
        .patch("merge-patch+json", &format!("{path}/one/approval"), approval)
        .await
        .is(200);
    assert_eq!(approved.body["status"]["certificate"], "LS0t");
    assert_eq!(approved.body["status"]["conditions"][0]["reason"], "Tested");
}
