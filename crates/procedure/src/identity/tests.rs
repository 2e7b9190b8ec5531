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

/// Somebody who logged in for the first time after the login was in place.
fn identity(provider: &str, user: &str) -> Value {
    json!({
        "metadata": { "creationTimestamp": "2026-01-02T03:04:05Z" },
        "providerName": provider, "providerUserName": user, "user": { "name": user },
    })
}

fn known(identities: &[Value]) -> Known<'_> {
    Known {
        identities,
        tokens: &[],
    }
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
    let nobody = confirm(&waiting, known(&[identity("staff", "ada")]), None, NOW).unwrap_err();
    assert_eq!(nobody.to_string(), "nobody has logged in through sso, hub yet");
    let other = confirm(&waiting, known(&[identity("sso", "ada")]), Some("alan"), NOW).unwrap_err();
    assert_eq!(
        other.to_string(),
        "nobody called `alan` has logged in through sso, hub yet"
    );

    let one = confirm(&waiting, known(&[identity("sso", "ada")]), Some("ada"), NOW).expect("confirmed");
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

    let identities = [identity("sso", "ada"), identity("hub", "ada")];
    let both = confirm(&waiting, known(&identities), None, NOW).expect("confirmed");
    let record = kept(&both.patch);
    assert_eq!(
        (record.phase, record.awaiting.len(), record.until),
        (Phase::Settled, 0, None)
    );
    assert_eq!(
        confirm(&cluster("settled", &[]), known(&[]), None, NOW),
        Err(Undecided::NotAwaiting)
    );
}

#[test]
fn a_login_from_before_proves_nothing() {
    let waiting = cluster("awaiting", &["sso"]);
    let old = |provider: &str| {
        let mut identity = identity(provider, "ada");
        identity["metadata"]["creationTimestamp"] = json!("2026-01-02T03:04:04Z");
        identity
    };
    let identities = [old("sso")];
    let refused = confirm(&waiting, known(&identities), None, NOW).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "ada has logged in through sso before 2026-01-02T03:04:05Z alone, which proves nothing of what is there since"
    );
    let token = |at: &str| json!({ "metadata": { "creationTimestamp": at }, "userName": "ada" });
    let again = |identities: &[Value], at: &str| {
        let tokens = [token(at)];
        let known = Known {
            identities,
            tokens: &tokens,
        };
        confirm(&waiting, known, None, NOW).is_ok()
    };
    assert!(again(&identities, "2026-01-02T03:05:00Z"));
    assert!(!again(&identities, "2026-01-02T03:04:00Z"));
    // Through which of them?
    assert!(!again(&[old("sso"), old("hub")], "2026-01-02T03:05:00Z"));
}

#[test]
fn an_issuers_users_are_not_kept_so_the_persons_word_counts() {
    let mut waiting = cluster("awaiting", &["sso"]);
    waiting["spec"]["configuration"] =
        json!({ "authentication": { "type": "OIDC", "oidcProviders": [{ "name": "sso" }] } });
    let confirmed = confirm(&waiting, known(&[]), None, NOW).expect("confirmed");
    assert_eq!(confirmed.seen, [("sso".to_owned(), None)]);
}

#[test]
fn taking_back_puts_the_former_login_back_and_remembers_it() {
    let Reversal { patch, told } = revert(&cluster("settled", &[]), NOW).expect("a patch");
    assert_eq!(
        told,
        "puts back no provider: HyperShift makes kubeadmin anew, with another password"
    );
    assert_eq!(patch["spec"], json!({ "configuration": { "oauth": null } }));
    assert_eq!(kept(&patch).phase, Phase::Reverted);
    assert_eq!(revert(&cluster("reverted", &[]), NOW), Err(Undecided::AlreadyBack));
    assert_eq!(revert(&cluster("refused", &[]), NOW), Err(Undecided::AlreadyBack));
    assert_eq!(revert(&json!({}), NOW), Err(Undecided::Nothing));
}

#[test]
fn taking_back_names_what_goes_where_the_rest_stays() {
    let mut settled = cluster("settled", &[]);
    settled["spec"]["configuration"]["oauth"]["tokenConfig"] = json!({ "accessTokenMaxAgeSeconds": 60 });
    let Reversal { patch, told } = revert(&settled, NOW).expect("a patch");
    assert_eq!(
        told,
        "puts back no provider; kubeadmin stays away as long as `oauth` has other settings"
    );
    assert_eq!(
        patch["spec"]["configuration"]["oauth"],
        json!({ "identityProviders": null, "tokenConfig": { "accessTokenMaxAgeSeconds": 60 } })
    );
}

#[test]
fn it_is_said_what_comes_of_taking_back() {
    let told = |configuration: Value| {
        let mut settled = cluster("settled", &[]);
        settled["spec"]["configuration"] = configuration;
        revert(&settled, NOW).expect("a patch").told
    };
    assert_eq!(
        told(json!({})),
        "who may log in stays as it is; the document's login is not tried again by itself"
    );
    assert_eq!(
        told(json!({ "authentication": { "type": "OIDC", "oidcProviders": [{ "name": "sso" }] } })),
        "puts back no provider: the guest's own OAuth server comes back"
    );
}

#[test]
fn what_was_refused_may_be_tried_again() {
    let patch = retry(&cluster("refused", &[]), NOW).expect("a patch");
    let record = kept(&patch);
    assert_eq!(
        (record.phase, record.digest.as_str(), record.since),
        (Phase::Retry, "x", NOW)
    );
    assert_eq!(retry(&cluster("settled", &[]), NOW), Err(Undecided::NotRefused));
    assert!(retry(&cluster("retry", &[]), NOW).is_ok());
    assert!(retry(&cluster("reverted", &[]), NOW).is_ok());
    let told = status(&cluster("retry", &[])).expect("a status");
    assert!(told.is_open());
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
