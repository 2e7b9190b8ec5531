//! Who can log in to a guest: its OAuth server's providers, the clients that may ask for tokens, the first password, and the
//! roles that are there from the start.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::Progress;
use super::ingress::apps_domain;
use crate::actor::Context;
use crate::actors::SIMULATED;
use crate::client::{Client, Result, name_of, namespace_of};
use crate::kind::{CLUSTER_ROLE, CLUSTER_ROLE_BINDING, OAUTH, OAUTH_CLIENT, SECRET};
use crate::oauth::Settings;
use crate::objects::{annotation, ensure as ensure_object, merge, uid};
use crate::site::Guest;

/// On the guest's copy of the first password: the uid of the Secret whose password was hashed.
const OF: &str = "lab.berth.dev/hash-of";
/// bcrypt's least. The password has more than a hundred random bits, and a lab has hundreds of guests.
const COST: u32 = 4;
const CHALLENGING: &str = "openshift-challenging-client";

/// Brings the guest's logins to where the control plane's roll-out is.
pub(super) async fn reconcile(
    context: &Context,
    inside: &Client,
    control_plane: &Value,
    guest: &Guest,
    progress: &Progress,
) -> Result<()> {
    let configuration = &control_plane["spec"]["configuration"];
    if configuration["authentication"]["type"] == "OIDC" {
        guest.oauth.switch_off();
        return Ok(());
    }
    let url = guest.oauth.url();
    match inside.get(OAUTH_CLIENT, None, CHALLENGING).await? {
        Some(found) if found["redirectURIs"][0].as_str() == Some(&implicit(url)) => {}
        _ => clients(context, inside, control_plane, url).await?,
    }
    // Until its pods are there, the providers are those of the roll-out before.
    if !progress.is_rolled_out("oauth-openshift") {
        return Ok(());
    }
    match Settings::read(&context.client, control_plane).await? {
        Ok(settings) => guest.oauth.configure(settings),
        Err(problem) => tracing::debug!(
            guest = name_of(control_plane),
            problem,
            "the guest's providers stay as they are"
        ),
    }
    let providers = &configuration["oauth"]["identityProviders"];
    if let Some(found) = inside.get(OAUTH, None, "cluster").await? {
        merge(
            inside,
            OAUTH,
            &found,
            &json!({ "spec": { "identityProviders": providers } }),
        )
        .await?;
    }
    Ok(())
}

/// The guest's own `kubeadmin`, by which its OAuth server knows the first password: gone with it, and back with another.
pub(in super::super) async fn first_password(context: &Context, control_plane: &Value, guest: &Guest) -> Result<()> {
    let inside = &Client::new(guest.client.clone(), "hosted-cluster-config-operator-manager");
    let outside = context
        .client
        .get(SECRET, namespace_of(control_plane), "kubeadmin-password")
        .await?;
    let found = inside.get(SECRET, Some("kube-system"), "kubeadmin").await?;
    let (Some(outside), false) = (outside, control_plane["spec"]["configuration"]["oauth"].is_object()) else {
        if found.is_some() {
            inside.delete(SECRET, Some("kube-system"), "kubeadmin").await?;
        }
        return Ok(());
    };
    match found {
        Some(found) if annotation(&found, OF) == Some(uid(&outside)) => return Ok(()),
        // Tokens that were given out for the old one end with its Secret.
        Some(_) => inside.delete(SECRET, Some("kube-system"), "kubeadmin").await?,
        None => true,
    };
    let password = BASE64_STANDARD
        .decode(outside["data"]["password"].as_str().unwrap_or_default())
        .unwrap_or_default();
    let mut salt = [0; 16];
    salt.copy_from_slice(&context.random.bytes(16));
    let hash = match bcrypt::hash_with_salt(password, COST, salt) {
        Ok(hash) => hash.format_for_version(bcrypt::Version::TwoA),
        Err(error) => {
            tracing::warn!(%error, "the password of kubeadmin can't be hashed");
            return Ok(());
        }
    };
    let secret = json!({
        "metadata": {
            "name": "kubeadmin",
            "namespace": "kube-system",
            "annotations": { SIMULATED: "true", OF: uid(&outside) },
        },
        "type": "Opaque",
        "data": { "kubeadmin": BASE64_STANDARD.encode(hash) },
    });
    inside.create(SECRET, &secret).await?;
    Ok(())
}

fn implicit(url: &str) -> String {
    format!("{url}/oauth/token/implicit")
}

