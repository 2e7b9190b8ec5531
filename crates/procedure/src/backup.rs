//! Backups of guests with OADP: the Velero objects, what a restore can't bring back, and what a person would type where the
//! hub has no OADP. Pure.
//!
//! The steps are in `steps/guest`; this is what they and the commands share.

use berth_api::{resources, views};
use serde::Serialize;
use serde_json::{Value, json};

use crate::facts::{Facts, Selector};
use crate::read::{crd, find, is_established, name, objects, some_of, text};
use crate::step::{Command, Step};
use crate::steps::command;
use crate::steps::guest::{Restore, Rollout, Save};
use crate::steps::ids;
use crate::walk::GuestRef;

/// The namespace in which OADP looks for its objects.
pub(crate) const NAMESPACE: &str = "openshift-adp";
/// Label of the disks that workers boot from: they are made anew, and would make a backup huge (B04).
const ROOT_DISK: &str = "hypershift.openshift.io/is-kubevirt-rhcos";
/// A kind by which HyperShift itself takes snapshots of etcd; a technology preview.
const ETCD_BACKUPS: &str = "hcpetcdbackups.hypershift.openshift.io";

/// What is taken: what a hosted cluster is made of. What its operators make anew comes back with them.
const TAKEN: [&str; 25] = [
    "serviceaccounts",
    "roles",
    "rolebindings",
    "pods",
    "persistentvolumeclaims",
    "persistentvolumes",
    "configmaps",
    "secrets",
    "services",
    "deployments",
    "statefulsets",
    "priorityclasses",
    "poddisruptionbudgets",
    "hostedclusters.hypershift.openshift.io",
    "nodepools.hypershift.openshift.io",
    "hostedcontrolplanes.hypershift.openshift.io",
    "clusters.cluster.x-k8s.io",
    "machinedeployments.cluster.x-k8s.io",
    "machinesets.cluster.x-k8s.io",
    "machines.cluster.x-k8s.io",
    "kubevirtclusters.infrastructure.cluster.x-k8s.io",
    "kubevirtmachinetemplates.infrastructure.cluster.x-k8s.io",
    "routes.route.openshift.io",
    "clusterdeployments.hive.openshift.io",
    "namespaces",
];

/// How a backup is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupOptions {
    /// The backup's name.
    pub name: String,
    /// The place it is put; left out, OADP's default.
    pub location: Option<String>,
    /// How long it is kept, as Go prints it.
    pub ttl: String,
}

/// Something that a backup does not hold, or a restore does not bring back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// The catalogue's ID.
    pub id: &'static str,
    /// What.
    pub text: String,
}

/// The steps that take a backup of a guest.
pub fn compile_backup(namespace: &str, name: &str, options: &BackupOptions) -> Vec<Box<dyn Step>> {
    vec![Box::new(Save::new(GuestRef::new(namespace, name), options.clone()))]
}

/// The steps that bring a guest back from a backup.
pub fn compile_restore(namespace: &str, name: &str, backup: &str, restore: &str) -> Vec<Box<dyn Step>> {
    let place = GuestRef::new(namespace, name);
    let step = Restore::new(place.clone(), backup, restore);
    let after = crate::step::Dependency {
        step: ids::part(name, "restore"),
        reason: "the hosted cluster comes back with it",
    };
    vec![Box::new(step), Box::new(Rollout::of(place, None, vec![after]))]
}

/// What [`limits`] and the choice of a way read.
pub fn watches(namespace: &str, name: &str) -> Vec<Selector> {
    let place = GuestRef::new(namespace, name);
    vec![
        crd(resources::BACKUP),
        Selector::cluster(resources::CUSTOM_RESOURCE_DEFINITION, ETCD_BACKUPS),
        Selector::in_namespace(resources::BACKUP, NAMESPACE),
        Selector::in_namespace(resources::RESTORE, NAMESPACE),
        Selector::in_namespace(resources::BACKUP_STORAGE_LOCATION, NAMESPACE),
        Selector::in_namespace(resources::DATA_PROTECTION_APPLICATION, NAMESPACE),
        Selector::all(resources::HOSTED_CLUSTER),
        place.node_pools(),
    ]
}

/// Whether this hub has OADP.
pub(crate) fn has_oadp(facts: &Facts) -> bool {
    is_established(facts, resources::BACKUP)
}

/// Whether this hub's HyperShift takes snapshots of etcd itself.
pub(crate) fn has_etcd_backups(facts: &Facts) -> bool {
    facts
        .object(&Selector::cluster(resources::CUSTOM_RESOURCE_DEFINITION, ETCD_BACKUPS))
        .is_some()
}

/// Whether a backup, or a restore, is one of a guest.
pub(crate) fn holds(backup: &Value, place: &GuestRef) -> bool {
    let inside = place.control_plane_namespace();
    let namespaces = views::list(backup, &["spec", "includedNamespaces"]);
    namespaces.iter().any(|one| *one == inside.as_str())
}

