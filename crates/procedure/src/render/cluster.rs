//! The HostedCluster.

use berth_api::{ServicePublishing, ServiceType, StorageMapping, resources, set_field};
use serde_json::{Map, Value, json};

use super::{
    dialect::Dialect,
    request::{Request, TRUST_BUNDLE},
};
use crate::patch::merge;

/// The HostedCluster that a request asks for.
pub(super) fn render(request: &Request, dialect: Dialect) -> Value {
    let mut metadata = json!({"name": request.name, "namespace": request.namespace});
    if !request.labels.is_empty() {
        metadata["labels"] = json!(request.labels);
    }
    if !request.annotations.is_empty() {
        metadata["annotations"] = json!(request.annotations);
    }
    let mut cluster = json!({
        "apiVersion": resources::HOSTED_CLUSTER.api_version(),
        "kind": resources::HOSTED_CLUSTER.kind,
        "metadata": metadata,
        "spec": spec(request, dialect),
    });
    for (path, value) in &request.fields {
        set_field(&mut cluster, path, value.clone());
    }
    merge(&mut cluster["spec"], &Value::Object(request.overrides.clone()));
    cluster
}

fn spec(request: &Request, dialect: Dialect) -> Value {
    let mut spec = json!({
        "autoscaling": {},
        "configuration": configuration(request),
        "controllerAvailabilityPolicy": request.controller_availability,
        "dns": {"baseDomain": request.base_domain.as_deref().unwrap_or_default()},
        "etcd": {"managementType": "Managed", "managed": {"storage": etcd_storage(request)}},
        "fips": request.fips,
        "networking": networking(request),
        "olmCatalogPlacement": request.olm_catalog_placement,
        "platform": {"type": "KubeVirt", "kubevirt": platform(request)},
        "pullSecret": {"name": request.pull_secret_name()},
        "release": {"image": request.release_image},
        "secretEncryption": {"type": "aescbc", "aescbc": {"activeKey": {"name": request.etcd_key_name()}}},
        "services": services(request),
        "sshKey": {},
    });
    let capabilities = capabilities(request);
    if dialect.has_capabilities() || !capabilities.is_empty() {
        spec["capabilities"] = Value::Object(capabilities);
    }
    if request.ssh_key.is_some() {
        spec["sshKey"] = json!({"name": request.ssh_key_name()});
    }
    if request.trust_bundle.is_some() {
        spec["additionalTrustBundle"] = json!({"name": TRUST_BUNDLE});
    }
    if request.allocate_node_cidrs {
        spec["networking"]["allocateNodeCIDRs"] = "Enabled".into();
    }
    let operator = network_operator(request);
    if !operator.is_empty() {
        spec["operatorConfiguration"] = json!({"clusterNetworkOperator": operator});
    }
    put(&mut spec, "infraID", request.infra_id.as_ref());
    put(
        &mut spec,
        "infrastructureAvailabilityPolicy",
        request.infrastructure_availability.as_ref(),
    );
    put(
        &mut spec,
        "kubeAPIServerDNSName",
        request.kube_api_server_dns_name.as_ref(),
    );
    put(&mut spec, "pausedUntil", request.paused_until.as_ref());
    put(
        &mut spec,
        "nodeSelector",
        some(&request.node_selector, request.node_selector.is_empty()),
    );
    put(
        &mut spec,
        "labels",
        some(&request.pod_labels, request.pod_labels.is_empty()),
    );
    put(
        &mut spec,
        "tolerations",
        some(&request.tolerations, request.tolerations.is_empty()),
    );
    let mirrors = &request.image_content_sources;
    put(&mut spec, "imageContentSources", some(mirrors, mirrors.is_empty()));
    spec
}

fn configuration(request: &Request) -> Map<String, Value> {
    let mut configuration = Map::new();
    if request.olm_disable_default_sources {
        configuration.insert("operatorhub".to_owned(), json!({"disableAllDefaultSources": true}));
    }
    if let Some(features) = &request.feature_set {
        configuration.insert("featureGate".to_owned(), json!({"featureSet": features}));
    }
    configuration
}

