//! MetalLB with a pool of loopback addresses, so that what is balanced can be reached on the lab's own machine.

use serde_json::json;

use super::object::{csv, daemon_set, deployment};
use super::{Object, Setting};
use crate::kind::{DAEMON_SET, DEPLOYMENT, IP_ADDRESS_POOL, L2_ADVERTISEMENT, METAL_LB};

const NAMESPACE: &str = "metallb-system";

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
    let mut objects = vec![
        csv(
            NAMESPACE,
            "metallb-operator.v4.17.0-202412180037",
            "MetalLB Operator",
            "4.17.0-202412180037",
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
            "metadata": { "name": "lab", "namespace": NAMESPACE },
            "spec": { "addresses": [setting.addresses], "autoAssign": true, "avoidBuggyIPs": true },
        });
        let advertisement = json!({
            "metadata": { "name": "lab", "namespace": NAMESPACE },
            "spec": { "ipAddressPools": ["lab"] },
        });
        objects.extend([
            Object::new(IP_ADDRESS_POOL, pool),
            Object::new(L2_ADVERTISEMENT, advertisement),
        ]);
    }
    objects
}
