//! Aggregated APIs: whether who should serve them does. This server forwards requests to nobody, so what it does not serve
//! itself is not available, and says why.

use std::sync::Arc;

use serde_json::Value;

use super::modify;
use crate::{
    crd::set_condition,
    resource::Resource,
    server::State,
    status::Result,
    store::{Item, ObjectKey, ResourceId},
};

const GROUP: &str = "apiregistration.k8s.io";
const PLURAL: &str = "apiservices";

/// Whether a resource is the one that this is about.
pub(super) fn is_one(resource: &Resource) -> bool {
    resource.id == ResourceId::new(GROUP, PLURAL)
}

/// Says on an APIService whether it is available.
pub(super) fn judge(state: &State, resource: &Arc<Resource>, item: &Item) -> Result<()> {
    let now = state.stamp();
    modify(state, resource, item, |service| {
        let (available, reason, message) = verdict(state, service);
        set_condition(&mut service["status"], "Available", available, reason, &message, &now);
    })
}

/// Judges anew what stands on a Service that came, changed or went.
pub(super) fn judge_on(state: &State, changed: &ObjectKey) -> Result<()> {
    let resource = Arc::clone(state.registry().built_in(GROUP, PLURAL));
    for stored in state.store.list(&resource.id, None).objects {
        let reference = &stored.value()["spec"]["service"];
        if reference["namespace"] == *changed.namespace && reference["name"] == *changed.name {
            let item = Item {
                resource: resource.id.clone(),
                key: stored.key.clone(),
            };
            judge(state, &resource, &item)?;
        }
    }
    Ok(())
}

/// The groups and versions that nobody serves though an APIService says so.
pub(super) fn unavailable(state: &State) -> Vec<String> {
    let all = state.store.list(&ResourceId::new(GROUP, PLURAL), None).objects;
    let dead = all
        .iter()
        .map(|stored| stored.value())
        .filter(|service| !verdict(state, service).0);
    dead.map(|service| group_version(&service)).collect()
}

fn group_version(service: &Value) -> String {
    let text = |field: &str| service["spec"][field].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text("group"), text("version"))
}

fn verdict(state: &State, service: &Value) -> (bool, &'static str, String) {
    let spec = &service["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if spec["service"].is_null() {
        return (true, "Local", "Local APIServices are always available".to_owned());
    }
    if state
        .registry()
        .version(&text(&spec["group"]), &text(&spec["version"]))
        .is_some()
    {
        return (true, "Passed", "all checks passed".to_owned());
    }
    let (namespace, name) = (text(&spec["service"]["namespace"]), text(&spec["service"]["name"]));
    if state
        .store
        .get(&ResourceId::new("", "services"), &ObjectKey::new(&namespace, &name))
        .is_none()
    {
        let message = format!("service/{name} in \"{namespace}\" is not present");
        return (false, "ServiceNotFound", message);
    }
    let message = format!(
        "failing or missing response from https://{name}.{namespace}.svc/apis/{}: this server forwards no requests",
        group_version(service)
    );
    (false, "FailedDiscoveryCheck", message)
}
