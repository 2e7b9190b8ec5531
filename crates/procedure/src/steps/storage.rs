//! `storage`: one default storage class, the one that the document names.
//!
//! Only there where a document names one. The default of virtual machine disks (`is-default-virt-class`) is another
//! annotation with other readers; it is shown and never touched.

use berth_api::resources;
use serde_json::json;

use crate::assess::{Assessment, Observed};
use crate::change::{Change, ObjectRef};
use crate::facts::{Facts, Seen, Selector};
use crate::read::{find, name, objects, some_of};
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{command, ids};
use crate::walk::diagnosis;
use crate::walk::storage::{DEFAULT_CLASS, DEFAULT_VIRT_CLASS, defaults};

/// The step.
#[derive(Debug)]
pub(crate) struct Storage {
    id: StepId,
    class: String,
    takeover: bool,
}

impl Storage {
    pub(crate) fn new(class: impl Into<String>, takeover: bool) -> Self {
        Self {
            id: ids::STORAGE.into(),
            class: class.into(),
            takeover,
        }
    }

    fn classes() -> Selector {
        Selector::all(resources::STORAGE_CLASS)
    }

    fn set(&self, class: &str, value: &str) -> Change {
        Change::Set {
            object: ObjectRef::cluster(resources::STORAGE_CLASS, class),
            path: ["metadata", "annotations", DEFAULT_CLASS].map(str::to_owned).into(),
            value: Some(json!(value)),
            takeover: self.takeover,
        }
    }
}

impl Step for Storage {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        format!("Make {} the default storage class", self.class)
    }

    fn after(&self) -> Vec<Dependency> {
        vec![Dependency {
            step: ids::PREREQUISITES.into(),
            reason: "nothing is written on a hub that cannot host guests",
        }]
    }

    fn lock(&self) -> Lock {
        Lock::Hub
    }

    /// The new default first, then the others: between the two writes the newest class wins, never none.
    fn changes(&self, facts: &Facts) -> Vec<Change> {
        let others = defaults(facts, DEFAULT_CLASS)
            .into_iter()
            .filter(|class| *class != self.class);
        std::iter::once(self.set(&self.class, "true"))
            .chain(others.map(|class| self.set(class, "false")))
            .collect()
    }

    fn watches(&self) -> Vec<Selector> {
        vec![Self::classes()]
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        match facts.seen(&Self::classes()) {
            Seen::Pending => return Assessment::waiting("Reading", "reading the storage classes"),
            Seen::Unreadable(why) => return Assessment::waiting("Unreadable", why.clone()),
            Seen::NoKind | Seen::Objects(_) => {}
        }
        if find(facts, &Self::classes(), &self.class).is_none() {
            let offered: Vec<_> = objects(facts, &Self::classes()).map(name).collect();
            return Assessment::Blocked {
                diagnosis: diagnosis(
                    "P02",
                    format!("the storage class {} does not exist", self.class),
                    format!("StorageClass {}", self.class),
                    [format!("classes: {}", some_of(&offered))],
                    "name one of these in `spec.storage.defaultClass`, or create the class",
                ),
                recheck_at: None,
            };
        }
        match defaults(facts, DEFAULT_CLASS).as_slice() {
            [one] if *one == self.class => {
                let mut outputs = std::collections::BTreeMap::from([("defaultClass".to_owned(), self.class.clone())]);
                if let [virt, ..] = defaults(facts, DEFAULT_VIRT_CLASS).as_slice() {
                    outputs.insert("virtualizationDefaultClass".to_owned(), (*virt).to_owned());
                }
                Assessment::Ready { outputs }
            }
            [] => Assessment::waiting("NoDefault", "no storage class is the default yet"),
            several => Assessment::waiting("OtherDefault", format!("default: {}", some_of(several))),
        }
    }

    fn commands(&self, facts: &Facts) -> Vec<Command> {
        let annotate =
            |class: &str, value: &str| format!("oc annotate storageclass {class} --overwrite {DEFAULT_CLASS}={value}");
        let mut commands = vec![command(
            "The new default first, so that there always is one",
            annotate(&self.class, "true"),
        )];
        let others = defaults(facts, DEFAULT_CLASS)
            .into_iter()
            .filter(|class| *class != self.class);
        commands.extend(others.map(|class| command("Then the former default", annotate(class, "false"))));
        commands.push(command("There must be exactly one (default)", "oc get storageclass"));
        commands
    }

    fn hub_wide(&self) -> Option<&'static str> {
        Some("new volume claims without a class get this one from now on; nothing restarts")
    }
}
