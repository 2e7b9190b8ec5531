//! The kinds that a CRD serves: one for each served version, with its schema compiled.

use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    Converter, builtin,
    converter::Conversion,
    object,
    resource::{NameRule, PrinterOf, Resource, Rules, Scale, SchemaOf, Source},
    schema::Schema,
    store::ResourceId,
    table,
};

/// Verbs, in upstream's order.
const VERBS: &[&str] = &[
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];

/// Verbs of a kind that is going away.
const TERMINATING_VERBS: &[&str] = &["delete", "deletecollection", "get", "list", "watch"];

/// The served versions of a CRD. A version with a schema that does not compile (which validation refuses) is left out.
pub(super) fn resources(crd: &Value, converter: Option<&Arc<dyn Converter>>) -> Vec<Resource> {
    let conversion = conversion(crd, converter);
    let versions = crd["spec"]["versions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    versions
        .iter()
        .filter(|version| version["served"] == true)
        .filter_map(|version| resource(crd, version, conversion.as_ref()))
        .collect()
}

/// How versions are converted, where they are.
fn conversion(crd: &Value, converter: Option<&Arc<dyn Converter>>) -> Option<Conversion> {
    let spec = &crd["spec"];
    let [group, plural] = [&spec["group"], &spec["names"]["plural"]].map(|text| text.as_str().unwrap_or_default());
    let converter = converter.filter(|it| spec["conversion"]["strategy"] == "Webhook" && it.converts(group, plural))?;
    let stored = spec["versions"]
        .as_array()?
        .iter()
        .find(|version| version["storage"] == true)?;
    Some(Conversion {
        converter: Arc::clone(converter),
        storage: stored["name"].as_str()?.to_owned(),
    })
}

fn resource(crd: &Value, version: &Value, conversion: Option<&Conversion>) -> Option<Resource> {
    let (spec, names) = (&crd["spec"], &crd["status"]["acceptedNames"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Value| {
        value
            .as_array()
            .map(|texts| texts.iter().map(text).collect())
            .unwrap_or_default()
    };
    let (group, name) = (text(&spec["group"]), text(&version["name"]));
    let kind = text(&names["kind"]);
    let terminating = object::is_deleting(crd);
    let subresources = &version["subresources"];
    let columns = &version["additionalPrinterColumns"];
    Some(Resource {
        id: ResourceId::new(&group, &text(&names["plural"])),
        list_kind: text(&names["listKind"]),
        singular: text(&names["singular"]),
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        namespaced: spec["scope"] == "Namespaced",
        verbs: if terminating { TERMINATING_VERBS } else { VERBS },
        status: subresources["status"].is_object(),
        scale: subresources["scale"].is_object().then(|| scale(&subresources["scale"])),
        source: Source::Custom { terminating },
        // Versions with the same schema are the same where nothing is converted.
        schema: schema(
            &version["schema"]["openAPIV3Schema"],
            conversion.map_or("", |_| name.as_str()),
        )?,
        conversion: conversion.cloned(),
        printer: PrinterOf::Custom(match columns.as_array() {
            Some(listed) if !listed.is_empty() => table::from_crd(columns),
            _ => builtin::fallback_printer(),
        }),
        selectable: version["selectableFields"]
            .as_array()
            .map(|fields| {
                fields
                    .iter()
                    .map(|field| text(&field["jsonPath"]).trim_start_matches('.').to_owned())
                    .collect()
            })
            .unwrap_or_default(),
        rules: Rules {
            name: NameRule::Subdomain,
            generation: true,
            returns_deleted: false,
            needs_version: true,
            create_on_update: false,
            orphans: false,
        },
        deprecation: (version["deprecated"] == true).then(|| deprecation(spec, version, &kind)),
        version: name,
        kind,
    })
}

fn schema(schema: &Value, version: &str) -> Option<SchemaOf> {
    let compiled = Schema::compile(schema).ok()?;
    let digest = Sha256::digest(schema.to_string() + version);
    let fingerprint = u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes"));
    Some(SchemaOf::Custom(Arc::new(compiled), fingerprint))
}

fn scale(scale: &Value) -> Scale {
    let path = |field: &str| scale[field].as_str().unwrap_or_default().to_owned();
    Scale {
        spec_replicas: path("specReplicasPath"),
        status_replicas: path("statusReplicasPath"),
        selector: scale["labelSelectorPath"].as_str().map(str::to_owned),
    }
}

fn deprecation(spec: &Value, version: &Value, kind: &str) -> String {
    if let Some(warning) = version["deprecationWarning"].as_str() {
        return warning.to_owned();
    }
    let group = spec["group"].as_str().unwrap_or_default();
    let name = version["name"].as_str().unwrap_or_default();
    let versions = spec["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let current = versions
        .iter()
        .filter(|other| other["served"] == true && other["deprecated"] != true);
    let best = current
        .filter_map(|other| other["name"].as_str())
        .min_by(|one, two| crate::registry::by_priority(one, two));
    match best {
        Some(best) => format!("{group}/{name} {kind} is deprecated; use {group}/{best} {kind}"),
        None => format!("{group}/{name} {kind} is deprecated"),
    }
}
