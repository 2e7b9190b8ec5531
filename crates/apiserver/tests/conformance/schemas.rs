//! Section 8.9: what the schema of a custom kind does to its objects: pruning, defaults, validation. The definitions
//! themselves are in `definitions.rs`.

use serde_json::{Value, json};

use crate::{
    Suite,
    definitions::{SPEC, make, redefine},
    run, text,
};

/// Widgets with these properties of their `spec`.
async fn with_properties(suite: &Suite, properties: Value) {
    let mut definition = suite.definition();
    let versions = &mut definition["spec"]["versions"];
    let subresources = versions[0]["subresources"].as_object_mut().unwrap();
    subresources.remove("scale");
    *definition.pointer_mut(SPEC).unwrap() = json!({"type": "object", "properties": properties});
    suite.define(definition).await;
}

#[test]
fn c167_fields_that_the_schema_lacks_are_dropped() {
    run(async |suite| {
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
            "closed": {"type": "object", "properties": {"a": {"type": "string"}}},
        }});
        with_properties(&suite, json!({"known": {"type": "string"}, "open": open})).await;
        let spec = json!({"known": "x", "unknown": 1, "open": {"any": [1], "closed": {"a": "x", "b": "y"}}});
        let made = make(&suite, "w", spec.clone()).await.is(201);
        let kept = json!({"known": "x", "open": {"any": [1], "closed": {"a": "x"}}});
        assert_eq!(made.body["spec"], kept);
        let mut warnings = made.header("warning");
        warnings.sort_unstable();
        let warning = |path: &str| format!("299 - \"unknown field \\\"{path}\\\"\"");
        assert_eq!(warnings, [warning("spec.open.closed.b"), warning("spec.unknown")]);
        let strict = format!("{}?fieldValidation=Strict", suite.widgets());
        let strict = suite.post(&strict, suite.widget("x", spec)).await;
        let strict = strict.refused(400, "BadRequest", "strict decoding error: ");
        for path in ["unknown field \"spec.unknown\"", "unknown field \"spec.open.closed.b\""] {
            assert!(text(&strict.body["message"]).contains(path), "{}", strict.body);
        }
        let path = format!("{}/w", suite.widgets());
        let patch = json!({"spec": {"unknown": 2}});
        let patched = suite.patch("merge-patch+json", &path, patch.clone()).await.is(200);
        assert_eq!((&patched.body["spec"], patched.version()), (&kept, made.version()));
        let strict = suite
            .patch("merge-patch+json", &format!("{path}?fieldValidation=Strict"), patch)
            .await;
        strict.refused(422, "Invalid", "strict decoding error: unknown field \"spec.unknown\"");
        // What was stored before the schema lost the field is dropped when it is read.
        redefine(
            &suite,
            json!([{"op": "remove", "path": format!("{SPEC}/properties/known")}]),
        )
        .await;
        suite
            .until(&path, |answer| answer.body["spec"].get("known").is_none())
            .await;
    });
}

#[test]
fn c168_defaults_reach_new_objects_and_old_ones() {
    run(async |suite| {
        let limits = json!({"type": "object", "default": {}, "properties": {"cpu": {"type": "integer", "default": 2}}});
        let undefaulted = json!({"type": "object", "properties": {"cpu": {"type": "integer", "default": 2}}});
        with_properties(&suite, json!({
            "mode": {"type": "string", "default": "a"}, "limits": limits, "more": undefaulted,
            "list": {"type": "array", "items": {"type": "object", "properties": {"kind": {"type": "string", "default": "x"}}}},
        }))
        .await;
        let made = make(&suite, "w", json!({"mode": null, "list": [{}]}))
            .await
            .is(201)
            .body;
        let defaulted = json!({"mode": "a", "limits": {"cpu": 2}, "list": [{"kind": "x"}]});
        assert_eq!(made["spec"], defaulted);
        let path = format!("{}/w", suite.widgets());
        let patched = suite
            .patch("merge-patch+json", &path, json!({"spec": {"limits": null}}))
            .await
            .is(200)
            .body;
        assert_eq!(patched, made);
        let added = json!({"type": "string", "default": "later"});
        redefine(
            &suite,
            json!([{"op": "add", "path": format!("{SPEC}/properties/added"), "value": added}]),
        )
        .await;
        let old = suite
            .until(&path, |answer| answer.body["spec"]["added"] == "later")
            .await;
        assert_eq!(
            old.body["metadata"]["resourceVersion"],
            made["metadata"]["resourceVersion"]
        );
        assert_eq!(
            suite.get(&suite.widgets()).await.body["items"][0]["spec"]["added"],
            "later"
        );
        let mut watch = suite.watch(&format!("{}?watch=true", suite.widgets())).await;
        assert_eq!(watch.next().await.unwrap()["object"]["spec"]["added"], "later");
    });
}

