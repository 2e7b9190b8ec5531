//! Section 8.7: server-side apply, and who owns which field.

use serde_json::{Value, json};

use crate::{Answer, Suite, run, text};

fn map(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data})
}

fn path(suite: &Suite) -> String {
    format!("{}/x", suite.core("configmaps"))
}

/// Applies the data of the ConfigMap `x`.
async fn apply(suite: &Suite, manager: &str, data: Value) -> Answer {
    suite.apply(manager, &path(suite), map(data)).await
}

/// What a manager owns, and how.
fn owned<'a>(object: &'a Value, manager: &str, operation: &str) -> &'a Value {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut entries = entries.filter(|entry| entry["manager"] == manager && entry["operation"] == operation);
    entries.next().map_or(&Value::Null, |entry| &entry["fieldsV1"])
}

#[test]
fn c132_applying_twice_is_applying_once() {
    run(async |suite| {
        let first = apply(&suite, "m", json!({"a": "1"})).await.is(201);
        assert_eq!(first.body["data"], json!({"a": "1"}));
        assert!(first.body["metadata"]["uid"].is_string());
        let second = apply(&suite, "m", json!({"a": "1"})).await.is(200);
        assert_eq!(second.body, first.body);
        let mut nameless = map(json!({"a": "1"}));
        nameless["metadata"] = json!({});
        assert_eq!(suite.apply("m", &path(&suite), nameless).await.is(200).body, first.body);
        // YAML is what the type of the patch says.
        let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: '2'}\n";
        let headers = [("content-type", "application/apply-patch+yaml")];
        let manager = format!("{}?fieldManager=m", path(&suite));
        let changed = suite
            .send(http::Method::PATCH, &manager, &headers, yaml.into())
            .await
            .is(200);
        assert_eq!(changed.body["data"], json!({"a": "2"}));
        assert!(changed.version() > first.version());
        // An object that is not there has no uid that one could mean.
        let mut other = map(json!({}));
        other["metadata"] = json!({"name": "y", "uid": "123"});
        let absent = suite
            .apply("m", &format!("{}/y", suite.core("configmaps")), other)
            .await;
        absent.refused(409, "Conflict", "uid mismatch: the provided object specified uid 123");
    });
}

#[test]
fn c133_an_entry_says_who_owns_what_since_when() {
    run(async |suite| {
        let mut first = map(json!({"a": "1", "b": "2"}));
        first["metadata"]["labels"] = json!({"l": "1"});
        let first = suite.apply("m", &path(&suite), first).await.is(201).body;
        let entries = first["metadata"]["managedFields"].as_array().unwrap();
        let [entry] = entries.as_slice() else {
            panic!("one entry, not {entries:?}")
        };
        let fields = json!({"f:data": {"f:a": {}, "f:b": {}}, "f:metadata": {"f:labels": {"f:l": {}}}});
        let expected = json!({
            "manager": "m", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields,
            "time": first["metadata"]["creationTimestamp"],
        });
        assert_eq!(entry, &expected);
        let mut again = map(json!({"a": "1", "b": "2"}));
        again["metadata"]["labels"] = json!({"l": "1"});
        assert_eq!(suite.apply("m", &path(&suite), again).await.is(200).body, first);
        // An update is an entry of another kind: there the maps themselves are owned, too.
        let maps = suite.core("configmaps");
        let made = suite
            .post(&maps, json!({"metadata": {"name": "y"}, "data": {"a": "1"}}))
            .await
            .is(201)
            .body;
        let fields = json!({"f:data": {".": {}, "f:a": {}}});
        assert_eq!(owned(&made, "conformance", "Update"), &fields);
    });
}

#[test]
fn c134_an_apply_names_its_manager() {
    run(async |suite| {
        let refused = suite.patch("apply-patch+yaml", &path(&suite), map(json!({}))).await;
        let message =
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch";
        refused
            .refused(422, "Invalid", message)
            .caused_by("FieldValueRequired", "fieldManager");
        let mut wrong = map(json!({}));
        wrong["apiVersion"] = "apps/v1".into();
        let refused = suite.apply("m", &path(&suite), wrong).await;
        refused.refused(400, "BadRequest", "invalid object type: apps/v1, Kind=ConfigMap");
        suite.get(&path(&suite)).await.is(404);
    });
}

