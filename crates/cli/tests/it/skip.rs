//! Tests that need something which isn't there say so: `make test` lists them at the end.

use std::process::Command;

/// Says that a test was skipped, and why.
#[expect(
    clippy::print_stdout,
    reason = "`make test` collects these lines from the tests' output"
)]
fn skipped(test: &str, why: &str) {
    println!("skipped: {test}: {why}");
}

/// The tools, or `None` and a word on what is missing.
pub(crate) fn need(test: &str, tools: &[&str]) -> Option<()> {
    for tool in tools {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output();
        if !found.is_ok_and(|output| output.status.success()) {
            skipped(test, &format!("no {tool}"));
            return None;
        }
    }
    Some(())
}
