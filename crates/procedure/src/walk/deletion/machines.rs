//! Why machines do not go: paused, nobody who would do it, no Cluster, a hook, a drain, volumes.

use berth_api::{Resource, resources, views};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::finalizers::{owner, word};
use super::{Hold, MOMENT, Tree, after, drain, finalizers, label, let_go, no, without_finalizer};
use crate::blocker::Release;
use crate::facts::Seen;
use crate::read::{annotation, failed, is_deleting, name, some_of, text};
use crate::walk::diagnosis;

/// Longer than a machine takes to go that nothing is wrong with.
pub(super) const LONG: SignedDuration = SignedDuration::from_mins(10);
const PAUSED: &str = "cluster.x-k8s.io/paused";
const HOOKS: [&str; 2] = [
    "pre-drain.delete.hook.machine.cluster.x-k8s.io",
    "pre-terminate.delete.hook.machine.cluster.x-k8s.io",
];

/// Who works on machines: the Deployment, and the finalizer that it takes off.
const CONTROLLERS: [(&str, &Resource, &str); 3] = [
    ("cluster-api", resources::CAPI_CLUSTER, "cluster.cluster.x-k8s.io"),
    ("cluster-api", resources::MACHINE, "machine.cluster.x-k8s.io"),
    (
        "capi-provider",
        resources::KUBEVIRT_MACHINE,
        "kubevirtmachine.infrastructure.cluster.x-k8s.io",
    ),
];

pub(super) fn holds(tree: Tree<'_>) -> Vec<Hold> {
    let mut holds: Vec<Hold> = paused_cluster(tree).into_iter().collect();
    let machines: Vec<&Value> = tree
        .inside(resources::MACHINE)
        .filter(|machine| is_deleting(machine))
        .collect();
    // Bringing a controller back does not help where it can't find the Cluster.
    holds.extend(without_cluster(tree));
    if holds.is_empty() {
        let missing = CONTROLLERS
            .into_iter()
            .rev()
            .flat_map(|controller| missing_controller(tree, controller));
        holds.extend(missing);
        // Two kinds that one controller holds are one thing to say.
        let mut names = std::collections::BTreeSet::new();
        holds.retain(|hold| names.insert(hold.blocker.name.clone()));
    }
    // What nobody works on is explained by that.
    if holds.is_empty() {
        holds.extend(machines.iter().filter_map(|machine| of_machine(tree, machine)));
    }
    holds
}

/// What a worker consists of, innermost first: disks, instance, virtual machine, the provider's machine, the machine.
pub(super) fn levels<'a>(tree: Tree<'a>, machine: &str) -> Vec<(&'static Resource, &'a Value)> {
    let vm = tree
        .find(resources::MACHINE, machine)
        .and_then(|machine| text(machine, &["spec", "infrastructureRef", "name"]))
        .unwrap_or(machine);
    let is_disk = |disk: &&Value| name(disk).strip_prefix(vm).is_some_and(|rest| rest.starts_with('-'));
    let mut levels = Vec::new();
    for resource in [resources::PERSISTENT_VOLUME_CLAIM, resources::DATA_VOLUME] {
        levels.extend(tree.inside(resource).filter(is_disk).map(|disk| (resource, disk)));
    }
    let single = [
        (resources::VIRTUAL_MACHINE_INSTANCE, vm),
        (resources::VIRTUAL_MACHINE, vm),
        (resources::KUBEVIRT_MACHINE, vm),
        (resources::MACHINE, machine),
    ];
    levels.extend(
        single
            .into_iter()
            .filter_map(|(resource, name)| Some((resource, tree.find(resource, name)?))),
    );
    levels
}

/// The name of the machine that an object of it belongs to.
pub(super) fn of_object(tree: Tree<'_>, resource: &Resource, object: &Value) -> String {
    let of = |machine: &&Value| text(machine, &["spec", "infrastructureRef", "name"]) == Some(name(object));
    let owner = (resource.kind != "Machine")
        .then(|| tree.inside(resources::MACHINE).find(of))
        .flatten();
    owner.map_or(name(object), name).to_owned()
}