#[test]
fn c135_another_value_of_another_manager_is_a_conflict() {
    run(async |suite| {
        apply(&suite, "one", json!({"a": "1", "b": "1"})).await.is(201);
        let conflict = apply(&suite, "two", json!({"a": "2"})).await;
        let conflict = conflict.refused(409, "Conflict", "");
        let message = "Apply failed with 1 conflict: conflict with \"one\": .data.a";
        assert_eq!(conflict.body["message"], message);
        let causes =
            json!([{"reason": "FieldManagerConflict", "message": "conflict with \"one\"", "field": ".data.a"}]);
        assert_eq!(conflict.body["details"]["causes"], causes);
        let conflicts = apply(&suite, "two", json!({"a": "2", "b": "2", "c": "2"})).await;
        let message = "Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.a\n- .data.b";
        assert_eq!(conflicts.refused(409, "Conflict", "").body["message"], message);
        assert_eq!(suite.get(&path(&suite)).await.body["data"], json!({"a": "1", "b": "1"}));
    });
}

#[test]
fn c136_force_takes_a_field() {
    run(async |suite| {
        apply(&suite, "one", json!({"a": "1", "b": "1"})).await.is(201);
        let forced = format!("{}?force=true", path(&suite));
        let forced = suite.apply("two", &forced, map(json!({"a": "2"}))).await.is(200).body;
        assert_eq!(forced["data"], json!({"a": "2", "b": "1"}));
        assert_eq!(owned(&forced, "one", "Apply"), &json!({"f:data": {"f:b": {}}}));
        assert_eq!(owned(&forced, "two", "Apply"), &json!({"f:data": {"f:a": {}}}));
        let back = apply(&suite, "one", json!({"a": "1", "b": "1"})).await;
        back.refused(409, "Conflict", "conflict with \"two\": .data.a");
    });
}

#[test]
fn c137_a_field_stays_while_someone_owns_it() {
    run(async |suite| {
        apply(&suite, "one", json!({"a": "1", "b": "1"})).await.is(201);
        let shared = apply(&suite, "two", json!({"a": "1"})).await.is(200).body;
        assert_eq!(
            owned(&shared, "one", "Apply"),
            &json!({"f:data": {"f:a": {}, "f:b": {}}})
        );
        assert_eq!(owned(&shared, "two", "Apply"), &json!({"f:data": {"f:a": {}}}));
        // Neither may change alone what both own.
        let refused = apply(&suite, "one", json!({"a": "2", "b": "1"})).await;
        refused.refused(409, "Conflict", "conflict with \"two\": .data.a");
        let kept = apply(&suite, "one", json!({"b": "1"})).await.is(200).body;
        assert_eq!(kept["data"], json!({"a": "1", "b": "1"}));
        let gone = apply(&suite, "two", json!({})).await.is(200).body;
        assert_eq!(gone["data"], json!({"b": "1"}));
    });
}

#[test]
fn c138_what_its_only_owner_leaves_out_is_removed() {
    run(async |suite| {
        let mut first = map(json!({"a": "1", "b": "1"}));
        first["metadata"]["annotations"] = json!({"one": "1", "two": "2"});
        suite.apply("m", &path(&suite), first).await.is(201);
        let unowned = json!({"data": {"c": "1"}, "metadata": {"annotations": {"three": "3"}}});
        suite.patch("merge-patch+json", &path(&suite), unowned).await.is(200);
        let mut second = map(json!({"b": "1"}));
        second["metadata"]["annotations"] = json!({"two": "2"});
        let second = suite.apply("m", &path(&suite), second).await.is(200).body;
        assert_eq!(second["data"], json!({"b": "1", "c": "1"}));
        assert_eq!(second["metadata"]["annotations"], json!({"three": "3", "two": "2"}));
    });
}

#[test]
fn c139_an_update_takes_what_it_changes() {
    run(async |suite| {
        let mut applied = apply(&suite, "one", json!({"a": "1", "b": "1"})).await.is(201).body;
        applied["data"] = json!({"a": "2", "b": "1"});
        let updated = suite.put(&path(&suite), applied).await.is(200).body;
        assert_eq!(owned(&updated, "one", "Apply"), &json!({"f:data": {"f:b": {}}}));
        assert_eq!(
            owned(&updated, "conformance", "Update"),
            &json!({"f:data": {"f:a": {}}})
        );
        let conflict = apply(&suite, "one", json!({"a": "1", "b": "1"}))
            .await
            .refused(409, "Conflict", "");
        let message = "Apply failed with 1 conflict: conflict with \"conformance\" using v1: .data.a";
        assert_eq!(conflict.body["message"], message);
        // The same value is shared, not taken.
        let shared = apply(&suite, "one", json!({"a": "2", "b": "1"})).await.is(200).body;
        assert_eq!(owned(&shared, "conformance", "Update"), &json!({"f:data": {"f:a": {}}}));
        assert_eq!(
            owned(&shared, "one", "Apply"),
            &json!({"f:data": {"f:a": {}, "f:b": {}}})
        );
    });
}

