//! What of the management cluster keeps a guest from going, or is left of it there: HyperShift's operator, the pull secret,
//! dead aggregated APIs, the import.

use berth_api::{resources, views};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Hold, MOMENT, Tree, after, label, machines, no};
use crate::facts::{Facts, Seen, Selector};
use crate::read::{annotation, failed, holds as is_true, is_deleting, name, objects, some_of, text};
use crate::walk::{GuestRef, diagnosis};

const OBSERVABILITY: &str = "open-cluster-management-observability";
const OPERATOR: (&str, &str) = ("hypershift", "operator");
/// Longer than an agent takes to leave.
const DETACH: SignedDuration = SignedDuration::from_mins(5);
/// Longer than a namespace takes to empty that nothing is wrong with.
const EMPTYING: SignedDuration = SignedDuration::from_mins(2);
/// On a ManagedCluster: who imported it.
pub(crate) const CREATED_VIA: (&str, &str) = ("open-cluster-management/created-via", "hypershift");

pub(super) fn watches(guest: &GuestRef) -> Vec<Selector> {
    let namespace = |name: &str| Selector::cluster(resources::NAMESPACE, name);
    vec![
        Selector::in_namespace(resources::HOSTED_CLUSTER, &guest.namespace),
        Selector::in_namespace(resources::SECRET, &guest.namespace),
        Selector::named(resources::DEPLOYMENT, OPERATOR.0, OPERATOR.1),
        Selector::all(resources::API_SERVICE),
        Selector::cluster(resources::MANAGED_CLUSTER, &guest.name),
        Selector::cluster(resources::MANAGED_CLUSTER, &guest.namespace),
        namespace(&guest.name),
        namespace(&guest.namespace),
        namespace(&guest.control_plane_namespace()),
        namespace(OBSERVABILITY),
    ]
}

pub(super) fn holds(tree: Tree<'_>) -> Vec<Hold> {
    let Tree { facts, guest } = tree;
    let mut holds: Vec<Hold> = without_operator(tree).into_iter().collect();
    holds.extend(without_pull_secret(tree));
    holds.extend(shared_with_import(tree));
    for namespace in [
        &guest.control_plane_namespace(),
        &guest.name,
        &guest.namespace,
        OBSERVABILITY,
    ] {
        holds.extend(ending(tree, namespace));
    }
    holds.extend(detaching(facts, guest));
    holds.extend(left_behind(tree));
    holds.extend(stranded(tree));
    holds
}

/// The Deployments that HyperShift keeps until the machines are gone, where no HostedCluster is there any more to tell it.
fn stranded(tree: Tree<'_>) -> Vec<Hold> {
    const FINALIZER: &str = "hypershift.openshift.io/component-finalizer";
    let selector = tree.guest.hosted_cluster();
    if !matches!(tree.facts.seen(&selector), Seen::Objects(objects) if objects.is_empty()) {
        return Vec::new();
    }
    let held = tree.inside(resources::DEPLOYMENT).filter(|deployment| {
        is_deleting(deployment)
            && views::metadata(deployment)
                .finalizers()
                .any(|finalizer| finalizer == FINALIZER)
    });
    let machines = tree
        .inside(resources::KUBEVIRT_MACHINE)
        .chain(tree.inside(resources::MACHINE))
        .next();
    held.map(|deployment| {
        let object = label(resources::DEPLOYMENT, deployment);
        let found = diagnosis(
            "D14",
            "HyperShift's finalizer is left on a Deployment, and no HostedCluster tells it to take it off",
            &object,
            [format!("finalizer {FINALIZER}"), "the HostedCluster is gone".to_owned()],
            "once no machine is left it stands for nothing: let it go",
        );
        let release = match machines {
            Some(machine) => no(format!("the machine {} is still there, and goes first", name(machine))),
            None => {
                crate::blocker::Release::Yes(super::without_finalizer(resources::DEPLOYMENT, deployment, FINALIZER))
            }
        };
        Hold::new(
            format!("deployment/{}/finalizer", name(deployment)),
            after(deployment, MOMENT),
            found,
            release,
        )
    })
    .collect()
}

