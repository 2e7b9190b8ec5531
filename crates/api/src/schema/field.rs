//! What the schemas say of each field, flat: for explanations, the reference page, and rules about edits.

use serde_json::Value;

use super::{choices, guest_cluster, management_cluster, properties, resolve, types};
use crate::upstream::below;

/// A field of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its path, as `spec.nodePools[].cores`.
    pub path: String,
    /// What it is.
    pub description: String,
    /// What may be written, in a word or two: `text`, `list of texts`, `fields`.
    pub kind: String,
    /// The words that may be written, each with what it means; empty where it is no choice.
    pub choices: Vec<(String, String)>,
    /// Bounds and forms, as `1 to 65535`.
    pub bounds: Vec<String>,
    /// What leaving it out means, where that is a value.
    pub default: Option<Value>,
    /// Whether it must be there.
    pub required: bool,
    /// What it becomes: a path in the HostedCluster, or for a pool in its NodePool; empty where it is Berth's own.
    pub becomes: String,
    /// What a later edit does.
    pub edit: Edit,
    /// Whether there are no fields below it.
    pub is_leaf: bool,
}

/// What a later edit of a field does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It takes effect; no worker is replaced or restarted.
    Free,
    /// It is refused.
    Fixed,
    /// Workers take it over one after the other: replaced, or restarted with the upgrade type InPlace.
    Rollout,
    /// Machines are replaced one after the other; with the upgrade type InPlace only new ones have it.
    Machines,
    /// New workers have it; those that are there stay as they are.
    NewWorkers,
}

/// The fields of one of Berth's kinds; `None` where there is no such kind. Capitals don't matter.
pub fn fields_of_kind(kind: &str) -> Option<(&'static str, Vec<Field>)> {
    let known = [
        ("GuestCluster", guest_cluster as fn() -> &'static Value),
        ("ManagementCluster", management_cluster),
    ];
    let (name, root) = known.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(kind))?;
    Some((name, fields(root())))
}

/// The fields of a GuestCluster that can't be changed later: path, and what it becomes in the HostedCluster, or for a pool in
/// its NodePool.
pub fn fixed_fields() -> Vec<(String, String)> {
    let fixed = |field: &Field| field.edit == Edit::Fixed && field.is_leaf && field.becomes.starts_with("spec.");
    fields(guest_cluster())
        .into_iter()
        .filter(fixed)
        .map(|field| (field.path, field.becomes))
        .collect()
}

/// The fields of a kind by its schema, the outer before the inner.
pub(crate) fn fields(root: &'static Value) -> Vec<Field> {
    let mut found = Vec::new();
    below_path(root, root, "", "", Edit::Free, &mut found);
    found
}

fn below_path(
    root: &'static Value,
    schema: &'static Value,
    path: &str,
    base: &str,
    edit: Edit,
    found: &mut Vec<Field>,
) {
    let required: Vec<&str> = super::texts(schema.get("required")).collect();
    for (name, property) in properties(schema) {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let becomes = below(base, text(property, "x-becomes"));
        let says = !text(property, "x-becomes").is_empty();
        let edit = edit_of(property).unwrap_or(edit);
        let inner = resolve(root, property);
        let items = inner.get("items").map(|items| resolve(root, items));
        let is_list_of_fields = items.is_some_and(|items| properties(items).next().is_some());
        let has_fields = properties(inner).next().is_some();
        let in_list = if is_list_of_fields { "[]" } else { "" };
        found.push(Field {
            path: format!("{path}{in_list}"),
            description: description(property, inner),
            kind: kind_of(root, inner),
            choices: meanings(inner, items),
            bounds: bounds(property, inner, items),
            default: property
                .get("default")
                .filter(|value| !value.is_null() && !is_empty(value))
                .cloned(),
            required: required.contains(&name.as_str()),
            becomes: if says { becomes.clone() } else { String::new() },
            edit,
            is_leaf: !has_fields && !is_list_of_fields,
        });
        // A pool's fields are those of another object.
        let base = if text(property, "x-becomes").is_empty() && is_list_of_fields {
            ""
        } else {
            &becomes
        };
        if has_fields {
            below_path(root, inner, &path, base, edit, found);
        }
        if let Some(items) = items.filter(|_| is_list_of_fields) {
            below_path(root, items, &format!("{path}[]"), base, edit, found);
        }
    }
}

