//! The guest's cluster admins: a binding in the guest, made before `kubeadmin` ends.

use berth_api::{ClusterAdmins, GuestCluster, resources};
use serde_json::{Value, json};

use crate::change::{Change, ObjectRef};
use crate::facts::{Selector, Target};
use crate::owner::Owner;
use crate::step::Command;
use crate::steps::command;
use crate::walk::GuestRef;

const NAME: &str = "berth-cluster-admins";

/// The binding as it is watched.
pub(super) fn selector(place: &GuestRef) -> Selector {
    Selector::cluster(resources::CLUSTER_ROLE_BINDING, NAME).on(place.target())
}

/// The binding's address.
pub(super) fn object(place: &GuestRef) -> ObjectRef {
    ObjectRef::cluster(resources::CLUSTER_ROLE_BINDING, NAME).on(place.target())
}

/// The binding of the document's admins.
pub(super) fn binding(guest: &GuestCluster, admins: &ClusterAdmins) -> Change {
    let group = "rbac.authorization.k8s.io";
    let subject = |kind: &str, name: &String| json!({ "apiGroup": group, "kind": kind, "name": name });
    let users = admins.users.iter().map(|name| subject("User", name));
    let groups = admins.groups.iter().map(|name| subject("Group", name));
    let mut fields = json!({
        "apiVersion": resources::CLUSTER_ROLE_BINDING.api_version(), "kind": "ClusterRoleBinding",
        "metadata": { "name": NAME },
        "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": users.chain(groups).collect::<Vec<Value>>(),
    });
    Owner::guest(&guest.namespace, &guest.name).mark(&mut fields);
    let target = Target::Guest {
        namespace: guest.namespace.clone(),
        name: guest.name.clone(),
    };
    Change::Apply {
        object: ObjectRef::cluster(resources::CLUSTER_ROLE_BINDING, NAME).on(target),
        fields,
    }
}

/// What a person would type for it.
pub(super) fn typed(admins: &ClusterAdmins) -> Command {
    let flags: Vec<String> = (admins.users.iter().map(|user| format!("--user={user}")))
        .chain(admins.groups.iter().map(|group| format!("--group={group}")))
        .collect();
    let line = format!(
        "oc create clusterrolebinding {NAME} --clusterrole=cluster-admin {}",
        flags.join(" ")
    );
    command(
        "In the guest, with its admin kubeconfig: who may do everything after kubeadmin",
        line,
    )
}
