//! Section 8.6: updates and patches.

use http::Method;
use serde_json::{Value, json};

use crate::{Answer, Suite, run, text};

const STALE: &str = "the object has been modified; please apply your changes to the latest version and try again";

/// A Widget `w`, and its path.
async fn with_widget(suite: &Suite) -> (Value, String) {
    suite.with_widgets().await;
    let widget = suite.widget("w", json!({"mode": "a"}));
    let widget = suite.post(&suite.widgets(), widget).await.is(201).body;
    (widget, format!("{}/w", suite.widgets()))
}

/// The live object, changed, put to a path.
async fn put_changed(suite: &Suite, path: &str, change: impl FnOnce(&mut Value)) -> Answer {
    let mut object = suite.get(path).await.is(200).body;
    change(&mut object);
    suite.put(path, object).await
}

fn web() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
                {"name": "one", "image": "one", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
                {"name": "two", "image": "two"},
            ]}},
        },
    })
}

#[test]
fn c110_an_update_of_an_old_version_is_a_conflict() {
    run(async |suite| {
        let path = suite.map("x").await;
        let mut old = suite.get(&path).await.body;
        put_changed(&suite, &path, |map| map["data"]["a"] = "2".into())
            .await
            .is(200);
        old["data"]["a"] = "3".into();
        let refused = suite.put(&path, old).await;
        let refused = refused.refused(409, "Conflict", "Operation cannot be fulfilled on configmaps \"x\": ");
        assert!(text(&refused.body["message"]).ends_with(STALE));
        assert_eq!(refused.body["details"], json!({"name": "x", "kind": "configmaps"}));
        assert_eq!(suite.get(&path).await.body["data"]["a"], "2");
    });
}

#[test]
fn c111_custom_objects_are_updated_at_a_version_only() {
    run(async |suite| {
        let map = suite.map("x").await;
        let updated = put_changed(&suite, &map, |map| map["metadata"]["resourceVersion"] = Value::Null).await;
        assert_eq!(updated.is(200).body["metadata"]["name"], "x");
        let (_, path) = with_widget(&suite).await;
        let refused = put_changed(&suite, &path, |widget| {
            widget["metadata"]["resourceVersion"] = Value::Null;
        })
        .await;
        refused_without_version(&refused, &format!("widgets.{}", suite.group()), "w");
        let absent = suite.widget("none", json!({}));
        suite
            .put(&format!("{}/none", suite.widgets()), absent)
            .await
            .refused(404, "NotFound", "");
    });
}

#[test]
fn c112_some_kinds_need_a_version_and_some_are_made_by_an_update() {
    run(async |suite| {
        let leases = suite.of("coordination.k8s.io/v1", "leases");
        let lease = json!({"metadata": {"name": "l"}});
        suite.post(&leases, lease.clone()).await.is(201);
        let refused = suite.put(&format!("{leases}/l"), lease).await;
        refused_without_version(&refused, "leases.coordination.k8s.io", "l");
        for (path, object) in [
            (suite.of("rbac.authorization.k8s.io/v1", "roles"), json!({"rules": []})),
            (leases, json!({})),
            (suite.core("limitranges"), json!({"spec": {"limits": []}})),
            (suite.core("endpoints"), json!({})),
        ] {
            let path = format!("{path}/new");
            let mut object = object;
            object["metadata"] = json!({"name": "new"});
            let made = suite.put(&path, object).await.is(201);
            assert!(made.version() > 0 && made.body["metadata"]["uid"].is_string());
        }
        let absent = json!({"metadata": {"name": "new"}});
        let refused = suite.put(&format!("{}/new", suite.core("configmaps")), absent).await;
        refused.refused(404, "NotFound", "configmaps \"new\" not found");
    });
}

/// An update without a version, refused. The value is printed as `0` or `0x0`.
#[track_caller]
fn refused_without_version(refused: &Answer, resource: &str, name: &str) {
    assert_eq!((refused.code, &refused.body["reason"]), (422, &json!("Invalid")));
    let message = text(&refused.body["message"]);
    let start = format!("{resource} \"{name}\" is invalid: metadata.resourceVersion: Invalid value: 0");
    assert!(message.starts_with(&start), "{message}");
    assert!(message.ends_with(": must be specified for an update"), "{message}");
}

