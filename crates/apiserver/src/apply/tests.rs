use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Conflicts, Writer, apply, update};
use crate::{
    schema::Schema,
    types::{self, BuiltIn},
};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn deployment() -> &'static Schema {
    static DEPLOYMENT: LazyLock<BuiltIn> = LazyLock::new(|| types::built_in("apps", "v1", "Deployment"));
    DEPLOYMENT.schema()
}

fn writer<'a>(manager: &'a str, now: &'a str) -> Writer<'a> {
    Writer {
        manager,
        api_version: "apps/v1",
        subresource: "",
        now,
    }
}

fn at(hour: u32) -> String {
    format!("2026-01-01T{hour:02}:00:00Z")
}

fn named(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec})
}

/// Applies by a manager at an hour of the day.
fn applied(live: Option<&Value>, spec: &Value, manager: &str, hour: u32) -> Result<Value, Conflicts> {
    apply(deployment(), live, &named(spec), writer(manager, &at(hour)), false)
}

fn updated(live: Option<&Value>, mut new: Value, manager: &str, hour: u32) -> Value {
    update(deployment(), live, &mut new, writer(manager, &at(hour)));
    new
}

/// The record as lines: manager, operation, hour, fields.
fn owners(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let line = |entry: &Value| {
        let text = |name: &str| entry[name].as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {} {}",
            text("manager"),
            text("operation"),
            text("time").get(11..13).unwrap_or("-"),
            entry["fieldsV1"]
        )
    };
    entries.iter().map(line).collect()
}

#[test]
fn applying_creates_with_a_record() {
    let object = applied(
        None,
        &json!({"replicas": 1, "selector": {"matchLabels": {"a": "b"}}}),
        "me",
        1,
    )
    .expect("new");
    assert_eq!(
        object["metadata"]["managedFields"],
        json!([{
            "manager": "me", "operation": "Apply", "apiVersion": "apps/v1", "time": at(1),
            "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:selector": {}}},
        }]),
    );
    assert_eq!(object["spec"]["replicas"], 1);
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let first = applied(None, &json!({"replicas": 1}), "me", 1).expect("new");
    assert_eq!(
        applied(Some(&first), &json!({"replicas": 1}), "me", 2).expect("mine"),
        first
    );
}

#[test]
fn containers_and_ports_are_owned_by_their_keys() {
    let container = json!({"name": "a", "image": "1", "ports": [{"containerPort": 80}]});
    let object = applied(
        None,
        &json!({"template": {"spec": {"containers": [container]}}}),
        "me",
        1,
    )
    .expect("new");
    let fields = &object["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"];
    assert_eq!(
        *fields,
        json!({"k:{\"name\":\"a\"}": {
            ".": {}, "f:name": {}, "f:image": {},
            "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}},
        }}),
    );
}

#[test]
fn what_is_no_longer_applied_goes_unless_co_owned() {
    let one = applied(None, &json!({"replicas": 1, "paused": true}), "one", 1).expect("new");
    let both = applied(Some(&one), &json!({"replicas": 1}), "two", 2).expect("the same value");
    let kept = applied(Some(&both), &json!({}), "one", 3).expect("less");
    assert_eq!(kept["spec"], json!({"replicas": 1}));
    assert_eq!(
        owners(&kept),
        [
            r#"two Apply - {"f:spec":{"f:replicas":{}}}"#,
            r#"one Apply 03 {"f:spec":{}}"#
        ],
    );
    let gone = applied(Some(&kept), &json!({}), "two", 4).expect("less");
    assert_eq!(gone["spec"], json!({}));
}

