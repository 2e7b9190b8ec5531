//! Chooses an address out of address pools. Pure.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use serde_json::Value;

use crate::client::name_of;

/// What a Service asks for besides an address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Request<'a> {
    pub(super) pool: Option<&'a str>,
    pub(super) address: Option<&'a str>,
}

/// The address and the pool that it is from, or why there is none, in MetalLB's words.
pub(super) fn choose<'a>(
    pools: &'a [Value],
    taken: &BTreeSet<Ipv4Addr>,
    request: &Request<'_>,
) -> Result<(Ipv4Addr, &'a str), String> {
    let wanted = match request.address {
        Some(text) => Some(
            text.parse::<Ipv4Addr>()
                .map_err(|_| format!("invalid address \"{text}\""))?,
        ),
        None => None,
    };
    if let Some(name) = request.pool
        && !pools.iter().any(|pool| name_of(pool) == name)
    {
        return Err(format!("unknown pool \"{name}\""));
    }
    let asked_for = |pool: &&Value| match request.pool {
        Some(name) => name_of(pool) == name,
        None => wanted.is_some() || pool["spec"]["autoAssign"] != false,
    };
    for pool in pools.iter().filter(asked_for) {
        for range in ranges(pool) {
            let mut addresses = range.map(Ipv4Addr::from);
            let free = |address: &Ipv4Addr| {
                wanted.is_none_or(|wanted| wanted == *address) && !taken.contains(address) && usable(pool, *address)
            };
            if let Some(address) = addresses.find(free) {
                return Ok((address, name_of(pool)));
            }
        }
    }
    Err(match wanted {
        Some(address) => format!("[\"{address}\"] is not allowed in config"),
        None => "no available IPs".to_owned(),
    })
}

/// Addresses that end in 0 or 255 are avoided where the pool says so.
fn usable(pool: &Value, address: Ipv4Addr) -> bool {
    let last = address.octets()[3];
    pool["spec"]["avoidBuggyIPs"] != true || (last != 0 && last != 255)
}

/// The ranges of a pool: `a.b.c.d/n` or `from-to`. What cannot be read has no addresses.
fn ranges(pool: &Value) -> impl Iterator<Item = RangeInclusive<u32>> {
    let texts = pool["spec"]["addresses"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    texts.iter().filter_map(|text| range(text.as_str()?))
}

fn range(text: &str) -> Option<RangeInclusive<u32>> {
    if let Some((from, to)) = text.split_once('-') {
        let (from, to) = (
            from.trim().parse::<Ipv4Addr>().ok()?,
            to.trim().parse::<Ipv4Addr>().ok()?,
        );
        return Some(u32::from(from)..=u32::from(to));
    }
    let (network, bits) = text.split_once('/')?;
    let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
    let host = u32::MAX.checked_shr(bits).unwrap_or(0);
    let first = u32::from(network.parse::<Ipv4Addr>().ok()?) & !host;
    Some(first..=first | host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pool(name: &str, addresses: &str) -> Value {
        json!({ "metadata": { "name": name }, "spec": { "addresses": [addresses], "avoidBuggyIPs": true } })
    }

    #[track_caller]
    fn check(pools: &[Value], taken: &[&str], request: &Request<'_>, expected: Result<&str, &str>) {
        let taken = taken.iter().map(|address| address.parse().unwrap()).collect();
        let chosen = choose(pools, &taken, request).map(|(address, pool)| format!("{pool} {address}"));
        assert_eq!(chosen.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn takes_the_first_free_address_and_says_when_there_is_none() {
        let pools = [pool("a", "10.0.0.0/31"), pool("b", "10.0.1.7-10.0.1.8")];
        check(&pools, &[], &Request::default(), Ok("a 10.0.0.1"));
        check(&pools, &["10.0.0.1"], &Request::default(), Ok("b 10.0.1.7"));
        check(
            &pools,
            &["10.0.0.1", "10.0.1.7", "10.0.1.8"],
            &Request::default(),
            Err("no available IPs"),
        );
        check(&[], &[], &Request::default(), Err("no available IPs"));
        check(
            &pools,
            &[],
            &Request {
                pool: Some("b"),
                address: None,
            },
            Ok("b 10.0.1.7"),
        );
        check(
            &pools,
            &[],
            &Request {
                pool: Some("c"),
                address: None,
            },
            Err("unknown pool \"c\""),
        );
        check(
            &pools,
            &[],
            &Request {
                pool: None,
                address: Some("10.0.1.8"),
            },
            Ok("b 10.0.1.8"),
        );
        let outside = Request {
            pool: None,
            address: Some("10.9.9.9"),
        };
        check(&pools, &[], &outside, Err("[\"10.9.9.9\"] is not allowed in config"));
    }
}
