//! The CRDs that a lab serves: its own, written from the facts, or another set's for the same kinds.
//!
//! A file here holds the kinds of one product as `fn crds() -> Vec<Value>`, built with [`crd`]. Kinds of an operator
//! appear in the API when it is installed, not before; [`base`] are those that are there from the start.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::client::name_of;
use crate::generation::Generation;

pub(crate) mod cluster_api;
pub(crate) mod crd;
pub(crate) mod hypershift;
pub(crate) mod multicluster_engine;
mod oadp;
pub(crate) mod olm;
pub(crate) mod open_cluster_management;
mod openshift;
mod platform;
mod virtualization;

/// CRDs that stand in for the lab's own of the same name (`lab start --crds DIR`). Empty as a rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides(BTreeMap<String, Value>);

impl Overrides {
    /// From CustomResourceDefinition objects.
    pub(crate) fn new(crds: impl IntoIterator<Item = Value>) -> Self {
        Self(crds.into_iter().map(|crd| (name_of(&crd).to_owned(), crd)).collect())
    }

    /// The CRDs to serve in place of ours: the other set's where it has one of that name. How versions are converted is the
    /// installer's to say, and in no set's files.
    pub(crate) fn resolve(&self, ours: Vec<Value>) -> Vec<Value> {
        let resolved = |ours: Value| match self.0.get(name_of(&ours)) {
            None => ours,
            Some(theirs) => {
                let mut theirs = theirs.clone();
                let own = ours.pointer("/spec/conversion");
                if let Some(conversion) = own.filter(|_| theirs.pointer("/spec/conversion").is_none()) {
                    theirs["spec"]["conversion"] = conversion.clone();
                }
                theirs
            }
        };
        ours.into_iter().map(resolved).collect()
    }
}

/// The kinds that a management cluster has before Berth's procedure begins.
pub(crate) fn base(generation: Generation) -> Vec<Value> {
    [
        openshift::crds(generation),
        platform::crds(),
        virtualization::crds(generation),
        olm::crds(generation),
        oadp::crds(),
    ]
    .concat()
}

/// The kinds that a guest has from the start: its own configuration, operators and routes.
pub(crate) fn guest(generation: Generation) -> Vec<Value> {
    openshift::crds(generation)
}
