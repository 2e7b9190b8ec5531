//! Tests that need something which isn't there say so: `make test` lists them at the end.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::Command;

/// Records that a test was skipped, and why.
pub(crate) fn skipped(test: &str, why: &str) {
    let line = format!("skipped: {test}: {why}\n");
    if let Some(file) = std::env::var_os("BERTH_SKIPPED") {
        let file = OpenOptions::new().append(true).create(true).open(file);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("BERTH_SKIPPED names a file that can be written");
    }
}

/// The tools, or `None` and a record of what is missing.
pub(crate) fn need(test: &str, tools: &[&str]) -> Option<()> {
    for tool in tools {
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {tool}")])
            .output()
            .is_ok_and(|out| out.status.success());
        if !found {
            skipped(test, &format!("no {tool}"));
            return None;
        }
    }
    Some(())
}
