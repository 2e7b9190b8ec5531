//! The operator catalogs of OpenShift, and the operator lifecycle manager's own workloads.

use serde_json::json;

use super::object::deployment;
use super::{Object, Setting};
use crate::kind::{CATALOG_SOURCE, DEPLOYMENT};

const NAMESPACE: &str = "openshift-marketplace";
const LIFECYCLE: &str = "openshift-operator-lifecycle-manager";

pub(super) fn objects(setting: &Setting<'_>) -> Vec<Object> {
    let catalogs = [
        (
            "certified-operators",
            "Certified Operators",
            -200,
            "certified-operator-index",
        ),
        (
            "community-operators",
            "Community Operators",
            -400,
            "community-operator-index",
        ),
        (
            "redhat-marketplace",
            "Red Hat Marketplace",
            -300,
            "redhat-marketplace-index",
        ),
        ("redhat-operators", "Red Hat Operators", -100, "redhat-operator-index"),
    ];
    let mut objects: Vec<Object> = catalogs
        .iter()
        .map(|(name, display, priority, index)| catalog(name, display, *priority, index, setting))
        .collect();
    objects.push(Object::new(
        DEPLOYMENT,
        deployment(NAMESPACE, "marketplace-operator", 1),
    ));
    let own = [("olm-operator", 1), ("catalog-operator", 1), ("packageserver", 2)];
    objects.extend(
        own.iter()
            .map(|(name, replicas)| Object::new(DEPLOYMENT, deployment(LIFECYCLE, name, *replicas))),
    );
    objects
}

fn catalog(name: &str, display: &str, priority: i32, index: &str, setting: &Setting<'_>) -> Object {
    let (now, minor) = (setting.now, setting.generation.versions().minor);
    let content = json!({
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": {
            "displayName": display,
            "publisher": "Red Hat",
            "sourceType": "grpc",
            "image": format!("registry.redhat.io/redhat/{index}:v{minor}"),
            "priority": priority,
            "updateStrategy": { "registryPoll": { "interval": "10m" } },
        },
    });
    let status = json!({
        "connectionState": {
            "address": format!("{name}.{NAMESPACE}.svc:50051"),
            "lastConnect": now,
            "lastObservedState": "READY",
        },
        "latestImageRegistryPoll": now,
        "registryService": {
            "createdAt": now,
            "port": "50051",
            "protocol": "grpc",
            "serviceName": name,
            "serviceNamespace": NAMESPACE,
        },
    });
    Object::with_status(CATALOG_SOURCE, content, status)
}
