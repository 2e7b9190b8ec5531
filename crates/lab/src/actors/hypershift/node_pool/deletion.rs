//! How a NodePool goes: what makes machines first, then, once no machine is left, what they booted with.

use std::time::Duration;

use serde_json::Value;

use crate::actor::{Context, Key, Next};
use crate::client::{Client, Result, name_of};
use crate::kind::{
    KUBEVIRT_MACHINE_TEMPLATE, Kind, MACHINE_DEPLOYMENT, MACHINE_HEALTH_CHECK, MACHINE_SET, NODE_POOL, SECRET,
};
use crate::objects::{drop_finalizer, is_deleting};

use super::super::names::{FINALIZER, node_pool_key};
use super::machines;

const AGAIN: Duration = Duration::from_secs(5);

pub(super) async fn reconcile(context: &Context, key: &Key, pool: &Value, namespace: &str) -> Result<Next> {
    let client = &context.client;
    // Templates go first: no machine is to be made any more.
    delete_all(client, key, namespace, KUBEVIRT_MACHINE_TEMPLATE).await?;
    for kind in [MACHINE_DEPLOYMENT, MACHINE_HEALTH_CHECK, MACHINE_SET] {
        let found = client.get(kind, Some(namespace), &key.name).await?;
        if found.is_some_and(|found| !is_deleting(&found)) {
            client.delete(kind, Some(namespace), &key.name).await?;
        }
    }
    if !machines(context, key, namespace).await?.is_empty() {
        return Ok(Next::After(AGAIN));
    }
    delete_all(client, key, namespace, SECRET).await?;
    drop_finalizer(client, NODE_POOL, pool, FINALIZER).await?;
    Ok(Next::OnEvent)
}

/// Deletes what the pool's annotation is on.
async fn delete_all(client: &Client, key: &Key, namespace: &str, kind: Kind) -> Result<()> {
    for object in client.list(kind, Some(namespace), "").await? {
        if node_pool_key(&object).as_ref() == Some(key) && !is_deleting(&object) {
            client.delete(kind, Some(namespace), name_of(&object)).await?;
        }
    }
    Ok(())
}
