//! The queue of objects that the controllers should look at: each once, in the order in which it was first changed.

use std::{
    collections::{BTreeSet, VecDeque},
    task::Waker,
};

use super::{ObjectKey, ResourceId, Stored};

/// The ConfigMap that every namespace has.
pub(crate) const ROOT_CA: &str = "kube-root-ca.crt";

/// Names an object of any resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item {
    pub(crate) resource: ResourceId,
    pub(crate) key: ObjectKey,
}

#[derive(Debug, Default)]
pub(crate) struct Feed {
    queue: VecDeque<Item>,
    queued: BTreeSet<Item>,
    waiting: Option<Waker>,
}

impl Feed {
    pub(crate) fn push(&mut self, item: Item) {
        if self.queued.insert(item.clone()) {
            self.queue.push_back(item);
            if let Some(waker) = self.waiting.take() {
                waker.wake();
            }
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Item> {
        let item = self.queue.pop_front()?;
        self.queued.remove(&item);
        Some(item)
    }

    pub(crate) fn wait(&mut self, waker: Waker) {
        self.waiting = Some(waker);
    }

    /// Queues what a change is of interest for: namespaces and what lives by their leave, objects that are being deleted,
    /// objects with owners, what comes to an end with time.
    pub(super) fn changed(&mut self, item: &Item, stored: &Stored, removed: bool) {
        let core = item.resource.group().is_empty();
        let plural = item.resource.plural();
        let namespaces = core && plural == "namespaces";
        let events = core && plural == "events";
        let furnishing = core
            && match plural {
                "serviceaccounts" => removed,
                "configmaps" => &*item.key.name == ROOT_CA,
                _ => false,
            };
        // What an aggregated API says of itself goes by the Service that it names, there or not.
        let services = core && plural == "services";
        let aggregated = item.resource.group() == "apiregistration.k8s.io" && plural == "apiservices";
        if namespaces
            || services
            || (!removed && (aggregated || events || stored.deleting || !stored.owners.is_empty()))
        {
            self.push(item.clone());
        }
        if furnishing || (removed && stored.deleting) {
            // A namespace that ends waits for its contents; one that doesn't gets back what it must have.
            self.push_namespace(&item.key.namespace);
        }
        if removed && stored.deleting && !core {
            // A CRD is named after what it defines; one that ends waits for the last of its objects.
            let resource = ResourceId::new("apiextensions.k8s.io", "customresourcedefinitions");
            self.push(Item {
                resource,
                key: ObjectKey::new("", &item.resource.qualified()),
            });
        }
    }

    fn push_namespace(&mut self, namespace: &str) {
        if !namespace.is_empty() {
            self.push(Item {
                resource: ResourceId::new("", "namespaces"),
                key: ObjectKey::new("", namespace),
            });
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // Whoever waits here learns that there is no more to come.
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }
}
