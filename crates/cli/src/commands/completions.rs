//! `berth completions`: a shell's completion script.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::Exit;
use crate::printer::Printer;

/// Prints the script.
pub(crate) fn run(printer: &Printer, shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "berth", &mut script);
    printer.out(&String::from_utf8_lossy(&script));
    Exit::Done
}
