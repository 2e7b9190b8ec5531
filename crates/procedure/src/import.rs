//! From a HostedCluster that exists, made by whatever, to a document: applied, it changes nothing.
//!
//! What the document has fields for is put there by what the schema says of each field; then the document is rendered again,
//! and whatever the object has that the rendering lacks goes into `overrides`. So nothing is lost, and nothing is guessed.

mod rest;

use std::collections::BTreeSet;
use std::path::Path;

use berth_api::{GuestCluster, Source, pool_of_node_pool, resources, set_field, spec_of_hosted_cluster, views, yaml};
use serde_json::{Map, Value, json};

use crate::owner::DOCUMENT_LABEL;
use crate::read::{is_ours, label, name, text};
use crate::render::identity::Login;
use crate::render::{self, Dialect};

/// How often a document is tried without the fields that it refuses.
const ATTEMPTS: usize = 40;
/// Annotations of a HostedCluster or NodePool that the operator writes.
const WRITTEN_BY_OPERATOR: [&str; 7] = [
    "hypershift.openshift.io/HasBeenAvailable",
    "hypershift.openshift.io/management-platform",
    "hypershift.openshift.io/cluster",
    "hypershift.openshift.io/nodePoolCurrentConfig",
    "hypershift.openshift.io/nodePoolCurrentConfigVersion",
    "hypershift.openshift.io/nodePoolPlatformMachineTemplate",
    "hypershift.openshift.io/cleanup-cloud-resources",
];
/// Marks of those who made an object, which are not the document's.
const MARKS: [&str; 6] = [
    "app.kubernetes.io/",
    "applyset.kubernetes.io/",
    "argocd.argoproj.io/",
    "berth.dev/",
    "hypershift.openshift.io/auto-created-for-infra",
    "kubectl.kubernetes.io/",
];

/// What is there of a guest.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The HostedCluster.
    pub cluster: &'a Value,
    /// Its NodePools.
    pub pools: &'a [Value],
    /// The CRDs of both kinds, where they can be read: what is a default there needs no words.
    pub schemas: (Option<&'a Value>, Option<&'a Value>),
}

/// Why a guest can't be a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Workers of another kind.
    #[error("its platform is {0}; documents are about guests on KubeVirt")]
    Platform(String),
    /// The document is refused as a whole.
    #[error("no document can say it: {0}")]
    Refused(String),
}

/// The document of a guest, as text with a comment for each decision.
pub fn document(found: &Found<'_>) -> Result<String, ImportError> {
    let platform = text(found.cluster, &["spec", "platform", "type"]).unwrap_or("none");
    if platform != "KubeVirt" {
        return Err(ImportError::Platform(platform.to_owned()));
    }
    let mut document = draft(found);
    let mut notes = notes(found);
    let guest = accepted(&mut document, &mut notes)?;
    rest::put(&mut document, &guest, found);
    accepted(&mut document, &mut notes)?;
    let mut page = format!(
        "# Imported from HostedCluster {}/{}: applied as it is, it changes nothing.\n",
        text(found.cluster, &["metadata", "namespace"]).unwrap_or_default(),
        name(found.cluster)
    );
    for note in notes {
        page.push_str(&format!("# - {note}\n"));
    }
    page.push_str(&yaml::to_string(&document));
    Ok(page)
}

/// The document that comes nearest by its own fields.
fn draft(found: &Found<'_>) -> Value {
    let cluster = found.cluster;
    let mut spec = Value::Object(spec_of_hosted_cluster(cluster));
    // What the operator fills in is its own; a guest made anew gets others.
    set_field(&mut spec, "infraID", Value::Null);
    if views::flag(cluster, &["spec", "platform", "kubevirt", "baseDomainPassthrough"]) == Some(true) {
        set_field(&mut spec, "baseDomain", Value::Null);
    }
    if spec["controlPlane"]["issuerURL"] == "https://kubernetes.default.svc" {
        set_field(&mut spec, "controlPlane.issuerURL", Value::Null);
    }
    let usual_key = format!("{}-etcd-encryption-key", name(cluster));
    if spec["controlPlane"]["encryption"] == json!({"activeKey": usual_key}) {
        set_field(&mut spec, "controlPlane.encryption", Value::Null);
    }
    for (service, usual) in [
        ("apiServer", "LoadBalancer"),
        ("ignition", "Route"),
        ("konnectivity", "Route"),
        ("oauthServer", "Route"),
    ] {
        if spec["services"][service] == json!({"type": usual}) {
            set_field(&mut spec, &format!("services.{service}"), Value::Null);
        }
    }
    if spec["services"].as_object().is_none_or(Map::is_empty) {
        set_field(&mut spec, "services", Value::Null);
    }
    if !is_own(cluster) {
        spec["adopt"] = true.into();
    }
    let mut pools: Vec<&Value> = found.pools.iter().filter(|pool| belongs(pool, cluster)).collect();
    pools.sort_by_key(|pool| name(pool));
    if !pools.is_empty() {
        spec["nodePools"] = pools.into_iter().map(|pool| draft_pool(pool, cluster)).collect();
    }
    let mut metadata = json!({"name": name(cluster)});
    if let Some(namespace) = text(cluster, &["metadata", "namespace"]) {
        metadata["namespace"] = namespace.into();
    }
    for (part, field) in [("labels", "labels"), ("annotations", "annotations")] {
        let kept = kept(views::at(cluster, &["metadata", part]), &spec);
        if !kept.is_empty() {
            metadata[field] = kept.into();
        }
    }
    json!({"apiVersion": "berth.dev/v1alpha1", "kind": "GuestCluster", "metadata": metadata, "spec": spec})
}

