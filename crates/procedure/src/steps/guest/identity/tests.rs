//! The story of a login, against a hub as plain values: put in place, rolled out, tried, kept; or taken back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_api::resources;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::assess::{Assessment, Observed};
use crate::change::Change;
use crate::effect::{Effect, EffectFailure, Login, Outcome};
use crate::fixtures::{EXAMPLE, INSIDE, World, conditions, established, object, step_of};
use crate::step::Step;

const HTPASSWD: &str = "  identity:
    clusterAdmins: {users: [ada]}
    providers:
      - name: staff
        htpasswd: {users: [{name: alan, password: {env: X}}, {name: ada, password: {env: X}}]}
";
const BROWSER: &str = "  identity:
    clusterAdmins: {users: [ada]}
    confirmWithin: 30m
    providers: [{name: hub, github: {clientID: x, clientSecret: {secret: kept}, organizations: [o]}}]
";

fn now() -> Timestamp {
    "2026-01-02T03:00:00Z".parse().expect("a time")
}

fn later(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

fn step(section: &str, name: &str) -> Box<dyn Step> {
    let with_env = section.replace("{env: X}", "{file: password}");
    step_of(
        &format!("{EXAMPLE}{with_env}"),
        &format!("guest/guest-cluster-0/{name}"),
    )
}

/// A guest that is rolled out, with nobody but kubeadmin.
fn rolled_out() -> World {
    let mut world = World::bare();
    for kind in ["HostedCluster", "NodePool", "Machine", "HostedControlPlane"] {
        world.with_kind(kind);
    }
    let kubeconfig = json!({
        "clusters": [{ "cluster": { "server": "https://guest:6443/", "certificate-authority-data": STANDARD.encode("CA") } }],
        "users": [{ "user": { "client-certificate-data": STANDARD.encode("CERT"), "client-key-data": STANDARD.encode("KEY") } }],
    });
    world
        .put(object(
            resources::HOSTED_CLUSTER,
            "hcp",
            "guest-cluster-0",
            &json!({
                "metadata": { "uid": "0123456789", "generation": 1 },
                "status": { "kubeconfig": { "name": "guest-cluster-0-admin-kubeconfig" },
                            "kubeadminPassword": { "name": "guest-cluster-0-kubeadmin-password" } },
            }),
        ))
        .put(object(
            resources::HOSTED_CONTROL_PLANE,
            INSIDE,
            "guest-cluster-0",
            &json!({ "metadata": { "generation": 1 } }),
        ))
        .put(object(
            resources::SECRET,
            "hcp",
            "guest-cluster-0-admin-kubeconfig",
            &json!({
                "data": { "kubeconfig": STANDARD.encode(kubeconfig.to_string()) },
            }),
        ))
        .put(object(
            resources::SECRET,
            "hcp",
            "kept",
            &json!({ "data": { "clientSecret": "eA==" } }),
        ))
        .put_on_guest(object(resources::NODE, "", "node", &json!({})))
        .put(deployment(1, 1))
        .at(now());
    world
}

fn deployment(generation: i64, observed: i64) -> Value {
    object(
        resources::DEPLOYMENT,
        INSIDE,
        "oauth-openshift",
        &json!({
            "metadata": { "generation": generation }, "spec": {
                "replicas": 2, "template": { "metadata": { "annotations": { "config": generation.to_string() } } },
            },
            "status": { "observedGeneration": observed, "updatedReplicas": 2, "readyReplicas": 2 },
        }),
    )
}

/// What HyperShift does with a new configuration.
fn hypershift(world: &mut World, valid: &str, message: &str) {
    let configuration = cluster(world)["spec"]["configuration"].clone();
    let mut status = conditions(&[("ValidIDPConfiguration", valid, "Reason", message)]);
    status["status"]["conditions"][0]["observedGeneration"] = json!(2);
    status["status"]["conditions"][0]["lastTransitionTime"] = json!(now().to_string());
    world.change("HostedControlPlane", "guest-cluster-0", |plane| {
        plane["metadata"]["generation"] = json!(2);
        plane["spec"]["configuration"] = configuration.clone();
        plane["status"] = status["status"].clone();
    });
    if valid == "True" {
        world.put(deployment(2, 2));
    }
}

fn cluster(world: &World) -> &Value {
    let like = object(resources::HOSTED_CLUSTER, "hcp", "guest-cluster-0", &json!({}));
    world.find(&like).expect("a HostedCluster")
}

fn record(world: &World) -> Value {
    let text = cluster(world)["metadata"]["annotations"]["berth.dev/identity"]
        .as_str()
        .expect("a record");
    serde_json::from_str(text).expect("a record")
}

fn write(world: &mut World, step: &dyn Step) -> Vec<String> {
    let changes = world.changes(step);
    world.write(&changes);
    changes.iter().map(line).collect()
}

/// Writes, and tells only what was not so before: what an engine would send.
fn sent(world: &mut World, step: &dyn Step) -> Vec<String> {
    let before = world.clone();
    let changes = world.changes(step);
    let open: Vec<Change> = changes.into_iter().filter(|change| is_open(&before, change)).collect();
    world.write(&open);
    open.iter().map(line).collect()
}

fn is_open(world: &World, change: &Change) -> bool {
    let mut after = world.clone();
    after.write(std::slice::from_ref(change));
    !after.holds_the_same(world)
}

fn line(change: &Change) -> String {
    match change {
        Change::Apply { object, .. } => format!("apply {object}"),
        Change::CreateOnce { object, .. } => format!("create {object}"),
        Change::Set { path, value, .. } => {
            let value = if path[0] == "metadata" {
                "…".to_owned()
            } else {
                format!("{:?}", value.as_ref().map(|_| "…"))
            };
            format!("set {} {value}", path.join("."))
        }
        Change::Merge { object, .. } => format!("merge {object}"),
        Change::Absent { object } => format!("delete {object}"),
        Change::Later { what, .. } => format!("later {what}"),
    }
}

fn assess(world: &World, step: &dyn Step) -> Assessment {
    let facts = world.facts(&step.watches());
    step.assess(&Observed {
        facts: &facts,
        now: facts.now,
        since: now(),
    })
}

fn effects(world: &World, step: &dyn Step) -> Vec<Effect> {
    step.effects(&world.facts(&step.watches()))
}

fn applied(section: &str) -> (World, Box<dyn Step>) {
    let (mut world, step) = (rolled_out(), step(section, "identity"));
    write(&mut world, step.as_ref());
    (world, step)
}

#[test]
fn admins_and_secrets_come_before_the_end_of_kubeadmin() {
    let (mut world, step) = (rolled_out(), step(HTPASSWD, "identity"));
    assert_eq!(
        write(&mut world, step.as_ref()),
        [
            "apply Secret hcp/guest-cluster-0-idp-staff-htpasswd-1",
            "apply ClusterRoleBinding berth-cluster-admins",
            "set metadata.annotations.berth.dev/identity …",
            "set spec.configuration.oauth Some(\"…\")",
        ]
    );
    assert_eq!(record(&world)["former"], json!({ "providers": null, "oidc": null }));
    let binding = world.find(&json!({ "kind": "ClusterRoleBinding", "metadata": { "name": "berth-cluster-admins" } }));
    let binding = binding.expect("a binding");
    assert_eq!(
        (&binding["roleRef"]["name"], &binding["subjects"][0]["name"]),
        (&json!("cluster-admin"), &json!("ada"))
    );
    assert_eq!(
        sent(&mut world, step.as_ref()),
        Vec::<String>::new(),
        "a second time nothing is written"
    );
}

#[test]
fn a_login_counts_when_it_is_valid_rolled_out_and_tried() {
    let (mut world, step) = applied(HTPASSWD);
    let wait = |world: &World| match assess(world, step.as_ref()) {
        Assessment::Waiting { detail, .. } => detail,
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(&world), "the control plane has not taken it up yet");
    hypershift(&mut world, "True", "");
    // HyperShift has judged it, and the pods are still those from before: they know nobody of it.
    world.put(deployment(1, 1));
    assert_eq!(wait(&world), "the Deployment oauth-openshift has not taken it up yet");
    assert_eq!(effects(&world, step.as_ref()), []);
    world.put(deployment(2, 1));
    assert_eq!(wait(&world), "2 of 2 pods of oauth-openshift run with it");
    world.put(deployment(2, 2));
    let [login] = effects(&world, step.as_ref()).try_into().expect("one login");
    let Effect::TryLogin {
        server, user, is_admin, ..
    } = &login
    else {
        panic!("{login:?}")
    };
    assert_eq!(
        (server.url.as_str(), user.as_str(), *is_admin),
        ("https://guest:6443", "ada", true)
    );
    world.record(login, Ok(Outcome::Login(Login::Granted { user: "ada".to_owned() })));
    assert_eq!(
        sent(&mut world, step.as_ref()),
        ["set metadata.annotations.berth.dev/identity …"]
    );
    assert_eq!(record(&world)["phase"], "settled");
    assert!(assess(&world, step.as_ref()).is_ready());
    // The next run, anywhere.
    world.forget_outcomes().at(later(60));
    assert_eq!(sent(&mut world, step.as_ref()), Vec::<String>::new());
    assert_eq!(effects(&world, step.as_ref()), []);
    assert!(assess(&world, step.as_ref()).is_ready());
}

#[test]
fn a_server_that_stays_as_it_is_for_long_needs_nothing_new() {
    let (mut world, step) = applied(HTPASSWD);
    hypershift(&mut world, "True", "");
    world.put(deployment(1, 1));
    match assess(&world, step.as_ref()) {
        Assessment::Waiting { recheck_at, .. } => assert_eq!(recheck_at, Some(later(3))),
        other => panic!("{other:?}"),
    }
    assert_eq!(effects(world.at(later(3)), step.as_ref()).len(), 1);
}

#[test]
fn a_login_written_long_after_it_was_decided_on_begins_anew() {
    let (mut world, step) = (rolled_out(), step(HTPASSWD, "identity"));
    let changes = world.changes(step.as_ref());
    world.write(&changes[..3]).at(later(60));
    write(&mut world, step.as_ref());
    assert_eq!(record(&world)["since"], later(60).to_string());
    hypershift(&mut world, "True", "");
    world.put(deployment(1, 1));
    assert_eq!(effects(&world, step.as_ref()), []);
}

#[test]
fn an_issuers_old_api_servers_are_no_roll_out() {
    let oidc = "  identity:
    clusterAdmins: {users: [ada]}
    oidc: {name: sso, issuer: 'https://sso.example.com', audiences: [o], username: {claim: email}}
";
    let (mut world, step) = (rolled_out(), step(oidc, "identity"));
    let server = |config: &str| {
        let mut server = deployment(1, 1);
        server["metadata"]["name"] = json!("kube-apiserver");
        server["spec"]["template"]["metadata"]["annotations"]["config"] = json!(config);
        server
    };
    world.put(server("a"));
    write(&mut world, step.as_ref());
    hypershift(&mut world, "True", "");
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["status"] = conditions(&[("ValidConfiguration", "True", "Valid", "")])["status"].clone();
    });
    assert_eq!(sent(&mut world, step.as_ref()), Vec::<String>::new());
    world.put(server("b"));
    sent(&mut world, step.as_ref());
    assert_eq!(record(&world)["phase"], "awaiting");
}