/// What of the import is left once the guest itself is gone.
pub(super) fn left(facts: &Facts, guest: &GuestRef) -> Option<String> {
    let cluster = facts.object(&Selector::cluster(resources::MANAGED_CLUSTER, &guest.name))?;
    is_import(cluster).then(|| format!("left: ManagedCluster {}", guest.name))
}

/// Whether a ManagedCluster is the import of a hosted cluster, and not somebody's own.
pub(crate) fn is_import(cluster: &Value) -> bool {
    annotation(cluster, CREATED_VIA.0) == Some(CREATED_VIA.1)
}

/// HyperShift's operator does everything above Cluster API.
fn without_operator(tree: Tree<'_>) -> Option<Hold> {
    let going = tree.going()?;
    let selector = Selector::named(resources::DEPLOYMENT, OPERATOR.0, OPERATOR.1);
    let Seen::Objects(found) = tree.facts.seen(&selector) else {
        return None;
    };
    let available = found
        .first()
        .and_then(|operator| views::number(operator, &["status", "availableReplicas"]))
        .unwrap_or(0);
    let why = match found.first() {
        None => "there is no such Deployment".to_owned(),
        Some(_) if available == 0 => "no replica available".to_owned(),
        Some(_) => return None,
    };
    let (namespace, deployment) = OPERATOR;
    let found = diagnosis(
        "P15",
        "HyperShift's operator does not run, and nobody else deletes hosted clusters",
        format!("Deployment {namespace}/{deployment}"),
        [why],
        "see ManagedClusterAddOn hypershift-addon in namespace local-cluster, which installs it, and bring it back",
    );
    let release = no("without the operator nothing would be taken down in order; bring it back");
    Some(Hold::new(
        format!("deployment/{namespace}/{deployment}"),
        after(going, MOMENT),
        found,
        release,
    ))
}

/// Without its pull secret a guest is not reconciled, and by older operators not taken down either.
fn without_pull_secret(tree: Tree<'_>) -> Option<Hold> {
    let cluster = tree.hosted_cluster()?;
    let secret = text(cluster, &["spec", "pullSecret", "name"])?;
    let Seen::Objects(secrets) = tree
        .facts
        .seen(&Selector::in_namespace(resources::SECRET, &tree.guest.namespace))
    else {
        return None;
    };
    // Once only the HostedCluster is left of it, nothing is pulled any more.
    let inside = Selector::cluster(resources::NAMESPACE, tree.guest.control_plane_namespace());
    if secrets.iter().any(|object| name(object) == secret) || tree.facts.object(&inside).is_none() {
        return None;
    }
    let namespace = &tree.guest.namespace;
    let condition = failed(cluster, "ReconciliationSucceeded")
        .map(|it| format!("ReconciliationSucceeded=False, {}: {}", it.reason, it.message));
    let found = diagnosis(
        "D10",
        "the pull secret was deleted before the guest",
        format!("Secret {namespace}/{secret}"),
        [
            format!(
                "HostedCluster {namespace}/{} refers to it, and it is not there",
                tree.guest.name
            ),
            condition.unwrap_or_default(),
        ],
        format!(
            "make it again, and the deletion can go on: oc create secret generic {secret} -n {namespace} \
             --from-file=.dockerconfigjson=pull-secret.json --type=kubernetes.io/dockerconfigjson"
        ),
    );
    let release = no("there is nothing to let go of; what is missing has to be made again");
    Some(Hold::new(
        format!("secret/{secret}/missing"),
        after(cluster, MOMENT),
        found,
        release,
    ))
}

