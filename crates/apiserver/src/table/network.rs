//! Rows of services and what routes to them.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    age,
    value::{self, NONE, each, joined, labels, list, number, selector, text, text_of, text_or},
};

/// The most endpoints that a cell names.
const SHOWN: usize = 3;

pub(super) fn service(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        value::name(object),
        text(object, "/spec/type").into(),
        text_or(object, "/spec/clusterIP", NONE).into(),
        external_addresses(object).into(),
        joined(list(object, "/spec/ports").iter().map(service_port)).into(),
        age::of_object(object, now),
        labels(object, "/spec/selector").into(),
    ]
}

fn external_addresses(object: &Value) -> String {
    let external: Vec<&str> = list(object, "/spec/externalIPs")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    match text(object, "/spec/type") {
        "ExternalName" => text(object, "/spec/externalName").to_owned(),
        "LoadBalancer" => {
            let assigned = ingress_addresses(object);
            let all: Vec<&str> = assigned.into_iter().chain(external).collect();
            if all.is_empty() {
                "<pending>".to_owned()
            } else {
                all.join(",")
            }
        }
        _ => joined(external),
    }
}

/// The addresses that a load balancer has given.
fn ingress_addresses(object: &Value) -> Vec<&str> {
    let points = list(object, "/status/loadBalancer/ingress").iter();
    points
        .map(|point| text_or(point, "/ip", text(point, "/hostname")))
        .filter(|address| !address.is_empty())
        .collect()
}

fn service_port(port: &Value) -> String {
    let (own, protocol) = (number(port, "/port"), text_or(port, "/protocol", "TCP"));
    match number(port, "/nodePort") {
        0 => format!("{own}/{protocol}"),
        node => format!("{own}:{node}/{protocol}"),
    }
}

pub(super) fn endpoints(object: &Value, now: Timestamp) -> Vec<Value> {
    let subsets = list(object, "/subsets").iter();
    let all = subsets.flat_map(|subset| {
        let ports = list(subset, "/ports");
        list(subset, "/addresses").iter().flat_map(move |address| {
            let ip = text(address, "/ip");
            let with_ports = ports.iter().map(move |port| format!("{ip}:{}", number(port, "/port")));
            with_ports.chain(ports.is_empty().then(|| ip.to_owned()))
        })
    });
    vec![
        value::name(object),
        shortened(all.collect()).into(),
        age::of_object(object, now),
    ]
}

pub(super) fn endpoint_slice(object: &Value, now: Timestamp) -> Vec<Value> {
    let ports = list(object, "/ports")
        .iter()
        .map(|port| port.get("port").map_or("*".to_owned(), text_of));
    let addresses = list(object, "/endpoints")
        .iter()
        .flat_map(|endpoint| list(endpoint, "/addresses"));
    let shown = |texts: Vec<String>| {
        if texts.is_empty() {
            "<unset>".to_owned()
        } else {
            shortened(texts)
        }
    };
    vec![
        value::name(object),
        text(object, "/addressType").into(),
        shown(ports.collect()).into(),
        shown(addresses.map(text_of).collect()).into(),
        age::of_object(object, now),
    ]
}

/// The first few, and how many more there are.
fn shortened(texts: Vec<String>) -> String {
    match texts.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{} + {more} more...", texts[..SHOWN].join(",")),
        _ => joined(texts),
    }
}

pub(super) fn ingress(object: &Value, now: Timestamp) -> Vec<Value> {
    let hosts: Vec<&str> = each(list(object, "/spec/rules"), "/host").collect();
    let has_tls = !list(object, "/spec/tls").is_empty();
    vec![
        value::name(object),
        text_or(object, "/spec/ingressClassName", NONE).into(),
        if hosts.is_empty() {
            "*".to_owned()
        } else {
            hosts.join(",")
        }
        .into(),
        ingress_addresses(object).join(",").into(),
        if has_tls { "80, 443" } else { "80" }.into(),
        age::of_object(object, now),
    ]
}

pub(super) fn network_policy(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        value::name(object),
        selector(object, "/spec/podSelector").into(),
        age::of_object(object, now),
    ]
}
