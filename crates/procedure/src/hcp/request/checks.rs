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
    let name = match flags.was_given("name").then(|| flags.text("name")) {
        None if !dialect.requires_name() => "example".to_owned(),
        name => name.unwrap_or_default(),
    };
    if dialect.requires_name() && name.is_empty() {
        return Err(HcpError::new("--name is required"));
    }
    if dialect.requires_name() && flags.some("pull-secret").is_none() {
        return Err(HcpError::new("--pull-secret is required"));
    }
    if wait && flags.number::<i32>("node-pool-replicas") < 1 {
        return Err(HcpError::new("--wait requires --node-pool-replicas > 0"));
    }
    if check_label(&name).is_err() {
        let too_long = (name.len() > 63).then_some("must be no more than 63 characters");
        let spelt = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_label = name.starts_with(spelt) && name.ends_with(spelt) && name.chars().all(|c| spelt(c) || c == '-');
        let misspelt = if is_label {
            None
        } else if check_subdomain(&name).is_ok() {
            Some("must not contain dots")
        } else {
            Some(LABEL_RULE)
        };
        let why: Vec<&str> = too_long.into_iter().chain(misspelt).collect();
        let why = why.join(" ");
        return Err(HcpError::new(format!(
            "HostedCluster name failed RFC1123 validation: {why}"
        )));
    }
    Ok(name)
}

pub(super) fn arch(flags: &Values, dialect: Dialect) -> Result<(), HcpError> {
    let arch = flags.text("arch");
    match arch.to_lowercase().as_str() {
        "amd64" | "arm64" | "ppc64le" => Ok(()),
        "s390x" if dialect == Dialect::Current => Ok(()),
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
        ("disabled", &disabled),
        ("enabled", &flags.list("enable-cluster-capabilities")),
    ] {
        if let Some(unknown) = names.iter().find(|name| !CAPABILITIES.contains(&name.as_str())) {
            let accepted = CAPABILITIES.join(" ");
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
    only_other("allocate-node-cidrs", "allocateNodeCIDRs")
}

pub(super) fn paused_until(flags: &Values) -> Result<(), HcpError> {
    match flags.some("pausedUntil") {
        Some(until) if until != "true" && !is_rfc3339(&until) => Err(HcpError::new(format!(
            "invalid pausedUntil value, should be \"true\" or a valid RFC3339 date format: parsing time \"{until}\" as \
             \"2006-01-02T15:04:05Z07:00\": cannot parse \"{until}\" as \"2006\""
        ))),
        _ => Ok(()),
    }
}

/// Whether Go reads a text as a time in RFC 3339, which is narrower than what others take for one.
fn is_rfc3339(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                _ => byte == wanted,
            })
    };
    let Some((head, rest)) = text.split_at_checked(19) else {
        return false;
    };
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            if !digits(&fraction[..end]) {
                return false;
            }
            &fraction[end..]
        }
    };
    let zoned = zone == "Z" || shaped(zone, "+00:00") || shaped(zone, "-00:00");
    shaped(head, "0000-00-00T00:00:00") && zoned && text.parse::<jiff::Timestamp>().is_ok()
}