#[test]
fn c113_another_uid_is_another_object() {
    run(async |suite| {
        let path = suite.map("x").await;
        let refused = put_changed(&suite, &path, |map| map["metadata"]["uid"] = "other".into()).await;
        refused.refused(
            409,
            "Conflict",
            "Precondition failed: UID in precondition: other, UID in object meta: ",
        );
    });
}

#[test]
fn c114_the_path_and_the_object_agree() {
    run(async |suite| {
        let path = suite.map("x").await;
        put_changed(&suite, &path, |map| map["metadata"]["name"] = "y".into())
            .await
            .refused(
                400,
                "BadRequest",
                "the name of the object (y) does not match the name on the URL (x)",
            );
        put_changed(&suite, &path, |map| map["metadata"]["name"] = Value::Null)
            .await
            .refused(400, "BadRequest", "name must be provided");
        put_changed(&suite, &path, |map| map["metadata"]["namespace"] = "default".into())
            .await
            .refused(400, "BadRequest", "does not match the namespace sent on the request");
        put_changed(&suite, &path, |map| map["metadata"]["namespace"] = Value::Null)
            .await
            .is(200);
    });
}

#[test]
fn c115_what_the_server_sets_stays_as_it_was() {
    run(async |suite| {
        let (widget, path) = with_widget(&suite).await;
        let updated = put_changed(&suite, &path, |widget| {
            let metadata = &mut widget["metadata"];
            metadata["creationTimestamp"] = "2000-01-01T00:00:00Z".into();
            metadata["generation"] = 9.into();
            metadata["uid"] = Value::Null;
            metadata["labels"] = json!({"a": "b"});
        });
        let updated = updated.await.is(200).body;
        for field in ["creationTimestamp", "generation", "uid"] {
            assert_eq!(updated["metadata"][field], widget["metadata"][field], "{field}");
        }
        assert_eq!(updated["metadata"]["labels"], json!({"a": "b"}));
        for (field, value) in [
            ("deletionTimestamp", json!("2000-01-01T00:00:00Z")),
            ("deletionGracePeriodSeconds", json!(1)),
        ] {
            let refused = put_changed(&suite, &path, |widget| widget["metadata"][field] = value).await;
            let refused = refused.refused(422, "Invalid", "field is immutable");
            refused.caused_by("FieldValueInvalid", &format!("metadata.{field}"));
        }
    });
}

#[test]
fn c116_the_generation_counts_changes_of_the_spec() {
    run(async |suite| {
        let (widget, path) = with_widget(&suite).await;
        assert_eq!(widget["metadata"]["generation"], 1);
        let spec = put_changed(&suite, &path, |widget| widget["spec"]["mode"] = "b".into())
            .await
            .is(200);
        assert_eq!(spec.body["metadata"]["generation"], 2);
        let labels = put_changed(&suite, &path, |widget| widget["metadata"]["labels"] = json!({"a": "b"})).await;
        assert_eq!(labels.body["metadata"]["generation"], 2);
        assert!(labels.version() > spec.version());
        let maps = put_changed(&suite, &suite.map("x").await, |map| map["data"]["a"] = "2".into()).await;
        assert_eq!(maps.body["metadata"].get("generation"), None);
    });
}

#[test]
fn c117_an_update_leaves_the_status() {
    run(async |suite| {
        let (_, path) = with_widget(&suite).await;
        let status = json!({"status": {"replicas": 1}});
        let status = suite
            .patch("merge-patch+json", &format!("{path}/status"), status)
            .await
            .is(200);
        let updated = put_changed(&suite, &path, |widget| {
            widget["status"] = json!({"replicas": 9});
            widget["spec"]["mode"] = "b".into();
        });
        let updated = updated.await.is(200).body;
        assert_eq!(
            (&updated["status"]["replicas"], &updated["spec"]["mode"]),
            (&json!(1), &json!("b"))
        );
        let same = put_changed(&suite, &path, |widget| widget["status"] = Value::Null)
            .await
            .is(200);
        assert_eq!(same.body["status"], json!({"replicas": 1}));
        assert_eq!(same.body["metadata"]["generation"], 2);
        assert_eq!(status.body["metadata"]["generation"], 1);
    });
}

