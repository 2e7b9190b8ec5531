//! Whether the networks of a hosted cluster overlap one another. The operator asks no more of them than that: in this
//! generation the server accepts any, and nothing compares them with the management cluster's.

use std::net::IpAddr;

use serde_json::Value;

/// A network, as first and last address. Addresses of the two families never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    is_v6: bool,
    first: u128,
    last: u128,
}

/// The first thing wrong with the networks of a HostedCluster, as the operator words it.
pub(super) fn problem(networking: &Value) -> Option<String> {
    let mut seen: Vec<(&str, &str, Network)> = Vec::new();
    for (field, path) in [
        ("clusterNetwork", "ClusterNetwork"),
        ("serviceNetwork", "ServiceNetwork"),
        ("machineNetwork", "MachineNetwork"),
    ] {
        for text in cidrs(networking, field) {
            let Some(network) = Network::parse(text) else {
                return Some(format!(
                    "spec.networking.{path}: Invalid value: {text:?}: invalid CIDR address: {text}"
                ));
            };
            if let Some((other_path, other, _)) = seen.iter().find(|(_, _, other)| network.overlaps(*other)) {
                return Some(format!(
                    "spec.networking.{path}: Invalid value: {text:?}: spec.networking.{other_path} and \
                     spec.networking.{path} overlap: {other} and {text}"
                ));
            }
            seen.push((path, text, network));
        }
    }
    None
}

/// The CIDRs of a list under `spec.networking`.
pub(super) fn cidrs<'a>(networking: &'a Value, field: &str) -> impl Iterator<Item = &'a str> {
    networking[field]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["cidr"].as_str())
}

// === impl Network ===

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let length: u32 = length.parse().ok()?;
        let (is_v6, bits, width) = match address.parse().ok()? {
            IpAddr::V4(address) => (false, u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (true, address.to_bits(), 128),
        };
        let host_bits = u32::checked_sub(width, length)?;
        let mask = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |size| size - 1);
        Some(Self {
            is_v6,
            first: bits & !mask,
            last: bits | mask,
        })
    }

    fn overlaps(self, other: Self) -> bool {
        self.is_v6 == other.is_v6 && self.first <= other.last && other.first <= self.last
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(cluster: &str, service: &str) -> Option<String> {
        problem(&json!({ "clusterNetwork": [{ "cidr": cluster }], "serviceNetwork": [{ "cidr": service }] }))
    }

    #[test]
    fn overlap_is_found_whatever_the_spelling() {
        assert_eq!(check("10.132.0.0/14", "172.31.0.0/16"), None);
        assert!(check("10.132.0.0/14", "10.132.0.0/14").unwrap().contains("overlap"));
        assert!(check("10.132.0.0/14", "10.135.4.0/24").unwrap().contains("overlap"));
        assert_eq!(check("10.132.0.0/14", "10.136.0.0/14"), None);
        assert_eq!(check("0.0.0.0/0", "fd00::/8"), None);
    }

    #[test]
    fn what_is_no_cidr_is_refused() {
        for text in ["10.0.0.0", "10.0.0.0/33", "ten/8", "10.0.0.0/"] {
            assert!(check(text, "172.31.0.0/16").unwrap().contains("invalid CIDR"), "{text}");
        }
    }
}
