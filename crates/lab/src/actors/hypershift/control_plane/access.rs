//! What a person needs to get into the guest: kubeconfigs and the password of `kubeadmin`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{Result, name_of, namespace_of};
use crate::kind::{HOSTED_CONTROL_PLANE, SECRET};
use crate::objects::{merge, owner};
use crate::site::Guest;

/// Letters and digits that cannot be taken for one another.
const PASSWORD: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHIJKLMNPQRSTUVWXYZ23456789";

const PASSWORD_SECRET: &str = "kubeadmin-password";

/// The kubeconfig that others are copied from; made last, so that where it is right, all are.
const ADMIN_KUBECONFIG: &str = "admin-kubeconfig";

/// Further kubeconfigs, all for the same endpoint here: a lab has no network of its own inside.
const KUBECONFIGS: [&str; 3] = [
    "bootstrap-kubeconfig",
    "localhost-kubeconfig",
    "service-network-admin-kubeconfig",
];

/// Makes the password once; whether there is one. A guest with identity providers has none; one without an OAuth server
/// keeps what it had.
pub(super) async fn ensure_password(context: &Context, control_plane: &Value) -> Result<bool> {
    let client = &context.client;
    let namespace = namespace_of(control_plane);
    let configuration = &control_plane["spec"]["configuration"];
    if configuration["oauth"].is_object() {
        client.delete(SECRET, namespace, PASSWORD_SECRET).await?;
        let copy = format!("{}-{PASSWORD_SECRET}", name_of(control_plane));
        if let Some(guest) = super::super::names::guest_id(control_plane) {
            client.delete(SECRET, Some(&guest.namespace), &copy).await?;
        }
        return Ok(false);
    }
    if client.get(SECRET, namespace, PASSWORD_SECRET).await?.is_some() {
        return Ok(true);
    }
    if configuration["authentication"]["type"] == "OIDC" {
        return Ok(false);
    }
    let secret = secret(control_plane, PASSWORD_SECRET, "password", &password(context));
    client.create(SECRET, &secret).await?;
    Ok(true)
}

/// Makes the kubeconfigs, or brings them up to date with the guest's endpoint.
pub(super) async fn ensure_kubeconfigs(context: &Context, control_plane: &Value, guest: &Guest) -> Result<()> {
    let admin = secret(control_plane, ADMIN_KUBECONFIG, "kubeconfig", &guest.kubeconfig);
    let found = context
        .client
        .get(SECRET, namespace_of(control_plane), ADMIN_KUBECONFIG)
        .await?;
    if found.is_some_and(|found| found["data"] == admin["data"]) {
        return Ok(());
    }
    let infra_id = control_plane["spec"]["infraID"].as_str().unwrap_or_default();
    for name in KUBECONFIGS {
        upsert(context, &secret(control_plane, name, "kubeconfig", &guest.kubeconfig)).await?;
    }
    upsert(
        context,
        &secret(
            control_plane,
            &format!("{infra_id}-kubeconfig"),
            "value",
            &guest.kubeconfig,
        ),
    )
    .await?;
    upsert(context, &admin).await
}

async fn upsert(context: &Context, secret: &Value) -> Result<()> {
    let client = &context.client;
    match client.get(SECRET, namespace_of(secret), name_of(secret)).await? {
        None => client.create(SECRET, secret).await?,
        Some(found) => merge(client, SECRET, &found, &json!({ "data": secret["data"] })).await?,
    };
    Ok(())
}

fn secret(control_plane: &Value, name: &str, key: &str, text: &str) -> Value {
    json!({
        "metadata": {
            "name": name,
            "namespace": namespace_of(control_plane),
            "ownerReferences": [owner(HOSTED_CONTROL_PLANE, control_plane)],
            // The HostedCluster's controller copies some of these, so it must hear of them.
            "annotations": control_plane["metadata"]["annotations"],
        },
        "type": "Opaque",
        "data": { key: BASE64_STANDARD.encode(text) },
    })
}

/// 23 characters with dashes at 5, 11 and 17.
fn password(context: &Context) -> String {
    let groups: Vec<String> = (0..4).map(|_| context.random.pick(PASSWORD, 5)).collect();
    groups.join("-")
}
