//! A guest's life after its birth on a lab, as processes: pools by command and by document, an upgrade in its order.

use serde_json::Value;

use crate::lab::{Home, root};
use crate::{script, skip};

const EXAMPLE: &str = "examples/guest-cluster-0.yaml";
const NEXT: &str = "4.17.9";

/// An object of the lab.
fn get(home: &Home, arguments: &[&str]) -> Value {
    let all = [&["get"], arguments, &["-n", "hcp", "-o", "json"]].concat();
    serde_json::from_str(&home.ok(&all)).expect("is JSON")
}

/// The example, edited.
fn document(home: &Home, edits: &[(&str, &str)]) -> String {
    let example = crate::lab::root().join(EXAMPLE);
    let mut text = std::fs::read_to_string(&example).expect("the example is there");
    let secret = example.with_file_name("pull-secret.json");
    text = text.replace("pull-secret.json", &secret.display().to_string());
    for (from, to) in edits {
        assert!(text.contains(from), "the example has `{from}`");
        text = text.replace(from, to);
    }
    let file = home.path().join("edited.yaml");
    std::fs::write(&file, text).expect("written");
    file.display().to_string()
}

/// The objects that a run wrote, in order, from its events.
fn written(file: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("there are events");
    let events = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an event is JSON"));
    let wrote = events.filter(|event| event["event"] == "wrote" && event["object"]["kind"] != "Lease");
    wrote
        .map(|event| {
            format!(
                "{} {}",
                event["verb"].as_str().unwrap_or_default(),
                event["object"]["kind"].as_str().unwrap_or_default()
            )
        })
        .collect()
}

#[test]
fn a_guest_is_upgraded_in_order_and_its_document_changes_pools() {
    let home = Home::new();
    home.ok(&["up", "--lab", "--speed", "max", "-f", EXAMPLE]);

    // By command: the control plane, then the pool, whose machines are all new.
    let machines = |home: &Home| home.ok(&["get", "vm", "-n", "hcp-guest-cluster-0", "-o", "name"]);
    let before = machines(&home);
    let events = home.path().join("events.jsonl");
    let output = home.run(&[
        "upgrade",
        "guest-cluster-0",
        "--to",
        NEXT,
        "--events",
        &events.display().to_string(),
    ]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("3 machines are replaced, with 1 more at a time and none missing"),
        "{said}"
    );
    assert_eq!(written(&events), ["update HostedCluster", "update NodePool"]);
    let version = |object: Value| object["status"]["version"]["history"][0]["version"].clone();
    assert_eq!(version(get(&home, &["hostedcluster", "guest-cluster-0"])), NEXT);
    let pool = get(&home, &["nodepool", "guest-cluster-0-workers"]);
    assert_eq!(pool["status"]["version"], NEXT);
    let after = machines(&home);
    assert_eq!(after.lines().count(), 3);
    assert!(
        after.lines().all(|machine| !before.contains(machine)),
        "{before}{after}"
    );

    // The old document would bring it back, which is refused; the edited one finds nothing to do.
    let back = home.run(&["plan", "-f", EXAMPLE]);
    assert_eq!(back.status.code(), Some(3), "{}", String::from_utf8_lossy(&back.stdout));
    assert!(String::from_utf8_lossy(&back.stdout).contains("can't go back"));
    let newer = ("4.17.0-multi", "4.17.9-multi");
    assert_eq!(
        home.run(&["plan", "-f", &document(&home, &[newer])]).status.code(),
        Some(0)
    );

    // By document: another pool in place of the first.
    let pool = (
        "- {name: workers, replicas: 3, cores: 8, memory: 10Gi}",
        "- {name: other, replicas: 2, cores: 4, memory: 8Gi}",
    );
    let edited = document(&home, &[newer, pool]);
    let plan = home.run(&["plan", "-f", &edited]);
    let told = String::from_utf8_lossy(&plan.stdout);
    assert!(told.contains("- delete NodePool hcp/guest-cluster-0-workers"), "{told}");
    assert!(told.contains("goes, with its 3 machines: "), "{told}");
    home.ok(&["up", "-f", &edited]);
    let pools = home.ok(&["get", "nodepools", "-n", "hcp", "-o", "name"]);
    assert_eq!(pools.trim(), "nodepool.hypershift.openshift.io/guest-cluster-0-other");
    assert_eq!(machines(&home).lines().count(), 2);
}

/// `tests/life/life.md`, on a lab of a generation.
fn whole_life(test: &str, generation: &str) {
    if skip::need(test, &["kubectl", "jq", "curl", "bash"]).is_none() {
        return;
    }
    let home = Home::new();
    let mut shell = home.shell(&home.path().join("state/labs/default/kubeconfig").display().to_string());
    for (name, value) in [("GENERATION", generation), ("ALICE_PASSWORD", "obviously-not-real")] {
        shell.variables.insert(name.to_owned(), value.to_owned());
    }
    let secret = root().join("examples/pull-secret.json");
    std::fs::copy(secret, shell.folder.join("pull-secret.json")).expect("copied");
    script::run(&root().join("tests/life/life.md"), &shell);
}

#[test]
fn a_whole_life_on_generation_4_17() {
    whole_life("life-4.17", "4.17");
}

#[test]
fn a_whole_life_on_the_current_generation() {
    whole_life("life-current", "current");
}
