//! `berth down`: deletes guests in order, explaining what blocks. Operators stay.

mod release;

use berth_engine::{RemovalPlan, RemovalReport, RemoveError};
use berth_procedure::{Step, compile_removal};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::args::{DownArgs, TargetArgs};
use crate::commands::up::{ask, introduce, read_only};
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::guests::{self, Guest};
use crate::plan_view;
use crate::printer::{Printer, Tone, counted};
use crate::progress::{self, Show, millis};
use crate::session::{self, Session};
use crate::target::Purpose;

/// Deletes one guest, or all of them; or lets go of what holds one.
pub(crate) async fn run(printer: &Printer, target: &TargetArgs, args: DownArgs) -> Result<Exit> {
    let DownArgs {
        guest,
        all,
        release,
        despite_controller,
        yes,
        timeout,
        events,
    } = args;
    let session = Session::open(printer, target, Purpose::Write).await?;
    let found = if all {
        let mut found = guests::all(&session.client).await?;
        found.extend(guests::left(&session.client).await?);
        found
    } else {
        vec![guests::find_or_left(&session.client, guest.as_deref().unwrap_or_default()).await?]
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
    if let Some(wanted) = release {
        let letting = release::Letting {
            wanted: &wanted,
            despite_controller,
            read_only: target.read_only,
            yes,
            events: events.as_deref(),
        };
        return release::run(printer, &session, &engine, &steps, &plan, letting).await;
    }
    printer.say(plan_view::removals(&plan, &|tone, text| printer.err_tone(tone, text)).trim_end());
    refuse(&plan, &found)?;
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
    conclude(printer, &session, &found, ended)
}

/// Nothing to delete, or nothing that may be deleted as things are.
fn refuse(plan: &RemovalPlan, found: &[Guest]) -> Result<()> {
    if let Some(forbidden) = plan.forbidden() {
        let diagnosis = &forbidden.blocker.diagnosis;
        return Err(Failure::new(Exit::Refused, format!("{} {}", diagnosis.id, diagnosis.title)).hint(&diagnosis.fix));
    }
    if !plan.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(Exit::Refused, "nothing to delete: Berth deletes only what it made");
    let Some(guest) = found.first().filter(|guest| guest.object.is_object()) else {
        return Err(failure);
    };
    let Guest {
        namespace,
        name,
        object,
    } = guest;
    Err(match gitops(object) {
        Some(owner) => failure.hint(format!("{owner} keeps it: delete it where that reads it from, or it comes back")),
        None => failure
            .hint(format!(
                "to hand it over to Berth: oc label hostedcluster {name} -n {namespace} app.kubernetes.io/managed-by=berth"
            ))
            .hint(format!("or delete it as it was made: hcp destroy cluster kubevirt --name {name} --namespace {namespace}")),
    })
}

/// Who brings an object back when it is deleted.
fn gitops(object: &Value) -> Option<&'static str> {
    let metadata = &object["metadata"];
    let has = |place: &str, key: &str| metadata[place][key].is_string();
    if has("annotations", "argocd.argoproj.io/tracking-id") || has("labels", "argocd.argoproj.io/instance") {
        Some("Argo CD")
    } else if has("labels", "kustomize.toolkit.fluxcd.io/name") {
        Some("Flux")
    } else {
        None
    }
}

fn conclude(
    printer: &Printer,
    session: &Session,
    found: &[Guest],
    ended: Result<RemovalReport, RemoveError>,
) -> Result<Exit> {
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
            let mut failure = Failure::new(exit, format!("{session}: not everything was deleted")).because(&error);
            if let RemoveError::TimedOut { blockers, .. } = &error {
                let told = blockers.iter().filter(|blocked| blocked.blocker.explained_by.is_none());
                for blocked in told {
                    failure.causes.push(plan_view::blocker(&blocked.blocker));
                }
                if let [guest] = found
                    && let Some(first) = blockers
                        .iter()
                        .find(|blocked| blocked.blocker.release.let_go().is_some())
                {
                    let Guest { namespace, name, .. } = guest;
                    let id = &first.blocker.name;
                    failure = failure.hint(format!(
                        "to let go of it: {} down {namespace}/{name} --release {id}",
                        printer.program
                    ));
                }
            }
            Err(failure.hint("safe to run again: it goes on where this ended"))
        }
    }
}