#[test]
fn c169_null_is_a_value_where_the_schema_says_so() {
    run(async |suite| {
        with_properties(
            &suite,
            json!({
                "nullable": {"type": "string", "nullable": true},
                "both": {"type": "string", "nullable": true, "default": "x"},
                "strict": {"type": "string"},
                "map": {"type": "object", "additionalProperties": {"type": "string", "nullable": true}},
            }),
        )
        .await;
        let nulls = json!({"nullable": null, "both": null, "strict": null, "map": {"a": null}});
        let made = make(&suite, "w", nulls).await.is(201).body;
        assert_eq!(
            made["spec"],
            json!({"nullable": null, "both": null, "map": {"a": null}})
        );
        assert_eq!(suite.get(&format!("{}/w", suite.widgets())).await.body, made);
    });
}

#[test]
fn c170_an_int_or_string_is_either() {
    run(async |suite| {
        with_properties(&suite, json!({"n": {"x-kubernetes-int-or-string": true}})).await;
        for (name, value) in [("a", json!(5)), ("b", json!("5%")), ("c", json!("5"))] {
            let made = make(&suite, name, json!({"n": value})).await.is(201).body;
            assert_eq!(made["spec"]["n"], value);
        }
        for value in [json!(true), json!(1.5), json!({})] {
            make(&suite, "d", json!({"n": value}))
                .await
                .refused(422, "Invalid", "spec.n");
        }
    });
}

#[test]
fn c171_violations_name_their_fields() {
    run(async |suite| {
        let mut definition = suite.definition();
        let subresources = definition["spec"]["versions"][0]["subresources"]
            .as_object_mut()
            .unwrap();
        subresources.remove("scale");
        *definition.pointer_mut(SPEC).unwrap() = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"},
            "count": {"type": "integer"},
            "mode": {"type": "string", "enum": ["a", "b"]},
            "low": {"type": "integer", "minimum": 1},
            "high": {"type": "integer", "maximum": 3},
            "word": {"type": "string", "pattern": "^[a-z]+$"},
            "long": {"type": "string", "maxLength": 3},
            "list": {"type": "array", "maxItems": 1, "items": {"type": "string", "minLength": 1}},
            "address": {"type": "string", "format": "ipv4"},
        }});
        suite.define(definition).await;
        let wrong = json!({
            "count": "many", "mode": "q", "low": 0, "high": 4, "word": "A1", "long": "four", "list": ["x", ""], "address": "one",
        });
        let refused = make(&suite, "w", wrong).await.refused(422, "Invalid", "");
        assert_eq!(refused.body["details"]["kind"], "Widget");
        assert_eq!(refused.body["details"]["name"], "w");
        assert_eq!(refused.body["details"]["group"], suite.group());
        let message = text(&refused.body["message"]);
        assert!(
            message.starts_with(&format!("Widget.{} \"w\" is invalid: [", suite.group())),
            "{message}"
        );
        for said in [
            "spec.count: Invalid value: \"string\": spec.count in body must be of type integer: \"string\"",
            "spec.name: Required value",
            "spec.mode: Unsupported value: \"q\": supported values: \"a\", \"b\"",
            "spec.low: Invalid value: 0: spec.low in body should be greater than or equal to 1",
            "spec.high: Invalid value: 4: spec.high in body should be less than or equal to 3",
            "spec.word: Invalid value: \"A1\": spec.word in body should match '^[a-z]+$'",
            "spec.long: Too long: may not be more than 3 bytes",
            "spec.list: Too many: 2: must have at most 1 item",
            "spec.list[1]: Invalid value: \"\": spec.list[1] in body should be at least 1 chars long",
            "spec.address: Invalid value: \"one\": spec.address in body must be of type ipv4: \"one\"",
        ] {
            assert!(message.contains(said), "{said} is not in {message}");
        }
        refused
            .caused_by("FieldValueTypeInvalid", "spec.count")
            .caused_by("FieldValueRequired", "spec.name")
            .caused_by("FieldValueNotSupported", "spec.mode")
            .caused_by("FieldValueInvalid", "spec.low")
            .caused_by("FieldValueInvalid", "spec.word")
            .caused_by("FieldValueTooLong", "spec.long")
            .caused_by("FieldValueTooMany", "spec.list");
        let right = json!({
            "name": "n", "count": 1, "mode": "b", "low": 1, "high": 3, "word": "a", "long": "ééé", "list": ["x"], "address": "10.0.0.1",
        });
        make(&suite, "w", right).await.is(201);
    });
}

