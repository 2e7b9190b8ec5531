//! What a pool's machines are configured with, as hashes: a change of one is a rollout. Nothing else is.
//!
//! Two hashes, as the operator keeps them: one of everything, which names the Secrets that machines boot with, and one
//! without version and cluster-wide configuration, by which it tells a change of configuration from an upgrade.

use serde_json::{Value, json};

use crate::client::Result;
use crate::kind::{CONFIG_MAP, SECRET};

use super::super::names::hash8;
use super::super::release::Release;
use super::Scope;

/// The hashes of a pool's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Config {
    /// Of all that makes a rollout but the machine template.
    pub(super) version_hash: String,
    /// The same without the version: the target of a change of configuration.
    pub(super) hash: String,
}

/// Why a pool's configuration cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// Of `spec.config`.
    Machine(String),
    /// Of `spec.tuningConfig`.
    Tuning(String),
}

/// What goes into the hashes.
struct Inputs<'a> {
    /// Content of the ConfigMaps that the pool names.
    config: Vec<String>,
    tuning: Vec<String>,
    ssh_key: String,
    pool_release: &'a Release,
    cluster: &'a Value,
}

/// Reads what the pool refers to and hashes it.
pub(super) async fn of(scope: &Scope<'_>, release: &Release) -> Result<Result<Config, Problem>> {
    let spec = &scope.pool["spec"];
    let config = match contents(scope, &spec["config"], "config").await? {
        Ok(contents) => contents,
        Err(problem) => return Ok(Err(Problem::Machine(problem))),
    };
    let tuning = match contents(scope, &spec["tuningConfig"], "tuning").await? {
        Ok(contents) => contents,
        Err(problem) => return Ok(Err(Problem::Tuning(problem))),
    };
    let inputs = Inputs {
        config,
        tuning,
        ssh_key: ssh_key(scope).await?,
        pool_release: release,
        cluster: &scope.hosted_cluster["spec"],
    };
    Ok(Ok(hash(&inputs)))
}

fn hash(inputs: &Inputs<'_>) -> Config {
    let cluster = inputs.cluster;
    let raw = json!([
        inputs.config,
        inputs.tuning,
        inputs.ssh_key,
        cluster["imageContentSources"],
        // The proxy on each node is an image of the release, so a new release changes the configuration too.
        inputs.pool_release.disk_image(),
    ]);
    let names = json!([cluster["pullSecret"]["name"], cluster["additionalTrustBundle"]["name"]]);
    let global = json!([cluster["configuration"]["proxy"], cluster["configuration"]["image"]]);
    Config {
        version_hash: hash8(&json!([raw, inputs.pool_release.version, names, global]).to_string()),
        hash: hash8(&json!([raw, names]).to_string()),
    }
}

/// Content of the ConfigMaps of a list of references, in the pool's namespace.
async fn contents(scope: &Scope<'_>, references: &Value, key: &str) -> Result<Result<Vec<String>, String>> {
    let namespace = scope.pool["metadata"]["namespace"].as_str();
    let mut contents = Vec::new();
    for reference in references.as_array().into_iter().flatten() {
        let name = reference["name"].as_str().unwrap_or_default();
        let Some(found) = scope.context.client.get(CONFIG_MAP, namespace, name).await? else {
            return Ok(Err(format!("configmaps \"{name}\" not found")));
        };
        let Some(content) = found["data"][key].as_str() else {
            return Ok(Err(format!("no manifest found in configmap {name:?} with key {key:?}")));
        };
        contents.push(content.to_owned());
    }
    Ok(Ok(contents))
}

/// The public key that machines let in: its content counts, for it is part of what they boot with.
async fn ssh_key(scope: &Scope<'_>) -> Result<String> {
    let name = scope.hosted_cluster["spec"]["sshKey"]["name"]
        .as_str()
        .unwrap_or_default();
    if name.is_empty() {
        return Ok(String::new());
    }
    let namespace = scope.hosted_cluster["metadata"]["namespace"].as_str();
    let secret = scope.context.client.get(SECRET, namespace, name).await?;
    let key = secret.and_then(|secret| secret["data"]["id_rsa.pub"].as_str().map(str::to_owned));
    Ok(key.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(image: &str, cluster: &Value, config: &[&str]) -> Config {
        let release = Release::of_any_image(image).unwrap();
        hash(&Inputs {
            config: config.iter().map(|&content| content.to_owned()).collect(),
            tuning: Vec::new(),
            ssh_key: String::new(),
            pool_release: &release,
            cluster,
        })
    }

    const IMAGE: &str = "quay.io/o/r:4.17.0-multi";

    #[test]
    fn each_trigger_gives_another_hash_and_nothing_else_does() {
        let before = hashes(IMAGE, &json!({ "pullSecret": { "name": "a" } }), &[]);
        let differs = |cluster: Value| hashes(IMAGE, &cluster, &[]).version_hash != before.version_hash;
        let with = |field: &str, value: Value| {
            let mut cluster = json!({ "pullSecret": { "name": "a" } });
            cluster[field] = value;
            cluster
        };
        assert!(differs(json!({ "pullSecret": { "name": "b" } })));
        assert!(differs(with("additionalTrustBundle", json!({ "name": "ca" }))));
        assert!(differs(with("imageContentSources", json!([{ "source": "s" }]))));
        assert!(differs(with("configuration", json!({ "proxy": { "httpProxy": "p" } }))));
        assert!(differs(with("configuration", json!({ "image": {} }))));
        assert!(!differs(with("configuration", json!({ "oauth": {}, "apiServer": {} }))));
        assert!(!differs(with("autoscaling", json!({ "maxNodesTotal": 3 }))));
        assert!(!differs(with("channel", json!("stable-4.17"))));
        assert_ne!(hashes(IMAGE, &json!({}), &["x"]), hashes(IMAGE, &json!({}), &["y"]));
    }

    #[test]
    fn configuration_of_the_whole_cluster_is_not_told_as_a_change_of_configuration() {
        let before = hashes(IMAGE, &json!({}), &[]);
        let after = hashes(
            IMAGE,
            &json!({ "configuration": { "proxy": { "httpProxy": "p" } } }),
            &[],
        );
        assert_eq!(before.hash, after.hash);
        assert_ne!(before.version_hash, after.version_hash);
        let upgraded = hashes("quay.io/o/r:4.17.1-multi", &json!({}), &[]);
        assert_ne!(before.hash, upgraded.hash, "a node's proxy is an image of the release");
    }
}
