//! IP addresses and ranges of them.

use std::net::{IpAddr, Ipv4Addr};

use cel::{
    DeclarationError, Env, ExecutionError, add_member_overload, add_overload,
    common::types::{CelBool, CelInt, CelString},
};
use ipnet::IpNet;

use super::{failed, opaque};

#[derive(Debug, Clone, PartialEq)]
struct Ip(IpAddr);

opaque!(Ip, "net.IP");

#[derive(Debug, Clone, PartialEq)]
struct Cidr(IpNet);

opaque!(Cidr, "net.CIDR");

pub(super) fn add(env: &mut Env) -> Result<(), DeclarationError> {
    add_overload!(env, fn ip: (CelString) -> Result<Ip>)?;
    add_overload!(env, fn is_ip: (CelString) -> CelBool, name = "isIP")?;
    add_overload!(env, fn is_canonical: (CelString) -> Result<CelBool>, name = "ip.isCanonical")?;
    add_overload!(env, fn ip_text: (Ip) -> CelString, name = "string")?;
    add_member_overload!(env, fn family: (Ip) -> CelInt)?;
    add_member_overload!(env, fn is_unspecified: (Ip) -> CelBool)?;
    add_member_overload!(env, fn is_loopback: (Ip) -> CelBool)?;
    add_member_overload!(env, fn is_link_local_multicast: (Ip) -> CelBool)?;
    add_member_overload!(env, fn is_link_local_unicast: (Ip) -> CelBool)?;
    add_member_overload!(env, fn is_global_unicast: (Ip) -> CelBool)?;
    add_overload!(env, fn cidr: (CelString) -> Result<Cidr>)?;
    add_overload!(env, fn is_cidr: (CelString) -> CelBool, name = "isCIDR")?;
    add_overload!(env, fn cidr_text: (Cidr) -> CelString, name = "string")?;
    add_member_overload!(env, fn contains_ip: (Cidr, Ip) -> CelBool, name = "containsIP")?;
    add_member_overload!(env, fn contains_ip_text: (Cidr, CelString) -> Result<CelBool>, name = "containsIP")?;
    add_member_overload!(env, fn contains_cidr: (Cidr, Cidr) -> CelBool, name = "containsCIDR")?;
    add_member_overload!(env, fn contains_cidr_text: (Cidr, CelString) -> Result<CelBool>, name = "containsCIDR")?;
    add_member_overload!(env, fn address: (Cidr) -> Ip, name = "ip")?;
    add_member_overload!(env, fn masked: (Cidr) -> Cidr)?;
    add_member_overload!(env, fn prefix_length: (Cidr) -> CelInt)
}

fn parse_ip(text: &str) -> Result<IpAddr, ExecutionError> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            Err(failed(format!("IPv4-mapped IPv6 address {text:?} is not allowed")))
        }
        Ok(address) => Ok(address),
        Err(_) => Err(failed(format!(
            "IP Address {text:?} parse error during conversion from string: ParseAddr({text:?}): unable to parse IP"
        ))),
    }
}

fn parse_cidr(text: &str) -> Result<IpNet, ExecutionError> {
    match text.parse::<IpNet>() {
        Ok(IpNet::V6(range)) if range.addr().to_ipv4_mapped().is_some() => {
            Err(failed(format!("IPv4-mapped IPv6 address {text:?} is not allowed")))
        }
        Ok(range) => Ok(range),
        Err(_) => Err(failed(format!(
            "network address parse error during conversion from string: netip.ParsePrefix({text:?}): no '/'"
        ))),
    }
}

fn ip(text: &CelString<'_>) -> Result<Ip, ExecutionError> {
    parse_ip(text.inner()).map(Ip)
}

fn is_ip(text: &CelString<'_>) -> CelBool {
    parse_ip(text.inner()).is_ok().into()
}

fn is_canonical(text: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    Ok((parse_ip(text.inner())?.to_string() == text.inner()).into())
}

fn ip_text(Ip(address): &Ip) -> CelString<'static> {
    CelString::from(address.to_string())
}

fn family(Ip(address): &Ip) -> CelInt {
    CelInt::from(if address.is_ipv4() { 4 } else { 6 })
}

fn is_unspecified(Ip(address): &Ip) -> CelBool {
    address.is_unspecified().into()
}

fn is_loopback(Ip(address): &Ip) -> CelBool {
    address.is_loopback().into()
}

fn is_link_local_multicast(Ip(address): &Ip) -> CelBool {
    let local = match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    };
    local.into()
}

fn link_local_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn is_link_local_unicast(Ip(address): &Ip) -> CelBool {
    link_local_unicast(*address).into()
}

fn is_global_unicast(Ip(address): &Ip) -> CelBool {
    let special = address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || link_local_unicast(*address)
        || *address == Ipv4Addr::BROADCAST;
    (!special).into()
}

fn cidr(text: &CelString<'_>) -> Result<Cidr, ExecutionError> {
    parse_cidr(text.inner()).map(Cidr)
}

fn is_cidr(text: &CelString<'_>) -> CelBool {
    parse_cidr(text.inner()).is_ok().into()
}

fn cidr_text(Cidr(range): &Cidr) -> CelString<'static> {
    CelString::from(range.to_string())
}

fn contains_ip(Cidr(range): &Cidr, Ip(address): &Ip) -> CelBool {
    range.contains(address).into()
}

fn contains_ip_text(range: &Cidr, text: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    Ok(contains_ip(range, &ip(text)?))
}

fn contains_cidr(Cidr(range): &Cidr, Cidr(other): &Cidr) -> CelBool {
    (range.prefix_len() <= other.prefix_len() && range.contains(&other.trunc())).into()
}

fn contains_cidr_text(range: &Cidr, text: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    Ok(contains_cidr(range, &cidr(text)?))
}

fn address(Cidr(range): &Cidr) -> Ip {
    Ip(range.addr())
}

fn masked(Cidr(range): &Cidr) -> Cidr {
    Cidr(range.trunc())
}

fn prefix_length(Cidr(range): &Cidr) -> CelInt {
    CelInt::from(i64::from(range.prefix_len()))
}
