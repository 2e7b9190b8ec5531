//! KubeVirt: from a VirtualMachine to an instance, from an instance to a pod, and, for the workers of a hosted cluster, from
//! a running instance to a node in the guest's API server.
//!
//! `machine` is virt-controller on VirtualMachines, `instance` on their instances, `guest_node` the kubelet that would run
//! inside. Pods are run by `workloads`, disks are imported by `cdi`.

mod eviction;
mod guest_node;
mod instance;
mod machine;

pub(crate) use eviction::EvictionInterceptor;
pub(crate) use guest_node::GuestNodes;
pub(crate) use instance::VirtualMachineInstances;
pub(crate) use machine::VirtualMachines;

const NAME: &str = "kubevirt";
const MANAGER: &str = "virt-controller";

/// On an instance: how far the node inside it is, `NotReady` or `Ready`. A real instance says nothing of it. Here it lets
/// the controllers that wait for the node hear of it without watching each guest.
const GUEST_NODE: &str = "lab.berth.dev/guest-node";
