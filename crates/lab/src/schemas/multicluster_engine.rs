//! The kinds of the multicluster engine's own operator, and those of the components that it deploys. Of the latter the lab
//! plays none: they exist so that clients find what a real hub has.

use serde_json::{Value, json};

use super::crd::{cluster, list_of, namespaced, one_of, open, string};
use crate::generation::Generation;
use crate::kind::Kind;

const GROUP: &str = "multicluster.openshift.io";

/// What the operator makes of each enabled component.
pub(crate) const INTERNAL_ENGINE_COMPONENT: Kind = Kind {
    group: GROUP,
    version: "v1",
    kind: "InternalEngineComponent",
    plural: "internalenginecomponents",
    namespaced: true,
};

/// The operator's own kinds, which come with its bundle.
pub(crate) fn crds(generation: Generation) -> Vec<Value> {
    vec![
        multicluster_engine(generation),
        namespaced(GROUP, "v1", "InternalEngineComponent")
            .short(&["iec"])
            .build(),
    ]
}

/// The kinds of components, which the operator creates once it has a MultiClusterEngine to deploy.
pub(crate) fn component_crds() -> Vec<Value> {
    const HIVE: &str = "hive.openshift.io";
    const AGENT: &str = "agent-install.openshift.io";
    const DISCOVERY: &str = "discovery.open-cluster-management.io";
    const CLUSTER: &str = "cluster.open-cluster-management.io";
    const EXTENSIONS: &str = "extensions.hive.openshift.io";
    vec![
        namespaced(AGENT, "v1beta1", "Agent").build(),
        namespaced(AGENT, "v1beta1", "AgentClassification").build(),
        cluster(AGENT, "v1beta1", "AgentServiceConfig").build(),
        namespaced(AGENT, "v1beta1", "HypershiftAgentServiceConfig").build(),
        namespaced(AGENT, "v1beta1", "InfraEnv").build(),
        namespaced(AGENT, "v1beta1", "NMStateConfig").build(),
        namespaced(EXTENSIONS, "v1beta1", "AgentClusterInstall").build(),
        namespaced(EXTENSIONS, "v1alpha1", "ImageClusterInstall").build(),
        namespaced(DISCOVERY, "v1", "DiscoveredCluster").build(),
        namespaced(DISCOVERY, "v1", "DiscoveryConfig").build(),
        cluster(HIVE, "v1", "ClusterImageSet")
            .short(&["imgset"])
            .column("Release", "string", ".spec.releaseImage")
            .build(),
        cluster(HIVE, "v1", "HiveConfig").build(),
        cluster(HIVE, "v1", "SelectorSyncIdentityProvider").build(),
        cluster(HIVE, "v1", "SelectorSyncSet").short(&["sss"]).build(),
        namespaced(HIVE, "v1", "ClusterClaim").build(),
        namespaced(HIVE, "v1", "ClusterDeployment").short(&["cd"]).build(),
        namespaced(HIVE, "v1", "ClusterDeprovision").short(&["cdr"]).build(),
        namespaced(HIVE, "v1", "ClusterPool").short(&["cp"]).build(),
        namespaced(HIVE, "v1", "ClusterProvision").build(),
        namespaced(HIVE, "v1", "ClusterRelocate").build(),
        namespaced(HIVE, "v1", "ClusterState").build(),
        namespaced(HIVE, "v1", "DNSZone").build(),
        namespaced(HIVE, "v1", "MachinePool").build(),
        namespaced(HIVE, "v1", "SyncIdentityProvider").build(),
        namespaced(HIVE, "v1", "SyncSet").short(&["ss"]).build(),
        namespaced(CLUSTER, "v1beta1", "ClusterCurator").build(),
        namespaced(
            "authentication.open-cluster-management.io",
            "v1beta1",
            "ManagedServiceAccount",
        )
        .build(),
        cluster("config.open-cluster-management.io", "v1alpha1", "KlusterletConfig").build(),
        namespaced("internal.open-cluster-management.io", "v1beta1", "ManagedClusterInfo").build(),
        namespaced("action.open-cluster-management.io", "v1beta1", "ManagedClusterAction").build(),
        namespaced("view.open-cluster-management.io", "v1beta1", "ManagedClusterView").build(),
        namespaced(
            "imageregistry.open-cluster-management.io",
            "v1alpha1",
            "ManagedClusterImageRegistry",
        )
        .plural("managedclusterimageregistries")
        .build(),
        cluster(
            "proxy.open-cluster-management.io",
            "v1alpha1",
            "ManagedProxyConfiguration",
        )
        .build(),
    ]
}

fn multicluster_engine(generation: Generation) -> Value {
    let mut component = open(json!({ "name": string(), "enabled": { "type": "boolean" } }));
    component["required"] = json!(["enabled", "name"]);
    let mut spec = open(json!({
        // The operator's webhook refuses other values; here the schema does.
        "availabilityConfig": one_of(&["", "Basic", "High"]),
        "targetNamespace": string(),
        "imagePullSecret": string(),
        "nodeSelector": { "type": "object", "additionalProperties": string() },
        "tolerations": list_of(open(json!({}))),
        "overrides": open(json!({
            "imagePullPolicy": string(),
            "infrastructureCustomNamespace": string(),
            "components": list_of(component),
        })),
    }));
    if generation.is_current() {
        spec["properties"]["localClusterName"] = json!({ "type": "string", "default": "local-cluster" });
        spec["properties"]["networkPolicies"] = open(json!({ "enabled": { "type": "boolean" } }));
    }
    let status = open(json!({
        "phase": string(),
        "currentVersion": string(),
        "desiredVersion": string(),
        "components": list_of(open(json!({}))),
        "conditions": list_of(open(json!({}))),
    }));
    cluster(GROUP, "v1", "MultiClusterEngine")
        .short(&["mce"])
        .column("Status", "string", ".status.phase")
        .age()
        .column("CurrentVersion", "string", ".status.currentVersion")
        .column("DesiredVersion", "string", ".status.desiredVersion")
        .when(generation.is_current(), |crd| {
            crd.column("Message", "string", ".status.conditions[-1:].message")
        })
        .spec(spec)
        .status_schema(status)
        .build()
}
