//! `berth open`: where a guest's console is; and a browser with it, if there is one.

use std::process::{Command, Stdio};
use std::time::Duration;

use berth_engine::Connect as _;
use berth_procedure::Secret;
use berth_procedure::access::{self, Console, Entry, Origin, Tried};
use jiff::Timestamp;
use serde_json::Value;

use crate::args::OpenArgs;
use crate::commands::guest::{self, Credential};
use crate::commands::kubeconfig;
use crate::connect;
use crate::discovery::get;
use crate::env;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::guests::{self, Guest};
use crate::printer::{Printer, Tone};
use crate::session::Session;

const ROUTE: &str = "/apis/route.openshift.io/v1/namespaces/openshift-console/routes/console";

/// How long the guest may take to say where its console is.
const PATIENCE: Duration = Duration::from_secs(8);

/// Prints the console's address on stdout; the rest is talk.
pub(crate) async fn run(printer: &Printer, session: &Session, args: OpenArgs) -> Result<Exit> {
    let OpenArgs { guest, print } = args;
    let guest = guests::find(&session.client, &guest).await?;
    let route = own_route(printer, session, &guest).await;
    let url = match access::console(&guest.object, route.as_ref()) {
        Console::At(url) => url,
        Console::Disabled => {
            return Err(
                Failure::failed(format!("guest {}/{} has no console", guest.namespace, guest.name)).hint(
                    "the capability Console was disabled when it was made, and that can't be changed later (C25)",
                ),
            );
        }
        Console::NotKnown => {
            return Err(Failure::failed(format!(
                "guest {}/{} has no base domain yet",
                guest.namespace, guest.name
            ))
            .hint(format!(
                "`{} status{}` shows how far it is",
                printer.program, session.flags
            )));
        }
    };
    printer.line(&url);
    say_how_to_log_in(printer, session, &guest);
    if let Err(reach) = berth_effects::listens(&url).await {
        if session.lab.is_some() {
            printer.say("nothing answers there: a lab plays no console, only its address (simulated)");
        } else {
            let word = printer.err_tone(Tone::Warning, "warning:");
            printer.say(&format!(
                "{word} it can't be reached from this machine; {}: {}",
                reach.layer(),
                reach.told()
            ));
        }
        return Ok(Exit::Done);
    }
    if !print && printer.is_live() {
        browse(printer, &url);
    }
    Ok(Exit::Done)
}

/// The guest's own word for it; `None` where it can't be asked, which is said.
async fn own_route(printer: &Printer, session: &Session, guest: &Guest) -> Option<Value> {
    let kubeconfig = match guest::read(printer, session, guest, Credential::Kubeconfig).await {
        Ok(kubeconfig) => kubeconfig,
        Err(failure) => {
            not_asked(printer, &failure.message);
            return None;
        }
    };
    let client = match connect::Guests.connect(&Secret::new(&kubeconfig)).await {
        Ok(client) => client,
        Err(failure) => {
            not_asked(printer, &failure.0);
            return None;
        }
    };
    let asked = tokio::time::timeout(PATIENCE, get(&client, ROUTE, "application/json")).await;
    match asked {
        Ok(Ok(route)) => Some(route),
        // It answers, and has no such route (yet).
        Ok(Err(kube::Error::Api(_))) => None,
        Ok(Err(_)) | Err(_) => {
            say_why(printer, session, guest, &kubeconfig).await;
            None
        }
    }
}

/// Why the guest's API server can't be asked; the address is then what its HostedCluster says.
async fn say_why(printer: &Printer, session: &Session, guest: &Guest, kubeconfig: &str) {
    let Ok(entry) = Entry::read(kubeconfig, None, &|_| None) else {
        return;
    };
    let Guest { namespace, name, .. } = guest;
    let hub = kubeconfig::hub(session, namespace, name).await.ok().flatten();
    let reach = berth_effects::reach(&entry).await;
    let found = access::diagnose(&Tried {
        reach: &reach,
        entry: &entry,
        from: &kubeconfig::this_machine(),
        hub: hub.as_ref(),
        object: &format!("the API server of guest {namespace}/{name}"),
        now: Timestamp::now(),
        origin: Origin::Hub,
    });
    if let Some(found) = found {
        not_asked(printer, &found.headline());
        for line in &found.evidence {
            printer.say(&format!("  {line}"));
        }
        printer.say(&format!("  fix: {}", found.fix));
    }
}

fn not_asked(printer: &Printer, why: &str) {
    let word = printer.err_tone(Tone::Warning, "warning:");
    printer.say(&format!(
        "{word} the guest could not be asked where its console is: {why}"
    ));
}

fn say_how_to_log_in(printer: &Printer, session: &Session, guest: &Guest) {
    let Guest { namespace, name, .. } = guest;
    let providers = guest::providers(&guest.object);
    if guest.object["status"]["kubeadminPassword"]["name"].is_string() {
        printer.say(&format!(
            "log in as kubeadmin; `{} password{} {namespace}/{name}` prints the password",
            printer.program, session.flags
        ));
    } else if !providers.is_empty() {
        printer.say(&format!("log in through {}", providers.join(" or ")));
    }
}

/// Opens the address, where there is a screen to show it on and a program for it.
fn browse(printer: &Printer, url: &str) {
    let Some(program) = env::browser() else { return };
    let started = Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if started.is_err() {
        printer.say(&format!("there is no `{program}` to open it with"));
    }
}
