use std::{env, fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Node, Schema};

fn compiled(properties: &Value) -> Schema {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}});
    Schema::compile(&schema).expect("the schema is structural")
}

fn widget() -> Schema {
    compiled(&json!({
        "replicas": {"type": "integer", "minimum": 1, "maximum": 5, "default": 2},
        "mode": {"type": "string", "enum": ["a", "b"]},
        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 3},
        "maybe": {"type": "string", "nullable": true},
        "size": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "maxItems": 3, "items": {"type": "string"}},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port"],
            "items": {
                "type": "object",
                "required": ["port"],
                "properties": {
                    "port": {"type": "integer"},
                    "protocol": {"type": "string", "default": "TCP"},
                    "level": {"type": "integer", "minimum": 1},
                },
            },
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "free": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
            "properties": {"known": {"type": "object", "properties": {"x": {"type": "string"}}}},
        },
        "template": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        "either": {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        "time": {"type": "string", "format": "date-time"},
    }))
}

// === compiling ===

#[track_caller]
fn check_refused(schema: &Value, expected: &str) {
    let errors = Schema::compile(schema).expect_err("the schema is not structural");
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors.join("\n"), expected);
}

#[test]
fn schemas_that_are_not_structural_are_refused() {
    let spec = |spec: Value| json!({"type": "object", "properties": {"spec": spec}});
    check_refused(&json!({}), "type: Required value: must not be empty at the root");
    check_refused(
        &spec(json!({"properties": {}})),
        "properties[spec].type: Required value: must not be empty for specified object fields",
    );
    check_refused(
        &spec(json!({"type": "array"})),
        "properties[spec].items: Required value: must be specified",
    );
    check_refused(
        &json!({"type": "object", "additionalProperties": true}),
        "additionalProperties: Forbidden: must not be used at the root",
    );
    check_refused(
        &spec(json!({"type": "string", "anyOf": [{"type": "string"}]})),
        "properties[spec].anyOf[0].type: Forbidden: must be empty to be structural",
    );
    check_refused(
        &json!({"type": "object", "not": {"properties": {"a": {}}}}),
        "properties[a]: Required value: because it is defined in not.properties[a]",
    );
    check_refused(
        &spec(json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"})),
        "properties[spec].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
    );
    check_refused(
        &json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}),
        "properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
    );
    check_refused(
        &spec(json!({"type": "wrong"})),
        r#"properties[spec].type: Unsupported value: "wrong": supported values: "array", "boolean", "integer", "number", "object", "string""#,
    );
}

#[test]
fn a_pattern_must_compile() {
    let schema = json!({"type": "object", "properties": {"s": {"type": "string", "pattern": "("}}});
    let errors = Schema::compile(&schema).expect_err("the pattern is malformed");
    assert_eq!(errors[0].path, "properties[s].pattern");
}

/// Every CRD of the generations that are played must compile, or no hub's own could be loaded.
#[test]
fn upstream_schemas_are_structural() {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = env::var_os("BERTH_UPSTREAM_DATA").map_or_else(|| workspace.join("../shared"), PathBuf::from);
    let Ok(generations) = fs::read_dir(data.join("crds")) else {
        println!("skipped: schema against upstream's CRDs: no ../shared");
        return;
    };
    let mut schemas = 0;
    for generation in generations
        .map(|entry| entry.expect("the folder is readable").path())
        .filter(|path| path.is_dir())
    {
        for file in fs::read_dir(generation).expect("the folder is readable") {
            let path = file.expect("the folder is readable").path();
            let text = fs::read_to_string(&path).expect("the file is readable");
            let crd: Value =
                serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            for version in crd["spec"]["versions"].as_array().expect("a CRD has versions") {
                let result = Schema::compile(&version["schema"]["openAPIV3Schema"]);
                if let Err(errors) = result {
                    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                    panic!("{} {}:\n{}", path.display(), version["name"], errors.join("\n"));
                }
                schemas += 1;
            }
        }
    }
    assert!(schemas >= 44, "{schemas} schemas were found");
}

