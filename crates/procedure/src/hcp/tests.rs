use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{HcpCommand, HcpError, Outside, node_pool_to_stdout, parse, to_stdout};
use crate::render::{Dialect, objects};

/// Folder with what the real `hcp` printed, if it is there.
fn golden() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::var_os("BERTH_UPSTREAM_DATA").map_or_else(|| root.join("../shared"), |path| root.join(path));
    let folder = data.join("golden/hcp-render");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: hcp against recorded renderings: no ../shared");
    None
}

/// The outside without a maker of keys: none of these tests wants one.
fn outside<'a>(read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>, random: &'a mut dyn FnMut(&mut [u8])) -> Outside<'a> {
    let rsa_key = &|| Err("no keys here".to_owned());
    Outside { read, random, rsa_key }
}

/// A pull secret in the place of any file.
#[expect(clippy::unnecessary_wraps, reason = "it stands for a reader of files")]
fn pull_secret(_: &Path) -> io::Result<Vec<u8>> {
    Ok(br#"{"auths":{"example.com":{"auth":"dXNlcjpwYXNz"}}}"#.into())
}

/// Runs a command as the binary does, with files of a folder and zeros for randomness.
fn run(args: &[&str], folder: &Path, dialect: Dialect) -> Result<String, HcpError> {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let HcpCommand::CreateCluster(command) = parse(&args)? else {
        panic!("another command")
    };
    let read = |path: &Path| -> io::Result<Vec<u8>> { fs::read(folder.join(path)) };
    let mut random = |bytes: &mut [u8]| bytes.fill(0);
    let mut outside = outside(&read, &mut random);
    let request = command.request(&mut outside, dialect)?;
    Ok(to_stdout(
        &objects(&request, dialect),
        command.render_sensitive,
        &mut outside,
        dialect,
    ))
}

/// The random key of the case `sensitive` is the one thing that can't agree.
fn without_random(text: &str) -> String {
    text.lines()
        .map(|line| {
            if line.starts_with("  key: ") {
                "  key: random\n".to_owned()
            } else {
                format!("{line}\n")
            }
        })
        .collect()
}

#[track_caller]
fn check_generation(name: &str, dialect: Dialect) {
    let Some(golden) = golden() else { return };
    let folder = golden.join(name);
    let cases: Vec<Value> = serde_json::from_slice(&fs::read(folder.join("cases.json")).unwrap()).unwrap();
    assert!(cases.iter().any(|case| case["name"] == "seed"));
    let mut wrong = Vec::new();
    for case in &cases {
        let case_name = case["name"].as_str().unwrap();
        let args: Vec<&str> = case["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|arg| arg.as_str().unwrap())
            .collect();
        let agrees = match run(&args, &golden.join("in"), dialect) {
            Ok(stdout) => {
                let expected = fs::read_to_string(folder.join(format!("{case_name}.yaml"))).unwrap_or_default();
                case["exit"] == 0 && without_random(&stdout) == without_random(&expected)
            }
            Err(error) => {
                let lines = error.lines(dialect);
                case["exit"] == i32::from(HcpError::EXIT_CODE)
                    && lines.last().map(String::as_str) == case["stderr"].as_str()
            }
        };
        if !agrees {
            wrong.push(case_name);
        }
    }
    assert!(
        wrong.is_empty(),
        "{name}: {} of {} cases differ: {wrong:?}",
        wrong.len(),
        cases.len()
    );
}

#[test]
fn renders_as_the_release_4_17_does() {
    check_generation("4.17", Dialect::Release4_17);
}

#[test]
fn renders_as_the_newest_does() {
    check_generation("current", Dialect::Current);
}

const BASE: [&str; 7] = [
    "create",
    "cluster",
    "kubevirt",
    "--name",
    "g",
    "--pull-secret",
    "pull-secret.json",
];

/// The error of a command line, with a pull secret that can be read.
#[track_caller]
fn refused(more: &[&str]) -> String {
    let args: Vec<String> = BASE.iter().chain(more).map(|arg| (*arg).to_owned()).collect();
    let outcome = parse(&args).and_then(|command| {
        let HcpCommand::CreateCluster(command) = command else {
            panic!("another command")
        };
        let mut random = |bytes: &mut [u8]| bytes.fill(0);
        let mut outside = outside(&pull_secret, &mut random);
        command.request(&mut outside, Dialect::Current)
    });
    outcome.expect_err("the command was accepted").to_string()
}

#[test]
fn flags_are_refused_in_the_words_of_go() {
    let cases: &[(&[&str], &str)] = &[
        (&["--nam", "x"], "unknown flag: --nam"),
        (&["--memory"], "flag needs an argument: --memory"),
        (&["-n", "x"], "unknown shorthand flag: 'n' in -n"),
        (
            &["--cores", "x"],
            "invalid argument \"x\" for \"--cores\" flag: strconv.ParseUint: parsing \"x\": invalid syntax",
        ),
        (
            &["--cores=-1"],
            "invalid argument \"-1\" for \"--cores\" flag: strconv.ParseUint: parsing \"-1\": invalid syntax",
        ),
        (
            &["--node-pool-replicas", "9999999999"],
            "invalid argument \"9999999999\" for \"--node-pool-replicas\" flag: strconv.ParseInt: parsing \
             \"9999999999\": value out of range",
        ),
        (
            &["--fips=maybe"],
            "invalid argument \"maybe\" for \"--fips\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        (
            &["--timeout", "5"],
            "invalid argument \"5\" for \"--timeout\" flag: time: missing unit in duration \"5\"",
        ),
        (
            &["--node-selector", "a"],
            "invalid argument \"a\" for \"--node-selector\" flag: a must be formatted as key=value",
        ),
        (
            &["--node-upgrade-type", "x"],
            "invalid argument \"x\" for \"--node-upgrade-type\" flag: unknown upgrade type used 'x'",
        ),
        (
            &["--default-dual", "--service-cidr", "10.0.0.0/16"],
            "if any flags in the group [service-cidr default-dual] are set none of the others can be; [default-dual \
             service-cidr] were all set",
        ),
    ];
    for (args, expected) in cases {
        assert_eq!(refused(args), *expected);
    }
}

#[test]
fn values_are_refused_in_the_words_of_hcp() {
    let cases: &[(&[&str], &str)] = &[
        (&["--arch", "mips"], "specified arch \"mips\" is not supported"),
        (
            &["--cores", "0"],
            "the number of cores inside the machine must be a value greater than or equal to 1",
        ),
        (
            &["--root-volume-size", "8"],
            "the root volume size [8] must be greater than or equal to 16",
        ),
        (
            &["--cluster-cidr", "ten"],
            "parsing ClusterCIDR (ten): invalid CIDR address: ten",
        ),
        (&["--wait"], "--wait requires --node-pool-replicas > 0"),
        (&["--annotations", "x"], "invalid annotation: x"),
        (&["--labels", "=x"], "invalid label: key must not be empty in \"=x\""),
        (
            &["--toleration", "effect=never"],
            "invalid toleration cli argument. unknown effect type [never]",
        ),
        (&["--toleration", "key"], "invalid toleration cli argument. [key]"),
        (
            &["--ovn-kubernetes-mtu", "100"],
            "--ovn-kubernetes-mtu must be between 576 and 9216 (got 100)",
        ),
        (
            &["--additional-network", "x"],
            "could not complete platform specific options: failed to parse \"--additional-network\" flag: params need \
             to have at least one colon: x",
        ),
        (
            &["--host-device-name", "gpu,count:0"],
            "could not complete platform specific options: host device count must be greater than or equal to 1. \
             received: [0]",
        ),
        (
            &["--infra-storage-class-mapping", "a/b,x"],
            "invalid infra storageclass mapping [a/b,x]",
        ),
    ];
    for (args, expected) in cases {
        assert_eq!(refused(args), *expected);
    }
}

#[test]
fn an_infrastructure_id_is_made_where_none_is_given() {
    let args: Vec<String> = BASE.iter().map(|arg| (*arg).to_owned()).collect();
    let Ok(HcpCommand::CreateCluster(mut command)) = parse(&args) else {
        panic!("another command")
    };
    let mut random = |bytes: &mut [u8]| bytes.fill(1);
    let mut outside = outside(&pull_secret, &mut random);
    let request = command.request(&mut outside, Dialect::Current).unwrap();
    assert_eq!(request.infra_id.as_deref(), Some("g-ccccc"));
    let long: Vec<String> = [
        "create",
        "cluster",
        "kubevirt",
        "--name",
        "a-very-long-name-of--a-cluster",
        "--pull-secret",
        "x",
    ]
    .map(str::to_owned)
    .into();
    let Ok(HcpCommand::CreateCluster(next)) = parse(&long) else {
        panic!("another command")
    };
    command = next;
    let request = command.request(&mut outside, Dialect::Current).unwrap();
    assert_eq!(request.infra_id.as_deref(), Some("a-very-long-name-of-a-ccccc"));
}

fn command(args: &[&str]) -> Result<HcpCommand, HcpError> {
    parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
}

#[test]
fn other_commands_are_known() {
    assert_eq!(
        command(&["create", "kubeconfig", "--name", "g", "--namespace=hcp"]),
        Ok(HcpCommand::CreateKubeconfig {
            name: "g".to_owned(),
            namespace: "hcp".to_owned()
        })
    );
    let version = HcpCommand::Version {
        commit_only: false,
        client_only: true,
        namespace: "hypershift".to_owned(),
    };
    assert_eq!(command(&["version", "--client-only"]), Ok(version));
    let gone = HcpCommand::DestroyNodePool {
        name: "p".to_owned(),
        namespace: "clusters".to_owned(),
    };
    assert_eq!(command(&["destroy", "nodepool", "--name=p"]), Ok(gone));
    let Ok(HcpCommand::DestroyCluster(destroy)) = command(&["destroy", "cluster", "--name", "g", "kubevirt"]) else {
        panic!("flags may stand before the platform")
    };
    assert_eq!(
        (destroy.grace_period.as_secs(), destroy.destroy_cloud_resources),
        (600, true)
    );
}

#[test]
fn help_is_an_answer_and_a_missing_command_is_not() {
    let Ok(HcpCommand::Help { text, done: true }) = command(&["create", "cluster", "kubevirt", "--help"]) else {
        panic!("no help")
    };
    assert!(text.contains("--node-pool-replicas int32"), "{text}");
    assert!(text.contains("--root-volume-size uint32"), "{text}");
    let Ok(HcpCommand::Help { text, done: true }) = command(&["create", "--help"]) else {
        panic!("no help")
    };
    assert!(text.contains("  nodepool\n") && !text.contains("iam"), "{text}");
    assert!(matches!(command(&["--help"]), Ok(HcpCommand::Help { done: true, .. })));
    assert!(matches!(command(&[]), Ok(HcpCommand::Help { done: false, .. })));
}

#[test]
fn what_is_no_command_of_ours_is_refused_by_name() {
    let refused = |args: &[&str]| command(args).unwrap_err().to_string();
    assert_eq!(refused(&["destory"]), "unknown command \"destory\" for \"hcp\"");
    assert!(refused(&["create", "cluster", "aws", "--name", "g"]).starts_with("`hcp create cluster aws` is not there"));
    assert!(refused(&["create", "oadp-backup"]).contains("KubeVirt only"));
    assert_eq!(refused(&["create", "--name", "g", "cluster"]), "unknown flag: --name");
    assert_eq!(
        refused(&["destroy", "cluster", "kubevirt"]),
        "required flag(s) \"name\" not set"
    );
    assert_eq!(
        refused(&["create", "nodepool", "kubevirt"]),
        "required flag(s) \"name\" not set"
    );
}

/// What `create cluster` warns of.
#[track_caller]
fn warned(more: &[&str], dialect: Dialect) -> Vec<&'static str> {
    let args: Vec<&str> = BASE.iter().chain(more).copied().collect();
    let Ok(HcpCommand::CreateCluster(create)) = command(&args) else {
        panic!("another command")
    };
    let mut random = |bytes: &mut [u8]| bytes.fill(0);
    let read = |path: &Path| match path.to_str() {
        Some("broken.json") => Ok(b"not JSON".into()),
        _ => pull_secret(path),
    };
    let request = create.request(&mut outside(&read, &mut random), dialect).unwrap();
    create
        .warnings(&request, dialect)
        .iter()
        .map(|warning| warning.id)
        .collect()
}

#[test]
fn what_cannot_work_is_warned_of_by_its_id() {
    const IMAGE: &[&str] = &["--release-image", "ocp:4.17.0-multi"];
    let cases: &[(&[&str], &[&str])] = &[
        (&[], &[]),
        (&["--pull-secret", "broken.json"], &["C06"]),
        (&["--release-image", ""], &["C07"]),
        (
            &["--cluster-cidr", "10.0.0.0/8", "--service-cidr", "10.1.0.0/16"],
            &["C01"],
        ),
        (&["--service-cidr", "172.16.0.0/12"], &["C01"]),
        (&["--cluster-cidr", "fd01::/48"], &["C27"]),
        (&["--external-dns-domain", "e.example.com"], &["C30"]),
        (&["--default-dual"], &["C27"]),
        (&["--default-dual=false"], &[]),
        (&["--base-domain-prefix", "none"], &["C09"]),
        (&["--network-multiqueue", "Disable"], &["P07"]),
        (&["--host-device-name", "gpu"], &["U09"]),
        (&["--host-device-name", "gpu,count:1"], &[]),
        (&["--pausedUntil", "true"], &["U18"]),
        (&["--pausedUntil", "2030-01-01T00:00:00Z"], &[]),
        (&["--arch", "arm64"], &["C23"]),
        (&["--arch", "AMD64"], &["C23"]),
        (&["--arch", "s390x"], &[]),
        (
            &["--root-volume-access-modes", "ReadWriteOnce, ReadWriteMany"],
            &["P04"],
        ),
        (&["--namespace", "g"], &["P23"]),
    ];
    for (more, ids) in cases {
        assert_eq!(warned(&[IMAGE, more].concat(), Dialect::Current), *ids, "{more:?}");
    }
    assert_eq!(
        warned(&[IMAGE, &["--arch", "ppc64le"]].concat(), Dialect::Release4_17),
        ["C23"]
    );
}

#[test]
fn the_older_generation_has_its_own_ways() {
    let old = |args: &[&str]| {
        let args: Vec<&str> = ["create", "cluster", "kubevirt"].iter().chain(args).copied().collect();
        let HcpCommand::CreateCluster(create) = command(&args)? else {
            panic!("another command")
        };
        let mut random = |bytes: &mut [u8]| bytes.fill(0);
        create.request(&mut outside(&pull_secret, &mut random), Dialect::Release4_17)
    };
    let request = old(&[]).unwrap();
    assert_eq!(
        (request.name.as_str(), request.namespace.as_str()),
        ("example", "clusters")
    );
    assert!(old(&["--annotations", "=x"]).unwrap().annotations.contains_key(""));
    assert_eq!(
        old(&["--arch", "s390x"]).unwrap_err().to_string(),
        "specified arch \"s390x\" is not supported"
    );
    // The original breaks down on both.
    assert!(
        old(&["--cluster-cidr", "x"])
            .unwrap_err()
            .to_string()
            .contains("ClusterCIDR")
    );
    assert!(old(&["--memory", "x"]).unwrap_err().to_string().contains("memory"));
}

#[test]
fn a_flag_without_a_field_is_named() {
    let Ok(HcpCommand::CreateCluster(create)) = command(&[
        "create",
        "cluster",
        "kubevirt",
        "--kas-dns-name",
        "a.example.com",
        "--labels",
        "a=b",
        "--pods-labels",
        "c=d",
    ]) else {
        panic!("another command")
    };
    let error = create.check_fields(|_| true).unwrap_err().to_string();
    assert!(
        error.contains("--kas-dns-name (spec.kubeAPIServerDNSName), --pods-labels (spec.labels)"),
        "{error}"
    );
    assert!(!error.contains("--labels,"), "{error}");
    assert_eq!(create.check_fields(|field| field == "capabilities"), Ok(()));
}

#[test]
fn the_generation_follows_the_image_unless_a_flag_says_newer() {
    let generation = |more: &[&str]| {
        let args: Vec<&str> = BASE.iter().chain(more).copied().collect();
        let Ok(HcpCommand::CreateCluster(create)) = command(&args) else {
            panic!("another command")
        };
        create.generation()
    };
    assert_eq!(generation(&[]), Dialect::Current);
    assert_eq!(
        generation(&["--release-image", "ocp:4.17.9-multi"]),
        Dialect::Release4_17
    );
    assert_eq!(generation(&["--release-image", "ocp:4.18.0-multi"]), Dialect::Current);
    let newer = &["--release-image", "ocp:4.17.9-multi", "--labels", "a=b"];
    assert_eq!(generation(newer), Dialect::Current);
}

/// The NodePool of `create nodepool`, printed.
fn node_pool(more: &[&str]) -> Result<String, HcpError> {
    let args: Vec<&str> = ["create", "nodepool", "kubevirt", "--name", "p"]
        .iter()
        .chain(more)
        .copied()
        .collect();
    let HcpCommand::CreateNodePool(create) = command(&args)? else {
        panic!("another command")
    };
    create.check()?;
    let mut random = |bytes: &mut [u8]| bytes.fill(0);
    let node_pool = create.node_pool("quay.io/ocp:4.17.0-multi")?;
    Ok(node_pool_to_stdout(
        &node_pool,
        &mut outside(&pull_secret, &mut random),
        Dialect::Current,
    ))
}

#[test]
fn a_node_pool_is_made_for_a_cluster_that_is_there() {
    insta::assert_snapshot!(node_pool(&["--cluster-name", "g", "--namespace=hcp", "--auto-repair"]).unwrap(), @r"
    apiVersion: hypershift.openshift.io/v1beta1
    kind: NodePool
    metadata:
      name: p
      namespace: hcp
    spec:
      arch: amd64
      clusterName: g
      management:
        autoRepair: true
        upgradeType: Replace
      platform:
        kubevirt:
          attachDefaultNetwork: true
          compute:
            cores: 2
            memory: 4Gi
          networkInterfaceMultiqueue: Enable
          rootVolume:
            persistent:
              size: 32Gi
            type: Persistent
        type: KubeVirt
      release:
        image: quay.io/ocp:4.17.0-multi
      replicas: 2
    status:
      replicas: 0
    ");
    let has = |more: &[&str], line: &str| node_pool(more).unwrap().contains(line);
    assert!(has(&["--node-count", "5"], "  replicas: 5\n"));
    assert!(has(&["--replicas=-1"], "  replicas: -1\n"));
    assert!(has(&["--release-image", "x"], "    image: x\n"));
    assert!(has(&[], "  clusterName: example\n"));
    // Without the words that `create cluster` puts before.
    let error = node_pool(&["--qos-class", "x"]).unwrap_err().to_string();
    assert!(error.starts_with("wrong value for the --qos-class"), "{error}");
}
