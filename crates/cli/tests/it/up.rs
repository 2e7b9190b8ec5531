//! The main job on the lab, as processes: from nothing to three nodes, again without a write, and away again.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::lab::{Home, root};

const EXAMPLE: &str = "examples/guest-cluster-0.yaml";

/// Mutating requests that Berth made so far, dry runs apart.
fn writes(home: &Home) -> u64 {
    let status: serde_json::Value = serde_json::from_str(&home.ok(&["lab", "status", "-o", "json"])).expect("is JSON");
    let requests = status["requests"].as_array().expect("requests are counted").iter();
    requests
        .filter(|request| {
            request["userAgent"]
                .as_str()
                .is_some_and(|agent| agent.starts_with("berth/"))
        })
        .filter(|request| request["dryRun"] == false)
        .filter(|request| {
            matches!(
                request["verb"].as_str(),
                Some("create" | "update" | "patch" | "delete" | "deletecollection")
            )
        })
        .filter(|request| {
            !request["resource"]
                .as_str()
                .is_some_and(|resource| resource.starts_with("self"))
        })
        .map(|request| request["count"].as_u64().expect("a count"))
        .sum()
}

#[test]
fn up_makes_a_guest_and_a_second_run_writes_nothing() {
    let home = Home::new();
    let output = home.run(&["up", "--lab", "--speed", "max", "-f", EXAMPLE]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    for step in [
        "ingress",
        "multicluster-engine",
        "cli",
        "guest/guest-cluster-0/rollout",
        "guest/guest-cluster-0/access",
    ] {
        assert!(stderr.contains(step), "the summary names `{step}`:\n{stderr}");
    }

    // The guest's nodes are the virtual machines, by name.
    let guest = home.path().join("guest.kubeconfig");
    std::fs::write(&guest, home.ok(&["kubeconfig", "guest-cluster-0"])).expect("written");
    let names = |arguments: &[&str]| -> BTreeSet<String> {
        let listed = home.ok(arguments);
        listed
            .lines()
            .filter_map(|line| line.split_once('/'))
            .map(|(_, name)| name.to_owned())
            .collect()
    };
    let nodes = names(&[
        "--kubeconfig",
        &guest.display().to_string(),
        "get",
        "nodes",
        "-o",
        "name",
    ]);
    let machines = names(&["--lab", "get", "vm", "-n", "hcp-guest-cluster-0", "-o", "name"]);
    assert_eq!(nodes.len(), 3);
    assert_eq!(nodes, machines);

    let before = writes(&home);
    assert!(before > 0, "the first run wrote");
    let again = home.run(&["up", "--lab", "-f", EXAMPLE]);
    assert!(again.status.success());
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(
        said.contains("nothing"),
        "a second run says that it writes nothing:\n{said}"
    );
    assert_eq!(writes(&home), before, "a second run writes nothing");
    assert_eq!(home.run(&["plan", "-f", EXAMPLE]).status.code(), Some(0));

    secrets_are_where_they_belong(&home, &[&output, &again]);

    home.ok(&["down", "guest-cluster-0", "--yes"]);
    assert_eq!(home.ok(&["get", "hostedclusters", "-n", "hcp", "-o", "name"]), "");
    assert_eq!(home.run(&["plan", "-f", EXAMPLE]).status.code(), Some(2));
}

/// No secret's text in any output or in the lab's log; files that hold one have mode 0600.
fn secrets_are_where_they_belong(home: &Home, outputs: &[&std::process::Output]) {
    let pull_secret = std::fs::read_to_string(root().join("examples/pull-secret.json")).expect("the example has one");
    let pull_secret: serde_json::Value = serde_json::from_str(&pull_secret).expect("is JSON");
    let mut secrets: Vec<String> = pull_secret["auths"]
        .as_object()
        .expect("has auths")
        .values()
        .filter_map(|auth| auth["auth"].as_str().map(str::to_owned))
        .collect();
    secrets.push(home.ok(&["password", "guest-cluster-0"]).trim().to_owned());
    let mut texts: Vec<String> = outputs
        .iter()
        .map(|output| [&output.stdout[..], &output.stderr[..]].concat())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    texts.push(std::fs::read_to_string(home.path().join("state/labs/default/log")).unwrap_or_default());
    texts.push(home.ok(&["get", "events", "-A", "-o", "json"]));
    texts.push(home.ok(&["describe", "secret/guest-cluster-0-pull-secret", "-n", "hcp"]));
    texts.push(home.ok(&["status"]));
    for secret in &secrets {
        assert!(!secret.is_empty());
        assert!(
            !texts.iter().any(|text| text.contains(secret.as_str())),
            "a secret's text was printed"
        );
    }
    for file in files(&home.path().join("state")) {
        let mode = std::fs::metadata(&file).expect("is there").permissions().mode() & 0o777;
        let tool = file.components().any(|part| part.as_os_str() == "bin");
        assert!(tool || mode == 0o600, "{} has mode {mode:o}", file.display());
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_write_must_not_guess_its_cluster() {
    let home = Home::new();
    home.ok(&["lab", "start", "--speed", "max"]);
    let other = home.path().join("other.kubeconfig");
    std::fs::write(
        &other,
        "apiVersion: v1\nkind: Config\ncurrent-context: hub\nclusters: [{name: hub, cluster: {server: https://127.0.0.1:1}}]\n\
         users: [{name: me, user: {}}]\ncontexts: [{name: hub, context: {cluster: hub, user: me}}]\n",
    )
    .expect("written");
    let output = home
        .command(&["down", "guest-cluster-0"])
        .env("KUBECONFIG", &other)
        .output()
        .expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{stderr}");
    assert!(stderr.contains("kubeconfig") && stderr.contains("--lab"), "{stderr}");
}

#[test]
fn a_write_to_a_real_hub_needs_somebody_to_ask() {
    // A lab that is reached by a kubeconfig elsewhere is a real hub as far as `up` can tell.
    let home = Home::new();
    home.ok(&["lab", "start", "--speed", "max"]);
    let copy = home.path().join("hub.kubeconfig");
    std::fs::write(&copy, home.ok(&["lab", "kubeconfig", "--raw"])).expect("written");
    let file = copy.display().to_string();
    let output = home.run(&["--kubeconfig", &file, "up", "-f", EXAMPLE]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{stderr}");
    assert!(
        stderr.contains("--yes") && stderr.contains("the whole cluster feels"),
        "{stderr}"
    );
    assert_eq!(writes(&home), 0, "nothing was written");
}

#[test]
fn a_plan_of_an_untouched_hub_is_the_whole_journey() {
    let home = Home::new();
    home.ok(&["lab", "start", "--speed", "max"]);
    let output = home.run(&["plan", "-f", EXAMPLE]);
    assert_eq!(output.status.code(), Some(2));
    let plan = String::from_utf8_lossy(&output.stdout);
    for part in [
        "IngressController openshift-ingress-operator/default",
        "StorageClass ocs-storagecluster-ceph-rbd",
        "Subscription multicluster-engine/multicluster-engine",
        "MultiClusterEngine multiclusterengine (known after multicluster-engine-operator)",
        "HostedCluster hcp/guest-cluster-0 (known after multicluster-engine)",
        "NodePool hcp/guest-cluster-0-workers (known after multicluster-engine)",
    ] {
        assert!(plan.contains(part), "`{part}` is not in\n{plan}");
    }
    assert_eq!(writes(&home), 0);
}

#[test]
fn what_the_hub_contradicts_is_refused_before_anything_is_written() {
    let home = Home::new();
    home.ok(&["lab", "start", "--speed", "max"]);
    let example = std::fs::read_to_string(root().join(EXAMPLE)).expect("the example is there");
    let secret = root().join("examples/pull-secret.json").display().to_string();
    let example = example.replace("pull-secret.json", &secret);
    let check = |name: &str, text: &str, told: &[&str]| {
        assert_ne!(text, example, "{name}: the document was changed");
        let file = home.path().join(name);
        std::fs::write(&file, text).expect("written");
        for command in ["check", "up"] {
            let output = home.run(&[command, "-f", &file.display().to_string()]);
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert_eq!(output.status.code(), Some(3), "{command} {name}: {said}");
            for part in told {
                assert!(said.contains(part), "{command} {name}: `{part}` is not in\n{said}");
            }
        }
        assert_eq!(writes(&home), 0, "{name}: nothing was written");
    };
    let overlapping = example.replace(
        "  nodePools:",
        "  networking: {clusterNetwork: [10.128.0.0/14]}\n  nodePools:",
    );
    check("cidr.yaml", &overlapping, &["cidr.yaml:", "10.128.0.0/14", "fix:"]);
    let pinned = example.replace(
        "  storage:",
        "  clusterID: 00000000-0000-0000-0000-000000000000\n  storage:",
    );
    check(
        "pin.yaml",
        &pinned,
        &["pin.yaml:", "00000000-0000-0000-0000-000000000000", "fix:"],
    );
}

#[test]
fn events_are_json_lines_without_secrets() {
    let home = Home::new();
    let output = home.run(&["up", "--lab", "--speed", "max", "-f", EXAMPLE, "--events", "-"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8_lossy(&output.stdout);
    let events: Vec<serde_json::Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    assert_eq!(events.first().expect("there are events")["event"], "runStarted");
    assert_eq!(events.last().expect("there are events")["result"], "ready");
    let wrote_secret = events
        .iter()
        .any(|event| event["event"] == "wrote" && event["object"]["kind"] == "Secret");
    assert!(wrote_secret, "the pull secret was written");
    let password = home.ok(&["password", "guest-cluster-0"]);
    assert!(!stdout.contains(password.trim()), "the password is in no event");
}

#[test]
fn a_user_who_may_only_read_gets_the_whole_plan() {
    let home = Home::new();
    home.ok(&["lab", "start", "--speed", "max"]);
    let output = home.run(&["--lab", "--context", "reader", "plan", "-f", EXAMPLE]);
    let plan = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(2),
        "{plan}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for part in [
        "set IngressController openshift-ingress-operator/default (compared on this side, not by the server)",
        "create MultiClusterEngine multiclusterengine (known after multicluster-engine-operator)",
        "create HostedCluster hcp/guest-cluster-0 (known after multicluster-engine)",
    ] {
        assert!(plan.contains(part), "`{part}` is not in\n{plan}");
    }
    // And may not write, whatever is asked.
    let output = home.run(&["--lab", "--context", "reader", "up", "-f", EXAMPLE, "--timeout", "20s"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("forbidden"), "{stderr}");
}

#[test]
fn a_lab_keeps_the_generation_that_it_was_made_of() {
    let home = Home::new();
    let status = || -> serde_json::Value {
        serde_json::from_str(&home.ok(&["lab", "status", "-o", "json"])).expect("it is JSON")
    };
    home.ok(&["lab", "start", "--speed", "max", "--generation", "current"]);
    assert_eq!(status()["generation"], "current");
    home.ok(&["lab", "stop"]);
    home.ok(&["lab", "start", "--speed", "max"]);
    assert_eq!(status()["generation"], "current");
    let other = home.run(&["lab", "start", "--generation", "4.17"]);
    assert!(!other.status.success());
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(
        said.contains("holds a cluster of generation current, and 4.17 was asked for"),
        "{said}"
    );
}
