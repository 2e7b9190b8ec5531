//! What `hcp create kubeconfig` prints: one guest's kubeconfig as it is, or all of a namespace merged into one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_procedure::hcp;
use kube::Client;

use crate::discovery::get;
use crate::failure::{Attempted, Failure, Result};
use crate::guests::{self, Guest};
use crate::printer::Printer;

/// The text for one guest, or (with an empty name) for all of the namespace.
pub(crate) async fn text(printer: &Printer, client: &Client, namespace: &str, name: &str) -> Result<String> {
    if !name.is_empty() {
        let guest = guests::find(client, &format!("{namespace}/{name}")).await;
        return one(client, &guest.attempted_as("failed to make kubeconfig")?).await;
    }
    let mut parts = Vec::new();
    for guest in guests::all(client)
        .await?
        .into_iter()
        .filter(|guest| guest.namespace == namespace)
    {
        if guest.object["status"]["kubeconfig"]["name"].is_string() {
            parts.push((guest.namespace.clone(), guest.name.clone(), one(client, &guest).await?));
        } else {
            printer.say(&format!(
                "skipping hostedcluster {namespace}/{}: it doesn't report a kubeconfig",
                guest.name
            ));
        }
    }
    let parts: Vec<_> = parts
        .iter()
        .map(|(place, name, text): &(String, String, String)| (&**place, &**name, &**text))
        .collect();
    hcp::merged(&parts).map_err(|error| Failure::failed(error.to_string()))
}

async fn one(client: &Client, guest: &Guest) -> Result<String> {
    let Some(secret) = guest.object["status"]["kubeconfig"]["name"].as_str() else {
        return Err(Failure::failed(
            "failed to make kubeconfig: cluster doesn't report a kubeconfig",
        ));
    };
    let path = format!("/api/v1/namespaces/{}/secrets/{secret}", guest.namespace);
    let object = get(client, &path, "application/json").await;
    let object = object.attempted(format!(
        "failed to make kubeconfig: failed to get kubeconfig secret {secret}"
    ))?;
    let bytes = object["data"]["kubeconfig"]
        .as_str()
        .and_then(|encoded| STANDARD.decode(encoded).ok());
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Failure::failed("failed to make kubeconfig: kubeconfig secret has no kubeconfig"))
}

/// Puts what was attempted before a failure's own message.
trait AttemptedAs<T> {
    fn attempted_as(self, what: &str) -> Result<T>;
}

impl<T> AttemptedAs<T> for Result<T> {
    fn attempted_as(self, what: &str) -> Self {
        self.map_err(|failure| Failure {
            message: format!("{what}: {}", failure.message),
            ..failure
        })
    }
}
