//! The edges of the command line that need no lab: exit codes, refusals, and the workspace's own shape.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::lab::{Home, root};

/// Which crates of ours each may use. What is not listed is a mistake.
const ARROWS: &[(&str, &[&str])] = &[
    ("berth-api", &[]),
    ("berth-apiserver", &[]),
    (
        "berth-cli",
        &[
            "berth-api",
            "berth-effects",
            "berth-engine",
            "berth-lab",
            "berth-procedure",
        ],
    ),
    ("berth-effects", &["berth-procedure"]),
    ("berth-engine", &["berth-api", "berth-procedure"]),
    ("berth-lab", &["berth-apiserver"]),
    ("berth-procedure", &["berth-api"]),
];

#[test]
fn crates_know_only_whom_they_may_know() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let mut found = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
        let ours: BTreeSet<String> = dependencies
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| name.starts_with("berth-"))
            .map(str::to_owned)
            .collect();
        found.insert(package["name"].as_str().expect("a name").to_owned(), ours);
    }
    let allowed: BTreeMap<String, BTreeSet<String>> = ARROWS
        .iter()
        .map(|(name, uses)| ((*name).to_owned(), uses.iter().map(|&name| name.to_owned()).collect()))
        .collect();
    assert_eq!(found, allowed);
}

#[test]
fn wrong_arguments_exit_with_64() {
    let home = Home::new();
    for arguments in [
        &["frobnicate"][..],
        &["up"],
        &["get"],
        &["status", "--lab", "--kubeconfig", "x"],
    ] {
        assert_eq!(home.run(arguments).status.code(), Some(64), "{arguments:?}");
    }
}

#[test]
fn the_version_is_told_in_each_way_that_people_ask() {
    let home = Home::new();
    for arguments in [&["--version"][..], &["-V"], &["version"]] {
        let output = home.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(
            stdout.starts_with(concat!("berth ", env!("CARGO_PKG_VERSION"))),
            "{stdout}"
        );
    }
}

#[test]
fn a_command_without_a_target_says_how_to_name_one() {
    let home = Home::new();
    let output = home.run(&["status"]);
    assert_eq!(output.status.code(), Some(64));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("--lab") && stderr.contains("--kubeconfig"), "{stderr}");
}

#[test]
fn every_error_of_a_document_is_told_with_its_place() {
    let home = Home::new();
    let check = |name: &str, text: &str, told: &[&str]| {
        let file = home.path().join(name);
        std::fs::write(&file, text).expect("a file can be written");
        let output = home.run(&["check", "-f", &file.display().to_string()]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{name}: {stderr}");
        for part in told {
            assert!(stderr.contains(part), "{name}: `{part}` is not in\n{stderr}");
        }
    };
    let document = |name: &str, rest: &str| {
        format!(
            "apiVersion: berth.dev/v1alpha1\nkind: GuestCluster\nmetadata: {{name: {name}, namespace: hcp}}\nspec:\n  \
             release: {{image: quay.io/openshift-release-dev/ocp-release:4.17.0-multi}}\n  \
             pullSecret: {{file: {}}}\n{rest}",
            root().join("examples/pull-secret.json").display()
        )
    };
    let pools = "  nodePools: [{name: workers, replicas: 3}]\n";
    check(
        "field.yaml",
        &document("a", "  nodePool: []\n"),
        &["field.yaml:7:3", "nodePools"],
    );
    check(
        "type.yaml",
        &document("a", "  nodePools: [{name: workers, replicas: many}]\n"),
        &["type.yaml:7:", "replicas"],
    );
    check(
        "unit.yaml",
        &document("a", "  nodePools: [{name: w, replicas: 1, memory: 10Gb}]\n"),
        &["unit.yaml:7:", "10Gb"],
    );
    check(
        "cidr.yaml",
        &document(
            "a",
            &format!("  networking: {{clusterNetwork: [10.132.0.0/99]}}\n{pools}"),
        ),
        &["cidr.yaml:7:"],
    );
    check(
        "capitals.yaml",
        &document("Guest", pools),
        &["capitals.yaml:3:", "name"],
    );
    let long = "a".repeat(64);
    check("long.yaml", &document(&long, pools), &["long.yaml:3:", "63"]);
    let secret = home.path().join("secret.json");
    std::fs::write(
        &secret,
        r#"{"auths": {"example.com": {"auth": "not-base64-SECRETWORD"}}}"#,
    )
    .expect("written");
    let text = document("a", pools).replace(
        &root().join("examples/pull-secret.json").display().to_string(),
        "secret.json",
    );
    check("pull-secret.yaml", &text, &["pull-secret.yaml:6:"]);
    let output = home.run(&[
        "check",
        "-f",
        &home.path().join("pull-secret.yaml").display().to_string(),
    ]);
    assert!(
        !String::from_utf8_lossy(&output.stderr).contains("SECRETWORD"),
        "a secret's text was printed"
    );
}
