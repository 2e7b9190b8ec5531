//! Rows of nodes, namespaces, configuration, access and events.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    age,
    value::{self, NONE, condition, flag, joined, list, map, number, size, text, text_of, text_or},
};

const ROLE_PREFIX: &str = "node-role.kubernetes.io/";
const ROLE_LABEL: &str = "kubernetes.io/role";

pub(super) fn name_and_age(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![value::name(object), age::of_object(object, now)]
}

pub(super) fn name_and_creation(object: &Value, _now: Timestamp) -> Vec<Value> {
    vec![value::name(object), text(object, "/metadata/creationTimestamp").into()]
}

pub(super) fn node(object: &Value, now: Timestamp) -> Vec<Value> {
    let status = match condition(object, "Ready") {
        "True" => "Ready",
        "" => "Unknown",
        _ => "NotReady",
    };
    let cordoned = if flag(object, "/spec/unschedulable") == "true" {
        ",SchedulingDisabled"
    } else {
        ""
    };
    let address = |kind: &str| {
        let addresses = list(object, "/status/addresses").iter();
        addresses
            .filter(|address| text(address, "/type") == kind)
            .map(|address| text(address, "/address"))
            .next()
    };
    let info = |field: &str| text_or(object, &format!("/status/nodeInfo/{field}"), age::UNKNOWN);
    vec![
        value::name(object),
        format!("{status}{cordoned}").into(),
        roles(object).into(),
        age::of_object(object, now),
        text(object, "/status/nodeInfo/kubeletVersion").into(),
        address("InternalIP").unwrap_or(NONE).into(),
        address("ExternalIP").unwrap_or(NONE).into(),
        info("osImage").into(),
        info("kernelVersion").into(),
        info("containerRuntimeVersion").into(),
    ]
}

fn roles(node: &Value) -> String {
    let labels = map(node, "/metadata/labels").into_iter().flatten();
    let mut roles: Vec<&str> = labels
        .filter_map(|(name, value)| match name.strip_prefix(ROLE_PREFIX) {
            Some(role) => Some(role),
            None if name == ROLE_LABEL => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    joined(roles)
}

pub(super) fn namespace(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        value::name(object),
        text(object, "/status/phase").into(),
        age::of_object(object, now),
    ]
}

pub(super) fn config_map(object: &Value, now: Timestamp) -> Vec<Value> {
    let entries = size(object, "/data") + size(object, "/binaryData");
    vec![value::name(object), entries.into(), age::of_object(object, now)]
}

pub(super) fn secret(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        value::name(object),
        text(object, "/type").into(),
        size(object, "/data").into(),
        age::of_object(object, now),
    ]
}

/// The row of an event of either API: what one calls `involvedObject` and `message`, the other calls `regarding` and
/// `note`.
pub(super) fn event(object: &Value, now: Timestamp) -> Vec<Value> {
    let either = |ours: &str, theirs: &str| text_or(object, ours, text(object, theirs)).to_owned();
    let seen = |times: &[&str]| {
        let time = times
            .iter()
            .map(|pointer| text(object, pointer))
            .find(|time| !time.is_empty());
        time.map_or(age::UNKNOWN.into(), |time| age::of_value(&time.into(), now))
    };
    let about = if object.get("regarding").is_some() {
        "/regarding"
    } else {
        "/involvedObject"
    };
    let subject = format!(
        "{}/{}",
        text(object, &format!("{about}/kind")).to_lowercase(),
        text(object, &format!("{about}/name"))
    );
    let component = either("/source/component", "/reportingComponent");
    let component = if component.is_empty() {
        either("/reportingController", "/deprecatedSource/component")
    } else {
        component
    };
    let host = either("/source/host", "/deprecatedSource/host");
    let source = if host.is_empty() {
        component
    } else {
        format!("{component}, {host}")
    };
    let count = ["/series/count", "/count", "/deprecatedCount"].map(|pointer| number(object, pointer));
    vec![
        seen(&[
            "/series/lastObservedTime",
            "/lastTimestamp",
            "/deprecatedLastTimestamp",
            "/eventTime",
        ]),
        text(object, "/type").into(),
        text(object, "/reason").into(),
        subject.into(),
        text(object, &format!("{about}/fieldPath")).into(),
        source.into(),
        either("/message", "/note").trim().into(),
        seen(&["/firstTimestamp", "/deprecatedFirstTimestamp", "/eventTime"]),
        count.into_iter().find(|count| *count > 0).unwrap_or(1).into(),
        value::name(object),
    ]
}

