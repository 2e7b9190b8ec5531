use proptest::prelude::*;
use serde_json::{Value, json};

use super::{PatchError, json_patch, merge_patch, strategic_merge};
use crate::types::built_in;

fn pod_with(containers: &Value) -> Value {
    json!({"spec": {"containers": containers}})
}

#[track_caller]
fn check(kind: &'static str, target: &Value, patch: &Value, expected: &Value) {
    let group = if kind == "Deployment" { "apps" } else { "" };
    let patched =
        strategic_merge(built_in(group, "v1", kind).schema(), target, patch).expect("the patch is well-formed");
    assert_eq!(patched, *expected);
}

#[test]
fn containers_and_their_parts_merge_by_name() {
    check(
        "Pod",
        &pod_with(&json!([{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}])),
        &pod_with(&json!([{"name": "a", "image": "2", "env": [{"name": "Y", "value": "2"}]}, {"name": "c"}])),
        &pod_with(&json!([
            {"name": "a", "image": "2", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}]},
            {"name": "c"},
            {"name": "b"},
        ])),
    );
}

#[test]
fn directives_delete_and_replace_items() {
    let target = pod_with(&json!([{"name": "a", "image": "1"}, {"name": "b"}]));
    check(
        "Pod",
        &target,
        &pod_with(&json!([{"name": "a", "$patch": "delete"}])),
        &pod_with(&json!([{"name": "b"}])),
    );
    check(
        "Pod",
        &target,
        &pod_with(&json!([{"name": "a", "$patch": "replace"}])),
        &pod_with(&json!([{"name": "a"}, {"name": "b"}])),
    );
    check(
        "Pod",
        &target,
        &pod_with(&json!([{"name": "c"}, {"$patch": "replace"}])),
        &pod_with(&json!([{"name": "c"}])),
    );
}

#[test]
fn directives_replace_and_delete_objects() {
    let target = json!({"spec": {"nodeSelector": {"a": "b"}}, "metadata": {"labels": {"x": "y"}}});
    check(
        "Pod",
        &target,
        &json!({"spec": {"nodeSelector": {"$patch": "replace", "c": "d"}}, "metadata": {"labels": {"$patch": "delete"}}}),
        &json!({"spec": {"nodeSelector": {"c": "d"}}, "metadata": {}}),
    );
}

#[test]
fn null_removes_and_lists_without_a_key_are_replaced() {
    check(
        "Pod",
        &json!({"spec": {"tolerations": [{"key": "a"}], "hostNetwork": true}}),
        &json!({"spec": {"tolerations": [{"key": "b"}], "hostNetwork": null}}),
        &json!({"spec": {"tolerations": [{"key": "b"}]}}),
    );
}