#[test]
fn a_password_from_a_secret_is_what_a_person_types() {
    let (mut world, step) = (
        rolled_out(),
        step(&HTPASSWD.replace("{env: X}", "{secret: pw}"), "identity"),
    );
    let password = |text: &str| {
        let data = json!({ "data": { "password": STANDARD.encode(text) } });
        object(resources::SECRET, "hcp", "pw", &data)
    };
    world.put(password("hunter2\n"));
    write(&mut world, step.as_ref());
    let like = object(
        resources::SECRET,
        "hcp",
        "guest-cluster-0-idp-staff-htpasswd-1",
        &json!({}),
    );
    let encoded = world.find(&like).expect("a file")["data"]["htpasswd"].clone();
    let file = STANDARD.decode(encoded.as_str().expect("a text")).expect("base64");
    let file = String::from_utf8(file).expect("a text");
    let hash = file.lines().find_map(|line| line.strip_prefix("ada:")).expect("a line");
    assert!(bcrypt::verify("hunter2", hash).expect("a hash"));
    hypershift(&mut world, "True", "");
    let [Effect::TryLogin { password: tried, .. }] = &effects(&world, step.as_ref())[..] else {
        panic!("one login")
    };
    assert_eq!(tried.reveal(), "hunter2");

    world.put(password(&"a".repeat(73)));
    let Assessment::Blocked { diagnosis, .. } = assess(&world, step.as_ref()) else {
        panic!("it is blocked")
    };
    assert_eq!(
        diagnosis.evidence,
        ["a password of spec.identity.providers[0].htpasswd is none that bcrypt takes: it has more than 72 bytes"]
    );
}