/// The clients that every cluster has, with redirects to where this lab's OAuth server listens.
async fn clients(context: &Context, inside: &Client, control_plane: &Value, url: &str) -> Result<()> {
    let console = format!(
        "https://console-openshift-console.{}/auth/callback",
        apps_domain(control_plane)
    );
    for (name, redirects, challenges, secret) in [
        (CHALLENGING, vec![implicit(url)], true, false),
        (
            "openshift-browser-client",
            vec![format!("{url}/oauth/token/display")],
            false,
            true,
        ),
        (
            "openshift-cli-client",
            vec![
                "http://127.0.0.1/callback".to_owned(),
                "http://[::1]/callback".to_owned(),
            ],
            false,
            false,
        ),
        ("console", vec![console], false, true),
    ] {
        if let Some(found) = inside.get(OAUTH_CLIENT, None, name).await? {
            merge(inside, OAUTH_CLIENT, &found, &json!({ "redirectURIs": redirects })).await?;
            continue;
        }
        let mut client = json!({ "metadata": { "name": name }, "grantMethod": "auto", "redirectURIs": redirects });
        if challenges {
            client["respondWithChallenges"] = true.into();
        }
        if secret {
            client["secret"] = context.random.suffix(43).into();
        }
        inside.create(OAUTH_CLIENT, &client).await?;
    }
    Ok(())
}

/// The roles that people are given, and those that everyone has.
pub(super) async fn roles(inside: &Client) -> Result<()> {
    const RBAC: &str = "rbac.authorization.k8s.io";
    let rule = |groups: &[&str], resources: &[&str], verbs: &[&str]| json!({ "apiGroups": groups, "resources": resources, "verbs": verbs });
    let look = ["get", "list", "watch"];
    let all = ["*"];
    let paths = json!({ "nonResourceURLs": ["*"], "verbs": ["*"] });
    let work = [
        "configmaps",
        "endpoints",
        "events",
        "persistentvolumeclaims",
        "pods",
        "pods/log",
        "pods/exec",
        "pods/eviction",
        "secrets",
        "serviceaccounts",
        "services",
    ];
    let seen: Vec<&str> = work
        .into_iter()
        .filter(|resource| !matches!(*resource, "secrets" | "pods/exec" | "pods/eviction"))
        .collect();
    let groups = [
        "apps",
        "batch",
        "autoscaling",
        "networking.k8s.io",
        "policy",
        "route.openshift.io",
    ];
    for (name, rules) in [
        ("cluster-admin", json!([rule(&all, &all, &all), paths])),
        (
            "cluster-reader",
            json!([
                rule(&[""], &seen, &look),
                rule(&[""], &["namespaces", "nodes", "persistentvolumes"], &look),
                rule(&groups, &all, &look),
                rule(
                    &["config.openshift.io", "operator.openshift.io", "storage.k8s.io", RBAC],
                    &all,
                    &look
                )
            ]),
        ),
        (
            "admin",
            json!([
                rule(&[""], &work, &all),
                rule(&groups, &all, &all),
                rule(&[RBAC], &["roles", "rolebindings"], &all)
            ]),
        ),
        ("edit", json!([rule(&[""], &work, &all), rule(&groups, &all, &all)])),
        ("view", json!([rule(&[""], &seen, &look), rule(&groups, &all, &look)])),
        (
            "basic-user",
            json!([
                rule(&["user.openshift.io"], &["users"], &["get"]),
                rule(&["project.openshift.io"], &["projects"], &["list", "watch"])
            ]),
        ),
        (
            "self-provisioner",
            json!([rule(&["project.openshift.io"], &["projectrequests"], &["create"])]),
        ),
    ] {
        ensure_object(
            inside,
            CLUSTER_ROLE,
            &json!({ "metadata": { "name": name }, "rules": rules }),
        )
        .await?;
    }
    for (name, role, group) in [
        ("cluster-admin", "cluster-admin", "system:masters"),
        ("cluster-admins", "cluster-admin", "system:cluster-admins"),
        ("cluster-readers", "cluster-reader", "system:cluster-readers"),
        ("basic-users", "basic-user", "system:authenticated"),
        ("self-provisioners", "self-provisioner", "system:authenticated:oauth"),
    ] {
        let binding = json!({
            "metadata": { "name": name },
            "roleRef": { "apiGroup": RBAC, "kind": "ClusterRole", "name": role },
            "subjects": [{ "apiGroup": RBAC, "kind": "Group", "name": group }],
        });
        ensure_object(inside, CLUSTER_ROLE_BINDING, &binding).await?;
    }
    Ok(())
}
