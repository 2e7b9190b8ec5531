//! Services: cluster IPs and node ports are given out here, and kept.

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

pub(super) fn prepare_create(state: &State, service: &mut Value) -> Result<()> {
    complete(state, service)
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
            return Err(ApiError::Invalid {
                group: String::new(),
                kind: "Service".to_owned(),
                name: object::name(service).to_owned(),
                errors: vec![error],
            });
        }
    }
    complete(state, service)
}

fn complete(state: &State, service: &mut Value) -> Result<()> {
    if !service["spec"].is_object() {
        service["spec"] = json!({});
    }
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
    let spec = &mut service["spec"];
    set_default(spec, "type", "ClusterIP".into());
    set_default(spec, "sessionAffinity", "None".into());
    set_default(spec, "internalTrafficPolicy", "Cluster".into());
    set_default(spec, "ipFamilies", json!(["IPv4"]));
    set_default(spec, "ipFamilyPolicy", "SingleStack".into());
    if spec["clusterIP"].as_str().unwrap_or_default().is_empty() {
        spec["clusterIP"] = free_address(state.service_range, &others)?.into();
    }
    spec["clusterIPs"] = json!([spec["clusterIP"].clone()]);
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        set_default(spec, "externalTrafficPolicy", "Cluster".into());
    }
    let node_ports = kind == "NodePort" || (kind == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] != false);
    if kind == "LoadBalancer" {
        set_default(spec, "allocateLoadBalancerNodePorts", true.into());
    }
    complete_ports(spec, node_ports, &others)?;
    if !service["status"].is_object() {
        service["status"] = json!({"loadBalancer": {}});
    }
    Ok(())
}

fn complete_ports(spec: &mut Value, node_ports: bool, others: &[Value]) -> Result<()> {
    let mut taken: BTreeSet<u64> = others
        .iter()
        .chain([&json!({"spec": spec.clone()})])
        .flat_map(node_ports_of)
        .collect();
    for port in spec["ports"].as_array_mut().into_iter().flatten() {
        set_default(port, "protocol", "TCP".into());
        let same = port["port"].clone();
        set_default(port, "targetPort", same);
        if node_ports && port["nodePort"].as_u64().unwrap_or(0) == 0 {
            let free = NODE_PORTS.clone().find(|candidate| !taken.contains(candidate));
            let free =
                free.ok_or_else(|| ApiError::Internal("failed to allocate a nodePort: range is full".to_owned()))?;
            taken.insert(free);
            port["nodePort"] = free.into();
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

fn set_default(object: &mut Value, field: &str, value: Value) {
    if object[field].is_null() {
        object[field] = value;
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
