//! Fields of NodePool: types, defaults and enumerations of those that matter on KubeVirt.

use serde_json::{Value, json};

use super::hosted_cluster::{defaulted, local_reference, platform_type, quantity, release};
use crate::generation::Generation;
use crate::schemas::crd::{list_of, one_of, open, open_with, string};

/// `spec` of a NodePool.
pub(super) fn spec(generation: Generation) -> Value {
    let current = generation.is_current();
    let count = json!({ "type": "integer", "format": "int32", "minimum": 1 });
    let least = if current {
        json!({ "type": "integer", "format": "int32", "minimum": 0 })
    } else {
        count.clone()
    };
    let arch: &[&str] = if current {
        &["arm64", "amd64", "ppc64le", "s390x"]
    } else {
        &["arm64", "amd64", "ppc64le"]
    };
    let references = || {
        let mut list = list_of(local_reference());
        if current {
            list["maxItems"] = 10.into();
        }
        list
    };
    let effect = if current {
        one_of(&["NoSchedule", "PreferNoSchedule", "NoExecute"])
    } else {
        string()
    };
    let taint = open_with(
        &["effect", "key"],
        json!({ "effect": effect, "key": string(), "value": string() }),
    );
    open_with(
        &["clusterName", "management", "platform", "release"],
        json!({
            "clusterName": string(),
            "release": release(generation),
            "replicas": { "type": "integer", "format": "int32" },
            "autoScaling": open_with(&["max", "min"], json!({ "max": count, "min": least })),
            "arch": defaulted(one_of(arch), json!("amd64")),
            "management": management(),
            "platform": open_with(&["type"], json!({ "type": platform_type(generation), "kubevirt": kubevirt(generation) })),
            "config": references(),
            "tuningConfig": references(),
            "nodeDrainTimeout": string(),
            "nodeVolumeDetachTimeout": string(),
            "nodeLabels": { "type": "object", "additionalProperties": { "type": "string" } },
            "taints": list_of(taint),
            "pausedUntil": string(),
        }),
    )
}

/// `status` of a NodePool. Its conditions may lack reason and message.
pub(super) fn status(generation: Generation) -> Value {
    let condition = open_with(
        &["type", "status", "lastTransitionTime"],
        json!({
            "type": string(),
            "status": string(),
            "severity": string(),
            "reason": string(),
            "message": string(),
            "lastTransitionTime": { "type": "string", "format": "date-time" },
            "observedGeneration": { "type": "integer", "format": "int64" },
        }),
    );
    let mut status = open(json!({
        "conditions": list_of(condition),
        "replicas": { "type": "integer", "format": "int32" },
        "version": string(),
    }));
    if generation.is_current() {
        let count = json!({ "type": "integer", "format": "int32" });
        let nodes = open_with(
            &["kubeletVersion", "ocpVersion", "readyNodeCount", "unreadyNodeCount"],
            json!({
                "kubeletVersion": string(),
                "ocpVersion": string(),
                "readyNodeCount": count,
                "unreadyNodeCount": count,
            }),
        );
        status["properties"]["nodesInfo"] = open_with(&["nodeVersions"], json!({ "nodeVersions": list_of(nodes) }));
    }
    status
}

fn management() -> Value {
    let amount = json!({ "x-kubernetes-int-or-string": true, "anyOf": [{ "type": "integer" }, { "type": "string" }] });
    let replace = open(json!({
        "strategy": one_of(&["RollingUpdate", "OnDelete"]),
        "rollingUpdate": open(json!({ "maxSurge": amount, "maxUnavailable": amount })),
    }));
    let default = json!({ "strategy": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } });
    open_with(
        &["upgradeType"],
        json!({
            "upgradeType": one_of(&["Replace", "InPlace"]),
            "autoRepair": { "type": "boolean", "default": false },
            "replace": defaulted(replace, default),
            "inPlace": open(json!({ "maxUnavailable": amount })),
        }),
    )
}

fn kubevirt(generation: Generation) -> Value {
    let current = generation.is_current();
    let cores = if current {
        json!({ "type": "integer", "format": "int32", "minimum": 1 })
    } else {
        json!({ "type": "integer", "format": "int32", "default": 2 })
    };
    let list = |items: Value, most: u32| {
        let mut list = list_of(items);
        if current {
            list["maxItems"] = most.into();
        }
        list
    };
    let compute = open(json!({
        "cores": cores,
        "memory": quantity("8Gi"),
        "qosClass": defaulted(one_of(&["Burstable", "Guaranteed"]), json!("Burstable")),
    }));
    let persistent = open(json!({
        "size": quantity("32Gi"),
        "storageClass": string(),
        "accessModes": list_of(one_of(&["ReadWriteOnce", "ReadWriteMany", "ReadOnly", "ReadWriteOncePod"])),
        "volumeMode": one_of(&["Filesystem", "Block"]),
    }));
    let root_volume = open(json!({
        "type": defaulted(one_of(&["Persistent"]), json!("Persistent")),
        "persistent": persistent,
        "cacheStrategy": open_with(&["type"], json!({ "type": defaulted(one_of(&["None", "PVC"]), json!("None")) })),
    }));
    let device = open_with(
        &["deviceName"],
        json!({ "deviceName": string(), "count": { "type": "integer", "minimum": 1, "default": 1 } }),
    );
    open_with(
        &["rootVolume"],
        json!({
            "compute": defaulted(compute, json!({ "cores": 2, "memory": "8Gi" })),
            "rootVolume": defaulted(root_volume, json!({ "type": "Persistent", "persistent": { "size": "32Gi" } })),
            "networkInterfaceMultiqueue": defaulted(one_of(&["Enable", "Disable"]), json!("Enable")),
            "attachDefaultNetwork": { "type": "boolean", "default": true },
            "additionalNetworks": list(open_with(&["name"], json!({ "name": string() })), 20),
            "hostDevices": list(device, 10),
            "nodeSelector": { "type": "object", "additionalProperties": { "type": "string" } },
        }),
    )
}