/// The import's namespace is called after the ManagedCluster, and a detach deletes it with all that is in it.
fn shared_with_import(tree: Tree<'_>) -> Option<Hold> {
    let Tree { facts, guest } = tree;
    let namespace = &guest.namespace;
    let import = facts.object(&Selector::cluster(resources::MANAGED_CLUSTER, namespace))?;
    let others: Vec<&str> = objects(facts, &Selector::in_namespace(resources::HOSTED_CLUSTER, namespace))
        .map(name)
        .filter(|other| *other != guest.name)
        .collect();
    let own = name(import) == guest.name;
    let found = diagnosis(
        "D08",
        "the guest's namespace is also that of an import: a detach deletes it with every guest in it",
        format!("ManagedCluster {}", name(import)),
        [
            format!(
                "HostedCluster {namespace}/{} is in the ManagedCluster's namespace",
                guest.name
            ),
            if others.is_empty() {
                String::new()
            } else {
                format!("in it, too: {}", some_of(&others))
            },
        ],
        if others.is_empty() {
            "nothing else is in it; take another namespace for the next guest".to_owned()
        } else {
            format!(
                "move {} elsewhere first, or delete all of them with intent: each by its own `down`, this one last",
                some_of(&others)
            )
        },
    );
    let release = no("this is a warning; there is nothing to let go of");
    // With others in it, deleting this guest makes the hub detach it, and with it go they.
    Some(
        Hold::new(
            format!("managedcluster/{namespace}/detach"),
            Timestamp::UNIX_EPOCH,
            found,
            release,
        )
        .forbidding(own && !others.is_empty()),
    )
}

/// A namespace that does not end: a dead aggregated API, or something in it that is held.
fn ending(tree: Tree<'_>, namespace: &str) -> Option<Hold> {
    let object = tree
        .facts
        .object(&Selector::cluster(resources::NAMESPACE, namespace))
        .filter(|object| is_deleting(object))?;
    if let Some(condition) = is_true(object, "NamespaceDeletionDiscoveryFailure") {
        let dead = dead_services(tree.facts);
        let names: Vec<&str> = dead.iter().map(|(name, _)| *name).collect();
        let mut evidence: Vec<String> = dead
            .iter()
            .map(|(name, why)| format!("APIService {name} is not available: {why}"))
            .collect();
        evidence.push(format!(
            "NamespaceDeletionDiscoveryFailure=True, {}: {}",
            condition.reason, condition.message
        ));
        let found = diagnosis(
            "D06",
            "no namespace ends while an aggregated API is dead",
            format!("Namespace {namespace}"),
            evidence,
            match names[..] {
                [] => {
                    "oc get apiservices shows which is not Available: bring its Service back, or delete it".to_owned()
                }
                _ => format!(
                    "bring the Service behind it back, or, where nothing serves it any more: oc delete apiservice {}",
                    names.join(" ")
                ),
            },
        );
        let release = no("an APIService is the whole cluster's: whoever runs it brings it back or deletes it");
        return Some(Hold::new(
            format!("namespace/{namespace}/discovery"),
            Timestamp::UNIX_EPOCH,
            found,
            release,
        ));
    }
    let observability = namespace == OBSERVABILITY;
    let remaining =
        is_true(object, "NamespaceFinalizersRemaining").or_else(|| is_true(object, "NamespaceContentRemaining"))?;
    let content = is_true(object, "NamespaceContentRemaining").map(|it| it.message.to_owned());
    let found = diagnosis(
        if observability { "D13" } else { "" },
        if observability {
            "the namespace of the observability service does not end: leftovers are held in it"
        } else {
            "the namespace does not end: something in it is held"
        },
        format!("Namespace {namespace}"),
        [
            remaining.message.to_owned(),
            content
                .filter(|content| content != remaining.message)
                .unwrap_or_default(),
        ],
        if observability {
            "leftovers of right-sizing are the usual ones (their operator is gone): delete them by name. It does not hold this \
             guest"
                .to_owned()
        } else {
            format!(
                "look at what is held: oc api-resources --verbs=list --namespaced -o name | xargs -n1 oc get -n {namespace} --ignore-not-found"
            )
        },
    );
    let release = no("a namespace goes when it is empty: let go of what is in it");
    Some(Hold::new(
        format!("namespace/{namespace}/content"),
        after(object, EMPTYING),
        found,
        release,
    ))
}

/// Aggregated APIs that do not answer: name, and why.
fn dead_services(facts: &Facts) -> Vec<(&str, String)> {
    objects(facts, &Selector::all(resources::API_SERVICE))
        .filter_map(|service| {
            let condition = failed(service, "Available")?;
            Some((name(service), format!("{}, {}", condition.reason, condition.message)))
        })
        .collect()
}

