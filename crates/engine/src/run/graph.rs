//! What does not change during a run: which steps come after which, what each of them watches and locks. It is worked out
//! once, since a fleet has hundreds of steps and each of them is looked at thousands of times.

use std::collections::{BTreeMap, BTreeSet};

use berth_procedure::{Lock, Selector, Step, StepId};

/// The steps of a run, by their place in it.
#[derive(Debug)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    by_lock: BTreeMap<Lock, Vec<usize>>,
}

#[derive(Debug)]
struct Node {
    /// The steps that must be ready before. What a run leaves out (`--only`) is taken to be ready: the step itself still
    /// waits for what it needs.
    after: Vec<(StepId, usize)>,
    dependents: Vec<usize>,
    watches: Vec<Selector>,
    lock: Lock,
}

impl Graph {
    pub(super) fn new(steps: &[Box<dyn Step>]) -> Self {
        let places: BTreeMap<&StepId, usize> = steps
            .iter()
            .enumerate()
            .map(|(index, step)| (step.id(), index))
            .collect();
        let mut nodes: Vec<Node> = steps
            .iter()
            .map(|step| Node {
                after: in_run(step.as_ref(), &places),
                dependents: Vec::new(),
                watches: step
                    .watches()
                    .into_iter()
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect(),
                lock: step.lock(),
            })
            .collect();
        let mut by_lock: BTreeMap<Lock, Vec<usize>> = BTreeMap::new();
        for index in 0..nodes.len() {
            by_lock.entry(nodes[index].lock.clone()).or_default().push(index);
            let after: Vec<usize> = nodes[index].after.iter().map(|(_, place)| *place).collect();
            for place in after {
                nodes[place].dependents.push(index);
            }
        }
        Self { nodes, by_lock }
    }

    /// The steps that must be ready before this one.
    pub(super) fn after(&self, index: usize) -> impl Iterator<Item = (&StepId, usize)> {
        self.nodes[index].after.iter().map(|(id, place)| (id, *place))
    }

    /// The steps that wait for this one.
    pub(super) fn dependents(&self, index: usize) -> &[usize] {
        &self.nodes[index].dependents
    }

    /// What a step watches, each once.
    pub(super) fn watches(&self, index: usize) -> &[Selector] {
        &self.nodes[index].watches
    }

    /// What a step must hold alone while it writes.
    pub(super) fn lock(&self, index: usize) -> &Lock {
        &self.nodes[index].lock
    }

    /// The steps that share a lock.
    pub(super) fn sharing(&self, lock: &Lock) -> &[usize] {
        self.by_lock.get(lock).map_or(&[], Vec::as_slice)
    }
}

fn in_run(step: &dyn Step, places: &BTreeMap<&StepId, usize>) -> Vec<(StepId, usize)> {
    let after = step.after().into_iter();
    after
        .filter_map(|dependency| places.get(&dependency.step).map(|place| (dependency.step, *place)))
        .collect()
}
