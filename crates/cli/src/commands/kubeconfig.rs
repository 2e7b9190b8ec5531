//! `berth kubeconfig`: a guest's admin kubeconfig printed, put into the user's file, or as one that refreshes by itself; and
//! whether one still works. The credential plugin that the last one calls is here as well.

mod check;
mod exec;
mod file;

pub(crate) use check::{hub, this_machine};

use berth_api::yaml;
use berth_procedure::access::{self, Entry, KubeconfigError, Names, Origin};
use jiff::Timestamp;
use serde_json::Value;

use crate::args::{KubeconfigArgs, TargetArgs};
use crate::commands::guest::{self, Credential};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::guests::{self, Guest};
use crate::printer::{Printer, Tone};
use crate::session::Session;

/// Does what was asked for with the guest's kubeconfig.
pub(crate) async fn run(
    printer: &Printer,
    target: &TargetArgs,
    session: &Session,
    args: KubeconfigArgs,
) -> Result<Exit> {
    if let Some(file) = &args.check {
        return check::run(printer, session, args.guest.as_deref(), file.as_deref(), args.output).await;
    }
    let typed = args.guest.as_deref().unwrap_or_default();
    let guest = guests::find(&session.client, typed).await?;
    let kubeconfig = guest::read(printer, session, &guest, Credential::Kubeconfig).await?;
    if args.credential {
        let credential = access::credential(&kubeconfig).map_err(|error| unusable(&guest, &error))?;
        printer.line(credential.json.reveal());
        return Ok(Exit::Done);
    }
    warn(printer, &kubeconfig);
    if !args.merge && !args.exec && args.context_name.is_none() {
        // Verbatim, as `hcp create kubeconfig` prints it.
        printer.out(&kubeconfig);
        return Ok(Exit::Done);
    }
    let names = Names::of(&guest.namespace, &guest.name, args.context_name.as_deref());
    let mut own = access::own(&kubeconfig, &names).map_err(|error| unusable(&guest, &error))?;
    if args.exec {
        own = access::with_exec(own, &exec::user(target, session, &guest)?);
    }
    if args.merge {
        merge(printer, &own, &args).await?;
    } else {
        printer.out(&yaml::to_string(&own));
    }
    Ok(Exit::Done)
}

/// Says what ends soon; the kubeconfig itself goes to stdout untouched.
fn warn(printer: &Printer, kubeconfig: &str) {
    let Ok(entry) = Entry::read(kubeconfig, None, &|_| None) else {
        return;
    };
    for remark in access::remarks(&access::ends(&entry), Timestamp::now(), Origin::Hub) {
        let word = printer.err_tone(Tone::Warning, "warning:");
        printer.say(&format!("{word} {}: {}", remark.id, remark.text));
    }
}

async fn merge(printer: &Printer, own: &Value, args: &KubeconfigArgs) -> Result<()> {
    let into = file::user()?;
    let wishes = file::Wishes {
        force: args.force,
        switch: args.switch,
        keep: args.backup,
    };
    let merged = file::merge(&into, own, wishes).await?;
    let context = own["current-context"].as_str().unwrap_or_default();
    printer.say(&format!("context `{context}` is in {}", into.file.display()));
    if let Some(backup) = &merged.backup {
        printer.say(&format!("the former file is {}", backup.display()));
    }
    if merged.lost_comments {
        let word = printer.err_tone(Tone::Warning, "warning:");
        printer.say(&format!(
            "{word} the file's comments are gone: no kubeconfig that is written anew keeps them (--backup keeps the former \
             file beside it)"
        ));
    }
    if merged.is_current {
        printer.say("it is the current context: every program that reads this file acts on the guest, this one too");
    } else {
        printer.say(&format!(
            "the current context stays; `kubectl --context {context} …` acts on the guest"
        ));
    }
    Ok(())
}

/// The command that fetches a guest's kubeconfig anew.
fn refresh(printer: &Printer, session: &Session, guest: &Guest) -> String {
    format!(
        "{} kubeconfig{} {}/{}",
        printer.program, session.flags, guest.namespace, guest.name
    )
}

fn unusable(guest: &Guest, error: &KubeconfigError) -> Failure {
    Failure::failed(format!(
        "the kubeconfig of guest {}/{} can't be used",
        guest.namespace, guest.name
    ))
    .because(error)
}