#[test]
fn c118_an_update_of_the_status_leaves_the_rest() {
    run(async |suite| {
        let (widget, path) = with_widget(&suite).await;
        let status = format!("{path}/status");
        let everything = |widget: &mut Value| {
            widget["status"] = json!({"replicas": 1});
            widget["spec"]["mode"] = "b".into();
            widget["metadata"]["labels"] = json!({"a": "b"});
            widget["metadata"]["annotations"] = json!({"a": "b"});
            widget["metadata"]["finalizers"] = json!(["example.test/hold"]);
        };
        let updated = put_changed(&suite, &status, everything).await.is(200).body;
        assert_eq!(updated["status"], json!({"replicas": 1}));
        assert_eq!(updated["spec"], widget["spec"]);
        for field in ["labels", "annotations", "finalizers"] {
            assert_eq!(updated["metadata"].get(field), None, "{field}");
        }
        assert_eq!(updated["metadata"]["generation"], 1);
        assert_ne!(
            updated["metadata"]["resourceVersion"],
            widget["metadata"]["resourceVersion"]
        );
        let mut stale = widget;
        stale["status"] = json!({"replicas": 2});
        suite.put(&status, stale).await.refused(409, "Conflict", STALE);
    });
}

#[test]
fn c119_the_path_of_a_status_shows_the_whole_object() {
    run(async |suite| {
        let (widget, path) = with_widget(&suite).await;
        let status = format!("{path}/status");
        assert_eq!(suite.get(&status).await.is(200).body, widget);
        suite.post(&status, widget).await.refused(405, "MethodNotAllowed", "");
        suite
            .delete(&status, json!({}))
            .await
            .refused(405, "MethodNotAllowed", "");
        let unknown = suite.get(&format!("{path}/nothing")).await;
        unknown.refused(404, "NotFound", "");
    });
}

#[test]
fn c120_json_patch() {
    run(async |suite| {
        let path = suite.map("x").await;
        let patch = async |patch: Value| suite.patch("json-patch+json", &path, patch).await;
        let added =
            json!([{"op": "test", "path": "/data/a", "value": "1"}, {"op": "add", "path": "/data/b", "value": "2"}]);
        assert_eq!(patch(added).await.is(200).body["data"], json!({"a": "1", "b": "2"}));
        let moved = json!([{"op": "move", "from": "/data/b", "path": "/data/c"}, {"op": "remove", "path": "/data/a"}]);
        assert_eq!(patch(moved).await.is(200).body["data"], json!({"c": "2"}));
        let copied = json!([
            {"op": "add", "path": "/metadata/annotations", "value": {}},
            {"op": "copy", "from": "/data/c", "path": "/metadata/annotations/example.test~1c"},
            {"op": "replace", "path": "/data/c", "value": "3"},
        ]);
        let copied = patch(copied).await.is(200).body;
        assert_eq!(copied["metadata"]["annotations"], json!({"example.test/c": "2"}));
        assert_eq!(copied["data"], json!({"c": "3"}));
        let first = json!({"op": "replace", "path": "/data/c", "value": "4"});
        for failing in [
            json!([first, {"op": "test", "path": "/data/c", "value": "other"}]),
            json!([first, {"op": "remove", "path": "/data/none"}]),
            json!([first, {"op": "replace", "path": "/none/at/all", "value": "1"}]),
        ] {
            patch(failing).await.refused(422, "Invalid", "");
        }
        patch(json!({"data": {}})).await.refused(400, "BadRequest", "");
        patch(json!("text")).await.refused(400, "BadRequest", "");
        let many: Vec<Value> = vec![first; 10_001];
        patch(many.into()).await.refused(
            413,
            "RequestEntityTooLarge",
            "The allowed maximum operations in a JSON patch is 10000, got 10001",
        );
        assert_eq!(suite.get(&path).await.body, copied);
    });
}

#[test]
fn c121_merge_patch() {
    run(async |suite| {
        let path = suite.map("x").await;
        let patch = async |patch: Value| suite.patch("merge-patch+json", &path, patch).await;
        let finalizers = |list: Value| json!({"metadata": {"finalizers": list}});
        let listed = patch(finalizers(json!(["example.test/one", "example.test/two"])))
            .await
            .is(200);
        assert_eq!(
            listed.body["metadata"]["finalizers"],
            json!(["example.test/one", "example.test/two"])
        );
        let replaced = patch(finalizers(json!(["example.test/three"]))).await.is(200);
        assert_eq!(replaced.body["metadata"]["finalizers"], json!(["example.test/three"]));
        let merged =
            patch(json!({"data": {"a": null, "b": "2", "none": null}, "metadata": {"finalizers": null}})).await;
        assert_eq!(merged.body["data"], json!({"b": "2"}));
        assert_eq!(merged.body["metadata"].get("finalizers"), None);
        patch(json!(["a"])).await.refused(400, "BadRequest", "");
    });
}