/// Whether Berth made it for a document of this name.
fn is_own(cluster: &Value) -> bool {
    is_ours(cluster) && label(cluster, DOCUMENT_LABEL) == Some(name(cluster))
}

/// Whether a NodePool is of a HostedCluster.
pub fn belongs(pool: &Value, cluster: &Value) -> bool {
    text(pool, &["spec", "clusterName"]) == Some(name(cluster))
        && text(pool, &["metadata", "namespace"]) == text(cluster, &["metadata", "namespace"])
}

fn draft_pool(pool: &Value, cluster: &Value) -> Value {
    let mut draft = Value::Object(pool_of_node_pool(pool));
    set_field(&mut draft, "nodePoolName", Value::Null);
    let object = name(pool);
    match object.strip_prefix(&format!("{}-", name(cluster))) {
        Some(rest) if berth_api::check_label(rest).is_ok() => draft["name"] = rest.into(),
        _ => {
            draft["name"] = short(object).into();
            draft["nodePoolName"] = object.into();
        }
    }
    if draft["release"]["image"] == cluster["spec"]["release"]["image"] {
        set_field(&mut draft, "release", Value::Null);
    }
    // Neither a size nor bounds means none.
    if draft.get("replicas").is_none() && draft.get("autoscaling").is_none() {
        draft["replicas"] = 0.into();
    }
    let usual_pace = json!({"strategy": "RollingUpdate", "maxSurge": 1, "maxUnavailable": 0});
    if draft["upgradeType"] == "InPlace" || draft["replace"] == usual_pace {
        set_field(&mut draft, "replace", Value::Null);
    }
    if draft["upgradeType"] != "InPlace" {
        set_field(&mut draft, "inPlace", Value::Null);
    }
    draft
}

/// A NodePool's name as the name of a pool.
fn short(name: &str) -> String {
    name.chars().map(|c| if c == '.' { '-' } else { c }).take(63).collect()
}

/// Labels or annotations that are a document's to have.
fn kept(map: Option<&Value>, spec: &Value) -> Map<String, Value> {
    let patched = spec.get("machinePatches").is_some();
    let checked = spec.get("healthCheck").is_some();
    let is_said_elsewhere = |key: &str| {
        (patched && key.ends_with("/kubevirt-vm-jsonpatch")) || (checked && key.contains("/machine-health-check-"))
    };
    let is_mark = |key: &str| WRITTEN_BY_OPERATOR.contains(&key) || MARKS.iter().any(|mark| key.starts_with(mark));
    let entries = map.and_then(Value::as_object).into_iter().flatten();
    entries
        .filter(|(key, _)| !is_mark(key) && !is_said_elsewhere(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// What a person has to know or decide.
fn notes(found: &Found<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if !is_own(found.cluster) {
        let managers: BTreeSet<&str> = views::list(found.cluster, &["metadata", "managedFields"])
            .iter()
            .filter(|entry| entry.get("subresource").is_none())
            .filter_map(|entry| text(entry, &["manager"]))
            .collect();
        let by = managers.into_iter().collect::<Vec<_>>().join(", ");
        let by = if by.is_empty() {
            String::new()
        } else {
            format!(" (written by {by})")
        };
        notes.push(format!(
            "adopt: something else made it{by}; Berth changes single fields only, and never deletes it. If that is a GitOps \
             tool, change its repository instead"
        ));
    }
    if !Login::of(found.cluster).is_nobody() {
        notes.push(
            "who may log in is in `overrides`, and stays as it is: cluster admins are not read. For Berth to prove a login, \
             write an `identity` section in its place"
                .to_owned(),
        );
    }
    notes.push("Secrets and ConfigMaps are named, not copied: a guest made anew elsewhere needs them there".to_owned());
    notes
}

/// The document as Berth reads it. A field that is refused is taken out, and said; the rest of the import puts what it said
/// into `overrides`.
fn accepted(document: &mut Value, notes: &mut Vec<String>) -> Result<GuestCluster, ImportError> {
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        let source = Source {
            path: "import.yaml".into(),
            text: yaml::to_string(document),
        };
        let nothing = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        let errors = match berth_api::load(vec![source], &nothing, &|_| None) {
            Ok(mut documents) => return Ok(documents.guests.remove(0)),
            Err(errors) => errors,
        };
        for error in errors {
            last = format!("{}: {}", error.field, error.cause);
            if !error.field.starts_with("spec.") || !remove(document, &error.field) {
                return Err(ImportError::Refused(last));
            }
            notes.push(format!(
                "decide: as a field of the document it is refused, so it is in `overrides`: {last}"
            ));
        }
    }
    Err(ImportError::Refused(last))
}

/// Takes a field out, or, where it is what is missing, the one around it.
fn remove(document: &mut Value, field: &str) -> bool {
    let mut path = field;
    loop {
        // An entry of a list goes with the whole list, as the entries belong together.
        if let Some(list) = path.rfind('[').filter(|_| path.ends_with(']')) {
            path = &path[..list];
            continue;
        }
        if berth_api::read_field(document, path).is_some() {
            set_field(document, path, Value::Null);
            return path.matches('.').count() >= 1;
        }
        match path.rfind('.') {
            Some(end) => path = &path[..end],
            None => return false,
        }
    }
}

/// The HostedCluster and the NodePools as a document has them.
fn rendered(guest: &GuestCluster) -> impl Iterator<Item = (bool, String, Value)> {
    let wanted = [resources::HOSTED_CLUSTER, resources::NODE_POOL];
    render::hosted_cluster(guest, Dialect::default())
        .into_iter()
        .filter(move |rendered| wanted.contains(&rendered.object.resource))
        .map(|rendered| {
            let is_pool = rendered.object.resource == resources::NODE_POOL;
            (is_pool, rendered.object.name, rendered.fields)
        })
}

#[cfg(test)]
mod tests;
