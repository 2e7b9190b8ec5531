//! Who runs where, and under which address: the scheduler's and the network's book. Filled from the pods themselves, so
//! that it can be lost at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::actor::Key;
use crate::actors::workloads::has_ended;
use crate::actors::workloads::node_fit::Load;
use crate::actors::workloads::quantity::{Resources, requested};
use crate::client::name_of;

/// A pod's entry.
struct Entry {
    node: String,
    requested: Resources,
    address: Option<Ipv4Addr>,
}

#[derive(Default)]
pub(super) struct Ledger(Mutex<BTreeMap<Key, Entry>>);

impl Ledger {
    /// Takes over what a pod says of itself.
    pub(super) fn record(&self, key: &Key, pod: &Value) {
        match pod["spec"]["nodeName"].as_str() {
            Some(node) if !has_ended(pod) => self.enter(key, node, pod),
            _ => {}
        }
        if has_ended(pod) {
            self.remove(key);
        }
    }

    /// Books a pod on a node before the node knows.
    pub(super) fn place(&self, key: &Key, node: &str, pod: &Value) {
        self.enter(key, node, pod);
    }

    pub(super) fn remove(&self, key: &Key) {
        self.lock().remove(key);
    }

    /// What is on a node.
    pub(super) fn load(&self, node: &str) -> Load {
        self.lock()
            .values()
            .filter(|entry| entry.node == node)
            .fold(Load::default(), |load, entry| Load {
                pods: load.pods + 1,
                requested: load.requested.add(entry.requested),
            })
    }

    /// The pod's address out of its node's part of the cluster network, the same each time it is asked for.
    pub(super) fn address(&self, key: &Key, node: &Value) -> String {
        let mut entries = self.lock();
        if let Some(address) = entries.get(key).and_then(|entry| entry.address) {
            return address.to_string();
        }
        let taken: BTreeSet<Ipv4Addr> = entries.values().filter_map(|entry| entry.address).collect();
        let first = subnet(node);
        // A /23: the first address is the network's, the second the node's gateway, the third its management port.
        let free = (3..510)
            .map(|offset| Ipv4Addr::from(first + offset))
            .find(|address| !taken.contains(address));
        let address = free.unwrap_or_else(|| Ipv4Addr::from(first + 510));
        if let Some(entry) = entries.get_mut(key) {
            entry.address = Some(address);
        }
        address.to_string()
    }

    fn enter(&self, key: &Key, node: &str, pod: &Value) {
        let own = pod["status"]["podIP"]
            .as_str()
            .filter(|_| pod["spec"]["hostNetwork"] != true);
        let own = own.and_then(|address| address.parse().ok());
        let mut entries = self.lock();
        let address = own.or_else(|| entries.get(key).and_then(|entry| entry.address));
        entries.insert(
            key.clone(),
            Entry {
                node: node.to_owned(),
                requested: requested(pod),
                address,
            },
        );
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// First address of the node's part of the cluster network (10.128.0.0/14), as OVN-Kubernetes writes it on the node; a
/// node that has none written gets one by its name.
fn subnet(node: &Value) -> u32 {
    let written = node["metadata"]["annotations"]["k8s.ovn.org/node-subnets"].as_str();
    let written = written.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let network = written.and_then(|subnets| {
        let first = subnets["default"]
            .as_array()
            .and_then(|list| list.first())
            .unwrap_or(&subnets["default"])
            .clone();
        first.as_str()?.split('/').next()?.parse::<Ipv4Addr>().ok()
    });
    let base = u32::from(Ipv4Addr::new(10, 128, 0, 0));
    network.map_or_else(
        || base + (super::hash::fnv(name_of(node).as_bytes()) % 512) * 512,
        u32::from,
    )
}