#[test]
fn c122_strategic_merge_patch() {
    run(async |suite| {
        let deployments = suite.of("apps/v1", "deployments");
        suite.post(&deployments, web()).await.is(201);
        let path = format!("{deployments}/web");
        let patch = async |pod: Value| {
            let patch = json!({"spec": {"template": {"spec": pod}}});
            let patched = suite.patch("strategic-merge-patch+json", &path, patch).await.is(200);
            patched.body["spec"]["template"]["spec"].clone()
        };
        let images = |pod: &Value| {
            let containers = pod["containers"].as_array().unwrap().iter();
            let image = |container: &Value| format!("{}={}", text(&container["name"]), text(&container["image"]));
            containers.map(image).collect::<Vec<_>>().join(" ")
        };
        let new =
            patch(json!({"containers": [{"name": "one", "image": "new"}, {"name": "three", "image": "three"}]})).await;
        // What a patch names comes before what it doesn't, unless the live order says otherwise.
        assert_eq!(images(&new), "one=new three=three two=two");
        let env = patch(
            json!({"containers": [{"name": "one", "env": [{"name": "B", "$patch": "delete"}, {"name": "C", "value": "3"}]}]}),
        );
        let one = env.await["containers"][0]["env"].clone();
        assert_eq!(one, json!([{"name": "C", "value": "3"}, {"name": "A", "value": "1"}]));
        let fewer = patch(json!({"containers": [{"name": "two", "$patch": "delete"}]})).await;
        assert_eq!(images(&fewer), "one=new three=three");
        let ordered = json!({"$setElementOrder/containers": [{"name": "three"}, {"name": "one"}], "containers": [{"name": "one"}]});
        assert_eq!(images(&patch(ordered).await), "three=three one=new");
        let replaced = patch(json!({"containers": [{"name": "only", "image": "only"}, {"$patch": "replace"}]})).await;
        assert_eq!(images(&replaced), "only=only");
        let strategy = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
        let strategy = suite.patch("strategic-merge-patch+json", &path, strategy).await.is(200);
        assert_eq!(strategy.body["spec"]["strategy"], json!({"type": "Recreate"}));
        let finalizers = |list: Value| json!({"metadata": list});
        let one = finalizers(json!({"finalizers": ["example.test/one"]}));
        suite.patch("strategic-merge-patch+json", &path, one).await.is(200);
        let two = finalizers(json!({"finalizers": ["example.test/two"]}));
        let both = suite.patch("strategic-merge-patch+json", &path, two).await.is(200);
        assert_eq!(
            both.body["metadata"]["finalizers"],
            json!(["example.test/two", "example.test/one"])
        );
        let none = finalizers(json!({"$deleteFromPrimitiveList/finalizers": ["example.test/one", "example.test/two"]}));
        let none = suite.patch("strategic-merge-patch+json", &path, none).await.is(200);
        assert_eq!(none.body["metadata"].get("finalizers"), None);
    });
}

#[test]
fn c123_custom_objects_have_no_strategic_merge_patch() {
    run(async |suite| {
        let (_, path) = with_widget(&suite).await;
        let refused = suite.patch("strategic-merge-patch+json", &path, json!({})).await;
        let listed = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
        refused.refused(415, "UnsupportedMediaType", listed);
    });
}

#[test]
fn c124_a_patch_of_no_known_type_is_refused() {
    run(async |suite| {
        let path = suite.map("x").await;
        let (_, widget) = with_widget(&suite).await;
        for content_type in ["application/json", "text/plain", ""] {
            let headers = [("content-type", content_type)];
            // Upstream has but a line of text for built-in kinds.
            suite.send(Method::PATCH, &path, &headers, b"{}".to_vec()).await.is(415);
            let refused = suite.send(Method::PATCH, &widget, &headers, b"{}".to_vec()).await;
            let listed = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            refused.refused(415, "UnsupportedMediaType", listed);
        }
        let headers = [("content-type", "application/merge-patch+json; charset=utf-8")];
        suite.send(Method::PATCH, &path, &headers, b"{}".to_vec()).await.is(200);
    });
}

