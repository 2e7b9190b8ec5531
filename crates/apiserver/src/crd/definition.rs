//! What a CRD must be to be accepted, and what it leaves to be filled in.

mod approval;
mod version;

use serde_json::{Value, json};

pub(super) use self::approval::{State as Approval, state as approval};
use crate::{field_error::FieldError, object, object_meta::name_complaint, resource::NameRule};

/// Fills in what a CRD leaves out.
pub(crate) fn prepare(crd: &mut Value) {
    let Some(spec) = crd.get_mut("spec").filter(|spec| spec.is_object()) else {
        return;
    };
    let kind = text(&spec["names"]["kind"]).to_owned();
    if let (Some(names), false) = (spec["names"].as_object_mut(), kind.is_empty()) {
        names.entry("singular").or_insert_with(|| kind.to_lowercase().into());
        names.entry("listKind").or_insert_with(|| format!("{kind}List").into());
    }
    if !spec["conversion"].is_object() {
        spec["conversion"] = json!({"strategy": "None"});
    }
    let storage = list(&spec["versions"])
        .iter()
        .find(|version| version["storage"] == true);
    let Some(storage) = storage.map(|version| version["name"].clone()) else {
        return;
    };
    // Objects may be stored in this version from now on; what else is in the status is decided when it is settled.
    if let Some(stored) = crd["status"]["storedVersions"].as_array_mut() {
        if !stored.contains(&storage) {
            stored.push(storage);
        }
    } else {
        crd["status"]["storedVersions"] = json!([storage]);
        crd["status"]["conditions"] = json!([]);
        crd["status"]["acceptedNames"] = json!({"kind": "", "plural": ""});
    }
}

/// What is wrong with a CRD.
pub(crate) fn validate(crd: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = &crd["spec"];
    let (name, group, plural) = (object::name(crd), text(&spec["group"]), text(&spec["names"]["plural"]));
    if name != format!("{plural}.{group}") {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid("metadata.name", name, detail));
    }
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else if let Some(complaint) = name_complaint(NameRule::Subdomain, group) {
        errors.push(FieldError::invalid("spec.group", group, complaint));
    } else if !group.contains('.') {
        let detail = "should be a domain with at least one dot";
        errors.push(FieldError::invalid("spec.group", group, detail));
    }
    match text(&spec["scope"]) {
        "" => errors.push(FieldError::required("spec.scope", "")),
        "Namespaced" | "Cluster" => {}
        other => {
            errors.push(FieldError::not_supported(
                "spec.scope",
                other,
                ["Cluster", "Namespaced"],
            ));
        }
    }
    errors.extend(versions(crd, old));
    errors.extend(names(&spec["names"]));
    errors.extend(conversion(&spec["conversion"]));
    errors.extend(old.map(|old| immutable(crd, old)).unwrap_or_default());
    errors.extend(stored_versions(crd));
    errors.extend(approval::check(crd, old));
    if spec["preserveUnknownFields"] == true && old.is_none_or(|old| old["spec"]["preserveUnknownFields"] != true) {
        let detail =
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        errors.push(FieldError::invalid("spec.preserveUnknownFields", true, detail));
    }
    errors
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn versions(crd: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let versions = list(&crd["spec"]["versions"]);
    let mut known: Vec<&str> = Vec::new();
    let mut unique = true;
    // What all versions have in common is said once, of the whole.
    let is_common = |field: &str| versions.iter().all(|version| version[field] == versions[0][field]);
    for (index, version) in versions.iter().enumerate() {
        let name = text(&version["name"]);
        unique &= !known.contains(&name);
        known.push(name);
        let before = list(old.map_or(&Value::Null, |old| &old["spec"]["versions"]));
        let before = before.iter().find(|before| before["name"] == version["name"]);
        let found = version::check(version, before, &format!("spec.versions[{index}]"), &is_common);
        errors.extend(
            found
                .into_iter()
                .filter(|error| index == 0 || error.path.starts_with("spec.versions")),
        );
    }
    let mut complain = |detail: &str| {
        let shown = crd["spec"]["versions"].clone();
        errors.push(FieldError::invalid("spec.versions", shown, detail));
    };
    if !unique {
        complain("must contain unique version names");
    }
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        complain("must have exactly one version marked as storage version");
    }
    errors
}

