//! The kinds of OADP and Velero that backups of hosted clusters need.

use serde_json::{Value, json};

use super::crd::{crd, list_of, open, open_with, string};
use crate::kind::{BACKUP, BACKUP_STORAGE_LOCATION, DATA_PROTECTION_APPLICATION, Kind, RESTORE};

/// The definitions of these kinds.
pub(crate) fn crds() -> Vec<Value> {
    vec![
        velero(
            BACKUP,
            &json!({ "includedNamespaces": list_of(string()), "storageLocation": string(), "ttl": string() }),
        ),
        velero(
            RESTORE,
            &json!({ "backupName": string(), "includedNamespaces": list_of(string()) }),
        ),
        storage_location(),
        crd(DATA_PROTECTION_APPLICATION)
            .short(&["dpa"])
            .column(
                "Reconciled",
                "string",
                ".status.conditions[?(@.type=='Reconciled')].status",
            )
            .age()
            .build(),
    ]
}

fn velero(kind: Kind, fields: &Value) -> Value {
    let time = json!({ "type": "string", "format": "date-time", "nullable": true });
    let status = open(json!({
        "phase": string(),
        "startTimestamp": time,
        "completionTimestamp": time,
        "validationErrors": list_of(string()),
        "failureReason": string(),
    }));
    crd(kind).spec(open(fields)).status_schema(status).build()
}

fn storage_location() -> Value {
    let spec = open_with(
        &["objectStorage", "provider"],
        json!({
            "default": { "type": "boolean" },
            "provider": string(),
            "objectStorage": open_with(&["bucket"], json!({ "bucket": string(), "prefix": string() })),
        }),
    );
    crd(BACKUP_STORAGE_LOCATION)
        .short(&["bsl"])
        .column("Phase", "string", ".status.phase")
        .column("Last Validated", "date", ".status.lastValidationTime")
        .age()
        .column("Default", "boolean", ".spec.default")
        .spec(spec)
        .build()
}
