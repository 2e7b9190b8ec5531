//! The flags about virtual machines, which `create cluster` and `create nodepool` share, and the pool that they make.
//!
//! `hcp` checks them in two rounds: [`Shape::checked`], then [`Shape::completed`].

use std::collections::BTreeMap;

use berth_api::Quantity;

use super::{
    super::{
        HcpError,
        flags::Values,
        grammar::{additional_network, host_device},
    },
    quantity,
};
use crate::render::{PoolRequest, Scaling};

/// What the first round checks.
#[derive(Debug)]
pub(in crate::hcp) struct Shape {
    cores: u32,
    memory: Option<Quantity>,
    volume_size: u32,
    volume_mode: Option<String>,
    cache_strategy: Option<String>,
    attach_default_network: bool,
}

/// What the second round checks.
#[derive(Debug)]
pub(in crate::hcp) struct Completed {
    multiqueue: Option<String>,
    qos_class: Option<String>,
    additional_networks: Vec<String>,
    host_devices: Vec<(String, u32)>,
}

// === impl Shape ===

impl Shape {
    /// The first round.
    pub(in crate::hcp) fn checked(flags: &Values) -> Result<Self, HcpError> {
        let cache_strategy = one_of(flags, "root-volume-cache-strategy", &["None", "PVC"], || {
            "wrong value for the --root-volume-cache-strategy parameter. May be only \"None\" or \"PVC\"".to_owned()
        })?;
        let volume_mode = one_of(flags, "root-volume-volume-mode", &["Filesystem", "Block"], || {
            "unsupported value for the --root-volume-volume-mode parameter. May be only \"Filesystem\" or \"Block\""
                .to_owned()
        })?;
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
            quantity(&text).map_err(|why| HcpError::new(format!("invalid memory quantity \"{text}\": {why}")))
        });
        let memory = memory.transpose()?;
        let attach_default_network = flags.is_set("attach-default-network");
        if !attach_default_network && flags.list("additional-network").is_empty() {
            return Err(HcpError::new(
                "missing --additional-network. when --attach-default-network is false configuring an additional network is \
                 mandatory",
            ));
        }
        Ok(Self {
            cores,
            memory,
            volume_size,
            volume_mode,
            cache_strategy,
            attach_default_network,
        })
    }

    /// The second round, whose errors `create cluster` puts words before.
    #[expect(clippy::unused_self, reason = "the second round comes after the first")]
    pub(in crate::hcp) fn completed(&self, flags: &Values) -> Result<Completed, HcpError> {
        let multiqueue = one_of(flags, "network-multiqueue", &["Enable", "Disable"], || {
            "wrong value for the --network-multiqueue parameter. Supported values are \"Enable\" or \"Disable\""
                .to_owned()
        })?;
        let qos_class = one_of(flags, "qos-class", &["Burstable", "Guaranteed"], || {
            "wrong value for the --qos-class parameter. Supported values are \"Burstable\" are \"Guaranteed\""
                .to_owned()
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
                .filter_map(|text| host_device(text).transpose())
                .collect::<Result<_, _>>()?,
        })
    }
}

/// The pool that the flags make, as `create nodepool` has it, without replicas and release image.
pub(in crate::hcp) fn pool(flags: &Values, name: &str, completed: Completed, shape: Shape) -> PoolRequest {
    let modes = flags.text("root-volume-access-modes");
    PoolRequest {
        name: name.to_owned(),
        scaling: Scaling::Fixed(0),
        release_image: String::new(),
        arch: flags.text("arch"),
        cores: shape.cores,
        memory: shape.memory,
        qos_class: completed.qos_class,
        volume_storage_class: flags.some("root-volume-storage-class"),
        volume_size: Quantity::gibibytes(shape.volume_size),
        volume_access_modes: modes
            .split(',')
            .filter(|_| !modes.is_empty())
            .map(str::to_owned)
            .collect(),
        volume_mode: shape.volume_mode,
        cache_strategy: shape.cache_strategy,
        multiqueue: completed.multiqueue,
        attach_default_network: shape.attach_default_network,
        additional_networks: completed.additional_networks,
        host_devices: completed.host_devices,
        vm_node_selector: flags.map("vm-node-selector"),
        node_labels: BTreeMap::new(),
        taints: Vec::new(),
        upgrade_type: flags.some("node-upgrade-type").unwrap_or_else(|| "Replace".to_owned()),
        auto_repair: flags.is_set("auto-repair"),
        drain_timeout: None,
        volume_detach_timeout: None,
        config: Vec::new(),
        tuning_config: Vec::new(),
        paused_until: None,
        fields: Vec::new(),
        overrides: Vec::new(),
    }
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
