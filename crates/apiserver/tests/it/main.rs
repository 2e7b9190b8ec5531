//! The server as its clients see it: through `kube` and through plain requests, in process. Tests that answer to a number
//! of the conformance list are named after it (`c047_…`).

#![expect(
    clippy::unwrap_used,
    clippy::similar_names,
    reason = "helpers of tests fail the test; one object and the same changed are called alike"
)]

mod access;
mod apply;
mod client;
mod controllers;
mod create;
mod definitions;
mod delete;
mod durability;
mod faults;
mod kube_client;
mod openapi;
mod read;
mod secure;
mod update;
mod virtual_kinds;
mod watch;

pub(crate) use client::{Cluster, widgets};