#[test]
fn what_turns_invalid_before_anybody_saw_it_work_is_taken_back() {
    let (mut world, step) = applied(BROWSER);
    hypershift(&mut world, "True", "");
    sent(&mut world, step.as_ref());
    assert_eq!(record(&world)["phase"], "awaiting");
    hypershift(&mut world, "False", "issuer unreachable");
    match assess(&world, step.as_ref()) {
        Assessment::Waiting { recheck_at, .. } => assert_eq!(recheck_at, Some(now() + SignedDuration::from_secs(30))),
        other => panic!("{other:?}"),
    }
    world.at(later(1));
    assert!(sent(&mut world, step.as_ref()).contains(&"set spec.configuration.oauth None".to_owned()));
    assert_eq!(
        record(&world)["reason"],
        "ValidIDPConfiguration is False: Reason issuer unreachable"
    );
}

#[test]
fn going_back_leaves_the_other_settings_of_oauth_alone() {
    let (mut world, step) = (rolled_out(), step(HTPASSWD, "identity"));
    let settings = json!({ "tokenConfig": { "accessTokenMaxAgeSeconds": 60 } });
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["spec"]["configuration"] = json!({ "oauth": settings });
    });
    write(&mut world, step.as_ref());
    assert!(cluster(&world)["spec"]["configuration"]["oauth"]["identityProviders"].is_array());
    hypershift(&mut world, "False", "no");
    world.at(later(1));
    sent(&mut world, step.as_ref());
    assert_eq!(cluster(&world)["spec"]["configuration"]["oauth"], settings);
    let Assessment::Fatal { diagnosis } = assess(&world, step.as_ref()) else {
        panic!("it failed")
    };
    assert!(
        diagnosis.evidence[1].contains("no kubeadmin as long as"),
        "{diagnosis:?}"
    );
}

#[test]
fn what_a_person_put_in_place_of_a_refused_login_stays() {
    let (mut world, step) = applied(HTPASSWD);
    hypershift(&mut world, "False", "no");
    world.at(later(1));
    sent(&mut world, step.as_ref());
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["spec"]["configuration"] = json!({ "oauth": { "identityProviders": [{ "name": "mine" }] } });
    });
    assert_eq!(sent(&mut world, step.as_ref()), Vec::<String>::new());
    let Assessment::Fatal { diagnosis } = assess(&world, step.as_ref()) else {
        panic!("it failed")
    };
    assert!(diagnosis.evidence[1].contains("left alone"), "{diagnosis:?}");
}