#[test]
fn c140_items_of_lists_are_owned_by_their_keys() {
    run(async |suite| {
        let deployment = |containers: Value| {
            json!({
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web"},
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}},
                },
            })
        };
        let path = format!("{}/web", suite.of("apps/v1", "deployments"));
        let one =
            json!({"name": "a", "image": "a", "ports": [{"containerPort": 80}], "env": [{"name": "E", "value": "1"}]});
        let made = suite.apply("one", &path, deployment(json!([one]))).await.is(201).body;
        let containers = |object: &Value, manager: &str| {
            owned(object, manager, "Apply")["f:spec"]["f:template"]["f:spec"]["f:containers"].clone()
        };
        let fields = json!({r#"k:{"name":"a"}"#: {
            ".": {},
            "f:name": {},
            "f:image": {},
            "f:ports": {r#"k:{"containerPort":80,"protocol":"TCP"}"#: {".": {}, "f:containerPort": {}}},
            "f:env": {r#"k:{"name":"E"}"#: {".": {}, "f:name": {}, "f:value": {}}},
        }});
        assert_eq!(containers(&made, "one"), fields);
        let mut two = deployment(json!([{"name": "b", "image": "b"}]));
        two["spec"].as_object_mut().unwrap().remove("replicas");
        let both = suite.apply("two", &path, two).await.is(200).body;
        let names = |object: &Value| -> Vec<String> {
            let containers = object["spec"]["template"]["spec"]["containers"]
                .as_array()
                .unwrap()
                .iter();
            containers.map(|container| text(&container["name"])).collect()
        };
        assert_eq!(names(&both), ["a", "b"]);
        assert_eq!(containers(&both, "one"), fields);
        let ports = json!([{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]);
        let more = json!({"name": "a", "image": "a", "ports": ports});
        let more = suite.apply("one", &path, deployment(json!([more]))).await.is(200).body;
        let container = &more["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["ports"].as_array().unwrap().len(), 2, "{container}");
        assert_eq!(container.get("env"), None, "its only owner left it out");
        assert_eq!(names(&more), ["a", "b"], "what another manager applied stays");
    });
}

#[test]
fn c141_a_status_is_applied_on_its_own() {
    run(async |suite| {
        suite.with_widgets().await;
        let path = format!("{}/w", suite.widgets());
        let status = format!("{path}/status");
        let mut widget = suite.widget("w", json!({"mode": "a"}));
        widget["metadata"]["labels"] = json!({"a": "b"});
        widget["status"] = json!({"replicas": 3});
        suite
            .apply("m", &status, widget.clone())
            .await
            .refused(404, "NotFound", "");
        let main = suite.apply("m", &path, widget.clone()).await.is(201);
        assert_eq!(main.body.get("status"), None);
        assert_eq!(
            suite.apply("m", &path, widget.clone()).await.is(200).version(),
            main.version()
        );
        widget["spec"]["mode"] = "b".into();
        let applied = suite.apply("m", &status, widget.clone()).await.is(200);
        assert_eq!(applied.body["status"], json!({"replicas": 3}));
        assert_eq!(applied.body["spec"], main.body["spec"]);
        assert_eq!(
            suite.apply("m", &status, widget).await.is(200).version(),
            applied.version()
        );
        let entries = applied.body["metadata"]["managedFields"].as_array().unwrap();
        let described: Vec<(String, &Value)> = entries
            .iter()
            .map(|entry| (text(&entry["subresource"]), &entry["fieldsV1"]))
            .collect();
        let metadata = json!({"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:mode": {}}});
        let of_status = json!({"f:status": {"f:replicas": {}}});
        assert_eq!(
            described,
            [(String::new(), &metadata), ("status".to_owned(), &of_status)]
        );
        // Who owns a field by way of a subresource is said so in a conflict.
        let mut other = suite.widget("w", json!({}));
        other["status"] = json!({"replicas": 4});
        let conflict = suite.apply("other", &status, other).await;
        conflict.refused(
            409,
            "Conflict",
            "conflict with \"m\" with subresource \"status\": .status.replicas",
        );
    });
}

