//! A Subscription's status, field by field. No I/O: values in, values out.

use serde_json::{Value, json};

use super::catalog_reference;
use crate::catalog::GLOBAL_NAMESPACE;
use crate::client::{name_of, namespace_of};
use crate::conditions;
use crate::kind::INSTALL_PLAN;
use crate::manifest::reference;
use crate::objects::uid;

/// The status of one Subscription being worked out.
pub(super) struct Status {
    value: Value,
    conditions: Vec<Value>,
    now: String,
}

impl Status {
    /// Begins with what is there.
    pub(super) fn of(subscription: &Value, now: &str) -> Self {
        let value = if subscription["status"].is_object() {
            subscription["status"].clone()
        } else {
            json!({})
        };
        let conditions = value["conditions"].as_array().cloned().unwrap_or_default();
        Self {
            value,
            conditions,
            now: now.to_owned(),
        }
    }

    /// The whole status; `lastUpdated` moves only with something else.
    pub(super) fn finish(mut self, subscription: &Value) -> Value {
        if !self.conditions.is_empty() || self.value.get("conditions").is_some() {
            self.value["conditions"] = self.conditions.into();
        }
        if self.value != subscription["status"] {
            self.value["lastUpdated"] = self.now.into();
        }
        self.value
    }

    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.value[field].as_str()
    }

    pub(super) fn text_at(&self, outer: &str, field: &str) -> Option<&str> {
        self.value[outer][field].as_str()
    }

    /// A condition that says that something is wrong, or under way.
    pub(super) fn raise(&mut self, kind: &str, reason: &str, message: &str) {
        conditions::set(&mut self.conditions, &self.now, kind, "True", reason, message);
    }

    /// Takes a condition away: these are true or absent.
    pub(super) fn clear(&mut self, kind: &str) {
        self.conditions.retain(|condition| condition["type"] != kind);
    }

    /// The health of the catalogs that the Subscription may use. First seen, then found healthy: two writes, as OLM does it.
    pub(super) fn catalogs(&mut self, subscription: &Value, catalogs: &[Value]) {
        let namespace = namespace_of(subscription);
        let visible: Vec<&Value> = catalogs
            .iter()
            .filter(|catalog| namespace_of(catalog) == namespace || namespace_of(catalog) == Some(GLOBAL_NAMESPACE))
            .collect();
        let first = !self.value["catalogHealth"].is_array();
        self.catalog_health(&visible);
        let target = visible.iter().find(|catalog| {
            name_of(catalog) == subscription["spec"]["source"]
                && namespace_of(catalog).is_some_and(|namespace| namespace == subscription["spec"]["sourceNamespace"])
        });
        let source = format!(
            "{}/{}",
            subscription["spec"]["sourceNamespace"].as_str().unwrap_or_default(),
            subscription["spec"]["source"].as_str().unwrap_or_default()
        );
        let (status, reason, message) = match target {
            _ if visible.is_empty() => (
                "True",
                "NoCatalogSourcesFound",
                "dependency resolution requires at least one catalogsource".to_owned(),
            ),
            None => (
                "True",
                "UnhealthyCatalogSourceFound",
                format!("targeted catalogsource {source} missing"),
            ),
            Some(catalog) if !super::is_ready(catalog) => (
                "True",
                "UnhealthyCatalogSourceFound",
                format!("targeted catalogsource {source} unhealthy"),
            ),
            Some(_) => {
                let reason = if first {
                    "CatalogSourcesAdded"
                } else {
                    "AllCatalogSourcesHealthy"
                };
                ("False", reason, "all available catalogsources are healthy".to_owned())
            }
        };
        conditions::set(
            &mut self.conditions,
            &self.now,
            "CatalogSourcesUnhealthy",
            status,
            reason,
            &message,
        );
    }

    fn catalog_health(&mut self, visible: &[&Value]) {
        let before = self.value["catalogHealth"].as_array().cloned().unwrap_or_default();
        let entry = |catalog: &&Value| {
            let healthy = super::is_ready(catalog);
            let same = before.iter().find(|entry| {
                entry["catalogSourceRef"]["uid"] == catalog["metadata"]["uid"] && entry["healthy"] == healthy
            });
            same.cloned().unwrap_or_else(|| {
                json!({ "catalogSourceRef": catalog_reference(catalog), "healthy": healthy, "lastUpdated": self.now })
            })
        };
        self.value["catalogHealth"] = visible.iter().map(entry).collect();
    }

    /// The Subscription waits for this plan, which brings it to a version.
    pub(super) fn follows(&mut self, plan: &Value, service_version: &str) {
        self.clear("BundleUnpacking");
        self.value["currentCSV"] = service_version.into();
        self.value["installPlanGeneration"] = plan["spec"]["generation"].clone();
        self.value["installplan"] = json!({
            "apiVersion": INSTALL_PLAN.api_version(),
            "kind": INSTALL_PLAN.kind,
            "name": name_of(plan),
            "uuid": uid(plan),
        });
        self.value["installPlanRef"] = reference(INSTALL_PLAN, plan);
        self.value["state"] = "UpgradePending".into();
    }

    /// What the plan that the Subscription follows has come to.
    pub(super) fn plan_phase(&mut self, plan: &Value) {
        self.clear("InstallPlanMissing");
        match plan["status"]["phase"].as_str().unwrap_or_default() {
            "Complete" => {
                self.clear("InstallPlanPending");
                self.clear("InstallPlanFailed");
            }
            "Failed" => {
                self.clear("InstallPlanPending");
                let message = plan["status"]["message"].as_str().unwrap_or_default();
                self.raise("InstallPlanFailed", "InstallComponentFailed", message);
            }
            phase => self.raise(
                "InstallPlanPending",
                if phase.is_empty() {
                    "InstallPlanNotYetReconciled"
                } else {
                    phase
                },
                "",
            ),
        }
    }

    /// The plan is gone. While an upgrade is pending all of it begins anew; later it is only worth a remark.
    pub(super) fn plan_gone(&mut self) {
        self.clear("InstallPlanPending");
        self.clear("InstallPlanFailed");
        if self.text("state") == Some("UpgradePending") {
            if let Value::Object(status) = &mut self.value {
                for field in [
                    "installplan",
                    "installPlanRef",
                    "installPlanGeneration",
                    "currentCSV",
                    "state",
                ] {
                    status.remove(field);
                }
            }
            if let Some(installed) = self.text("installedCSV").map(str::to_owned) {
                self.value["currentCSV"] = installed.into();
                self.value["state"] = "AtLatestKnown".into();
            }
        } else {
            self.raise("InstallPlanMissing", "ReferencedInstallPlanNotFound", "");
        }
    }

    /// The version that is current exists, whatever has become of it.
    pub(super) fn installed(&mut self, service_version: &str) {
        self.value["installedCSV"] = service_version.into();
        self.value["state"] = "AtLatestKnown".into();
    }
}
