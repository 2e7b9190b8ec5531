//! A guest's backup, and its restore, with OADP: an object is made, and Velero is waited for.

use std::collections::BTreeMap;

use berth_api::{resources, views};
use serde_json::Value;

use super::{kubeconfig_watches, kubeconfigs, lock};
use crate::assess::{Assessment, Diagnosis, Observed};
use crate::backup::{self, BackupOptions, NAMESPACE};
use crate::change::{Change, ObjectRef};
use crate::facts::{Facts, Selector, Target};
use crate::read::{find, name, objects, text};
use crate::secret::Secret;
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{apply_command, hub, ids};
use crate::walk::{GuestRef, diagnosis};

/// Takes a backup.
#[derive(Debug)]
pub(crate) struct Save {
    id: StepId,
    place: GuestRef,
    options: BackupOptions,
}

/// Brings a guest back.
#[derive(Debug)]
pub(crate) struct Restore {
    id: StepId,
    place: GuestRef,
    backup: String,
    name: String,
}

fn backups() -> Selector {
    Selector::in_namespace(resources::BACKUP, NAMESPACE)
}

fn restores() -> Selector {
    Selector::in_namespace(resources::RESTORE, NAMESPACE)
}

/// The place for backups that name none, where no other is marked as the default.
const DEFAULT_LOCATION: &str = "default";

/// What a backup holds instead of a guest.
fn held(backup: &Value, place: &GuestRef) -> String {
    let namespaces = views::list(backup, &["spec", "includedNamespaces"]);
    let shown: Vec<_> = namespaces.iter().filter_map(Value::as_str).collect();
    let inside = place.control_plane_namespace();
    format!("it holds the namespaces {}, not {inside}", shown.join(", "))
}

fn create(resource: &'static berth_api::Resource, name: &str, fields: Value) -> Change {
    Change::CreateOnce {
        object: ObjectRef::namespaced(resource, NAMESPACE, name),
        fields,
        generate: Vec::new(),
    }
}

fn fatal(diagnosis: Diagnosis) -> Assessment {
    Assessment::Fatal { diagnosis }
}

/// How far Velero is with one of its objects.
fn velero(kind: &str, object: &Value) -> Assessment {
    let phase = text(object, &["status", "phase"]).unwrap_or("New");
    let told = |field: &str| views::number(object, &["status", "progress", field]).unwrap_or(0);
    let done = if kind == "Backup" {
        "itemsBackedUp"
    } else {
        "itemsRestored"
    };
    match phase {
        "Completed" => {
            let mut outputs = BTreeMap::from([(kind.to_lowercase(), name(object).to_owned())]);
            outputs.insert("items".to_owned(), told("totalItems").to_string());
            if let Some(warnings) = views::number(object, &["status", "warnings"]).filter(|warnings| *warnings > 0) {
                outputs.insert(
                    "warnings".to_owned(),
                    format!(
                        "{warnings}; velero {} describe {} tells them",
                        kind.to_lowercase(),
                        name(object)
                    ),
                );
            }
            Assessment::Ready { outputs }
        }
        "Failed" | "PartiallyFailed" | "FailedValidation" => {
            let errors = views::list(object, &["status", "validationErrors"]);
            let errors = errors.iter().filter_map(Value::as_str).map(str::to_owned);
            let reason = text(object, &["status", "failureReason"]).map(str::to_owned);
            fatal(diagnosis(
                "",
                format!("OADP reports {phase}"),
                format!("{kind} {NAMESPACE}/{}", name(object)),
                errors.chain(reason),
                format!(
                    "oc describe {} {} -n {NAMESPACE}, and the log of deployment/velero",
                    kind.to_lowercase(),
                    name(object)
                ),
            ))
        }
        phase => Assessment::waiting(
            phase,
            format!(
                "{kind} {}: {phase}, {} of {} items",
                name(object),
                told(done),
                told("totalItems")
            ),
        ),
    }
}

/// Why this hub can't take backups, with what a person can do.
fn without_oadp(facts: &Facts, place: &GuestRef) -> Diagnosis {
    let mut evidence = vec!["there is no kind Backup of velero.io".to_owned()];
    if backup::has_etcd_backups(facts) {
        evidence.push(
            "this HyperShift has the kind HCPEtcdBackup (a technology preview): one in the control plane's namespace uploads \
             a snapshot of etcd by itself"
                .to_owned(),
        );
    }
    evidence.push("by hand:".to_owned());
    for command in backup::by_hand(facts, place) {
        evidence.push(format!("# {}", command.comment));
        evidence.push(command.line);
    }
    diagnosis(
        "",
        "this hub has no OADP, so nothing can take a backup",
        place.label(),
        evidence,
        "install OADP (package redhat-oadp-operator) with a DataProtectionApplication that names the plugin hypershift, or do \
         it by hand",
    )
}

// === impl Save ===

impl Save {
    pub(crate) fn new(place: GuestRef, options: BackupOptions) -> Self {
        Self {
            id: ids::part(&place.name, "backup"),
            place,
            options,
        }
    }

    /// Why there is no place to put the backup: the one that is named, or else Velero's default.
    fn without_location(&self, facts: &Facts) -> Option<Diagnosis> {
        let wanted = self.options.location.as_deref();
        let locations = Selector::in_namespace(resources::BACKUP_STORAGE_LOCATION, NAMESPACE);
        let is_meant = |location: &&Value| match wanted {
            Some(wanted) => name(location) == wanted,
            None => location["spec"]["default"] == true || name(location) == DEFAULT_LOCATION,
        };
        let is_usable = |location: &Value| text(location, &["status", "phase"]) == Some("Available");
        if objects(facts, &locations).filter(is_meant).any(is_usable) {
            return None;
        }
        let told = |location: &Value| {
            let phase = text(location, &["status", "phase"]).unwrap_or("no phase yet");
            format!("{}: {phase}", name(location))
        };
        Some(diagnosis(
            "",
            "OADP has no place to put a backup",
            format!(
                "BackupStorageLocation {NAMESPACE}/{}",
                wanted.unwrap_or(DEFAULT_LOCATION)
            ),
            objects(facts, &locations).map(told),
            "oc describe backupstoragelocation -n openshift-adp says why; the DataProtectionApplication names the bucket, and \
             --location another place",
        ))
    }
}

