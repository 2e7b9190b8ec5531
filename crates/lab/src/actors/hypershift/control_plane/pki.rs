//! The Secrets of a control plane's PKI, under their real names and keys. Nothing in a lab reads them, so what they hold
//! says that it is simulated. The certificates that clients do meet are the guest's API server's own.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::actor::Context;
use crate::actors::SIMULATED;
use crate::client::{Result, namespace_of};
use crate::kind::{CONFIG_MAP, HOSTED_CONTROL_PLANE, SECRET};
use crate::objects::{ensure as ensure_object, owner};

/// Certificate authorities: `ca.crt` and `ca.key`.
const AUTHORITIES: [&str; 5] = [
    "cluster-signer-ca",
    "etcd-signer",
    "ignition-server-ca-cert",
    "konnectivity-signer",
    "root-ca",
];

/// Leaf certificates: `tls.crt` and `tls.key`.
const LEAVES: [&str; 24] = [
    "aggregator-client",
    "cloud-controller-metrics-cert",
    "cluster-policy-controller-cert",
    "csr-signer",
    "etcd-client-tls",
    "etcd-peer-tls",
    "etcd-server-tls",
    "ignition-server",
    "ignition-server-serving-cert",
    "ingress-crt",
    "ingress-operator-metrics-cert",
    "kas-bootstrap-client",
    "kas-kubelet-client",
    "kas-server-crt",
    "konnectivity-agent",
    "konnectivity-client",
    "konnectivity-cluster",
    "konnectivity-server",
    "metrics-client",
    "oauth-server-crt",
    "openshift-apiserver-cert",
    "openshift-controller-manager-cert",
    "packageserver-cert",
    "sa-signing-key",
];

/// Makes those that are missing, the certificate authority that node pools wait for last: where it is, all are.
pub(super) async fn ensure(context: &Context, control_plane: &Value) -> Result<()> {
    let client = &context.client;
    let last = "ignition-server-ca-cert";
    if client.get(SECRET, namespace_of(control_plane), last).await?.is_some() {
        return Ok(());
    }
    for name in LEAVES {
        ensure_object(client, SECRET, &secret(control_plane, name, "tls")).await?;
    }
    for name in AUTHORITIES.into_iter().filter(|name| *name != last).chain([last]) {
        ensure_object(client, SECRET, &secret(control_plane, name, "ca")).await?;
    }
    for name in [
        "root-ca",
        "kas-config",
        "openshift-apiserver",
        "oauth-openshift",
        "ignition-config",
    ] {
        ensure_object(client, CONFIG_MAP, &config_map(control_plane, name)).await?;
    }
    Ok(())
}

fn metadata(control_plane: &Value, name: &str) -> Value {
    json!({
        "name": name,
        "namespace": namespace_of(control_plane),
        "ownerReferences": [owner(HOSTED_CONTROL_PLANE, control_plane)],
        "annotations": { SIMULATED: "true" },
    })
}

fn secret(control_plane: &Value, name: &str, stem: &str) -> Value {
    let text = |what: &str| BASE64_STANDARD.encode(format!("simulated {what} of {name} (lab)\n"));
    json!({
        "metadata": metadata(control_plane, name),
        "type": "Opaque",
        "data": { format!("{stem}.crt"): text("certificate"), format!("{stem}.key"): text("key") },
    })
}

fn config_map(control_plane: &Value, name: &str) -> Value {
    json!({ "metadata": metadata(control_plane, name), "data": { "config.yaml": format!("# simulated {name} (lab)\n") } })
}
