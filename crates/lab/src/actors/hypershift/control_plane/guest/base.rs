//! What a guest holds from the start: its kinds, namespaces, cluster-wide configuration, routes and storage classes.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{Client, Result, name_of};
use crate::kind::{
    CLUSTER_VERSION, CONFIG_MAP, CONSOLE, CUSTOM_RESOURCE_DEFINITION, DNS, INFRASTRUCTURE, INGRESS_CONFIG, Kind,
    NAMESPACE, NETWORK, OAUTH, PROXY, ROUTE, STORAGE_CLASS,
};
use crate::objects::ensure as ensure_object;
use crate::site::Guest;

use super::ingress::apps_domain;

/// Those of a fresh guest. The ones that OpenShift makes for other platforms and never uses are left out: hundreds of guests
/// share a lab.
const NAMESPACES: [&str; 36] = [
    "openshift",
    "openshift-apiserver",
    "openshift-authentication",
    "openshift-cluster-csi-drivers",
    "openshift-cluster-node-tuning-operator",
    "openshift-cluster-samples-operator",
    "openshift-cluster-storage-operator",
    "openshift-cluster-version",
    "openshift-config",
    "openshift-config-managed",
    "openshift-config-operator",
    "openshift-console",
    "openshift-console-operator",
    "openshift-console-user-settings",
    "openshift-controller-manager",
    "openshift-dns",
    "openshift-host-network",
    "openshift-image-registry",
    "openshift-infra",
    "openshift-ingress",
    "openshift-ingress-canary",
    "openshift-ingress-operator",
    "openshift-insights",
    "openshift-kube-apiserver",
    "openshift-kube-storage-version-migrator",
    "openshift-marketplace",
    "openshift-monitoring",
    "openshift-multus",
    "openshift-network-diagnostics",
    "openshift-network-operator",
    "openshift-node",
    "openshift-operator-lifecycle-manager",
    "openshift-operators",
    "openshift-ovn-kubernetes",
    "openshift-service-ca",
    "openshift-user-workload-monitoring",
];

/// Routes of a fresh guest: namespace, name (which is also the first part of the host), Service, termination.
const ROUTES: [(&str, &str, &str, &str); 6] = [
    ("openshift-console", "console", "console", "reencrypt"),
    ("openshift-console", "downloads", "downloads", "edge"),
    ("openshift-ingress-canary", "canary", "ingress-canary", "edge"),
    (
        "openshift-monitoring",
        "alertmanager-main",
        "alertmanager-main",
        "reencrypt",
    ),
    ("openshift-monitoring", "prometheus-k8s", "prometheus-k8s", "reencrypt"),
    ("openshift-monitoring", "thanos-querier", "thanos-querier", "reencrypt"),
];

/// Makes what is missing. ClusterVersion comes after all of it, so where that is, nothing is looked at again.
pub(super) async fn ensure(context: &Context, inside: &Client, control_plane: &Value, guest: &Guest) -> Result<()> {
    if inside.get(CLUSTER_VERSION, None, "version").await?.is_some() {
        return Ok(());
    }
    for crd in context.site.schemas.resolve(crate::schemas::guest(context.generation)) {
        ensure_object(inside, CUSTOM_RESOURCE_DEFINITION, &crd).await?;
    }
    for name in NAMESPACES {
        ensure_object(inside, NAMESPACE, &json!({ "metadata": { "name": name } })).await?;
    }
    for (kind, spec) in configuration(control_plane) {
        ensure_object(
            inside,
            kind,
            &json!({ "metadata": { "name": "cluster" }, "spec": spec }),
        )
        .await?;
    }
    infrastructure(inside, control_plane, guest).await?;
    super::logins::roles(inside).await?;
    for (kind, object) in others(control_plane) {
        ensure_object(inside, kind, &object).await?;
    }
    Ok(())
}

/// The cluster-wide configuration, each named `cluster`.
fn configuration(control_plane: &Value) -> [(Kind, Value); 6] {
    let spec = &control_plane["spec"];
    let network = json!({
        "clusterNetwork": spec["networking"]["clusterNetwork"],
        "serviceNetwork": cidr_list(&spec["networking"]["serviceNetwork"]),
        "networkType": spec["networking"]["networkType"],
    });
    let base = format!(
        "{}.{}",
        name_of(control_plane),
        spec["dns"]["baseDomain"].as_str().unwrap_or_default()
    );
    [
        (DNS, json!({ "baseDomain": base })),
        (INGRESS_CONFIG, json!({ "domain": apps_domain(control_plane) })),
        (NETWORK, network),
        (CONSOLE, json!({})),
        (OAUTH, json!({})),
        (PROXY, json!({})),
    ]
}

