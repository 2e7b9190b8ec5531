use serde_json::json;

use super::{FieldSelector, LabelSelector};

#[track_caller]
fn check_labels(selector: &str, matching: &str) {
    let objects = [
        ("none", json!({})),
        ("ax", json!({"a": "x"})),
        ("ay", json!({"a": "y"})),
        ("axb", json!({"a": "x", "b": ""})),
        ("n5", json!({"n": "5"})),
    ];
    let selector = LabelSelector::parse(selector).expect("the selector is well-formed");
    let names: Vec<&str> = objects
        .iter()
        .filter(|(_, labels)| selector.matches(|label| labels[label].as_str()))
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(names.join(" "), matching);
}

#[test]
fn label_selectors_match_as_documented() {
    check_labels("", "none ax ay axb n5");
    check_labels("a", "ax ay axb");
    check_labels("!a", "none n5");
    check_labels("a=x", "ax axb");
    check_labels("a == x", "ax axb");
    check_labels("a!=x", "none ay n5");
    check_labels("a in (x,y),!b", "ax ay");
    check_labels("a notin (x, z)", "none ay n5");
    check_labels("b=", "axb");
    check_labels("n>4", "n5");
    check_labels("n<4", "");
    assert!(LabelSelector::parse("!a").expect("well-formed").matches(|_| None));
}

#[test]
fn malformed_label_selectors_are_refused() {
    for text in [
        "a in", "a in (", "a in (x", "=x", "a,", "a b", "a=-x", "x/y/z", "a in x", "n>z", "(a)",
    ] {
        let error = LabelSelector::parse(text).expect_err(text);
        assert!(error.starts_with("unable to parse requirement: "), "{text}: {error}");
    }
}

#[track_caller]
fn check_fields(selector: &str, name: &str, expected: bool) {
    let selector = FieldSelector::parse(selector).expect("the selector is well-formed");
    let value_of = |field: &str| {
        if field == "metadata.name" {
            name.to_owned()
        } else {
            String::new()
        }
    };
    assert_eq!(selector.matches(value_of), expected);
}

#[test]
fn field_selectors_match_as_documented() {
    check_fields("", "x", true);
    check_fields("metadata.name=x", "x", true);
    check_fields("metadata.name==x", "y", false);
    check_fields("metadata.name!=x", "y", true);
    check_fields("metadata.name!=x,spec.missing=", "y", true);
    check_fields(r"metadata.name=a\,b\=c\\", r"a,b=c\", true);
}

#[test]
fn field_selectors_expose_what_they_ask() {
    let selector = FieldSelector::parse("status.phase!=Failed,metadata.name=x").expect("well-formed");
    assert_eq!(selector.fields().collect::<Vec<_>>(), ["status.phase", "metadata.name"]);
    assert_eq!(selector.exact_name(), Some("x"));
    assert_eq!(
        FieldSelector::parse("metadata.name!=x")
            .expect("well-formed")
            .exact_name(),
        None
    );
}

#[test]
fn malformed_field_selectors_are_refused() {
    for text in ["metadata.name", "a!b", r"a=\n", "a=b=c"] {
        assert!(FieldSelector::parse(text).is_err(), "{text}");
    }
}
