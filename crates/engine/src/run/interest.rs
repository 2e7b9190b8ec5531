//! Which steps care for which selection: a change wakes these only, and what nobody cares for any more is closed.

use std::collections::{BTreeMap, BTreeSet};

use berth_procedure::{Selector, Target};

/// The steps that care, by selection.
#[derive(Debug, Default)]
pub(super) struct Interest(BTreeMap<Selector, BTreeSet<usize>>);

impl Interest {
    /// A step cares for selections from now on; returns those that are not open.
    pub(super) fn begin(&mut self, step: usize, selectors: &[Selector]) -> Vec<Selector> {
        let mut closed = Vec::new();
        for selector in selectors {
            let steps = self.0.entry(selector.clone()).or_insert_with(|| {
                closed.push(selector.clone());
                BTreeSet::new()
            });
            steps.insert(step);
        }
        closed
    }

    /// A step does not care for them any longer.
    pub(super) fn end(&mut self, step: usize, selectors: &[Selector]) {
        for selector in selectors {
            if let Some(steps) = self.0.get_mut(selector) {
                steps.remove(&step);
            }
        }
    }

    /// The selections that nobody cares for, to be closed. Not asked before the steps that wait for one that ended had
    /// their turn: they often watch the same.
    pub(super) fn take_unneeded(&mut self) -> Vec<Selector> {
        self.0
            .extract_if(.., |_, steps| steps.is_empty())
            .map(|(selector, _)| selector)
            .collect()
    }

    /// The steps that care for a selection.
    pub(super) fn of(&self, selector: &Selector) -> impl Iterator<Item = usize> {
        self.0.get(selector).into_iter().flatten().copied()
    }

    /// All selections on one API server that somebody cares for.
    pub(super) fn on(&self, target: &Target) -> Vec<Selector> {
        self.0
            .keys()
            .filter(|selector| selector.target == *target)
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use berth_api::resources;

    use super::*;

    #[test]
    fn a_selection_is_open_while_somebody_cares() {
        let (nodes, pods) = (Selector::all(resources::NODE), Selector::all(resources::POD));
        let mut interest = Interest::default();
        assert_eq!(
            interest.begin(1, &[nodes.clone(), pods.clone()]),
            [nodes.clone(), pods.clone()]
        );
        interest.end(1, &[nodes.clone(), pods.clone()]);
        assert_eq!(interest.begin(2, std::slice::from_ref(&nodes)), [], "it is still open");
        assert_eq!(interest.take_unneeded(), [pods]);
        assert_eq!(interest.of(&nodes).collect::<Vec<_>>(), [2]);
        assert_eq!(interest.on(&Target::Management), [nodes]);
    }
}