fn cidr_list(networks: &Value) -> Vec<Value> {
    networks
        .as_array()
        .into_iter()
        .flatten()
        .map(|network| network["cidr"].clone())
        .collect()
}

async fn infrastructure(inside: &Client, control_plane: &Value, guest: &Guest) -> Result<()> {
    let wanted = json!({
        "metadata": { "name": "cluster" },
        "spec": { "platformSpec": { "type": "KubeVirt" } },
        "status": {
            "apiServerURL": guest.url,
            "apiServerInternalURI": guest.url,
            "controlPlaneTopology": "External",
            "infrastructureName": control_plane["spec"]["infraID"],
            "infrastructureTopology": control_plane["spec"]["infrastructureAvailabilityPolicy"],
            "platform": "KubeVirt",
            "platformStatus": { "type": "KubeVirt" },
        },
    });
    if ensure_object(inside, INFRASTRUCTURE, &wanted).await? {
        inside
            .status(INFRASTRUCTURE, None, "cluster", &wanted["status"])
            .await?;
    }
    Ok(())
}

/// Has the guest's own router admit its routes, once there is one, and the console tell where it is.
pub(super) async fn admit_routes(context: &Context, inside: &Client) -> Result<()> {
    let (first_namespace, first, ..) = ROUTES[0];
    let first = inside.get(ROUTE, Some(first_namespace), first).await?;
    if first.as_ref().is_none_or(|route| route["status"]["ingress"].is_array()) {
        return Ok(());
    }
    // The first is admitted last: where it is, all are.
    for (namespace, name, ..) in ROUTES.into_iter().rev() {
        let Some(route) = inside.get(ROUTE, Some(namespace), name).await? else {
            continue;
        };
        let admitted = json!({ "type": "Admitted", "status": "True", "lastTransitionTime": context.time.stamp() });
        let ingress = json!({
            "host": route["spec"]["host"],
            "routerName": "default",
            "wildcardPolicy": "None",
            "conditions": [admitted],
        });
        inside
            .status(ROUTE, Some(namespace), name, &json!({ "ingress": [ingress] }))
            .await?;
    }
    let host = first
        .as_ref()
        .and_then(|route| route["spec"]["host"].as_str())
        .unwrap_or_default();
    let url = format!("https://{host}");
    inside
        .status(CONSOLE, None, "cluster", &json!({ "consoleURL": url }))
        .await?;
    let public = json!({
        "metadata": { "name": "console-public", "namespace": "openshift-config-managed" },
        "data": { "consoleURL": url },
    });
    ensure_object(inside, CONFIG_MAP, &public).await?;
    Ok(())
}

/// The classes through which a guest's volumes come from the management cluster's, as its storage driver maps them.
fn storage_classes(control_plane: &Value) -> Vec<Value> {
    let class = |name: &str, annotations: Value, parameters: Value| {
        json!({
            "metadata": { "name": name, "annotations": annotations },
            "provisioner": "csi.kubevirt.io",
            "parameters": parameters,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "Immediate",
        })
    };
    let driver = &control_plane["spec"]["platform"]["kubevirt"]["storageDriver"];
    match driver["type"].as_str() {
        Some("None") => Vec::new(),
        Some("Manual") => {
            let mappings = driver["manual"]["storageClassMapping"].as_array().into_iter().flatten();
            let mapped = mappings.map(|mapping| {
                let parameters = json!({ "bus": "scsi", "infraStorageClassName": mapping["infraStorageClassName"] });
                class(
                    mapping["guestStorageClassName"].as_str().unwrap_or_default(),
                    json!({}),
                    parameters,
                )
            });
            mapped.collect()
        }
        _ => {
            let default = json!({ "storageclass.kubernetes.io/is-default-class": "true" });
            vec![class("kubevirt-csi-infra-default", default, json!({ "bus": "scsi" }))]
        }
    }
}

fn others(control_plane: &Value) -> Vec<(Kind, Value)> {
    let routes = ROUTES.map(|(namespace, name, service, termination)| {
        let route = json!({
            "metadata": { "name": name, "namespace": namespace },
            "spec": {
                "host": format!("{name}-{namespace}.{}", apps_domain(control_plane)),
                "to": { "kind": "Service", "name": service, "weight": 100 },
                "tls": { "termination": termination, "insecureEdgeTerminationPolicy": "Redirect" },
                "wildcardPolicy": "None",
            },
        });
        (ROUTE, route)
    });
    let classes = storage_classes(control_plane)
        .into_iter()
        .map(|class| (STORAGE_CLASS, class));
    routes.into_iter().chain(classes).collect()
}
