//! How a run ended, for people: each step with its time, then how to go on.

use berth_api::GuestCluster;
use berth_engine::{Outcome, Report, RunError, StepReport};

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::labs;
use crate::printer::{Printer, Tone, counted};
use crate::progress::millis;
use crate::session::Session;

/// Prints the summary on stderr; the result is the command's.
pub(crate) fn conclude(
    printer: &Printer,
    session: &Session,
    guests: &[GuestCluster],
    unchanged: bool,
    ended: Result<Report, RunError>,
) -> Result<Exit> {
    match ended {
        Ok(report) => {
            steps(printer, &report);
            let took = millis(report.took_millis);
            if unchanged {
                printer.say(&format!(
                    "\n{session}: all is as the documents say; nothing to do, nothing was written ({took})"
                ));
            } else {
                let writes = counted(report.writes, "write");
                printer.say(&format!("\n{session}: done in {took}, {writes}"));
            }
            hints(printer, session, guests, &report);
            Ok(Exit::Done)
        }
        Err(error) => Err(failure(printer, session, error)),
    }
}

fn steps(printer: &Printer, report: &Report) {
    // On a terminal the lines of progress still stand there, and say the same.
    if printer.is_live() {
        return;
    }
    let width = report
        .steps
        .iter()
        .map(|step| step.id.as_str().len())
        .max()
        .unwrap_or(0);
    printer.say("");
    for StepReport {
        id,
        title,
        outcome,
        took_millis,
    } in &report.steps
    {
        let (mark, tail) = match outcome {
            Outcome::Ready { .. } => (printer.err_tone(Tone::Good, "✓"), title.clone()),
            Outcome::Failed { diagnosis } => (
                printer.err_tone(Tone::Bad, "✗"),
                format!("{} ({})", diagnosis.title, diagnosis.object),
            ),
            Outcome::Skipped { because } => (printer.err_tone(Tone::Quiet, "-"), format!("{because} failed")),
            Outcome::Unfinished { waiting, .. } => (printer.err_tone(Tone::Warning, "…"), waiting.clone()),
            Outcome::NotBegun { after } => {
                let after: Vec<&str> = after.iter().map(berth_procedure::StepId::as_str).collect();
                (
                    printer.err_tone(Tone::Quiet, "-"),
                    format!("not begun, comes after {}", after.join(", ")),
                )
            }
        };
        let took = match outcome {
            Outcome::Skipped { .. } | Outcome::NotBegun { .. } => String::new(),
            _ => millis(*took_millis),
        };
        printer.say(&format!("{mark} {:<width$}  {took:>6}  {tail}", id.as_str()));
    }
}

fn hints(printer: &Printer, session: &Session, guests: &[GuestCluster], report: &Report) {
    let program = &printer.program;
    let flags = &session.flags;
    for guest in guests {
        let of_step = |step: &str| {
            let id = format!("guest/{}/{step}", guest.name);
            let found = report.steps.iter().find(|step| step.id.as_str() == id);
            found.and_then(|step| match &step.outcome {
                Outcome::Ready { outputs } => Some(outputs),
                _ => None,
            })
        };
        let Some(access) = of_step("access") else {
            continue;
        };
        // A password that was there when access was looked at has ended with the provider.
        let has_provider = of_step("identity").is_some();
        let outputs = access
            .iter()
            .filter(|(name, _)| !has_provider || *name != "passwordSecret");
        let login = ["break-glass", "identity"].into_iter().filter_map(of_step).flatten();
        printer.say(&format!("\n{} {}", printer.err_tone(Tone::Strong, "guest"), guest.name));
        for (name, value) in outputs.chain(login) {
            printer.say(&format!("  {name}: {value}"));
        }
        printer.say(&format!(
            "  {program} kubeconfig{flags} {0} > {0}.kubeconfig",
            guest.name
        ));
        printer.say(&format!("  kubectl --kubeconfig {}.kubeconfig get nodes", guest.name));
        let then = if has_provider { "identity status" } else { "password" };
        printer.say(&format!("  {program} {then}{flags} {}", guest.name));
    }
    printer.say(&format!("\n{}", printer.err_tone(Tone::Strong, "look around")));
    printer.say(&format!("  {program} status{flags}"));
    if let Some(guest) = guests.first() {
        printer.say(&format!(
            "  {program} get{flags} hostedclusters,nodepools -n {}",
            guest.namespace
        ));
    }
    if let Some(lab) = &session.lab {
        let flags = labs::flag(lab);
        printer.say(&format!(
            "  kubectl --kubeconfig \"$({program} lab kubeconfig{flags})\" get pods -A"
        ));
        printer.say(&format!(
            "\n{}",
            printer.err_tone(Tone::Strong, "the lab keeps running")
        ));
        printer.say(&format!("  {program} lab stop{flags}    ends it, its data stay"));
        printer.say(&format!("  {program} lab reset{flags}   ends it and deletes its data"));
    }
}

/// What an unfinished run comes to, with each step that is not ready.
pub(crate) fn failure(printer: &Printer, session: &Session, error: RunError) -> Failure {
    let again = "safe to run again: the same command goes on where this ended";
    match error {
        RunError::Failed { report } => {
            steps(printer, &report);
            explained(Failure::failed(format!("{session}: not everything got ready")), &report).hint(again)
        }
        RunError::TimedOut { after, report } => {
            steps(printer, &report);
            let took = millis(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
            explained(
                Failure::new(Exit::TimedOut, format!("{session}: not ready after {took}")),
                &report,
            )
            .hint(again)
        }
        RunError::Interrupted { report } => {
            steps(printer, &report);
            Failure::new(Exit::Interrupted, format!("{session}: interrupted")).hint(again)
        }
        RunError::Refused { refusals } => {
            let mut failure = Failure::new(Exit::Refused, format!("{session}: nothing was written"));
            failure.causes = refusals;
            failure
        }
        other => Failure::failed(format!("{session}: the run did not begin")).because(&other),
    }
}

/// What each unfinished or failed step has to say.
fn explained(mut failure: Failure, report: &Report) -> Failure {
    for step in &report.steps {
        let diagnosis = match &step.outcome {
            Outcome::Failed { diagnosis }
            | Outcome::Unfinished {
                diagnosis: Some(diagnosis),
                ..
            } => diagnosis,
            Outcome::Unfinished {
                waiting,
                diagnosis: None,
            } => {
                failure.causes.push(format!("{}: {waiting}", step.id));
                continue;
            }
            Outcome::Ready { .. } | Outcome::Skipped { .. } | Outcome::NotBegun { .. } => continue,
        };
        failure
            .causes
            .push(format!("{}: {} ({})", step.id, diagnosis.headline(), diagnosis.object));
        failure
            .causes
            .extend(diagnosis.evidence.iter().map(|line| format!("    {line}")));
        failure.causes.push(format!("    fix: {}", diagnosis.fix));
    }
    failure
}
