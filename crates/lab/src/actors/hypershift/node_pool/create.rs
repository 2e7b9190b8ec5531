//! What the operator makes for a NodePool: the Secrets that machines boot with, the machine template, and the
//! MachineDeployment (or, for upgrades in place, the MachineSet), with a MachineHealthCheck beside it where machines are
//! to be repaired.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::actor::Key;
use crate::client::{Result, name_of};
use crate::kind::{KUBEVIRT_MACHINE_TEMPLATE, Kind, MACHINE, MACHINE_DEPLOYMENT, MACHINE_SET, SECRET};
use crate::objects::{ensure, merge};

use super::super::names::{MANAGED_LABEL, NODE_POOL_ANNOTATION, TAINTS_ANNOTATION, node_pool_key, qualified};
use super::super::release::Release;
use super::config::Config;
use super::{Scope, machines, owner_of_machines, template};

/// What makes the machines, and what they boot with, as they are now.
pub(super) struct Made {
    /// MachineDeployment or MachineSet, as it was found.
    pub(super) machines: Value,
    /// Whether it was made or changed just now: then it says nothing of what it was changed to.
    pub(super) changed: bool,
    pub(super) token: Value,
    pub(super) template: String,
    pub(super) config: Config,
}

/// The template that the pool's machines are to be made from, under the name that its content gives it.
pub(super) struct Template {
    name: String,
    object: Value,
}

/// Makes what is missing and brings the rest up to date.
pub(super) async fn everything(scope: &Scope<'_>, key: &Key, release: &Release, config: Config) -> Result<Made> {
    let client = &scope.context.client;
    let token = token_secret(scope, key, &config, release);
    let user_data = user_data_secret(scope, key, &config);
    ensure(client, SECRET, &token).await?;
    ensure(client, SECRET, &user_data).await?;
    let template = machine_template(scope, key, release);
    ensure(client, KUBEVIRT_MACHINE_TEMPLATE, &template.object).await?;
    let kind = kind_of(scope.pool);
    let namespace = Some(scope.namespace.as_str());
    let found = client.get(kind, namespace, &key.name).await?;
    let wanted = owner_of_machines::object(&owner_of_machines::Inputs {
        scope,
        key,
        kind,
        template: &template.name,
        user_data: name_of(&user_data),
        release,
        config: &config,
        found: found.as_ref(),
    });
    let (machines, changed) = match found {
        None => {
            client.create(kind, &wanted).await?;
            (wanted, true)
        }
        Some(found) => {
            let patch =
                json!({ "metadata": { "annotations": wanted["metadata"]["annotations"] }, "spec": wanted["spec"] });
            let changed = merge(client, kind, &found, &patch).await?;
            (found, changed)
        }
    };
    mark_machines(scope, key).await?;
    drop_old_templates(scope, key, &template.name).await?;
    let token = client.get(SECRET, namespace, name_of(&token)).await?.unwrap_or(token);
    Ok(Made {
        machines,
        changed,
        token,
        template: template.name,
        config,
    })
}

/// What is there, where nothing may be made: the pool is paused. `None` where nothing was made before.
pub(super) async fn as_it_is(scope: &Scope<'_>, key: &Key, release: &Release, config: Config) -> Result<Option<Made>> {
    let client = &scope.context.client;
    let namespace = Some(scope.namespace.as_str());
    let Some(machines) = client.get(kind_of(scope.pool), namespace, &key.name).await? else {
        return Ok(None);
    };
    let token = token_secret(scope, key, &config, release);
    let token = client
        .get(SECRET, namespace, name_of(&token))
        .await?
        .unwrap_or_default();
    Ok(Some(Made {
        machines,
        changed: false,
        token,
        template: machine_template(scope, key, release).name,
        config,
    }))
}

/// Cluster API stands still for a paused pool: both that make machines are told so.
pub(super) async fn pause(scope: &Scope<'_>, key: &Key) -> Result<()> {
    let client = &scope.context.client;
    for kind in [MACHINE_DEPLOYMENT, MACHINE_SET] {
        if let Some(found) = client.get(kind, Some(&scope.namespace), &key.name).await? {
            let patch = json!({ "metadata": { "annotations": { owner_of_machines::PAUSED: "true" } } });
            merge(client, kind, &found, &patch).await?;
        }
    }
    Ok(())
}

