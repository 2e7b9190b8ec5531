//! `berth identity`: who may log in to a guest, and what a person decides about it.

use berth_api::yaml;
use berth_engine::{Connect as _, FIELD_MANAGER};
use berth_procedure::Secret;
use berth_procedure::identity::{self, IdentityStatus, Known, Reversal, Undecided};
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use kube::Client;
use serde_json::Value;

use crate::args::{IdentityCommand, Structured, TargetArgs};
use crate::commands::guest::{self, Credential};
use crate::commands::up::{ask, introduce, read_only};
use crate::connect::Guests;
use crate::discovery::get;
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::guests::{self, Guest};
use crate::printer::{Printer, Tone};
use crate::session::Session;
use crate::target::Purpose;

const IDENTITIES: &str = "/apis/user.openshift.io/v1/identities";
const TOKENS: &str = "/apis/oauth.openshift.io/v1/oauthaccesstokens";

/// Shows, or decides.
pub(crate) async fn run(printer: &Printer, target: &TargetArgs, command: IdentityCommand) -> Result<Exit> {
    let purpose = match command {
        IdentityCommand::Status { .. } => Purpose::Read,
        _ => Purpose::Write,
    };
    let session = Session::open(printer, target, purpose).await?;
    if target.read_only && !matches!(command, IdentityCommand::Status { .. }) {
        return Err(read_only(&session));
    }
    match command {
        IdentityCommand::Status { guest, output } => {
            let guest = guests::find(&session.client, &guest).await?;
            show(printer, &guest, output)
        }
        IdentityCommand::Confirm { guest, user } => {
            let guest = guests::find(&session.client, &guest).await?;
            confirm(printer, &session, &guest, user.as_deref()).await
        }
        IdentityCommand::Revert { guest, yes } => {
            let guest = guests::find(&session.client, &guest).await?;
            revert(printer, &session, &guest, yes).await
        }
        IdentityCommand::Retry { guest } => {
            let guest = guests::find(&session.client, &guest).await?;
            let patch =
                identity::retry(&guest.object, Timestamp::now()).map_err(|why| undecided(printer, &guest, &why))?;
            write(&session, &guest, &patch).await?;
            printer.say(&format!(
                "{}: the next `{} up` tries the login again",
                guest.name, printer.program
            ));
            Ok(Exit::Done)
        }
    }
}

fn show(printer: &Printer, guest: &Guest, output: Structured) -> Result<Exit> {
    let status = identity::status(&guest.object);
    let value = || {
        serde_json::to_value(&status)
            .map_err(|error| Failure::failed("the status could not be written").because(&error))
    };
    match output {
        Structured::Json => printer.line(&format!("{:#}", value()?)),
        Structured::Yaml => printer.out(&yaml::to_string(&value()?)),
        Structured::Text => printer.out(&text(printer, guest, status.as_ref())),
    }
    let is_refused = status.is_some_and(|status| status.phase == "refused");
    Ok(if is_refused { Exit::Failed } else { Exit::Done })
}

fn text(printer: &Printer, guest: &Guest, status: Option<&IdentityStatus>) -> String {
    let name = format!("{}/{}", guest.namespace, guest.name);
    let Some(status) = status else {
        return format!("{name}: no identity provider; kubeadmin logs in\n");
    };
    let mark = match status.phase.as_str() {
        "settled" => printer.out_tone(Tone::Good, "✓"),
        "applied" | "awaiting" | "retry" => printer.out_tone(Tone::Warning, "…"),
        "refused" => printer.out_tone(Tone::Bad, "✗"),
        _ => printer.out_tone(Tone::Quiet, "="),
    };
    format!("{mark} {name}: {}", standing(status))
}

/// How the logins stand: what became of the document's, then who logs in.
fn standing(status: &IdentityStatus) -> String {
    let since = status
        .since
        .map(|since| format!(" (since {since})"))
        .unwrap_or_default();
    let mut text = format!("the login {}{since}\n", told(status));
    if !status.reason.is_empty() {
        text.push_str(&format!("    {}\n", status.reason));
    }
    // What was taken back is not what is there.
    let now = if matches!(status.phase.as_str(), "refused" | "reverted" | "retry") {
        "logs in now: "
    } else {
        ""
    };
    for provider in &status.providers {
        text.push_str(&format!("    {now}{provider}\n"));
    }
    if !status.awaiting.is_empty() {
        text.push_str(&format!("    to confirm: {}\n", status.awaiting.join(", ")));
    }
    if let Some(until) = status.until {
        text.push_str(&format!("    taken back at {until} unless confirmed\n"));
    }
    let kubeadmin = if status.kubeadmin { "logs in" } else { "is gone" };
    text.push_str(&format!("    kubeadmin {kubeadmin}\n"));
    text
}

/// What became of a login, after "the login".
pub(crate) fn told(status: &IdentityStatus) -> &'static str {
    match status.phase.as_str() {
        "settled" => "works",
        "applied" => "is being rolled out",
        "awaiting" => "waits for a person to log in and confirm",
        "refused" => "did not work, and was taken back",
        "reverted" => "was taken back by a person",
        "retry" => "is tried again by the next `up`",
        _ => "was not put in place by Berth",
    }
}

