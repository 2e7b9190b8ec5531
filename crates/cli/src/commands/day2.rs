//! What the commands of a guest's later life share: find the guest and its pools, plan, show, ask, run, tell.
//!
//! What each of them asks for is an [`Action`]; what that comes to is the procedure's to say.

use std::path::PathBuf;
use std::time::Duration;

use berth_engine::{Outcome, Report, RunError};
use berth_procedure::Step;
use berth_procedure::actions::{Action, ActionError, Subject, compile_action};
use tokio::sync::mpsc;

use crate::args::TargetArgs;
use crate::commands::up::{ask, introduce, read_only};
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::guests::{self, Guest};
use crate::plan_view;
use crate::printer::{Printer, Tone};
use crate::progress::{self, Show, millis};
use crate::report_view;
use crate::session::{self, Session};
use crate::target::Purpose;

/// Events are shown as fast as they come; so many may wait for a slow terminal.
const EVENTS_AHEAD: usize = 256;

/// How a command is carried out.
#[derive(Debug)]
pub(crate) struct Manner {
    pub(crate) yes: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) events: Option<PathBuf>,
    /// Whether something goes that does not come back: asked about in a lab too.
    pub(crate) destroys: bool,
}

/// A guest with its pools, as it is.
pub(crate) struct Found {
    pub(crate) session: Session,
    pub(crate) guest: Guest,
    pub(crate) pools: Vec<serde_json::Value>,
    /// The pool that was named behind the guest.
    pub(crate) pool: Option<String>,
}

/// Connects, and finds what was typed: NAME, NAME/POOL, NAMESPACE/NAME or NAMESPACE/NAME/POOL.
pub(crate) async fn find(printer: &Printer, target: &TargetArgs, typed: &str, purpose: Purpose) -> Result<Found> {
    let session = Session::open(printer, target, purpose).await?;
    let (guest, pool) = guests::find_with_pool(&session.client, typed).await?;
    let pools = guests::pools(&session.client, &guest).await?;
    Ok(Found {
        session,
        guest,
        pools,
        pool,
    })
}

impl Found {
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            cluster: &self.guest.object,
            pools: &self.pools,
        }
    }

    /// Does what is asked for, and waits until it has taken hold.
    pub(crate) async fn act(&self, printer: &Printer, action: &Action, manner: Manner) -> Result<Exit> {
        let steps = compile_action(self.subject(), action).map_err(|error| wrong(&error))?;
        let changed = carry_out(printer, &self.session, &steps, &manner).await?;
        if changed && let Some(document) = self.document() {
            let hint = printer.err_tone(Tone::Strong, "hint:");
            printer.say(&match action {
                Action::AddPool { .. } => format!(
                    "{hint} the document `{document}` does not know this pool, and `{} up` leaves it alone: {}, to have it \
                     looked after",
                    printer.program,
                    told(action),
                ),
                _ => format!(
                    "{hint} where the document `{document}` says otherwise, it has the last word: {}, or the next `{} up` {}",
                    told(action),
                    printer.program,
                    otherwise(action),
                ),
            });
        }
        Ok(Exit::Done)
    }

    /// The document that the guest was made from, where Berth made it.
    fn document(&self) -> Option<&str> {
        let labels = &self.guest.object["metadata"]["labels"];
        (labels["app.kubernetes.io/managed-by"] == "berth").then(|| labels["berth.dev/document"].as_str())?
    }
}