/// How the backup of a name has ended; `None` where there is none, or where it is still being taken.
pub fn ended<'a>(facts: &'a Facts, backup: &str) -> Option<&'a str> {
    let backup = find(facts, &Selector::in_namespace(resources::BACKUP, NAMESPACE), backup)?;
    text(backup, &["status", "phase"]).filter(|phase| has_ended(phase))
}

/// The restore of a guest from a backup that was begun and is not done: Velero is at it, or the guest that it brought back
/// has not come up yet.
pub fn begun_restore<'a>(facts: &'a Facts, namespace: &str, name_of: &str, backup: &str) -> Option<&'a str> {
    let place = GuestRef::new(namespace, name_of);
    let comes_up = objects(facts, &Selector::all(resources::HOSTED_CLUSTER)).any(|cluster| {
        views::metadata(cluster).namespace == Some(namespace)
            && name(cluster) == name_of
            && !views::is_true(cluster, "Available")
    });
    let is_open = |restore: &&Value| match text(restore, &["status", "phase"]) {
        Some("Completed") => comes_up,
        phase => phase.is_none_or(|phase| !has_ended(phase)),
    };
    objects(facts, &Selector::in_namespace(resources::RESTORE, NAMESPACE))
        .filter(|restore| text(restore, &["spec", "backupName"]) == Some(backup) && holds(restore, &place))
        .filter(is_open)
        .map(name)
        .max()
}

fn has_ended(phase: &str) -> bool {
    matches!(phase, "Completed" | "Failed" | "PartiallyFailed" | "FailedValidation")
}

/// The backups of a guest that are complete, newest first.
pub fn backups(facts: &Facts, namespace: &str, name_of: &str) -> Vec<String> {
    let place = GuestRef::new(namespace, name_of);
    let holds = |backup: &&Value| text(backup, &["status", "phase"]) == Some("Completed") && holds(backup, &place);
    let mut found: Vec<(&str, &str)> = objects(facts, &Selector::in_namespace(resources::BACKUP, NAMESPACE))
        .filter(holds)
        .map(|backup| {
            (
                text(backup, &["status", "completionTimestamp"]).unwrap_or_default(),
                name(backup),
            )
        })
        .collect();
    found.sort_unstable();
    found.into_iter().rev().map(|(_, name)| name.to_owned()).collect()
}

/// What a backup of a guest does not hold, and what a restore does not bring back: said before anything is done.
pub fn limits(facts: &Facts, namespace: &str, name_of: &str) -> Vec<Limit> {
    let limit = |id, text: String| Limit { id, text };
    let mut limits = vec![
        limit(
            "B01",
            "it can be restored on this management cluster only, and workers are made anew: what lies on their disks is gone"
                .to_owned(),
        ),
        limit("B04", "the workers' boot disks are left out; volumes of the guest's own workloads are not in it".to_owned()),
    ];
    let clusters: Vec<&Value> = objects(facts, &Selector::all(resources::HOSTED_CLUSTER)).collect();
    let beside: Vec<&str> = clusters
        .iter()
        .filter(|cluster| views::metadata(cluster).namespace == Some(namespace) && name(cluster) != name_of)
        .map(|cluster| name(cluster))
        .collect();
    if !beside.is_empty() {
        let text = format!(
            "{} in the same namespace {namespace} too: backup and restore take all that is in it, and a restore changes them",
            some_of(&beside)
        );
        limits.push(limit("B02", text));
    }
    let own = clusters
        .iter()
        .find(|cluster| views::metadata(cluster).namespace == Some(namespace) && name(cluster) == name_of);
    if own.is_some_and(|cluster| !has_fixed_name(cluster)) {
        let text = "the API server has no host name of its own (services.apiServer.hostname), so the guest can't move: its \
                    address has to be the same again, or every node and kubeconfig loses it";
        limits.push(limit("B03", text.to_owned()));
    }
    let applications = Selector::in_namespace(resources::DATA_PROTECTION_APPLICATION, NAMESPACE);
    let has_plugin = |application: &Value| {
        let plugins = views::list(application, &["spec", "configuration", "velero", "defaultPlugins"]);
        plugins.iter().any(|plugin| plugin == "hypershift")
    };
    let mut all = objects(facts, &applications).peekable();
    if all.peek().is_some() && !all.any(has_plugin) {
        let text = "OADP's DataProtectionApplication does not name the plugin `hypershift`: etcd may be taken while it is written";
        limits.push(limit("B07", text.to_owned()));
    }
    limits
}

fn has_fixed_name(cluster: &Value) -> bool {
    let api = views::list(cluster, &["spec", "services"])
        .iter()
        .find(|service| text(service, &["service"]) == Some("APIServer"));
    let strategy = |kind: &str| api.and_then(|api| text(api, &["servicePublishingStrategy", kind, "hostname"]));
    strategy("route").is_some() || strategy("loadBalancer").is_some()
}

