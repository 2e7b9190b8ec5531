//! The drop-in for `hcp`, as a script uses it: rendering without any cluster, and a cluster's life on a lab.

use std::process::{Command, Output};

use serde_json::Value;

use crate::lab::{Home, root};
use crate::skip::need;

const IMAGE: &str = "quay.io/openshift-release-dev/ocp-release:4.17.0-multi";

/// `hcp` by its name, with arguments split at blanks.
fn hcp(home: &Home, words: &str) -> Output {
    let link = home.path().join("hcp");
    if !link.exists() {
        std::os::unix::fs::symlink(crate::lab::berth(), &link).expect("a link can be made");
    }
    let mut command: Command = home.command(&[]);
    let mut named = Command::new(link);
    named.args(words.split_whitespace()).current_dir(root());
    for (name, value) in command.env("NO_COLOR", "1").get_envs() {
        match value {
            Some(value) => named.env(name, value),
            None => named.env_remove(name),
        };
    }
    named.output().expect("the program starts")
}

#[track_caller]
fn ok(home: &Home, words: &str) -> (String, String) {
    let output = hcp(home, words);
    let (stdout, stderr) = texts(&output);
    assert!(
        output.status.success(),
        "hcp {words}\n--- stdout\n{stdout}--- stderr\n{stderr}"
    );
    (stdout, stderr)
}

#[track_caller]
fn refused(home: &Home, words: &str, told: &str) {
    let output = hcp(home, words);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "hcp {words}\n{stdout}{stderr}");
    assert!(stderr.contains(told), "hcp {words}: `{told}` is not in\n{stderr}");
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn rendering_needs_no_cluster_and_warns_on_stderr() {
    let home = Home::new();
    let create =
        format!("create cluster kubevirt --name g --pull-secret examples/pull-secret.json --release-image {IMAGE}");
    let (stdout, stderr) = ok(&home, &format!("{create} --render --network-multiqueue Disable"));
    assert!(
        stdout.ends_with("---\n") && !stdout.contains("kind: Secret"),
        "{stdout}"
    );
    assert!(stderr.starts_with("warning: P07: --network-multiqueue"), "{stderr}");
    refused(
        &home,
        &format!("{create} --render --network-multiqueue Disable --strict"),
        "refused by --strict: P07",
    );
    refused(
        &home,
        "create cluster kubevirt --render",
        "\"msg\":\"Failed to create cluster\"",
    );
    refused(
        &home,
        "create cluster kubevirt --render",
        "\nError: --name is required\n--name is required\n",
    );
    refused(&home, "create cluster kubevirt", "--name is required");
    refused(&home, "create cluster aws --name g", "KubeVirt only");
    // A file is written only once everything else is checked on a cluster, unless `--render` stands beside it.
    let file = home.path().join("out.yaml");
    ok(&home, &format!("{create} --render --render-into {}", file.display()));
    assert_eq!(
        std::fs::read_to_string(&file)
            .expect("was written")
            .matches("\nkind: ")
            .count(),
        3
    );
    std::fs::remove_file(&file).expect("is there");
    refused(
        &home,
        &format!("{create} --render-into {}", file.display()),
        "there is no kubeconfig, and no lab runs",
    );
    assert!(!file.exists());
}

#[test]
fn a_generated_key_is_one_that_ssh_takes() {
    let Some(()) = need("a generated key is one that ssh takes", &["ssh-keygen"]) else {
        return;
    };
    let home = Home::new();
    let create =
        format!("create cluster kubevirt --name g --pull-secret examples/pull-secret.json --release-image {IMAGE}");
    let (stdout, _) = ok(&home, &format!("{create} --render --render-sensitive --generate-ssh"));
    let value = |key: &str| {
        let line = stdout
            .lines()
            .find_map(|line| line.trim().strip_prefix(key))
            .expect(key);
        base64(line.trim())
    };
    let file = home.path().join("id_rsa");
    std::fs::write(&file, value("id_rsa:")).expect("written");
    restrict(&file);
    let derived = Command::new("ssh-keygen")
        .arg("-y")
        .arg("-f")
        .arg(&file)
        .output()
        .expect("ssh-keygen runs");
    assert!(derived.status.success(), "{}", String::from_utf8_lossy(&derived.stderr));
    assert_eq!(derived.stdout, value("id_rsa.pub:"));
    let length = Command::new("ssh-keygen")
        .arg("-l")
        .arg("-f")
        .arg(&file)
        .output()
        .expect("ssh-keygen runs");
    assert!(
        length.stdout.starts_with(b"4096 "),
        "{}",
        String::from_utf8_lossy(&length.stdout)
    );
}

fn restrict(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("permissions can be set");
}

fn base64(text: &str) -> Vec<u8> {
    let started = Command::new("base64")
        .arg("-d")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut decoder = started.expect("base64 runs");
    std::io::Write::write_all(&mut decoder.stdin.take().expect("piped"), text.as_bytes()).expect("written");
    decoder.wait_with_output().expect("it ends").stdout
}

/// Objects of a kind in a namespace, as `get` lists them.
fn names(home: &Home, kind: &str, namespace: &str) -> Vec<String> {
    let listed = home.ok(&["--lab", "get", kind, "-n", namespace, "-o", "name"]);
    let names = listed.lines().filter_map(|line| line.split_once('/'));
    names.map(|(_, name)| name.to_owned()).collect()
}

/// A lab of a generation with everything that `hcp` stands on.
fn hub(generation: &str) -> Home {
    let home = Home::new();
    let example = std::fs::read_to_string(root().join("examples/guest-cluster-0.yaml")).expect("is there");
    let (management, _) = example.split_once("\n---\n").expect("two documents");
    let document = home.path().join("management.yaml");
    std::fs::write(&document, management).expect("written");
    let document = document.display().to_string();
    let speed = ["--lab", "--speed", "max", "--generation", generation];
    home.ok(&[&["up"], &speed[..], &["-f", &document]].concat());
    home
}

