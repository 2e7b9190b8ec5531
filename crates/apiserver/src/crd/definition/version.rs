//! One version of a CRD: its schema, subresources, columns, selectable fields.

use serde_json::Value;

use crate::{
    field_error::FieldError,
    object_meta::name_complaint,
    resource::NameRule,
    schema::{self, Schema},
};

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] = [
    "byte",
    "date",
    "date-time",
    "double",
    "float",
    "int32",
    "int64",
    "password",
];

/// As many fields of a kind can be selected by.
const MOST_SELECTABLE: usize = 8;

/// Keywords that a schema may have at its root where the status is written on a path of its own.
const AT_ROOT: [&str; 22] = [
    "description",
    "type",
    "format",
    "title",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "multipleOf",
    "required",
    "items",
    "properties",
    "externalDocs",
    "example",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// What is wrong with a version. `before` is the same version as it was: what did not change is right. Fields that all
/// versions have in common are spelled as fields of the whole.
pub(super) fn check(
    version: &Value,
    before: Option<&Value>,
    path: &str,
    is_common: &dyn Fn(&str) -> bool,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let place = |field: &str| match (is_common(field), field) {
        (true, "schema") => "spec.validation".to_owned(),
        (true, field) => format!("spec.{field}"),
        (false, field) => format!("{path}.{field}"),
    };
    let name = version["name"].as_str().unwrap_or_default();
    if let Some(complaint) = name_complaint(NameRule::Label1035, name) {
        errors.push(FieldError::invalid(format!("{path}.name"), name, complaint));
    }
    deprecation(version, &format!("{path}.deprecationWarning"), &mut errors);
    let at = format!("{}.openAPIV3Schema", place("schema"));
    let schema = if version["schema"]["openAPIV3Schema"].is_object() {
        schema(version, before, &at, &mut errors)
    } else {
        errors.push(FieldError::required(format!("{path}.schema.openAPIV3Schema"), ""));
        None
    };
    subresources(&version["subresources"], &place("subresources"), &mut errors);
    let columns = version["additionalPrinterColumns"].as_array().into_iter().flatten();
    for (index, item) in columns.enumerate() {
        column(
            item,
            &format!("{}[{index}]", place("additionalPrinterColumns")),
            &mut errors,
        );
    }
    if let Some(schema) = schema {
        selectable(version, before, &schema, &place("selectableFields"), &mut errors);
    }
    errors
}

fn deprecation(version: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let warning = &version["deprecationWarning"];
    let Some(text) = warning.as_str() else { return };
    let mut complain = |detail: &str| errors.push(FieldError::invalid(path, text, detail));
    if version["deprecated"] != true {
        complain("can only be set for deprecated versions");
        return;
    }
    if text.len() > 256 {
        complain("must be <= 256 characters long");
    }
    if text.is_empty() {
        complain("must not be an empty string");
    }
    if let Some(index) = text
        .char_indices()
        .find(|(_, char)| char.is_control())
        .map(|(index, _)| index)
    {
        complain(&format!(
            "must only contain printable UTF-8 characters; non-printable character found at index {index}"
        ));
    }
}

/// Compiles the schema. A schema that is the same as before was checked when it was written.
fn schema(version: &Value, before: Option<&Value>, at: &str, errors: &mut Vec<FieldError>) -> Option<Schema> {
    let schema = &version["schema"]["openAPIV3Schema"];
    if before.is_some_and(|before| {
        before["schema"] == version["schema"] && before["subresources"] == version["subresources"]
    }) {
        let needed = version["selectableFields"].is_array();
        return needed.then(|| Schema::compile(schema).ok()).flatten();
    }
    let is_set = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
    if version["subresources"]["status"].is_object()
        && schema
            .as_object()
            .into_iter()
            .flatten()
            .any(|(field, value)| is_set(value) && field != "nullable" && !AT_ROOT.contains(&field.as_str()))
    {
        let allowed: Vec<String> = AT_ROOT.iter().map(|field| go_name(field)).collect();
        let detail = format!(
            "only [{}] fields are allowed at the root of the schema if the status subresource is enabled",
            allowed.join(" ")
        );
        errors.push(FieldError::invalid(at, schema.clone(), detail));
    }
    if schema["nullable"] == true {
        errors.push(FieldError::forbidden(
            format!("{at}.nullable"),
            "nullable cannot be true at the root",
        ));
    }
    match Schema::compile(schema) {
        Ok(schema) => {
            errors.extend(schema.check(at));
            Some(schema)
        }
        Err(found) => {
            errors.extend(found.into_iter().map(|error| error.under(at)));
            None
        }
    }
}

/// A keyword as upstream's code calls it, which its message shows.
fn go_name(keyword: &str) -> String {
    let words = keyword.strip_prefix("x-kubernetes-").map(|rest| format!("x-{rest}"));
    let words = words.as_deref().unwrap_or(keyword).split('-');
    words
        .map(|word| {
            let mut chars = word.chars();
            let first = chars.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(chars).collect::<String>()
        })
        .collect()
}

fn subresources(subresources: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let Some(scale) = subresources["scale"].as_object() else {
        return;
    };
    let text = |field: &str| scale.get(field).and_then(Value::as_str).unwrap_or_default();
    let paths = [
        (
            "specReplicasPath",
            [".spec."].as_slice(),
            "should be a json path under .spec",
        ),
        (
            "statusReplicasPath",
            &[".status."],
            "should be a json path under .status",
        ),
        (
            "labelSelectorPath",
            &[".spec.", ".status."],
            "should be a json path under either .spec or .status",
        ),
    ];
    for (field, prefixes, detail) in paths {
        let (place, value) = (format!("{path}.scale.{field}"), text(field));
        if value.is_empty() {
            if field != "labelSelectorPath" {
                errors.push(FieldError::required(place, ""));
            }
        } else if !value.starts_with('.') {
            errors.push(FieldError::invalid(
                place,
                value,
                "must be a simple json path starting with .",
            ));
        } else if !prefixes.iter().any(|prefix| value.starts_with(prefix)) {
            errors.push(FieldError::invalid(place, value, detail));
        }
    }
}

fn column(column: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let text = |field: &str| column[field].as_str().unwrap_or_default();
    let (kind, format, json_path) = (text("type"), text("format"), text("jsonPath"));
    if text("name").is_empty() {
        errors.push(FieldError::required(format!("{path}.name"), ""));
    }
    let one_of = |allowed: &[&str]| format!("must be one of {}", allowed.join(","));
    if kind.is_empty() {
        errors.push(FieldError::required(format!("{path}.type"), one_of(&COLUMN_TYPES)));
    } else if !COLUMN_TYPES.contains(&kind) {
        errors.push(FieldError::invalid(format!("{path}.type"), kind, one_of(&COLUMN_TYPES)));
    }
    if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
        errors.push(FieldError::invalid(
            format!("{path}.format"),
            format,
            one_of(&COLUMN_FORMATS),
        ));
    }
    let place = format!("{path}.JSONPath");
    if json_path.is_empty() {
        errors.push(FieldError::required(place, ""));
    } else if !json_path.starts_with('.') {
        errors.push(FieldError::invalid(
            place,
            json_path,
            "must be a simple json path starting with .",
        ));
    }
}

