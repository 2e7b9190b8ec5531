//! The objects of a guest's document, as writes and as what a person would type.
//!
//! Rendering is shared with the `hcp` drop-in. What differs: `hcp` writes fields that the operator then fills in
//! (`infraID`, an empty `dns.baseDomain`); a document that is applied again and again must leave those to the operator.

use berth_api::{GuestCluster, NodePool, Resource, resources};
use serde_json::Value;

use super::reference;
use super::takeback::taken_back;
use crate::adopt;
use crate::change::Change;
use crate::facts::Facts;
use crate::owner::Owner;
use crate::render::{self, Dialect, Rendered};
use crate::step::Command;
use crate::steps::command;

/// The guest's namespace. It may be shared, so it is made for the management cluster's document.
pub(super) fn namespace(guest: &GuestCluster, owner: &Owner) -> Value {
    let mut object = serde_json::json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": guest.namespace },
    });
    owner.mark(&mut object);
    object
}

/// Everything of the guest but its namespace, what others refer to first.
pub(super) fn changes(guest: &GuestCluster, facts: &Facts) -> Vec<Change> {
    let owner = Owner::guest(&guest.namespace, &guest.name);
    let place = reference(guest);
    let mut changes = Vec::new();
    for rendered in render::hosted_cluster(guest, Dialect::default()) {
        let kind = rendered.object.resource;
        let is_guest = [resources::HOSTED_CLUSTER, resources::NODE_POOL].contains(&kind);
        let live = is_guest.then(|| adopt::live(facts, &place, &rendered.object)).flatten();
        match live {
            Some(live) if adopt::is_theirs(guest, Some(live)) => {
                changes.extend(adopt::edits(&rendered.object, &wanted_of(rendered.fields), live));
            }
            // What others refer to is theirs as well: the document only names it.
            None if kind == resources::NAMESPACE || (guest.spec.adopt && !is_guest) => {}
            Some(live) => {
                let mut whole = change(rendered, &owner);
                if let Change::Apply { object, fields } = &mut whole {
                    changes.extend(taken_back(object, fields, live));
                }
                changes.push(whole);
            }
            None => changes.push(change(rendered, &owner)),
        }
    }
    changes
}

/// An object without what is the operator's to fill in.
fn wanted_of(mut fields: Value) -> Value {
    if fields["kind"] == resources::HOSTED_CLUSTER.kind {
        render::leave_to_the_operator(&mut fields);
    }
    fields
}

/// One of the guest's objects as the document wants it, for steps that wait until the cluster holds it so.
pub(super) fn wanted(guest: &GuestCluster, resource: &'static Resource, name: &str) -> Value {
    let rendered = render::hosted_cluster(guest, Dialect::default());
    let own = |rendered: &&Rendered| rendered.object.resource == resource && rendered.object.name == name;
    rendered.iter().find(own).map(Rendered::complete).unwrap_or_default()
}

/// The release that the document wants for each NodePool, by its name.
pub(super) fn pool_releases(guest: &GuestCluster) -> Vec<(String, String)> {
    let rendered = render::hosted_cluster(guest, Dialect::default());
    let pools = rendered
        .iter()
        .filter(|rendered| rendered.object.resource == resources::NODE_POOL);
    let release = |rendered: &Rendered| {
        let image = rendered.fields["spec"]["release"]["image"].as_str()?;
        Some((rendered.object.name.clone(), image.to_owned()))
    };
    pools.filter_map(release).collect()
}

/// A key that is made up is made once; all that comes from the document follows the document.
fn change(rendered: Rendered, owner: &Owner) -> Change {
    let mut fields = rendered.complete();
    owner.mark(&mut fields);
    if rendered.object.resource == resources::HOSTED_CLUSTER {
        render::leave_to_the_operator(&mut fields);
    }
    let Rendered { object, generate, .. } = rendered;
    if generate.is_empty() {
        Change::Apply { object, fields }
    } else {
        Change::CreateOnce {
            object,
            fields,
            generate,
        }
    }
}

