//! `version`, and what `--version-check` asks.

use kube::Client;
use serde_json::Value;

use super::hub;
use crate::discovery::get;
use crate::failure::{Failure, Result};
use crate::printer::Printer;

/// Prints the versions. As in the original, a server that can't be asked is told on stdout and is no failure.
pub(super) async fn run(printer: &Printer, commit_only: bool, client_only: bool, namespace: &str) {
    if commit_only {
        return printer.line(env!("CARGO_PKG_VERSION"));
    }
    printer.line(&format!("Client Version: berth {}", env!("CARGO_PKG_VERSION")));
    if client_only {
        return;
    }
    let client = match hub::client(printer, None).await {
        Ok(client) => client,
        Err(failure) => return printer.line(&format!("failed to connect to server: {}", failure.message)),
    };
    match of_server(&client, namespace).await {
        Ok((server, versions)) => {
            printer.line(&format!("Server Version: {server}"));
            printer.line(&format!("Server Supports OCP Versions: {}", versions.join(", ")));
        }
        Err(why) => printer.line(&format!("failed to get supported OCP versions: {why}")),
    }
}

/// Refuses where the operator does not say its version.
///
/// The original demands its own commit. This client follows what the hub's definitions say, so that it fits any operator.
pub(super) async fn check(client: &Client) -> Result<()> {
    let checked = of_server(client, "hypershift").await;
    checked.map(|_| ()).map_err(|why| {
        Failure::failed(format!(
            "version validation failed: failed to get supported OCP versions: {why}"
        ))
    })
}

async fn of_server(client: &Client, namespace: &str) -> Result<(String, Vec<String>), String> {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/supported-versions");
    let map = get(client, &path, "application/json").await;
    let map = map.map_err(|error| {
        let why = match error {
            kube::Error::Api(status) => status.message,
            other => other.to_string(),
        };
        format!("failed to find supported versions on the server: {why}")
    })?;
    supported(&map)
}

/// The operator's version, and the OpenShift versions it supports.
pub(super) fn supported(map: &Value) -> Result<(String, Vec<String>), String> {
    let text = |key: &str| map["data"][key].as_str();
    let server = text("server-version").ok_or("the server did not advertise its HyperShift version")?;
    let versions = text("supported-versions").ok_or("the server did not advertise supported OCP versions")?;
    let versions: Value = serde_json::from_str(versions)
        .map_err(|error| format!("failed to parse supported versions on the server: {error}"))?;
    let versions = versions["versions"].as_array().into_iter().flatten();
    let versions = versions.filter_map(Value::as_str).map(str::to_owned).collect();
    Ok((server.to_owned(), versions))
}