/// A pool that is upgraded in place keeps its machines, so it needs no deployment above its set.
pub(super) fn kind_of(pool: &Value) -> Kind {
    if pool["spec"]["management"]["upgradeType"] == "InPlace" {
        MACHINE_SET
    } else {
        MACHINE_DEPLOYMENT
    }
}

fn machine_template(scope: &Scope<'_>, key: &Key, release: &Release) -> Template {
    let spec = template::spec(scope.pool, scope.hosted_cluster, release);
    let name = template::name(&key.name, &spec);
    let object = json!({ "metadata": metadata(scope, key, &name), "spec": spec });
    Template { name, object }
}

/// Labels and taints go to the machines at once, by which they reach nodes that are yet to join; nothing rolls for them.
async fn mark_machines(scope: &Scope<'_>, key: &Key) -> Result<()> {
    let spec = &scope.pool["spec"];
    let labels = spec["nodeLabels"].as_object();
    if labels.is_none_or(serde_json::Map::is_empty) && spec["taints"].is_null() {
        return Ok(());
    }
    let mut patch = json!({ "metadata": { "annotations": { TAINTS_ANNOTATION: taints_text(scope.pool) } } });
    for (name, value) in labels.into_iter().flatten() {
        patch["metadata"]["labels"][format!("{MANAGED_LABEL}.{name}")] = value.clone();
    }
    for machine in machines(scope.context, key, &scope.namespace).await? {
        merge(&scope.context.client, MACHINE, &machine, &patch).await?;
    }
    Ok(())
}

/// The pool's taints as its machines carry them.
pub(super) fn taints_text(pool: &Value) -> String {
    let taints = &pool["spec"]["taints"];
    if taints.is_array() {
        taints.to_string()
    } else {
        "null".to_owned()
    }
}

/// Templates that no set of machines is made from any more go.
async fn drop_old_templates(scope: &Scope<'_>, key: &Key, current: &str) -> Result<()> {
    let client = &scope.context.client;
    let namespace = Some(scope.namespace.as_str());
    let templates = client.list(KUBEVIRT_MACHINE_TEMPLATE, namespace, "").await?;
    let old = |template: &&Value| node_pool_key(template).as_ref() == Some(key) && name_of(template) != current;
    if !templates.iter().any(|template| old(&template)) {
        return Ok(());
    }
    let sets = client.list(MACHINE_SET, namespace, "").await?;
    let used = |template: &Value| {
        sets.iter()
            .any(|set| set["spec"]["template"]["spec"]["infrastructureRef"]["name"] == name_of(template))
    };
    for template in templates.iter().filter(old) {
        if !used(template) {
            client
                .delete(KUBEVIRT_MACHINE_TEMPLATE, namespace, name_of(template))
                .await?;
        }
    }
    Ok(())
}

fn metadata(scope: &Scope<'_>, key: &Key, name: &str) -> Value {
    json!({
        "name": name,
        "namespace": scope.namespace,
        "annotations": { NODE_POOL_ANNOTATION: qualified(key) },
    })
}

fn token_secret(scope: &Scope<'_>, key: &Key, config: &Config, release: &Release) -> Value {
    let text = |text: &str| BASE64_STANDARD.encode(text);
    json!({
        "metadata": metadata(scope, key, &format!("token-{}-{}", key.name, config.version_hash)),
        "type": "Opaque",
        "data": {
            // Nothing fetches with it in a lab.
            "token": text("simulated ignition token (lab)"),
            "release": text(scope.pool["spec"]["release"]["image"].as_str().unwrap_or_default()),
            "release-version": text(&release.version),
            "config": text(&config.hash),
            "payload": text("simulated ignition payload (lab)"),
            "reason": text("AsExpected"),
            "message": text("Payload generated successfully"),
        },
    })
}

fn user_data_secret(scope: &Scope<'_>, key: &Key, config: &Config) -> Value {
    let endpoint = scope.hosted_cluster["status"]["ignitionEndpoint"]
        .as_str()
        .unwrap_or_default();
    let stub = json!({
        "ignition": { "version": "3.2.0", "config": { "merge": [{ "source": format!("https://{endpoint}/ignition") }] } },
    });
    json!({
        "metadata": metadata(scope, key, &format!("user-data-{}-{}", key.name, config.version_hash)),
        "type": "Opaque",
        "data": { "value": BASE64_STANDARD.encode(stub.to_string()) },
    })
}