pub(super) fn resource_quota(object: &Value, now: Timestamp) -> Vec<Value> {
    let hard = map(object, "/status/hard").cloned().unwrap_or_default();
    let used = map(object, "/status/used").cloned().unwrap_or_default();
    let shown = |limits: bool| -> String {
        let chosen = hard.iter().filter(|(name, _)| name.starts_with("limits.") == limits);
        chosen
            .map(|(name, hard)| usage(name, hard, &used))
            .collect::<Vec<_>>()
            .join(", ")
    };
    vec![
        value::name(object),
        shown(false).into(),
        shown(true).into(),
        age::of_object(object, now),
    ]
}

fn usage(name: &str, hard: &Value, used: &Map<String, Value>) -> String {
    let used = used.get(name).map_or("0".to_owned(), text_of);
    format!("{name}: {used}/{}", text_of(hard))
}

pub(super) fn lease(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        value::name(object),
        text(object, "/spec/holderIdentity").into(),
        age::of_object(object, now),
    ]
}

pub(super) fn role_binding(object: &Value, now: Timestamp) -> Vec<Value> {
    let subjects = |kind: &str| -> String {
        let chosen = list(object, "/subjects")
            .iter()
            .filter(|subject| text(subject, "/kind") == kind);
        let names = chosen.map(|subject| match kind {
            "ServiceAccount" => format!("{}/{}", text(subject, "/namespace"), text(subject, "/name")),
            _ => text(subject, "/name").to_owned(),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    vec![
        value::name(object),
        format!("{}/{}", text(object, "/roleRef/kind"), text(object, "/roleRef/name")).into(),
        age::of_object(object, now),
        subjects("User").into(),
        subjects("Group").into(),
        subjects("ServiceAccount").into(),
    ]
}

pub(super) fn signing_request(object: &Value, now: Timestamp) -> Vec<Value> {
    let has = |kind: &str| {
        list(object, "/status/conditions")
            .iter()
            .any(|found| text(found, "/type") == kind)
    };
    let mut status = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied".to_owned(),
        (false, true) => "Approved".to_owned(),
        (false, false) => "Pending".to_owned(),
    };
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !text(object, "/status/certificate").is_empty() {
        status.push_str(",Issued");
    }
    let duration = object
        .pointer("/spec/expirationSeconds")
        .and_then(Value::as_i64)
        .map(age::human);
    vec![
        value::name(object),
        age::of_object(object, now),
        text_or(object, "/spec/signerName", NONE).into(),
        text(object, "/spec/username").into(),
        duration.unwrap_or_else(|| NONE.to_owned()).into(),
        status.into(),
    ]
}

pub(super) fn priority_class(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        value::name(object),
        number(object, "/value").into(),
        object.get("globalDefault").cloned().unwrap_or_else(|| false.into()),
        age::of_object(object, now),
        text(object, "/preemptionPolicy").into(),
    ]
}

pub(super) fn webhook_configuration(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        value::name(object),
        list(object, "/webhooks").len().into(),
        age::of_object(object, now),
    ]
}

pub(super) fn api_service(object: &Value, now: Timestamp) -> Vec<Value> {
    let service = match object.pointer("/spec/service") {
        Some(service) if service.is_object() => format!("{}/{}", text(service, "/namespace"), text(service, "/name")),
        _ => "Local".to_owned(),
    };
    let available = list(object, "/status/conditions")
        .iter()
        .find(|found| text(found, "/type") == "Available");
    let available = available.map_or("Unknown".to_owned(), |available| match text(available, "/status") {
        "True" => "True".to_owned(),
        status => format!("{status} ({})", text(available, "/reason")),
    });
    vec![
        value::name(object),
        service.into(),
        available.into(),
        age::of_object(object, now),
    ]
}
