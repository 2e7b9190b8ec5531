//! MetalLB with a pool of loopback addresses, so that what is balanced can be reached on the lab's own machine.

use serde_json::json;

use super::object::{csv, daemon_set, deployment};
use super::{Object, Setting};
use crate::client::{self, Client};
use crate::kind::{DAEMON_SET, DEPLOYMENT, IP_ADDRESS_POOL, L2_ADVERTISEMENT, METAL_LB};

const NAMESPACE: &str = "metallb-system";
const POOL: &str = "lab";

pub(super) fn objects(setting: &Setting<'_>) -> Vec<Object> {
    let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status, "reason": kind, "message": "", "lastTransitionTime": setting.now });
    let metal_lb = json!({ "metadata": { "name": "metallb", "namespace": NAMESPACE }, "spec": {} });
    let status = json!({
        "conditions": [
            condition("Available", "True"),
            condition("Upgradeable", "True"),
            condition("Progressing", "False"),
            condition("Degraded", "False"),
        ],
    });
    let version = setting.generation.versions().metallb();
    let mut objects = vec![
        csv(
            NAMESPACE,
            &format!("metallb-operator.v{version}"),
            "MetalLB Operator",
            &version,
            setting.now,
        ),
        Object::new(
            DEPLOYMENT,
            deployment(NAMESPACE, "metallb-operator-controller-manager", 1),
        ),
        Object::new(DEPLOYMENT, deployment(NAMESPACE, "controller", 1)),
        Object::new(
            DAEMON_SET,
            daemon_set(NAMESPACE, "speaker", &json!({ "node-role.kubernetes.io/worker": "" })),
        ),
        Object::with_status(METAL_LB, metal_lb, status),
    ];
    if !setting.faults.no_address_pool {
        let pool = json!({
            "metadata": { "name": POOL, "namespace": NAMESPACE },
            "spec": { "addresses": [setting.addresses], "autoAssign": true, "avoidBuggyIPs": true },
        });
        let advertisement = json!({
            "metadata": { "name": POOL, "namespace": NAMESPACE },
            "spec": { "ipAddressPools": [POOL] },
        });
        objects.extend([
            Object::new(IP_ADDRESS_POOL, pool),
            Object::new(L2_ADVERTISEMENT, advertisement),
        ]);
    }
    objects
}

/// Gives the pool another network, unless its user has made something else of it.
pub(super) async fn refresh(client: &Client, addresses: &str) -> client::Result<()> {
    let Some(pool) = client.get(IP_ADDRESS_POOL, Some(NAMESPACE), POOL).await? else {
        return Ok(());
    };
    let is_network = |range: &str| range.starts_with("127.64.") && range.ends_with("/24");
    match pool["spec"]["addresses"].as_array().map(Vec::as_slice) {
        Some([range]) if range != addresses && range.as_str().is_some_and(is_network) => {
            let patch = json!({ "spec": { "addresses": [addresses] } });
            client.merge(IP_ADDRESS_POOL, Some(NAMESPACE), POOL, &patch).await?;
        }
        _ => {}
    }
    Ok(())
}
