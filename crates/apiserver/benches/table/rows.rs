//! Which figures there are, and in which order they are taken.

mod data;
mod kubectl;
mod load;
mod start;

use std::env;

use crate::{report::Report, subject::Kind};

/// A group of rows that share a server.
struct Group {
    /// What the rows are called on the command line.
    name: &'static str,
    measure: fn(Kind, &mut Report) -> Measured<'_>,
    /// Whether a real server can be measured, too.
    comparable: bool,
}

type Measured<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;

const GROUPS: [Group; 9] = [
    Group {
        name: "start",
        measure: |kind, report| Box::pin(start::empty(kind, report)),
        comparable: true,
    },
    Group {
        name: "restart",
        measure: |_, report| Box::pin(start::after_a_kill(report)),
        comparable: false,
    },
    Group {
        name: "crds",
        measure: |kind, report| Box::pin(kubectl::definitions(kind, report)),
        comparable: true,
    },
    Group {
        name: "maps",
        measure: |kind, report| Box::pin(kubectl::maps(kind, report)),
        comparable: true,
    },
    Group {
        name: "creates",
        measure: |kind, report| Box::pin(load::creates(kind, report)),
        comparable: true,
    },
    Group {
        name: "list",
        measure: |kind, report| Box::pin(load::list(kind, report)),
        comparable: true,
    },
    Group {
        name: "watchers",
        measure: |kind, report| Box::pin(load::watchers(kind, report)),
        comparable: true,
    },
    Group {
        name: "guests",
        measure: |_, report| Box::pin(async { start::guests(report) }),
        comparable: false,
    },
    Group {
        name: "hosted",
        measure: |kind, report| Box::pin(load::hosted_clusters(kind, report)),
        comparable: true,
    },
];

#[tokio::main]
pub(crate) async fn main() {
    // Cargo adds `--bench`; what else begins with a dash is meant for the usual harness.
    let wanted: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let mut report = Report::default();
    for group in &GROUPS {
        if !wanted.is_empty() && !wanted.iter().any(|word| word == group.name) {
            continue;
        }
        for kind in Kind::all() {
            if kind == Kind::Ours || group.comparable {
                (group.measure)(kind, &mut report).await;
            }
        }
    }
    report.print();
}
