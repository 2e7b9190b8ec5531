//! What there is, as clients find out: all at once (aggregated), or group by group.

use http::{HeaderMap, Response};
use serde_json::{Value, json};

use super::other::{cached, json};
use crate::{
    Body, negotiate,
    registry::{Document, Group, Registry, Version},
    resource::Resource,
    status::{ApiError, Result},
};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

pub(super) fn paths(registry: &Registry) -> Vec<String> {
    let mut paths = vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned()];
    for group in named(registry) {
        paths.push(format!("/apis/{}", group.name));
        paths.extend(
            group
                .versions
                .iter()
                .map(|version| format!("/apis/{}/{}", group.name, version.name)),
        );
    }
    for path in [
        "/healthz",
        "/livez",
        "/metrics",
        "/openapi/v2",
        "/openapi/v3",
        "/readyz",
        "/version",
    ] {
        paths.push(path.to_owned());
    }
    paths
}

pub(super) fn core(registry: &Registry, headers: &HeaderMap) -> Response<Body> {
    if negotiate::aggregated_discovery(headers) {
        let core = |group: &&Group| group.name.is_empty();
        let document = registry
            .documents
            .core
            .get_or_init(|| aggregated(registry.groups().iter().filter(core)));
        return cached(document, headers, AGGREGATED);
    }
    json(&json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ""}],
    }))
}

pub(super) fn groups(registry: &Registry, headers: &HeaderMap) -> Response<Body> {
    if negotiate::aggregated_discovery(headers) {
        let document = registry.documents.groups.get_or_init(|| aggregated(named(registry)));
        return cached(document, headers, AGGREGATED);
    }
    let groups: Vec<Value> = named(registry).map(of_group).collect();
    json(&json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
}

pub(super) fn group(registry: &Registry, name: &str) -> Result<Response<Body>> {
    let group = named(registry)
        .find(|group| group.name == name)
        .ok_or(ApiError::NoSuchPath)?;
    let mut value = of_group(group);
    value["kind"] = "APIGroup".into();
    value["apiVersion"] = "v1".into();
    Ok(json(&value))
}

pub(super) fn resources(registry: &Registry, group: &str, version: &str) -> Result<Response<Body>> {
    let found = registry.version(group, version).ok_or(ApiError::NoSuchPath)?;
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let resources: Vec<Value> = found
        .resources
        .iter()
        .flat_map(|resource| api_resources(resource))
        .collect();
    Ok(json(
        &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}),
    ))
}

/// All groups but the core group.
fn named(registry: &Registry) -> impl Iterator<Item = &Group> {
    registry.groups().iter().filter(|group| !group.name.is_empty())
}

fn of_group(group: &Group) -> Value {
    let version = |version: &Version| json!({"groupVersion": format!("{}/{}", group.name, version.name), "version": version.name});
    json!({
        "name": group.name,
        "versions": group.versions.iter().map(version).collect::<Vec<_>>(),
        "preferredVersion": group.versions.first().map(version),
    })
}

/// A subresource as discovery shows it.
struct Subresource {
    name: &'static str,
    /// Group, version and kind of what it answers with, where it isn't the object itself.
    kind: Option<(&'static str, &'static str, &'static str)>,
    verbs: &'static [&'static str],
}

fn subresources(resource: &Resource) -> Vec<Subresource> {
    const VERBS: &[&str] = &["get", "patch", "update"];
    let mut subresources = Vec::new();
    if resource.status {
        subresources.push(Subresource {
            name: "status",
            kind: None,
            verbs: VERBS,
        });
    }
    if resource.scale.is_some() {
        subresources.push(Subresource {
            name: "scale",
            kind: Some(("autoscaling", "v1", "Scale")),
            verbs: VERBS,
        });
    }
    if resource.is_core("namespaces") {
        subresources.push(Subresource {
            name: "finalize",
            kind: None,
            verbs: &["update"],
        });
    }
    if resource.is_core("pods") {
        subresources.push(Subresource {
            name: "eviction",
            kind: Some(("policy", "v1", "Eviction")),
            verbs: &["create"],
        });
    }
    if resource.is_signing_request() {
        subresources.push(Subresource {
            name: "approval",
            kind: None,
            verbs: VERBS,
        });
    }
    subresources
}

fn api_resources(resource: &Resource) -> Vec<Value> {
    let mut entry = json!({
        "name": resource.plural(),
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": resource.verbs,
    });
    set_texts(&mut entry, "shortNames", &resource.short_names);
    set_texts(&mut entry, "categories", &resource.categories);
    let mut entries = vec![entry];
    for subresource in subresources(resource) {
        let mut entry = json!({
            "name": format!("{}/{}", resource.plural(), subresource.name),
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": subresource.verbs,
        });
        if let Some((group, version, kind)) = subresource.kind {
            entry["group"] = group.into();
            entry["version"] = version.into();
            entry["kind"] = kind.into();
        }
        entries.push(entry);
    }
    entries
}

fn aggregated<'a>(groups: impl Iterator<Item = &'a Group>) -> Document {
    let items: Vec<Value> = groups.map(aggregated_group).collect();
    let list = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items});
    document(&list)
}

/// A document with the ETag of its content.
pub(crate) fn document(value: &Value) -> Document {
    Document::new(value.to_string())
}

fn aggregated_group(group: &Group) -> Value {
    let mut metadata = json!({"creationTimestamp": null});
    if !group.name.is_empty() {
        metadata["name"] = group.name.as_str().into();
    }
    let version = |version: &Version| {
        json!({
            "version": version.name,
            "freshness": "Current",
            "resources": version.resources.iter().map(|resource| aggregated_resource(resource)).collect::<Vec<_>>(),
        })
    };
    json!({"metadata": metadata, "versions": group.versions.iter().map(version).collect::<Vec<_>>()})
}

fn aggregated_resource(resource: &Resource) -> Value {
    let own = json!({"group": resource.group(), "version": resource.version, "kind": resource.kind});
    let mut entry = json!({
        "resource": resource.plural(),
        "responseKind": own,
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    });
    set_texts(&mut entry, "shortNames", &resource.short_names);
    set_texts(&mut entry, "categories", &resource.categories);
    let subresource = |subresource: Subresource| {
        let kind = match subresource.kind {
            None => own.clone(),
            Some((group, version, kind)) => json!({"group": group, "version": version, "kind": kind}),
        };
        json!({"subresource": subresource.name, "responseKind": kind, "verbs": subresource.verbs})
    };
    let subresources: Vec<Value> = subresources(resource).into_iter().map(subresource).collect();
    if !subresources.is_empty() {
        entry["subresources"] = subresources.into();
    }
    entry
}

fn set_texts(entry: &mut Value, field: &str, texts: &[String]) {
    if !texts.is_empty() {
        entry[field] = texts.into();
    }
}
