//! Role-based access control: what the stored roles and bindings say that someone may do.
//!
//! Rights only add up, so the first rule that fits decides. Escalation (who may give which rights) is not played.

use serde_json::Value;

use crate::{Decision, Identity, Objects, RequestAttributes};

const GROUP: &str = "rbac.authorization.k8s.io";
/// Members may do everything, whatever the bindings say.
const MASTERS: &str = "system:masters";

/// What the stored bindings say: an [`Authorizer`](crate::Authorizer) for an [`Extension`](crate::Extension).
pub fn rbac(objects: &Objects<'_>, identity: &Identity, request: &RequestAttributes) -> Decision {
    if identity.groups.iter().any(|group| group == MASTERS)
        || rules_of(objects, identity, &request.namespace)
            .iter()
            .any(|rule| fits(rule, request))
    {
        Decision::Allow
    } else {
        Decision::Deny(String::new())
    }
}

/// The rules of everything that is bound to someone, in all namespaces and in this one.
fn rules_of(objects: &Objects<'_>, identity: &Identity, namespace: &str) -> Vec<Value> {
    let mut rules = Vec::new();
    for binding in objects.list(GROUP, "clusterrolebindings", None) {
        if is_bound(&binding, identity) {
            rules.extend(rules_of_role(objects, &binding["roleRef"], ""));
        }
    }
    if !namespace.is_empty() {
        for binding in objects.list(GROUP, "rolebindings", Some(namespace)) {
            if is_bound(&binding, identity) {
                rules.extend(rules_of_role(objects, &binding["roleRef"], namespace));
            }
        }
    }
    rules
}

fn rules_of_role(objects: &Objects<'_>, role: &Value, namespace: &str) -> Vec<Value> {
    let name = role["name"].as_str().unwrap_or_default();
    let role = match role["kind"].as_str() {
        Some("ClusterRole") => objects.get(GROUP, "clusterroles", None, name),
        _ if namespace.is_empty() => None,
        _ => objects.get(GROUP, "roles", Some(namespace), name),
    };
    role.and_then(|role| role["rules"].as_array().cloned())
        .unwrap_or_default()
}

fn is_bound(binding: &Value, identity: &Identity) -> bool {
    list(&binding["subjects"]).iter().any(|subject| {
        let name = text(&subject["name"]);
        match text(&subject["kind"]) {
            "User" => name == identity.user,
            "Group" => identity.all_groups().contains(&name),
            "ServiceAccount" => {
                identity.user == format!("system:serviceaccount:{}:{name}", text(&subject["namespace"]))
            }
            _ => false,
        }
    })
}

fn fits(rule: &Value, request: &RequestAttributes) -> bool {
    let names = |field: &str, wanted: &str| list(&rule[field]).iter().any(|given| given == "*" || given == wanted);
    if !names("verbs", &request.verb) {
        return false;
    }
    if request.resource.is_empty() {
        return list(&rule["nonResourceURLs"])
            .iter()
            .any(|given| fits_path(text(given), &request.path));
    }
    let resource = match request.subresource.as_str() {
        "" => request.resource.clone(),
        subresource => format!("{}/{subresource}", request.resource),
    };
    let all_of_that_name = format!("*/{}", request.subresource);
    let objects = list(&rule["resourceNames"]);
    names("apiGroups", &request.group)
        && (names("resources", &resource) || (!request.subresource.is_empty() && names("resources", &all_of_that_name)))
        && (objects.is_empty() || objects.iter().any(|given| *given == request.name.as_str()))
}

fn fits_path(given: &str, path: &str) -> bool {
    match given.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => given == path,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
