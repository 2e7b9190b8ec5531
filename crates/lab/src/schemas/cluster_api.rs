//! The kinds of Cluster API and its KubeVirt provider, which come with the hypershift operator.

use serde_json::{Value, json};

use super::crd::{Crd, crd, list_of, one_of, open, open_with, string};
use crate::generation::Generation;
use crate::kind::{
    CLUSTER, KUBEVIRT_CLUSTER, KUBEVIRT_MACHINE, KUBEVIRT_MACHINE_TEMPLATE, MACHINE, MACHINE_DEPLOYMENT,
    MACHINE_HEALTH_CHECK, MACHINE_SET,
};

mod newer;

/// Who converts between the versions of Cluster API's kinds: HyperShift's operator.
const OPERATOR: (&str, &str) = ("hypershift", "operator");
const DEPRECATED: &str = "this version is deprecated: use cluster.x-k8s.io/v1beta2";

const CATEGORY: &[&str] = &["cluster-api"];

/// The definitions of these kinds.
pub(crate) fn crds(generation: Generation) -> Vec<Value> {
    let core = [cluster(), machine_deployment(), machine_set(), machine()];
    let core = core.into_iter().zip(newer::all()).map(|(old, new)| {
        old.when(generation.is_current(), |old| {
            old.followed_by(new, DEPRECATED, OPERATOR)
        })
        .build()
    });
    let others = [
        machine_health_check(),
        kubevirt_cluster(),
        kubevirt_machine(),
        template(),
    ];
    core.chain(others).collect()
}

/// Conditions of these kinds have a severity, and no reason where they are true.
fn status(fields: &[(&str, Value)]) -> Value {
    let condition = open_with(
        &["type", "status", "lastTransitionTime"],
        json!({
            "type": string(),
            "status": string(),
            "severity": string(),
            "reason": string(),
            "message": string(),
            "lastTransitionTime": { "type": "string", "format": "date-time" },
        }),
    );
    let mut properties = json!({
        "conditions": list_of(condition),
        "phase": string(),
        "observedGeneration": { "type": "integer", "format": "int64" },
    });
    for (name, schema) in fields {
        properties[*name] = schema.clone();
    }
    open(&properties)
}

fn integer() -> Value {
    json!({ "type": "integer", "format": "int32" })
}

fn boolean() -> Value {
    json!({ "type": "boolean" })
}

fn replicas() -> Vec<(&'static str, Value)> {
    [
        "replicas",
        "readyReplicas",
        "availableReplicas",
        "updatedReplicas",
        "unavailableReplicas",
        "fullyLabeledReplicas",
    ]
    .map(|name| (name, integer()))
    .to_vec()
}

/// A name that may not be empty.
fn name() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn reference() -> Value {
    open(json!({ "apiVersion": string(), "kind": string(), "name": string(), "namespace": string(), "uid": string() }))
}

fn machine_spec() -> Value {
    open_with(
        &["bootstrap", "clusterName", "infrastructureRef"],
        json!({
            "bootstrap": open(json!({ "configRef": reference(), "dataSecretName": string() })),
            "clusterName": name(),
            "infrastructureRef": reference(),
            "nodeDrainTimeout": string(),
            "nodeVolumeDetachTimeout": string(),
            "providerID": string(),
            "version": string(),
        }),
    )
}

fn machine_template() -> Value {
    let metadata = open(json!({ "labels": map(), "annotations": map() }));
    open(json!({ "metadata": metadata, "spec": machine_spec() }))
}

fn map() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" } })
}

