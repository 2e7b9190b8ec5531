//! Documents → steps.

use std::sync::Arc;

use berth_api::{Documents, WildcardPolicy};

use crate::owner::Owner;
use crate::step::{Dependency, Step};
use crate::steps::cli::Cli;
use crate::steps::engine::Engine;
use crate::steps::engine_operator::EngineOperator;
use crate::steps::guest::identity::Wanting;
use crate::steps::guest::{Access, BreakGlass, Cluster, Identity, Pool, Removal, Rollout};
use crate::steps::ids;
use crate::steps::ingress::Ingress;
use crate::steps::prerequisites::Prerequisites;
use crate::steps::storage::Storage;
use crate::walk::GuestRef;

/// The machine that programs are fetched for, in the words of download links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// `linux`, `darwin`, `windows`.
    pub os: String,
    /// `amd64`, `arm64`, `ppc64le`, `s390x`.
    pub arch: String,
}

// === impl Platform ===

impl Platform {
    /// A platform in the words of the Rust compiler (`std::env::consts::{OS, ARCH}`), put into those of download links.
    pub fn of_rust(os: &str, arch: &str) -> Self {
        let os = if os == "macos" { "darwin" } else { os };
        let arch = match arch {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "powerpc64" => "ppc64le",
            other => other,
        };
        Self {
            os: os.to_owned(),
            arch: arch.to_owned(),
        }
    }

    /// Whether a link is for this platform: both words stand in its path as whole words, in whatever layout.
    pub(crate) fn is_meant_by(&self, href: &str) -> bool {
        let path = href
            .split_once("://")
            .map_or(href, |(_, rest)| rest)
            .split_once('/')
            .map_or("", |(_, path)| path);
        let words = || path.split(|c: char| !c.is_ascii_alphanumeric());
        words().any(|word| word == self.os) && words().any(|word| word == self.arch)
    }
}

/// The steps that make documents true, in an order in which each stands after those that it needs.
pub fn compile(documents: &Documents, platform: &Platform) -> Vec<Box<dyn Step>> {
    let spec = &documents.management.spec;
    let owner = Owner::management(match documents.management.name.as_str() {
        "" => "management",
        name => name,
    });
    let settings = Arc::new(spec.multicluster_engine.clone());
    let mut steps: Vec<Box<dyn Step>> = vec![Box::new(Prerequisites::new(documents.clone()))];
    let mut before_engine = vec![Dependency {
        step: ids::ENGINE_OPERATOR.into(),
        reason: "the operator brings the kind MultiClusterEngine",
    }];
    if spec.ingress.wildcard_policy == WildcardPolicy::WildcardsAllowed {
        steps.push(Box::new(Ingress::new(spec.ingress.clone())));
        before_engine.push(Dependency {
            step: ids::INGRESS.into(),
            reason: "guests publish a wildcard route",
        });
    }
    if let Some(class) = &spec.storage.default_class {
        steps.push(Box::new(Storage::new(class, spec.storage.takeover)));
        before_engine.push(Dependency {
            step: ids::STORAGE.into(),
            reason: "volumes of what follows take the default class",
        });
    }
    steps.push(Box::new(EngineOperator::new(owner.clone(), settings.clone())));
    steps.push(Box::new(Engine::new(owner.clone(), settings, before_engine)));
    if spec.cli.fetch {
        steps.push(Box::new(Cli::new(platform.clone())));
    }
    for guest in &documents.guests {
        steps.extend(guest_steps(&owner, &Arc::new(guest.clone())));
    }
    steps
}

fn guest_steps(management: &Owner, guest: &Arc<berth_api::GuestCluster>) -> Vec<Box<dyn Step>> {
    let mut steps: Vec<Box<dyn Step>> = vec![Box::new(Cluster::new(management.clone(), guest.clone()))];
    for pool in &guest.spec.node_pools {
        steps.push(Box::new(Pool::new(guest, pool)));
    }
    steps.push(Box::new(Rollout::new(guest)));
    steps.push(Box::new(Access::new(guest.clone())));
    if let Some(section) = &guest.spec.identity {
        let wanting = Arc::new(Wanting::new(guest.clone(), section.clone()));
        let place = GuestRef::new(&guest.namespace, &guest.name);
        steps.push(Box::new(BreakGlass::new(place, section.clone(), wanting.clone())));
        steps.push(Box::new(Identity::new(guest.clone(), section.clone(), wanting)));
    }
    steps
}

/// The steps whose removal takes a guest away, where no document is at hand.
pub fn compile_removal(namespace: &str, name: &str) -> Vec<Box<dyn Step>> {
    vec![Box::new(Removal::new(GuestRef::new(namespace, name)))]
}

#[cfg(test)]
mod tests;
