//! `berth password`, and what it shares with `berth kubeconfig`: reading the Secrets that exist to be printed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_procedure::render::removes_kubeadmin;
use serde_json::Value;

use crate::discovery::get;
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::guests::{self, Guest};
use crate::printer::Printer;
use crate::session::Session;

/// Which secret of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    Kubeconfig,
    Password,
}

impl Credential {
    /// The HostedCluster's status field that names the Secret, the Secret's key, and what to call it.
    fn where_it_is(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Kubeconfig => ("kubeconfig", "kubeconfig", "kubeconfig"),
            Self::Password => ("kubeadminPassword", "password", "kubeadmin password"),
        }
    }
}

/// Prints the password on stdout, and nothing else there.
pub(crate) async fn password(printer: &Printer, session: &Session, typed: &str) -> Result<Exit> {
    let guest = guests::find(&session.client, typed).await?;
    printer.line(&read(printer, session, &guest, Credential::Password).await?);
    Ok(Exit::Done)
}

/// The names of the identity providers that a HostedCluster has.
pub(crate) fn providers(cluster: &Value) -> Vec<&str> {
    let configuration = &cluster["spec"]["configuration"];
    let oauth = configuration["oauth"]["identityProviders"]
        .as_array()
        .into_iter()
        .flatten();
    let oidc = configuration["authentication"]["oidcProviders"]
        .as_array()
        .into_iter()
        .flatten();
    oauth
        .chain(oidc)
        .filter_map(|provider| provider["name"].as_str())
        .collect()
}

/// The value of a guest's credential.
pub(crate) async fn read(
    printer: &Printer,
    session: &Session,
    guest: &Guest,
    credential: Credential,
) -> Result<String> {
    let (field, key, what) = credential.where_it_is();
    let Guest {
        namespace,
        name,
        object,
    } = guest;
    let Some(secret) = object["status"][field]["name"].as_str() else {
        return Err(match credential {
            Credential::Password if removes_kubeadmin(object) => no_kubeadmin(printer, session, guest),
            _ => Failure::failed(format!("HostedCluster {namespace}/{name} has no {what} yet")).hint(format!(
                "`{} status{} {name}` shows how far its control plane is",
                printer.program, session.flags
            )),
        });
    };
    let path = format!("/api/v1/namespaces/{namespace}/secrets/{secret}");
    let object = get(&session.client, &path, "application/json").await;
    let object = object.attempted(format!("could not read Secret {namespace}/{secret}"))?;
    let bytes = object["data"][key]
        .as_str()
        .and_then(|encoded| STANDARD.decode(encoded).ok());
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Failure::failed(format!("Secret {namespace}/{secret} holds no `{key}`")))
}

/// There is no password any longer, and other ways in.
fn no_kubeadmin(printer: &Printer, session: &Session, guest: &Guest) -> Failure {
    let Guest {
        namespace,
        name,
        object,
    } = guest;
    let providers = providers(object);
    let (message, through) = if object["spec"]["configuration"]["oauth"].is_null() {
        (
            "OIDC takes the place of its OAuth server, and with that there is no kubeadmin",
            "the issuer",
        )
    } else if providers.is_empty() {
        (
            "`spec.configuration.oauth` is set, and that removes kubeadmin even without a provider",
            "a provider, once there is one",
        )
    } else {
        (
            "an identity provider is configured, and that removes kubeadmin",
            "the provider",
        )
    };
    let through = if providers.is_empty() {
        through.to_owned()
    } else {
        providers.join(" or ")
    };
    Failure::failed(format!("guest {namespace}/{name} has no kubeadmin password: {message}"))
        .hint(format!("log in through {through}: oc login --web, or the console (`{} open{} {name}`)", printer.program, session.flags))
        .hint(format!(
            "`{} kubeconfig{} {name}` does without: it has a certificate of its own; nobody else is cluster-admin unless a \
             ClusterRoleBinding says so (A03)",
            printer.program, session.flags
        ))
}