fn paused_cluster(tree: Tree<'_>) -> Option<Hold> {
    let hosted = tree.going()?;
    let cluster = tree
        .cluster()
        .filter(|cluster| views::flag(cluster, &["spec", "paused"]) == Some(true))?;
    let object = label(resources::CAPI_CLUSTER, cluster);
    let until = text(hosted, &["spec", "pausedUntil"]);
    let found = diagnosis(
        "U18",
        "the guest is paused, and nobody has told Cluster API to go on",
        &object,
        [
            "spec.paused is true".to_owned(),
            until
                .map(|until| format!("spec.pausedUntil of the HostedCluster: {until}"))
                .unwrap_or_default(),
        ],
        "let it go: Cluster API then takes down the machines as it would have",
    );
    let go_on = let_go(
        resources::CAPI_CLUSTER,
        cluster,
        format!("sets spec.paused of {object} to false"),
        json!({ "spec": { "paused": false } }),
    );
    Some(Hold::new(
        format!("cluster/{}/paused", name(cluster)),
        after(hosted, MOMENT),
        found,
        Release::Yes(go_on),
    ))
}

/// A controller that machines wait for and that is not there, and each machine that could be let go in its place.
fn missing_controller(tree: Tree<'_>, (deployment, resource, finalizer): (&str, &'static Resource, &str)) -> Vec<Hold> {
    let held: Vec<&Value> = tree
        .inside(resource)
        .filter(|object| is_deleting(object) && finalizers::of(object).any(|other| other == finalizer))
        .collect();
    let Some(first) = held.first() else {
        return Vec::new();
    };
    let Some(why) = absence(tree, deployment) else {
        return Vec::new();
    };
    let namespace = tree.guest.control_plane_namespace();
    let names: Vec<&str> = held.iter().map(|object| name(object)).collect();
    let found = diagnosis(
        "D03",
        format!("{deployment} is gone before the machines that it has to take down"),
        format!("Deployment {namespace}/{deployment}"),
        [why, format!("held: {} {}", word(resource), some_of(&names))],
        format!("oc scale deployment/{deployment} -n {namespace} --replicas=1, and the deletion goes on by itself"),
    );
    let by_name = format!("deployment/{deployment}");
    let refused = no(format!(
        "bring the controller back; where that can't be, let go of what it holds, one by one: {}/NAME/finalizer",
        word(resource)
    ));
    let due = after(first, MOMENT);
    let mut holds = vec![Hold::new(&by_name, due, found.clone(), refused)];
    for object in held {
        let machine = of_object(tree, resource, object);
        let orphans = finalizers::below(tree, resource, object);
        let inner = match resource.kind {
            "Cluster" => orphans.first().cloned(),
            _ => inner_going(tree, resource, &machine),
        };
        let release = match inner {
            Some(inner) => no(format!("{inner} is there still, and goes first")),
            None => Release::Yes(without_finalizer(resource, object, finalizer)),
        };
        let name = format!("{}/{}/finalizer", word(resource), name(object));
        holds.push(
            Hold::new(name, due, found.clone(), release)
                .orphaning(orphans)
                .explained_by(&by_name),
        );
    }
    holds
}

/// What of a worker below a level is being deleted already.
fn inner_going(tree: Tree<'_>, resource: &Resource, machine: &str) -> Option<String> {
    let levels = levels(tree, machine);
    let mut below = levels.iter().take_while(|(level, _)| level.kind != resource.kind);
    below
        .find(|(_, object)| is_deleting(object))
        .map(|(level, object)| label(level, object))
}

