//! Progress on a terminal: one line a step, redrawn in place.

use std::collections::BTreeMap;
use std::time::Duration;

use berth_engine::{Event, Verb, What};
use berth_procedure::StepId;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::board::{Board, Line, State, millis};
use super::plain::{self, explain};
use crate::plan_view;
use crate::printer::{Printer, Tone};

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Draws a board.
pub(super) struct Live {
    screen: MultiProgress,
    bars: BTreeMap<StepId, ProgressBar>,
    /// What is waited for outside of any step: a lease, or an object that is being deleted.
    aside: Option<ProgressBar>,
    width: usize,
    explained: BTreeMap<StepId, String>,
}

impl Live {
    pub(super) fn new() -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self {
            screen,
            bars: BTreeMap::new(),
            aside: None,
            width: 0,
            explained: BTreeMap::new(),
        }
    }

    pub(super) fn show(&mut self, printer: &Printer, board: &Board, event: &Event) {
        if let What::RunStarted { .. } = event.what {
            self.width = board.lines.iter().map(|line| line.id.as_str().len()).max().unwrap_or(0);
        }
        if let What::Blocked { step, diagnosis } | What::StepFailed { step, diagnosis, .. } = &event.what {
            let text = explain(diagnosis);
            if self.explained.get(step) != Some(&text) {
                self.above(&format!("{} {step}: {text}", printer.err_tone(Tone::Warning, "!")));
                self.explained.insert(step.clone(), text);
            }
        }
        if let What::RemovalBlocked { step, blocker } = &event.what {
            let text = plan_view::blocker(blocker);
            self.above(&format!("{} {step}: {text}", printer.err_tone(Tone::Warning, "!")));
        }
        self.show_aside(printer, event);
        for line in &board.lines {
            self.draw(printer, line);
        }
    }

    /// What belongs to no step's line: waits are redrawn below, what is over is told above.
    fn show_aside(&mut self, printer: &Printer, event: &Event) {
        let Some((None, text)) = plain::line(printer, event) else {
            if let What::LeaseTaken { .. } = event.what {
                self.end_aside();
            }
            return;
        };
        match event.what {
            // Berth's own namespace, made on the way: no wait, and soon over.
            What::Wrote { verb, .. } if verb != Verb::Delete => {}
            What::Retrying { attempt: 1, .. } | What::LetGo { .. } => self.above(&text),
            What::Retrying { .. } => {}
            What::Removed { .. } => self.above(&format!("{} {text}", printer.err_tone(Tone::Good, "✓"))),
            What::LeaseTaken { .. } => {
                self.end_aside();
                self.above(&text);
            }
            _ => {
                let screen = &self.screen;
                let bar = self.aside.get_or_insert_with(|| {
                    let bar = screen.add(ProgressBar::new_spinner());
                    bar.set_style(style("{spinner} {elapsed:>5}  {wide_msg}"));
                    bar.enable_steady_tick(TICK);
                    bar
                });
                bar.set_message(text);
            }
        }
    }

    fn end_aside(&mut self) {
        if let Some(bar) = self.aside.take() {
            bar.finish_and_clear();
        }
    }

    pub(super) fn above(&self, text: &str) {
        // Drawing fails where the terminal is gone; then nobody misses the line.
        let _ = self.screen.println(text);
    }

    pub(super) fn finish(&mut self, printer: &Printer) {
        self.end_aside();
        for bar in self.bars.values() {
            if !bar.is_finished() {
                bar.abandon();
            }
        }
        if !self.bars.is_empty() {
            // The cursor stands at the end of the last line.
            printer.say("");
        }
    }

    fn draw(&mut self, printer: &Printer, line: &Line) {
        if line.state == State::Pending {
            return;
        }
        let name = format!("{:<width$}", line.id.as_str(), width = self.width);
        let bar = self.bars.entry(line.id.clone()).or_insert_with(|| {
            let bar = self.screen.add(ProgressBar::new_spinner());
            bar.enable_steady_tick(TICK);
            bar
        });
        if bar.is_finished() {
            return;
        }
        let running = || "{elapsed:>5}".to_owned();
        let took = |millis_taken| format!("{:>5}", millis(millis_taken));
        let (mark, time, done) = match line.state {
            State::Pending | State::Running => ("{spinner}".to_owned(), running(), false),
            State::Blocked => (printer.err_tone(Tone::Warning, "!"), running(), false),
            State::Ready { took_millis } => (printer.err_tone(Tone::Good, "✓"), took(took_millis), true),
            State::Failed { took_millis } => (printer.err_tone(Tone::Bad, "✗"), took(took_millis), true),
            State::Skipped => (printer.err_tone(Tone::Quiet, "-"), " ".repeat(5), true),
        };
        bar.set_style(style(&format!("{mark} {{prefix}}  {time}  {{wide_msg}}")));
        bar.set_prefix(name);
        // A step that is ready has nothing more to tell than what it was.
        let text = if line.detail.is_empty() {
            &line.title
        } else {
            &line.detail
        };
        bar.set_message(text.clone());
        if done {
            bar.abandon();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
