//! Where a guest's objects are: names, namespaces and the selectors that show them.

use berth_api::{Resource, resources};

use crate::change::ObjectRef;
use crate::facts::{Facts, Selector, Target};
use crate::read::{annotation, name, objects, text};

/// A guest, by its HostedCluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GuestRef {
    /// Namespace of the HostedCluster.
    pub(crate) namespace: String,
    /// Name of the HostedCluster.
    pub(crate) name: String,
}

impl GuestRef {
    pub(crate) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The namespace of the control plane and of the worker VMs; a namespace has no dots, so they become dashes.
    pub(crate) fn control_plane_namespace(&self) -> String {
        format!("{}-{}", self.namespace, self.name.replace('.', "-"))
    }

    /// The guest's own API server.
    pub(crate) fn target(&self) -> Target {
        Target::Guest {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// The HostedCluster's address.
    pub(crate) fn object(&self) -> ObjectRef {
        ObjectRef::namespaced(resources::HOSTED_CLUSTER, &self.namespace, &self.name)
    }

    /// The HostedCluster as people name it.
    pub(crate) fn label(&self) -> String {
        self.object().to_string()
    }

    /// The HostedCluster.
    pub(crate) fn hosted_cluster(&self) -> Selector {
        Selector::named(resources::HOSTED_CLUSTER, &self.namespace, &self.name)
    }

    /// The NodePools beside it.
    pub(crate) fn node_pools(&self) -> Selector {
        Selector::in_namespace(resources::NODE_POOL, &self.namespace)
    }

    /// A kind in the control-plane namespace.
    pub(crate) fn inside(&self, resource: &'static Resource) -> Selector {
        Selector::in_namespace(resource, self.control_plane_namespace())
    }

    /// A kind on the guest's own API server.
    pub(crate) fn on_guest(&self, resource: &'static Resource) -> Selector {
        Selector::all(resource).on(self.target())
    }

    /// What the walk over the control plane reads.
    pub(crate) fn control_plane_watches(&self) -> Vec<Selector> {
        let mut watches = vec![self.hosted_cluster(), self.node_pools()];
        watches.extend(
            [
                resources::DEPLOYMENT,
                resources::STATEFUL_SET,
                resources::POD,
                resources::SERVICE,
                resources::PERSISTENT_VOLUME_CLAIM,
                resources::CONTROL_PLANE_COMPONENT,
            ]
            .map(|resource| self.inside(resource)),
        );
        watches.push(Selector::all(resources::STORAGE_CLASS));
        watches.push(Selector::all(resources::METAL_LB));
        watches.push(Selector::all(resources::IP_ADDRESS_POOL));
        watches
    }

    /// What the walk over the workers reads besides.
    pub(crate) fn worker_watches(&self) -> Vec<Selector> {
        let kinds = [
            resources::MACHINE,
            resources::VIRTUAL_MACHINE,
            resources::VIRTUAL_MACHINE_INSTANCE,
            resources::DATA_VOLUME,
        ];
        let mut watches: Vec<_> = kinds.map(|resource| self.inside(resource)).into();
        watches.push(self.on_guest(resources::NODE));
        watches
    }
}

/// A worker by the names of what it consists of. They mostly are the same; a Cluster API that names the virtual machine
/// after its template says so in the Machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Worker<'a> {
    /// The Machine.
    pub(crate) machine: &'a str,
    /// The virtual machine.
    pub(crate) vm: &'a str,
    /// The node in the guest.
    pub(crate) node: &'a str,
}

/// A pool's workers. The Machine's annotation says whose it is, or, where it is missing, its name does.
pub(crate) fn workers_of<'a>(facts: &'a Facts, guest: &GuestRef, pool: &str) -> Vec<Worker<'a>> {
    let full = format!("{}/{pool}", guest.namespace);
    objects(facts, &guest.inside(resources::MACHINE))
        .filter(
            |machine| match annotation(machine, "hypershift.openshift.io/nodePool") {
                Some(owner) => owner == full,
                None => name(machine).starts_with(&format!("{pool}-")),
            },
        )
        .map(|machine| {
            let vm = text(machine, &["spec", "infrastructureRef", "name"]).unwrap_or(name(machine));
            Worker {
                machine: name(machine),
                vm,
                node: text(machine, &["status", "nodeRef", "name"]).unwrap_or(vm),
            }
        })
        .collect()
}