/// Plans, shows, asks, runs and tells. Whether anything was to be written.
pub(crate) async fn carry_out(
    printer: &Printer,
    session: &Session,
    steps: &[Box<dyn Step>],
    manner: &Manner,
) -> Result<bool> {
    let engine = session.engine()?;
    let plan = engine
        .plan(steps)
        .await
        .attempted(format!("could not plan for {session}"))?;
    let paint = |tone: Tone, text: &str| printer.err_tone(tone, text);
    if plan_view::refused(&plan) {
        printer.say(&plan_view::text(&plan, false, &paint));
        return Err(Failure::new(Exit::Refused, format!("nothing was written to {session}")));
    }
    if plan.is_empty() {
        printer.say(&format!("{session}: it is so already; nothing is written"));
    } else {
        printer.say(&plan_view::text(&plan, false, &paint));
        if session.is_read_only() {
            return Err(read_only(session));
        }
        if session.lab.is_none() || manner.destroys {
            introduce(printer, session).await;
            ask(printer, "Do this?", manner.yes)?;
        }
    }
    let (sender, receiver) = mpsc::channel(EVENTS_AHEAD);
    let show = Show {
        events: manner.events.as_deref(),
        narrate: None,
    };
    let run = engine.run(steps, &plan, sender, session::limits(manner.timeout));
    let (ended, shown) = tokio::join!(run, progress::follow(printer, show, receiver));
    shown?;
    conclude(printer, session, ended)?;
    Ok(!plan.is_empty())
}

fn conclude(printer: &Printer, session: &Session, ended: Result<Report, RunError>) -> Result<()> {
    let report = ended.map_err(|error| report_view::failure(printer, session, error))?;
    let took = millis(report.took_millis);
    let mark = printer.err_tone(Tone::Good, "✓");
    printer.say(&format!("{mark} {session}: done in {took}"));
    for step in &report.steps {
        if let Outcome::Ready { outputs } = &step.outcome {
            for (name, value) in outputs.iter().filter(|(name, _)| name.starts_with("warning")) {
                let name = printer.err_tone(Tone::Warning, &format!("{name}:"));
                printer.say(&format!("{name} {value}"));
            }
        }
    }
    Ok(())
}

/// What a document that still says otherwise comes to.
fn otherwise(action: &Action) -> &'static str {
    match action {
        Action::Upgrade { .. } => "is refused: no release goes back",
        Action::SetPool { .. } => "takes back what the document names of it, and leaves the rest",
        _ => "takes this back (its plan says so)",
    }
}

/// What to write into a document that is to say the same.
fn told(action: &Action) -> String {
    use berth_procedure::actions::{Goal, Parts, Workers};
    let of = |pool: &Option<String>| {
        pool.as_ref()
            .map_or("its pool".to_owned(), |pool| format!("the pool {pool}"))
    };
    match action {
        Action::Scale { pool, workers } => match workers {
            Workers::Fixed(count) => format!("set `replicas: {count}` of {} in `spec.nodePools`", of(pool)),
            Workers::Between { min, max } => {
                format!(
                    "set `autoscaling: {{min: {min}, max: {max}}}` of {} in `spec.nodePools`",
                    of(pool)
                )
            }
        },
        Action::Pause { pool: None, until } => format!("set `spec.paused: {}`", until.field()),
        Action::Pause { pool, until } => format!("set `paused: {}` of {} in `spec.nodePools`", until.field(), of(pool)),
        Action::Resume { .. } => "remove `paused` wherever it has it".to_owned(),
        Action::Upgrade { parts, goal } => {
            let image = match goal {
                Goal::Version(version) => format!("the image of {version}"),
                Goal::Image(image) => image.clone(),
                Goal::ControlPlane => "the control plane's image".to_owned(),
            };
            match parts {
                Parts::All => format!("set `spec.release.image` to {image}"),
                Parts::ControlPlane => {
                    format!("set `spec.release.image` to {image}, and each pool's `release.image` to what it runs")
                }
                Parts::Pool(pool) => format!("set `release.image` of the pool {pool} to {image}"),
            }
        }
        Action::AddPool { pool, .. } => format!("add the pool {pool} to `spec.nodePools` to keep it there"),
        Action::SetPool { pool, .. } => format!("set the same fields of the pool {pool} in `spec.nodePools`"),
        Action::RemovePool { pool } => format!("remove the pool {pool} from `spec.nodePools`"),
    }
}

/// An action that can't be is a matter of what was typed.
pub(crate) fn wrong(error: &ActionError) -> Failure {
    Failure::usage(error.to_string())
}