#[test]
fn c125_what_is_not_there_is_not_patched() {
    run(async |suite| {
        let path = format!("{}/none", suite.core("configmaps"));
        for kind in ["merge-patch+json", "strategic-merge-patch+json"] {
            let refused = suite.patch(kind, &path, json!({"data": {"a": "1"}})).await;
            refused.refused(404, "NotFound", "configmaps \"none\" not found");
        }
        suite
            .patch("json-patch+json", &path, json!([]))
            .await
            .refused(404, "NotFound", "");
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "none"}});
        suite.apply("m", &path, map).await.is(201);
    });
}

#[test]
fn c126_a_patch_may_name_the_version_that_it_means() {
    run(async |suite| {
        let path = suite.map("x").await;
        let old = suite.get(&path).await.body["metadata"]["resourceVersion"].clone();
        let data = |value: &str| json!({"data": {"a": value}});
        let patched = suite.patch("merge-patch+json", &path, data("2")).await.is(200);
        let mut stale = data("3");
        stale["metadata"] = json!({"resourceVersion": old});
        for kind in ["merge-patch+json", "strategic-merge-patch+json"] {
            suite
                .patch(kind, &path, stale.clone())
                .await
                .refused(409, "Conflict", STALE);
        }
        stale["metadata"] = json!({"resourceVersion": patched.version().to_string()});
        suite.patch("merge-patch+json", &path, stale).await.is(200);
    });
}

#[test]
fn c127_a_patch_does_not_rename() {
    run(async |suite| {
        let (_, widget) = with_widget(&suite).await;
        for path in [suite.map("x").await, widget] {
            let rename = json!({"metadata": {"name": "y"}});
            let refused = suite.patch("merge-patch+json", &path, rename).await;
            refused.refused(
                400,
                "BadRequest",
                "the name of the object (y) does not match the name on the URL",
            );
            let moved = json!({"metadata": {"namespace": "default"}});
            let refused = suite.patch("merge-patch+json", &path, moved).await;
            refused.refused(400, "BadRequest", "does not match the namespace sent on the request");
        }
    });
}

#[test]
fn c128_a_dry_run_of_a_patch_is_not_stored() {
    run(async |suite| {
        let (widget, path) = with_widget(&suite).await;
        let dry = format!("{path}?dryRun=All");
        let patch = json!({"spec": {"mode": "b"}});
        let answer = suite.patch("merge-patch+json", &dry, patch).await.is(200).body;
        assert_eq!(
            (&answer["spec"]["mode"], &answer["metadata"]["generation"]),
            (&json!("b"), &json!(2))
        );
        let mut object = widget.clone();
        object["spec"]["mode"] = "b".into();
        suite.put(&dry, object.clone()).await.is(200);
        object["metadata"] = json!({"name": "w"});
        suite
            .apply("m", &format!("{path}?dryRun=All&force=true"), object)
            .await
            .is(200);
        let wrong = suite
            .patch("merge-patch+json", &dry, json!({"spec": {"mode": "q"}}))
            .await;
        wrong.refused(422, "Invalid", "");
        assert_eq!(suite.get(&path).await.body, widget);
    });
}

#[test]
fn c129_an_object_that_ends_loses_finalizers_only() {
    run(async |suite| {
        let (_, path) = with_widget(&suite).await;
        let finalizers = async |list: Value| {
            let patch = json!({"metadata": {"finalizers": list}});
            suite.patch("merge-patch+json", &path, patch).await
        };
        finalizers(json!(["example.test/one", "example.test/two"]))
            .await
            .is(200);
        suite.delete(&path, json!({})).await.is(200);
        finalizers(json!(["example.test/one", "example.test/late"])).await.refused(
            422,
            "Invalid",
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new \
             finalizers []string{\"example.test/late\"}",
        );
        let left = finalizers(json!(["example.test/two"])).await.is(200);
        assert!(left.body["metadata"]["deletionTimestamp"].is_string());
        suite.get(&path).await.is(200);
        assert_eq!(finalizers(json!([])).await.is(200).body["metadata"]["name"], "w");
        suite.get(&path).await.is(404);
    });
}
