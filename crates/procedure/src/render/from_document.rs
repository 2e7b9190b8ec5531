//! A document, as a request.

use berth_api::{GuestCluster, NodePool, PausedUntil, QosClass, Replace, ServicePublishing, ServiceType};
use serde::Serialize;
use serde_json::Value;

use super::request::{Infra, PoolRequest, Publishing, Request, Scaling, SshKey};

/// What a document asks for.
pub fn request(guest: &GuestCluster) -> Request {
    let spec = &guest.spec;
    let (plane, networking) = (&spec.control_plane, &spec.networking);
    let networks = |networks: &[berth_api::Cidr]| networks.iter().map(ToString::to_string).collect();
    let infra = spec.infra_cluster.as_ref().zip(guest.infra_kubeconfig.as_ref());
    let driver = spec.storage_driver.clone().unwrap_or_default();
    Request {
        name: guest.name.clone(),
        namespace: guest.namespace.clone(),
        labels: guest.labels.clone(),
        annotations: guest.annotations.clone(),
        infra_id: spec.infra_id.clone(),
        release_image: spec.release.image.clone(),
        base_domain: spec.base_domain.clone(),
        pull_secret: guest.pull_secret.clone(),
        ssh_key: guest.ssh_key.clone().map(|public| SshKey { public, private: None }),
        trust_bundle: guest.trust_bundle.clone(),
        image_content_sources: spec.image_content_sources.clone(),
        controller_availability: word(&plane.availability),
        infrastructure_availability: plane.infrastructure_availability.as_ref().map(word),
        etcd_storage_class: plane.etcd.storage_class.clone(),
        etcd_size: plane.etcd.size,
        node_selector: plane.node_selector.clone(),
        tolerations: plane.tolerations.clone(),
        pod_labels: plane.labels.clone(),
        kube_api_server_dns_name: plane.kube_api_server_dns_name.clone(),
        network_type: word(&networking.network_type),
        cluster_network: networks(&networking.cluster_network),
        service_network: networks(&networking.service_network),
        machine_network: networks(&networking.machine_network),
        mtu: networking.mtu,
        disable_multi_network: networking.disable_multi_network,
        allocate_node_cidrs: networking.allocate_node_cidrs,
        services: publishing(guest),
        infra: infra.map(|(infra, kubeconfig)| Infra {
            kubeconfig: kubeconfig.clone(),
            namespace: infra.namespace.clone(),
        }),
        storage_classes: driver.storage_classes,
        snapshot_classes: driver.volume_snapshot_classes,
        fips: spec.fips,
        enabled_capabilities: spec.capabilities.enabled.iter().map(word).collect(),
        disabled_capabilities: spec.capabilities.disabled.iter().map(word).collect(),
        feature_set: spec.feature_set.as_ref().map(word),
        olm_catalog_placement: spec.olm_catalog_placement.as_str().to_owned(),
        olm_disable_default_sources: spec.olm_disable_default_sources,
        paused_until: spec.paused.as_ref().map(PausedUntil::field),
        encryption_key: plane.encryption.as_ref().map(|keys| keys.active_key.clone()),
        fields: cluster_fields(guest),
        overrides: spec.overrides.hosted_cluster.clone(),
        pools: spec.node_pools.iter().map(|pool| pool_request(guest, pool)).collect(),
    }
}

/// What the schema says that the document's fields become, and what follows from one of them for others.
fn cluster_fields(guest: &GuestCluster) -> Vec<(String, Value)> {
    let mut fields = berth_api::hosted_cluster_fields(&guest.spec);
    let mut add = |path: &str, value: Value| fields.push((path.to_owned(), value));
    if guest.spec.control_plane.etcd.unmanaged.is_some() {
        add("spec.etcd.managementType", "Unmanaged".into());
        add("spec.etcd.managed", Value::Null);
    }
    fields
}

/// The NodePool is made with its name already.
fn pool_fields(pool: &NodePool) -> Vec<(String, Value)> {
    let mut fields = berth_api::node_pool_fields(pool);
    fields.retain(|(path, _)| path != "metadata.name");
    // A pace without a strategy is refused.
    if pool.replace.strategy.is_none() && pool.replace != Replace::default() {
        fields.push(("spec.management.replace.strategy".to_owned(), "RollingUpdate".into()));
    }
    fields
}

fn publishing(guest: &GuestCluster) -> Publishing {
    let services = &guest.spec.services;
    let or = |service: &Option<ServicePublishing>, kind| service.clone().unwrap_or_else(|| by(kind));
    Publishing {
        api_server: or(&services.api_server, ServiceType::LoadBalancer),
        ignition: or(&services.ignition, ServiceType::Route),
        konnectivity: or(&services.konnectivity, ServiceType::Route),
        oauth_server: or(&services.oauth_server, ServiceType::Route),
    }
}

/// A service that is reached in a way with nothing more to say.
pub(crate) fn by(kind: ServiceType) -> ServicePublishing {
    ServicePublishing {
        kind,
        hostname: None,
        address: None,
        port: None,
    }
}

fn pool_request(guest: &GuestCluster, pool: &NodePool) -> PoolRequest {
    let volume = &pool.root_volume;
    let release = pool
        .release
        .as_ref()
        .map_or(&guest.spec.release.image, |release| &release.image);
    let pool_wide = (!guest.spec.overrides.node_pool.is_empty()).then(|| guest.spec.overrides.node_pool.clone());
    let own = (!pool.overrides.is_empty()).then(|| pool.overrides.clone());
    PoolRequest {
        name: guest.node_pool_name(pool),
        scaling: match pool.autoscaling {
            Some(bounds) => Scaling::Auto {
                min: bounds.min,
                max: bounds.max,
            },
            None => Scaling::Fixed(pool.wanted()),
        },
        release_image: release.clone(),
        arch: word(&pool.arch),
        cores: pool.cores,
        memory: Some(pool.memory),
        qos_class: (pool.qos_class != QosClass::default()).then(|| word(&pool.qos_class)),
        volume_storage_class: volume.storage_class.clone(),
        volume_size: volume.size,
        volume_access_modes: volume.access_modes.iter().map(word).collect(),
        volume_mode: volume.volume_mode.as_ref().map(word),
        cache_strategy: volume.cache_strategy.as_ref().map(word),
        multiqueue: Some(if pool.network_multiqueue { "Enable" } else { "Disable" }.to_owned()),
        attach_default_network: pool.attach_default_network,
        additional_networks: pool.additional_networks.clone(),
        host_devices: pool
            .host_devices
            .iter()
            .map(|device| (device.name.clone(), device.count))
            .collect(),
        vm_node_selector: pool.node_selector.clone(),
        node_labels: pool.node_labels.clone(),
        taints: pool.taints.clone(),
        upgrade_type: word(&pool.upgrade_type),
        auto_repair: pool.auto_repair,
        drain_timeout: pool.drain_timeout.map(|timeout| timeout.to_string()),
        volume_detach_timeout: pool.volume_detach_timeout.map(|timeout| timeout.to_string()),
        config: pool.config.clone(),
        tuning_config: pool.tuning_config.clone(),
        paused_until: pool.paused.as_ref().map(PausedUntil::field),
        fields: pool_fields(pool),
        overrides: pool_wide.into_iter().chain(own).collect(),
    }
}

/// A choice of a document in upstream's spelling, which documents share.
fn word(choice: &impl Serialize) -> String {
    let value = serde_json::to_value(choice).expect("a choice is a text");
    value.as_str().expect("a choice is a text").to_owned()
}