#[test]
fn a_stale_word_of_hypershift_is_no_word() {
    let (mut world, step) = applied(HTPASSWD);
    hypershift(&mut world, "True", "");
    world.change("HostedControlPlane", "guest-cluster-0", |plane| {
        plane["metadata"]["generation"] = json!(3);
    });
    match assess(&world, step.as_ref()) {
        Assessment::Waiting { detail, .. } => assert_eq!(detail, "ValidIDPConfiguration is not known yet"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_invalid_is_taken_back_and_not_tried_again() {
    let (mut world, step) = applied(HTPASSWD);
    hypershift(&mut world, "False", "issuer unreachable");
    match assess(&world, step.as_ref()) {
        Assessment::Waiting { recheck_at, .. } => assert_eq!(recheck_at, Some(now() + SignedDuration::from_secs(30))),
        other => panic!("{other:?}"),
    }
    assert_eq!(sent(&mut world, step.as_ref()), Vec::<String>::new(), "it may pass");
    world.at(later(1));
    assert_eq!(
        sent(&mut world, step.as_ref()),
        [
            "set metadata.annotations.berth.dev/identity …",
            "set spec.configuration.oauth None",
        ]
    );
    let Assessment::Fatal { diagnosis } = assess(&world, step.as_ref()) else {
        panic!("it failed")
    };
    assert_eq!(diagnosis.id, "A05");
    assert_eq!(
        diagnosis.evidence[0],
        "ValidIDPConfiguration is False: Reason issuer unreachable"
    );
    assert!(diagnosis.evidence[1].starts_with("what was before is back: kubeadmin, with a new password"));
    // The same document again: no flip-flop. Another one: another try.
    world.at(later(100));
    assert_eq!(sent(&mut world, step.as_ref()), Vec::<String>::new());
    let other = self::step(&HTPASSWD.replace("name: staff", "name: others"), "identity");
    assert!(sent(&mut world, other.as_ref()).contains(&"set spec.configuration.oauth Some(\"…\")".to_owned()));
}

#[test]
fn a_kill_between_the_two_writes_of_going_back_changes_nothing() {
    let (mut world, step) = applied(HTPASSWD);
    hypershift(&mut world, "False", "no");
    world.at(later(1));
    let changes = world.changes(step.as_ref());
    world.write(&changes[..1]);
    assert_eq!(sent(&mut world, step.as_ref()), ["set spec.configuration.oauth None"]);
}

#[test]
fn a_refused_login_and_a_stuck_roll_out_are_taken_back() {
    let (mut world, step) = applied(HTPASSWD);
    hypershift(&mut world, "True", "");
    let [login] = effects(&world, step.as_ref()).try_into().expect("one login");
    let mut refused = world.clone();
    refused.record(login, Ok(Outcome::Login(Login::Refused { why: "401".to_owned() })));
    sent(&mut refused, step.as_ref());
    assert_eq!(record(&refused)["reason"], "a login through staff was refused: 401");

    let mut stuck = deployment(2, 2);
    stuck["status"]["readyReplicas"] = json!(1);
    stuck["status"]["conditions"] = json!([{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": "timed out", "lastTransitionTime": later(1).to_string() }]);
    world.put(stuck);
    sent(&mut world, step.as_ref());
    assert_eq!(
        record(&world)["reason"],
        "the Deployment oauth-openshift does not get on: timed out"
    );
}

#[test]
fn a_login_that_can_not_be_reached_from_here_is_for_a_person_to_try() {
    let (mut world, step) = applied(HTPASSWD);
    hypershift(&mut world, "True", "");
    let [login] = effects(&world, step.as_ref()).try_into().expect("one login");
    let failure = EffectFailure {
        message: "no".to_owned(),
        fix: String::new(),
        transient: true,
    };
    world.record(login.clone(), Err(failure));
    assert_eq!(
        sent(&mut world, step.as_ref()),
        Vec::<String>::new(),
        "it is tried again"
    );
    world.record(
        login,
        Ok(Outcome::Login(Login::NotReached {
            why: "no route".to_owned(),
        })),
    );
    sent(&mut world, step.as_ref());
    assert_eq!(
        (&record(&world)["phase"], &record(&world)["awaiting"]),
        (&json!("awaiting"), &json!(["staff"]))
    );
    assert!(assess(&world, step.as_ref()).is_ready());
}

#[test]
fn a_browser_login_waits_for_a_person_until_the_deadline() {
    let (mut world, step) = applied(BROWSER);
    hypershift(&mut world, "True", "");
    assert_eq!(
        sent(&mut world, step.as_ref()),
        ["set metadata.annotations.berth.dev/identity …"]
    );
    assert_eq!(record(&world)["until"], later(30).to_string());
    match assess(&world, step.as_ref()) {
        Assessment::Waiting { reason, recheck_at, .. } => {
            assert_eq!((reason.as_str(), recheck_at), ("AwaitingConfirmation", Some(later(30))));
        }
        other => panic!("{other:?}"),
    }
    let mut confirmed = world.clone();
    let identities = [json!({
        "metadata": { "creationTimestamp": later(1).to_string() }, "providerName": "hub", "user": { "name": "ada" },
    })];
    let known = crate::identity::Known {
        identities: &identities,
        tokens: &[],
    };
    let patch = crate::identity::confirm(cluster(&confirmed), known, None, later(5))
        .expect("confirmed")
        .patch;
    confirmed.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["metadata"]["annotations"] = patch["metadata"]["annotations"].clone();
    });
    assert!(assess(&confirmed.at(later(31)).clone(), step.as_ref()).is_ready());
    assert_eq!(sent(&mut confirmed, step.as_ref()), Vec::<String>::new());

    world.at(later(31));
    assert!(sent(&mut world, step.as_ref()).contains(&"set spec.configuration.oauth None".to_owned()));
    assert_eq!(record(&world)["reason"], "nobody confirmed a login through hub in time");
}

#[test]
fn what_the_document_refers_to_must_be_there_before_anything_is_written() {
    let (mut world, step) = (rolled_out(), step(BROWSER, "identity"));
    world.change("Secret", "kept", |secret| secret["data"] = json!({}));
    assert_eq!(write(&mut world, step.as_ref()), Vec::<String>::new());
    let Assessment::Blocked { diagnosis, .. } = assess(&world, step.as_ref()) else {
        panic!("it is blocked")
    };
    assert_eq!(
        diagnosis.evidence,
        ["Secret hcp/kept has no `clientSecret` (spec.identity.providers[0].github.clientSecret)",]
    );
}

#[test]
fn another_password_is_a_new_revision_and_the_former_one_can_be_put_back() {
    let (mut world, step) = applied(HTPASSWD);
    hypershift(&mut world, "True", "");
    let [login] = effects(&world, step.as_ref()).try_into().expect("one login");
    world.record(login, Ok(Outcome::Login(Login::Granted { user: "ada".to_owned() })));
    sent(&mut world, step.as_ref());
    // The file behind the document says something else now.
    world.change("Secret", "guest-cluster-0-idp-staff-htpasswd-1", |secret| {
        secret["data"]["htpasswd"] = json!("eA==");
    });
    let lines = sent(&mut world, step.as_ref());
    assert_eq!(lines[0], "apply Secret hcp/guest-cluster-0-idp-staff-htpasswd-2");
    assert_eq!(
        record(&world)["former"]["providers"][0]["htpasswd"]["fileData"]["name"],
        "guest-cluster-0-idp-staff-htpasswd-1"
    );
    hypershift(&mut world, "False", "no");
    world.at(later(1));
    sent(&mut world, step.as_ref());
    let live = &cluster(&world)["spec"]["configuration"]["oauth"]["identityProviders"][0];
    assert_eq!(
        live["htpasswd"]["fileData"]["name"],
        "guest-cluster-0-idp-staff-htpasswd-1"
    );
}

#[test]
fn a_document_without_the_section_takes_back_what_berth_put_in_place() {
    let (mut world, _) = applied(HTPASSWD);
    let access = step("", "access");
    assert_eq!(
        sent(&mut world, access.as_ref()),
        [
            "set spec.configuration.oauth None",
            "delete Secret hcp/guest-cluster-0-idp-staff-htpasswd-1",
            "delete ClusterRoleBinding berth-cluster-admins",
            "set metadata.annotations.berth.dev/identity …",
        ]
    );
    assert_eq!(sent(&mut world, access.as_ref()), Vec::<String>::new());
    // Somebody else's provider is nobody's business.
    let mut world = rolled_out();
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["spec"]["configuration"] = json!({ "oauth": { "identityProviders": [{ "name": "a" }] } });
    });
    assert_eq!(sent(&mut world, access.as_ref()), Vec::<String>::new());
}

#[test]
fn a_document_that_overrides_who_may_log_in_takes_nothing_back() {
    let (mut world, _) = applied(HTPASSWD);
    let overrides = "  overrides: {hostedCluster: {configuration: {oauth: {identityProviders: [{name: staff}]}}}}\n";
    assert_eq!(
        sent(&mut world, step(overrides, "access").as_ref()),
        Vec::<String>::new()
    );
    let other =
        "  overrides: {hostedCluster: {configuration: {oauth: {tokenConfig: {accessTokenMaxAgeSeconds: 60}}}}}\n";
    assert!(!sent(&mut world, step(other, "access").as_ref()).is_empty());
}

#[test]
fn what_was_there_before_berth_comes_back_with_the_end_of_the_section() {
    let (mut world, first) = (rolled_out(), step(HTPASSWD, "identity"));
    let theirs = json!([{ "name": "theirs", "type": "OpenID" }]);
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["spec"]["configuration"] = json!({ "oauth": { "identityProviders": theirs } });
    });
    write(&mut world, first.as_ref());
    hypershift(&mut world, "True", "");
    let [login] = effects(&world, first.as_ref()).try_into().expect("one login");
    world.record(login, Ok(Outcome::Login(Login::Granted { user: "ada".to_owned() })));
    sent(&mut world, first.as_ref());
    // A second login of Berth's: what it replaces is not what was there before Berth.
    write(&mut world, step(BROWSER, "identity").as_ref());
    assert_eq!(record(&world)["former"]["providers"][0]["name"], "staff");
    sent(&mut world, step("", "access").as_ref());
    assert_eq!(
        cluster(&world)["spec"]["configuration"]["oauth"]["identityProviders"],
        theirs
    );
}

