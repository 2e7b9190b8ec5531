//! The node pool that `create cluster` makes along with the cluster.

use std::collections::BTreeMap;

use berth_api::Quantity;

use super::{
    super::{
        HcpError,
        flags::Values,
        grammar::{additional_network, host_device},
    },
    QUANTITY_RULE,
};
use crate::render::{PoolRequest, Scaling};

/// The one pool of `create cluster`, which has the cluster's name; none where its replicas are negative.
pub(super) fn pool(flags: &Values, name: &str) -> Result<Option<PoolRequest>, HcpError> {
    let cores = flags.number("cores");
    if cores < 1 {
        let message = "the number of cores inside the machine must be a value greater than or equal to 1";
        return Err(HcpError::new(message));
    }
    let volume_size = flags.number("root-volume-size");
    if volume_size < 16 {
        return Err(HcpError::new(format!(
            "the root volume size [{volume_size}] must be greater than or equal to 16"
        )));
    }
    let memory = flags.some("memory").map(|text| {
        text.parse::<Quantity>()
            .map_err(|_| HcpError::new(format!("invalid memory quantity \"{text}\": {QUANTITY_RULE}")))
    });
    let memory = memory.transpose()?;
    let volume_mode = one_of(flags, "root-volume-volume-mode", &["Filesystem", "Block"], || {
        "unsupported value for the --root-volume-volume-mode parameter. May be only \"Filesystem\" or \"Block\""
            .to_owned()
    })?;
    let cache_strategy = one_of(flags, "root-volume-cache-strategy", &["None", "PVC"], || {
        "wrong value for the --root-volume-cache-strategy parameter. May be only \"None\" or \"PVC\"".to_owned()
    })?;
    let networks_given = flags.was_given("additional-network");
    let attach_default_network = flags.is_set("attach-default-network");
    if !attach_default_network && !networks_given {
        return Err(HcpError::new(
            "missing --additional-network. when --attach-default-network is false configuring an additional network is \
             mandatory",
        ));
    }
    let Completed {
        multiqueue,
        qos_class,
        additional_networks,
        host_devices,
    } = complete(flags)
        .map_err(|error| HcpError::new(format!("could not complete platform specific options: {error}")))?;
    let Ok(replicas) = u32::try_from(flags.number::<i32>("node-pool-replicas")) else {
        return Ok(None);
    };
    let modes = flags.text("root-volume-access-modes");
    Ok(Some(PoolRequest {
        name: name.to_owned(),
        scaling: Scaling::Fixed(replicas),
        release_image: flags.text("release-image"),
        arch: flags.text("arch"),
        cores,
        memory,
        qos_class,
        volume_storage_class: flags.some("root-volume-storage-class"),
        volume_size: Quantity::gibibytes(volume_size),
        volume_access_modes: modes
            .split(',')
            .filter(|_| !modes.is_empty())
            .map(str::to_owned)
            .collect(),
        volume_mode,
        cache_strategy,
        multiqueue,
        attach_default_network,
        additional_networks,
        host_devices,
        vm_node_selector: flags.map("vm-node-selector"),
        node_labels: BTreeMap::new(),
        taints: Vec::new(),
        upgrade_type: flags.some("node-upgrade-type").unwrap_or_else(|| "Replace".to_owned()),
        auto_repair: flags.is_set("auto-repair"),
        drain_timeout: Some(flags.text("node-drain-timeout")),
        volume_detach_timeout: Some(flags.text("node-volume-detach-timeout")),
        config: Vec::new(),
        tuning_config: Vec::new(),
        paused_until: flags.some("pausedUntil"),
        fields: Vec::new(),
        overrides: Vec::new(),
    }))
}

/// What `hcp` checks in a later round than the rest, with a prefix to its errors.
struct Completed {
    multiqueue: Option<String>,
    qos_class: Option<String>,
    additional_networks: Vec<String>,
    host_devices: Vec<(String, u32)>,
}

fn complete(flags: &Values) -> Result<Completed, HcpError> {
    let multiqueue = one_of(flags, "network-multiqueue", &["Enable", "Disable"], || {
        "wrong value for the --network-multiqueue parameter. Supported values are \"Enable\" or \"Disable\"".to_owned()
    })?;
    let qos_class = one_of(flags, "qos-class", &["Burstable", "Guaranteed"], || {
        "wrong value for the --qos-class parameter. Supported values are \"Burstable\" are \"Guaranteed\"".to_owned()
    })?;
    let texts = |flag: &str| flags.list(flag);
    Ok(Completed {
        // `hcp` writes neither `Disable` nor `Burstable`: the server's defaults stand.
        multiqueue: multiqueue.filter(|value| value == "Enable"),
        qos_class: qos_class.filter(|value| value == "Guaranteed"),
        additional_networks: texts("additional-network")
            .iter()
            .map(|text| additional_network(text))
            .collect::<Result<_, _>>()?,
        host_devices: texts("host-device-name")
            .iter()
            .map(|text| host_device(text))
            .collect::<Result<_, _>>()?,
    })
}

fn one_of(
    flags: &Values,
    flag: &str,
    choices: &[&str],
    message: impl Fn() -> String,
) -> Result<Option<String>, HcpError> {
    match flags.some(flag) {
        Some(value) if !choices.contains(&value.as_str()) => Err(HcpError::new(message())),
        value => Ok(value),
    }
}
