//! How long a server takes to start, and what it costs when nothing is asked of it.

use std::{env, process::Command, time::Duration};

use super::load;
use crate::{
    PART,
    report::{Aim, Report},
    subject::{Kind, Subject},
};

/// Objects that are on disk when the server starts again.
const OBJECTS: usize = 20_000;

pub(super) async fn empty(kind: Kind, report: &mut Report) {
    let (mut took, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..runs(kind, 10) {
        let (subject, milliseconds) = kind.start().await;
        took.push(milliseconds);
        tokio::time::sleep(Duration::from_secs(1)).await;
        resident.push(subject.resident());
    }
    let how = "a new process, until /readyz is ok by HTTPS; certificates are made within that time";
    report.add(kind, "start, empty", "ms", Aim::Under(30.0), &took, how);
    let how = "VmRSS a second later";
    report.add(kind, "resident, idle", "MB", Aim::Under(15.0), &resident, how);
}

pub(super) async fn after_a_kill(report: &mut Report) {
    let folder = tempfile::tempdir().unwrap();
    let (subject, _) = Subject::on(folder.path()).await;
    load::fill(&subject, OBJECTS, "a few words").await;
    drop(subject);
    let mut took = Vec::new();
    for _ in 0..5 {
        let (subject, milliseconds) = Subject::on(folder.path()).await;
        took.push(milliseconds);
        let access = subject.access();
        let listed = load::count(&access).await;
        assert!(listed >= OBJECTS, "{listed} objects outlived the kill");
    }
    let what = "start, 20,000 objects on disk";
    let how = "the same on the folder of a server that was killed by SIGKILL, 20,000 ConfigMaps in it";
    report.add(Kind::Ours, what, "ms", Aim::Under(400.0), &took, how);
}

pub(super) fn guests(report: &mut Report) {
    let (mut took, mut grown) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let output = Command::new(env::current_exe().unwrap())
            .env(PART, "guests")
            .output()
            .unwrap();
        let line = String::from_utf8(output.stdout).unwrap();
        let mut figures = line.split_whitespace().map(|figure| figure.parse::<f64>().unwrap());
        took.push(figures.next().unwrap());
        grown.push(figures.next().unwrap());
    }
    let how = "mean of 20 servers, each with its own CA, certificate and socket";
    report.add(
        Kind::Ours,
        "one more server: memory",
        "MB",
        Aim::Under(2.0),
        &grown,
        how,
    );
    report.add(Kind::Ours, "one more server: time", "ms", Aim::Under(5.0), &took, how);
}

/// A real server takes its time: fewer runs of it do.
pub(super) fn runs(kind: Kind, of_ours: usize) -> usize {
    match kind {
        Kind::Ours => of_ours,
        Kind::Real => of_ours.min(3),
    }
}