fn edit_of(property: &Value) -> Option<Edit> {
    Some(match text(property, "x-edit") {
        "fixed" => Edit::Fixed,
        "rollout" => Edit::Rollout,
        "machines" => Edit::Machines,
        "new" => Edit::NewWorkers,
        _ => return None,
    })
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// A field's own words; what a reference leads to has more general ones.
fn description(property: &Value, inner: &Value) -> String {
    let own = text(property, "description");
    let words = if own.is_empty() {
        text(inner, "description")
    } else {
        own
    };
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kind_of(root: &'static Value, schema: &'static Value) -> String {
    if choices(schema).is_some() {
        return "choice".to_owned();
    }
    if let Some(items) = schema.get("items") {
        let of = kind_of(root, resolve(root, items));
        let plural = match of.as_str() {
            "fields" => "entries with fields".to_owned(),
            other => format!("{other}s"),
        };
        return format!("list of {plural}");
    }
    let words = types(schema)
        .into_iter()
        .filter(|kind| *kind != "null")
        .map(|kind| match kind {
            "object" if properties(schema).next().is_some() => "fields",
            "object" => "map",
            "integer" => "number",
            "boolean" => "yes or no",
            "string" => "text",
            other => other,
        });
    match words.collect::<Vec<_>>() {
        words if words.is_empty() => "anything".to_owned(),
        words => words.join(" or "),
    }
}

/// The words of a choice with what each means.
fn meanings(schema: &'static Value, items: Option<&'static Value>) -> Vec<(String, String)> {
    let schema = items.filter(|items| choices(items).is_some()).unwrap_or(schema);
    let Some(words) = choices(schema) else {
        return Vec::new();
    };
    let options = schema.get("oneOf").and_then(Value::as_array);
    let meaning = |word: &str| {
        let option = options.and_then(|options| options.iter().find(|option| text(option, "const") == word));
        option
            .map(|option| text(option, "description").to_owned())
            .unwrap_or_default()
    };
    words.into_iter().map(|word| (word.to_owned(), meaning(word))).collect()
}

fn bounds(property: &Value, inner: &Value, items: Option<&Value>) -> Vec<String> {
    let number = |name: &str| property.get(name).or_else(|| inner.get(name)).and_then(Value::as_u64);
    let mut bounds = Vec::new();
    match (number("minimum").filter(|least| *least > 0), number("maximum")) {
        (Some(least), Some(most)) => bounds.push(format!("{least} to {most}")),
        (Some(least), None) => bounds.push(format!("at least {least}")),
        (None, Some(most)) => bounds.push(format!("at most {most}")),
        (None, None) => {}
    }
    match (number("minItems"), number("maxItems")) {
        (Some(least), Some(most)) => bounds.push(format!("{least} to {most} entries")),
        (None, Some(most)) => bounds.push(format!("at most {most} entries")),
        (Some(least), None) => bounds.push(format!("at least {least} entries")),
        (None, None) => {}
    }
    let format = [Some(property), Some(inner), items]
        .into_iter()
        .flatten()
        .map(|schema| text(schema, "format"))
        .find(|format| !format.is_empty());
    bounds.extend(format.and_then(form).map(str::to_owned));
    if number("maxProperties") == Some(1) {
        bounds.push("exactly one of its fields".to_owned());
    }
    bounds
}

/// A format in words.
fn form(format: &str) -> Option<&'static str> {
    Some(match format {
        "quantity" => "an amount, as `10Gi`",
        "cidr" => "a network, as `10.132.0.0/14`",
        "go-duration" => "a length of time, as `10m`",
        "dns-label" => "a name of at most 63 small letters, digits and dashes",
        "dns-subdomain" => "a name of small letters, digits, dashes and dots",
        "secret-name" => "the name of a Secret",
        "image" => "an image, as `quay.io/openshift-release-dev/ocp-release:4.17.0-multi`",
        "network-attachment" => "a NetworkAttachmentDefinition, as `network/vlan-100`",
        "paused-until" => "`true`, or a time as `2026-12-31T18:00:00Z`",
        "ip" => "an IP address",
        "url" => "an address, as `https://host.example.com:8443`",
        "snapshot-url" => "an address that begins with `https://` or `s3://`",
        "amount" => "a number, or a part as `25%`",
        "port-range" => "a range, as `30000-32767`",
        "json-pointer" => "a path, as `/spec/template/spec/domain/cpu/model`",
        _ => return None,
    })
}
