//! OADP, ready to take backups: its namespace, one DataProtectionApplication, and a place to put them.

use serde_json::json;

use super::{Object, Setting};
use crate::kind::{BACKUP_STORAGE_LOCATION, DATA_PROTECTION_APPLICATION, NAMESPACE};

const NAME: &str = "openshift-adp";

pub(super) fn objects(setting: &Setting<'_>) -> Vec<Object> {
    let bucket = json!({ "bucket": "lab-backups", "prefix": "hub" });
    let application = json!({
        "metadata": { "name": "dpa", "namespace": NAME },
        "spec": {
            "backupLocations": [{ "velero": { "default": true, "provider": "aws", "objectStorage": bucket } }],
            "configuration": {
                "nodeAgent": { "enable": true, "uploaderType": "kopia" },
                "velero": { "defaultPlugins": ["openshift", "aws", "csi", "hypershift", "kubevirt"] },
            },
        },
    });
    let location = json!({
        "metadata": { "name": "default", "namespace": NAME },
        "spec": { "default": true, "provider": "aws", "objectStorage": bucket },
    });
    let reconciled = json!({
        "conditions": [{
            "type": "Reconciled",
            "status": "True",
            "reason": "Complete",
            "message": "Reconcile complete",
            "lastTransitionTime": setting.now,
        }],
    });
    let available = json!({ "phase": "Available", "lastValidationTime": setting.now, "lastSyncedTime": setting.now });
    vec![
        Object::new(NAMESPACE, json!({ "metadata": { "name": NAME } })),
        Object::with_status(DATA_PROTECTION_APPLICATION, application, reconciled),
        Object::with_status(BACKUP_STORAGE_LOCATION, location, available),
    ]
}