/// The Backup of a guest.
pub(crate) fn backup(place: &GuestRef, options: &BackupOptions) -> Value {
    let mut spec = json!({
        "includedNamespaces": [place.namespace, place.control_plane_namespace()],
        "includedResources": TAKEN,
        "labelSelector": { "matchExpressions": [{ "key": ROOT_DISK, "operator": "DoesNotExist" }] },
        "snapshotMoveData": true,
        "defaultVolumesToFsBackup": false,
        "dataMover": "velero",
        "ttl": options.ttl,
    });
    if let Some(location) = &options.location {
        spec["storageLocation"] = location.as_str().into();
    }
    object(resources::BACKUP, &options.name, &spec)
}

/// The Restore of a guest.
pub(crate) fn restore(place: &GuestRef, backup: &str, called: &str) -> Value {
    let spec = json!({
        "backupName": backup,
        "includedNamespaces": [place.namespace, place.control_plane_namespace()],
        "excludedResources": [
            "nodes", "events", "events.events.k8s.io", "backups.velero.io", "restores.velero.io",
            "resticrepositories.velero.io", "pods", "machines.cluster.x-k8s.io", "machinesets.cluster.x-k8s.io",
        ],
        "restorePVs": true,
        "preserveNodePorts": true,
        "existingResourcePolicy": "none",
    });
    object(resources::RESTORE, called, &spec)
}

fn object(resource: &berth_api::Resource, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": resource.api_version(), "kind": resource.kind,
        "metadata": {
            "name": name, "namespace": NAMESPACE,
            "labels": { crate::read::MANAGED_BY.0: crate::read::MANAGED_BY.1 },
        },
        "spec": spec,
    })
}

/// What a person types for a snapshot of etcd where there is no OADP: the guest is paused, the API servers stop writing, etcd
/// writes a snapshot of itself, and all goes on as before.
pub(crate) fn by_hand(facts: &Facts, place: &GuestRef) -> Vec<Command> {
    let GuestRef { namespace, name } = place;
    let inside = place.control_plane_namespace();
    let cluster = facts.object(&place.hosted_cluster()).or_else(|| {
        objects(facts, &Selector::all(resources::HOSTED_CLUSTER)).find(|cluster| {
            views::metadata(cluster).namespace == Some(namespace) && text(cluster, &["metadata", "name"]) == Some(name)
        })
    });
    let pause = |value: &str| {
        format!(
            "oc patch hostedcluster {name} -n {namespace} --type=merge -p '{{\"spec\":{{\"pausedUntil\":{value}}}}}'"
        )
    };
    let scale = |count: u32| {
        format!(
            "oc scale deployment -n {inside} kube-apiserver openshift-apiserver openshift-oauth-apiserver --replicas={count}"
        )
    };
    let is_single = cluster
        .is_some_and(|cluster| text(cluster, &["spec", "controllerAvailabilityPolicy"]) != Some("HighlyAvailable"));
    let servers = if is_single { 1 } else { 3 };
    let etcdctl = "env ETCDCTL_API=3 /usr/bin/etcdctl --cacert /etc/etcd/tls/etcd-ca/ca.crt \
                   --cert /etc/etcd/tls/client/etcd-client.crt --key /etc/etcd/tls/client/etcd-client.key \
                   --endpoints=https://localhost:2379";
    let own = cluster.map(referred).unwrap_or_default().join(" ");
    let secrets = format!("oc get secret {own} -n {namespace} -o yaml > {name}-secrets.yaml");
    vec![
        command(
            "What is written here holds secrets: nobody else may read it",
            "umask 077",
        ),
        command(
            "Reconciliation stands still, or the next lines are taken back",
            pause("\"true\""),
        ),
        command("Nothing writes to etcd", scale(0)),
        command(
            "The snapshot, in the pod",
            format!("oc exec -n {inside} etcd-0 -c etcd -- {etcdctl} snapshot save /var/lib/snapshot.db"),
        ),
        command(
            "Out of the pod: keep it where it is encrypted, it holds the guest's secrets",
            format!("oc cp -n {inside} -c etcd etcd-0:/var/lib/snapshot.db {name}-snapshot.db"),
        ),
        command(
            "What the guest can't come back without: the key that the snapshot is encrypted with, the pull secret",
            secrets,
        ),
        command("The API servers come back", scale(servers)),
        command("And reconciliation", pause("null")),
        command(
            "To restore: a new HostedCluster of the same name whose etcd.managed.storage.restoreSnapshotURL is an https or s3 \
             URL of the snapshot",
            format!("oc get hostedcluster {name} -n {namespace} -o yaml > {name}.yaml"),
        ),
    ]
}

/// The Secrets beside a hosted cluster that it refers to.
fn referred(cluster: &Value) -> Vec<&str> {
    let paths: [&[&str]; 3] = [
        &["spec", "secretEncryption", "aescbc", "activeKey", "name"],
        &["spec", "pullSecret", "name"],
        &["spec", "sshKey", "name"],
    ];
    paths.into_iter().filter_map(|path| text(cluster, path)).collect()
}

#[cfg(test)]
mod tests;
