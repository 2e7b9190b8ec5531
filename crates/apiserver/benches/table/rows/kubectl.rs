//! The same `kubectl` against the one server and the other.

use std::{fs, time::Duration};

use super::{data, start::runs};
use crate::{
    process::{has_kubectl, kubectl},
    report::{Aim, Report},
    subject::{Kind, milliseconds},
};

pub(super) async fn definitions(kind: Kind, report: &mut Report) {
    let what = "the current CRDs by kubectl apply --server-side";
    let (Some(folder), true) = (data::definitions(), has_kubectl()) else {
        return report.leave_out(what, "no kubectl, or no ../shared");
    };
    let (mut took, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..runs(kind, 3) {
        let (subject, _) = kind.start().await;
        let folder = folder.display().to_string();
        took.push(milliseconds(kubectl(
            subject.kubeconfig(),
            &["apply", "--server-side", "-f", &folder],
        )));
        tokio::time::sleep(Duration::from_secs(3)).await;
        resident.push(subject.resident());
    }
    let files = fs::read_dir(&folder).unwrap().count();
    report.add(
        kind,
        what,
        "ms",
        Aim::TimesAsQuick(4.0),
        &took,
        &format!("a folder of {files} files, a new server"),
    );
    let how = "VmRSS three seconds after that";
    report.add(
        kind,
        "resident, the current CRDs loaded",
        "MB",
        Aim::Under(80.0),
        &resident,
        how,
    );
}

pub(super) async fn maps(kind: Kind, report: &mut Report) {
    let what = "1,000 ConfigMaps by kubectl create --validate=false";
    if !has_kubectl() {
        return report.leave_out(what, "no kubectl");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maps.yaml");
    fs::write(&file, data::maps()).unwrap();
    let (subject, _) = kind.start().await;
    let mut took = Vec::new();
    for run in 0..runs(kind, 5) {
        let namespace = format!("run-{run}");
        kubectl(subject.kubeconfig(), &["create", "namespace", &namespace]);
        let (file, create) = (
            file.display().to_string(),
            ["create", "--validate=false", "-n", &namespace, "-f"],
        );
        let arguments: Vec<&str> = create.into_iter().chain([file.as_str()]).collect();
        took.push(milliseconds(kubectl(subject.kubeconfig(), &arguments)));
    }
    report.add(
        kind,
        what,
        "ms",
        Aim::TimesAsQuick(2.0),
        &took,
        "one file, one namespace a run",
    );
}
