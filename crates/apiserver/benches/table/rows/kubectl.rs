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
    let files = fs::read_dir(&folder).unwrap().count();
    let (folder, how) = (
        folder.display().to_string(),
        format!("a folder of {files} files, a new server"),
    );
    let mut resident = Vec::new();
    // Not every real server's OpenAPI is one that kubectl can validate by.
    for (what, validate) in [(what.to_owned(), "true"), (format!("{what} --validate=false"), "false")] {
        let mut took = Vec::new();
        for _ in 0..runs(kind, 3) {
            let (subject, _) = kind.start().await;
            let validate = format!("--validate={validate}");
            match kubectl(
                subject.kubeconfig(),
                &["apply", "--server-side", &validate, "-f", &folder],
            ) {
                Ok(duration) => took.push(milliseconds(duration)),
                Err(error) => {
                    report.leave_out(&what, &error);
                    break;
                }
            }
            tokio::time::sleep(Duration::from_secs(3)).await;
            resident.push(subject.resident());
        }
        report.add(kind, &what, "ms", Aim::TimesAsQuick(4.0), &took, &how);
    }
    let (what, how) = ("resident, the current CRDs loaded", "VmRSS three seconds after that");
    report.add(kind, what, "MB", Aim::Under(80.0), &resident, how);
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
        kubectl(subject.kubeconfig(), &["create", "namespace", &namespace]).unwrap();
        let (file, create) = (
            file.display().to_string(),
            ["create", "--validate=false", "-n", &namespace, "-f"],
        );
        let arguments: Vec<&str> = create.into_iter().chain([file.as_str()]).collect();
        took.push(milliseconds(kubectl(subject.kubeconfig(), &arguments).unwrap()));
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
