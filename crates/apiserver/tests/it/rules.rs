//! Rules of schemas through the server: what is refused, how it is worded, and what is let through.

use serde_json::{Value, json};

use crate::Cluster;

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const MERGE: &str = "merge-patch+json";
const JSON: &str = "json-patch+json";
const APPLY: &str = "apply-patch+yaml";
const GAUGES: &str = "/apis/rules.test/v1/namespaces/t/gauges";

/// A CRD whose `spec` has these properties and rules.
fn gauges(spec: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gauges.rules.test"},
        "spec": {
            "group": "rules.test", "scope": "Namespaced", "names": {"kind": "Gauge", "plural": "gauges"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": spec,
                        "status": {
                            "type": "object",
                            "properties": {"level": {"type": "integer"}},
                            "x-kubernetes-validations": [{"rule": "!has(self.level) || self.level >= 0", "message": "no negative level"}],
                        },
                    },
                }},
            }],
        },
    })
}

/// A cluster with gauges of this `spec`.
async fn with(spec: Value) -> Cluster {
    let cluster = Cluster::with_namespace().await;
    cluster.post(CRDS, gauges(&spec)).await.is(201);
    cluster
}

#[expect(clippy::needless_pass_by_value, reason = "literals are given")]
fn gauge(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "rules.test/v1", "kind": "Gauge", "metadata": {"name": name}, "spec": spec})
}

/// The CRD's whole refusal for one rule on `spec`.
async fn refusal(rule: Value) -> String {
    let spec = json!({
        "type": "object",
        "properties": {
            "min": {"type": "integer"},
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
        },
        "x-kubernetes-validations": [rule],
    });
    let cluster = Cluster::with_namespace().await;
    let answer = cluster.post(CRDS, gauges(&spec)).await.is(422);
    answer.body["message"].as_str().unwrap().to_owned()
}

fn numbers(rules: &Value) -> Value {
    let integer = json!({"type": "integer"});
    json!({
        "type": "object",
        "properties": {"min": integer, "max": integer, "mode": {"type": "string"}, "fixed": {"type": "string"}},
        "x-kubernetes-validations": rules,
    })
}

#[tokio::test(start_paused = true)]
async fn a_broken_rule_is_refused_on_every_way_of_writing() {
    let cluster = with(numbers(
        &json!([{"rule": "self.min <= self.max", "message": "min must not exceed max"}]),
    ))
    .await;
    let message = "spec: Invalid value: min must not exceed max";
    let bad = gauge("bad", json!({"min": 2, "max": 1}));
    cluster.post(GAUGES, bad.clone()).await.refused(422, "Invalid", message);
    let one = format!("{GAUGES}/one");
    let mut good = cluster
        .post(GAUGES, gauge("one", json!({"min": 1, "max": 2})))
        .await
        .is(201)
        .body;
    good["spec"]["min"] = 3.into();
    cluster.put(&one, good).await.refused(422, "Invalid", message);
    let change = json!({"spec": {"min": 3}});
    cluster
        .patch(MERGE, &one, change)
        .await
        .refused(422, "Invalid", message);
    let change = json!([{"op": "replace", "path": "/spec/max", "value": 0}]);
    cluster.patch(JSON, &one, change).await.refused(422, "Invalid", message);
    let apply = format!("{one}?fieldManager=x&force=true");
    cluster
        .patch(APPLY, &apply, gauge("one", json!({"min": 9})))
        .await
        .refused(422, "Invalid", message);
    let change = json!({"status": {"level": -1}});
    let status = format!("{one}/status");
    let answer = cluster.patch(MERGE, &status, change).await;
    answer.refused(422, "Invalid", "status: Invalid value: no negative level");
    cluster
        .patch(MERGE, &status, json!({"status": {"level": 1}}))
        .await
        .is(200);
}

#[tokio::test(start_paused = true)]
async fn messages_reasons_and_paths_are_the_rules_own() {
    let cluster = with(numbers(&json!([
        {"rule": "self.min <= self.max", "messageExpression": "'min %d exceeds max %d'.format([self.min, self.max])"},
        {"rule": "self.mode != 'no'", "reason": "FieldValueForbidden", "fieldPath": ".mode", "message": "not this mode"},
        {"rule": "self.min != 7"},
        {"rule": "self.min != 8", "message": "the fixed one", "messageExpression": "''"},
    ])))
    .await;
    let refused = async |spec: Value| cluster.post(GAUGES, gauge("x", spec)).await.is(422).body;
    let causes = async |spec| refused(spec).await["details"]["causes"].clone();
    assert_eq!(
        causes(json!({"min": 2, "max": 1, "mode": "no"})).await,
        json!([
            {"reason": "FieldValueInvalid", "message": "Invalid value: min 2 exceeds max 1", "field": "spec"},
            {"reason": "FieldValueForbidden", "message": "Forbidden: not this mode", "field": "spec.mode"},
        ])
    );
    let message = async |spec| refused(spec).await["message"].as_str().unwrap().to_owned();
    assert!(
        message(json!({"min": 7, "max": 9, "mode": ""}))
            .await
            .ends_with("failed rule: self.min != 7")
    );
    assert!(
        message(json!({"min": 8, "max": 9, "mode": ""}))
            .await
            .ends_with("the fixed one")
    );
    let missing = message(json!({"max": 9, "mode": ""})).await;
    assert!(
        missing.contains("Invalid value: \"object\": no such key: min evaluating rule: self.min <= self.max"),
        "{missing}"
    );
}

