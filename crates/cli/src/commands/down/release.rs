//! `berth down GUEST --release ID`: lets go of exactly one thing that holds a guest, after saying what that leaves behind.

use std::path::Path;

use berth_engine::{Blocked, Engine, RemovalPlan};
use berth_procedure::{LetGo, Release, Step};
use tokio::sync::mpsc;

use crate::commands::up::{ask, read_only};
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::plan_view;
use crate::printer::{Printer, Tone};
use crate::progress::{self, Show};
use crate::session::Session;

/// What the user asked for.
pub(super) struct Letting<'a> {
    pub(super) wanted: &'a str,
    pub(super) despite_controller: bool,
    pub(super) read_only: bool,
    pub(super) yes: bool,
    pub(super) events: Option<&'a Path>,
}

pub(super) async fn run(
    printer: &Printer,
    session: &Session,
    engine: &Engine,
    steps: &[Box<dyn Step>],
    plan: &RemovalPlan,
    letting: Letting<'_>,
) -> Result<Exit> {
    let blocked = choose(&plan.soon, letting.wanted)?;
    let let_go = permitted(blocked, letting.despite_controller)?;
    printer.say(&plan_view::blocker(&blocked.blocker));
    printer.say(&format!("  {} {}", printer.err_tone(Tone::Bad, "-"), let_go.does));
    match &blocked.blocker.orphans[..] {
        [] => printer.say("    nothing is left behind"),
        orphans => {
            printer.say(&format!(
                "    {}",
                printer.err_tone(Tone::Warning, "left behind, looked after by nobody:")
            ));
            for orphan in orphans {
                printer.say(&format!("      {orphan}"));
            }
        }
    }
    if letting.read_only {
        return Err(read_only(session));
    }
    ask(printer, &format!("Let go of {}?", blocked.blocker.name), letting.yes)?;
    let (sender, receiver) = mpsc::channel(16);
    let show = Show {
        events: letting.events,
        narrate: None,
    };
    let (released, shown) = tokio::join!(
        engine.release(steps, let_go, sender),
        progress::follow(printer, show, receiver)
    );
    shown?;
    released.attempted(format!("{session}: {} was not let go", blocked.blocker.name))?;
    let mark = printer.err_tone(Tone::Good, "✓");
    printer.say(&format!(
        "{mark} {session}: let go of {}; down goes on, or is to be run again",
        blocked.blocker.name
    ));
    Ok(Exit::Done)
}

/// The one blocker of that name, or whose name begins so.
fn choose<'a>(blockers: &'a [Blocked], wanted: &str) -> Result<&'a Blocked> {
    let called = |blocked: &&Blocked| blocked.blocker.name == wanted;
    let begins = |blocked: &&Blocked| blocked.blocker.name.starts_with(wanted);
    if let Some(exact) = blockers.iter().find(called) {
        return Ok(exact);
    }
    let mut found = blockers.iter().filter(begins);
    let names = |blockers: &mut dyn Iterator<Item = &Blocked>| {
        blockers
            .map(|blocked| blocked.blocker.name.clone())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            let several = names(&mut blockers.iter().filter(begins));
            Err(Failure::usage(format!("`{wanted}` could be any of several")).hint(several))
        }
        (None, _) if blockers.is_empty() => Err(Failure::new(
            Exit::Refused,
            format!("nothing is called `{wanted}`: nothing holds the guest"),
        )),
        (None, _) => {
            let failure = Failure::usage(format!("nothing that holds the guest is called `{wanted}`"));
            Err(failure.hint(format!("what holds it: {}", names(&mut blockers.iter()))))
        }
    }
}

fn permitted(blocked: &Blocked, despite_controller: bool) -> Result<&LetGo> {
    let refused = |why: &str| Failure::new(Exit::Refused, format!("{} is not let go: {why}", blocked.blocker.name));
    match &blocked.blocker.release {
        Release::Yes(let_go) => Ok(let_go),
        Release::Contested { let_go, .. } if despite_controller => Ok(let_go),
        Release::Contested { by, .. } => Err(refused(&format!("{by} lives, and may still get there"))
            .hint("add --despite-controller to let go all the same")),
        Release::No { why } => Err(refused(why)),
    }
}
