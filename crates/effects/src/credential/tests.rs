use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use http::Response;

use super::*;
use crate::guest::{Asked, Guest};

const SUBJECT: Subject<'_> = Subject {
    common_name: "system:customer-break-glass:berth",
    organization: "system:masters",
};

/// A guest whose groups decide: `system:masters` may do everything.
fn answer(asked: &Asked) -> Response<String> {
    let client = asked.client.clone().unwrap_or_default();
    let body: Value = serde_json::from_slice(&asked.body).expect("JSON");
    let status = if body["kind"] == "SelfSubjectReview" {
        json!({ "userInfo": { "username": client.rsplit("CN=").next() } })
    } else {
        let all = &body["spec"]["resourceAttributes"];
        assert_eq!(
            (&all["verb"], &all["group"], &all["resource"]),
            (&json!("*"), &json!("*"), &json!("*"))
        );
        json!({ "allowed": client.contains("O=system:masters") })
    };
    Response::new(json!({ "status": status }).to_string())
}

fn key(outcome: &Outcome) -> (String, String) {
    match outcome {
        Outcome::Key { request, fingerprint } => (request.clone(), fingerprint.clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_is_made_once_kept_privately_and_replaced_when_it_is_spent() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept {
        folder: &folder.path().join("keys"),
        name: "hcp.g-1",
    };
    assert_eq!(kept_key(&kept, &SUBJECT, None).await, None);
    let (request, fingerprint) = key(&make_key(&kept, &SUBJECT).await.expect("made"));
    assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"), "{request}");
    let mode = fs::metadata(kept.key()).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let again = kept_key(&kept, &SUBJECT, None).await.expect("kept");
    assert_eq!(key(&again).1, fingerprint);
    assert_eq!(
        kept_key(&kept, &SUBJECT, Some(&fingerprint)).await,
        None,
        "that one is spent"
    );
    let other = key(&make_key(&kept, &SUBJECT).await.expect("made")).1;
    assert_ne!(other, fingerprint);
    assert!(kept_key(&kept, &SUBJECT, Some(&fingerprint)).await.is_some());
}

#[tokio::test]
async fn a_certified_key_is_proven_and_kept_as_a_kubeconfig() {
    let guest = Guest::start(Arc::new(answer)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept {
        folder: folder.path(),
        name: "hcp.g-1",
    };
    let (request, _) = key(&make_key(&kept, &SUBJECT).await.expect("made"));
    let credential = Credential::Certified(guest.sign(&request));
    let proven = prove(&kept, &guest.server, &credential).await.expect("proven");
    let Outcome::Credential { path, user, until } = &proven else {
        panic!("{proven:?}")
    };
    assert_eq!(user, "system:customer-break-glass:berth");
    assert!(until.is_some());
    let text = fs::read_to_string(path).expect("a kubeconfig");
    assert!(
        text.contains(&guest.server.url) && text.contains("current-context: break-glass"),
        "{text}"
    );
    assert_eq!(fs::metadata(path).expect("a file").permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn who_may_not_do_everything_proves_nothing() {
    let guest = Guest::start(Arc::new(answer)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Kept {
        folder: folder.path(),
        name: "hcp.g-1",
    };
    let subject = Subject {
        organization: "others",
        ..SUBJECT
    };
    let (request, _) = key(&make_key(&kept, &subject).await.expect("made"));
    let credential = Credential::Certified(guest.sign(&request));
    let error = prove(&kept, &guest.server, &credential).await.expect_err("no proof");
    assert!(
        matches!(&error, CredentialError::NotAdmin { .. }) && !error.is_transient(),
        "{error}"
    );
    assert!(!kept.kubeconfig().exists());
}
