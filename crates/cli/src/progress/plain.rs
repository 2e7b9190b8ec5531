//! Progress line by line, for logs and pipes: what changed, and nothing twice.

use std::collections::BTreeMap;

use berth_engine::{Event, FieldChange, Shown, What};
use berth_procedure::{Diagnosis, StepId};
use jiff::{SignedDuration, Timestamp};

use super::board::{Board, millis};
use crate::plan_view;
use crate::printer::{Printer, Tone};

/// How often a step that waits for the same thing is spoken of at most: a count that runs up is no news each time.
const SAME_WAIT: SignedDuration = SignedDuration::from_secs(2);

/// Prints events as they come.
#[derive(Debug, Default)]
pub(super) struct Plain {
    /// What was said last of each step.
    said: BTreeMap<Option<StepId>, String>,
    /// What each step was last said to wait for (its stable word), and when.
    waits: BTreeMap<StepId, (String, Timestamp)>,
}

impl Plain {
    pub(super) fn show(&mut self, printer: &Printer, board: &Board, event: &Event) {
        let Some((step, text)) = line(printer, event) else {
            return;
        };
        if self.said.get(&step) == Some(&text) || self.is_same_wait(event) {
            return;
        }
        let elapsed = board
            .begun
            .map_or(0, |begun| event.at.duration_since(begun).as_millis());
        let elapsed = millis(u64::try_from(elapsed).unwrap_or(0));
        let name = step.as_ref().map_or("berth", StepId::as_str);
        printer.say(&format!("{elapsed:>6}  {name}: {text}"));
        self.said.insert(step, text);
    }

    /// Whether a step waits for what it was said to wait for a moment ago.
    fn is_same_wait(&mut self, event: &Event) -> bool {
        let What::Waiting { step, reason, .. } = &event.what else {
            return false;
        };
        if let Some((said, at)) = self.waits.get(step)
            && said == reason
            && event.at.duration_since(*at) < SAME_WAIT
        {
            return true;
        }
        self.waits.insert(step.clone(), (reason.clone(), event.at));
        false
    }
}

/// What an event says on a line, and of which step.
pub(super) fn line(printer: &Printer, event: &Event) -> Option<(Option<StepId>, String)> {
    let said = |step: &StepId, text: String| Some((Some(step.clone()), text));
    match &event.what {
        What::Wrote {
            step,
            object,
            verb,
            fields,
        } => Some((step.clone(), format!("{verb} {object}{}", summary(fields)))),
        What::Forecast { step, forecast } if forecast.is_felt() => said(
            step,
            format!("{} {forecast}", printer.err_tone(Tone::Warning, "will happen:")),
        ),
        What::EffectDone { step, what, already } => {
            said(step, format!("{what}{}", if *already { " (done before)" } else { "" }))
        }
        What::Waiting { step, detail, .. } => said(step, format!("waiting: {detail}")),
        What::Blocked { step, diagnosis } => said(
            step,
            format!("{} {}", printer.err_tone(Tone::Warning, "blocked:"), explain(diagnosis)),
        ),
        What::Retrying {
            step,
            what,
            cause,
            attempt,
            next_millis,
        } => Some((
            step.clone(),
            format!("{what}: {cause}; attempt {attempt}, again in {}", millis(*next_millis)),
        )),
        What::StepReady { step, took_millis, .. } => said(
            step,
            format!("{} ({})", printer.err_tone(Tone::Good, "ready"), millis(*took_millis)),
        ),
        What::StepFailed { step, diagnosis, .. } => said(
            step,
            format!("{} {}", printer.err_tone(Tone::Bad, "failed:"), explain(diagnosis)),
        ),
        What::StepSkipped { step, because } => said(step, format!("skipped: {because} failed")),
        What::LeaseWaiting { lease, holder } => Some((None, format!("lease {lease} is held by {holder}; waiting"))),
        What::LeaseTaken {
            lease,
            from: Some(from),
        } => Some((None, format!("lease {lease} taken over from {from}"))),
        What::RemovalBlocked { step, blocker } => said(
            step,
            format!(
                "{} {}",
                printer.err_tone(Tone::Warning, "blocked:"),
                plan_view::blocker(blocker)
            ),
        ),
        What::RemovalUnblocked { step, name } => said(step, format!("{name} does not hold it any more")),
        What::LetGo { does, .. } => Some((None, does.clone())),
        What::RemovalWaiting { object, detail } => Some((None, format!("{object}: {detail}"))),
        What::Removed { object, took_millis } => Some((None, format!("{object} is gone ({})", millis(*took_millis)))),
        _ => None,
    }
}

/// A diagnosis on a few lines.
pub(super) fn explain(diagnosis: &Diagnosis) -> String {
    let mut text = format!("{} ({})", diagnosis.headline(), diagnosis.object);
    for line in &diagnosis.evidence {
        text.push_str(&format!("\n          {line}"));
    }
    format!("{text}\n          fix: {}", diagnosis.fix)
}

/// The fields of a small write; how many, of a large one.
fn summary(fields: &[FieldChange]) -> String {
    match fields {
        [] => String::new(),
        [field] => match &field.to {
            Shown::Absent => format!(": {} removed", field.path),
            Shown::Secret => format!(": {} changed", field.path),
            Shown::Value(value) => format!(": {} = {value}", field.path),
        },
        many => format!(" ({} fields)", many.len()),
    }
}
