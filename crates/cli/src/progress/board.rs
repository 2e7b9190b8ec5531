//! What is known of each step of a run, folded from its events. Pure.

use berth_engine::{Event, What};
use berth_procedure::StepId;
use jiff::Timestamp;

/// All steps of a run, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    pub(crate) lines: Vec<Line>,
    /// When the run, or the removal, began.
    pub(crate) begun: Option<Timestamp>,
    /// Writes so far.
    pub(crate) writes: usize,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) id: StepId,
    pub(crate) title: String,
    pub(crate) state: State,
    /// What it waits for, or what was last done.
    pub(crate) detail: String,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Running,
    Blocked,
    Ready { took_millis: u64 },
    Failed { took_millis: u64 },
    Skipped,
}

impl Board {
    /// Takes an event in; names the step that it began, if it did.
    pub(crate) fn apply(&mut self, event: &Event) -> Option<StepId> {
        // A removal has no event for its beginning.
        self.begun.get_or_insert(event.at);
        match &event.what {
            What::RunStarted { steps, .. } => {
                self.lines = steps.iter().map(|step| Line::pending(&step.id, &step.title)).collect();
            }
            What::StepStarted { step } => {
                let line = self.line(step)?;
                line.state = State::Running;
                return Some(step.clone());
            }
            What::Wrote { step, object, verb, .. } => {
                self.writes += 1;
                if let Some(line) = step.as_ref().and_then(|step| self.line(step)) {
                    line.detail = format!("{verb} {object}");
                }
            }
            What::EffectDone { step, what, .. } => self.line(step)?.detail.clone_from(what),
            What::Waiting { step, detail, .. } => self.set(step, State::Running, detail),
            What::Blocked { step, diagnosis } => self.set(step, State::Blocked, &diagnosis.title),
            What::RemovalBlocked { step, blocker } => self.set(step, State::Blocked, &blocker.diagnosis.title),
            What::RemovalUnblocked { step, .. } => self.line(step)?.state = State::Running,
            What::Retrying {
                step: Some(step),
                what,
                cause,
                ..
            } => {
                self.line(step)?.detail = format!("{what}: {cause}; trying again");
            }
            What::StepReady { step, took_millis, .. } => {
                let took_millis = *took_millis;
                self.set(step, State::Ready { took_millis }, "");
            }
            What::StepFailed {
                step,
                diagnosis,
                took_millis,
            } => {
                let took_millis = *took_millis;
                self.set(step, State::Failed { took_millis }, &diagnosis.title);
            }
            What::StepSkipped { step, because } => self.set(step, State::Skipped, &format!("{because} failed")),
            _ => {}
        }
        None
    }

    /// A step's title.
    pub(crate) fn title(&self, id: &StepId) -> String {
        let line = self.lines.iter().find(|line| line.id == *id);
        line.map_or_else(|| id.to_string(), |line| line.title.clone())
    }

    fn set(&mut self, id: &StepId, state: State, detail: &str) {
        if let Some(line) = self.line(id) {
            line.state = state;
            detail.clone_into(&mut line.detail);
        }
    }

    fn line(&mut self, id: &StepId) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.id == *id)
    }
}

impl Line {
    fn pending(id: &StepId, title: &str) -> Self {
        let (id, title) = (id.clone(), title.to_owned());
        Self {
            id,
            title,
            state: State::Pending,
            detail: String::new(),
        }
    }
}

/// A span of time as people read it: `0.3s`, `42s`, `3m05s`, `1h12m`.
pub(crate) fn millis(span: u64) -> String {
    let seconds = span / 1000;
    match seconds {
        0..10 => format!("{}.{}s", seconds, span % 1000 / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use berth_engine::StepTitle;

    use super::*;

    fn event(what: What) -> Event {
        Event {
            at: Timestamp::UNIX_EPOCH,
            what,
        }
    }

    #[test]
    fn a_board_is_what_the_events_said() {
        let ingress = StepId::from("ingress");
        let mut board = Board::default();
        let steps = vec![StepTitle {
            id: ingress.clone(),
            title: "Wildcard routes".to_owned(),
        }];
        board.apply(&event(What::RunStarted {
            url: String::new(),
            steps,
            writes: 1,
        }));
        assert_eq!(
            board.apply(&event(What::StepStarted { step: ingress.clone() })),
            Some(ingress.clone())
        );
        let (reason, detail) = ("Progressing".to_owned(), "1 of 2 pods updated".to_owned());
        let waiting = What::Waiting {
            step: ingress.clone(),
            reason,
            detail,
            done: Some(1),
            total: Some(2),
        };
        board.apply(&event(waiting));
        assert_eq!(board.lines[0].detail, "1 of 2 pods updated");
        board.apply(&event(What::StepReady {
            step: ingress,
            outputs: BTreeMap::new(),
            took_millis: 90_000,
        }));
        assert_eq!(board.lines[0].state, State::Ready { took_millis: 90_000 });
    }

    #[test]
    fn spans_are_short() {
        for (span, text) in [
            (300, "0.3s"),
            (9_999, "9.9s"),
            (42_000, "42s"),
            (185_000, "3m05s"),
            (4_320_000, "1h12m"),
        ] {
            assert_eq!(millis(span), text);
        }
    }
}