/// The import: its end takes long, or it was left when the guest went.
fn detaching(facts: &Facts, guest: &GuestRef) -> Option<Hold> {
    let cluster = facts
        .object(&Selector::cluster(resources::MANAGED_CLUSTER, &guest.name))
        .filter(|it| is_import(it))?;
    let object = label(resources::MANAGED_CLUSTER, cluster);
    let name = format!("managedcluster/{}", guest.name);
    let gone = facts.object(&guest.hosted_cluster()).is_none()
        && matches!(facts.seen(&guest.hosted_cluster()), Seen::Objects(_) | Seen::NoKind);
    if !is_deleting(cluster) {
        let found = diagnosis(
            "D11",
            "the import was left when the guest went",
            &object,
            [
                format!("annotation {}={}", CREATED_VIA.0, CREATED_VIA.1),
                format!("there is no HostedCluster {}/{}", guest.namespace, guest.name),
            ],
            format!("down deletes it; by hand: oc delete managedcluster {}", guest.name),
        );
        let release = no("it is not held: it is deleted with the guest");
        return gone.then(|| Hold::new(name, Timestamp::UNIX_EPOCH, found, release));
    }
    let finalizers: Vec<&str> = views::metadata(cluster).finalizers().collect();
    let found = diagnosis(
        "D11",
        "the guest's import does not end",
        &object,
        [
            format!("finalizers {}", finalizers.join(", ")),
            is_true(cluster, "ManagedClusterImportSucceeded")
                .or_else(|| failed(cluster, "ManagedClusterImportSucceeded"))
                .map(|it| format!("{}: {}", it.reason, it.message))
                .unwrap_or_default(),
        ],
        format!(
            "see klusterlet-{} and the addons in namespace {}; the hub's import controller works on it",
            guest.name, guest.name
        ),
    );
    let release = match finalizers.first() {
        Some(finalizer) => crate::blocker::Release::Contested {
            by: "the hub's import controller".to_owned(),
            let_go: super::without_finalizer(resources::MANAGED_CLUSTER, cluster, finalizer),
        },
        None => no("nothing holds it"),
    };
    let orphans = vec![format!(
        "namespace klusterlet-{0} and its Klusterlet, namespace {0} with its addons",
        guest.name
    )];
    Some(Hold::new(format!("{name}/finalizer"), after(cluster, DETACH), found, release).orphaning(orphans))
}

/// The HostedCluster went without what it stood for: somebody took off its finalizers.
fn left_behind(tree: Tree<'_>) -> Option<Hold> {
    let Tree { facts, guest } = tree;
    let selector = guest.hosted_cluster();
    let inside = guest.control_plane_namespace();
    // One that ends is on its way already; what holds it is told by itself.
    facts
        .object(&Selector::cluster(resources::NAMESPACE, &inside))
        .filter(|it| !is_deleting(it))?;
    if facts.object(&selector).is_some() || matches!(facts.seen(&selector), Seen::Pending | Seen::Unreadable(_)) {
        return None;
    }
    let left = |resource| -> Vec<String> { tree.inside(resource).map(|object| label(resource, object)).collect() };
    let mut orphans = left(resources::MACHINE);
    for resource in [resources::VIRTUAL_MACHINE, resources::PERSISTENT_VOLUME_CLAIM] {
        orphans.extend(left(resource));
    }
    let balanced = tree
        .inside(resources::SERVICE)
        .filter(|service| text(service, &["spec", "type"]) == Some("LoadBalancer"));
    orphans.extend(balanced.map(|service| format!("{} and its address", label(resources::SERVICE, service))));
    let shown: Vec<&str> = orphans.iter().map(String::as_str).collect();
    let found = diagnosis(
        "D14",
        "the HostedCluster went without what belongs to it: its finalizers were taken off by hand",
        format!("Namespace {inside}"),
        [
            format!("left: {}", some_of(&shown)),
            machines::absence(tree, "cluster-api")
                .map(|why| format!("cluster-api: {why}"))
                .unwrap_or_default(),
        ],
        format!("down deletes the namespace {inside}, which HyperShift made, and watches what is held in it"),
    );
    let release = no("there is nothing to let go of: what was let go has left this behind");
    Some(
        Hold::new(
            format!("namespace/{inside}/left"),
            Timestamp::UNIX_EPOCH,
            found,
            release,
        )
        .orphaning(orphans),
    )
}
