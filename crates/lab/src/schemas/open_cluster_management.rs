//! The kinds of the cluster manager (hub side) and of the klusterlet (managed side).

use serde_json::{Value, json};

use super::crd::{cluster, list_of, namespaced, one_of, open, string};
use crate::generation::Generation;
use crate::kind::Kind;

const CLUSTER: &str = "cluster.open-cluster-management.io";
const ADDON: &str = "addon.open-cluster-management.io";
const WORK: &str = "work.open-cluster-management.io";
const OPERATOR: &str = "operator.open-cluster-management.io";

const fn kind(
    group: &'static str,
    version: &'static str,
    name: &'static str,
    plural: &'static str,
    namespaced: bool,
) -> Kind {
    Kind {
        group,
        version,
        kind: name,
        plural,
        namespaced,
    }
}

pub(crate) const MANAGED_CLUSTER_SET: Kind = kind(CLUSTER, "v1beta2", "ManagedClusterSet", "managedclustersets", false);
pub(crate) const MANIFEST_WORK: Kind = kind(WORK, "v1", "ManifestWork", "manifestworks", true);
pub(crate) const KLUSTERLET: Kind = kind(OPERATOR, "v1", "Klusterlet", "klusterlets", false);
pub(crate) const ADD_ON_DEPLOYMENT_CONFIG: Kind = kind(
    ADDON,
    "v1alpha1",
    "AddOnDeploymentConfig",
    "addondeploymentconfigs",
    true,
);

/// The kinds of the operator that installs hubs: there before the hub is.
pub(crate) fn operator_crds() -> Vec<Value> {
    vec![cluster(OPERATOR, "v1", "ClusterManager").build()]
}

/// The kinds of a hub, made when a ClusterManager is reconciled.
pub(crate) fn hub_crds(generation: Generation) -> Vec<Value> {
    vec![
        managed_cluster(),
        managed_cluster_set(),
        namespaced(CLUSTER, "v1beta2", "ManagedClusterSetBinding")
            .short(&["mclsetbinding"])
            .build(),
        namespaced(CLUSTER, "v1beta1", "Placement").build(),
        namespaced(CLUSTER, "v1beta1", "PlacementDecision").build(),
        namespaced(CLUSTER, "v1alpha1", "AddOnPlacementScore").build(),
        cluster(CLUSTER, "v1alpha1", "ClusterClaim").build(),
        namespaced(WORK, "v1", "ManifestWork").build(),
        namespaced(WORK, "v1alpha1", "ManifestWorkReplicaSet")
            .short(&["mwrs"])
            .build(),
        managed_cluster_add_on(generation),
        cluster_management_add_on(generation),
        namespaced(ADDON, "v1alpha1", "AddOnDeploymentConfig").build(),
        cluster(ADDON, "v1alpha1", "AddOnTemplate").build(),
    ]
}

/// The kinds that importing a cluster brings to it.
pub(crate) fn klusterlet_crds() -> Vec<Value> {
    vec![
        cluster(OPERATOR, "v1", "Klusterlet").build(),
        cluster(WORK, "v1", "AppliedManifestWork").build(),
    ]
}

/// The kinds of the Advanced Cluster Management operator.
pub(crate) fn multicluster_hub_crds(generation: Generation) -> Vec<Value> {
    let component = json!({
        "type": "object",
        "required": ["enabled", "name"],
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": { "name": string(), "enabled": { "type": "boolean" } },
    });
    let spec = open(json!({
        "availabilityConfig": string(),
        "disableHubSelfManagement": { "type": "boolean" },
        "overrides": open(json!({ "components": list_of(component) })),
    }));
    let hub = namespaced(OPERATOR, "v1", "MultiClusterHub")
        .short(&["mch"])
        .column("Status", "string", ".status.phase")
        .age()
        .column("CurrentVersion", "string", ".status.currentVersion")
        .column("DesiredVersion", "string", ".status.desiredVersion")
        .when(generation.is_current(), |crd| {
            crd.column("Message", "string", ".status.conditions[-1:].message")
        })
        .spec(spec)
        .status_schema(open(
            json!({ "phase": string(), "conditions": list_of(open(json!({}))) }),
        ));
    vec![hub.build()]
}

