//! HyperShift: the operator on the management cluster and, for each hosted cluster, the operators in its control-plane
//! namespace. Controllers, of which each may be read alone:
//!
//! - `hosted_cluster`: HostedCluster → control-plane namespace, secrets, HostedControlPlane, Cluster API objects, status;
//! - `control_plane`: HostedControlPlane → Services, Routes, PKI, etcd, the Deployments, and what the guest holds;
//! - `node_pool`: NodePool → machine template, MachineDeployment or MachineSet, status;
//! - `break_glass`: requests for certificates → the control-plane PKI operator's approval, signature, revocation;
//! - `names`, `release`, `pull_secret`, `networks`: what they agree on, without I/O.
//!
//! What is not here: machines (`cluster_api`), virtual machines (`kubevirt`), disks (`cdi`), pods (`workloads`).

mod break_glass;
mod components;
mod control_plane;
mod etcd_backup;
mod hosted_cluster;
mod identity_providers;
mod index;
mod names;
mod networks;
mod node_pool;
mod paused;
mod pull_secret;
mod references;
mod release;

#[cfg(test)]
mod tests;

pub(crate) use break_glass::BreakGlass;
pub(crate) use control_plane::ControlPlanes;
pub(crate) use etcd_backup::EtcdBackups;
pub(crate) use hosted_cluster::HostedClusters;
pub(crate) use names::{IGNITION_REACHED, NODE_POOL_ANNOTATION, RELEASE_VERSION, guest_of_namespace};
pub(crate) use node_pool::NodePools;
pub(crate) use release::kubelet_version;