/// A login of Berth's that works, and another one after it that did not and was taken back.
fn gone_back() -> (World, Box<dyn Step>) {
    let (mut world, step) = applied(HTPASSWD);
    settle(&mut world, step.as_ref());
    world.change("Secret", "guest-cluster-0-idp-staff-htpasswd-1", |secret| {
        secret["data"]["htpasswd"] = json!("eA==");
    });
    write(&mut world, step.as_ref());
    hypershift(&mut world, "False", "no");
    world.at(later(1));
    sent(&mut world, step.as_ref());
    assert_eq!(record(&world)["phase"], "refused");
    (world, step)
}

fn settle(world: &mut World, step: &dyn Step) {
    hypershift(world, "True", "");
    let [login] = effects(world, step).try_into().expect("one login");
    world.record(login, Ok(Outcome::Login(Login::Granted { user: "ada".to_owned() })));
    sent(world, step);
    assert_eq!(record(world)["phase"], "settled");
}

#[test]
fn a_former_login_of_berths_goes_with_the_section_too() {
    let (mut world, _) = gone_back();
    let access = step("", "access");
    assert_eq!(
        sent(&mut world, access.as_ref()),
        [
            "set spec.configuration.oauth None",
            "delete Secret hcp/guest-cluster-0-idp-staff-htpasswd-1",
            "delete Secret hcp/guest-cluster-0-idp-staff-htpasswd-2",
            "delete ClusterRoleBinding berth-cluster-admins",
            "set metadata.annotations.berth.dev/identity …",
        ]
    );
    assert_eq!(sent(&mut world, access.as_ref()), Vec::<String>::new());
}