fn selectable(version: &Value, before: Option<&Value>, schema: &Schema, path: &str, errors: &mut Vec<FieldError>) {
    let fields = version["selectableFields"].as_array().into_iter().flatten();
    let mut known: Vec<String> = Vec::new();
    for (index, field) in fields.enumerate() {
        let place = format!("{path}[{index}].jsonPath");
        let text = field["jsonPath"].as_str().unwrap_or_default();
        if text.is_empty() {
            errors.push(FieldError::required(place, ""));
            continue;
        }
        let (spelled, node) = match schema::follow(schema.root(), text, false) {
            Ok(found) => found,
            Err(why) => {
                errors.push(FieldError::invalid(place, text, format!("is an invalid path: {why}")));
                continue;
            }
        };
        let of_metadata = spelled.strip_prefix("metadata.");
        let described = &version["schema"]["openAPIV3Schema"]["properties"]["metadata"]["properties"];
        if of_metadata.is_some_and(|field| described[field].is_null()) {
            let detail = "is an invalid path: does not refer to a valid field";
            errors.push(FieldError::invalid(place, text, detail));
            continue;
        }
        if spelled.split('.').next() == Some("metadata") {
            errors.push(FieldError::invalid(
                place.clone(),
                text,
                "must not point to fields in metadata",
            ));
        }
        if !matches!(
            node.kind,
            Some(schema::Type::String | schema::Type::Boolean | schema::Type::Integer)
        ) {
            let detail = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats \
                          are allowed.";
            errors.push(FieldError::invalid(place.clone(), text, detail));
        }
        if known.contains(&spelled) {
            errors.push(FieldError::duplicate(place, text));
        } else {
            known.push(spelled);
        }
    }
    let same = before.is_some_and(|before| before["selectableFields"] == version["selectableFields"]);
    if known.len() > MOST_SELECTABLE && !same {
        errors.push(FieldError::too_many(path, known.len(), MOST_SELECTABLE as u64));
    }
}
