//! The conformance list: what clients of a Kubernetes API server rely on, one test a number (`c047_…`), each in a
//! namespace of its own. The suite runs against this crate's server, in process; where `KUBEBUILDER_ASSETS` names a
//! folder with `etcd` and `kube-apiserver` (the convention of envtest), it starts a real one and runs against that
//! instead:
//!
//! ```text
//! cargo test -p berth-apiserver --test conformance
//! KUBEBUILDER_ASSETS=/path/to/bin cargo test -p berth-apiserver --test conformance
//! ```
//!
//! Where the list and the real server disagree, the real server is right. What isn't met is in `exceptions.txt`, by
//! number and with the reason; [`coverage`] sees to it that no number is forgotten. Numbers that need `kubectl` are
//! beside the other scenarios of `kubectl`, in `tests/kubectl`.

#![expect(
    clippy::unwrap_used,
    clippy::similar_names,
    clippy::needless_pass_by_value,
    reason = "helpers of tests fail the test; one object and the same changed are called alike; literals are given"
)]

mod answer;
mod coverage;
mod protobuf;
mod real;
mod socket;
mod suite;
mod watching;
mod widgets;

mod access;
mod apply;
mod controllers;
mod create;
mod definitions;
mod delete;
mod negotiation;
mod paths;
mod read;
mod rules;
mod schemas;
mod types;
mod update;
mod watch;

pub(crate) use answer::{Answer, text};
pub(crate) use suite::{Server, Suite, run, run_with};
