//! `berth up`: plan, ask, apply, wait, tell.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use berth_engine::{Engine, Plan, RunError};
use berth_procedure::{Step, StepId, compile, guide};
use tokio::sync::mpsc;

use crate::args::{TargetArgs, UpArgs};
use crate::commands::plan::platform;
use crate::documents;
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::labs;
use crate::plan_view;
use crate::printer::{Printer, Tone};
use crate::progress::{self, Show};
use crate::report_view;
use crate::session::{self, Session};
use crate::target::{Cluster, Purpose, Target};
use crate::wrap;

/// Events are shown as fast as they come; so many may wait for a slow terminal.
const EVENTS_AHEAD: usize = 256;

/// Makes the documents true.
pub(crate) async fn run(printer: &Printer, target: &TargetArgs, args: UpArgs) -> Result<Exit> {
    let UpArgs {
        documents,
        only,
        timeout,
        narrate,
        yes,
        events,
        lab,
    } = args;
    let documents = documents::load(&documents)?;
    let session = match &target.lab {
        Some(name) => {
            let cluster = Cluster::Lab(labs::start(printer, name, &lab).await?);
            let context = target.context.clone();
            Session::connect(target, Target { cluster, context }).await?
        }
        None => Session::open(printer, target, Purpose::Write).await?,
    };
    let steps = select(compile(&documents, &platform()), &only)?;
    let engine = session.engine_for(&documents)?;
    let plan = engine
        .plan(&steps)
        .await
        .attempted(format!("could not plan for {session}"))?;
    if plan_view::refused(&plan) {
        printer.say(&plan_view::text(&plan, false, &|tone, text| {
            printer.err_tone(tone, text)
        }));
        return Err(Failure::new(
            Exit::Refused,
            format!("a check refuses; nothing was written to {session}"),
        ));
    }
    if plan.is_empty() {
        printer.say(&format!(
            "{session}: nothing to do, so nothing is written; waiting for what is not ready yet"
        ));
    } else if target.read_only {
        return Err(read_only(&session).hint(format!("`{} plan` shows what there is to do", printer.program)));
    } else if session.lab.is_none() {
        confirm(printer, &session, &plan, yes).await?;
    }
    let run = Run {
        engine: &engine,
        steps: &steps,
        plan: &plan,
        timeout,
        events,
        narrate,
    };
    let ended = run.drive(printer).await?;
    report_view::conclude(printer, &session, &documents.guests, plan.is_empty(), ended)
}

struct Run<'a> {
    engine: &'a Engine,
    steps: &'a [Box<dyn Step>],
    plan: &'a Plan,
    timeout: Option<Duration>,
    events: Option<PathBuf>,
    narrate: bool,
}

impl Run<'_> {
    /// Runs the engine with its events shown beside it.
    async fn drive(self, printer: &Printer) -> Result<Result<berth_engine::Report, RunError>> {
        let (sender, receiver) = mpsc::channel(EVENTS_AHEAD);
        let narrate = self.narrate.then_some(narration as fn(&str) -> Option<String>);
        let show = Show {
            events: self.events.as_deref(),
            narrate,
        };
        let run = self
            .engine
            .run(self.steps, self.plan, sender, session::limits(self.timeout));
        let (ended, shown) = tokio::join!(run, progress::follow(printer, show, receiver));
        shown?;
        Ok(ended)
    }
}

/// The named steps and all that they stand on, in order; every step where none is named.
fn select(steps: Vec<Box<dyn Step>>, only: &[String]) -> Result<Vec<Box<dyn Step>>> {
    if only.is_empty() {
        return Ok(steps);
    }
    let mut wanted: BTreeSet<StepId> = BTreeSet::new();
    for name in only {
        let id = StepId::new(name.as_str());
        if !steps.iter().any(|step| *step.id() == id) {
            let known: Vec<&str> = steps.iter().map(|step| step.id().as_str()).collect();
            return Err(Failure::usage(format!("there is no step `{name}`"))
                .hint(format!("the steps are {}", known.join(", "))));
        }
        wanted.insert(id);
    }
    // Steps stand after what they need, so one pass from the end finds all.
    for step in steps.iter().rev() {
        if wanted.contains(step.id()) {
            wanted.extend(step.after().into_iter().map(|dependency| dependency.step));
        }
    }
    Ok(steps.into_iter().filter(|step| wanted.contains(step.id())).collect())
}

/// Shows the plan, and asks. A real cluster is not written to unasked.
async fn confirm(printer: &Printer, session: &Session, plan: &Plan, yes: bool) -> Result<()> {
    let paint = |tone: Tone, text: &str| printer.err_tone(tone, text);
    printer.say(&plan_view::text(plan, false, &paint));
    introduce(printer, session).await;
    for line in plan_view::hub_wide(plan) {
        printer.say(&format!("{} {line}", paint(Tone::Warning, "the whole cluster feels")));
    }
    ask(printer, "Apply this plan?", yes)
}

/// Says which cluster is about to be written to, and as whom.
pub(crate) async fn introduce(printer: &Printer, session: &Session) {
    let id = session.cluster_id().await.unwrap_or_else(|| "unknown".to_owned());
    for (what, value) in [
        ("cluster:", &session.to_string()),
        ("ID:     ", &id),
        ("user:   ", &session.server.user),
    ] {
        printer.say(&format!("{} {value}", printer.err_tone(Tone::Strong, what)));
    }
}

/// The refusal of a command that would write, where the user said that nothing may be.
pub(crate) fn read_only(session: &Session) -> Failure {
    let message = format!("{session}: --read-only, and there is something to write; nothing was written");
    Failure::new(Exit::Refused, message)
}

/// Asks for a yes. Without anybody to ask, only `--yes` is one.
pub(crate) fn ask(printer: &Printer, question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !printer.can_ask() {
        return Err(Failure::usage(
            "this writes to a cluster, and there is no terminal to ask on; nothing was written",
        )
        .hint("--yes writes without asking"));
    }
    match printer.ask(&format!("{question} [y/N] ")).as_deref() {
        Some("y" | "Y" | "yes") => Ok(()),
        _ => Err(Failure::failed("not confirmed; nothing was written")),
    }
}

fn narration(step: &str) -> Option<String> {
    guide::step(step).map(|text| wrap::prose(&text))
}