#[test]
fn list_items_go_and_stay_one_by_one() {
    let containers = |names: &[&str]| {
        let containers: Vec<Value> = names.iter().map(|name| json!({"name": name, "image": "1"})).collect();
        json!({"template": {"spec": {"containers": containers}}})
    };
    let names = |object: &Value| -> Vec<String> {
        let containers = object["spec"]["template"]["spec"]["containers"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        containers
            .iter()
            .map(|container| container["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let one = applied(None, &containers(&["a", "b"]), "one", 1).expect("new");
    let two = applied(Some(&one), &containers(&["c"]), "two", 2).expect("no overlap");
    assert_eq!(names(&two), ["a", "b", "c"]);
    let less = applied(Some(&two), &containers(&["b"]), "one", 3).expect("less");
    assert_eq!(names(&less), ["b", "c"]);
    let ordered = applied(Some(&two), &containers(&["c", "d", "a", "e"]), "two", 3).expect("no conflict");
    assert_eq!(names(&ordered), ["b", "c", "d", "a", "e"]);
    let ordered = applied(Some(&ordered), &containers(&["e", "f", "d"]), "two", 4).expect("no conflict");
    assert_eq!(names(&ordered), ["b", "a", "e", "f", "d"]);
}

#[test]
fn another_value_conflicts_and_force_takes_over() {
    let one = applied(None, &json!({"replicas": 1, "paused": true}), "one", 1).expect("new");
    let conflicts = applied(Some(&one), &json!({"replicas": 2}), "two", 2).expect_err("owned by one");
    assert_eq!(
        conflicts.to_string(),
        r#"Apply failed with 1 conflict: conflict with "one": .spec.replicas"#
    );
    assert_eq!(conflicts.0[0].message(), r#"conflict with "one""#);

    let several = applied(Some(&one), &json!({"replicas": 2, "paused": false}), "two", 2).expect_err("owned by one");
    assert_eq!(
        several.to_string(),
        "Apply failed with 2 conflicts: conflicts with \"one\":\n- .spec.paused\n- .spec.replicas",
    );

    let new = named(&json!({"replicas": 2}));
    let forced = apply(deployment(), Some(&one), &new, writer("two", &at(2)), true).expect("forced");
    assert_eq!(
        owners(&forced),
        [
            r#"one Apply 01 {"f:spec":{"f:paused":{}}}"#,
            r#"two Apply 02 {"f:spec":{"f:replicas":{}}}"#
        ],
    );
}

#[test]
fn an_update_takes_what_it_changes() {
    let mine = applied(None, &json!({"replicas": 1, "paused": true}), "me", 1).expect("new");
    let mut new = mine.clone();
    new["spec"]["replicas"] = json!(3);
    let scaled = updated(Some(&mine), new, "scaler", 2);
    assert_eq!(
        owners(&scaled),
        [
            r#"me Apply 01 {"f:spec":{"f:paused":{}}}"#,
            r#"scaler Update 02 {"f:spec":{"f:replicas":{}}}"#
        ],
    );
    let conflicts = applied(Some(&scaled), &json!({"replicas": 1, "paused": true}), "me", 3).expect_err("scaled");
    assert_eq!(
        conflicts.to_string(),
        r#"Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas"#,
    );
}

#[test]
fn creating_owns_everything_but_the_identity() {
    let mut object = named(&json!({"replicas": 1}));
    object["metadata"]["labels"] = json!({"a": "b"});
    let created = updated(None, object, "me", 1);
    assert_eq!(
        owners(&created),
        [r#"me Update 01 {"f:metadata":{"f:labels":{".":{},"f:a":{}}},"f:spec":{".":{},"f:replicas":{}}}"#],
    );
}

#[test]
fn an_update_that_changes_nothing_leaves_the_record() {
    let created = updated(None, named(&json!({"replicas": 1})), "me", 1);
    assert_eq!(updated(Some(&created), created.clone(), "me", 2), created);
    let mut without = created.clone();
    without["metadata"]
        .as_object_mut()
        .expect("an object")
        .remove("managedFields");
    assert_eq!(
        updated(Some(&created), without, "other", 2),
        created,
        "an absent record is the live one"
    );
    let mut garbled = created.clone();
    garbled["metadata"]["managedFields"] = json!([{"manager": "x"}]);
    assert_eq!(
        updated(Some(&created), garbled, "other", 2),
        created,
        "so is one that makes no sense"
    );
}

#[test]
fn an_empty_record_resets() {
    let created = updated(None, named(&json!({"replicas": 1})), "me", 1);
    for reset in [json!([]), json!([{}])] {
        let mut new = created.clone();
        new["metadata"]["managedFields"] = reset;
        assert_eq!(owners(&updated(Some(&created), new, "me", 2)), [""; 0]);
    }
}

#[test]
fn an_object_without_a_record_belongs_to_whoever_came_before() {
    let live = named(&json!({"replicas": 1}));
    assert_eq!(
        owners(&updated(Some(&live), named(&json!({"replicas": 2})), "me", 1)),
        [""; 0]
    );
    let object = applied(Some(&live), &json!({"replicas": 1, "paused": true}), "me", 1).expect("the same value");
    assert_eq!(
        owners(&object),
        [
            r#"me Apply 01 {"f:spec":{"f:paused":{},"f:replicas":{}}}"#,
            r#"before-first-apply Update 01 {"f:spec":{".":{},"f:replicas":{}}}"#,
        ],
    );
}

#[test]
fn a_subresource_has_an_entry_of_its_own() {
    let created = updated(None, named(&json!({"replicas": 1})), "me", 1);
    let mut new = created.clone();
    new["status"] = json!({"replicas": 1});
    let now = at(2);
    update(
        deployment(),
        Some(&created),
        &mut new,
        Writer {
            subresource: "status",
            ..writer("me", &now)
        },
    );
    let entries = new["metadata"]["managedFields"].as_array().expect("a record");
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1]["subresource"], "status");
    assert_eq!(entries[1]["fieldsV1"], json!({"f:status": {".": {}, "f:replicas": {}}}));
}

#[test]
fn too_many_updaters_become_ancient_changes() {
    let mut object = updated(None, named(&json!({"replicas": 0})), "m00", 0);
    for index in 1..13 {
        let mut new = object.clone();
        new["metadata"]["labels"][format!("l{index}")] = json!("x");
        object = updated(Some(&object), new, &format!("m{index:02}"), index);
    }
    let owners = owners(&object);
    assert_eq!(owners.len(), 10);
    assert!(owners[0].starts_with("ancient-changes Update 03 "), "{}", owners[0]);
    assert!(
        owners[0].contains("f:l1") && owners[0].contains("f:replicas"),
        "{}",
        owners[0]
    );
}

#[test]
fn what_kubectl_applied_from_the_client_is_no_conflict_for_it() {
    let mut object = named(&json!({"replicas": 1}));
    object["metadata"]["annotations"][LAST_APPLIED] = named(&json!({"replicas": 1})).to_string().into();
    let live = updated(None, object, "kubectl-client-side-apply", 1);
    let conflicts = applied(Some(&live), &json!({"replicas": 2}), "other", 2).expect_err("owned by kubectl");
    assert_eq!(conflicts.0.len(), 1);
    let migrated = applied(Some(&live), &json!({"replicas": 2}), "kubectl", 2).expect("its own field");
    assert_eq!(migrated["spec"]["replicas"], 2);
    let annotation = migrated["metadata"]["annotations"][LAST_APPLIED]
        .as_str()
        .expect("the annotation stays");
    let annotation: Value = serde_json::from_str(annotation).expect("the annotation is JSON");
    assert_eq!(annotation["spec"]["replicas"], 2);
}

#[test]
fn custom_lists_merge_by_their_types() {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "whole": {"type": "array", "items": {"type": "string"}},
        "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
            "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "v": {"type": "integer"}}}},
    }}}});
    let schema = Schema::compile(&schema).expect("the schema is structural");
    let apply = |live: Option<&Value>, spec: &Value, manager: &str| {
        apply(&schema, live, &named(spec), writer(manager, &at(1)), false)
    };
    let one = apply(
        None,
        &json!({"set": ["a"], "map": [{"id": "a", "v": 1}], "whole": ["a"]}),
        "one",
    )
    .expect("new");
    let two = apply(Some(&one), &json!({"set": ["b"], "map": [{"id": "b"}]}), "two").expect("no overlap");
    assert_eq!(two["spec"]["set"], json!(["a", "b"]));
    assert_eq!(two["spec"]["map"], json!([{"id": "a", "v": 1}, {"id": "b"}]));
    let conflicts = apply(
        Some(&two),
        &json!({"whole": ["b"], "map": [{"id": "a", "v": 2}]}),
        "two",
    )
    .expect_err("owned");
    let fields: Vec<&str> = conflicts.0.iter().map(|conflict| conflict.field.as_str()).collect();
    assert_eq!(fields, [r#".spec.map[id="a"].v"#, ".spec.whole"]);
    let dropped = apply(Some(&two), &json!({}), "two").expect("less");
    assert_eq!(dropped["spec"]["set"], json!(["a"]));
}

fn any_spec() -> impl Strategy<Value = Value> {
    let containers = prop::collection::btree_map("[a-c]", "[x-z]", 0..3).prop_map(|containers| {
        containers
            .into_iter()
            .map(|(name, image)| json!({"name": name, "image": image}))
            .collect::<Vec<_>>()
    });
    (
        prop::option::of(0..3),
        containers,
        prop::collection::btree_map("[a-c]", "[x-z]", 0..3),
    )
        .prop_map(|(replicas, containers, labels)| {
            let template = json!({"metadata": {"labels": labels}, "spec": {"containers": containers}});
            match replicas {
                Some(replicas) => json!({"replicas": replicas, "template": template}),
                None => json!({"template": template}),
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn applying_twice_is_applying_once(before in any_spec(), other in any_spec(), spec in any_spec()) {
        let force = |live: Option<&Value>, spec: &Value, manager: &str, hour: u32| {
            apply(deployment(), live, &named(spec), writer(manager, &at(hour)), true).expect("forced")
        };
        let live = force(None, &before, "me", 1);
        let live = force(Some(&live), &other, "other", 2);
        let once = force(Some(&live), &spec, "me", 3);
        prop_assert_eq!(&force(Some(&once), &spec, "me", 4), &once);
    }

    #[test]
    fn a_lone_manager_gets_exactly_what_it_applies(before in any_spec(), spec in any_spec()) {
        let live = applied(None, &before, "me", 1).expect("new");
        let live = applied(Some(&live), &spec, "me", 2).expect("mine");
        let order = |mut spec: Value| {
            if let Some(list) = spec.pointer_mut("/template/spec/containers").and_then(Value::as_array_mut) {
                list.sort_by_key(ToString::to_string);
            }
            spec
        };
        prop_assert_eq!(order(live["spec"].clone()), order(spec));
    }
}
