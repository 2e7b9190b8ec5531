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
    labels: Value,
    controller: Value,
}

/// What is on a node.
#[derive(Default)]
struct OnNode {
    load: Load,
    addresses: BTreeSet<Ipv4Addr>,
}

/// All entries, by pod (those of a namespace beside each other), and what they come to on each node.
#[derive(Default)]
struct Book {
    pods: BTreeMap<Key, Entry>,
    nodes: BTreeMap<String, OnNode>,
}

#[derive(Default)]
pub(super) struct Ledger(Mutex<Book>);

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
        self.lock().nodes.get(node).map(|on| on.load).unwrap_or_default()
    }

    /// How many of its like the nodes have, the pod itself left out: those that it wants to be spread among, and those of
    /// the same controller, which the scheduler spreads unasked.
    pub(super) fn alike(&self, pod: &Value) -> BTreeMap<String, (usize, usize)> {
        let own = Key::of(pod);
        let controller = controller(pod);
        let book = self.lock();
        let mut alike: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for (_, entry) in book.beside(&own).filter(|(key, _)| **key != own) {
            let sibling = !controller.is_null() && entry.controller == controller;
            let spread = is_spread_among(pod, &entry.labels);
            if sibling || spread {
                let on = alike.entry(entry.node.clone()).or_default();
                (on.0, on.1) = (on.0 + usize::from(spread), on.1 + usize::from(sibling));
            }
        }
        alike
    }

    /// The pod's address out of its node's part of the cluster network, the same each time it is asked for.
    pub(super) fn address(&self, key: &Key, node: &Value) -> String {
        let mut book = self.lock();
        if let Some(address) = book.pods.get(key).and_then(|entry| entry.address) {
            return address.to_string();
        }
        let first = subnet(node);
        let taken = book.nodes.get(name_of(node)).map(|on| &on.addresses);
        // A /23: the first address is the network's, the second the node's gateway, the third its management port.
        let free = (3..510)
            .map(|offset| Ipv4Addr::from(first + offset))
            .find(|address| taken.is_none_or(|taken| !taken.contains(address)));
        let address = free.unwrap_or_else(|| Ipv4Addr::from(first + 510));
        if let Some(mut entry) = book.remove(key) {
            entry.address = Some(address);
            book.insert(key, entry);
        }
        address.to_string()
    }

    fn enter(&self, key: &Key, node: &str, pod: &Value) {
        let own = pod["status"]["podIP"]
            .as_str()
            .filter(|_| pod["spec"]["hostNetwork"] != true);
        let own = own.and_then(|address| address.parse().ok());
        let mut book = self.lock();
        let former = book.remove(key);
        let address = own.or_else(|| former.and_then(|entry| entry.address));
        book.insert(
            key,
            Entry {
                node: node.to_owned(),
                requested: requested(pod),
                address,
                labels: pod["metadata"]["labels"].clone(),
                controller: controller(pod),
            },
        );
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn insert(&mut self, key: &Key, entry: Entry) {
        let on = self.nodes.entry(entry.node.clone()).or_default();
        on.load.pods += 1;
        on.load.requested = on.load.requested.add(entry.requested);
        on.addresses.extend(entry.address);
        self.pods.insert(key.clone(), entry);
    }

    fn remove(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.pods.remove(key)?;
        if let Some(on) = self.nodes.get_mut(&entry.node) {
            on.load.pods -= 1;
            on.load.requested = on.load.requested.less(entry.requested);
            if let Some(address) = &entry.address {
                on.addresses.remove(address);
            }
        }
        Some(entry)
    }

    /// The entries of a pod's namespace.
    fn beside(&self, key: &Key) -> impl Iterator<Item = (&Key, &Entry)> {
        let first = Key::named(key.namespace(), "");
        let namespace = first.namespace.clone();
        self.pods
            .range(first..)
            .take_while(move |(other, _)| other.namespace == namespace)
    }
}

/// The uid of the pod's controller.
fn controller(pod: &Value) -> Value {
    let owners = pod["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let mut controllers = owners.filter(|owner| owner["controller"] == true);
    controllers.next().map_or(Value::Null, |owner| owner["uid"].clone())
}

/// Whether the pod wants to be spread over hosts among pods with these labels.
fn is_spread_among(pod: &Value, labels: &Value) -> bool {
    let constraints = pod["spec"]["topologySpreadConstraints"]
        .as_array()
        .into_iter()
        .flatten();
    let mut by_host = constraints.filter(|constraint| constraint["topologyKey"] == "kubernetes.io/hostname");
    by_host.any(|constraint| {
        let wanted = constraint["labelSelector"]["matchLabels"].as_object();
        wanted.is_some_and(|wanted| wanted.iter().all(|(key, value)| labels[key] == *value))
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, controller: &str, labels: &Value) -> Value {
        json!({
            "metadata": {
                "name": name,
                "namespace": "n",
                "labels": labels,
                "ownerReferences": [{ "uid": controller, "controller": true }],
            },
            "spec": { "topologySpreadConstraints": [{
                "topologyKey": "kubernetes.io/hostname",
                "labelSelector": { "matchLabels": { "pool": "p" } },
            }] },
        })
    }

    #[test]
    fn knows_a_pods_like_on_a_node() {
        let ledger = Ledger::default();
        for (name, node, controller, pool) in [("a", "one", "x", "p"), ("b", "one", "y", "q"), ("c", "two", "x", "q")] {
            let pod = pod(name, controller, &json!({ "pool": pool }));
            ledger.place(&Key::of(&pod), node, &pod);
        }
        let new = pod("d", "x", &json!({ "pool": "p" }));
        let alike = ledger.alike(&new);
        let alike: Vec<_> = alike.iter().map(|(node, counts)| (node.as_str(), *counts)).collect();
        assert_eq!(alike, [("one", (1, 1)), ("two", (0, 1))]);
    }

    #[test]
    fn a_node_holds_what_was_placed_and_not_removed() {
        let ledger = Ledger::default();
        let pods = ["a", "b", "c"].map(|name| pod(name, "x", &json!({})));
        for pod in &pods {
            ledger.place(&Key::of(pod), "one", pod);
        }
        let node = json!({ "metadata": { "name": "one" } });
        let addresses = pods.each_ref().map(|pod| ledger.address(&Key::of(pod), &node));
        assert_eq!(addresses.iter().collect::<BTreeSet<_>>().len(), 3);
        ledger.place(&Key::of(&pods[0]), "two", &pods[0]);
        ledger.remove(&Key::of(&pods[1]));
        assert_eq!((ledger.load("one").pods, ledger.load("two").pods), (1, 1));
        assert_eq!(ledger.address(&Key::of(&pods[2]), &node), addresses[2]);
    }
}
