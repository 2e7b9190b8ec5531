//! `berth backup` and `berth restore`: a guest's backup with OADP, with what can't be restored said first.

use berth_procedure::backup::{self, BackupOptions, compile_backup, compile_restore};
use berth_procedure::{Facts, Step};
use jiff::Timestamp;

use crate::args::{BackupArgs, RestoreArgs, TargetArgs};
use crate::commands::day2::{self, Manner};
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::guests;
use crate::printer::{Printer, Tone};
use crate::session::Session;
use crate::target::Purpose;

/// Takes a backup, and waits for it.
pub(crate) async fn backup(printer: &Printer, target: &TargetArgs, args: BackupArgs) -> Result<Exit> {
    let BackupArgs {
        guest,
        name,
        location,
        ttl,
        manner,
    } = args;
    let session = Session::open(printer, target, Purpose::Write).await?;
    let guest = guests::find(&session.client, &guest).await?;
    let facts = say_limits(printer, &session, &guest.namespace, &guest.name).await?;
    if let Some((name, ended)) = name
        .as_deref()
        .and_then(|name| Some((name, backup::ended(&facts, name)?)))
    {
        return Err(
            Failure::new(Exit::Refused, format!("there is a backup {name} already: {ended}"))
                .hint("choose another --name, or leave it out: the backup is then called after the guest and the time"),
        );
    }
    let name = name.unwrap_or_else(|| format!("{}-{}", guest.name, stamp()));
    let options = BackupOptions {
        name: name.clone(),
        location,
        ttl: ttl.to_string(),
    };
    let steps = compile_backup(&guest.namespace, &guest.name, &options);
    day2::carry_out(printer, &session, &steps, &manner.into()).await?;
    let flags = &session.flags;
    printer.say(&format!(
        "  {} restore{flags} {}/{} --from {name}",
        printer.program, guest.namespace, guest.name
    ));
    Ok(Exit::Done)
}

/// Brings a guest back, and waits until it is complete.
pub(crate) async fn restore(printer: &Printer, target: &TargetArgs, args: RestoreArgs) -> Result<Exit> {
    let RestoreArgs { guest, from, manner } = args;
    let session = Session::open(printer, target, Purpose::Write).await?;
    let Some((namespace, name)) = guest.split_once('/') else {
        return Err(Failure::usage(format!("`{guest}` has no namespace"))
            .hint("a guest that is gone is named as NAMESPACE/NAME"));
    };
    let facts = say_limits(printer, &session, namespace, name).await?;
    let called = match backup::begun_restore(&facts, namespace, name, &from) {
        Some(begun) => {
            printer.say(&format!("goes on with the restore {begun}, which is not done"));
            begun.to_owned()
        }
        None => format!("{from}-{}", stamp()),
    };
    let steps = compile_restore(namespace, name, &from, &called);
    let manner = Manner {
        destroys: false,
        ..manner.into()
    };
    day2::carry_out(printer, &session, &steps, &manner).await?;
    Ok(Exit::Done)
}

/// Tells what a backup does not hold, and a restore does not bring back; with what was read for it.
async fn say_limits(printer: &Printer, session: &Session, namespace: &str, name: &str) -> Result<Facts> {
    let no_steps: [Box<dyn Step>; 0] = [];
    let facts = session
        .engine()?
        .read(&no_steps, &backup::watches(namespace, name))
        .await;
    let facts = facts.attempted(format!("could not read {session}"))?;
    printer.say("what can't be restored:");
    for limit in backup::limits(&facts, namespace, name) {
        printer.say(&format!(
            "  {} {}",
            printer.err_tone(Tone::Warning, limit.id),
            limit.text
        ));
    }
    printer.say("");
    Ok(facts)
}

/// Now, as part of a name.
fn stamp() -> String {
    Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string()
}
