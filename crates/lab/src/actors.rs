//! All actors of a world, in the order in which they are started. A new one adds its module and a line here.

mod cdi;
mod cluster_api;
pub(crate) mod events;
mod hypershift;
mod hypershift_addon;
pub(crate) mod ingress;
mod kubevirt;
mod load_balancer;
mod multicluster_engine;
mod oadp;
mod olm;
mod open_cluster_management;
pub(crate) mod seen;
mod storage;
#[cfg(test)]
mod testing;
mod workloads;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::actor::Actor;

pub(crate) use kubevirt::EvictionInterceptor;
pub(crate) use workloads::SIMULATED;

/// An actor that is to be left out does not exist: more likely a typing error than a wish.
#[derive(Debug, thiserror::Error)]
#[error("there is no actor `{name}`; there are {known}")]
pub struct NoSuchActor {
    name: String,
    /// What there is, joined by commas.
    known: String,
}

/// Every actor but those of some names.
pub(crate) fn all_but(without: &BTreeSet<String>) -> Result<Vec<Arc<dyn Actor>>, NoSuchActor> {
    check_names(without)?;
    let mut actors = all();
    actors.retain(|actor| !without.contains(actor.name()));
    Ok(actors)
}

/// Whether there are actors of these names.
pub(crate) fn check_names(names: &BTreeSet<String>) -> Result<(), NoSuchActor> {
    let known: BTreeSet<&str> = all().iter().map(|actor| actor.name()).collect();
    match names.iter().find(|name| !known.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => Err(NoSuchActor {
            name: name.clone(),
            known: known.into_iter().collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Every actor. One real operator may be several here, with the same name: a controller a kind.
fn all() -> Vec<Arc<dyn Actor>> {
    vec![
        Arc::new(workloads::Deployments),
        Arc::new(workloads::ReplicaSets),
        Arc::new(workloads::StatefulSets),
        Arc::new(workloads::DaemonSets),
        Arc::new(workloads::Jobs),
        Arc::new(workloads::Pods::default()),
        Arc::new(workloads::Budgets::default()),
        Arc::new(storage::Claims::default()),
        Arc::new(storage::Volumes),
        Arc::new(load_balancer::LoadBalancer::default()),
        Arc::new(ingress::IngressControllers),
        Arc::new(ingress::Routes),
        Arc::new(olm::OperatorGroups),
        Arc::new(olm::Subscriptions::default()),
        Arc::new(olm::InstallPlans),
        Arc::new(olm::ServiceVersions::default()),
        Arc::new(olm::Operators),
        Arc::new(multicluster_engine::MultiClusterEngines::default()),
        Arc::new(open_cluster_management::ClusterManagers),
        Arc::new(open_cluster_management::ManagedClusters::default()),
        Arc::new(open_cluster_management::AddOns),
        Arc::new(hypershift_addon::AddonAgent),
        Arc::new(hypershift_addon::CliDownload),
        Arc::new(hypershift_addon::AutoImport::default()),
        Arc::new(hypershift::HostedClusters::default()),
        Arc::new(hypershift::ControlPlanes::default()),
        Arc::new(hypershift::NodePools::default()),
        Arc::new(hypershift::EtcdBackups::default()),
        Arc::new(hypershift::BreakGlass::default()),
        Arc::new(cluster_api::Clusters::default()),
        Arc::new(cluster_api::MachineDeployments::default()),
        Arc::new(cluster_api::MachineSets::default()),
        Arc::new(cluster_api::Machines::default()),
        Arc::new(cluster_api::KubevirtMachines::default()),
        Arc::new(cluster_api::MachineHealthChecks::default()),
        Arc::new(cluster_api::Autoscaler::default()),
        Arc::new(cluster_api::InPlaceUpgrades::default()),
        Arc::new(cluster_api::Evacuations),
        Arc::new(kubevirt::VirtualMachines),
        Arc::new(kubevirt::VirtualMachineInstances::default()),
        Arc::new(kubevirt::GuestNodes::default()),
        Arc::new(cdi::DataVolumes::default()),
        Arc::new(oadp::Backups::default()),
        Arc::new(oadp::Restores::default()),
    ]
}
