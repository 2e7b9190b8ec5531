//! Plays MetalLB's controller: gives each Service of type LoadBalancer an address out of the address pools.
//!
//! No pool, or no free address in one, leaves the Service pending with an event, as it does for real.

mod pool;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::events;
use crate::client::{self, name_of, namespace_of};
use crate::kind::{IP_ADDRESS_POOL, SERVICE};

/// Asks for a certain pool.
const FROM_POOL: &str = "metallb.universe.tf/address-pool";
/// Asks for certain addresses.
const ADDRESSES: &str = "metallb.universe.tf/loadBalancerIPs";
/// Says which pool an address came from.
const CAME_FROM: &str = "metallb.universe.tf/ip-allocated-from-pool";
/// The key that stands for all Services that have no address yet.
const ALL_PENDING: &str = "pending";

/// MetalLB's controller.
#[derive(Default)]
pub(crate) struct LoadBalancer {
    /// The Services that were seen with an address. Held while one is given out: two must not both find the same one free.
    holders: Mutex<BTreeSet<Key>>,
}

impl Actor for LoadBalancer {
    fn name(&self) -> &'static str {
        "load_balancer"
    }

    fn manager(&self) -> &'static str {
        "metallb-controller"
    }

    fn watches(&self) -> Vec<Watch> {
        vec![
            Watch::own(SERVICE),
            Watch::mapped(IP_ADDRESS_POOL, |_| vec![Key::named(None, ALL_PENDING)]),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        async move {
            let mut holders = self.holders.lock().await;
            let service = match key.namespace() {
                Some(_) => context.client.get(SERVICE, key.namespace(), &key.name).await?,
                None => None,
            };
            match service {
                Some(service) if is_balanced(&service) => {
                    if address_of(&service).is_some() {
                        holders.insert(key.clone());
                    } else {
                        let services = context.client.list(SERVICE, None, "").await?;
                        allocate(context, &mut holders, &service, &services).await?;
                    }
                }
                Some(service) if address_of(&service).is_some() => {
                    context
                        .client
                        .status(SERVICE, key.namespace(), &key.name, &json!({ "loadBalancer": null }))
                        .await?;
                    holders.remove(key);
                    pending(context, &mut holders).await?;
                }
                // All, or one that is gone: its address has come free.
                None if key.namespace.is_none() || holders.remove(key) => pending(context, &mut holders).await?,
                _ => {}
            }
            Ok(Next::OnEvent)
        }
        .boxed()
    }
}

/// Serves those that wait, the oldest first.
async fn pending(context: &Context, holders: &mut BTreeSet<Key>) -> client::Result<()> {
    let services = context.client.list(SERVICE, None, "").await?;
    let waits = |service: &&Value| is_balanced(service) && address_of(service).is_none();
    let mut waiting: Vec<&Value> = services.iter().filter(waits).collect();
    waiting.sort_by_key(|service| service["metadata"]["creationTimestamp"].as_str());
    for service in waiting {
        // Listed anew for each, so that the addresses just given count as taken.
        let services = context.client.list(SERVICE, None, "").await?;
        allocate(context, holders, service, &services).await?;
    }
    Ok(())
}

async fn allocate(
    context: &Context,
    holders: &mut BTreeSet<Key>,
    service: &Value,
    services: &[Value],
) -> client::Result<()> {
    let pools = context.client.list(IP_ADDRESS_POOL, None, "").await?;
    let taken: BTreeSet<Ipv4Addr> = services.iter().filter_map(address_of).collect();
    let request = pool::Request {
        pool: service["metadata"]["annotations"][FROM_POOL].as_str(),
        address: service["metadata"]["annotations"][ADDRESSES]
            .as_str()
            .or(service["spec"]["loadBalancerIP"].as_str()),
    };
    let (namespace, name) = (namespace_of(service), name_of(service));
    match pool::choose(&pools, &taken, &request) {
        Ok((address, pool)) => {
            holders.insert(Key::of(service));
            let annotate = json!({ "metadata": { "annotations": { CAME_FROM: pool } } });
            context.client.merge(SERVICE, namespace, name, &annotate).await?;
            let status = json!({ "loadBalancer": { "ingress": [{ "ip": address.to_string(), "ipMode": "VIP" }] } });
            context.client.status(SERVICE, namespace, name, &status).await?;
            let message = format!("Assigned IP [\"{address}\"]");
            events::record(context, SERVICE, service, "Normal", "IPAllocated", &message).await
        }
        Err(reason) => {
            let qualified = format!("{}/{name}", namespace.unwrap_or_default());
            let message = format!("Failed to allocate IP for \"{qualified}\": {reason}");
            events::record(context, SERVICE, service, "Warning", "AllocationFailed", &message).await
        }
    }
}

fn is_balanced(service: &Value) -> bool {
    service["spec"]["type"] == "LoadBalancer"
        && service["spec"]["loadBalancerClass"].is_null()
        && service["metadata"]["deletionTimestamp"].is_null()
}

fn address_of(service: &Value) -> Option<Ipv4Addr> {
    service["status"]["loadBalancer"]["ingress"][0]["ip"]
        .as_str()?
        .parse()
        .ok()
}
