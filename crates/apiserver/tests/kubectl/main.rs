//! The real `kubectl` against the server, over TLS on a loopback port. A scenario is a Markdown file of `scenarios/`: what
//! is typed in a terminal, and what is seen there. Each is run with every client found (`clients`), on a server of its own
//! (`server`). `transcript` says how the files are read; `BERTH_UPDATE=1` writes what is seen into them.
//!
//! Scenarios that answer to a number of the conformance list are named after it (`c130_…`).

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod clients;
mod filter;
#[path = "../conformance/real.rs"]
#[expect(dead_code, reason = "the conformance suite needs more of it")]
mod real;
mod server;
mod transcript;

use std::{collections::BTreeSet, fs, path::PathBuf};

macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        const NAMES: &[&str] = &[$(stringify!($name)),+];

        $(#[test]
        fn $name() {
            scenario(stringify!($name));
        })+
    };
}

scenarios! {
    apply_server_side,
    auth,
    c023_explain,
    c028_discovery,
    c130_apply,
    c131_edit,
    c145_apply_moves_to_the_server,
    c159_delete,
    c163_wait_for_definition,
    c164_no_such_kind,
    c184_names_of_a_kind,
    create,
    describe,
    diff,
    events,
    get,
    get_one,
    get_output,
    get_watch,
    nodes,
    patch,
    rollout,
    run_expose_autoscale,
    scale,
    version,
    wait,
}

/// Runs a scenario with each client.
fn scenario(name: &str) {
    let clients = clients::found();
    if clients.is_empty() {
        skipped(name);
    }
    let file = folder().join(format!("{name}.md"));
    for client in clients {
        let server = server::Server::start();
        let shell = transcript::Shell::new(&client.program, &server);
        transcript::run(&file, &shell, client);
    }
}

#[expect(
    clippy::print_stdout,
    reason = "`make test` collects these lines from the tests' output"
)]
fn skipped(name: &str) {
    println!("skipped: kubectl {name}: no kubectl 1.32 or newer");
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/kubectl/scenarios")
}

#[test]
fn every_scenario_is_run() {
    let files: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().display().to_string())
        .collect();
    assert_eq!(files, NAMES.iter().map(|name| (*name).to_owned()).collect());
}
