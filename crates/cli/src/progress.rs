//! Progress: readers of the engine's one stream of events.
//!
//! `board.rs` keeps what is known of each step (pure); `plain.rs` prints it line by line, `live.rs` redraws it on a
//! terminal; `sink.rs` writes the events themselves as JSON lines.

mod board;
mod live;
mod plain;
mod sink;

use std::path::Path;

use berth_engine::Event;
use tokio::sync::mpsc;

use crate::failure::Result;
use crate::printer::{Printer, Tone};

use board::Board;
pub(crate) use board::millis;
use live::Live;
use plain::Plain;
use sink::Sink;

/// What is shown while a run goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Show<'a> {
    /// Where the events go as JSON lines, if anywhere.
    pub(crate) events: Option<&'a Path>,
    /// The guide's text for a step, printed as it begins.
    pub(crate) narrate: Option<fn(&str) -> Option<String>>,
}

/// Shows events until the stream ends.
pub(crate) async fn follow(printer: &Printer, show: Show<'_>, mut events: mpsc::Receiver<Event>) -> Result<()> {
    let mut sink = show.events.map(Sink::open).transpose()?;
    let mut board = Board::default();
    let mut view = if printer.is_live() {
        View::Live(Live::new())
    } else {
        View::Plain(Plain::default())
    };
    while let Some(event) = events.recv().await {
        if let Some(sink) = &mut sink {
            sink.write(printer, &event)?;
        }
        let begun = board.apply(&event);
        if let (Some(step), Some(narrate)) = (begun, show.narrate)
            && let Some(text) = narrate(step.as_str())
        {
            let title = printer.err_tone(Tone::Strong, &board.title(&step));
            view.above(printer, &format!("\n{title}\n\n{}\n", text.trim_end()));
        }
        view.show(printer, &board, &event);
    }
    view.finish(printer);
    Ok(())
}

enum View {
    Live(Live),
    Plain(Plain),
}

impl View {
    fn show(&mut self, printer: &Printer, board: &Board, event: &Event) {
        match self {
            Self::Live(live) => live.show(printer, board, event),
            Self::Plain(plain) => plain.show(printer, board, event),
        }
    }

    fn above(&mut self, printer: &Printer, text: &str) {
        match self {
            Self::Live(live) => live.above(text),
            Self::Plain(_) => printer.say(text),
        }
    }

    fn finish(&mut self, printer: &Printer) {
        match self {
            Self::Live(live) => live.finish(printer),
            Self::Plain(_) => {}
        }
    }
}
