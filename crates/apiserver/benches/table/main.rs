//! The speed table: what clients wait for, and what a server costs, measured and printed beside what it must reach.
//!
//! ```text
//! make bench                                        every row
//! make bench ROWS='list watchers'                   rows whose name has one of these words
//! KUBEBUILDER_ASSETS=/path/to/bin make bench        beside a real etcd and kube-apiserver
//! ```
//!
//! The server is a process of its own (the example `serve`), so that memory and CPU are its own. Each figure is
//! the best and the median of several runs: on a machine that others use too the best is the one to compare. Rows that
//! need `kubectl` or upstream's CustomResourceDefinitions (`BERTH_UPSTREAM_DATA`, default `../shared`) are left out
//! where those are absent, and say so.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that can't go on stops, and its output is its purpose"
)]

mod client;
mod guests;
mod process;
mod report;
mod rows;
mod subject;

#[path = "../../tests/conformance/real.rs"]
#[expect(dead_code, reason = "the client of the conformance suite isn't needed here")]
mod real;

/// Set for the processes that this one starts: which part they play.
const PART: &str = "BERTH_BENCH_PART";

fn main() {
    match std::env::var(PART).as_deref() {
        Ok("guests") => guests::main(),
        _ => rows::main(),
    }
}
