//! How much room more machines of a pool need on the management cluster's nodes, and whether it is there.
//!
//! A machine runs on one node, so what counts is how many fit node by node, not the sum of what is free.

use std::sync::Arc;

use berth_api::{Quantity, resources, views};
use serde::Serialize;
use serde_json::Value;

use crate::capacity::Amount;
use crate::checks::hub::is_schedulable;
use crate::facts::{Facts, Seen, Selector};
use crate::read::{label, name, text};

/// What machines need that are there for a while, or from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// How many machines.
    pub machines: u32,
    /// Virtual cores of each.
    pub cores: u64,
    /// What each reserves of processors, in thousandths of a core.
    pub millicores: u64,
    /// What each reserves of memory, in bytes: its own, and what KubeVirt needs beside it.
    pub bytes: u64,
    /// Each one's disk, as the NodePool spells it.
    pub disk: String,
    /// The disk's storage class; empty for the default for virtual machines.
    pub storage_class: String,
    /// How many such machines the nodes have room for now; `None` where nodes or pods can't be read.
    pub fits: Option<u32>,
    /// Whether the machines run on another cluster, whose nodes are not seen from here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
}

/// What KubeVirt reserves of a node for each virtual core of a machine that does not reserve them whole.
const SHARED_CORE: u64 = 100;
/// What the launcher and the emulator of a machine need beside its memory, roughly.
const OVERHEAD: u64 = 256 << 20;
/// What page tables take, as a part of the memory; and what each core takes.
const PAGE_TABLES: u64 = 512;
const PER_CORE: u64 = 8 << 20;

/// What [`Free`] reads.
pub(super) fn watches() -> [Selector; 2] {
    [Selector::all(resources::NODE), Selector::all(resources::POD)]
}

/// What is known of the nodes.
enum Nodes {
    Unread,
    /// What they have can't be told.
    Untold,
    /// Each with what it has left.
    Left(Vec<(Arc<Value>, Amount)>),
}

/// What the nodes have free, less what was given to machines already: pools that roll together need their room together.
pub(super) struct Free<'a> {
    facts: &'a Facts,
    /// Whether the guest's machines run on a cluster of their own, whose nodes are not seen from here.
    elsewhere: bool,
    /// Each node with what it has left; read when it is first asked for.
    nodes: Nodes,
}

impl<'a> Free<'a> {
    pub(super) fn new(facts: &'a Facts, cluster: &Value) -> Self {
        Self {
            facts,
            elsewhere: !cluster["spec"]["platform"]["kubevirt"]["credentials"].is_null(),
            nodes: Nodes::Unread,
        }
    }

    /// Room for so many machines of a pool as it will be, which is theirs from then on.
    pub(super) fn room(&mut self, pool: &Value, machines: u32) -> Room {
        let kubevirt = &pool["spec"]["platform"]["kubevirt"];
        let compute = &kubevirt["compute"];
        let cores = compute["cores"].as_u64().unwrap_or(2);
        let own = amount(&compute["memory"]).unwrap_or(8 << 30);
        let is_whole = text(compute, &["qosClass"]) == Some("Guaranteed");
        let millicores = cores * if is_whole { 1000 } else { SHARED_CORE };
        let bytes = own + OVERHEAD + own / PAGE_TABLES + cores * PER_CORE;
        let volume = &kubevirt["rootVolume"]["persistent"];
        let each = Amount {
            millicores,
            bytes,
            pods: 1,
        };
        Room {
            machines,
            cores,
            millicores,
            bytes,
            disk: text(volume, &["size"]).unwrap_or("32Gi").to_owned(),
            storage_class: text(volume, &["storageClass"]).unwrap_or_default().to_owned(),
            fits: self.fits(each, machines, &kubevirt["nodeSelector"]),
            elsewhere: self.elsewhere,
        }
    }

