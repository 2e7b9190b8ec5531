//! Namespaces that an OpenShift cluster with these products has from the start.

use serde_json::json;

use super::Object;
use crate::kind::NAMESPACE;

/// Namespaces of OpenShift and of the installed operators; those marked are watched by the cluster's monitoring.
const NAMESPACES: [(&str, bool); 26] = [
    ("openshift", false),
    ("openshift-apiserver", true),
    ("openshift-authentication", true),
    ("openshift-cluster-version", true),
    ("openshift-cnv", true),
    ("openshift-config", false),
    ("openshift-config-managed", false),
    ("openshift-console", true),
    ("openshift-dns", true),
    ("openshift-etcd", true),
    ("openshift-image-registry", true),
    ("openshift-infra", false),
    ("openshift-ingress", true),
    ("openshift-ingress-operator", true),
    ("openshift-kube-apiserver", true),
    ("openshift-machine-api", true),
    ("openshift-machine-config-operator", true),
    ("openshift-marketplace", true),
    ("openshift-monitoring", true),
    ("openshift-network-operator", true),
    ("openshift-operator-lifecycle-manager", true),
    ("openshift-operators", false),
    ("openshift-ovn-kubernetes", true),
    ("openshift-storage", true),
    ("openshift-virtualization-os-images", false),
    ("metallb-system", true),
];

pub(super) fn objects() -> Vec<Object> {
    let namespace = |(name, monitored): &(&str, bool)| {
        let mut object = json!({ "metadata": { "name": name } });
        if *monitored {
            object["metadata"]["labels"] = json!({ "openshift.io/cluster-monitoring": "true" });
        }
        Object::new(NAMESPACE, object)
    };
    NAMESPACES.iter().map(namespace).collect()
}
