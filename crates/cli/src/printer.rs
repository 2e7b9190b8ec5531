//! The only place that prints. stdout is data, stderr is talk.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};

use crate::env;
use crate::failure::Failure;
use crate::program::Program;

/// Writes words out.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something else about one of three streams"
)]
pub(crate) struct Printer {
    pub(crate) program: Program,
    out_colour: bool,
    err_colour: bool,
    err_terminal: bool,
    in_terminal: bool,
    /// The reader of stdout is gone: nothing more is worth printing, and that is no error.
    closed: AtomicBool,
}

/// What a word means, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Warning,
    Quiet,
    Strong,
}

impl Printer {
    pub(crate) fn new(program: Program) -> Self {
        let colour = !env::no_color();
        Self {
            program,
            out_colour: colour && io::stdout().is_terminal(),
            err_colour: colour && io::stderr().is_terminal(),
            err_terminal: io::stderr().is_terminal(),
            in_terminal: io::stdin().is_terminal(),
            closed: AtomicBool::new(false),
        }
    }

    /// Whether progress may redraw lines.
    pub(crate) fn is_live(&self) -> bool {
        self.err_terminal
    }

    /// Whether there is somebody to ask.
    pub(crate) fn can_ask(&self) -> bool {
        self.in_terminal && self.err_terminal
    }

    /// Data, as it is.
    pub(crate) fn out(&self, text: &str) {
        if !self.closed.load(Ordering::Relaxed) && !write(&mut io::stdout().lock(), text) {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    /// A line of data.
    pub(crate) fn line(&self, text: &str) {
        self.out(&format!("{text}\n"));
    }

    /// A line of talk.
    #[expect(clippy::unused_self, reason = "who prints must have been given the printer")]
    pub(crate) fn say(&self, text: &str) {
        write(&mut io::stderr().lock(), &format!("{text}\n"));
    }

    /// Talk without an end of line: a question.
    #[expect(clippy::unused_self, reason = "who prints must have been given the printer")]
    pub(crate) fn ask(&self, text: &str) -> Option<String> {
        write(&mut io::stderr().lock(), text);
        let mut answer = String::new();
        match io::stdin().read_line(&mut answer) {
            Ok(read) if read > 0 => Some(answer.trim().to_owned()),
            _ => None,
        }
    }

    /// A failure: what, why, what next.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.say(&format!("{} {}", self.err_tone(Tone::Bad, "error:"), failure.message));
        for cause in &failure.causes {
            self.say(&format!("  {cause}"));
        }
        for hint in &failure.hints {
            self.say(&format!("{} {hint}", self.err_tone(Tone::Strong, "hint:")));
        }
    }

    /// A word for stdout in its colour.
    pub(crate) fn out_tone(&self, tone: Tone, text: &str) -> String {
        paint(self.out_colour, tone, text)
    }

    /// A word for stderr in its colour.
    pub(crate) fn err_tone(&self, tone: Tone, text: &str) -> String {
        paint(self.err_colour, tone, text)
    }
}

/// A number and what it counts: `1 object`, `2 objects`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}

fn paint(colour: bool, tone: Tone, text: &str) -> String {
    if !colour {
        return text.to_owned();
    }
    let style = match tone {
        Tone::Good => Style::new().fg_color(Some(AnsiColor::Green.into())),
        Tone::Bad => Style::new().fg_color(Some(AnsiColor::Red.into())).bold(),
        Tone::Warning => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
        Tone::Quiet => Style::new().dimmed(),
        Tone::Strong => Style::new().bold(),
    };
    format!("{style}{text}{style:#}")
}

/// Whether the text went out. A closed pipe is no error; any other failure to print can't be told to anybody.
fn write(to: &mut impl Write, text: &str) -> bool {
    let written = to.write_all(text.as_bytes()).and_then(|()| to.flush());
    !matches!(written, Err(error) if error.kind() == ErrorKind::BrokenPipe)
}