// === pruning ===

#[test]
fn unknown_fields_are_pruned_and_named() {
    let mut object = json!({
        "apiVersion": "v1", "kind": "Widget", "metadata": {"name": "x", "labels": {"any": "label"}, "foo": 1},
        "extra": 1,
        "spec": {
            "foo": 1,
            "ports": [{"port": 1, "bar": 2}],
            "labels": {"any": "thing"},
            "free": {"any": {"deep": 1}, "known": {"x": "", "y": ""}},
            "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "bad": 1}, "spec": {"free": 1}},
        },
    });
    let dropped = widget().prune(&mut object);
    assert_eq!(
        dropped,
        [
            "extra",
            "metadata.foo",
            "spec.foo",
            "spec.free.known.y",
            "spec.ports[0].bar",
            "spec.template.metadata.bad"
        ],
    );
    assert_eq!(
        object,
        json!({
            "apiVersion": "v1", "kind": "Widget", "metadata": {"name": "x", "labels": {"any": "label"}},
            "spec": {
                "ports": [{"port": 1}],
                "labels": {"any": "thing"},
                "free": {"any": {"deep": 1}, "known": {"x": ""}},
                "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"free": 1}},
            },
        }),
    );
}

// === defaulting ===

#[track_caller]
fn check_default(spec: &Value, expected: &Value) {
    let mut object = json!({"spec": spec});
    widget().default(&mut object);
    assert_eq!(object["spec"], *expected);
}

#[test]
fn defaults_fill_what_is_absent_or_null() {
    check_default(&json!({}), &json!({"replicas": 2}));
    check_default(&json!({"replicas": null}), &json!({"replicas": 2}));
    check_default(&json!({"replicas": 3}), &json!({"replicas": 3}));
    check_default(
        &json!({"ports": [{"port": 1}]}),
        &json!({"replicas": 2, "ports": [{"port": 1, "protocol": "TCP"}]}),
    );
    check_default(
        &json!({"maybe": null, "mode": null}),
        &json!({"replicas": 2, "maybe": null}),
    );
    check_default(
        &json!({"labels": {"a": null, "b": "c"}}),
        &json!({"replicas": 2, "labels": {"b": "c"}}),
    );
    check_default(
        &json!({"free": {"any": null}}),
        &json!({"replicas": 2, "free": {"any": null}}),
    );
}

#[test]
fn a_default_needs_its_parent() {
    let mut object = json!({});
    widget().default(&mut object);
    assert_eq!(object, json!({}));
}

// === validating ===

