//! The checks that concern no other flag's meaning: name, processors, features, network options, pause.

use berth_api::{check_label, check_subdomain};

use super::super::{HcpError, flags::Values};
use crate::render::Dialect;

const LABEL_RULE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
    '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
/// Sorted, as `hcp` lists them.
const CAPABILITIES: [&str; 7] = [
    "Console",
    "ImageRegistry",
    "Ingress",
    "Insights",
    "NodeTuning",
    "baremetal",
    "openshift-samples",
];

/// The cluster's name, with the checks that come before all others.
pub(super) fn name(flags: &Values, wait: bool, dialect: Dialect) -> Result<String, HcpError> {
    let name = match flags.some("name") {
        Some(name) => name,
        None if dialect.requires_name() => return Err(HcpError::new("--name is required")),
        None => "example".to_owned(),
    };
    if dialect.requires_name() && flags.some("pull-secret").is_none() {
        return Err(HcpError::new("--pull-secret is required"));
    }
    if wait && flags.number::<i32>("node-pool-replicas") < 1 {
        return Err(HcpError::new("--wait requires --node-pool-replicas > 0"));
    }
    if check_label(&name).is_err() {
        let mut why = Vec::new();
        if name.len() > 63 {
            why.push("must be no more than 63 characters");
        }
        if check_label(&name.chars().take(63).collect::<String>()).is_err() {
            why.push(LABEL_RULE);
        }
        return Err(HcpError::new(format!(
            "HostedCluster name failed RFC1123 validation: {}",
            why.join(" ")
        )));
    }
    Ok(name)
}

pub(super) fn arch(flags: &Values) -> Result<(), HcpError> {
    let arch = flags.text("arch");
    match arch.to_lowercase().as_str() {
        "amd64" | "arm64" | "ppc64le" | "s390x" => Ok(()),
        _ => Err(HcpError::new(format!("specified arch \"{arch}\" is not supported"))),
    }
}

pub(super) fn features(flags: &Values) -> Result<(), HcpError> {
    match flags.text("feature-set").as_str() {
        "" | "TechPreviewNoUpgrade" | "DevPreviewNoUpgrade" => {}
        "CustomNoUpgrade" => {
            return Err(HcpError::new(
                "only a predefined feature set is supported by the feature-set flag",
            ));
        }
        other => {
            return Err(HcpError::new(format!(
                "specified feature set \"{other}\" is not supported"
            )));
        }
    }
    let disabled = flags.list("disable-cluster-capabilities");
    for (word, names) in [
        ("enabled", &flags.list("enable-cluster-capabilities")),
        ("disabled", &disabled),
    ] {
        if let Some(unknown) = names.iter().find(|name| !CAPABILITIES.contains(&name.as_str())) {
            let accepted = CAPABILITIES.join(", ");
            return Err(HcpError::new(format!(
                "unknown {word} capability: {unknown}, accepted values are: [{accepted}]"
            )));
        }
    }
    let goes = |name: &str| disabled.iter().any(|gone| gone == name);
    if goes("Ingress") && !goes("Console") {
        return Err(HcpError::new(
            "ingress capability can only be disabled if Console capability is also disabled",
        ));
    }
    match flags.some("kas-dns-name") {
        Some(name) if check_subdomain(&name).is_err() => Err(HcpError::new(format!(
            "KubeAPIServerDNSName failed DNS validation: {SUBDOMAIN_RULE}"
        ))),
        _ => Ok(()),
    }
}

pub(super) fn network_options(flags: &Values) -> Result<(), HcpError> {
    let network_type = flags.text("network-type");
    let only_other = |flag: &str, word: &str| {
        if flags.is_set(flag) && network_type != "Other" {
            let message = format!("{word} is only allowed when networkType is 'Other' (got '{network_type}')");
            return Err(HcpError::new(message));
        }
        Ok(())
    };
    only_other("disable-multi-network", "disableMultiNetwork")?;
    if flags.was_given("ovn-kubernetes-mtu") {
        let mtu: i32 = flags.number("ovn-kubernetes-mtu");
        if mtu != 0 && network_type != "OVNKubernetes" {
            return Err(HcpError::new(format!(
                "--ovn-kubernetes-mtu is only valid when --network-type is OVNKubernetes (got '{network_type}')"
            )));
        }
        if mtu != 0 && !(576..=9216).contains(&mtu) {
            return Err(HcpError::new(format!(
                "--ovn-kubernetes-mtu must be between 576 and 9216 (got {mtu})"
            )));
        }
    }
    only_other("allocate-node-cidrs", "allocateNodeCIDRs")
}

pub(super) fn paused_until(flags: &Values) -> Result<(), HcpError> {
    match flags.some("pausedUntil") {
        Some(until) if until != "true" && until.parse::<jiff::Timestamp>().is_err() => Err(HcpError::new(format!(
            "invalid pausedUntil value, should be \"true\" or a valid RFC3339 date format: parsing time \"{until}\" as \
             \"2006-01-02T15:04:05Z07:00\": cannot parse \"{until}\" as \"2006\""
        ))),
        _ => Ok(()),
    }
}
