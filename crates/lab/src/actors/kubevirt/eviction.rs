//! KubeVirt's say in the eviction of a virtual machine's pod: the machine is marked, so that whoever cares for it moves or
//! ends it, and the eviction waits.

use std::sync::{Arc, OnceLock, Weak};

use berth_apiserver::Extension;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::client::{Client, namespace_of};
use crate::conditions;
use crate::kind::VIRTUAL_MACHINE_INSTANCE;
use crate::objects::annotation;

/// The webhook that this stands for, as refusals name it.
const WEBHOOK: &str = "virt-launcher-eviction-interceptor.kubevirt.io";

/// The interceptor of evictions, for a management cluster's API server.
#[derive(Clone, Default)]
pub(crate) struct EvictionInterceptor(Arc<OnceLock<Weak<Client>>>);

impl EvictionInterceptor {
    /// Tells how the cluster is reached, which is known only once it is there. Not kept alive by this: the API server
    /// holds the interceptor, and the client the API server.
    pub(crate) fn reach(&self, client: &Arc<Client>) {
        let _ = self.0.set(Arc::downgrade(client));
    }
}

impl Extension for EvictionInterceptor {
    fn before_eviction(&self, pod: Value) -> BoxFuture<'static, Result<(), String>> {
        let client = self.0.get().and_then(Weak::upgrade);
        async move {
            match client {
                Some(client) if pod["metadata"]["labels"]["kubevirt.io"] == "virt-launcher" => {
                    intercept(&client, &pod).await
                }
                _ => Ok(()),
            }
        }
        .boxed()
    }
}

async fn intercept(client: &Client, pod: &Value) -> Result<(), String> {
    let denied = |why: String| Err(format!("admission webhook \"{WEBHOOK}\" denied the request: {why}"));
    let (namespace, Some(name)) = (namespace_of(pod), annotation(pod, "kubevirt.io/domain")) else {
        return Ok(());
    };
    let instance = match client.get(VIRTUAL_MACHINE_INSTANCE, namespace, name).await {
        Ok(Some(instance)) => instance,
        Ok(None) => return Ok(()),
        Err(error) => return denied(format!("kubevirt failed getting the vmi: {error}")),
    };
    let movable = conditions::is_true(&instance, "LiveMigratable");
    match instance["spec"]["evictionStrategy"].as_str() {
        Some("LiveMigrate") if !movable => {
            return denied(format!(
                "VMI {name} is configured with an eviction strategy but is not live-migratable"
            ));
        }
        Some("LiveMigrate" | "External") => {}
        Some("LiveMigrateIfPossible") if movable => {}
        _ => return Ok(()),
    }
    // The pod that a migrated machine left may go.
    let node = &instance["status"]["nodeName"];
    if *node != pod["spec"]["nodeName"] {
        return Ok(());
    }
    let place = format!("\"{}/{name}\"", namespace.unwrap_or_default());
    if instance["status"]["evacuationNodeName"] == *node {
        return denied(format!(
            "Evacuation in progress: Eviction triggered evacuation of VMI {place}"
        ));
    }
    let mark = json!({ "status": { "evacuationNodeName": node } });
    match client.merge(VIRTUAL_MACHINE_INSTANCE, namespace, name, &mark).await {
        Ok(_) => denied(format!("Eviction triggered evacuation of VMI {place}")),
        Err(error) => denied(format!("kubevirt failed marking the vmi for eviction: {error}")),
    }
}