#[tokio::test(start_paused = true)]
async fn scalars_are_shown_and_map_entries_named() {
    let cluster = with(json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "x-kubernetes-validations": [{"rule": "self.startsWith('a')", "message": "begins with a"}]},
            "labels": {"type": "object", "additionalProperties": {
                "type": "string", "x-kubernetes-validations": [{"rule": "self != ''", "message": "not empty"}],
            }},
            "list": {"type": "array", "items": {
                "type": "integer", "x-kubernetes-validations": [{"rule": "self > 0", "message": "positive"}],
            }},
        },
    }))
    .await;
    let bad = gauge("x", json!({"name": "b", "labels": {"k": ""}, "list": [1, 0]}));
    let message = cluster.post(GAUGES, bad).await.is(422).body["message"]
        .as_str()
        .unwrap()
        .to_owned();
    for part in [
        "spec.labels[k]: Invalid value: \"\": not empty",
        "spec.list[1]: Invalid value: 0: positive",
        "spec.name: Invalid value: \"b\": begins with a",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn transition_rules_hold_between_two_values() {
    let mut spec = numbers(&json!([
        {"rule": "oldSelf.hasValue() || self.mode == 'new'", "optionalOldSelf": true, "message": "begins as new"},
    ]));
    spec["properties"]["fixed"]["x-kubernetes-validations"] =
        json!([{"rule": "self == oldSelf", "message": "fixed is immutable"}]);
    let cluster = with(spec).await;
    let old = gauge("x", json!({"mode": "old"}));
    cluster.post(GAUGES, old).await.refused(422, "Invalid", "begins as new");
    let one = format!("{GAUGES}/one");
    cluster.post(GAUGES, gauge("one", json!({"mode": "new"}))).await.is(201);
    cluster
        .patch(MERGE, &one, json!({"spec": {"mode": "later", "fixed": "a"}}))
        .await
        .is(200);
    let change = json!({"spec": {"fixed": "b"}});
    let answer = cluster.patch(MERGE, &one, change).await;
    answer.refused(422, "Invalid", "spec.fixed: Invalid value: \"b\": fixed is immutable");
    cluster
        .patch(MERGE, &one, json!({"spec": {"fixed": null}}))
        .await
        .is(200);
    cluster
        .patch(MERGE, &one, json!({"spec": {"fixed": "c"}}))
        .await
        .is(200);
}

#[tokio::test(start_paused = true)]
async fn items_are_compared_with_those_of_the_same_key() {
    let item = json!({
        "type": "object", "required": ["name"],
        "properties": {"name": {"type": "string"}, "port": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.port >= oldSelf.port", "message": "ports only grow"}],
    });
    let list = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": item});
    let cluster = with(json!({"type": "object", "properties": {"ports": list}})).await;
    let spec = json!({"ports": [{"name": "a", "port": 5}, {"name": "b", "port": 1}]});
    cluster.post(GAUGES, gauge("one", spec)).await.is(201);
    let one = format!("{GAUGES}/one");
    let reordered =
        json!({"spec": {"ports": [{"name": "b", "port": 2}, {"name": "c", "port": 0}, {"name": "a", "port": 5}]}});
    cluster.patch(MERGE, &one, reordered).await.is(200);
    let shrunk = json!({"spec": {"ports": [{"name": "c", "port": 7}, {"name": "a", "port": 4}]}});
    let answer = cluster.patch(MERGE, &one, shrunk).await;
    answer.refused(422, "Invalid", "spec.ports[1]: Invalid value: ports only grow");
}

#[tokio::test(start_paused = true)]
async fn what_was_wrong_before_and_did_not_change_is_let_through_with_a_warning() {
    let cluster =
        with(json!({"type": "object", "properties": {"name": {"type": "string"}, "other": {"type": "string"}}})).await;
    cluster
        .post(GAUGES, gauge("one", json!({"name": "bad", "other": "x"})))
        .await
        .is(201);
    let rule = json!([{"rule": "self != 'bad'", "message": "no longer allowed"}]);
    let name = json!({"type": "string", "x-kubernetes-validations": rule});
    let schema = json!({"type": "object", "properties": {"name": name, "other": {"type": "string"}}});
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
    let change = json!([{"op": "replace", "path": path, "value": schema}]);
    cluster
        .patch(JSON, &format!("{CRDS}/gauges.rules.test"), change)
        .await
        .is(200);
    let one = format!("{GAUGES}/one");
    let changed = cluster
        .patch(MERGE, &one, json!({"spec": {"other": "y"}}))
        .await
        .is(200);
    let warning = "299 - \"spec.name: Invalid value: \\\"bad\\\": no longer allowed\"";
    assert_eq!(changed.header("warning"), [warning]);
    let bad = cluster.post(GAUGES, gauge("two", json!({"name": "bad"}))).await;
    bad.refused(422, "Invalid", "no longer allowed");
    cluster
        .patch(MERGE, &one, json!({"spec": {"name": "good"}}))
        .await
        .is(200);
    let back = cluster.patch(MERGE, &one, json!({"spec": {"name": "bad"}})).await;
    back.refused(422, "Invalid", "no longer allowed");
}

#[tokio::test(start_paused = true)]
async fn rules_are_not_tried_on_what_has_a_wrong_type() {
    let cluster = with(numbers(&json!([{"rule": "self.min <= self.max"}]))).await;
    let answer = cluster.post(GAUGES, gauge("x", json!({"min": "a", "max": 1}))).await;
    let message = "some validation rules were not checked because the object was invalid; correct the existing errors to \
                   complete validation";
    let body = answer.refused(422, "Invalid", message).body;
    assert_eq!(body["details"]["causes"].as_array().unwrap().len(), 2, "{body}");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_too_much_for_the_rules_is_refused() {
    let item = json!({"type": "string"});
    let rule = json!([{"rule": "self.all(x, self.all(y, self.all(z, x + y + z != '!')))"}]);
    let list = json!({"type": "array", "items": item, "x-kubernetes-validations": rule});
    let cluster = with(json!({"type": "object", "properties": {"list": list}})).await;
    cluster
        .post(GAUGES, gauge("small", json!({"list": ["a", "b"]})))
        .await
        .is(201);
    let large: Vec<String> = (0..300).map(|number| number.to_string()).collect();
    let answer = cluster.post(GAUGES, gauge("large", json!({"list": large}))).await;
    answer.refused(
        422,
        "Invalid",
        "no further validation rules will be run due to call cost exceeds limit for rule",
    );
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_does_not_compile_is_refused_with_its_place() {
    let place = "spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0]";
    let check = async |rule: Value, complaint: &str| {
        let message = refusal(rule).await;
        assert!(message.contains(place) && message.contains(complaint), "{message}");
    };
    check(
        json!({"rule": "self.min >"}),
        "compilation failed: ERROR: <input>:1:11: Syntax error",
    )
    .await;
    check(
        json!({"rule": "self.nope > 1"}),
        "compilation failed: ERROR: <input>:1:5: undefined field 'nope'",
    )
    .await;
    check(json!({"rule": "self.min"}), "cel expression must evaluate to a bool").await;
    check(json!({"rule": " "}), "rule: Required value: rule is not specified").await;
    check(
        json!({"rule": "true", "messageExpression": "self.min"}),
        "messageExpression must evaluate to a string",
    )
    .await;
    check(
        json!({"rule": "true", "fieldPath": ".nope"}),
        "fieldPath: Invalid value: \".nope\": must be a valid path",
    )
    .await;
    check(
        json!({"rule": "true", "reason": "Because"}),
        "reason: Unsupported value: \"Because\"",
    )
    .await;
    check(
        json!({"rule": "true", "optionalOldSelf": true}),
        "may not be set if oldSelf is not used in rule",
    )
    .await;
    check(
        json!({"rule": "true\n", "message": "a\nb"}),
        "message: Invalid value: \"a\\nb\": must not contain line breaks",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn old_values_that_could_not_be_found_are_refused() {
    let item = json!({"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]});
    let spec = json!({"type": "object", "properties": {"list": {"type": "array", "items": item}}});
    let cluster = Cluster::with_namespace().await;
    let message = "oldSelf cannot be used on the uncorrelatable portion of the schema within \
                   spec.validation.openAPIV3Schema.properties[spec].properties[list]";
    cluster.post(CRDS, gauges(&spec)).await.refused(422, "Invalid", message);
}