fn capabilities(request: &Request) -> Map<String, Value> {
    let lists = [
        ("enabled", &request.enabled_capabilities),
        ("disabled", &request.disabled_capabilities),
    ];
    lists
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| (name.to_owned(), json!(list)))
        .collect()
}

fn etcd_storage(request: &Request) -> Value {
    let mut volume = json!({"size": request.etcd_size});
    put(&mut volume, "storageClassName", request.etcd_storage_class.as_ref());
    json!({"type": "PersistentVolume", "persistentVolume": volume})
}

fn networking(request: &Request) -> Value {
    let entries = |networks: &[String]| {
        networks
            .iter()
            .map(|network| json!({"cidr": network}))
            .collect::<Vec<_>>()
    };
    let mut networking = json!({
        "clusterNetwork": entries(&request.cluster_network),
        "networkType": request.network_type,
        "serviceNetwork": entries(&request.service_network),
    });
    if !request.machine_network.is_empty() {
        networking["machineNetwork"] = entries(&request.machine_network).into();
    }
    networking
}

fn network_operator(request: &Request) -> Map<String, Value> {
    let mut operator = Map::new();
    if request.disable_multi_network {
        operator.insert("disableMultiNetwork".to_owned(), true.into());
    }
    if let Some(mtu) = request.mtu {
        operator.insert("ovnKubernetesConfig".to_owned(), json!({"mtu": mtu}));
    }
    operator
}

fn platform(request: &Request) -> Value {
    let mut platform = json!({});
    if request.base_domain.is_none() {
        platform["baseDomainPassthrough"] = true.into();
    }
    if let Some(infra) = &request.infra {
        let secret = json!({"name": request.infra_credentials_name(), "key": "kubeconfig"});
        platform["credentials"] = json!({"infraNamespace": infra.namespace, "infraKubeConfigSecret": secret});
    }
    let mut manual = Map::new();
    let kinds = [
        ("storageClassMapping", "StorageClassName", &request.storage_classes),
        (
            "volumeSnapshotClassMapping",
            "VolumeSnapshotClassName",
            &request.snapshot_classes,
        ),
    ];
    for (field, suffix, mappings) in kinds {
        if !mappings.is_empty() {
            manual.insert(
                field.to_owned(),
                mappings.iter().map(|entry| mapping(entry, suffix)).collect(),
            );
        }
    }
    if !manual.is_empty() {
        platform["storageDriver"] = json!({"type": "Manual", "manual": manual});
    }
    platform
}

fn mapping(entry: &StorageMapping, suffix: &str) -> Value {
    let mut mapping = Map::new();
    mapping.insert(format!("infra{suffix}"), entry.infra.clone().into());
    mapping.insert(format!("guest{suffix}"), entry.guest.clone().into());
    if let Some(group) = &entry.group {
        mapping.insert("group".to_owned(), group.clone().into());
    }
    Value::Object(mapping)
}

fn services(request: &Request) -> Vec<Value> {
    let services = &request.services;
    [
        ("APIServer", &services.api_server),
        ("Ignition", &services.ignition),
        ("Konnectivity", &services.konnectivity),
        ("OAuthServer", &services.oauth_server),
    ]
    .into_iter()
    .map(|(name, publishing)| json!({"service": name, "servicePublishingStrategy": strategy(publishing)}))
    .collect()
}

fn strategy(publishing: &ServicePublishing) -> Value {
    let mut strategy = json!({"type": publishing.kind});
    let hostname = publishing
        .hostname
        .as_ref()
        .map(|hostname| json!({"hostname": hostname}));
    match publishing.kind {
        ServiceType::LoadBalancer => put(&mut strategy, "loadBalancer", hostname),
        ServiceType::Route => put(&mut strategy, "route", hostname),
        ServiceType::NodePort => {
            let mut node_port = json!({"address": publishing.address.as_deref().unwrap_or_default()});
            put(&mut node_port, "port", publishing.port);
            strategy["nodePort"] = node_port;
        }
    }
    strategy
}

/// A value to write, unless it is empty.
pub(super) fn some<T>(value: T, empty: bool) -> Option<T> {
    (!empty).then_some(value)
}

/// Writes a field if there is a value for it.
pub(super) fn put(object: &mut Value, field: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        object[field] = json!(value);
    }
}
