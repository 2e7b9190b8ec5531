//! What the operator makes for a NodePool: the Secrets that machines boot with, the machine template, and the
//! MachineDeployment (or, for upgrades in place, the MachineSet).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::actor::Key;
use crate::client::{Result, name_of};
use crate::kind::{KUBEVIRT_MACHINE_TEMPLATE, Kind, MACHINE_DEPLOYMENT, MACHINE_SET, SECRET};
use crate::objects::{ensure, merge};

use super::super::names::{NODE_POOL_ANNOTATION, hash8, qualified};
use super::super::release::Release;
use super::{Scope, template};

/// What makes the machines, and what they boot with, as they are now.
pub(super) struct Made {
    /// MachineDeployment or MachineSet.
    pub(super) machines: Value,
    pub(super) token: Value,
    pub(super) template: String,
    /// Hash of all that makes a new rollout but the template.
    pub(super) config: String,
}

/// Makes what is missing and brings the rest up to date.
pub(super) async fn everything(scope: &Scope<'_>, key: &Key, release: &Release) -> Result<Made> {
    let client = &scope.context.client;
    let config = config_hash(scope, release);
    let token = token_secret(scope, key, &config, release);
    let user_data = user_data_secret(scope, key, &config);
    ensure(client, SECRET, &token).await?;
    ensure(client, SECRET, &user_data).await?;
    let spec = template::spec(scope.pool, scope.hosted_cluster, release);
    let template = template::name(&key.name, &spec);
    let object = json!({ "metadata": metadata(scope, key, &template), "spec": spec });
    ensure(client, KUBEVIRT_MACHINE_TEMPLATE, &object).await?;
    let kind = kind_of(scope.pool);
    let wanted = machine_owner(scope, key, kind, &template, &user_data, release);
    let namespace = Some(scope.namespace.as_str());
    let machines = match client.get(kind, namespace, &key.name).await? {
        None => {
            client.create(kind, &wanted).await?;
            wanted
        }
        Some(found) => {
            merge(client, kind, &found, &json!({ "spec": wanted["spec"] })).await?;
            found
        }
    };
    let token = client.get(SECRET, namespace, name_of(&token)).await?.unwrap_or(token);
    Ok(Made {
        machines,
        token,
        template,
        config,
    })
}

/// A pool that is upgraded in place keeps its machines, so it needs no deployment above its set.
pub(super) fn kind_of(pool: &Value) -> Kind {
    if pool["spec"]["management"]["upgradeType"] == "InPlace" {
        MACHINE_SET
    } else {
        MACHINE_DEPLOYMENT
    }
}

/// What a machine's configuration is made of: a change of it is a rollout.
fn config_hash(scope: &Scope<'_>, release: &Release) -> String {
    let (pool, cluster) = (&scope.pool["spec"], &scope.hosted_cluster["spec"]);
    let inputs = json!([
        release.version,
        pool["config"],
        pool["tuningConfig"],
        cluster["pullSecret"]["name"],
        cluster["additionalTrustBundle"]["name"],
        cluster["sshKey"]["name"],
        cluster["imageContentSources"],
        cluster["configuration"]["proxy"],
        cluster["configuration"]["image"],
    ]);
    hash8(&inputs.to_string())
}

fn metadata(scope: &Scope<'_>, key: &Key, name: &str) -> Value {
    json!({
        "name": name,
        "namespace": scope.namespace,
        "annotations": { NODE_POOL_ANNOTATION: qualified(key) },
    })
}

fn token_secret(scope: &Scope<'_>, key: &Key, config: &str, release: &Release) -> Value {
    let text = |text: &str| BASE64_STANDARD.encode(text);
    json!({
        "metadata": metadata(scope, key, &format!("token-{}-{config}", key.name)),
        "type": "Opaque",
        "data": {
            // Nothing fetches with it in a lab.
            "token": text("simulated ignition token (lab)"),
            "release": text(scope.pool["spec"]["release"]["image"].as_str().unwrap_or_default()),
            "config": text(&release.version),
            "payload": text("simulated ignition payload (lab)"),
            "reason": text("AsExpected"),
            "message": text("Payload generated successfully"),
        },
    })
}

