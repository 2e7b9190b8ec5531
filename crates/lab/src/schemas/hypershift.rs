//! The kinds of HyperShift: HostedCluster, NodePool, HostedControlPlane, and the one that only clouds use. They come with
//! the hypershift operator, and those of Cluster API with them.

mod hosted_cluster;
mod node_pool;

use serde_json::{Value, json};

use super::crd::{conditions, crd, list_of, one_of, open, open_with, string};
use crate::generation::Generation;
use crate::kind::{
    CERTIFICATE_REVOCATION_REQUEST, CERTIFICATE_SIGNING_REQUEST_APPROVAL, CONTROL_PLANE_COMPONENT, HCP_ETCD_BACKUP,
    HOSTED_CLUSTER, HOSTED_CONTROL_PLANE, Kind, NODE_POOL,
};

const AWS_ENDPOINT_SERVICE: Kind = Kind {
    group: "hypershift.openshift.io",
    version: "v1beta1",
    kind: "AWSEndpointService",
    plural: "awsendpointservices",
    namespaced: true,
};

const AZURE_PRIVATE_LINK_SERVICE: Kind = Kind {
    group: "hypershift.openshift.io",
    version: "v1beta1",
    kind: "AzurePrivateLinkService",
    plural: "azureprivatelinkservices",
    namespaced: true,
};

/// The version that 4.17 still serves beside the stored one.
const OLD: &str = "v1alpha1";

/// The definitions that the operator's installation brings, in its order.
pub(crate) fn crds(generation: Generation) -> Vec<Value> {
    let mut own = vec![
        hosted_cluster(generation),
        hosted_control_plane(generation),
        node_pool(generation),
        crd(AWS_ENDPOINT_SERVICE)
            .when(!generation.is_current(), |crd| crd.also_served(OLD))
            .build(),
        crd(CERTIFICATE_SIGNING_REQUEST_APPROVAL)
            .short(&["csra", "csras"])
            .build(),
        crd(CERTIFICATE_REVOCATION_REQUEST)
            .short(&["crr", "crrs"])
            .spec(open_with(&["signerClass"], json!({ "signerClass": string() })))
            .status_schema(open(json!({ "conditions": conditions() })))
            .required(&["spec"])
            .build(),
    ];
    if generation.is_current() {
        own.extend([
            control_plane_component(),
            crd(AZURE_PRIVATE_LINK_SERVICE).age().build(),
            etcd_backup(),
        ]);
    }
    super::cluster_api::crds(generation).into_iter().chain(own).collect()
}

/// Behind a gate upstream, which a lab opens.
fn etcd_backup() -> Value {
    let credentials = open_with(&["name"], json!({ "name": string() }));
    let s3 = open_with(
        &["bucket", "credentials", "keyPrefix", "region"],
        json!({ "bucket": string(), "credentials": credentials, "keyPrefix": string(), "region": string() }),
    );
    let storage = open_with(
        &["storageType"],
        json!({ "storageType": one_of(&["S3", "AzureBlob"]), "s3": s3, "azureBlob": open(json!({})) }),
    );
    let mut spec = open_with(&["storage"], json!({ "storage": storage }));
    spec["x-kubernetes-validations"] =
        json!([{ "rule": "self == oldSelf", "message": "HCPEtcdBackupSpec is immutable" }]);
    let status = open(json!({ "conditions": hosted_cluster::conditions(), "snapshotURL": string() }));
    crd(HCP_ETCD_BACKUP)
        .column(
            "Completed",
            "string",
            ".status.conditions[?(@.type==\"BackupCompleted\")].status",
        )
        .column("Snapshot", "string", ".status.snapshotURL")
        .age()
        .spec(spec)
        .status_schema(status)
        .build()
}

fn hosted_cluster(generation: Generation) -> Value {
    let condition = |kind: &str, field: &str| format!(".status.conditions[?(@.type==\"{kind}\")].{field}");
    let completed = |tree: &str| format!(".status.{tree}.history[?(@.state==\"Completed\")].version");
    let current = generation.is_current();
    crd(HOSTED_CLUSTER)
        .short(&["hc", "hcs"])
        .column("Version", "string", &completed("version"))
        .when(current, |crd| {
            crd.column("CP Version", "string", &completed("controlPlaneVersion"))
        })
        .column("KubeConfig", "string", ".status.kubeconfig.name")
        .column("Progress", "string", ".status.version.history[?(@.state!=\"\")].state")
        .column("Available", "string", &condition("Available", "status"))
        .column("Progressing", "string", &condition("Progressing", "status"))
        .column("Message", "string", &condition("Available", "message"))
        .when(current, |crd| {
            crd.wide_column("CP Progress", "string", ".status.controlPlaneVersion.history[0].state")
                .wide_column("DP Progress", "string", ".status.version.history[0].state")
        })
        .spec(hosted_cluster::spec(generation))
        .status_schema(hosted_cluster::status(generation))
        .when(!current, |crd| {
            crd.also_served_deprecated(OLD, "v1alpha1 is a deprecated version for HostedCluster")
        })
        .build()
}

fn node_pool(generation: Generation) -> Value {
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
        .spec(node_pool::spec(generation))
        .status_schema(node_pool::status(generation))
        .when(!generation.is_current(), |crd| {
            crd.also_served_deprecated(OLD, "v1alpha1 is a deprecated version for NodePool")
        })
        .build()
}

fn hosted_control_plane(generation: Generation) -> Value {
    let mut status = open(json!({
        "conditions": hosted_cluster::conditions(),
        "initialized": { "type": "boolean", "default": false },
        "ready": { "type": "boolean", "default": false },
        "externalManagedControlPlane": { "type": "boolean", "default": true },
    }));
    if generation.is_current() {
        status["properties"]["controlPlaneVersion"] = hosted_cluster::control_plane_version();
    }
    crd(HOSTED_CONTROL_PLANE)
        .short(&["hcp", "hcps"])
        .categories(&["cluster-api"])
        .spec(hosted_cluster::control_plane_spec(generation))
        .status_schema(status)
        .when(!generation.is_current(), |crd| crd.also_served(OLD))
        .build()
}

/// How one workload of a control plane is. Only the current generation has it.
fn control_plane_component() -> Value {
    let condition = |kind: &str, field: &str| format!(".status.conditions[?(@.type==\"{kind}\")].{field}");
    let resource = open_with(
        &["group", "kind", "name"],
        json!({ "group": string(), "kind": string(), "name": string() }),
    );
    let status = open(json!({
        "conditions": hosted_cluster::conditions(),
        "version": string(),
        "observedGeneration": { "type": "integer", "format": "int64" },
        "resources": list_of(resource),
    }));
    crd(CONTROL_PLANE_COMPONENT)
        .short(&["cpc", "cpcs"])
        .column("Version", "string", ".status.version")
        .column("Available", "string", &condition("Available", "status"))
        .column("RolloutComplete", "string", &condition("RolloutComplete", "status"))
        .column("Message", "string", &condition("Available", "message"))
        .wide_column(
            "RolloutCompleteMessage",
            "string",
            &condition("RolloutComplete", "message"),
        )
        .status_schema(status)
        .build()
}
