//! Plays the operator lifecycle manager: from a Subscription to an operator that runs.
//!
//! In the order of events: `subscriptions` (catalogs asked, a version resolved by `resolve`, its bundle unpacked by
//! `unpack`, an InstallPlan made), `install_plans` (the steps of a plan), `service_versions` (an operator's Deployments,
//! and its phase as `csv_phase` decides it), `operator_groups`, `operators` (what belongs to an operator, listed).
//!
//! Not played: copied ClusterServiceVersions, RBAC from OperatorGroups, certificates of webhooks, garbage of old plans.

mod csv_phase;
mod install_plans;
mod operator_groups;
mod operators;
mod resolve;
mod service_versions;
mod subscription_status;
mod subscriptions;
#[cfg(test)]
mod tests;
mod unpack;

use serde_json::{Value, json};

use crate::client::{name_of, namespace_of};

pub(crate) use install_plans::InstallPlans;
pub(crate) use operator_groups::OperatorGroups;
pub(crate) use operators::Operators;
pub(crate) use service_versions::ServiceVersions;
pub(crate) use subscriptions::Subscriptions;

const NAME: &str = "olm";
/// The catalog operator: Subscriptions and InstallPlans.
const CATALOG_OPERATOR: &str = "catalog";
/// The OLM operator proper: ClusterServiceVersions and OperatorGroups.
const OLM_OPERATOR: &str = "olm";

/// The label that OLM puts on all that belongs to a package installed in a namespace.
fn component_label(package: &str, namespace: &str) -> String {
    let label = format!("{package}.{namespace}");
    // A label's name has at most 63 characters, and what is cut must not leave it ending in a separator.
    let cut = label.get(..63).unwrap_or(&label);
    format!("operators.coreos.com/{}", cut.trim_end_matches(['.', '-', '_']))
}

/// A CatalogSource as other objects name it.
fn catalog_reference(catalog: &Value) -> Value {
    json!({
        "apiVersion": "operators.coreos.com/v1alpha1",
        "kind": "CatalogSource",
        "name": name_of(catalog),
        "namespace": namespace_of(catalog),
        "uid": catalog["metadata"]["uid"],
        "resourceVersion": catalog["metadata"]["resourceVersion"],
    })
}

/// Whether a catalog's server answers.
fn is_ready(catalog: &Value) -> bool {
    catalog["status"]["connectionState"]["lastObservedState"] == "READY"
}