async fn confirm(printer: &Printer, session: &Session, guest: &Guest, user: Option<&str>) -> Result<Exit> {
    let client = inside(printer, session, guest).await?;
    let known = Known {
        identities: &items(&client, guest, IDENTITIES).await?,
        tokens: &items(&client, guest, TOKENS).await?,
    };
    let confirmed = identity::confirm(&guest.object, known, user, Timestamp::now())
        .map_err(|why| undecided(printer, guest, &why))?;
    write(session, guest, &confirmed.patch).await?;
    for (provider, user) in &confirmed.seen {
        let told = match user {
            Some(user) => format!("{user} has logged in through {provider}"),
            None => format!("{provider} keeps its users itself: your word is taken for it"),
        };
        printer.say(&format!("{} {told}", printer.err_tone(Tone::Good, "✓")));
    }
    if !confirmed.rest.is_empty() {
        printer.say(&format!("still to confirm: {}", confirmed.rest.join(", ")));
    }
    Ok(Exit::Done)
}

/// What the guest has of a kind. An OIDC issuer's users are not kept in the guest: then there is no such kind.
async fn items(client: &Client, guest: &Guest, path: &str) -> Result<Vec<Value>> {
    match get(client, path, "application/json").await {
        Ok(list) => Ok(list["items"].as_array().cloned().unwrap_or_default()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
        Err(error) => Err(error).attempted(format!("could not read the logins of {}", guest.name)),
    }
}

async fn revert(printer: &Printer, session: &Session, guest: &Guest, yes: bool) -> Result<Exit> {
    let Reversal { patch, told } =
        identity::revert(&guest.object, Timestamp::now()).map_err(|why| undecided(printer, guest, &why))?;
    introduce(printer, session).await;
    printer.say(&format!("{}: {told}", guest.name));
    if session.lab.is_none() {
        ask(printer, "Take the login back?", yes)?;
    }
    write(session, guest, &patch).await?;
    printer.say(&format!(
        "{} {}: taken back",
        printer.err_tone(Tone::Good, "✓"),
        guest.name
    ));
    Ok(Exit::Done)
}

/// A client of the guest, as its admin.
async fn inside(printer: &Printer, session: &Session, guest: &Guest) -> Result<Client> {
    let kubeconfig = guest::read(printer, session, guest, Credential::Kubeconfig).await?;
    let client = Guests.connect(&Secret::new(kubeconfig)).await;
    client.attempted(format!("could not connect to {}", guest.name))
}

async fn write(session: &Session, guest: &Guest, patch: &Value) -> Result<()> {
    let Guest { namespace, name, .. } = guest;
    let url = format!(
        "/apis/hypershift.openshift.io/v1beta1/namespaces/{namespace}/hostedclusters/{name}?fieldManager={FIELD_MANAGER}"
    );
    let request = http::Request::patch(url)
        .header(CONTENT_TYPE, "application/merge-patch+json")
        .body(patch.to_string().into_bytes())
        .map_err(kube::Error::HttpError);
    let written = match request {
        Ok(request) => session.client.request::<Value>(request).await,
        Err(error) => Err(error),
    };
    match written {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 409 => Err(Failure::failed(format!(
            "HostedCluster {namespace}/{name} was changed meanwhile; nothing was written"
        ))
        .hint("run the command again")),
        Err(error) => Err(error).attempted(format!("could not write HostedCluster {namespace}/{name}")),
    }
}

fn undecided(printer: &Printer, guest: &Guest, why: &Undecided) -> Failure {
    let name = &guest.name;
    let failure = Failure::failed(format!("{}/{name}: {why}", guest.namespace));
    match why {
        Undecided::Older { .. } => failure.hint("log out, log in once more with a browser, then run the command again"),
        Undecided::NobodyYet { .. } => failure.hint("log in with a browser first: the console's URL is in `status`"),
        Undecided::AlreadyBack => failure.hint(format!(
            "`{} identity retry {name}` lets it be tried again",
            printer.program
        )),
        Undecided::Nothing | Undecided::NotAwaiting | Undecided::NotRefused => failure.hint(format!(
            "`{} identity status {name}` shows how far it is",
            printer.program
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(phase: &str, reason: &str) -> String {
        let record = json!({
            "digest": "x", "phase": phase, "since": "2026-01-02T03:04:05Z", "reason": reason,
            "former": { "providers": null, "oidc": null },
        });
        let cluster = json!({
            "metadata": { "annotations": { "berth.dev/identity": record.to_string() } },
            "spec": { "configuration": { "oauth": { "identityProviders": [{ "name": "local", "type": "HTPasswd" }] } } },
        });
        standing(&identity::status(&cluster).expect("a status"))
    }

    #[test]
    fn a_login_that_was_taken_back_is_told_apart_from_who_logs_in() {
        assert_eq!(
            told("refused", "a login through staff was refused: 401"),
            "the login did not work, and was taken back (since 2026-01-02T03:04:05Z)
    a login through staff was refused: 401
    logs in now: local (HTPasswd)
    kubeadmin is gone
"
        );
        assert_eq!(
            told("reverted", ""),
            "the login was taken back by a person (since 2026-01-02T03:04:05Z)
    logs in now: local (HTPasswd)
    kubeadmin is gone
"
        );
        assert_eq!(
            told("settled", ""),
            "the login works (since 2026-01-02T03:04:05Z)
    local (HTPasswd)
    kubeadmin is gone
"
        );
    }
}
