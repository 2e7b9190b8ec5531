//! Kinds of OpenShift Virtualization: the operator's own, virtual machines, and disk imports.

use serde_json::{Value, json};

use super::crd::{Crd, conditions, crd, list_of, one_of, open, open_with, string};
use crate::generation::Generation;
use crate::kind::{
    CDI, DATA_VOLUME, HYPER_CONVERGED, KUBEVIRT, STORAGE_PROFILE, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE,
    VIRTUAL_MACHINE_INSTANCE_MIGRATION,
};

const READY: &str = ".status.conditions[?(@.type=='Ready')].status";

/// The definitions of virtualization kinds.
pub(crate) fn crds(generation: Generation) -> Vec<Value> {
    vec![
        crd(HYPER_CONVERGED)
            .short(&["hco", "hcos"])
            .categories(&["all"])
            .age()
            .when(generation.is_current(), |crd| crd.stored_as("v1"))
            .build(),
        kubevirt(KUBEVIRT_SHORT, crd(KUBEVIRT))
            .age()
            .column("Phase", "string", ".status.phase")
            .also_served("v1alpha3")
            .build(),
        crd(CDI)
            .short(&["cdi", "cdis"])
            .age()
            .column("Phase", "string", ".status.phase")
            .build(),
        crd(STORAGE_PROFILE).build(),
        virtual_machine(),
        virtual_machine_instance(),
        kubevirt(&["vmim", "vmims"], crd(VIRTUAL_MACHINE_INSTANCE_MIGRATION))
            .column("Phase", "string", ".status.phase")
            .column("VMI", "string", ".spec.vmiName")
            .also_served("v1alpha3")
            .build(),
        data_volume(),
    ]
}

const KUBEVIRT_SHORT: &[&str] = &["kv", "kvs"];

fn kubevirt(short: &[&'static str], crd: Crd) -> Crd {
    crd.short(short).categories(&["all"])
}

fn virtual_machine() -> Value {
    let strategy = one_of(&["Always", "Halted", "Manual", "RerunOnFailure", "Once"]);
    let disk = open_with(&["spec"], json!({ "metadata": preserved(), "spec": open(json!({})) }));
    kubevirt(&["vm", "vms"], crd(VIRTUAL_MACHINE))
        .age()
        .column("Status", "string", ".status.printableStatus")
        .column("Ready", "string", READY)
        .spec(open_with(
            &["template"],
            json!({
                "running": { "type": "boolean" },
                "runStrategy": strategy,
                "template": open(json!({ "metadata": preserved(), "spec": open_with(&["domain"], json!({ "domain": open(json!({})) })) })),
                "dataVolumeTemplates": list_of(disk),
            }),
        ))
        .status_schema(open(json!({
            "printableStatus": { "type": "string", "default": "Stopped" },
            "created": { "type": "boolean" },
            "ready": { "type": "boolean" },
            "conditions": conditions(),
        })))
        .required(&["spec"])
        .also_served("v1alpha3")
        .build()
}

/// The status of an instance is no subresource: its controllers write the whole object.
fn virtual_machine_instance() -> Value {
    let volume = open_with(&["name"], json!({ "name": string() }));
    kubevirt(&["vmi", "vmis"], crd(VIRTUAL_MACHINE_INSTANCE))
        .age()
        .column("Phase", "string", ".status.phase")
        .column("IP", "string", ".status.interfaces[0].ipAddress")
        .column("NodeName", "string", ".status.nodeName")
        .column("Ready", "string", READY)
        .wide_column(
            "Live-Migratable",
            "string",
            ".status.conditions[?(@.type=='LiveMigratable')].status",
        )
        .wide_column("Paused", "string", ".status.conditions[?(@.type=='Paused')].status")
        .without_status()
        .spec(open_with(
            &["domain"],
            json!({ "domain": open(json!({})), "volumes": list_of(volume) }),
        ))
        .required(&["spec"])
        .also_served("v1alpha3")
        .build()
}

fn data_volume() -> Value {
    crd(DATA_VOLUME)
        .short(&["dv", "dvs"])
        .categories(&["all"])
        .column("Phase", "string", ".status.phase")
        .column("Progress", "string", ".status.progress")
        .column("Restarts", "integer", ".status.restartCount")
        .age()
        .spec(open(json!({
            "source": open(json!({})),
            "pvc": open(json!({ "storageClassName": string() })),
            "storage": open(json!({ "storageClassName": string() })),
            "contentType": one_of(&["kubevirt", "archive"]),
        })))
        .status_schema(open(json!({
            "phase": string(),
            "progress": string(),
            "restartCount": { "type": "integer", "format": "int32" },
            "conditions": conditions(),
        })))
        .required(&["spec"])
        .build()
}

/// Metadata of a template: whatever is written there.
fn preserved() -> Value {
    json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true, "nullable": true })
}
