//! What a backup of hosted clusters consists of, and how it is written down. No I/O but reading.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{Result, name_of, namespace_of};
use crate::kind::{CONFIG_MAP, HOSTED_CLUSTER, Kind, NAMESPACE, NODE_POOL, SECRET};
use crate::site::GuestId;

/// The kinds that are taken, in the order in which they are brought back. What a control plane's namespace holds besides
/// etcd's volumes is made anew by its operators.
pub(super) const KINDS: [Kind; 5] = [NAMESPACE, SECRET, CONFIG_MAP, HOSTED_CLUSTER, NODE_POOL];

/// A backup's content.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Content {
    /// Each object with its kind.
    pub(super) objects: Vec<(Kind, Value)>,
    /// What the etcd of each guest held.
    pub(super) guests: Vec<(GuestId, Vec<u8>)>,
}

/// Under which name a backup lies in the object storage.
pub(super) fn archive_name(backup: &str) -> String {
    format!("oadp/{backup}")
}

/// Takes what a Backup asks for.
pub(super) async fn take(context: &Context, spec: &Value) -> Result<Content> {
    let mut taken = Content::default();
    for namespace in &included_namespaces(spec) {
        if let Some(found) = context.client.get(NAMESPACE, None, namespace).await? {
            // The control plane's namespace is its operator's to make.
            if found["metadata"]["labels"]["hypershift.openshift.io/hosted-control-plane"].is_null() {
                taken.objects.push((NAMESPACE, found));
            } else {
                continue;
            }
        }
        for kind in KINDS
            .into_iter()
            .filter(|kind| kind.namespaced && takes(spec, kind.plural))
        {
            let found = context.client.list(kind, Some(namespace), "").await?;
            taken.objects.extend(found.into_iter().map(|object| (kind, object)));
        }
    }
    taken
        .objects
        .sort_by_key(|(kind, _)| KINDS.iter().position(|known| known == kind));
    if takes(spec, "persistentvolumeclaims") || takes(spec, "pvc") {
        taken.guests = guests(context, &taken.objects, &included_namespaces(spec));
    }
    Ok(taken)
}

/// The guests whose etcd has its volumes in a namespace that is included.
fn guests(context: &Context, objects: &[(Kind, Value)], namespaces: &[String]) -> Vec<(GuestId, Vec<u8>)> {
    let clusters = objects.iter().filter(|(kind, _)| *kind == HOSTED_CLUSTER);
    let ids = clusters.map(|(_, cluster)| GuestId {
        namespace: namespace_of(cluster).unwrap_or_default().to_owned(),
        name: name_of(cluster).to_owned(),
    });
    ids.filter(|id| namespaces.contains(&format!("{}-{}", id.namespace, id.name.replace('.', "-"))))
        .filter_map(|id| context.site.guests.snapshot(&id).map(|log| (id, log)))
        .collect()
}

pub(super) fn included_namespaces(spec: &Value) -> Vec<String> {
    texts(&spec["includedNamespaces"])
}

/// Whether a resource is asked for; all are where none is named.
fn takes(spec: &Value, plural: &str) -> bool {
    let singular = plural.strip_suffix('s').unwrap_or(plural);
    let names = |list: &Value| {
        texts(list).iter().any(|name| {
            let name = name.split('.').next().unwrap_or_default().to_lowercase();
            name == plural || name == singular || name == "*"
        })
    };
    let included = &spec["includedResources"];
    let all = texts(included).is_empty();
    (all || names(included)) && !names(&spec["excludedResources"])
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten();
    texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

// === impl Content ===

impl Content {
    /// As bytes for the object storage.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let objects: Vec<Value> = (self.objects.iter())
            .map(|(kind, object)| json!({ "kind": kind.kind, "object": object }))
            .collect();
        let guests: Vec<Value> = (self.guests.iter())
            .map(|(id, log)| json!({ "namespace": id.namespace, "name": id.name, "etcd": BASE64_STANDARD.encode(log) }))
            .collect();
        json!({ "objects": objects, "guests": guests }).to_string().into_bytes()
    }

    /// From bytes of the object storage; `None` where they are no backup.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text: Value = serde_json::from_slice(bytes).ok()?;
        let mut content = Self::default();
        for entry in text["objects"].as_array()? {
            let kind = KINDS.into_iter().find(|kind| entry["kind"] == kind.kind)?;
            content.objects.push((kind, entry["object"].clone()));
        }
        for entry in text["guests"].as_array()? {
            let id = GuestId {
                namespace: entry["namespace"].as_str()?.to_owned(),
                name: entry["name"].as_str()?.to_owned(),
            };
            content
                .guests
                .push((id, BASE64_STANDARD.decode(entry["etcd"].as_str()?).ok()?));
        }
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_reads_back_as_it_was_written() {
        let id = GuestId {
            namespace: "hcp".to_owned(),
            name: "guest".to_owned(),
        };
        let content = Content {
            objects: vec![(NODE_POOL, json!({ "metadata": { "name": "a" } }))],
            guests: vec![(id, vec![0, 1, 255])],
        };
        assert_eq!(Content::from_bytes(&content.to_bytes()), Some(content));
        assert_eq!(Content::from_bytes(b"{}"), None);
    }

    #[test]
    fn resources_are_named_in_any_of_their_ways() {
        let spec = json!({ "includedResources": ["hostedcluster", "nodepools.hypershift.openshift.io", "pvc"] });
        assert!(takes(&spec, "hostedclusters") && takes(&spec, "nodepools"));
        assert!(!takes(&spec, "secrets"));
        assert!(takes(&json!({}), "secrets"));
        assert!(!takes(&json!({ "excludedResources": ["secrets"] }), "secrets"));
    }
}
