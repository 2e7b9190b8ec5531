//! Who may do what in a lab: whoever has a certificate may do anything, but for members of OpenShift's group
//! `system:cluster-readers`, who may look at everything except Secrets. Nothing finer is played.

use std::sync::Arc;

use berth_apiserver::{Authorizer, Decision, Identity, RequestAttributes};

/// OpenShift's group of those who may look.
pub(crate) const READERS: &str = "system:cluster-readers";
/// The reader that a lab's kubeconfig has a context for.
pub(crate) const READER: &str = "lab-reader";

/// The rules, for an API server.
pub(crate) fn authorizer() -> Authorizer {
    Arc::new(decide)
}

fn decide(identity: &Identity, request: &RequestAttributes) -> Decision {
    let reader = identity.groups.iter().any(|group| group == READERS);
    // Everyone may ask who and what they are.
    let about_oneself = request.resource.starts_with("selfsubject");
    let looks = matches!(request.verb.as_str(), "get" | "list" | "watch" | "head");
    if !reader || about_oneself || (looks && request.resource != "secrets") {
        Decision::Allow
    } else {
        Decision::Deny(String::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_look_at_everything_but_secrets() {
        let reader = Identity::new(READER, [READERS]);
        let may = |identity: &Identity, verb: &str, resource: &str| {
            let request = RequestAttributes {
                verb: verb.to_owned(),
                resource: resource.to_owned(),
                ..RequestAttributes::default()
            };
            decide(identity, &request) == Decision::Allow
        };
        assert!(may(&reader, "watch", "pods"));
        assert!(may(&reader, "create", "selfsubjectaccessreviews"));
        assert!(!may(&reader, "get", "secrets"));
        assert!(!may(&reader, "patch", "namespaces"));
        assert!(may(&Identity::admin(), "patch", "secrets"));
    }
}