#[test]
fn c172_sets_and_maps_have_each_item_once() {
    run(async |suite| {
        let item = json!({"type": "object", "required": ["key"], "properties": {
            "key": {"type": "string"}, "at": {"type": "integer", "default": 1}, "value": {"type": "string"},
        }});
        with_properties(&suite, json!({
            "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "map": {"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key", "at"]},
        }))
        .await;
        let set = make(&suite, "w", json!({"set": ["a", "b", "a"]})).await;
        set.refused(422, "Invalid", "spec.set[2]: Duplicate value: \"a\"")
            .caused_by("FieldValueDuplicate", "spec.set[2]");
        let map = make(
            &suite,
            "w",
            json!({"map": [{"key": "a"}, {"key": "a", "at": 1, "value": "v"}]}),
        )
        .await;
        map.refused(422, "Invalid", "Duplicate value")
            .caused_by("FieldValueDuplicate", "spec.map[1]");
        make(
            &suite,
            "w",
            json!({"set": ["a", "b"], "map": [{"key": "a"}, {"key": "a", "at": 2}]}),
        )
        .await
        .is(201);
    });
}

#[test]
fn c173_an_embedded_object_is_an_object() {
    run(async |suite| {
        let embedded = json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
        with_properties(&suite, json!({"template": embedded})).await;
        let template = |template: Value| json!({"template": template});
        let kindless = json!({"apiVersion": "v1", "metadata": {"name": "x"}});
        let kindless = make(&suite, "w", template(kindless)).await;
        kindless
            .refused(422, "Invalid", "spec.template.kind: Required value")
            .caused_by("FieldValueRequired", "spec.template.kind");
        let versionless = make(&suite, "w", template(json!({"kind": "Pod"}))).await;
        versionless.refused(422, "Invalid", "spec.template.apiVersion: Required value");
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {"any": 1}});
        let made = make(&suite, "w", template(pod.clone())).await.is(201).body;
        assert_eq!(made["spec"]["template"], pod);
    });
}

#[test]
fn c174_metadata_has_the_types_of_metadata() {
    run(async |suite| {
        suite.with_widgets().await;
        for wrong in [
            json!({"labels": {"a": 1}}),
            json!({"annotations": "text"}),
            json!({"finalizers": {}}),
        ] {
            let mut widget = suite.widget("w", json!({}));
            widget["metadata"] = wrong;
            widget["metadata"]["name"] = "w".into();
            suite
                .post(&suite.widgets(), widget)
                .await
                .refused(400, "BadRequest", "");
        }
        let mut unknown = suite.widget("w", json!({}));
        unknown["metadata"]["unknown"] = 1.into();
        let made = suite.post(&suite.widgets(), unknown).await.is(201).body;
        assert_eq!(made["metadata"].get("unknown"), None);
    });
}
