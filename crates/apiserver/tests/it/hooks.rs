//! Hooks of the caller's own: what they see, change and refuse, on every path that writes.

use std::sync::{Arc, Mutex};

use berth_apiserver::{AdmissionHook, AdmissionRequest, Identity, Operation, Refusal};
use serde_json::{Value, json};

use crate::Cluster;

const WIDGETS: &str = "/apis/example.test/v1/namespaces/default/widgets";

/// Fills in the note of widgets, and refuses some.
#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<String>>,
}

impl AdmissionHook for Notes {
    fn name(&self) -> &'static str {
        "notes.example.test"
    }

    fn concerns(&self, group: &str, resource: &str, subresource: &str) -> bool {
        (group, resource, subresource) == ("example.test", "widgets", "")
    }

    fn mutate(&self, request: &AdmissionRequest<'_>) -> Result<Option<Value>, Refusal> {
        if !request.object["spec"]["note"].is_null() {
            return Ok(None);
        }
        let settings = request.objects.get("", "configmaps", Some("default"), "settings");
        let Some(settings) = settings else { return Ok(None) };
        let mut object = request.object.clone();
        object["spec"]["note"] = settings["data"]["note"].clone();
        object["spec"]["unheard"] = "of".into();
        Ok(Some(object))
    }

    fn validate(&self, request: &AdmissionRequest<'_>) -> Result<(), Refusal> {
        let (object, old) = (request.object, request.old);
        self.seen.lock().unwrap().push(format!(
            "{:?} {}/{} {} {} -> {}{}",
            request.operation,
            request.namespace,
            request.name,
            request.user.user,
            old.map_or(&Value::Null, |old| &old["spec"]["note"]),
            object["spec"]["note"],
            if request.dry_run { " (dry)" } else { "" },
        ));
        assert_eq!(old.is_none(), request.operation == Operation::Create);
        match object["spec"]["note"].as_str() {
            Some("no") => Err(Refusal::denied("the note says no")),
            Some("teapot") => Err(Refusal::Denied {
                code: 418,
                message: String::new(),
            }),
            Some("nobody") => Err(Refusal::Unreachable("nobody listens".to_owned())),
            _ => Ok(()),
        }
    }
}

async fn cluster() -> (Cluster, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    let hook = Arc::clone(&notes);
    let cluster = Cluster::with(move |options| options.admission.push(hook));
    cluster
        .post(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            crate::widgets(),
        )
        .await
        .is(201);
    let settings = json!({"metadata": {"name": "settings"}, "data": {"note": "filled"}});
    cluster
        .post("/api/v1/namespaces/default/configmaps", settings)
        .await
        .is(201);
    (cluster, notes)
}

fn widget(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "example.test/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

fn owned(object: &Value) -> String {
    object["metadata"]["managedFields"].to_string()
}

#[tokio::test(start_paused = true)]
async fn what_a_hook_fills_in_is_stored_pruned_and_owned_by_nobody() {
    let (cluster, notes) = cluster().await;
    let made = cluster
        .post(WIDGETS, widget("x", &json!({"mode": "a"})))
        .await
        .is(201)
        .body;
    assert_eq!(made["spec"], json!({"mode": "a", "note": "filled", "replicas": 1}));
    assert!(
        owned(&made).contains("f:mode") && !owned(&made).contains("f:note"),
        "{made}"
    );

    // Whatever the verb: who takes it away gets it back.
    let path = format!("{WIDGETS}/x");
    let merged = cluster
        .patch("merge-patch+json", &path, json!({"spec": {"note": null, "mode": "b"}}))
        .await
        .is(200)
        .body;
    assert_eq!(
        (&merged["spec"]["note"], &merged["spec"]["mode"]),
        (&json!("filled"), &json!("b"))
    );
    let mut put = merged.clone();
    put["spec"] = json!({"mode": "a"});
    let put = cluster.put(&path, put).await.is(200).body;
    assert_eq!(put["spec"]["note"], "filled");

    // Nothing changes: not the version, and the hook is asked all the same.
    let asked = notes.seen.lock().unwrap().len();
    let same = cluster.patch("merge-patch+json", &path, json!({})).await.is(200).body;
    assert_eq!(same["metadata"]["resourceVersion"], put["metadata"]["resourceVersion"]);
    assert_eq!(notes.seen.lock().unwrap().len(), asked + 1);
    // A status is none of its business.
    let status = json!({"status": {"replicas": 1}});
    cluster
        .patch("merge-patch+json", &format!("{path}/status"), status)
        .await
        .is(200);
    assert_eq!(notes.seen.lock().unwrap().len(), asked + 1);
}

#[tokio::test(start_paused = true)]
async fn server_side_apply_and_dry_runs_go_through_hooks_as_well() {
    let (cluster, notes) = cluster().await;
    let alice = cluster.user(Identity::new("alice", ["staff"]));
    let path = format!("{WIDGETS}/y");
    let applied = |query: &str| format!("{path}?fieldManager=test{query}");
    let dry = alice
        .patch(
            "apply-patch+yaml",
            &applied("&dryRun=All"),
            widget("y", &json!({"mode": "a"})),
        )
        .await
        .is(201)
        .body;
    assert_eq!(dry["spec"]["note"], "filled");
    cluster.get(&path).await.is(404);
    for mode in ["a", "b"] {
        let object = widget("y", &json!({"mode": mode}));
        let made = alice.patch("apply-patch+yaml", &applied(""), object).await.body;
        assert_eq!(
            (&made["spec"]["note"], &made["spec"]["mode"]),
            (&json!("filled"), &json!(mode))
        );
        assert!(!owned(&made).contains("f:note"), "{made}");
    }
    let refused = alice
        .patch(
            "apply-patch+yaml",
            &applied("&dryRun=All"),
            widget("y", &json!({"note": "no"})),
        )
        .await;
    refused.refused(
        403,
        "Forbidden",
        "admission webhook \"notes.example.test\" denied the request: the note says no",
    );
    assert_eq!(
        *notes.seen.lock().unwrap(),
        [
            "Create default/y alice null -> \"filled\" (dry)",
            "Create default/y alice null -> \"filled\"",
            "Update default/y alice \"filled\" -> \"filled\"",
            "Update default/y alice \"filled\" -> \"no\" (dry)",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_hook_refuses_is_not_written_and_the_schema_is_heard_before_it() {
    let (cluster, _) = cluster().await;
    let post = |note: &'static str| cluster.post(WIDGETS, widget("z", &json!({"note": note})));
    post("no")
        .await
        .refused(403, "Forbidden", "denied the request: the note says no");
    post("teapot").await.refused(
        418,
        "",
        "admission webhook \"notes.example.test\" denied the request without explanation",
    );
    post("nobody").await.refused(
        500,
        "InternalError",
        "Internal error occurred: failed calling webhook \"notes.example.test\": nobody listens",
    );
    let wrong = widget("z", &json!({"note": "no", "mode": "c"}));
    cluster.post(WIDGETS, wrong).await.refused(422, "Invalid", "spec.mode");
    cluster.get(&format!("{WIDGETS}/z")).await.is(404);
    post("yes").await.is(201);
    cluster
        .patch(
            "json-patch+json",
            &format!("{WIDGETS}/z"),
            json!([{"op": "replace", "path": "/spec/note", "value": "no"}]),
        )
        .await
        .refused(403, "Forbidden", "denied the request");
}
