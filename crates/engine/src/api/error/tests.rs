use http::Response;
use serde_json::json;

use super::*;

#[track_caller]
fn check(code: u16, body: &str, expected: RequestErrorKind, transient: bool) -> RequestError {
    let (head, ()) = Response::builder()
        .status(code)
        .header("Retry-After", "3")
        .body(())
        .expect("a response")
        .into_parts();
    let error = RequestError::from_answer("apply Namespace hcp", &head, body.as_bytes());
    assert_eq!((error.kind, error.is_transient()), (expected, transient), "{error}");
    error
}

#[test]
fn refusals_are_sorted_by_what_can_be_done() {
    let missing = json!({"kind": "Status", "reason": "NotFound", "code": 404, "message": "namespaces \"a\" not found",
        "details": {"name": "a", "kind": "namespaces"}});
    check(404, &missing.to_string(), RequestErrorKind::NotFound, true);
    check(404, "404 page not found\n", RequestErrorKind::NoKind, true);
    check(403, "{}", RequestErrorKind::Forbidden, false);
    check(422, "{}", RequestErrorKind::Invalid, false);
    check(504, "<html>", RequestErrorKind::Busy, true);
}

#[test]
fn the_servers_wish_for_patience_is_kept() {
    let error = check(
        429,
        "Too many requests, please try again later.",
        RequestErrorKind::Busy,
        true,
    );
    assert_eq!(error.retry_after, Some(Duration::from_secs(3)));
    assert_eq!(
        error.to_string(),
        "failed to apply Namespace hcp: Too many requests, please try again later."
    );
}

#[test]
fn manager_conflicts_name_field_and_manager() {
    let body = json!({"kind": "Status", "reason": "Conflict", "code": 409, "message": "Apply failed with 1 conflict",
        "details": {"causes": [{"reason": "FieldManagerConflict", "field": ".spec.replicas",
            "message": "conflict with \"argocd\" using v1 at 2026-01-01T00:00:00Z"}]}});
    let error = check(409, &body.to_string(), RequestErrorKind::ManagerConflict, false);
    let expected = ManagerConflict {
        field: "spec.replicas".into(),
        manager: "argocd".into(),
    };
    assert_eq!(error.conflicts, [expected]);
}
