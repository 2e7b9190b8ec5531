//! Services: cluster IPs and node ports are given out here, once each, and kept.

use std::{collections::BTreeSet, net::Ipv4Addr};

use serde_json::{Value, json};

use crate::{
    field_error::FieldError,
    object,
    server::State,
    status::{ApiError, Result},
    store::ResourceId,
};

const NODE_PORTS: std::ops::RangeInclusive<u64> = 30_000..=32_767;

/// What a Service says unless it says otherwise.
pub(super) fn default(service: &mut Value) {
    if !service["spec"].is_object() {
        service["spec"] = json!({});
    }
    let spec = &mut service["spec"];
    set_default(spec, "type", "ClusterIP".into());
    set_default(spec, "sessionAffinity", "None".into());
    let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        set_default(port, "protocol", "TCP".into());
        let same = port["port"].clone();
        set_default(port, "targetPort", same);
    }
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    if kind != "ExternalName" {
        set_default(spec, "internalTrafficPolicy", "Cluster".into());
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        set_default(spec, "externalTrafficPolicy", "Cluster".into());
    }
    if kind == "LoadBalancer" {
        set_default(spec, "allocateLoadBalancerNodePorts", true.into());
    }
}

/// A Service that has an address has something behind it.
pub(super) fn validate(service: &Value) -> Option<FieldError> {
    let spec = &service["spec"];
    let without_address = spec["type"] == "ExternalName" || spec["clusterIP"] == "None";
    let ports = spec["ports"].as_array().map_or(0, Vec::len);
    (ports == 0 && !without_address).then(|| FieldError::required("spec.ports", ""))
}

pub(super) fn prepare_create(state: &State, service: &mut Value) -> Result<()> {
    complete(state, None, service)
}

pub(super) fn prepare_update(state: &State, live: &Value, service: &mut Value) -> Result<()> {
    // What was given out stays unless the Service says otherwise.
    let keeps = |service: &Value| service["spec"]["type"] != "ExternalName";
    if keeps(live) && keeps(service) {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            let left_out = |value: &Value| value.is_null() || *value == "";
            if service["spec"].get(field).is_none_or(left_out)
                && let Some(value) = live["spec"].get(field)
            {
                service["spec"][field] = value.clone();
            }
        }
        if live["spec"]["clusterIP"] != service["spec"]["clusterIP"] {
            let error = FieldError::invalid(
                "spec.clusterIPs[0]",
                service["spec"]["clusterIPs"].clone(),
                "may not change once set",
            );
            return Err(invalid(service, error));
        }
    }
    complete(state, Some(live), service)
}

fn complete(state: &State, live: Option<&Value>, service: &mut Value) -> Result<()> {
    let kind = service["spec"]["type"].as_str().unwrap_or("ClusterIP").to_owned();
    if kind == "ExternalName" {
        return Ok(());
    }
    let others = state.store.list(&ResourceId::new("", "services"), None).objects;
    let others: Vec<Value> = others
        .iter()
        .filter(|other| other.uid != object::meta(service, "uid"))
        .map(|other| other.value())
        .collect();
    check_wishes(state.service_range, live, service, &others).map_err(|error| invalid(service, error))?;
    let spec = &mut service["spec"];
    set_default(spec, "ipFamilies", json!(["IPv4"]));
    set_default(spec, "ipFamilyPolicy", "SingleStack".into());
    if spec["clusterIP"].as_str().unwrap_or_default().is_empty() {
        spec["clusterIP"] = free_address(state.service_range, &others)?.into();
    }
    spec["clusterIPs"] = json!([spec["clusterIP"].clone()]);
    if kind == "NodePort" || (kind == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] != false) {
        give_node_ports(spec, &others)?;
    }
    if !service["status"].is_object() {
        service["status"] = json!({"loadBalancer": {}});
    }
    Ok(())
}

fn invalid(service: &Value, error: FieldError) -> ApiError {
    ApiError::Invalid {
        group: String::new(),
        kind: "Service".to_owned(),
        name: object::name(service).to_owned(),
        errors: vec![error],
    }
}

