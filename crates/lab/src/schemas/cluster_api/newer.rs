//! The kinds of Cluster API in `v1beta2`, which is stored in the current generation.

use serde_json::{Value, json};

use super::{CATEGORY, boolean, integer, map, name};
use crate::kind::{CLUSTER, Kind, MACHINE, MACHINE_DEPLOYMENT, MACHINE_SET};
use crate::schemas::crd::{Crd, list_map, list_of, one_of, open, open_with, string};

/// Cluster, MachineDeployment, MachineSet, Machine.
pub(super) fn all() -> [Crd; 4] {
    [cluster(), machine_deployment(), machine_set(), machine()]
}

fn begin(kind: Kind) -> Crd {
    let kind = Kind {
        version: "v1beta2",
        ..kind
    };
    crate::schemas::crd::crd(kind).categories(CATEGORY).required(&["spec"])
}

fn condition(kind: &str) -> String {
    format!(".status.conditions[?(@.type==\"{kind}\")].status")
}

/// Conditions of which all fields are there.
fn conditions() -> Value {
    let condition = open_with(
        &["type", "status", "reason", "message", "lastTransitionTime"],
        json!({
            "type": string(),
            "status": one_of(&["True", "False", "Unknown"]),
            "reason": { "type": "string", "minLength": 1 },
            "message": string(),
            "lastTransitionTime": { "type": "string", "format": "date-time" },
        }),
    );
    list_map(&["type"], condition)
}

fn status(fields: &[(&str, Value)]) -> Value {
    let mut properties = json!({
        "conditions": conditions(),
        "phase": string(),
        "observedGeneration": { "type": "integer", "format": "int64" },
        "deprecated": open(json!({ "v1beta1": open(json!({})) })),
    });
    for (name, schema) in fields {
        properties[*name] = schema.clone();
    }
    open(&properties)
}

fn replicas() -> Vec<(&'static str, Value)> {
    let counts = ["replicas", "readyReplicas", "availableReplicas", "upToDateReplicas"];
    let counts = counts.map(|name| (name, integer()));
    counts.into_iter().chain([("selector", string())]).collect()
}

/// A reference finds the version of what it names by itself.
fn reference() -> Value {
    open_with(
        &["apiGroup", "kind", "name"],
        json!({ "apiGroup": name(), "kind": name(), "name": name() }),
    )
}

fn machine_spec() -> Value {
    let deletion = open(json!({
        "nodeDrainTimeoutSeconds": integer(),
        "nodeVolumeDetachTimeoutSeconds": integer(),
        "nodeDeletionTimeoutSeconds": integer(),
    }));
    open_with(
        &["bootstrap", "clusterName", "infrastructureRef"],
        json!({
            "bootstrap": open(json!({ "configRef": reference(), "dataSecretName": string() })),
            "clusterName": name(),
            "infrastructureRef": reference(),
            "deletion": deletion,
            "providerID": string(),
            "version": string(),
        }),
    )
}

/// What MachineSets and MachineDeployments have in common.
fn set_spec(more: &[(&str, Value)]) -> Value {
    let metadata = open(json!({ "labels": map(), "annotations": map() }));
    let mut properties = json!({
        "clusterName": name(),
        "replicas": integer(),
        "selector": open(json!({ "matchLabels": map() })),
        "template": open(json!({ "metadata": metadata, "spec": machine_spec() })),
        "deletion": open(json!({ "order": one_of(&["Random", "Newest", "Oldest"]) })),
    });
    for (name, schema) in more {
        properties[*name] = schema.clone();
    }
    open_with(&["clusterName", "selector", "template"], &properties)
}

