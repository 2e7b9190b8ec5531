//! `berth kubeconfig` and `berth password`: the two commands that exist to print a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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

/// Prints the credential on stdout, and nothing else there.
pub(crate) async fn run(printer: &Printer, session: &Session, typed: &str, credential: Credential) -> Result<Exit> {
    let guest = guests::find(&session.client, typed).await?;
    let value = read(printer, session, &guest, credential).await?;
    match credential {
        // A kubeconfig is printed verbatim, as `hcp create kubeconfig` does.
        Credential::Kubeconfig => printer.out(&value),
        Credential::Password => printer.line(&value),
    }
    Ok(Exit::Done)
}

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
        let failure = Failure::failed(format!("HostedCluster {namespace}/{name} has no {what} yet"));
        let status = format!("{} status{}", printer.program, session.flags);
        return Err(match credential {
            Credential::Password if !object["spec"]["configuration"]["oauth"].is_null() => failure
                .hint("an identity provider is configured, and that removes kubeadmin: log in through the provider"),
            _ => failure.hint(format!("`{status} {name}` shows how far its control plane is")),
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
