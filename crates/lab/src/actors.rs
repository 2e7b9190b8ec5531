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
mod olm;
mod open_cluster_management;
pub(crate) mod seen;
mod storage;
#[cfg(test)]
mod testing;
mod workloads;

use std::sync::Arc;

use crate::actor::Actor;

pub(crate) use workloads::SIMULATED;

/// Every actor. One real operator may be several here, with the same name: a controller a kind.
pub(crate) fn all() -> Vec<Arc<dyn Actor>> {
    vec![
        Arc::new(workloads::Deployments),
        Arc::new(workloads::ReplicaSets),
        Arc::new(workloads::StatefulSets),
        Arc::new(workloads::DaemonSets),
        Arc::new(workloads::Jobs),
        Arc::new(workloads::Pods::default()),
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
        Arc::new(cluster_api::Clusters::default()),
        Arc::new(cluster_api::MachineDeployments::default()),
        Arc::new(cluster_api::MachineSets::default()),
        Arc::new(cluster_api::Machines::default()),
        Arc::new(cluster_api::KubevirtMachines::default()),
        Arc::new(kubevirt::VirtualMachines),
        Arc::new(kubevirt::VirtualMachineInstances::default()),
        Arc::new(kubevirt::GuestNodes::default()),
        Arc::new(cdi::DataVolumes::default()),
    ]
}
