//! The server as its clients see it: through `kube` and through plain requests, in process. What every server of the API
//! promises is in `tests/conformance`; here is what is this one's own.

#![expect(
    clippy::unwrap_used,
    clippy::similar_names,
    reason = "helpers of tests fail the test; one object and the same changed are called alike"
)]

#[path = "../conformance/answer.rs"]
#[expect(dead_code, reason = "the conformance suite asks more of an answer")]
mod answer;
#[path = "../conformance/widgets.rs"]
mod widgets;

mod access;
mod apply;
mod client;
mod controllers;
mod conversion;
mod definitions;
mod delete;
mod durability;
mod extension;
mod faults;
mod hooks;
mod kills;
mod kube_client;
mod manners;
mod odd_bodies;
mod openapi;
mod read;
mod rules;
mod secure;
mod socket;
mod update;
mod upstream;
mod virtual_kinds;
mod watch;

pub(crate) use client::{Cluster, widgets};