fn errors(spec: &Value, old: Option<&Value>) -> String {
    let object = json!({"spec": spec});
    let old = old.map(|old| json!({"spec": old}));
    let errors = widget().validate(&object, old.as_ref());
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(spec: &Value, expected: &str) {
    assert_eq!(errors(spec, None), expected, "{spec}");
}

#[test]
fn violations_are_worded_as_upstream_words_them() {
    check(&json!({}), "");
    check(
        &json!({"replicas": "many"}),
        r#"spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string""#,
    );
    check(
        &json!({"replicas": 0}),
        "spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1",
    );
    check(&json!({"replicas": 2.0}), "");
    check(
        &json!({"replicas": 9}),
        "spec.replicas: Invalid value: 9: spec.replicas in body should be less than or equal to 5",
    );
    check(
        &json!({"mode": "q"}),
        r#"spec.mode: Unsupported value: "q": supported values: "a", "b""#,
    );
    check(
        &json!({"name": "A"}),
        r#"spec.name: Invalid value: "A": spec.name in body should match '^[a-z]+$'"#,
    );
    check(
        &json!({"name": "abcd"}),
        "spec.name: Too long: may not be more than 3 bytes",
    );
    check(&json!({"maybe": null}), "");
    check(
        &json!({"mode": null}),
        r#"spec.mode: Invalid value: "null": spec.mode in body must be of type string: "null""#,
    );
    check(&json!({"size": 5}), "");
    check(&json!({"size": "5%"}), "");
    check(
        &json!({"size": true}),
        r#"spec.size: Invalid value: "boolean": spec.size in body must be of type integer: "boolean""#,
    );
    check(
        &json!({"tags": ["a", "b", "a"]}),
        r#"spec.tags[2]: Duplicate value: "a""#,
    );
    check(
        &json!({"tags": ["a", "b", "c", "d"]}),
        "spec.tags: Too many: 4: must have at most 3 items",
    );
    check(
        &json!({"ports": [{"port": 1}, {"port": 1}]}),
        r#"spec.ports[1]: Duplicate value: {"port":1}"#,
    );
    check(&json!({"ports": [{}]}), "spec.ports[0].port: Required value");
    check(
        &json!({"template": {"kind": ""}}),
        "spec.template.apiVersion: Required value: must not be empty\nspec.template.kind: Required value: must not be empty",
    );
    check(
        &json!({"time": "now"}),
        r#"spec.time: Invalid value: "now": spec.time in body must be of type date-time: "now""#,
    );
    check(
        &json!({"either": {"a": "", "b": ""}}),
        r#"<nil>: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found 2 valid alternatives"#,
    );
}

#[test]
fn metadata_is_typed_whatever_the_schema_says() {
    let errors = widget().validate(&json!({"metadata": {"labels": {"a": 1}}}), None);
    assert_eq!(errors[0].path, "metadata.labels.a");
}

#[test]
fn what_was_wrong_before_may_stay_but_not_change() {
    let old = json!({"replicas": 9, "ports": [{"port": 1, "level": 0}, {"port": 2}]});
    assert_eq!(
        errors(
            &json!({"replicas": 9, "mode": "a", "ports": [{"port": 2}, {"port": 1, "level": 0}]}),
            Some(&old)
        ),
        ""
    );
    assert_eq!(
        errors(&json!({"replicas": 8}), Some(&old)),
        "spec.replicas: Invalid value: 8: spec.replicas in body should be less than or equal to 5",
    );
    assert_eq!(
        errors(
            &json!({"ports": [{"port": 1, "level": 0, "protocol": "UDP"}]}),
            Some(&old)
        ),
        "",
        "the item's level is as it was",
    );
    // The items of a set can't be told apart, so a changed set is checked anew.
    assert_ne!(
        errors(&json!({"tags": ["a", "a", "b"]}), Some(&json!({"tags": ["a", "a"]}))),
        ""
    );
}

// === properties ===

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..7).prop_map(Value::from),
        "[a-c]{0,4}".prop_map(Value::from),
    ];
    let names = prop_oneof![
        "[a-c]",
        Just("spec".to_owned()),
        Just("ports".to_owned()),
        Just("port".to_owned()),
        Just("free".to_owned()),
        Just("labels".to_owned())
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pruning_and_defaulting_twice_is_once(spec in any_json()) {
        let schema = widget();
        let mut object = json!({"spec": spec});
        schema.prune(&mut object);
        schema.default(&mut object);
        let once = object.clone();
        prop_assert_eq!(schema.prune(&mut object), Vec::<String>::new());
        schema.default(&mut object);
        prop_assert_eq!(object, once);
    }

    #[test]
    fn any_value_can_be_validated_and_is_fine_unchanged(spec in any_json()) {
        let object = json!({"spec": spec});
        let _ = widget().validate(&object, None);
        prop_assert_eq!(widget().validate(&object, Some(&object)), vec![]);
    }
}

#[test]
fn a_node_is_small() {
    // A cluster's schemas have tens of thousands of them.
    assert!(size_of::<Node>() <= 160, "{}", size_of::<Node>());
}