#[test]
fn lists_of_plain_values_merge_and_shrink() {
    check(
        "Pod",
        &json!({"metadata": {"finalizers": ["a", "b"]}}),
        &json!({"metadata": {"finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]}}),
        &json!({"metadata": {"finalizers": ["c", "b"]}}),
    );
}

#[test]
fn retained_keys_push_the_others_out() {
    check(
        "Deployment",
        &json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}),
        &json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
        &json!({"spec": {"strategy": {"type": "Recreate"}}}),
    );
}

#[test]
fn a_given_order_holds_and_others_keep_their_place() {
    check(
        "Pod",
        &pod_with(&json!([{"name": "a"}, {"name": "x"}, {"name": "b"}])),
        &json!({"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "c"}, {"name": "a"}], "containers": [{"name": "c"}]}}),
        &pod_with(&json!([{"name": "x"}, {"name": "b"}, {"name": "c"}, {"name": "a"}])),
    );
    check(
        "Pod",
        &pod_with(&json!([{"name": "a"}, {"name": "x"}])),
        &json!({"spec": {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}], "containers": [{"name": "c"}]}}),
        &pod_with(&json!([{"name": "c"}, {"name": "a"}, {"name": "x"}])),
    );
}

#[test]
fn service_ports_merge_by_port_and_owners_by_uid() {
    check(
        "Service",
        &json!({"spec": {"ports": [{"port": 80, "name": "a"}]}, "metadata": {"ownerReferences": [{"uid": "1"}]}}),
        &json!({"spec": {"ports": [{"port": 80, "name": "b"}]}, "metadata": {"ownerReferences": [{"uid": "2"}]}}),
        &json!({"spec": {"ports": [{"port": 80, "name": "b"}]}, "metadata": {"ownerReferences": [{"uid": "2"}, {"uid": "1"}]}}),
    );
}

#[test]
fn conditions_merge_by_type() {
    check(
        "Pod",
        &json!({"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "x"}, {"type": "Other"}]}}),
        &json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
        &json!({"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "x"}, {"type": "Other"}]}}),
    );
}

#[test]
fn malformed_strategic_patches_are_refused() {
    let target = pod_with(&json!([{"name": "a"}]));
    for patch in [
        json!([]),
        pod_with(&json!([{"image": "no-name"}])),
        pod_with(&json!(["text"])),
        json!({"spec": {"$patch": "explode"}}),
        json!({"spec": {"$retainKeys": "type"}}),
    ] {
        let error =
            strategic_merge(built_in("", "v1", "Pod").schema(), &target, &patch).expect_err("the patch is malformed");
        assert!(matches!(error, PatchError::Malformed(_)), "{patch}: {error}");
    }
}

#[test]
fn json_patches_change_test_and_fail() {
    let target = json!({"a": 1});
    let patched = json_patch(
        &target,
        &json!([{"op": "test", "path": "/a", "value": 1}, {"op": "add", "path": "/b", "value": 2}]),
    );
    assert_eq!(patched.expect("the patch fits"), json!({"a": 1, "b": 2}));
    let failed = json_patch(&target, &json!([{"op": "test", "path": "/a", "value": 2}]));
    assert!(matches!(failed, Err(PatchError::Unprocessable(_))));
    assert!(matches!(
        json_patch(&target, &json!([{"op": "remove", "path": "/x"}])),
        Err(PatchError::Unprocessable(_))
    ));
    assert!(matches!(
        json_patch(&target, &json!({"a": 2})),
        Err(PatchError::Malformed(_))
    ));
    let many: Vec<Value> = vec![json!({"op": "test", "path": "/a", "value": 1}); 10_001];
    assert!(matches!(
        json_patch(&target, &Value::from(many)),
        Err(PatchError::TooManyOperations(10_001))
    ));
}

#[test]
fn json_patches_nest_no_deeper_than_what_can_be_read() {
    let target = json!({"a": {}});
    let nested = |steps: Vec<Value>| json_patch(&target, &Value::Array(steps)).map_err(|error| error.to_string());
    // Each copy goes to the innermost of what is copied: so it becomes twice as deep.
    let copies = |times: u32| {
        let copy =
            |time: u32| json!({"op": "copy", "from": "/a", "path": format!("/a{}", "/x".repeat(1_usize << time))});
        nested((0..times).map(copy).collect())
    };
    // What is moved into something new is one deeper.
    let moves = |times: usize| {
        let steps = [
            json!({"op": "add", "path": "/b", "value": {}}),
            json!({"op": "move", "from": "/a", "path": "/b/x"}),
            json!({"op": "move", "from": "/b", "path": "/a"}),
        ];
        nested(std::iter::repeat_n(steps, times).flatten().collect())
    };
    assert!(copies(6).is_ok() && moves(100).is_ok());
    for error in [copies(16).unwrap_err(), moves(3000).unwrap_err()] {
        assert!(error.contains("nested too deeply"), "{error}");
    }
}

#[test]
fn merge_patches_remove_by_null_and_replace_lists() {
    let target = json!({"a": {"b": 1, "c": 2}, "l": [1, 2]});
    assert_eq!(
        merge_patch(&target, &json!({"a": {"b": null}, "l": [3]})),
        json!({"a": {"c": 2}, "l": [3]})
    );
}

fn any_pod() -> impl Strategy<Value = Value> {
    let container = (
        "[a-c]",
        prop::option::of("[x-z]"),
        prop::collection::btree_set("[A-C]", 0..3),
    )
        .prop_map(|(name, image, env)| {
            let env: Vec<Value> = env.into_iter().map(|name| json!({"name": name})).collect();
            match image {
                Some(image) => json!({"name": name, "image": image, "env": env}),
                None => json!({"name": name, "env": env}),
            }
        });
    let containers = prop::collection::vec(container, 0..4).prop_map(|mut containers| {
        let mut seen = std::collections::BTreeSet::new();
        containers.retain(|container| seen.insert(container["name"].to_string()));
        containers
    });
    (containers, prop::collection::btree_map("[a-c]", "[x-z]", 0..3))
        .prop_map(|(containers, labels)| json!({"metadata": {"labels": labels}, "spec": {"containers": containers}}))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_empty_patch_and_an_objects_own_text_change_nothing(pod in any_pod()) {
        let pod_kind = built_in("", "v1", "Pod");
        let schema = pod_kind.schema();
        prop_assert_eq!(&strategic_merge(schema, &pod, &json!({})).expect("well-formed"), &pod);
        prop_assert_eq!(&strategic_merge(schema, &pod, &pod).expect("well-formed"), &pod);
        prop_assert_eq!(&merge_patch(&pod, &pod), &pod);
    }

    #[test]
    fn a_patch_applied_twice_is_applied_once(pod in any_pod(), patch in any_pod()) {
        let pod_kind = built_in("", "v1", "Pod");
        let schema = pod_kind.schema();
        let once = strategic_merge(schema, &pod, &patch).expect("well-formed");
        prop_assert_eq!(&strategic_merge(schema, &once, &patch).expect("well-formed"), &once);
    }
}