    /// How many machines find room, node by node. What the wanted ones take is free no more.
    fn fits(&mut self, each: Amount, wanted: u32, selector: &Value) -> Option<u32> {
        let (facts, elsewhere) = (self.facts, self.elsewhere);
        if let Nodes::Unread = self.nodes {
            let read = if elsewhere { None } else { free(facts) };
            self.nodes = read.map_or(Nodes::Untold, Nodes::Left);
        }
        let Nodes::Left(nodes) = &mut self.nodes else {
            return None;
        };
        let mut left = u64::from(wanted);
        let mut fits = 0;
        for (_, free) in nodes.iter_mut().filter(|(node, _)| is_selected(node, selector)) {
            let share = |free: u64, each: u64| free.checked_div(each).unwrap_or(u64::MAX);
            let here = share(free.millicores, each.millicores)
                .min(share(free.bytes, each.bytes))
                .min(free.pods);
            let taken = here.min(left);
            let all = Amount {
                millicores: each.millicores * taken,
                bytes: each.bytes * taken,
                pods: taken,
            };
            *free = less(*free, all);
            left -= taken;
            fits += here;
        }
        Some(u32::try_from(fits).unwrap_or(u32::MAX))
    }
}

/// The nodes that take machines, each with what it has free; `None` where nodes or pods can't be read.
fn free(facts: &Facts) -> Option<Vec<(Arc<Value>, Amount)>> {
    let [nodes, pods] = watches();
    let (Seen::Objects(nodes), Seen::Objects(pods)) = (facts.seen(&nodes), facts.seen(&pods)) else {
        return None;
    };
    let takes = |node: &&Arc<Value>| is_schedulable(node) && label(node, "kubevirt.io/schedulable") != Some("false");
    let with_free = |node: &Arc<Value>| {
        let here = pods
            .iter()
            .filter(|pod| text(pod, &["spec", "nodeName"]) == Some(name(node)));
        let free = here.fold(allocatable(node), |free, pod| less(free, requested(pod)));
        (Arc::clone(node), free)
    };
    Some(nodes.iter().filter(takes).map(with_free).collect())
}

fn is_selected(node: &Value, selector: &Value) -> bool {
    let wanted = selector.as_object().into_iter().flatten();
    wanted
        .into_iter()
        .all(|(key, value)| label(node, key) == value.as_str())
}

fn allocatable(node: &Value) -> Amount {
    let amounts = &node["status"]["allocatable"];
    Amount {
        millicores: thousandths(&amounts["cpu"]),
        bytes: amount(&amounts["memory"]).unwrap_or(0),
        pods: amount(&amounts["pods"]).unwrap_or(0),
    }
}

/// What a pod reserves. One that has ended reserves nothing.
fn requested(pod: &Value) -> Amount {
    if matches!(text(pod, &["status", "phase"]), Some("Succeeded" | "Failed")) {
        return Amount::default();
    }
    let of = |list: &str| {
        views::list(pod, &["spec", list]).iter().map(|container| {
            let requests = &container["resources"]["requests"];
            (thousandths(&requests["cpu"]), amount(&requests["memory"]).unwrap_or(0))
        })
    };
    let first = of("initContainers").fold((0, 0), |most, one| (most.0.max(one.0), most.1.max(one.1)));
    let all = of("containers").fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Amount {
        millicores: first.0.max(all.0),
        bytes: first.1.max(all.1),
        pods: 1,
    }
}

fn less(free: Amount, taken: Amount) -> Amount {
    Amount {
        millicores: free.millicores.saturating_sub(taken.millicores),
        bytes: free.bytes.saturating_sub(taken.bytes),
        pods: free.pods.saturating_sub(taken.pods),
    }
}

fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

fn amount(value: &Value) -> Option<u64> {
    quantity(value).and_then(|quantity| u64::try_from(quantity.whole()).ok())
}

fn thousandths(value: &Value) -> u64 {
    let number = quantity(value).and_then(|quantity| u64::try_from(quantity.thousandths()).ok());
    number.unwrap_or(0)
}

impl Room {
    /// Whether there is not enough room, as far as is known.
    pub fn is_short(&self) -> bool {
        self.fits.is_some_and(|fits| fits < self.machines)
    }
}