fn begin(kind: crate::kind::Kind, short: &[&'static str]) -> Crd {
    crd(kind).short(short).categories(CATEGORY)
}

fn cluster() -> Crd {
    begin(CLUSTER, &["cl"])
        .column("ClusterClass", "string", ".spec.topology.class")
        .column("Phase", "string", ".status.phase")
        .age()
        .column("Version", "string", ".spec.topology.version")
        .spec(open(json!({
            "paused": boolean(),
            "controlPlaneRef": reference(),
            "infrastructureRef": reference(),
            "controlPlaneEndpoint": open_with(&["host", "port"], json!({ "host": string(), "port": integer() })),
        })))
        .status_schema(status(&[
            ("infrastructureReady", boolean()),
            ("controlPlaneReady", boolean()),
        ]))
}

fn machine_deployment() -> Crd {
    let amount = json!({ "x-kubernetes-int-or-string": true, "anyOf": [{ "type": "integer" }, { "type": "string" }] });
    let rolling_update = open(json!({
        "maxSurge": amount,
        "maxUnavailable": amount,
        "deletePolicy": one_of(&["Random", "Newest", "Oldest"]),
    }));
    let strategy = open(json!({ "type": one_of(&["RollingUpdate", "OnDelete"]), "rollingUpdate": rolling_update }));
    begin(MACHINE_DEPLOYMENT, &["md"])
        .column("Cluster", "string", ".spec.clusterName")
        .wide_column("Desired", "integer", ".spec.replicas")
        .column("Replicas", "integer", ".status.replicas")
        .column("Ready", "integer", ".status.readyReplicas")
        .column("Updated", "integer", ".status.updatedReplicas")
        .column("Unavailable", "integer", ".status.unavailableReplicas")
        .column("Phase", "string", ".status.phase")
        .age()
        .column("Version", "string", ".spec.template.spec.version")
        .scale(Some(".status.selector"))
        .spec(open_with(
            &["clusterName", "selector", "template"],
            json!({
                "clusterName": name(),
                "replicas": integer(),
                "selector": open(json!({ "matchLabels": map() })),
                "strategy": strategy,
                "template": machine_template(),
            }),
        ))
        .status_schema(status(&replicas()))
}

fn machine_set() -> Crd {
    begin(MACHINE_SET, &["ms"])
        .column("Cluster", "string", ".spec.clusterName")
        .wide_column("Desired", "integer", ".spec.replicas")
        .column("Replicas", "integer", ".status.replicas")
        .column("Ready", "integer", ".status.readyReplicas")
        .column("Available", "integer", ".status.availableReplicas")
        .age()
        .column("Version", "string", ".spec.template.spec.version")
        .scale(Some(".status.selector"))
        .spec(open_with(
            &["clusterName", "selector"],
            json!({
                "clusterName": name(),
                "replicas": integer(),
                "selector": open(json!({ "matchLabels": map() })),
                "template": machine_template(),
            }),
        ))
        .status_schema(status(&replicas()))
}

fn machine() -> Crd {
    begin(MACHINE, &["ma"])
        .column("Cluster", "string", ".spec.clusterName")
        .column("NodeName", "string", ".status.nodeRef.name")
        .column("ProviderID", "string", ".spec.providerID")
        .column("Phase", "string", ".status.phase")
        .age()
        .column("Version", "string", ".spec.version")
        .spec(machine_spec())
        .status_schema(status(&[
            ("bootstrapReady", boolean()),
            ("infrastructureReady", boolean()),
            ("nodeRef", reference()),
        ]))
}

fn machine_health_check() -> Value {
    let amount = json!({ "x-kubernetes-int-or-string": true, "anyOf": [{ "type": "integer" }, { "type": "string" }] });
    let unhealthy = open_with(
        &["type", "status", "timeout"],
        json!({ "type": name(), "status": name(), "timeout": string() }),
    );
    begin(MACHINE_HEALTH_CHECK, &["mhc", "mhcs"])
        .column("Cluster", "string", ".spec.clusterName")
        .column("ExpectedMachines", "integer", ".status.expectedMachines")
        .column("MaxUnhealthy", "string", ".spec.maxUnhealthy")
        .column("CurrentHealthy", "integer", ".status.currentHealthy")
        .age()
        .spec(open_with(
            &["clusterName", "selector"],
            json!({
                "clusterName": name(),
                "maxUnhealthy": amount,
                "nodeStartupTimeout": string(),
                "selector": open(json!({ "matchLabels": map() })),
                "unhealthyConditions": list_of(unhealthy),
            }),
        ))
        .status_schema(status(&[
            ("expectedMachines", integer()),
            ("currentHealthy", integer()),
            ("remediationsAllowed", integer()),
        ]))
        .build()
}

fn kubevirt_cluster() -> Value {
    begin(KUBEVIRT_CLUSTER, &[]).status_schema(provider_status(&[])).build()
}

/// `ready` is there as soon as there is a status.
fn provider_status(fields: &[(&str, Value)]) -> Value {
    let mut schema = status(fields);
    schema["properties"]["ready"] = json!({ "type": "boolean", "default": false });
    schema["required"] = json!(["ready"]);
    schema
}

fn kubevirt_machine_spec() -> Value {
    let check = open(json!({
        "checkStrategy": { "type": "string", "enum": ["none", "ssh"], "default": "ssh" },
    }));
    open(
        json!({ "providerID": string(), "virtualMachineBootstrapCheck": check, "virtualMachineTemplate": open(json!({})) }),
    )
}

fn kubevirt_machine() -> Value {
    begin(KUBEVIRT_MACHINE, &[])
        .age()
        .column("Ready", "boolean", ".status.ready")
        .spec(kubevirt_machine_spec())
        .status_schema(provider_status(&[
            ("nodeupdated", boolean()),
            ("loadBalancerConfigured", boolean()),
        ]))
        .build()
}

fn template() -> Value {
    let template = open_with(&["spec"], json!({ "spec": kubevirt_machine_spec() }));
    begin(KUBEVIRT_MACHINE_TEMPLATE, &[])
        .without_status()
        .spec(open_with(&["template"], json!({ "template": template })))
        .build()
}
