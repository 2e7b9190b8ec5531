//! Progress on a terminal: one line a step, redrawn in place.

use std::collections::BTreeMap;
use std::time::Duration;

use berth_engine::{Event, What};
use berth_procedure::StepId;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::board::{Board, Line, State, millis};
use super::plain::explain;
use crate::printer::{Printer, Tone};

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Draws a board.
pub(super) struct Live {
    screen: MultiProgress,
    bars: BTreeMap<StepId, ProgressBar>,
    width: usize,
    explained: BTreeMap<StepId, String>,
}

impl Live {
    pub(super) fn new() -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self {
            screen,
            bars: BTreeMap::new(),
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
        for line in &board.lines {
            self.draw(printer, line);
        }
    }

    pub(super) fn above(&self, text: &str) {
        // Drawing fails where the terminal is gone; then nobody misses the line.
        let _ = self.screen.println(text);
    }

    pub(super) fn finish(&mut self) {
        for bar in self.bars.values() {
            if !bar.is_finished() {
                bar.abandon();
            }
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
        let (mark, text, done) = match line.state {
            State::Pending | State::Running => ("{spinner}".to_owned(), line.detail.clone(), false),
            State::Blocked => (printer.err_tone(Tone::Warning, "!"), line.detail.clone(), false),
            State::Ready { took_millis } => (
                printer.err_tone(Tone::Good, "✓"),
                format!("{}  {}", millis(took_millis), line.title),
                true,
            ),
            State::Failed { .. } => (printer.err_tone(Tone::Bad, "✗"), line.detail.clone(), true),
            State::Skipped => (printer.err_tone(Tone::Quiet, "-"), line.detail.clone(), true),
        };
        let style = ProgressStyle::with_template(&format!("{mark} {{prefix}}  {{wide_msg}}"));
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(name);
        bar.set_message(if text.is_empty() { line.title.clone() } else { text });
        if done {
            bar.abandon();
        }
    }
}
