use serde_json::{Value, json};

use super::*;

fn cluster(phase: &str, awaiting: &[&str]) -> Value {
    let record = json!({
        "digest": "x", "phase": phase, "since": "2026-01-02T03:04:05Z", "awaiting": awaiting,
        "until": "2026-01-02T04:04:05Z", "former": { "providers": null, "oidc": null },
    });
    json!({
        "metadata": {
            "namespace": "hcp", "name": "g", "resourceVersion": "7",
            "annotations": { "berth.dev/identity": record.to_string() },
        },
        "spec": { "configuration": { "oauth": { "identityProviders": [
            { "name": "sso", "type": "OpenID" }, { "name": "hub", "type": "GitHub" },
        ] } } },
    })
}

fn identity(provider: &str, user: &str) -> Value {
    json!({ "providerName": provider, "providerUserName": user, "user": { "name": user } })
}

fn kept(patch: &Value) -> Record {
    let text = patch["metadata"]["annotations"]["berth.dev/identity"]
        .as_str()
        .expect("a record");
    serde_json::from_str(text).expect("a record")
}

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

#[test]
fn a_login_counts_once_the_guest_knows_somebody_of_that_provider() {
    let waiting = cluster("awaiting", &["sso", "hub"]);
    let nobody = confirm(&waiting, &[identity("staff", "ada")], None, NOW).unwrap_err();
    assert_eq!(nobody.to_string(), "nobody has logged in through sso, hub yet");
    let other = confirm(&waiting, &[identity("sso", "ada")], Some("alan"), NOW).unwrap_err();
    assert_eq!(
        other.to_string(),
        "nobody called `alan` has logged in through sso, hub yet"
    );

    let one = confirm(&waiting, &[identity("sso", "ada")], Some("ada"), NOW).expect("confirmed");
    assert_eq!(
        (one.seen, one.rest),
        (vec![("sso".to_owned(), Some("ada".to_owned()))], vec!["hub".to_owned()])
    );
    assert_eq!(one.patch["metadata"]["resourceVersion"], "7");
    let record = kept(&one.patch);
    assert_eq!(
        (record.phase, record.awaiting, record.until.is_some()),
        (Phase::Awaiting, vec!["hub".to_owned()], true)
    );

    let both = confirm(&waiting, &[identity("sso", "ada"), identity("hub", "ada")], None, NOW).expect("confirmed");
    let record = kept(&both.patch);
    assert_eq!(
        (record.phase, record.awaiting.len(), record.until),
        (Phase::Settled, 0, None)
    );
    assert_eq!(
        confirm(&cluster("settled", &[]), &[], None, NOW),
        Err(Undecided::NotAwaiting)
    );
}

#[test]
fn an_issuers_users_are_not_kept_so_the_persons_word_counts() {
    let mut waiting = cluster("awaiting", &["sso"]);
    waiting["spec"]["configuration"] =
        json!({ "authentication": { "type": "OIDC", "oidcProviders": [{ "name": "sso" }] } });
    let confirmed = confirm(&waiting, &[], None, NOW).expect("confirmed");
    assert_eq!(confirmed.seen, [("sso".to_owned(), None)]);
}

#[test]
fn taking_back_puts_the_former_login_back_and_remembers_it() {
    let patch = revert(&cluster("settled", &[]), NOW).expect("a patch");
    assert_eq!(patch["spec"], json!({ "configuration": { "oauth": null } }));
    assert_eq!(kept(&patch).phase, Phase::Refused);
    assert_eq!(revert(&cluster("refused", &[]), NOW), Err(Undecided::AlreadyBack));
    assert_eq!(revert(&json!({}), NOW), Err(Undecided::Nothing));
}

#[test]
fn what_was_refused_may_be_tried_again() {
    let patch = retry(&cluster("refused", &[])).expect("a patch");
    assert_eq!(patch["metadata"]["annotations"]["berth.dev/identity"], Value::Null);
    assert_eq!(retry(&cluster("settled", &[])), Err(Undecided::NotRefused));
}

#[test]
fn a_status_tells_who_lets_people_in_and_how_far_that_is() {
    let told = status(&cluster("awaiting", &["sso"])).expect("a status");
    assert_eq!(told.providers, ["sso (OpenID)", "hub (GitHub)"]);
    assert_eq!(
        (told.phase.as_str(), told.awaiting.as_slice(), told.kubeadmin),
        ("awaiting", &["sso".to_owned()][..], false)
    );
    assert_eq!(status(&json!({ "spec": {} })), None);
}
