//! Names, labels and annotations that HyperShift's controllers agree on.

use serde_json::Value;

use crate::actor::Key;
use crate::client::{Client, Result};
use crate::kind::HOSTED_CONTROL_PLANE;
use crate::objects::annotation;
use crate::site::GuestId;

/// On everything that belongs to a hosted cluster: `namespace/name` of the HostedCluster.
pub(crate) const CLUSTER_ANNOTATION: &str = "hypershift.openshift.io/cluster";
/// On Machines and what makes them: `namespace/name` of the NodePool.
pub(crate) const NODE_POOL_ANNOTATION: &str = "hypershift.openshift.io/nodePool";
/// On a token Secret once a machine has fetched its ignition configuration with it.
pub(crate) const IGNITION_REACHED: &str = "hypershift.openshift.io/ignition-reached";
/// On Machines: the release that they run.
pub(crate) const RELEASE_VERSION: &str = "hypershift.openshift.io/release-version";
/// Before the name of each label on a Machine that its node is to get.
pub(crate) const MANAGED_LABEL: &str = "managed.hypershift.openshift.io";
/// On Machines: the taints that their nodes are to get, as JSON.
pub(crate) const TAINTS_ANNOTATION: &str = "hypershift.openshift.io/nodePoolTaints";
/// Finalizer of HostedCluster, NodePool and HostedControlPlane.
pub(super) const FINALIZER: &str = "hypershift.openshift.io/finalizer";
/// Finalizer of the Deployments that must outlive the Cluster API objects.
pub(super) const COMPONENT_FINALIZER: &str = "hypershift.openshift.io/component-finalizer";
/// Asks for the guest's own resources to be removed before its control plane is.
pub(super) const CLEANUP_ANNOTATION: &str = "hypershift.openshift.io/cleanup-cloud-resources";

/// The namespace of a hosted cluster's control plane and virtual machines.
pub(super) fn control_plane_namespace(hosted_cluster: &Key) -> String {
    let namespace = hosted_cluster.namespace().unwrap_or_default();
    format!("{namespace}-{}", hosted_cluster.name.replace('.', "-"))
}

/// The HostedCluster that an object's annotation names.
pub(super) fn cluster_key(object: &Value) -> Option<Key> {
    key_in(object, CLUSTER_ANNOTATION)
}

/// The NodePool that an object's annotation names.
pub(super) fn node_pool_key(object: &Value) -> Option<Key> {
    key_in(object, NODE_POOL_ANNOTATION)
}

/// The guest that an object's annotation names.
pub(super) fn guest_id(object: &Value) -> Option<GuestId> {
    let key = cluster_key(object)?;
    Some(GuestId {
        namespace: key.namespace?,
        name: key.name,
    })
}

/// The guest whose control plane lives in a namespace.
pub(crate) async fn guest_of_namespace(client: &Client, namespace: &str) -> Result<Option<GuestId>> {
    let control_planes = client.list(HOSTED_CONTROL_PLANE, Some(namespace), "").await?;
    Ok(control_planes.first().and_then(guest_id))
}

/// `value` of `namespace/name`.
pub(super) fn qualified(key: &Key) -> String {
    format!("{}/{}", key.namespace().unwrap_or_default(), key.name)
}

/// The hash of FNV-1a with 32 bits, as eight hexadecimal digits: what HyperShift puts behind names of generated objects.
pub(super) fn hash8(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{hash:08x}")
}

fn key_in(object: &Value, name: &str) -> Option<Key> {
    let (namespace, name) = annotation(object, name)?.split_once('/')?;
    Some(Key::named(Some(namespace), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_plane_namespace_joins_both_names_without_dots() {
        assert_eq!(
            control_plane_namespace(&Key::named(Some("hcp"), "guest.one")),
            "hcp-guest-one"
        );
    }

    #[test]
    fn hash8_is_fnv1a() {
        // Published test vectors of FNV-1a 32.
        assert_eq!(hash8(""), "811c9dc5");
        assert_eq!(hash8("a"), "e40c292c");
        assert_eq!(hash8("foobar"), "bf9cf968");
    }
}