/// `hcp` makes the cluster with its first pool; every further pool is a command of its own.
pub(super) fn commands(guest: &GuestCluster) -> Vec<Command> {
    let (first, others) = match guest.spec.node_pools.split_first() {
        Some((first, others)) => (Some(first), others),
        None => (None, &[] as &[NodePool]),
    };
    let mut commands = vec![command(
        "hcp names the NodePool as the cluster; Berth names it after the pool, so that there may be several",
        create_cluster(guest, first),
    )];
    commands.extend(others.iter().map(|pool| command("", create_pool(guest, pool))));
    let inside = guest.control_plane_namespace();
    commands.push(command(
        "The control plane's pods and the workers' virtual machines are both here, on the management cluster",
        format!("oc get pods -n {inside}"),
    ));
    commands.push(command(
        "",
        format!(
            "oc wait hostedcluster/{} -n {} --for=condition=Available --timeout=30m",
            guest.name, guest.namespace
        ),
    ));
    commands
}

/// A command with a flag a line.
fn flags(command: &str, flags: Vec<(&str, String)>) -> String {
    let lines = flags.into_iter().map(|(flag, value)| {
        if value.is_empty() {
            format!("  --{flag}")
        } else {
            format!("  --{flag} {}", quoted(&value))
        }
    });
    std::iter::once(command.to_owned())
        .chain(lines)
        .collect::<Vec<_>>()
        .join(" \\\n")
}

fn quoted(value: &str) -> String {
    let plain = value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_./:=,@".contains(c));
    if plain {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

fn create_cluster(guest: &GuestCluster, pool: Option<&NodePool>) -> String {
    let spec = &guest.spec;
    let mut list = vec![("name", guest.name.clone()), ("namespace", guest.namespace.clone())];
    let replicas = pool.map_or_else(|| "-1".to_owned(), |pool| pool_replicas(pool).to_string());
    list.push(("node-pool-replicas", replicas));
    let file = spec
        .pull_secret
        .file
        .as_ref()
        .map_or("pull-secret.json".into(), |path| path.to_string_lossy());
    list.push(("pull-secret", file.into_owned()));
    list.extend(pool.map(shape).unwrap_or_default());
    list.push(("release-image", spec.release.image.clone()));
    list.extend(
        spec.control_plane
            .etcd
            .storage_class
            .clone()
            .map(|class| ("etcd-storage-class", class)),
    );
    list.extend(spec.base_domain.clone().map(|domain| ("base-domain", domain)));
    list.extend(spec.infra_id.clone().map(|id| ("infra-id", id)));
    let key = spec.ssh_key.as_ref().and_then(|source| source.file.as_ref());
    list.extend(key.map(|file| ("ssh-key", file.display().to_string())));
    if spec.control_plane.availability == berth_api::AvailabilityPolicy::SingleReplica {
        list.push(("control-plane-availability-policy", "SingleReplica".to_owned()));
    }
    let usual = berth_api::Networking::default();
    let networks = [
        ("cluster-cidr", &spec.networking.cluster_network, &usual.cluster_network),
        ("service-cidr", &spec.networking.service_network, &usual.service_network),
        ("machine-cidr", &spec.networking.machine_network, &usual.machine_network),
    ];
    for (flag, ranges, usual) in networks {
        if ranges != usual {
            list.extend(ranges.iter().map(|range| (flag, range.to_string())));
        }
    }
    if spec.fips {
        list.push(("fips", String::new()));
    }
    flags("hcp create cluster kubevirt", list)
}

fn create_pool(guest: &GuestCluster, pool: &NodePool) -> String {
    let mut list = vec![
        ("name", guest.node_pool_name(pool)),
        ("namespace", guest.namespace.clone()),
        ("cluster-name", guest.name.clone()),
        ("replicas", pool_replicas(pool).to_string()),
    ];
    list.extend(shape(pool));
    flags("hcp create nodepool kubevirt", list)
}

fn pool_replicas(pool: &NodePool) -> u32 {
    pool.replicas
        .or_else(|| pool.autoscaling.as_ref().map(|bounds| bounds.min))
        .unwrap_or(2)
}

/// What a pool's machines are like.
fn shape(pool: &NodePool) -> Vec<(&'static str, String)> {
    let mut list = vec![("memory", pool.memory.to_string()), ("cores", pool.cores.to_string())];
    list.extend(
        pool.root_volume
            .storage_class
            .clone()
            .map(|class| ("root-volume-storage-class", class)),
    );
    list
}