fn cluster() -> Crd {
    let endpoint = open(json!({ "host": string(), "port": integer() }));
    let initialization = open(json!({
        "controlPlaneInitialized": boolean(),
        "infrastructureProvisioned": boolean(),
    }));
    let counts = |crd: Crd, short: &str, field: &str| {
        let path = |count: &str| format!(".status.{field}.{count}");
        crd.column(&format!("{short} Desired"), "integer", &path("desiredReplicas"))
            .typed_column(&format!("{short} Current"), "integer", &path("replicas"), 10)
            .typed_column(&format!("{short} Ready"), "integer", &path("readyReplicas"), 10)
            .column(&format!("{short} Available"), "integer", &path("availableReplicas"))
            .column(&format!("{short} Up-to-date"), "integer", &path("upToDateReplicas"))
    };
    let crd = begin(CLUSTER)
        .column("ClusterClass", "string", ".spec.topology.classRef.name")
        .column("Available", "string", &condition("Available"));
    let crd = counts(crd, "CP", "controlPlane");
    counts(crd, "W", "workers")
        .typed_column("Paused", "string", &condition("Paused"), 10)
        .column("Phase", "string", ".status.phase")
        .age()
        .column("Version", "string", ".spec.topology.version")
        .spec(open(json!({
            "paused": boolean(),
            "controlPlaneRef": reference(),
            "infrastructureRef": reference(),
            "controlPlaneEndpoint": endpoint,
        })))
        .status_schema(status(&[("initialization", initialization)]))
}

fn machine_deployment() -> Crd {
    let amount = json!({ "x-kubernetes-int-or-string": true, "anyOf": [{ "type": "integer" }, { "type": "string" }] });
    let strategy = open_with(
        &["type"],
        json!({
            "type": one_of(&["RollingUpdate", "OnDelete"]),
            "rollingUpdate": open(json!({ "maxSurge": amount, "maxUnavailable": amount })),
        }),
    );
    begin(MACHINE_DEPLOYMENT)
        .column("Cluster", "string", ".spec.clusterName")
        .column("Available", "string", &condition("Available"))
        .column("Desired", "integer", ".spec.replicas")
        .column("Current", "integer", ".status.replicas")
        .column("Ready", "integer", ".status.readyReplicas")
        .column("Available", "integer", ".status.availableReplicas")
        .column("Up-to-date", "integer", ".status.upToDateReplicas")
        .typed_column("Paused", "string", &condition("Paused"), 10)
        .column("Phase", "string", ".status.phase")
        .age()
        .column("Version", "string", ".spec.template.spec.version")
        .scale(Some(".status.selector"))
        .spec(set_spec(&[("rollout", open(json!({ "strategy": strategy })))]))
        .status_schema(status(&replicas()))
}

fn machine_set() -> Crd {
    begin(MACHINE_SET)
        .column("Cluster", "string", ".spec.clusterName")
        .column("Desired", "integer", ".spec.replicas")
        .column("Current", "integer", ".status.replicas")
        .column("Ready", "integer", ".status.readyReplicas")
        .column("Available", "integer", ".status.availableReplicas")
        .column("Up-to-date", "integer", ".status.upToDateReplicas")
        .typed_column("Paused", "string", &condition("Paused"), 10)
        .age()
        .column("Version", "string", ".spec.template.spec.version")
        .scale(Some(".status.selector"))
        .spec(set_spec(&[]))
        .status_schema(status(&replicas()))
}

fn machine() -> Crd {
    let initialization = open(json!({
        "bootstrapDataSecretCreated": boolean(),
        "infrastructureProvisioned": boolean(),
    }));
    let address = |kind: &str| format!(".status.addresses[?(@.type==\"{kind}\")].address");
    begin(MACHINE)
        .column("Cluster", "string", ".spec.clusterName")
        .column("Node Name", "string", ".status.nodeRef.name")
        .typed_column("Provider ID", "string", ".spec.providerID", 10)
        .column("Failure domain", "string", ".status.failureDomain")
        .column("Ready", "string", &condition("Ready"))
        .column("Available", "string", &condition("Available"))
        .column("Up-to-date", "string", &condition("UpToDate"))
        .typed_column("Internal-IP", "string", &address("InternalIP"), 10)
        .typed_column("External-IP", "string", &address("ExternalIP"), 10)
        .typed_column("OS-Image", "string", ".status.nodeInfo.osImage", 10)
        .typed_column("Paused", "string", &condition("Paused"), 10)
        .column("Phase", "string", ".status.phase")
        .age()
        .column("Version", "string", ".spec.version")
        .spec(machine_spec())
        .status_schema(status(&[
            ("initialization", initialization),
            ("nodeRef", open_with(&["name"], json!({ "name": name() }))),
            (
                "addresses",
                list_of(open(json!({ "type": string(), "address": string() }))),
            ),
        ]))
}
