//! What a CRD must be to be accepted, and what it leaves to be filled in.

use serde_json::{Value, json};

use crate::{field_error::FieldError, object, schema::Schema};

/// Fills in what a CRD leaves out.
pub(crate) fn prepare(crd: &mut Value) {
    let Some(spec) = crd.get_mut("spec").filter(|spec| spec.is_object()) else {
        return;
    };
    let kind = spec["names"]["kind"].as_str().unwrap_or_default().to_owned();
    if let Some(names) = spec["names"].as_object_mut() {
        names.entry("singular").or_insert_with(|| kind.to_lowercase().into());
        names.entry("listKind").or_insert_with(|| format!("{kind}List").into());
    }
    if !spec["conversion"].is_object() {
        spec["conversion"] = json!({"strategy": "None"});
    }
    let storage = spec["versions"]
        .as_array()
        .and_then(|versions| versions.iter().find(|version| version["storage"] == true));
    let storage = storage.map(|version| version["name"].clone());
    // Objects may be stored in this version from now on; what else is in the status is decided when it is settled.
    if let (Some(storage), false) = (storage, crd["status"]["storedVersions"].is_array()) {
        crd["status"]["storedVersions"] = json!([storage]);
        crd["status"]["conditions"] = json!([]);
        crd["status"]["acceptedNames"] = json!({"kind": "", "plural": ""});
    }
}

/// What is wrong with a CRD.
pub(crate) fn validate(crd: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = &crd["spec"];
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    let (name, group, plural) = (object::name(crd), text(&spec["group"]), text(&spec["names"]["plural"]));
    let expected = format!("{plural}.{group}");
    if name != expected {
        errors.push(FieldError::invalid(
            "metadata.name",
            name,
            format!("must be spec.names.plural+\".\"+spec.group, {expected:?}"),
        ));
    }
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else if !group.contains('.') {
        errors.push(FieldError::invalid(
            "spec.group",
            group.as_str(),
            "should be a domain with at least one dot",
        ));
    }
    errors.extend(protected_group(crd, &group));
    match spec["scope"].as_str().unwrap_or_default() {
        "" => errors.push(FieldError::required("spec.scope", "")),
        "Namespaced" | "Cluster" => {}
        other => errors.push(FieldError::not_supported(
            "spec.scope",
            other,
            ["Cluster", "Namespaced"],
        )),
    }
    for field in ["plural", "singular", "kind", "listKind"] {
        if text(&spec["names"][field]).is_empty() {
            errors.push(FieldError::required(format!("spec.names.{field}"), ""));
        }
    }
    if spec["preserveUnknownFields"] == true {
        let detail =
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        errors.push(FieldError::invalid("spec.preserveUnknownFields", true, detail));
    }
    errors.extend(versions(crd));
    errors.extend(old.map(|old| immutable(crd, old)).unwrap_or_default());
    errors
}

/// Groups of the community need its approval, which an annotation records.
fn protected_group(crd: &Value, group: &str) -> Option<FieldError> {
    let protected = group == "k8s.io"
        || group.ends_with(".k8s.io")
        || group == "kubernetes.io"
        || group.ends_with(".kubernetes.io");
    let approved = crd["metadata"]["annotations"]["api-approved.kubernetes.io"]
        .as_str()
        .is_some_and(|text| !text.is_empty());
    // The API groups of SIG subprojects (`*.x-k8s.io`) are not protected, and do not match.
    (protected && !approved).then(|| {
        let detail = "protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111";
        FieldError::required("metadata.annotations[api-approved.kubernetes.io]", detail)
    })
}

fn versions(crd: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let versions = crd["spec"]["versions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    for (index, version) in versions.iter().enumerate() {
        let path = format!("spec.versions[{index}]");
        let name = version["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            errors.push(FieldError::required(format!("{path}.name"), ""));
        } else if names.contains(&name) {
            errors.push(FieldError::invalid(
                "spec.versions",
                name,
                "must contain unique version names",
            ));
        }
        names.push(name);
    }
    errors.extend(schemas(versions));
    let storage = versions.iter().filter(|version| version["storage"] == true).count();
    if storage != 1 {
        let detail = "must have exactly one version marked as storage version";
        errors.push(FieldError::invalid(
            "spec.versions",
            crd["spec"]["versions"].clone(),
            detail,
        ));
    }
    let stored = crd["status"]["storedVersions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for (index, stored) in stored.iter().enumerate() {
        if !names.contains(&stored.as_str().unwrap_or_default()) {
            let detail = format!(
                "missing from spec.versions; {} was previously a storage version, and must remain in spec.versions until a \
                 storage migration ensures no data remains persisted in it and removes it from status.storedVersions",
                stored.as_str().unwrap_or_default()
            );
            errors.push(FieldError::invalid(
                format!("status.storedVersions[{index}]"),
                stored.clone(),
                detail,
            ));
        }
    }
    errors
}

/// What is wrong with the schemas. One that all versions share is called the definition's own.
fn schemas(versions: &[Value]) -> Vec<FieldError> {
    let shared = versions
        .iter()
        .all(|version| version["schema"] == versions[0]["schema"]);
    let mut errors = Vec::new();
    for (index, version) in versions.iter().enumerate() {
        let schema = &version["schema"]["openAPIV3Schema"];
        let own = format!("spec.versions[{index}].schema.openAPIV3Schema");
        if !schema.is_object() {
            errors.push(FieldError::required(own, ""));
            continue;
        }
        let at = if shared {
            "spec.validation.openAPIV3Schema"
        } else {
            own.as_str()
        };
        match Schema::compile(schema) {
            Ok(schema) => errors.extend(schema.check(at)),
            Err(found) => errors.extend(found.into_iter().map(|error| error.under(at))),
        }
        if shared {
            break;
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
