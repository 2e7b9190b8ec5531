//! What the admin kubeconfig says of the guest's API server.

use berth_api::yaml;
use serde_json::Value;

use super::kubeconfig;
use crate::effect::{Credential, GuestServer};
use crate::facts::Facts;
use crate::read::{decoded, text};
use crate::secret::Secret;
use crate::walk::GuestRef;

/// Where the guest's API server is; `None` until there is a kubeconfig that can be read.
pub(crate) fn guest_server(facts: &Facts, place: &GuestRef) -> Option<GuestServer> {
    let kubeconfig = parsed(facts, place)?;
    let cluster = kubeconfig.pointer("/clusters/0/cluster")?;
    Some(GuestServer {
        url: text(cluster, &["server"])?.trim_end_matches('/').to_owned(),
        ca: decoded(cluster, &["certificate-authority-data"])?,
    })
}

/// The admin's own certificate and key.
pub(crate) fn admin_credential(facts: &Facts, place: &GuestRef) -> Option<Credential> {
    let kubeconfig = parsed(facts, place)?;
    let user = kubeconfig.pointer("/users/0/user")?;
    Some(Credential::Whole {
        certificate: decoded(user, &["client-certificate-data"])?,
        key: Secret::new(decoded(user, &["client-key-data"])?),
    })
}

fn parsed(facts: &Facts, place: &GuestRef) -> Option<Value> {
    yaml::parse(kubeconfig(facts, place)?.reveal()).ok()?.into_iter().next()
}
