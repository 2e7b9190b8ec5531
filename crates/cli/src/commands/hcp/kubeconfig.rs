//! What `hcp create kubeconfig` prints: one guest's kubeconfig as it is, or all of a namespace merged into one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_api::resources;
use berth_procedure::hcp;
use kube::Client;
use serde_json::Value;

use super::{hub, log};
use crate::failure::{Failure, Result};
use crate::guests;
use crate::printer::Printer;

/// The text for one guest, or (with an empty name) for all of the namespace.
pub(super) async fn text(printer: &Printer, client: &Client, namespace: &str, name: &str) -> Result<String> {
    if name.is_empty() {
        return combined(printer, client, namespace).await;
    }
    let found = hub::find(client, resources::HOSTED_CLUSTER, namespace, name).await;
    let cluster = found
        .map_err(|error| Failure::failed("failed to get hostedcluster").because(&error))?
        .ok_or_else(|| Failure::failed(format!("hostedclusters.hypershift.openshift.io \"{name}\" not found")))?;
    of_cluster(client, namespace, &cluster).await.map_err(Failure::failed)
}

/// Of several guests, those without a kubeconfig are left out with a word.
async fn combined(printer: &Printer, client: &Client, namespace: &str) -> Result<String> {
    let mut all = guests::all(client).await?;
    all.retain(|guest| guest.namespace == namespace);
    let mut parts = Vec::new();
    for guest in &all {
        let called = format!("{namespace}/{}", guest.name);
        if guest.object["status"]["kubeconfig"]["name"].is_null() {
            log::plain(
                printer,
                &format!("skipping hostedcluster {called} which reports no kubeconfig"),
            );
            continue;
        }
        log::plain(printer, &format!("adding {called} to kubeconfig"));
        match of_cluster(client, namespace, &guest.object).await {
            Ok(text) => parts.push((namespace, guest.name.as_str(), text)),
            Err(why) => log::plain(printer, &why),
        }
    }
    let parts: Vec<_> = parts
        .iter()
        .map(|(place, name, text)| (*place, *name, text.as_str()))
        .collect();
    let merged = hcp::merged(&parts).map_err(|error| Failure::failed(error.to_string()))?;
    log::plain(printer, &format!("created kubeconfig with {} contexts", parts.len()));
    Ok(merged)
}

async fn of_cluster(client: &Client, namespace: &str, cluster: &Value) -> Result<String, String> {
    let secret = cluster["status"]["kubeconfig"]["name"].as_str();
    let secret = secret.ok_or("cluster doesn't report a kubeconfig")?;
    let failed = format!("failed to get kubeconfig secret {namespace}/{secret}");
    let object = hub::find(client, resources::SECRET, namespace, secret)
        .await
        .map_err(|error| format!("{failed}: {error}"))?
        .ok_or_else(|| format!("{failed}: secrets \"{secret}\" not found"))?;
    let encoded = object["data"]["kubeconfig"].as_str();
    let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|text| !text.is_empty())
        .ok_or_else(|| "kubeconfig secret has no kubeconfig".to_owned())
}