#[test]
fn c142_lists_and_maps_of_custom_objects_are_what_their_schema_says() {
    run(async |suite| {
        let mut definition = suite.definition();
        let strings = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let mut atomic_map = strings.clone();
        atomic_map["x-kubernetes-map-type"] = "atomic".into();
        let list = |kind: &str| json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": kind});
        let item = json!({"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}, "value": {"type": "string"}}});
        let keyed = json!({"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key"]});
        definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = json!({"type": "object", "properties": {
            "atomic": list("atomic"), "set": list("set"), "keyed": keyed, "granular": strings, "atomicMap": atomic_map,
            "plain": {"type": "array", "items": {"type": "string"}},
        }});
        let subresources = definition["spec"]["versions"][0]["subresources"]
            .as_object_mut()
            .unwrap();
        subresources.remove("scale");
        suite.define(definition).await;
        let path = format!("{}/w", suite.widgets());
        let apply = async |manager: &str, spec: Value| suite.apply(manager, &path, suite.widget("w", spec)).await;
        let first = json!({
            "set": ["a"], "keyed": [{"key": "a", "value": "1"}], "granular": {"a": "1"}, "atomic": ["a"], "atomicMap": {"a": "1"},
        });
        let first = apply("one", first).await.is(201).body;
        let expected = json!({"f:spec": {
            "f:atomic": {},
            "f:atomicMap": {},
            "f:granular": {"f:a": {}},
            "f:keyed": {r#"k:{"key":"a"}"#: {".": {}, "f:key": {}, "f:value": {}}},
            "f:set": {"v:\"a\"": {}},
        }});
        assert_eq!(owned(&first, "one", "Apply"), &expected);
        let second =
            json!({"set": ["b"], "keyed": [{"key": "b", "value": "2"}], "granular": {"b": "2"}, "plain": ["x"]});
        let second = apply("two", second).await.is(200).body;
        let merged = json!({
            "set": ["a", "b"],
            "keyed": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}],
            "granular": {"a": "1", "b": "2"},
            "atomic": ["a"],
            "atomicMap": {"a": "1"},
            "plain": ["x"],
        });
        assert_eq!(second["spec"], merged);
        let conflict = apply(
            "two",
            json!({"atomic": ["b"], "atomicMap": {"b": "2"}, "keyed": [{"key": "a", "value": "2"}]}),
        )
        .await;
        let message = "Apply failed with 3 conflicts: conflicts with \"one\":\n- .spec.atomic\n- .spec.atomicMap\n- .spec.keyed[key=\"a\"].value";
        assert_eq!(conflict.refused(409, "Conflict", "").body["message"], message);
        let left = apply("one", json!({"set": ["c"]})).await.is(200).body;
        assert_eq!(
            left["spec"],
            json!({
                "set": ["b", "c"], "keyed": [{"key": "b", "value": "2"}], "granular": {"b": "2"}, "plain": ["x"],
            })
        );
    });
}

#[test]
fn c143_the_record_is_the_servers() {
    run(async |suite| {
        let mut recorded = map(json!({}));
        recorded["metadata"]["managedFields"] = json!([]);
        let refused = suite.apply("m", &path(&suite), recorded).await;
        refused.refused(400, "BadRequest", "metadata.managedFields must be nil");
        for reset in [json!([]), json!([{}])] {
            suite.delete(&path(&suite), json!({})).await;
            let mut object = apply(&suite, "m", json!({"a": "1"})).await.is(201).body;
            // What makes no sense, or is left out, leaves the record as it is.
            for nonsense in [Value::Null, json!([{"manager": "m", "operation": "Apply"}])] {
                let mut kept = object.clone();
                kept["metadata"]["managedFields"] = nonsense;
                let kept = suite.put(&path(&suite), kept).await.is(200).body;
                assert_eq!(kept["metadata"]["managedFields"], object["metadata"]["managedFields"]);
            }
            object["metadata"]["managedFields"] = reset;
            let cleared = suite.put(&path(&suite), object).await.is(200).body;
            assert_eq!(cleared["metadata"].get("managedFields"), None);
            let applied = apply(&suite, "m", json!({"a": "1"})).await.is(200).body;
            assert_eq!(
                owned(&applied, "before-first-apply", "Update"),
                &json!({"f:data": {".": {}, "f:a": {}}})
            );
            assert_eq!(owned(&applied, "m", "Apply"), &json!({"f:data": {"f:a": {}}}));
        }
    });
}

#[test]
fn c144_force_is_for_applies() {
    run(async |suite| {
        suite.map("x").await;
        for kind in ["merge-patch+json", "strategic-merge-patch+json", "json-patch+json"] {
            let body = if kind.starts_with("json") { json!([]) } else { json!({}) };
            let refused = suite.patch(kind, &format!("{}?force=true", path(&suite)), body).await;
            let message =
                "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch";
            refused
                .refused(422, "Invalid", message)
                .caused_by("FieldValueForbidden", "force");
        }
    });
}
