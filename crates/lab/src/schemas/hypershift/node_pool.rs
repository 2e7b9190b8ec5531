//! Fields of NodePool: types, defaults and enumerations of those that matter on KubeVirt.

use serde_json::{Value, json};

use super::hosted_cluster::{defaulted, local_reference, platform_type, quantity, release};
use crate::generation::Generation;
use crate::schemas::crd::{immutable, list_of, one_of, open, open_with, rule, string};

/// Rules of a pool, and what they say.
const RULES: [(&str, &str); 2] = [
    ("!has(oldSelf.arch) || has(self.arch)", "Arch is required once set"),
    (
        "!has(self.replicas) || !has(self.autoScaling)",
        "Both replicas or autoScaling should not be set",
    ),
];

const RULES_OF_4_17: [(&str, &str); 1] = [(
    "self.arch != 'arm64' || self.platform.type in ['AWS', 'Azure', 'Agent']",
    "Setting Arch to arm64 is only supported for AWS, Azure and Agent",
)];

const RULES_OF_CURRENT: [(&str, &str); 3] = [
    (
        "self.arch != 'arm64' || self.platform.type in ['AWS', 'Azure', 'Agent', 'GCP', 'None']",
        "Setting Arch to arm64 is only supported for AWS, Azure, Agent, GCP and None",
    ),
    (
        "self.arch != 's390x' || self.platform.type == 'KubeVirt'",
        "s390x is only supported on KubeVirt platform",
    ),
    (
        "!has(self.autoScaling) || self.autoScaling.min > 0 || self.platform.type in ['AWS', 'Azure']",
        "Scale-from-zero (autoScaling.min=0) is currently only supported for AWS and Azure platforms",
    ),
];

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
    let platform = json!({ "type": immutable(platform_type(generation), "Type"), "kubevirt": kubevirt(generation) });
    let mut schema = open_with(
        &["clusterName", "management", "platform", "release"],
        json!({
            "clusterName": immutable(string(), "ClusterName"),
            "release": release(generation),
            "replicas": { "type": "integer", "format": "int32" },
            "autoScaling": open_with(&["max", "min"], json!({ "max": count, "min": least })),
            "arch": immutable(defaulted(one_of(arch), json!("amd64")), "Arch"),
            "management": management(generation),
            "platform": open_with(&["type"], platform),
            "config": references(),
            "tuningConfig": references(),
            "nodeDrainTimeout": string(),
            "nodeVolumeDetachTimeout": string(),
            "nodeLabels": { "type": "object", "additionalProperties": { "type": "string" } },
            "taints": list_of(taint),
            "pausedUntil": string(),
        }),
    );
    let more: &[(&str, &str)] = if current { &RULES_OF_CURRENT } else { &RULES_OF_4_17 };
    for (condition, message) in RULES.iter().chain(more) {
        rule(&mut schema, condition, message);
    }
    schema
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

fn management(generation: Generation) -> Value {
    let amount = json!({ "x-kubernetes-int-or-string": true, "anyOf": [{ "type": "integer" }, { "type": "string" }] });
    let mut replace = open(json!({
        "strategy": one_of(&["RollingUpdate", "OnDelete"]),
        "rollingUpdate": open(json!({ "maxSurge": amount, "maxUnavailable": amount })),
    }));
    let default = json!({ "strategy": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } });
    if generation.is_current() {
        rule(
            &mut replace,
            "!has(self.rollingUpdate) || self.strategy == 'RollingUpdate'",
            "The 'rollingUpdate' field can only be set when 'strategy' is 'RollingUpdate'",
        );
    }
    let mut schema = open_with(
        &["upgradeType"],
        json!({
            "upgradeType": immutable(one_of(&["Replace", "InPlace"]), "UpgradeType"),
            "autoRepair": { "type": "boolean", "default": false },
            "replace": defaulted(replace, default),
            "inPlace": open(json!({ "maxUnavailable": amount })),
        }),
    );
    if generation.is_current() {
        rule(
            &mut schema,
            "!has(self.inPlace) || self.upgradeType == 'InPlace'",
            "The 'inPlace' field can only be set when 'upgradeType' is 'InPlace'",
        );
    }
    schema
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
