//! The kinds of the operator lifecycle manager, which a cluster has from the start.

use serde_json::{Value, json};

use super::crd::{cluster, list_of, namespaced, open, string};
use crate::generation::Generation;
use crate::kind::Kind;

const GROUP: &str = "operators.coreos.com";

/// What an operator says of itself to OLM: whether it may be upgraded.
pub(crate) const OPERATOR_CONDITION: Kind = Kind {
    group: "operators.coreos.com",
    version: "v2",
    kind: "OperatorCondition",
    plural: "operatorconditions",
    namespaced: true,
};

/// The definitions of OLM's kinds.
pub(crate) fn crds(generation: Generation) -> Vec<Value> {
    vec![
        catalog_source(),
        cluster_service_version(generation),
        install_plan(),
        operator_group(),
        subscription(),
        cluster(GROUP, "v1", "Operator").categories(&["olm"]).build(),
        namespaced(GROUP, "v2", "OperatorCondition")
            .short(&["condition"])
            .categories(&["olm"])
            .build(),
    ]
}

fn catalog_source() -> Value {
    let spec = open_with(
        &["sourceType"],
        json!({
            "sourceType": string(),
            "image": string(),
            "displayName": string(),
            "publisher": string(),
            "priority": { "type": "integer" },
        }),
    );
    namespaced(GROUP, "v1alpha1", "CatalogSource")
        .short(&["catsrc"])
        .categories(&["olm"])
        .column("Display", "string", ".spec.displayName")
        .column("Type", "string", ".spec.sourceType")
        .column("Publisher", "string", ".spec.publisher")
        .age()
        .spec(spec)
        .required(&["metadata", "spec"])
        .build()
}

fn cluster_service_version(generation: Generation) -> Value {
    let install = open_with(
        &["strategy"],
        json!({
            "strategy": string(),
            "spec": open(json!({ "deployments": list_of(open(json!({}))) })),
        }),
    );
    let spec = open_with(
        &["displayName", "install"],
        json!({
            "displayName": string(),
            "version": string(),
            "replaces": string(),
            "install": install,
        }),
    );
    namespaced(GROUP, "v1alpha1", "ClusterServiceVersion")
        .short(&["csv", "csvs"])
        .categories(&["olm"])
        .column("Display", "string", ".spec.displayName")
        .column("Version", "string", ".spec.version")
        .when(generation.is_current(), |crd| {
            crd.column("Release", "string", ".spec.release")
        })
        .column("Replaces", "string", ".spec.replaces")
        .column("Phase", "string", ".status.phase")
        .spec(spec)
        // Its conditions are a history of phases, without types.
        .status_schema(open(json!({ "conditions": list_of(open(json!({}))) })))
        .required(&["metadata", "spec"])
        .build()
}

fn install_plan() -> Value {
    let spec = open_with(
        &["approval", "approved", "clusterServiceVersionNames"],
        json!({
            "approval": string(),
            "approved": { "type": "boolean" },
            "clusterServiceVersionNames": list_of(string()),
            "generation": { "type": "integer" },
        }),
    );
    namespaced(GROUP, "v1alpha1", "InstallPlan")
        .short(&["ip"])
        .categories(&["olm"])
        .column("CSV", "string", ".spec.clusterServiceVersionNames[0]")
        .column("Approval", "string", ".spec.approval")
        .column("Approved", "boolean", ".spec.approved")
        .spec(spec)
        .required(&["metadata", "spec"])
        .build()
}

fn operator_group() -> Value {
    let strategy = json!({
        "type": "string",
        "enum": ["Default", "TechPreviewUnsafeFailForward"],
        "default": "Default",
    });
    let mut spec = open(json!({
        "targetNamespaces": list_of(string()),
        "serviceAccountName": string(),
        "upgradeStrategy": strategy,
    }));
    spec["default"] = json!({ "upgradeStrategy": "Default" });
    namespaced(GROUP, "v1", "OperatorGroup")
        .short(&["og"])
        .categories(&["olm"])
        .spec(spec)
        .required(&["metadata"])
        .build()
}

fn subscription() -> Value {
    let spec = open_with(
        &["name", "source", "sourceNamespace"],
        json!({
            "name": string(),
            "source": string(),
            "sourceNamespace": string(),
            "channel": string(),
            "startingCSV": string(),
            "installPlanApproval": string(),
        }),
    );
    namespaced(GROUP, "v1alpha1", "Subscription")
        .short(&["sub", "subs"])
        .categories(&["olm"])
        .column("Package", "string", ".spec.name")
        .column("Source", "string", ".spec.source")
        .column("Channel", "string", ".spec.channel")
        .spec(spec)
        .required(&["metadata", "spec"])
        .build()
}

/// As [`open`], with fields that must be there.
fn open_with(required: &[&str], properties: Value) -> Value {
    let mut schema = open(properties);
    schema["required"] = json!(required);
    schema
}