fn managed_cluster() -> Value {
    let mut taint = open(json!({
        "key": string(),
        "value": string(),
        "effect": one_of(&["NoSelect", "PreferNoSelect", "NoSelectIfNew"]),
    }));
    taint["required"] = json!(["effect", "key"]);
    let spec = open(json!({
        "hubAcceptsClient": { "type": "boolean" },
        "leaseDurationSeconds": { "type": "integer", "format": "int32", "default": 60 },
        "managedClusterClientConfigs": list_of(open(json!({ "url": string(), "caBundle": string() }))),
        "taints": list_of(taint),
    }));
    cluster(CLUSTER, "v1", "ManagedCluster")
        .short(&["mcl", "mcls"])
        .column("Hub Accepted", "boolean", ".spec.hubAcceptsClient")
        .column(
            "Managed Cluster URLs",
            "string",
            ".spec.managedClusterClientConfigs[*].url",
        )
        .column(
            "Joined",
            "string",
            ".status.conditions[?(@.type==\"ManagedClusterJoined\")].status",
        )
        .column(
            "Available",
            "string",
            ".status.conditions[?(@.type==\"ManagedClusterConditionAvailable\")].status",
        )
        .age()
        .spec(spec)
        .build()
}

fn managed_cluster_set() -> Value {
    let selector_default = json!({ "selectorType": "ExclusiveClusterSetLabel" });
    let mut selector = open(json!({
        "selectorType": {
            "type": "string",
            "enum": ["ExclusiveClusterSetLabel", "LabelSelector"],
            "default": "ExclusiveClusterSetLabel",
        },
    }));
    selector["default"] = selector_default.clone();
    let mut spec = open(json!({ "clusterSelector": selector }));
    spec["default"] = json!({ "clusterSelector": selector_default });
    cluster(CLUSTER, "v1beta2", "ManagedClusterSet")
        .short(&["mclset", "mclsets"])
        .column(
            "Empty",
            "string",
            ".status.conditions[?(@.type==\"ClusterSetEmpty\")].status",
        )
        .age()
        .spec(spec)
        .build()
}

fn managed_cluster_add_on(generation: Generation) -> Value {
    let spec = open(json!({
        "installNamespace": { "type": "string", "maxLength": 63, "default": "open-cluster-management-agent-addon" },
        "configs": list_of(open(json!({ "group": string(), "resource": string(), "name": string() }))),
    }));
    namespaced(ADDON, "v1alpha1", "ManagedClusterAddOn")
        .short(&["mca", "mcas"])
        .column(
            "Available",
            "string",
            ".status.conditions[?(@.type==\"Available\")].status",
        )
        .column(
            "Degraded",
            "string",
            ".status.conditions[?(@.type==\"Degraded\")].status",
        )
        .column(
            "Progressing",
            "string",
            ".status.conditions[?(@.type==\"Progressing\")].status",
        )
        .spec(spec)
        .required(&["spec"])
        .when(generation.is_current(), |crd| crd.served_too("v1beta1"))
        .build()
}

fn cluster_management_add_on(generation: Generation) -> Value {
    let spec = open(json!({
        "addOnMeta": open(json!({ "displayName": string(), "description": string() })),
        "addOnConfiguration": open(json!({ "crdName": string() })),
        "supportedConfigs": list_of(open(json!({ "group": { "type": "string", "default": "" }, "resource": string() }))),
        "installStrategy": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
            "default": { "type": "Manual" },
            "properties": {
                "type": { "type": "string", "enum": ["Manual", "Placements"], "default": "Manual" },
            },
        },
    }));
    cluster(ADDON, "v1alpha1", "ClusterManagementAddOn")
        .short(&["cma", "cmas"])
        .column("DISPLAY NAME", "string", ".spec.addOnMeta.displayName")
        .column("CRD NAME", "string", ".spec.addOnConfiguration.crdName")
        .spec(spec)
        .when(generation.is_current(), |crd| crd.served_too("v1beta1"))
        .build()
}
