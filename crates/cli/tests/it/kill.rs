//! Killed as processes are killed: Berth in the middle of its work, and the lab under it.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::lab::Home;

const EXAMPLE: &str = "examples/guest-cluster-0.yaml";

fn kill(pid: u32) {
    let killed = Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .expect("kill runs");
    assert!(killed.success());
}

fn lab_status(home: &Home) -> serde_json::Value {
    serde_json::from_str(&home.ok(&["lab", "status", "-o", "json"])).expect("is JSON")
}

#[test]
fn a_run_killed_five_times_converges_with_nothing_twice() {
    let home = Home::new();
    // Slow enough that the kills meet it at work.
    home.ok(&["lab", "start", "--speed", "300"]);
    for attempt in 1..=5_u64 {
        let mut run = home
            .command(&["up", "-f", EXAMPLE])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        // Only spreads the kills over the run; nothing depends on where exactly they meet it.
        std::thread::sleep(Duration::from_millis(250 * attempt));
        run.kill().expect("a child can be killed");
        run.wait().expect("a child can be waited for");
    }
    let key = || {
        home.run(&[
            "get",
            "secret/guest-cluster-0-etcd-encryption-key",
            "-n",
            "hcp",
            "-o",
            "json",
        ])
    };
    let before = key();
    home.ok(&["up", "-f", EXAMPLE]);
    let after = key();
    assert!(after.status.success());
    let data = |output: &std::process::Output| {
        serde_json::from_slice::<serde_json::Value>(&output.stdout)
            .map(|secret| secret["data"].clone())
            .ok()
    };
    if before.status.success() {
        assert_eq!(
            data(&before),
            data(&after),
            "the encryption key is the one that was made first"
        );
    }
    assert_eq!(
        home.ok(&["get", "hostedclusters", "-A", "-o", "name"]).lines().count(),
        1
    );
    assert_eq!(home.ok(&["get", "nodepools", "-A", "-o", "name"]).lines().count(), 1);
    assert_eq!(home.ok(&["get", "vm", "-A", "-o", "name"]).lines().count(), 3);
    assert_eq!(home.run(&["plan", "-f", EXAMPLE]).status.code(), Some(0));
}

#[test]
fn what_a_killed_lab_acknowledged_is_there_when_it_starts_again() {
    let home = Home::new();
    home.ok(&["up", "--lab", "--speed", "max", "-f", EXAMPLE]);
    let uid = || {
        let object = home.ok(&["get", "hostedcluster/guest-cluster-0", "-n", "hcp", "-o", "json"]);
        let object: serde_json::Value = serde_json::from_str(&object).expect("is JSON");
        object["metadata"]["uid"].as_str().expect("has a uid").to_owned()
    };
    let before = uid();
    let pid = lab_status(&home)["pid"]
        .as_u64()
        .and_then(|pid| u32::try_from(pid).ok())
        .expect("a pid");
    kill(pid);
    home.ok(&["lab", "start", "--speed", "max"]);
    assert_eq!(uid(), before);
    // The guest's own API server came back as well, at the same address, with the same nodes.
    let guest = home.path().join("guest.kubeconfig");
    std::fs::write(&guest, home.ok(&["kubeconfig", "guest-cluster-0"])).expect("written");
    let nodes = home.ok(&[
        "--kubeconfig",
        &guest.display().to_string(),
        "get",
        "nodes",
        "-o",
        "name",
    ]);
    assert_eq!(nodes.lines().count(), 3);
    assert_eq!(home.run(&["plan", "-f", EXAMPLE]).status.code(), Some(0));
}