#[test]
fn what_was_there_before_berth_is_known_however_often_a_login_is_taken_back() {
    let (mut world, _) = gone_back();
    let browser = step(BROWSER, "identity");
    write(&mut world, browser.as_ref());
    hypershift(&mut world, "False", "no");
    world.at(later(3));
    sent(&mut world, browser.as_ref());
    assert_eq!(record(&world)["phase"], "refused");
    let lines = sent(&mut world, step("", "access").as_ref());
    assert_eq!(lines[0], "set spec.configuration.oauth None");
}

#[test]
fn a_document_that_wants_the_former_login_again_goes_back_to_what_was_before_it() {
    let (mut world, first) = applied(HTPASSWD);
    settle(&mut world, first.as_ref());
    let browser = step(BROWSER, "identity");
    // Once that it did not work, and once that nobody had seen it work yet.
    let mut unproven = world.clone();
    write(&mut unproven, browser.as_ref());
    write(&mut unproven, first.as_ref());
    write(&mut world, browser.as_ref());
    hypershift(&mut world, "False", "no");
    world.at(later(1));
    sent(&mut world, browser.as_ref());
    sent(&mut world, first.as_ref());
    assert_eq!(
        (&record(&world)["phase"], record(&world).get("reason")),
        (&json!("settled"), None)
    );
    for world in [unproven, world] {
        assert_eq!(record(&world)["former"], json!({ "providers": null, "oidc": null }));
    }
}

#[test]
fn a_persons_login_over_an_unproven_one_is_what_comes_back() {
    let (mut world, _) = applied(HTPASSWD);
    let theirs = json!([{ "name": "theirs", "type": "OpenID" }]);
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["spec"]["configuration"] = json!({ "oauth": { "identityProviders": theirs } });
    });
    write(&mut world, step(BROWSER, "identity").as_ref());
    assert_eq!(record(&world)["former"]["providers"], theirs);
}

#[test]
fn a_refused_login_that_a_person_put_there_again_is_nothing_to_go_back_to() {
    let (mut world, first) = applied(HTPASSWD);
    let refused = cluster(&world)["spec"]["configuration"].clone();
    hypershift(&mut world, "False", "no");
    world.at(later(1));
    sent(&mut world, first.as_ref());
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["spec"]["configuration"] = refused.clone();
    });
    write(&mut world, step(BROWSER, "identity").as_ref());
    assert_eq!(record(&world)["former"], json!({ "providers": null, "oidc": null }));
}

/// What a person may do to a login.
fn add_provider(world: &mut World) {
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        let providers = &mut cluster["spec"]["configuration"]["oauth"]["identityProviders"];
        let providers = providers.as_array_mut().expect("a list");
        providers.push(json!({ "name": "theirs", "type": "OpenID" }));
    });
}

