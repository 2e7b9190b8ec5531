//! What a guest holds from the start: its kinds, namespaces, cluster-wide configuration, and the password's hash.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::actors::SIMULATED;
use crate::client::{Client, Result, name_of};
use crate::kind::{
    CLUSTER_VERSION, CUSTOM_RESOURCE_DEFINITION, DNS, INFRASTRUCTURE, INGRESS_CONFIG, Kind, NAMESPACE, NETWORK, OAUTH,
    PROXY, ROUTE, STORAGE_CLASS,
};
use crate::objects::ensure as ensure_object;
use crate::site::Guest;

use super::ingress::apps_domain;

const NAMESPACES: [&str; 17] = [
    "openshift-cluster-csi-drivers",
    "openshift-cluster-version",
    "openshift-config",
    "openshift-config-managed",
    "openshift-console",
    "openshift-dns",
    "openshift-image-registry",
    "openshift-ingress",
    "openshift-ingress-operator",
    "openshift-insights",
    "openshift-marketplace",
    "openshift-monitoring",
    "openshift-multus",
    "openshift-network-operator",
    "openshift-operators",
    "openshift-ovn-kubernetes",
    "openshift-service-ca",
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
    for (kind, object) in others(control_plane) {
        ensure_object(inside, kind, &object).await?;
    }
    Ok(())
}

/// The cluster-wide configuration, each named `cluster`.
fn configuration(control_plane: &Value) -> [(Kind, Value); 5] {
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

fn others(control_plane: &Value) -> Vec<(Kind, Value)> {
    let console = json!({
        "metadata": { "name": "console", "namespace": "openshift-console" },
        "spec": {
            "host": format!("console-openshift-console.{}", apps_domain(control_plane)),
            "to": { "kind": "Service", "name": "console", "weight": 100 },
            "tls": { "termination": "reencrypt", "insecureEdgeTerminationPolicy": "Redirect" },
            "wildcardPolicy": "None",
        },
    });
    let class = json!({
        "metadata": {
            "name": "kubevirt-csi-infra-default",
            "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
        },
        "provisioner": "csi.kubevirt.io",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    });
    vec![(ROUTE, console), (STORAGE_CLASS, class)]
}

/// The Secret by which a guest knows the password of `kubeadmin`.
pub(in super::super) fn kubeadmin() -> Value {
    json!({
        "metadata": { "name": "kubeadmin", "namespace": "kube-system", "annotations": { SIMULATED: "true" } },
        "type": "Opaque",
        "stringData": { "kubeadmin": "simulated bcrypt hash (lab)" },
    })
}