fn user_data_secret(scope: &Scope<'_>, key: &Key, config: &str) -> Value {
    let endpoint = scope.hosted_cluster["status"]["ignitionEndpoint"]
        .as_str()
        .unwrap_or_default();
    let stub = json!({
        "ignition": { "version": "3.2.0", "config": { "merge": [{ "source": format!("https://{endpoint}/ignition") }] } },
    });
    json!({
        "metadata": metadata(scope, key, &format!("user-data-{}-{config}", key.name)),
        "type": "Opaque",
        "data": { "value": BASE64_STANDARD.encode(stub.to_string()) },
    })
}

fn machine_owner(
    scope: &Scope<'_>,
    key: &Key,
    kind: Kind,
    template: &str,
    user_data: &Value,
    release: &Release,
) -> Value {
    let infra_id = scope.hosted_cluster["spec"]["infraID"].as_str().unwrap_or_default();
    let label: String = format!("{infra_id}-{}-{}", name_of(scope.hosted_cluster), key.name)
        .chars()
        .take(43)
        .collect();
    let label = label.trim_end_matches('-');
    let labels = json!({ label: label, "cluster.x-k8s.io/cluster-name": infra_id });
    let management = &scope.pool["spec"]["management"];
    let mut spec = json!({
        "clusterName": infra_id,
        "replicas": wanted_replicas(scope.pool),
        "selector": { "matchLabels": { label: label } },
        "template": {
            "metadata": {
                "labels": labels,
                "annotations": {
                    NODE_POOL_ANNOTATION: qualified(key),
                    "hypershift.openshift.io/release-version": release.version,
                },
            },
            "spec": {
                "clusterName": infra_id,
                "version": release.version,
                "bootstrap": { "dataSecretName": name_of(user_data) },
                "infrastructureRef": {
                    "apiVersion": KUBEVIRT_MACHINE_TEMPLATE.api_version(),
                    "kind": KUBEVIRT_MACHINE_TEMPLATE.kind,
                    "name": template,
                    "namespace": scope.namespace,
                },
            },
        },
    });
    for field in ["nodeDrainTimeout", "nodeVolumeDetachTimeout"] {
        if !scope.pool["spec"][field].is_null() {
            spec["template"]["spec"][field] = scope.pool["spec"][field].clone();
        }
    }
    if kind == MACHINE_DEPLOYMENT {
        let replace = &management["replace"];
        spec["strategy"] = json!({
            "type": replace["strategy"].as_str().unwrap_or("RollingUpdate"),
            "rollingUpdate": {
                "maxSurge": replace["rollingUpdate"].get("maxSurge").cloned().unwrap_or(json!(1)),
                "maxUnavailable": replace["rollingUpdate"].get("maxUnavailable").cloned().unwrap_or(json!(0)),
            },
        });
    }
    let mut metadata = metadata(scope, key, &key.name);
    metadata["labels"] = json!({ "cluster.x-k8s.io/cluster-name": infra_id });
    json!({ "metadata": metadata, "spec": spec })
}

/// Replicas asked for; with autoscaling, what there is, kept within the bounds.
pub(super) fn wanted_replicas(pool: &Value) -> u64 {
    let scaling = &pool["spec"]["autoScaling"];
    if !scaling.is_object() {
        return pool["spec"]["replicas"].as_u64().unwrap_or(0);
    }
    let (least, most) = (
        scaling["min"].as_u64().unwrap_or(1),
        scaling["max"].as_u64().unwrap_or(1),
    );
    pool["status"]["replicas"]
        .as_u64()
        .unwrap_or(0)
        .clamp(least, most.max(least))
}
