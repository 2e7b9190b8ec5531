//! `berth explain`: what a field of a document is.

use berth_procedure::explain::{ExplainError, explain};

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::printer::Printer;

/// Prints what a field is, what it becomes, and what a later edit does.
pub(crate) fn run(printer: &Printer, what: &str) -> Result<Exit> {
    match explain(what) {
        Ok(text) => {
            printer.out(&text);
            Ok(Exit::Done)
        }
        Err(error) => {
            let hint = match &error {
                ExplainError::Kind(_) => {
                    "name a field, as `guestcluster.spec.controlPlane.etcd` or `managementcluster.spec`".to_owned()
                }
                ExplainError::Field { known, .. } => format!("fields there: {}", known.join(", ")),
            };
            Err(Failure::usage(error.to_string()).hint(hint))
        }
    }
}
