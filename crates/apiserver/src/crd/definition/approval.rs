//! Groups of the Kubernetes community itself: an annotation must say that their APIs were approved, or that they weren't.

use serde_json::Value;

use crate::field_error::FieldError;

const ANNOTATION: &str = "api-approved.kubernetes.io";
const SEE: &str = "see https://github.com/kubernetes/enhancements/pull/1111";

/// What a CRD of a protected group says of its approval.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum State {
    /// Nothing.
    Missing,
    /// Where it was given.
    Approved(String),
    /// That it goes without, and why.
    Bypassed(String),
    /// Something else.
    Malformed,
}

/// The state of a CRD's approval; none for groups that need none. Those of subprojects (`*.x-k8s.io`) don't.
pub(in super::super) fn state(crd: &Value) -> Option<State> {
    let group = crd["spec"]["group"].as_str().unwrap_or_default();
    let protected = ["k8s.io", "kubernetes.io"]
        .into_iter()
        .any(|domain| group == domain || group.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')));
    let annotation = crd["metadata"]["annotations"][ANNOTATION].as_str().unwrap_or_default();
    let is_url = || {
        let url = annotation.parse::<http::Uri>();
        url.is_ok_and(|url| url.scheme().is_some() && url.host().is_some_and(|host| !host.is_empty()))
    };
    protected.then(|| match annotation {
        "" => State::Missing,
        reason if reason.starts_with("unapproved") => State::Bypassed(reason.to_owned()),
        url if is_url() => State::Approved(url.to_owned()),
        _ => State::Malformed,
    })
}

/// What is wrong with the annotation, unless it was so before.
pub(super) fn check(crd: &Value, old: Option<&Value>) -> Option<FieldError> {
    let now = state(crd)?;
    let sort = |state: &State| std::mem::discriminant(state);
    if old.and_then(state).is_some_and(|before| sort(&before) == sort(&now)) {
        return None;
    }
    let place = format!("metadata.annotations[{ANNOTATION}]");
    match now {
        State::Missing => {
            let detail = format!("protected groups must have approval annotation {ANNOTATION:?}, {SEE}");
            Some(FieldError::required(place, detail))
        }
        State::Malformed => {
            let detail = format!(
                "protected groups must have approval annotation {ANNOTATION:?} with either a URL or a reason starting with \
                 \"unapproved\", {SEE}"
            );
            let shown = crd["metadata"]["annotations"][ANNOTATION].clone();
            Some(FieldError::invalid(place, shown, detail))
        }
        State::Approved(_) | State::Bypassed(_) => None,
    }
}