const CREATE: &str = "create cluster kubevirt --name g --namespace hcp --pull-secret examples/pull-secret.json --memory 10Gi \
                      --cores 8 --etcd-storage-class ocs-storagecluster-ceph-rbd";

#[test]
fn what_an_older_hub_lacks_or_refuses_is_heard_of_before_anything_is_written() {
    let home = hub("4.17");
    let create = format!("{CREATE} --release-image {IMAGE}");
    refused(
        &home,
        &format!("{create} --kas-dns-name a.example.com"),
        "--kas-dns-name",
    );
    refused(&home, &format!("{CREATE} --release-image x"), "spec.release.image");
    refused(&home, &format!("{create} --arch AMD64"), "spec.arch");
    assert!(!names(&home, "namespaces", "").contains(&"hcp".to_owned()));
    // The older `hcp` calls a cluster without a name so.
    let (stdout, _) = ok(&home, "create cluster kubevirt --render --version-check");
    assert!(
        stdout.contains("\n  name: example\n") && !stdout.contains("capabilities"),
        "{stdout}"
    );
    // Without an image the hub's webhook fills one in.
    let (_, stderr) = ok(&home, CREATE);
    assert!(stderr.contains("C07"), "{stderr}");
    let made = home.ok(&["--lab", "get", "hostedcluster", "g", "-n", "hcp", "-o", "json"]);
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let image = &made["spec"]["release"]["image"];
    assert_eq!(*image, "quay.io/openshift-release-dev/ocp-release:4.17.9-multi");
}

#[test]
fn a_clusters_life_by_script() {
    life("4.17", "", "4.17, 4.16");
}

#[test]
fn a_clusters_life_by_script_on_the_current_generation() {
    life(
        "current",
        "--kas-dns-name api.g.example.com --labels team=blue --pods-labels cost=42",
        "5.1, 5.0",
    );
}

fn life(generation: &str, more: &str, versions: &str) {
    let home = hub(generation);
    let create = format!("{CREATE} {more}");
    let (_, log) = ok(
        &home,
        &format!("{create} --release-image {IMAGE} --node-pool-replicas 2 --wait --timeout 5m --version-check"),
    );
    assert!(
        log.contains("\"msg\":\"Applied Kube resource\",\"kind\":\"HostedCluster\""),
        "{log}"
    );
    refused(
        &home,
        &format!("{create} --release-image {IMAGE}"),
        "hostedcluster hcp/g already exists",
    );

    let pool = "create nodepool kubevirt --name more --namespace hcp --cluster-name g --replicas 1";
    let (stdout, stderr) = ok(&home, &format!("{pool} --render"));
    assert!(stdout.contains("clusterName: g") && !stdout.contains("---"), "{stdout}");
    assert!(
        stderr.contains("NodePool more was rendered to yaml output file"),
        "{stderr}"
    );
    assert_eq!(ok(&home, pool).0, "NodePool more created\n");
    refused(&home, pool, "NodePool hcp/more already exists");
    refused(
        &home,
        &format!("{pool} --name other --release-image quay.io/ocp:4.18.0-multi"),
        "NodePool version 4.18.0 cannot be higher than the HostedCluster version 4.17.0",
    );
    let (_, notice) = ok(&home, &format!("{pool} --name other --node-count 0 --render"));
    assert!(notice.contains("--node-count has been deprecated"), "{notice}");
    refused(
        &home,
        "create nodepool kubevirt --name p --cluster-name nobody",
        "failed to get HostedCluster clusters/nobody",
    );
    assert_eq!(names(&home, "nodepools", "hcp"), ["g", "more"]);

    let (kubeconfig, _) = ok(&home, "create kubeconfig --name g --namespace hcp");
    assert_eq!(kubeconfig, home.ok(&["--lab", "kubeconfig", "hcp/g"]));
    let (merged, log) = ok(&home, "create kubeconfig --namespace hcp");
    assert!(merged.contains("current-context: hcp-g\n"), "{merged}");
    assert!(log.contains("created kubeconfig with 1 contexts"), "{log}");
    refused(&home, "create kubeconfig --name nobody", "Error: hostedclusters");
    assert!(
        ok(&home, "version")
            .0
            .contains(&format!("Server Supports OCP Versions: {versions}"))
    );

    ok(&home, "destroy nodepool --name more --namespace hcp");
    let (_, log) = ok(&home, "destroy nodepool --name nobody --namespace hcp");
    assert!(log.contains("already deleted or not found"), "{log}");
    let secrets = names(&home, "secrets", "hcp");
    assert!(secrets.contains(&"g-pull-secret".to_owned()), "{secrets:?}");
    let (_, log) = ok(&home, "destroy cluster kubevirt --name g --namespace hcp");
    let last: Value = serde_json::from_str(log.lines().last().unwrap_or_default()).expect("the log is JSON");
    assert_eq!(last["msg"], "Successfully destroyed cluster and infrastructure");
    assert_eq!(names(&home, "hostedclusters", "hcp"), Vec::<String>::new());
    let secrets = names(&home, "secrets", "hcp");
    assert!(!secrets.iter().any(|name| name.starts_with("g-")), "{secrets:?}");

    // A cluster that is gone: its Secrets by the infrastructure ID, without a wait.
    refused(
        &home,
        "destroy cluster kubevirt --name g --namespace hcp",
        "required inputs are missing: infrastructure ID is required",
    );
    ok(
        &home,
        "destroy cluster kubevirt --name g --namespace hcp --infra-id some-id",
    );
}
