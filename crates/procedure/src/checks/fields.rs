//! Rules about single fields: those that this hub's HyperShift does not know, and those that can't be changed any more.
//!
//! A 4.17 server drops the former and takes edits of the latter without a word, so both are held against what is there.

use berth_api::{GuestCluster, Quantity, resources, views};
use serde_json::Value;

use crate::checks::{CheckResult, Rule, guests};
use crate::facts::{Facts, Selector};
use crate::read::crd;
use crate::render::{self, Dialect, Rendered};

/// Fields that older operators lack, each with the field of the document that asks for it.
const LATER_FIELDS: [(&str, &str); 5] = [
    ("spec.capabilities", "spec.capabilities"),
    ("spec.kubeAPIServerDNSName", "spec.controlPlane.kubeAPIServerDNSName"),
    ("spec.labels", "spec.controlPlane.labels"),
    ("spec.networking.allocateNodeCIDRs", "spec.networking.allocateNodeCIDRs"),
    ("spec.operatorConfiguration", "spec.networking"),
];

/// Fields of a HostedCluster that stay as they were made, each with the document's.
const FIXED: [(&[&str], &str); 9] = [
    (&["controllerAvailabilityPolicy"], "spec.controlPlane.availability"),
    (
        &["etcd", "managed", "storage", "persistentVolume", "size"],
        "spec.controlPlane.etcd.size",
    ),
    (
        &["etcd", "managed", "storage", "persistentVolume", "storageClassName"],
        "spec.controlPlane.etcd.storageClass",
    ),
    (&["fips"], "spec.fips"),
    (&["infraID"], "spec.infraID"),
    (&["networking", "clusterNetwork"], "spec.networking.clusterNetwork"),
    (&["networking", "machineNetwork"], "spec.networking.machineNetwork"),
    (&["networking", "serviceNetwork"], "spec.networking.serviceNetwork"),
    (&["olmCatalogPlacement"], "spec.olmCatalogPlacement"),
];

/// A field that a document asks for and this hub does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// The object that would have it, as people name it.
    pub(crate) object: String,
    /// The field, as upstream spells it.
    pub(crate) field: String,
}

/// What these rules read besides the HostedClusters.
pub(crate) fn watches() -> [Selector; 2] {
    [crd(resources::HOSTED_CLUSTER), crd(resources::NODE_POOL)]
}

pub(super) fn run(guest: &GuestCluster, facts: &Facts) -> Vec<CheckResult> {
    let label = format!("GuestCluster {}/{}", guest.namespace, guest.name);
    let mut results: Vec<_> = unknown(guest, facts)
        .into_iter()
        .map(|unknown| {
            let title = format!("this hub's HyperShift knows the fields of {}", guest.name);
            Rule::new("unknown-field", title, label.clone())
                .at(guest.positions.at(asked_by(&unknown.field)))
                .refused(told(&unknown), FIX_UNKNOWN)
        })
        .collect();
    results.extend(changed(guest, facts).into_iter().map(|(field, is, wanted)| {
        let title = format!("what {} was made with stays", guest.name);
        Rule::new("fixed-field", title, label.clone())
            .at(guest.positions.at(field))
            .refused(
                format!("`{field}` was made as {is} and can't become {wanted}"),
                "write the former value, or remove the guest and make it anew",
            )
    }));
    results
}

/// What to do about a field that is not known.
pub(crate) const FIX_UNKNOWN: &str =
    "leave the field out, or move the multicluster engine to a channel whose HyperShift has it";

/// What is said of a field that is not known.
pub(crate) fn told(unknown: &Unknown) -> String {
    format!(
        "{} has no field `{}` here; it would be dropped",
        unknown.object, unknown.field
    )
}

/// The fields that a document asks for and this hub's schemas lack; none while the schemas are not there to be asked.
pub(crate) fn unknown(guest: &GuestCluster, facts: &Facts) -> Vec<Unknown> {
    let of_object = |rendered: Rendered| {
        let schema = facts.object(&crd(rendered.object.resource));
        let fields = schema.map(|schema| render::unknown_fields(&rendered.fields, schema));
        let object = rendered.object.to_string();
        fields.unwrap_or_default().into_iter().map(move |field| Unknown {
            object: object.clone(),
            field,
        })
    };
    render::hosted_cluster(guest, Dialect::default())
        .into_iter()
        .filter(|rendered| [resources::HOSTED_CLUSTER, resources::NODE_POOL].contains(&rendered.object.resource))
        .flat_map(of_object)
        .collect()
}

/// The document's field that asks for one of upstream's.
fn asked_by(field: &str) -> &'static str {
    let known = LATER_FIELDS.iter().find(|(upstream, _)| field.starts_with(upstream));
    known.map_or("spec.overrides", |(_, ours)| ours)
}

/// Fixed fields that a document now wants otherwise: the document's field, what it is, what it should become.
fn changed(guest: &GuestCluster, facts: &Facts) -> Vec<(&'static str, String, String)> {
    let Some(live) = guests::hosted_cluster(facts, guest).and_then(|cluster| cluster.get("spec")) else {
        return Vec::new();
    };
    let rendered = render::hosted_cluster(guest, Dialect::default());
    let wanted = rendered
        .iter()
        .find(|rendered| rendered.object.resource == resources::HOSTED_CLUSTER)
        .and_then(|rendered| rendered.fields.get("spec"));
    let Some(wanted) = wanted else { return Vec::new() };
    let differs = |(path, field): &(&[&str], &'static str)| {
        let (is, wanted) = (views::at(live, path)?, views::at(wanted, path)?);
        (!is_within(wanted, is)).then(|| (*field, is.to_string(), wanted.to_string()))
    };
    FIXED.iter().filter_map(differs).collect()
}

/// Whether all that is wanted is there; the server may have added defaults beside it.
fn is_within(wanted: &Value, is: &Value) -> bool {
    match (wanted, is) {
        (Value::Object(wanted), Value::Object(is)) => wanted
            .iter()
            .all(|(name, wanted)| is.get(name).is_some_and(|is| is_within(wanted, is))),
        (Value::Array(wanted), Value::Array(is)) => {
            wanted.len() == is.len() && wanted.iter().zip(is).all(|(wanted, is)| is_within(wanted, is))
        }
        (Value::String(wanted), Value::String(is)) => {
            wanted == is
                || matches!((wanted.parse::<Quantity>(), is.parse::<Quantity>()), (Ok(wanted), Ok(is)) if wanted == is)
        }
        (wanted, is) => wanted == is,
    }
}
