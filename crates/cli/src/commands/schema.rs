//! `berth schema`: the JSON Schema of Berth's documents, for editors.

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::printer::Printer;

/// Prints one kind's schema, or the one that tells the kinds apart.
pub(crate) fn run(printer: &Printer, kind: Option<&str>) -> Result<Exit> {
    let title = kind.unwrap_or("Document");
    let found = berth_api::schemas().into_iter().find(|(_, schema)| {
        schema["title"]
            .as_str()
            .is_some_and(|known| known.eq_ignore_ascii_case(title))
    });
    let (_, schema) = found.ok_or_else(|| {
        Failure::usage(format!("there is no document kind `{title}`"))
            .hint("the kinds are ManagementCluster and GuestCluster")
    })?;
    printer.line(&format!("{schema:#}"));
    Ok(Exit::Done)
}