/// Why nothing works in a Deployment's place: it is not there, or has no pod. `None` while one does, or nobody knows.
pub(super) fn absence(tree: Tree<'_>, deployment: &str) -> Option<String> {
    let selector = tree.guest.inside(resources::DEPLOYMENT);
    let Seen::Objects(_) = tree.facts.seen(&selector) else {
        return None;
    };
    let Some(found) = tree.find(resources::DEPLOYMENT, deployment) else {
        return Some("there is no such Deployment".to_owned());
    };
    if is_deleting(found) {
        return Some("it is being deleted itself, and makes no pod any more".to_owned());
    }
    let available = views::number(found, &["status", "availableReplicas"]).unwrap_or(0);
    let wanted = views::number(found, &["spec", "replicas"]).unwrap_or(1);
    (available == 0).then(|| format!("0 of {wanted} replicas available"))
}

fn of_machine(tree: Tree<'_>, machine: &Value) -> Option<Hold> {
    paused_machine(machine)
        .or_else(|| hooked(machine))
        .or_else(|| drain::hold(tree, machine))
        .or_else(|| attached(machine))
        .or_else(|| lasting(tree, machine))
}

fn named(machine: &Value, what: &str) -> String {
    format!("machine/{}/{what}", name(machine))
}

fn annotated(machine: &Value, key: &str, value: Option<&str>, does: String) -> Release {
    let patch = json!({ "metadata": { "annotations": { key: value } } });
    Release::Yes(let_go(resources::MACHINE, machine, does, patch))
}

fn paused_machine(machine: &Value) -> Option<Hold> {
    annotation(machine, PAUSED)?;
    let object = label(resources::MACHINE, machine);
    let found = diagnosis(
        "U18",
        "the machine is paused",
        &object,
        [format!("annotation {PAUSED}")],
        "let it go: Cluster API then takes the machine down as it would have",
    );
    let release = annotated(
        machine,
        PAUSED,
        None,
        format!("takes the annotation {PAUSED} off {object}"),
    );
    Some(Hold::new(
        named(machine, "paused"),
        after(machine, MOMENT),
        found,
        release,
    ))
}

/// Cluster API, and its provider, look at nothing whose Cluster they can't find.
fn without_cluster(tree: Tree<'_>) -> Vec<Hold> {
    let Seen::Objects(clusters) = tree.facts.seen(&tree.guest.inside(resources::CAPI_CLUSTER)) else {
        return Vec::new();
    };
    if !clusters.is_empty() {
        return Vec::new();
    }
    let mut holds = Vec::new();
    for (_, resource, finalizer) in CONTROLLERS
        .into_iter()
        .rev()
        .filter(|(_, resource, _)| resource.kind != "Cluster")
    {
        let held = tree
            .inside(resource)
            .filter(|object| is_deleting(object) && finalizers::of(object).any(|other| other == finalizer));
        holds.extend(held.map(|object| orphaned(tree, resource, object, finalizer)));
    }
    holds
}

fn orphaned(tree: Tree<'_>, resource: &'static Resource, object: &Value, finalizer: &str) -> Hold {
    let object_label = label(resource, object);
    let infrastructure = failed(object, "InfrastructureReady").filter(|condition| !condition.reason.is_empty());
    let found = diagnosis(
        "D05",
        "the Cluster of Cluster API went before its machines, and without it they are not looked at",
        &object_label,
        [
            format!("there is no Cluster in {}", tree.guest.control_plane_namespace()),
            infrastructure
                .map(|condition| format!("InfrastructureReady=False, {}", condition.reason))
                .unwrap_or_default(),
        ],
        "let go of each, the innermost first; what that leaves is named with it, and must be deleted by hand where neither \
         its owner nor the namespace takes it along",
    );
    let machine = of_object(tree, resource, object);
    let release = match inner_going(tree, resource, &machine) {
        Some(inner) => no(format!("{inner} is being deleted, too, and goes first")),
        None => Release::Yes(without_finalizer(resource, object, finalizer)),
    };
    let blocker = format!("{}/{}/finalizer", word(resource), name(object));
    let orphans = finalizers::below(tree, resource, object);
    Hold::new(blocker, after(object, MOMENT), found, release).orphaning(orphans)
}

