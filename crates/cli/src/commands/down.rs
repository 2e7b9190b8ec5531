//! `berth down`: deletes guests in order, explaining what blocks. Operators stay.

use berth_engine::{RemovalReport, RemoveError};
use berth_procedure::{Step, compile_removal};
use tokio::sync::mpsc;

use crate::args::{DownArgs, TargetArgs};
use crate::commands::up::{ask, introduce, read_only};
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::guests;
use crate::plan_view;
use crate::printer::{Printer, Tone, counted};
use crate::progress::{self, Show, millis};
use crate::session::{self, Session};
use crate::target::Purpose;

/// Deletes one guest, or all of them.
pub(crate) async fn run(printer: &Printer, target: &TargetArgs, args: DownArgs) -> Result<Exit> {
    let DownArgs {
        guest,
        all,
        yes,
        timeout,
        events,
    } = args;
    let session = Session::open(printer, target, Purpose::Write).await?;
    let found = if all {
        guests::all(&session.client).await?
    } else {
        vec![guests::find(&session.client, guest.as_deref().unwrap_or_default()).await?]
    };
    if found.is_empty() {
        printer.say(&format!("{session}: there is no guest"));
        return Ok(Exit::Done);
    }
    let steps: Vec<Box<dyn Step>> = found
        .iter()
        .flat_map(|guest| compile_removal(&guest.namespace, &guest.name))
        .collect();
    let engine = session.engine()?;
    let plan = engine
        .remove_plan(&steps)
        .await
        .attempted(format!("could not plan the removal on {session}"))?;
    introduce(printer, &session).await;
    printer.say(plan_view::removals(&plan, &|tone, text| printer.err_tone(tone, text)).trim_end());
    if plan.is_empty() {
        return Err(
            Failure::new(Exit::Refused, "nothing to delete: Berth deletes only what it made")
                .hint("`hcp destroy cluster kubevirt` deletes hosted clusters that were made by hand"),
        );
    }
    if target.read_only {
        return Err(read_only(&session));
    }
    let names: Vec<&str> = found.iter().map(|guest| guest.name.as_str()).collect();
    ask(
        printer,
        &format!("Delete {} and everything in it?", names.join(", ")),
        yes,
    )?;

    let (sender, receiver) = mpsc::channel(256);
    let show = Show {
        events: events.as_deref(),
        narrate: None,
    };
    let removal = engine.remove(&steps, &plan, sender, session::limits(timeout));
    let (ended, shown) = tokio::join!(removal, progress::follow(printer, show, receiver));
    shown?;
    conclude(printer, &session, ended)
}

fn conclude(printer: &Printer, session: &Session, ended: Result<RemovalReport, RemoveError>) -> Result<Exit> {
    match ended {
        Ok(report) => {
            let count = counted(report.removed.len(), "object");
            let mark = printer.err_tone(Tone::Good, "✓");
            printer.say(&format!(
                "{mark} {session}: {count} deleted in {}",
                millis(report.took_millis)
            ));
            Ok(Exit::Done)
        }
        Err(error) => {
            let exit = match &error {
                RemoveError::TimedOut { .. } => Exit::TimedOut,
                RemoveError::Interrupted { .. } => Exit::Interrupted,
                _ => Exit::Failed,
            };
            Err(Failure::new(exit, format!("{session}: not everything was deleted"))
                .because(&error)
                .hint("safe to run again: it goes on where this ended"))
        }
    }
}
