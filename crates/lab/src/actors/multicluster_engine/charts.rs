//! The objects that the operator makes for an engine, as data.

use serde_json::{Value, json};

use super::components::{Component, Workload};
use super::{DEFAULT_NAMESPACE, Engine, HYPERSHIFT_ADDON, LOCAL_CLUSTER};
use crate::kind::{CLUSTER_MANAGEMENT_ADD_ON, CONFIG_MAP, Kind};
use crate::manifest::{self, set_start_time};
use crate::schemas::multicluster_engine::component_crds;
use crate::schemas::open_cluster_management::{ADD_ON_DEPLOYMENT_CONFIG, operator_crds};

/// Definitions of components' kinds, in the order in which they are made: that of ClusterManagers is last, and stands for all.
pub(super) fn definitions() -> Vec<Value> {
    let mut definitions = component_crds();
    definitions.extend(operator_crds());
    definitions
}

pub(super) fn account(engine: &Engine, workload: &Workload) -> Value {
    json!({ "metadata": { "name": workload.name, "namespace": engine.namespace } })
}

pub(super) fn internal(engine: &Engine, component: &Component) -> Value {
    json!({ "metadata": { "name": component.name, "namespace": engine.namespace }, "spec": {} })
}

pub(super) fn deployment(engine: &Engine, workload: &Workload) -> Value {
    let replicas = if engine.highly_available { workload.replicas } else { 1 };
    let image = image(engine, workload.image);
    let mut deployment = manifest::deployment(&engine.namespace, workload.name, replicas, &image);
    set_start_time(&mut deployment, 25);
    deployment
}

pub(super) fn cluster_manager(engine: &Engine) -> Value {
    json!({
        "metadata": { "name": "cluster-manager" },
        "spec": {
            "addOnManagerImagePullSpec": image(engine, "addon-manager-rhel9"),
            "placementImagePullSpec": image(engine, "placement-rhel9"),
            "registrationImagePullSpec": image(engine, "registration-rhel9"),
            "workImagePullSpec": image(engine, "work-rhel9"),
            "deployOption": { "mode": "Default" },
            "registrationConfiguration": { "featureGates": [{ "feature": "DefaultClusterSet", "mode": "Enable" }] },
        },
    })
}

/// The addons of a hub with their configuration. The hypershift addon is last: it stands for all.
pub(super) fn hypershift(engine: &Engine) -> Vec<(Kind, Value)> {
    let config = json!({
        "metadata": { "name": "hypershift-addon-deploy-config", "namespace": engine.namespace },
        "spec": { "customizedVariables": [
            { "name": "hcMaxNumber", "value": "80" },
            { "name": "hcThresholdNumber", "value": "60" },
        ] },
    });
    let streams = json!({
        "metadata": { "name": "hypershift-operator-imagestream", "namespace": engine.namespace },
        "data": { "imagestream": "" },
    });
    let hypershift = addon(
        HYPERSHIFT_ADDON,
        "Hypershift Addon",
        Some("hypershift-addon-deploy-config"),
    );
    vec![
        (ADD_ON_DEPLOYMENT_CONFIG, config),
        (CONFIG_MAP, streams),
        (CLUSTER_MANAGEMENT_ADD_ON, addon("cluster-proxy", "Cluster Proxy", None)),
        (
            CLUSTER_MANAGEMENT_ADD_ON,
            addon("managed-serviceaccount", "Managed Service Account", None),
        ),
        (CLUSTER_MANAGEMENT_ADD_ON, addon("work-manager", "work-manager", None)),
        (CLUSTER_MANAGEMENT_ADD_ON, hypershift),
    ]
}

fn addon(name: &str, display: &str, config: Option<&str>) -> Value {
    let mut supported = json!({ "group": "addon.open-cluster-management.io", "resource": "addondeploymentconfigs" });
    if let Some(config) = config {
        supported["defaultConfig"] = json!({ "name": config, "namespace": DEFAULT_NAMESPACE });
    }
    json!({
        "metadata": { "name": name },
        "spec": { "addOnMeta": { "displayName": display }, "supportedConfigs": [supported] },
    })
}

pub(super) fn hypershift_addon() -> Value {
    json!({
        "metadata": { "name": HYPERSHIFT_ADDON, "namespace": LOCAL_CLUSTER },
        "spec": { "installNamespace": "open-cluster-management-agent-addon" },
    })
}

pub(super) fn local_cluster() -> Value {
    json!({
        "metadata": {
            "name": LOCAL_CLUSTER,
            "labels": {
                LOCAL_CLUSTER: "true",
                "cloud": "auto-detect",
                "vendor": "auto-detect",
                "velero.io/exclude-from-backup": "true",
            },
        },
        "spec": { "hubAcceptsClient": true, "leaseDurationSeconds": 60 },
    })
}

fn image(engine: &Engine, name: &str) -> String {
    format!("registry.redhat.io/multicluster-engine/{name}:v{}", engine.version)
}