fn hooked(machine: &Value) -> Option<Hold> {
    let mut annotations = views::metadata(machine).annotations();
    let (hook, owner) = annotations.find(|(key, _)| HOOKS.iter().any(|hook| key.starts_with(hook)))?;
    let object = label(resources::MACHINE, machine);
    let found = diagnosis(
        "D02",
        "a hook holds the machine until its owner is done",
        &object,
        [format!(
            "annotation {hook}, of {}",
            if owner.is_empty() { "nobody who says so" } else { owner }
        )],
        "let its owner finish, or let it go where there is none",
    );
    let release = annotated(machine, hook, None, format!("takes the annotation {hook} off {object}"));
    Some(Hold::new(
        named(machine, "hook"),
        after(machine, MOMENT),
        found,
        release,
    ))
}

/// The drain is over, and volumes are still attached to the node.
fn attached(machine: &Value) -> Option<Hold> {
    const EXCLUDE: &str = "machine.cluster.x-k8s.io/exclude-wait-for-node-volume-detach";
    let condition = failed(machine, "VolumeDetachSucceeded")?;
    let object = label(resources::MACHINE, machine);
    let found = diagnosis(
        "D02",
        "volumes are still attached to the machine's node",
        &object,
        [
            format!(
                "VolumeDetachSucceeded=False, {}: {}",
                condition.reason, condition.message
            ),
            if has_timeout(machine, "nodeVolumeDetachTimeout") {
                String::new()
            } else {
                "no nodeVolumeDetachTimeout".to_owned()
            },
        ],
        "see why the guest's CSI driver does not detach them, or let go: the virtual machine is then deleted with them attached",
    );
    let does = format!("annotates {object} with {EXCLUDE}: its volumes are not waited for");
    let release = annotated(machine, EXCLUDE, Some("true"), does);
    let orphans = vec!["the volumes' data as the guest last wrote it, flushed or not".to_owned()];
    Some(Hold::new(named(machine, "volumes"), after(machine, LONG), found, release).orphaning(orphans))
}

/// Everybody is there, and yet it does not go.
fn lasting(tree: Tree<'_>, machine: &Value) -> Option<Hold> {
    let levels = levels(tree, name(machine));
    let (resource, object) = levels
        .iter()
        .find(|(level, object)| is_deleting(object) && level.kind != "PersistentVolumeClaim")?;
    let finalizer = finalizers::of(object).find(|finalizer| owner(finalizer).is_some())?;
    let by = owner(finalizer).unwrap_or_default();
    let ready = failed(object, "Ready").or_else(|| failed(machine, "Ready"));
    let object_label = label(resource, object);
    let found = diagnosis(
        "D02",
        format!("{by} has not taken the {} down for long", resource.kind),
        &object_label,
        [
            format!("finalizer {finalizer}, of {by}"),
            ready
                .map(|condition| format!("Ready=False, {}: {}", condition.reason, condition.message))
                .unwrap_or_default(),
            text(machine, &["metadata", "deletionTimestamp"])
                .map(|at| format!("the machine is being deleted since {at}"))
                .unwrap_or_default(),
        ],
        format!("its log says why; it tries again by itself. {by} lives, so letting go needs to be said twice"),
    );
    let release = Release::Contested {
        by: by.to_owned(),
        let_go: without_finalizer(resource, object, finalizer),
    };
    let blocker = format!("{}/{}/finalizer", word(resource), name(object));
    let orphans = finalizers::below(tree, resource, object);
    Some(Hold::new(blocker, after(object, LONG), found, release).orphaning(orphans))
}

/// Whether a machine gives up waiting by itself.
pub(super) fn has_timeout(machine: &Value, field: &str) -> bool {
    text(machine, &["spec", field]).is_some_and(|timeout| !matches!(timeout, "0s" | "0" | "0m0s"))
}
