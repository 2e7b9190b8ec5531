//! The kinds of HyperShift: HostedCluster, NodePool, HostedControlPlane, and the one that only clouds use. They come with
//! the hypershift operator, and those of Cluster API with them.

mod hosted_cluster;
mod node_pool;

use serde_json::{Value, json};

use super::crd::{crd, open};
use crate::kind::{HOSTED_CLUSTER, HOSTED_CONTROL_PLANE, Kind, NODE_POOL};

const AWS_ENDPOINT_SERVICE: Kind = Kind {
    group: "hypershift.openshift.io",
    version: "v1beta1",
    kind: "AWSEndpointService",
    plural: "awsendpointservices",
    namespaced: true,
};

/// The version that is still served beside the stored one.
const OLD: &str = "v1alpha1";

/// The definitions that the operator's installation brings, in its order.
pub(crate) fn crds() -> Vec<Value> {
    let own = [
        hosted_cluster(),
        hosted_control_plane(),
        node_pool(),
        crd(AWS_ENDPOINT_SERVICE).also_served(OLD).build(),
    ];
    super::cluster_api::crds().into_iter().chain(own).collect()
}

fn hosted_cluster() -> Value {
    crd(HOSTED_CLUSTER)
        .short(&["hc", "hcs"])
        .column(
            "Version",
            "string",
            ".status.version.history[?(@.state==\"Completed\")].version",
        )
        .column("KubeConfig", "string", ".status.kubeconfig.name")
        .column("Progress", "string", ".status.version.history[?(@.state!=\"\")].state")
        .column(
            "Available",
            "string",
            ".status.conditions[?(@.type==\"Available\")].status",
        )
        .column(
            "Progressing",
            "string",
            ".status.conditions[?(@.type==\"Progressing\")].status",
        )
        .column(
            "Message",
            "string",
            ".status.conditions[?(@.type==\"Available\")].message",
        )
        .spec(hosted_cluster::spec())
        .status_schema(hosted_cluster::status())
        .also_served_deprecated(OLD, "v1alpha1 is a deprecated version for HostedCluster")
        .build()
}

fn node_pool() -> Value {
    let condition = |kind: &str, field: &str| format!(".status.conditions[?(@.type==\"{kind}\")].{field}");
    crd(NODE_POOL)
        .short(&["np", "nps"])
        .column("Cluster", "string", ".spec.clusterName")
        .column("Desired Nodes", "integer", ".spec.replicas")
        .column("Current Nodes", "integer", ".status.replicas")
        .column("Autoscaling", "string", &condition("AutoscalingEnabled", "status"))
        .column("Autorepair", "string", &condition("AutorepairEnabled", "status"))
        .column("Version", "string", ".status.version")
        .column("UpdatingVersion", "string", &condition("UpdatingVersion", "status"))
        .column("UpdatingConfig", "string", &condition("UpdatingConfig", "status"))
        .column("Message", "string", &condition("Ready", "message"))
        .scale(None)
        .spec(node_pool::spec())
        .status_schema(node_pool::status())
        .also_served_deprecated(OLD, "v1alpha1 is a deprecated version for NodePool")
        .build()
}

fn hosted_control_plane() -> Value {
    let status = open(json!({
        "conditions": hosted_cluster::conditions(),
        "initialized": { "type": "boolean", "default": false },
        "ready": { "type": "boolean", "default": false },
        "externalManagedControlPlane": { "type": "boolean", "default": true },
    }));
    crd(HOSTED_CONTROL_PLANE)
        .short(&["hcp", "hcps"])
        .categories(&["cluster-api"])
        .spec(hosted_cluster::control_plane_spec())
        .status_schema(status)
        .also_served(OLD)
        .build()
}
