//! What a lab's process writes of itself, for whoever looks for it.

use serde::{Deserialize, Serialize};

/// What the process that runs a lab says of itself. Kept after its end: ports and settings are used again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// Process id. Only of use while the lock is held.
    pub(crate) pid: u32,
    /// Tells one build of the program from another.
    pub(crate) build: String,
    /// As written on a command line.
    pub(crate) speed: String,
    pub(crate) generation: String,
    /// Actors that are left out.
    pub(crate) without: Vec<String>,
    /// Since when it runs.
    pub(crate) started: jiff::Timestamp,
    pub(crate) ports: Ports,
    /// The network of its guests' addresses: see `process/network.rs`.
    pub(crate) network: Option<u8>,
    /// Whether it is ready to serve.
    pub(crate) ready: bool,
}

/// Ports on 127.0.0.1, chosen once and kept, so that a kubeconfig that someone copied goes on working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ports {
    pub(crate) api: u16,
    pub(crate) downloads: u16,
}