/// The names that a kind is known by must be usable in paths and on command lines.
fn names(names: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for field in ["plural", "singular", "kind", "listKind"] {
        let (place, name) = (format!("spec.names.{field}"), text(&names[field]));
        let mixed_case = matches!(field, "kind" | "listKind");
        let checked = if mixed_case {
            name.to_lowercase()
        } else {
            name.to_owned()
        };
        if name.is_empty() {
            errors.push(FieldError::required(place, ""));
        } else if let Some(complaint) = name_complaint(NameRule::Label1035, &checked) {
            let detail = if mixed_case {
                format!("may have mixed case, but should otherwise match: {complaint}")
            } else {
                complaint
            };
            errors.push(FieldError::invalid(place, name, detail));
        }
    }
    for field in ["shortNames", "categories"] {
        for (index, name) in list(&names[field]).iter().enumerate() {
            if let Some(complaint) = name_complaint(NameRule::Label1035, text(name)) {
                errors.push(FieldError::invalid(
                    format!("spec.names.{field}[{index}]"),
                    name.clone(),
                    complaint,
                ));
            }
        }
    }
    let kind = text(&names["kind"]);
    if !kind.is_empty() && names["kind"] == names["listKind"] {
        let detail = "kind and listKind may not be the same";
        errors.push(FieldError::invalid("spec.names.listKind", kind, detail));
    }
    errors
}

fn conversion(conversion: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let (config, versions) = (
        "spec.conversion.webhookClientConfig",
        "spec.conversion.conversionReviewVersions",
    );
    let webhook = &conversion["webhook"];
    match text(&conversion["strategy"]) {
        "Webhook" => {
            let client = &webhook["clientConfig"];
            if !client.is_object() {
                errors.push(FieldError::required(config, "required when strategy is set to Webhook"));
            } else if client["url"].is_string() == client["service"].is_object() {
                errors.push(FieldError::required(
                    config,
                    "exactly one of url or service is required",
                ));
            }
            if list(&webhook["conversionReviewVersions"]).is_empty() {
                errors.push(FieldError::required(versions, ""));
            }
        }
        "None" => {
            let detail = "should not be set when strategy is not set to Webhook";
            if webhook["clientConfig"].is_object() {
                errors.push(FieldError::forbidden(config, detail));
            }
            if !list(&webhook["conversionReviewVersions"]).is_empty() {
                errors.push(FieldError::forbidden(versions, detail));
            }
        }
        "" => errors.push(FieldError::required("spec.conversion.strategy", "")),
        other => errors.push(FieldError::not_supported(
            "spec.conversion.strategy",
            other,
            ["None", "Webhook"],
        )),
    }
    errors
}

/// Versions that objects may be stored in must stay until they no longer are.
fn stored_versions(crd: &Value) -> Vec<FieldError> {
    let (versions, stored) = (list(&crd["spec"]["versions"]), list(&crd["status"]["storedVersions"]));
    let mut errors = Vec::new();
    let shown = || crd["status"]["storedVersions"].clone();
    if stored.is_empty() {
        let detail = "must have at least one stored version";
        errors.push(FieldError::invalid("status.storedVersions", shown(), detail));
        return errors;
    }
    let storage = versions.iter().filter(|version| version["storage"] == true);
    for version in storage.filter(|version| !stored.contains(&version["name"])) {
        let detail = format!("must have the storage version {}", text(&version["name"]));
        errors.push(FieldError::invalid("status.storedVersions", shown(), detail));
    }
    for (index, stored) in stored.iter().enumerate() {
        if !versions.iter().any(|version| version["name"] == *stored) {
            let name = text(stored);
            let detail = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a \
                 storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
            );
            errors.push(FieldError::invalid(
                format!("status.storedVersions[{index}]"),
                name,
                detail,
            ));
        }
    }
    errors
}

fn immutable(crd: &Value, old: &Value) -> Vec<FieldError> {
    let established = super::condition(old, "Established") == Some("True");
    let fields = ["/spec/group", "/spec/names/plural", "/spec/names/kind", "/spec/scope"];
    let always = |pointer: &str| matches!(pointer, "/spec/group" | "/spec/names/plural");
    let fields = fields.into_iter().filter(|pointer| established || always(pointer));
    let changed = fields.filter(|pointer| crd.pointer(pointer) != old.pointer(pointer));
    let error = |pointer: &str| {
        let path = pointer[1..].replace('/', ".");
        FieldError::invalid(
            path,
            crd.pointer(pointer).cloned().unwrap_or_default(),
            "field is immutable",
        )
    };
    changed.map(error).collect()
}
