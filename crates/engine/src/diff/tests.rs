use serde_json::json;

use super::*;

#[track_caller]
fn check(changes: &[FieldChange], expected: &[&str]) {
    let shown = |value: &Shown| match value {
        Shown::Absent => "-".to_owned(),
        Shown::Secret => "<secret>".to_owned(),
        Shown::Value(value) => value.to_string(),
    };
    let told: Vec<_> = changes
        .iter()
        .map(|change| format!("{}: {} -> {}", change.path, shown(&change.from), shown(&change.to)))
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn desired_fields_that_are_there_are_no_change() {
    let desired =
        json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "spec": {"memory": "1Gi", "n": 1}});
    let live =
        json!({"kind": "X", "metadata": {"name": "a", "uid": "u"}, "spec": {"memory": "1024Mi", "n": 1, "more": true}});
    check(&local(&desired, &live), &[]);
}

#[test]
fn desired_fields_that_differ_are_told_by_path() {
    let desired =
        json!({"metadata": {"annotations": {"a.b/c": "1"}}, "spec": {"items": [{"x": 1}], "gone": null, "new": {}}});
    let live = json!({"metadata": {}, "spec": {"items": [{"x": 2, "y": 3}]}});
    check(
        &local(&desired, &live),
        &[
            r#"metadata.annotations["a.b/c"]: - -> "1""#,
            "spec.items[0].x: 2 -> 1",
            "spec.new: - -> {}",
        ],
    );
}

#[test]
fn keyed_lists_are_compared_by_key() {
    let owned = json!({"f:spec": {"f:ports": {r#"k:{"port":80}"#: {".": {}, "f:port": {}, "f:name": {}}}}});
    let live = json!({
        "metadata": {"managedFields": [{"manager": "berth", "operation": "Apply", "fieldsV1": owned}]},
        "spec": {"ports": [{"port": 443, "name": "other"}, {"port": 80, "name": "web", "protocol": "TCP"}]},
    });
    check(
        &local(&json!({"spec": {"ports": [{"port": 80, "name": "web"}]}}), &live),
        &[],
    );
    check(
        &local(&json!({"spec": {"ports": [{"port": 81}]}}), &live),
        &[
            r#"spec.ports[{"port":81}].port: - -> 81"#,
            r#"spec.ports[{"port":80}]: {"name":"web","port":80,"protocol":"TCP"} -> -"#,
        ],
    );
}

#[test]
fn fields_that_berth_no_longer_wants_are_dropped_and_others_stay() {
    let owned = json!({"f:metadata": {"f:labels": {"f:mine": {}}}, "f:spec": {"f:a": {}, "f:b": {}}});
    let live = json!({
        "metadata": {"labels": {"mine": "1", "theirs": "2"},
            "managedFields": [{"manager": "berth", "operation": "Apply", "fieldsV1": owned}]},
        "spec": {"a": 1, "c": 3},
    });
    check(
        &local(&json!({"spec": {"a": 1}}), &live),
        &[r#"metadata.labels.mine: "1" -> -"#],
    );
}

#[test]
fn secret_values_are_compared_and_never_shown() {
    let live = json!({"kind": "Secret", "metadata": {}, "data": {"a": "b2xk", "b": "c2FtZQ=="}});
    let desired = json!({"kind": "Secret", "stringData": {"a": "new", "b": "same"}});
    check(&local(&desired, &live), &["data.a: <secret> -> <secret>"]);
    let annotated = json!({"kind": "Secret", "metadata": {"annotations": {"copy": "old"}, "labels": {"l": "v"}},
        "data": {"a": "b2xk"}});
    let told = created(&annotated);
    check(
        &told,
        &[
            "data.a: - -> <secret>",
            "metadata.annotations.copy: - -> <secret>",
            r#"metadata.labels.l: - -> "v""#,
        ],
    );
    assert!(!format!("{told:?}").contains("b2xk"));
}

#[test]
fn states_are_compared_without_what_the_server_keeps() {
    let before =
        json!({"metadata": {"resourceVersion": "1", "generation": 1}, "spec": {"a": [1], "b": 1}, "status": {"x": 1}});
    let after =
        json!({"metadata": {"resourceVersion": "2", "generation": 2}, "spec": {"a": [1, 2], "b": 1}, "status": {}});
    check(&between(&before, &after), &["spec.a: [1] -> [1,2]"]);
}

#[test]
fn owners_are_found_by_path() {
    let fields = json!({"f:spec": {"f:a": {}}});
    let live = json!({"metadata": {"managedFields": [
        {"manager": "berth", "operation": "Update", "fieldsV1": fields},
        {"manager": "argocd", "operation": "Apply", "fieldsV1": fields},
    ]}});
    assert_eq!(owners(&live, &["spec".into(), "a".into()]), ["argocd"]);
    assert!(owners(&live, &["spec".into(), "b".into()]).is_empty());
}
