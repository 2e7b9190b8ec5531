//! Custom kinds: section 8.9 of the conformance list.

use serde_json::{Value, json};

use crate::{Cluster, widgets};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WIDGETS: &str = "/apis/example.test/v1/namespaces/t/widgets";

async fn with_widgets() -> Cluster {
    let cluster = Cluster::with_namespace().await;
    cluster.post(CRDS, widgets()).await.is(201);
    cluster
}

#[expect(clippy::needless_pass_by_value, reason = "literals are given")]
fn widget(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "example.test/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

#[tokio::test(start_paused = true)]
async fn c163_c164_a_kind_is_there_once_it_is_established() {
    let cluster = Cluster::with_namespace().await;
    cluster.get(WIDGETS).await.is(404);
    let now = cluster.get(CRDS).await.version();
    let made = cluster.post(CRDS, widgets()).await.is(201).body;
    assert_eq!(made["status"]["conditions"], json!([]));
    let mut watch = cluster.watch(&format!("{CRDS}?watch=true&resourceVersion={now}")).await;
    assert_eq!(watch.next().await.unwrap()["type"], "ADDED");
    let settled = watch.next().await.unwrap()["object"]["status"].clone();
    let status = |kind: &str| {
        let conditions = settled["conditions"].as_array().unwrap();
        conditions.iter().find(|condition| condition["type"] == kind).unwrap()["status"].clone()
    };
    assert_eq!(
        (status("NamesAccepted"), status("Established")),
        (json!("True"), json!("True"))
    );
    assert_eq!(settled["acceptedNames"]["listKind"], "WidgetList");
    assert_eq!(settled["storedVersions"], json!(["v1"]));
    cluster.get(WIDGETS).await.is(200);
    let verbs = &cluster.get("/apis/example.test/v1").await.is(200).body["resources"][0]["verbs"];
    assert_eq!(
        verbs,
        &json!([
            "create",
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "update",
            "watch"
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn c165_c166_bad_definitions_are_refused() {
    let cluster = Cluster::new();
    let refused = async |change: &dyn Fn(&mut Value), message: &str| {
        let mut crd = widgets();
        change(&mut crd);
        cluster.post(CRDS, crd).await.refused(422, "Invalid", message);
    };
    refused(
        &|crd| crd["metadata"]["name"] = "gadgets.example.test".into(),
        "metadata.name",
    )
    .await;
    let dotless = |crd: &mut Value| {
        crd["metadata"]["name"] = "widgets.example".into();
        crd["spec"]["group"] = "example".into();
    };
    refused(&dotless, "should be a domain with at least one dot").await;
    let twice = |crd: &mut Value| {
        let mut second = crd["spec"]["versions"][0].clone();
        second["name"] = "v2".into();
        crd["spec"]["versions"].as_array_mut().unwrap().push(second);
    };
    refused(&twice, "exactly one version marked as storage version").await;
    refused(
        &|crd| crd["spec"]["versions"][0]["schema"] = Value::Null,
        "schemas are required",
    )
    .await;
    let untyped = |crd: &mut Value| {
        let spec = &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        spec.as_object_mut().unwrap().remove("type");
    };
    refused(
        &untyped,
        "spec.versions[0].schema.openAPIV3Schema.properties[spec].type",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn c167_c168_c171_pruned_defaulted_validated() {
    let cluster = with_widgets().await;
    let made = cluster
        .post(WIDGETS, widget("w", json!({"mode": "a", "unknown": 1})))
        .await
        .is(201);
    assert_eq!(made.body["spec"], json!({"mode": "a", "replicas": 1}));
    assert_eq!(made.header("warning"), ["299 - \"unknown field \\\"spec.unknown\\\"\""]);
    let strict = cluster
        .post(
            &format!("{WIDGETS}?fieldValidation=Strict"),
            widget("x", json!({"unknown": 1})),
        )
        .await;
    strict.refused(
        400,
        "BadRequest",
        "strict decoding error: unknown field \"spec.unknown\"",
    );
    let bad = cluster
        .post(WIDGETS, widget("x", json!({"replicas": "many", "mode": "q"})))
        .await;
    let bad = bad.refused(422, "Invalid", "must be of type integer");
    assert_eq!(bad.body["details"]["kind"], "Widget");
    let labels = json!({"metadata": {"name": "x", "labels": {"a": 1}}});
    cluster.post(WIDGETS, labels).await.refused(400, "BadRequest", "");
}

#[tokio::test(start_paused = true)]
async fn c168_new_defaults_reach_old_objects() {
    let cluster = with_widgets().await;
    cluster.post(WIDGETS, widget("w", json!({}))).await.is(201);
    let schema = json!({"type": "string", "default": "later"});
    let patch = json!([{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/added", "value": schema}]);
    cluster
        .patch("json-patch+json", &format!("{CRDS}/widgets.example.test"), patch)
        .await
        .is(200);
    assert_eq!(
        cluster.get(&format!("{WIDGETS}/w")).await.body["spec"]["added"],
        "later"
    );
    assert_eq!(cluster.get(WIDGETS).await.body["items"][0]["spec"]["added"], "later");
    let mut watch = cluster.watch(&format!("{WIDGETS}?watch=true")).await;
    assert_eq!(watch.next().await.unwrap()["object"]["spec"]["added"], "later");
}

#[tokio::test(start_paused = true)]
async fn c180_scale() {
    let cluster = with_widgets().await;
    cluster.post(WIDGETS, widget("w", json!({}))).await.is(201);
    let path = format!("{WIDGETS}/w");
    let status = json!({"status": {"replicas": 1, "selector": "a=b"}});
    cluster
        .patch("merge-patch+json", &format!("{path}/status"), status)
        .await
        .is(200);
    let scale = cluster.get(&format!("{path}/scale")).await.is(200).body;
    assert_eq!(
        (&scale["apiVersion"], &scale["kind"]),
        (&json!("autoscaling/v1"), &json!("Scale"))
    );
    assert_eq!(
        (&scale["spec"], &scale["status"]),
        (&json!({"replicas": 1}), &json!({"replicas": 1, "selector": "a=b"}))
    );
    let patched = cluster
        .patch(
            "merge-patch+json",
            &format!("{path}/scale"),
            json!({"spec": {"replicas": 4}}),
        )
        .await
        .is(200);
    assert_eq!(patched.body["spec"]["replicas"], 4);
    assert_eq!(cluster.get(&path).await.body["spec"]["replicas"], 4);
}

#[tokio::test(start_paused = true)]
async fn c181_c183_two_versions_show_the_same_objects() {
    let cluster = Cluster::with_namespace().await;
    let mut crd = widgets();
    let mut second = crd["spec"]["versions"][0].clone();
    second["name"] = "v2".into();
    second["storage"] = false.into();
    crd["spec"]["versions"][0]["deprecated"] = true.into();
    crd["spec"]["versions"].as_array_mut().unwrap().push(second);
    cluster.post(CRDS, crd).await.is(201);
    let made = cluster.post(WIDGETS, widget("w", json!({}))).await.is(201);
    assert_eq!(
        made.header("warning"),
        ["299 - \"example.test/v1 Widget is deprecated; use example.test/v2 Widget\""]
    );
    let second = "/apis/example.test/v2/namespaces/t/widgets";
    assert_eq!(
        cluster.get(&format!("{second}/w")).await.is(200).body["apiVersion"],
        "example.test/v2"
    );
    let switch = json!([
        {"op": "replace", "path": "/spec/versions/0/storage", "value": false},
        {"op": "replace", "path": "/spec/versions/1/storage", "value": true},
    ]);
    cluster
        .patch("json-patch+json", &format!("{CRDS}/widgets.example.test"), switch)
        .await
        .is(200);
    let stored = cluster.get(&format!("{CRDS}/widgets.example.test")).await.body["status"]["storedVersions"].clone();
    assert_eq!(stored, json!(["v1", "v2"]));
    let unserved = json!([{"op": "replace", "path": "/spec/versions/0/served", "value": false}]);
    cluster
        .patch("json-patch+json", &format!("{CRDS}/widgets.example.test"), unserved)
        .await
        .is(200);
    cluster.get(WIDGETS).await.is(404);
    cluster.get(second).await.is(200);
}

#[tokio::test(start_paused = true)]
async fn c186_a_definition_takes_its_objects_along() {
    let cluster = with_widgets().await;
    cluster.post(WIDGETS, widget("free", json!({}))).await.is(201);
    let mut held = widget("held", json!({}));
    held["metadata"]["finalizers"] = json!(["example.test/hold"]);
    cluster.post(WIDGETS, held).await.is(201);
    let now = cluster.get(WIDGETS).await.version();
    let mut watch = cluster
        .watch(&format!("{WIDGETS}?watch=true&resourceVersion={now}"))
        .await;
    let path = format!("{CRDS}/widgets.example.test");
    cluster.delete(&path, json!({})).await.is(200);
    cluster
        .until(&format!("{WIDGETS}/free"), |answer| answer.code == 404)
        .await;
    let late = cluster.post(WIDGETS, widget("late", json!({}))).await;
    late.refused(
        403,
        "Forbidden",
        "create not allowed while custom resource definition is terminating",
    );
    cluster
        .patch(
            "merge-patch+json",
            &format!("{WIDGETS}/held"),
            json!({"metadata": {"finalizers": null}}),
        )
        .await
        .is(200);
    cluster.until(&path, |answer| answer.code == 404).await;
    cluster.get(WIDGETS).await.is(404);
    assert_eq!(watch.names(3).await, ["DELETED free", "MODIFIED held", "DELETED held"]);
    assert_eq!(watch.next().await, None, "the watch ends with its kind");
    cluster.post(CRDS, widgets()).await.is(201);
    assert_eq!(cluster.get(WIDGETS).await.is(200).body["items"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn names_that_are_taken_are_not_accepted() {
    let cluster = with_widgets().await;
    let mut crd = widgets();
    crd["metadata"]["name"] = "gadgets.example.test".into();
    crd["spec"]["names"] = json!({"kind": "Gadget", "plural": "gadgets", "shortNames": ["wi"]});
    cluster.post(CRDS, crd).await.is(201);
    let status = cluster.get(&format!("{CRDS}/gadgets.example.test")).await.body["status"].clone();
    assert_eq!(status["conditions"][0]["reason"], "ShortNamesConflict");
    assert_eq!(status["conditions"][1]["reason"], "NotAccepted");
    cluster.get("/apis/example.test/v1/gadgets").await.is(404);
}
