//! Paths and queries of the Kubernetes API.

use std::fmt::Write;

use berth_api::Resource;
use berth_procedure::{ObjectRef, Scope, Selector};
use serde_json::Value;

/// A watch is ended by the server after this many seconds, and opened anew: shorter than what load balancers on the way
/// cut off.
const WATCH_SECONDS: u32 = 290;

pub(super) fn collection(object: &ObjectRef) -> String {
    base(object.resource, object.namespace.as_deref())
}

pub(super) fn object(object: &ObjectRef) -> String {
    format!("{}/{}", collection(object), encode(&object.name))
}

pub(super) fn list(selector: &Selector, limit: usize, resume: Option<&str>) -> String {
    let mut path = format!("{}?limit={limit}{}", selection(selector), narrowing(selector));
    if let Some(token) = resume {
        write!(path, "&continue={}", encode(token)).expect("writing to a string does not fail");
    }
    path
}

pub(super) fn watch(selector: &Selector, version: &str) -> String {
    format!(
        "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={}{}",
        selection(selector),
        encode(version),
        narrowing(selector)
    )
}

pub(super) fn definitions() -> String {
    let base = base(berth_api::resources::CUSTOM_RESOURCE_DEFINITION, None);
    format!("{base}?watch=true&timeoutSeconds={WATCH_SECONDS}")
}

/// Items of a list of built-in kinds come without these; every reader wants them.
pub(super) fn typed(resource: &Resource, mut item: Value) -> Value {
    if let Value::Object(fields) = &mut item {
        fields.insert("apiVersion".to_owned(), resource.api_version().into());
        fields.insert("kind".to_owned(), resource.kind.into());
    }
    item
}

fn selection(selector: &Selector) -> String {
    let namespace = match &selector.scope {
        Scope::All => None,
        Scope::Namespace(namespace) => Some(namespace.as_str()),
        Scope::Named { namespace, .. } | Scope::Labelled { namespace, .. } => namespace.as_deref(),
    };
    base(selector.resource, namespace)
}

fn narrowing(selector: &Selector) -> String {
    match &selector.scope {
        Scope::All | Scope::Namespace(_) => String::new(),
        Scope::Named { name, .. } => format!("&fieldSelector={}", encode(&format!("metadata.name={name}"))),
        Scope::Labelled { labels, .. } => format!("&labelSelector={}", encode(labels)),
    }
}

fn base(resource: &Resource, namespace: Option<&str>) -> String {
    let root = if resource.group.is_empty() {
        "/api/v1".to_owned()
    } else {
        format!("/apis/{}", resource.api_version())
    };
    match namespace {
        Some(namespace) => format!("{root}/namespaces/{}/{}", encode(namespace), resource.plural),
        None => format!("{root}/{}", resource.plural),
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use berth_api::resources;

    use super::*;

    #[test]
    fn selections_become_paths() {
        let named = Selector::named(resources::HOSTED_CLUSTER, "hcp", "guest-cluster-0");
        assert_eq!(
            list(&named, 500, None),
            "/apis/hypershift.openshift.io/v1beta1/namespaces/hcp/hostedclusters?limit=500\
             &fieldSelector=metadata.name%3Dguest-cluster-0"
        );
        let nodes = Selector::all(resources::NODE);
        assert_eq!(list(&nodes, 500, Some("a/b")), "/api/v1/nodes?limit=500&continue=a%2Fb");
        let labels = Scope::Labelled {
            namespace: Some("hcp".into()),
            labels: "a=b,c".into(),
        };
        let labelled = Selector {
            scope: labels,
            ..Selector::all(resources::POD)
        };
        assert!(watch(&labelled, "7").ends_with("&resourceVersion=7&labelSelector=a%3Db%2Cc"));
    }

    #[test]
    fn objects_become_paths() {
        let secret = ObjectRef::namespaced(resources::SECRET, "hcp", "pull");
        assert_eq!(object(&secret), "/api/v1/namespaces/hcp/secrets/pull");
        assert_eq!(
            collection(&ObjectRef::cluster(resources::NAMESPACE, "hcp")),
            "/api/v1/namespaces"
        );
    }
}