#[test]
fn what_the_login_before_berth_refers_to_is_kept() {
    let (mut world, first) = applied(HTPASSWD);
    settle(&mut world, first.as_ref());
    add_provider(&mut world);
    for (name, minutes) in [("name: others", 5), ("name: third", 10)] {
        let next = step(&HTPASSWD.replace("name: staff", name), "identity");
        write(&mut world, next.as_ref());
        world.at(later(minutes));
        settle(&mut world, next.as_ref());
    }
    let like = |name: &str| object(resources::SECRET, "hcp", name, &json!({}));
    assert!(world.find(&like("guest-cluster-0-idp-staff-htpasswd-1")).is_some());
    write(&mut world, step("", "access").as_ref());
    assert!(world.find(&like("guest-cluster-0-idp-staff-htpasswd-1")).is_some());
    assert!(world.find(&like("guest-cluster-0-idp-third-htpasswd-1")).is_none());
}

#[test]
fn admins_stay_as_long_as_a_login_that_a_person_changed_lets_them_in() {
    let (mut world, first) = applied(HTPASSWD);
    settle(&mut world, first.as_ref());
    add_provider(&mut world);
    let access = step("", "access");
    assert_eq!(sent(&mut world, access.as_ref()), Vec::<String>::new());
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        cluster["spec"]["configuration"]["oauth"]["identityProviders"]
            .as_array_mut()
            .expect("a list")
            .remove(0);
    });
    assert_eq!(
        sent(&mut world, access.as_ref()),
        [
            "delete Secret hcp/guest-cluster-0-idp-staff-htpasswd-1",
            "delete ClusterRoleBinding berth-cluster-admins",
            "set metadata.annotations.berth.dev/identity …",
        ]
    );
}

/// What a person decided between two runs.
fn decide(world: &mut World, patch: &Value) {
    world.change("HostedCluster", "guest-cluster-0", |cluster| {
        crate::patch::merge(cluster, patch);
    });
}

#[test]
fn a_login_that_may_be_tried_again_still_goes_with_the_section() {
    let (mut world, first) = applied(HTPASSWD);
    settle(&mut world, first.as_ref());
    let reversal = crate::identity::revert(cluster(&world), later(1)).expect("taken back");
    decide(&mut world, &reversal.patch);
    let patch = crate::identity::retry(cluster(&world), later(2)).expect("may be tried again");
    decide(&mut world, &patch);
    let mut tried = world.clone();
    assert_eq!(
        sent(&mut world, step("", "access").as_ref()),
        [
            "delete Secret hcp/guest-cluster-0-idp-staff-htpasswd-1",
            "delete ClusterRoleBinding berth-cluster-admins",
            "set metadata.annotations.berth.dev/identity …",
        ]
    );
    assert_eq!(
        sent(&mut tried, first.as_ref()),
        [
            "set metadata.annotations.berth.dev/identity …",
            "set spec.configuration.oauth Some(\"…\")",
        ]
    );
    assert_eq!(
        (&record(&tried)["phase"], &record(&tried)["former"]["providers"]),
        (&json!("applied"), &Value::Null)
    );
}

#[test]
fn what_a_person_took_back_is_not_said_to_have_failed() {
    let (mut world, first) = applied(HTPASSWD);
    settle(&mut world, first.as_ref());
    let reversal = crate::identity::revert(cluster(&world), later(1)).expect("taken back");
    decide(&mut world, &reversal.patch);
    assert_eq!(sent(&mut world, first.as_ref()), Vec::<String>::new());
    let Assessment::Fatal { diagnosis } = assess(&world, first.as_ref()) else {
        panic!("a person has to decide")
    };
    assert_eq!(
        diagnosis.title,
        "the login that the document wants was taken back by a person"
    );
    assert_eq!(
        diagnosis.evidence,
        ["what was before is back: kubeadmin, with a new password (since 2026-01-02T03:01:00Z)"]
    );
}

#[test]
fn what_was_there_before_berth_is_known_after_another_try() {
    let (mut world, first) = gone_back();
    let patch = crate::identity::retry(cluster(&world), later(2)).expect("may be tried again");
    decide(&mut world, &patch);
    world.at(later(3));
    assert!(sent(&mut world, first.as_ref()).contains(&"set spec.configuration.oauth Some(\"…\")".to_owned()));
    assert_eq!(
        record(&world)["former"]["providers"][0]["htpasswd"]["fileData"]["name"],
        "guest-cluster-0-idp-staff-htpasswd-1"
    );
    let lines = sent(&mut world, step("", "access").as_ref());
    assert_eq!(lines[0], "set spec.configuration.oauth None");
}

#[test]
fn a_bare_hub_is_told_what_will_come() {
    let step = step(HTPASSWD, "identity");
    let changes: Vec<_> = World::bare().changes(step.as_ref()).iter().map(line).collect();
    assert_eq!(
        changes,
        [
            "apply ClusterRoleBinding berth-cluster-admins",
            "later let people log in through staff (HTPasswd): this ends kubeadmin",
        ]
    );
}

#[test]
fn nothing_that_is_said_or_kept_holds_a_password() {
    let (mut world, step) = applied(HTPASSWD);
    hypershift(&mut world, "True", "");
    let told = format!(
        "{step:?} {:?} {:?} {:?} {}",
        world.changes(step.as_ref()),
        effects(&world, step.as_ref()),
        assess(&world, step.as_ref()),
        record(&world),
    );
    assert!(!told.contains("dXNlcjpwYXNz") && !told.contains("$2y$"), "{told}");
}

