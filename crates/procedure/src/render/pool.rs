//! The NodePool.

use berth_api::{resources, set_field};
use serde_json::{Map, Value, json};

use super::{
    cluster::{put, some},
    request::{PoolRequest, Request, Scaling},
};
use crate::patch::merge;

/// An annotation that a pool takes over from its cluster.
const RHCOS_VARIANTS: &str = "hypershift.openshift.io/allow-unsupported-kubevirt-rhcos-variants";

/// The annotations that a cluster's pools take over from it.
pub(super) fn annotations(request: &Request) -> Option<Value> {
    let value = request
        .annotations
        .get(RHCOS_VARIANTS)
        .filter(|value| !value.is_empty())?;
    Some(json!({RHCOS_VARIANTS: value}))
}

/// The NodePool that is asked for.
pub(super) fn render(namespace: &str, cluster: &str, annotations: Option<Value>, pool: &PoolRequest) -> Value {
    let mut metadata = json!({"name": pool.name, "namespace": namespace});
    put(&mut metadata, "annotations", annotations);
    let mut rendered = json!({
        "apiVersion": resources::NODE_POOL.api_version(),
        "kind": resources::NODE_POOL.kind,
        "metadata": metadata,
        "spec": spec(cluster, pool),
    });
    for (path, value) in &pool.fields {
        set_field(&mut rendered, path, value.clone());
    }
    for overrides in &pool.overrides {
        merge(&mut rendered["spec"], &Value::Object(overrides.clone()));
    }
    rendered
}

fn spec(cluster: &str, pool: &PoolRequest) -> Value {
    let mut spec = json!({
        "arch": pool.arch,
        "clusterName": cluster,
        "management": {"autoRepair": pool.auto_repair, "upgradeType": pool.upgrade_type},
        "platform": {"type": "KubeVirt", "kubevirt": platform(pool)},
        "release": {"image": pool.release_image},
    });
    match pool.scaling {
        Scaling::Fixed(replicas) => spec["replicas"] = replicas.into(),
        Scaling::Auto { min, max } => spec["autoScaling"] = json!({"min": min, "max": max}),
    }
    let names = |names: &[String]| names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
    put(&mut spec, "nodeDrainTimeout", pool.drain_timeout.as_ref());
    put(
        &mut spec,
        "nodeVolumeDetachTimeout",
        pool.volume_detach_timeout.as_ref(),
    );
    put(&mut spec, "pausedUntil", pool.paused_until.as_ref());
    put(
        &mut spec,
        "nodeLabels",
        some(&pool.node_labels, pool.node_labels.is_empty()),
    );
    put(&mut spec, "taints", some(&pool.taints, pool.taints.is_empty()));
    put(&mut spec, "config", some(names(&pool.config), pool.config.is_empty()));
    put(
        &mut spec,
        "tuningConfig",
        some(names(&pool.tuning_config), pool.tuning_config.is_empty()),
    );
    spec
}

fn platform(pool: &PoolRequest) -> Value {
    let mut compute = json!({"cores": pool.cores});
    put(&mut compute, "memory", pool.memory);
    put(&mut compute, "qosClass", pool.qos_class.as_ref());
    let mut platform = json!({
        "attachDefaultNetwork": pool.attach_default_network,
        "compute": compute,
        "rootVolume": root_volume(pool),
    });
    let networks: Vec<Value> = pool
        .additional_networks
        .iter()
        .map(|name| json!({"name": name}))
        .collect();
    let devices: Vec<Value> = pool
        .host_devices
        .iter()
        .map(|(name, count)| json!({"deviceName": name, "count": count}))
        .collect();
    put(&mut platform, "networkInterfaceMultiqueue", pool.multiqueue.as_ref());
    put(
        &mut platform,
        "additionalNetworks",
        some(&networks, networks.is_empty()),
    );
    put(&mut platform, "hostDevices", some(&devices, devices.is_empty()));
    put(
        &mut platform,
        "nodeSelector",
        some(&pool.vm_node_selector, pool.vm_node_selector.is_empty()),
    );
    platform
}

fn root_volume(pool: &PoolRequest) -> Value {
    let mut persistent = json!({"size": pool.volume_size});
    let modes = &pool.volume_access_modes;
    put(&mut persistent, "storageClass", pool.volume_storage_class.as_ref());
    put(&mut persistent, "accessModes", some(modes, modes.is_empty()));
    put(&mut persistent, "volumeMode", pool.volume_mode.as_ref());
    let mut volume = Map::new();
    volume.insert("type".to_owned(), "Persistent".into());
    volume.insert("persistent".to_owned(), persistent);
    if let Some(strategy) = &pool.cache_strategy {
        volume.insert("cacheStrategy".to_owned(), json!({"type": strategy}));
    }
    Value::Object(volume)
}