impl Step for Save {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        format!("Back up {} as {}", self.place.name, self.options.name)
    }

    fn after(&self) -> Vec<Dependency> {
        Vec::new()
    }

    fn lock(&self) -> Lock {
        lock(&self.place)
    }

    fn changes(&self, facts: &Facts) -> Vec<Change> {
        if !backup::has_oadp(facts) {
            return Vec::new();
        }
        let fields = backup::backup(&self.place, &self.options);
        vec![create(resources::BACKUP, &self.options.name, fields)]
    }

    fn watches(&self) -> Vec<Selector> {
        backup::watches(&self.place.namespace, &self.place.name)
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        if let Some(unread) = hub::unread(facts, &[Selector::all(resources::HOSTED_CLUSTER)]) {
            return unread;
        }
        if !backup::has_oadp(facts) {
            return fatal(without_oadp(facts, &self.place));
        }
        if let Some(refusal) = self.without_location(facts) {
            return fatal(refusal);
        }
        match find(facts, &backups(), &self.options.name) {
            Some(backup) if !backup::holds(backup, &self.place) => fatal(diagnosis(
                "",
                "another backup has this name",
                format!("Backup {NAMESPACE}/{}", self.options.name),
                [held(backup, &self.place)],
                "choose another --name",
            )),
            Some(backup) => velero("Backup", backup),
            None => Assessment::waiting("NoBackup", "the Backup is not there yet"),
        }
    }

    fn commands(&self, facts: &Facts) -> Vec<Command> {
        if backup::has_oadp(facts) {
            vec![apply_command("", &backup::backup(&self.place, &self.options))]
        } else {
            backup::by_hand(facts, &self.place)
        }
    }
}

// === impl Restore ===

impl Restore {
    pub(crate) fn new(place: GuestRef, backup: &str, restore: &str) -> Self {
        Self {
            id: ids::part(&place.name, "restore"),
            place,
            backup: backup.to_owned(),
            name: restore.to_owned(),
        }
    }

    /// Why it can't be restored as things are.
    fn refusal(&self, facts: &Facts) -> Option<Diagnosis> {
        if !backup::has_oadp(facts) {
            return Some(without_oadp(facts, &self.place));
        }
        // Once the Restore is there, the hosted cluster is what it brings back.
        if find(facts, &restores(), &self.name).is_some() {
            return None;
        }
        let object = format!("Backup {NAMESPACE}/{}", self.backup);
        let Some(backup) = find(facts, &backups(), &self.backup) else {
            let known = backup::backups(facts, &self.place.namespace, &self.place.name);
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            return Some(diagnosis(
                "",
                "there is no such backup",
                object,
                [format!("of this guest there are: {known}")],
                "name one of those",
            ));
        };
        let phase = text(backup, &["status", "phase"]).unwrap_or("New");
        if phase != "Completed" {
            return Some(diagnosis(
                "",
                "the backup is not complete",
                object,
                [format!("phase {phase}")],
                "take another backup",
            ));
        }
        if !backup::holds(backup, &self.place) {
            return Some(diagnosis(
                "",
                "the backup is not one of this guest",
                object,
                [held(backup, &self.place)],
                "name a backup of this guest",
            ));
        }
        let all = objects(facts, &Selector::all(resources::HOSTED_CLUSTER));
        let mut own = all.filter(|cluster| {
            name(cluster) == self.place.name
                && views::metadata(cluster).namespace == Some(self.place.namespace.as_str())
        });
        own.next().map(|_| {
            diagnosis(
                "",
                "the guest is there: what exists is left as it is, so nothing of it would be restored",
                self.place.label(),
                ["a snapshot is brought back only into an etcd that has no data".to_owned()],
                format!("take it down first: berth down {}", self.place.name),
            )
        })
    }
}

impl Step for Restore {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        format!("Restore {} from {}", self.place.name, self.backup)
    }

    fn after(&self) -> Vec<Dependency> {
        Vec::new()
    }

    fn lock(&self) -> Lock {
        lock(&self.place)
    }

    fn changes(&self, facts: &Facts) -> Vec<Change> {
        if self.refusal(facts).is_some() {
            return Vec::new();
        }
        let fields = backup::restore(&self.place, &self.backup, &self.name);
        vec![create(resources::RESTORE, &self.name, fields)]
    }

    fn watches(&self) -> Vec<Selector> {
        let mut watches = backup::watches(&self.place.namespace, &self.place.name);
        watches.push(restores());
        watches.extend(kubeconfig_watches(&self.place));
        watches
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        if let Some(unread) = hub::unread(facts, &[Selector::all(resources::HOSTED_CLUSTER)]) {
            return unread;
        }
        if let Some(refusal) = self.refusal(facts) {
            return fatal(refusal);
        }
        match find(facts, &restores(), &self.name) {
            Some(restore) => velero("Restore", restore),
            None => Assessment::waiting("NoRestore", "the Restore is not there yet"),
        }
    }

    fn kubeconfigs(&self, facts: &Facts) -> Vec<(Target, Secret)> {
        kubeconfigs(facts, &self.place)
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        vec![apply_command(
            "",
            &backup::restore(&self.place, &self.backup, &self.name),
        )]
    }
}