// The way in that stays open.

fn key(mark: &str) -> Outcome {
    Outcome::Key {
        request: "REQUEST".to_owned(),
        fingerprint: format!("{mark}0123456789"),
    }
}

#[test]
fn a_key_is_certified_by_the_guests_signer_and_proven() {
    let (mut world, step) = (rolled_out(), step(HTPASSWD, "break-glass"));
    world.put(established(resources::CERTIFICATE_SIGNING_REQUEST_APPROVAL));
    assert_eq!(
        write(&mut world, step.as_ref()),
        ["later ask the guest's signer to certify the key"]
    );
    let make = effects(&world, step.as_ref()).remove(0);
    assert!(
        matches!(&make, Effect::MakeKey { name, organization, .. }
        if name == "hcp.guest-cluster-0-01234567" && organization == "system:masters"),
        "{make:?}"
    );
    world.record(make, Ok(key("a")));
    assert_eq!(
        write(&mut world, step.as_ref()),
        [
            "create CertificateSigningRequest berth-hcp-guest-cluster-0-a012345678",
            "create CertificateSigningRequestApproval hcp-guest-cluster-0/berth-hcp-guest-cluster-0-a012345678",
        ]
    );
    let request = world.find(&json!({ "kind": "CertificateSigningRequest",
        "metadata": { "name": "berth-hcp-guest-cluster-0-a012345678" } }));
    let spec = &request.expect("a request")["spec"];
    assert_eq!(
        spec["signerName"],
        "hypershift.openshift.io/hcp-guest-cluster-0.customer-break-glass"
    );
    assert_eq!(
        (&spec["usages"], &spec["request"]),
        (&json!(["client auth"]), &json!(STANDARD.encode("REQUEST")))
    );
    assert!(matches!(assess(&world, step.as_ref()), Assessment::Waiting { reason, .. } if reason == "NotSigned"));
    world.change(
        "CertificateSigningRequest",
        "berth-hcp-guest-cluster-0-a012345678",
        |request| {
            request["status"] = json!({ "certificate": STANDARD.encode("SIGNED") });
        },
    );
    let proof = effects(&world, step.as_ref()).pop().expect("a proof");
    assert!(!assess(&world, step.as_ref()).is_ready());
    world.record(
        proof,
        Ok(Outcome::Credential {
            path: "/home/x".into(),
            user: "system:customer-break-glass:berth".to_owned(),
            until: Some(later(2160)),
        }),
    );
    let Assessment::Ready { outputs } = assess(&world, step.as_ref()) else {
        panic!("it is proven")
    };
    assert_eq!(outputs["breakGlass"], "/home/x");
    assert_eq!(outputs["breakGlassUntil"], "2026-01-03T15:00:00Z");

    // An old certificate is not worth proving: another key is made.
    world.change(
        "CertificateSigningRequest",
        "berth-hcp-guest-cluster-0-a012345678",
        |request| {
            request["metadata"]["creationTimestamp"] = json!(now().to_string());
        },
    );
    world.at(later(13 * 60));
    let again = effects(&world, step.as_ref());
    assert!(
        matches!(&again[1], Effect::MakeKey { instead_of: Some(old), .. } if old.starts_with('a')),
        "{again:?}"
    );
}

#[test]
fn a_refused_request_stops_before_anything_is_put_in_place() {
    let (mut world, step) = (rolled_out(), step(HTPASSWD, "break-glass"));
    world.put(established(resources::CERTIFICATE_SIGNING_REQUEST_APPROVAL));
    let make = effects(&world, step.as_ref()).remove(0);
    world.record(make, Ok(key("a")));
    write(&mut world, step.as_ref());
    world.change(
        "CertificateSigningRequest",
        "berth-hcp-guest-cluster-0-a012345678",
        |request| {
            request["status"] = json!({ "conditions": [{ "type": "Denied", "status": "True", "message": "no" }] });
        },
    );
    let Assessment::Fatal { diagnosis } = assess(&world, step.as_ref()) else {
        panic!("it is fatal")
    };
    assert_eq!(
        (diagnosis.id.as_str(), diagnosis.evidence),
        ("A02", vec!["Denied: no".to_owned()])
    );
}

#[test]
fn without_a_signer_the_admin_kubeconfig_stands_in() {
    let (world, step) = (rolled_out(), step(HTPASSWD, "break-glass"));
    let [proof] = effects(&world, step.as_ref()).try_into().expect("one effect");
    assert!(
        matches!(&proof, Effect::ProveCredential { credential: crate::effect::Credential::Whole { certificate, .. }, .. } if certificate == "CERT")
    );
    assert_eq!(world.changes(step.as_ref()), []);
}

#[test]
fn no_other_way_in_is_needed_once_a_login_is_in_place() {
    let (world, _) = applied(HTPASSWD);
    let step = step(HTPASSWD, "break-glass");
    assert_eq!(effects(&world, step.as_ref()), []);
    assert!(assess(&world, step.as_ref()).is_ready());
}
