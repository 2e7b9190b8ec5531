//! Reading fields of objects of any shape: what is missing or of a wrong type reads as empty.

use serde_json::{Map, Value};

/// What a cell without content shows.
pub(super) const NONE: &str = "<none>";

/// The text at a pointer, or nothing.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The text at a pointer, or `fallback` where there is none.
pub(super) fn text_or<'a>(object: &'a Value, pointer: &str, fallback: &'a str) -> &'a str {
    match text(object, pointer) {
        "" => fallback,
        text => text,
    }
}

/// The whole number at a pointer, or 0.
pub(super) fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// The list at a pointer, or an empty one.
pub(super) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The map at a pointer, if there is one.
pub(super) fn map<'a>(object: &'a Value, pointer: &str) -> Option<&'a Map<String, Value>> {
    object.pointer(pointer).and_then(Value::as_object)
}

/// The number of entries of a map or list.
pub(super) fn size(object: &Value, pointer: &str) -> usize {
    match object.pointer(pointer) {
        Some(Value::Object(fields)) => fields.len(),
        Some(Value::Array(items)) => items.len(),
        _ => 0,
    }
}

/// The cell of an object's name.
pub(super) fn name(object: &Value) -> Value {
    text(object, "/metadata/name").into()
}

/// A number written as a fraction that is whole.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the fraction is zero, and a saturated giant still shows as one"
)]
pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_f64().map(|number| number as i64)
}

/// A value as text: bare where it is text, else as JSON.
pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A boolean as people read it, or `<unset>`.
pub(super) fn flag(object: &Value, pointer: &str) -> &'static str {
    match object.pointer(pointer).and_then(Value::as_bool) {
        Some(true) => "true",
        Some(false) => "false",
        None => "<unset>",
    }
}

/// Texts with commas between, or `<none>`.
pub(super) fn joined<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| text.as_ref().to_owned()).collect();
    if texts.is_empty() {
        NONE.to_owned()
    } else {
        texts.join(",")
    }
}

/// The texts of one field of each item.
pub(super) fn each<'a>(items: &'a [Value], pointer: &'a str) -> impl Iterator<Item = &'a str> {
    items
        .iter()
        .map(move |item| text(item, pointer))
        .filter(|text| !text.is_empty())
}

/// Labels as a selector: `a=b,c=d`, or `<none>`.
pub(super) fn labels(object: &Value, pointer: &str) -> String {
    let labels = map(object, pointer).into_iter().flatten();
    joined(labels.map(|(name, value)| format!("{name}={}", text_of(value))))
}

/// A structured label selector as text, or `<none>`.
pub(super) fn selector(object: &Value, pointer: &str) -> String {
    let Some(selector) = object.pointer(pointer) else {
        return NONE.to_owned();
    };
    let equal = map(selector, "/matchLabels").into_iter().flatten();
    let mut terms: Vec<String> = equal
        .map(|(name, value)| format!("{name}={}", text_of(value)))
        .collect();
    for expression in list(selector, "/matchExpressions") {
        let key = text(expression, "/key");
        let values: Vec<String> = list(expression, "/values").iter().map(text_of).collect();
        terms.push(match text(expression, "/operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    joined(terms)
}

/// The status of one condition, or nothing.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> &'a str {
    let condition = list(object, "/status/conditions")
        .iter()
        .find(|condition| text(condition, "/type") == kind);
    condition.map_or("", |condition| text(condition, "/status"))
}
