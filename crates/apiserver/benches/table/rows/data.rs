//! What the servers are given: many ConfigMaps, and upstream's definitions where they are at hand.

use std::{env, fs, path::PathBuf};

use serde_json::{Value, json};

/// A ConfigMap in JSON, about as long as its text.
pub(super) fn map(name: &str, text: &str) -> String {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"text": text}}).to_string()
}

/// A thousand small ConfigMaps, one document after the other.
pub(super) fn maps() -> String {
    let maps: Vec<String> = (0..1000)
        .map(|index| map(&format!("map-{index}"), "a few words"))
        .collect();
    maps.join("\n")
}

/// The folder of upstream's current CustomResourceDefinitions, if it is there.
pub(super) fn definitions() -> Option<PathBuf> {
    Some(upstream().join("crds/current")).filter(|folder| folder.is_dir())
}

/// A HostedCluster as upstream's own command line renders it.
pub(super) fn hosted_cluster() -> Option<Value> {
    let text = fs::read_to_string(upstream().join("golden/hcp-render/current/minimal.yaml")).ok()?;
    let documents = text.split("\n---\n");
    let mut documents = documents.filter_map(|document| serde_saphyr::from_str::<Value>(document).ok());
    documents.find(|document| document["kind"] == "HostedCluster")
}

fn upstream() -> PathBuf {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    env::var_os("BERTH_UPSTREAM_DATA").map_or_else(|| workspace.join("../shared"), |folder| workspace.join(folder))
}
