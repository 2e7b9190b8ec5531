//! `berth version`: what this binary is, and what it plays and targets.

use berth_api::yaml;
use berth_lab::Generation;
use serde_json::json;

use crate::args::{Structured, VersionArgs};
use crate::exit::Exit;
use crate::printer::Printer;

/// Prints the version.
pub(crate) fn run(printer: &Printer, args: &VersionArgs) -> Exit {
    let VersionArgs { output } = args;
    let version = env!("CARGO_PKG_VERSION");
    let value = json!({ "version": version, "labGenerations": Generation::ALL.map(Generation::name) });
    match output {
        Structured::Text => printer.line(&format!(
            "berth {version} (lab plays generations {})",
            Generation::ALL.map(Generation::name).join(" and ")
        )),
        Structured::Json => printer.line(&format!("{value:#}")),
        Structured::Yaml => printer.out(&yaml::to_string(&value)),
    }
    Exit::Done
}