/// An address or a port that is asked for must be of the range, and free.
fn check_wishes(
    range: (Ipv4Addr, u8),
    live: Option<&Value>,
    service: &Value,
    others: &[Value],
) -> Result<(), FieldError> {
    let had = |pointer: &str| live.and_then(|live| live.pointer(pointer));
    let address = &service["spec"]["clusterIP"];
    let wished = address.as_str().filter(|address| !matches!(*address, "" | "None"));
    if let Some(wish) = wished
        && had("/spec/clusterIP") != Some(address)
    {
        let refuse = |why: &str| {
            let detail = format!("failed to allocate IP {wish}: {why}");
            FieldError::invalid("spec.clusterIPs", json!([wish]), detail)
        };
        if !in_range(range, wish) {
            let (first, prefix) = range;
            return Err(refuse(&format!(
                "the provided IP ({wish}) is not in the valid range. The range of valid IPs is {first}/{prefix}"
            )));
        }
        if others.iter().any(|other| other["spec"]["clusterIP"] == *address) {
            return Err(refuse("provided IP is already allocated"));
        }
    }
    let own = live.map(node_ports_of).unwrap_or_default();
    for (index, port) in service["spec"]["ports"].as_array().into_iter().flatten().enumerate() {
        let wish = port["nodePort"].as_u64().unwrap_or(0);
        if wish == 0 || own.contains(&wish) {
            continue;
        }
        let refuse =
            |why: &str| FieldError::invalid(format!("spec.ports[{index}].nodePort"), port["nodePort"].clone(), why);
        if !NODE_PORTS.contains(&wish) {
            return Err(refuse(
                "provided port is not in the valid range. The range of valid ports is 30000-32767",
            ));
        }
        if others.iter().flat_map(node_ports_of).any(|taken| taken == wish) {
            return Err(refuse("provided port is already allocated"));
        }
    }
    Ok(())
}

fn in_range((first, prefix): (Ipv4Addr, u8), address: &str) -> bool {
    let network = |address: Ipv4Addr| u32::from(address).checked_shr(32 - u32::from(prefix)).unwrap_or(0);
    address
        .parse()
        .is_ok_and(|address: Ipv4Addr| network(address) == network(first))
}

fn give_node_ports(spec: &mut Value, others: &[Value]) -> Result<()> {
    let mut taken: BTreeSet<u64> = others
        .iter()
        .chain([&json!({"spec": spec.clone()})])
        .flat_map(node_ports_of)
        .collect();
    for port in spec["ports"].as_array_mut().into_iter().flatten() {
        if port["nodePort"].as_u64().unwrap_or(0) != 0 {
            continue;
        }
        let free = NODE_PORTS.clone().find(|candidate| !taken.contains(candidate));
        let free = free.ok_or_else(|| ApiError::Internal("failed to allocate a nodePort: range is full".to_owned()))?;
        taken.insert(free);
        if let Some(port) = port.as_object_mut() {
            port.insert("nodePort".to_owned(), free.into());
        }
    }
    Ok(())
}

fn node_ports_of(service: &Value) -> Vec<u64> {
    service["spec"]["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|port| port["nodePort"].as_u64())
        .collect()
}

/// Sets a field that isn't there, if there are fields at all.
fn set_default(object: &mut Value, field: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        let field = fields.entry(field).or_insert(Value::Null);
        if field.is_null() {
            *field = value;
        }
    }
}

/// The lowest free address; the first one of the range is the API server's own.
fn free_address((first, prefix): (Ipv4Addr, u8), others: &[Value]) -> Result<String> {
    let taken: BTreeSet<&str> = others
        .iter()
        .filter_map(|other| other["spec"]["clusterIP"].as_str())
        .collect();
    let base = u32::from(first);
    let size = 1_u32
        .checked_shl(32 - u32::from(prefix.clamp(1, 32)))
        .unwrap_or(u32::MAX);
    let candidates = (1..size.saturating_sub(1)).map(|offset| Ipv4Addr::from(base.saturating_add(offset)).to_string());
    let mut free = candidates.filter(|candidate| !taken.contains(candidate.as_str()));
    free.next()
        .ok_or_else(|| ApiError::Internal("failed to allocate a serviceIP: range is full".to_owned()))
}
