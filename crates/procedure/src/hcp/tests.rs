use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{HcpCommand, HcpError, Outside, parse, to_stdout};
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

/// Runs a command as the binary does, with files of a folder and zeros for randomness.
fn run(args: &[&str], folder: &Path, dialect: Dialect) -> Result<String, HcpError> {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let HcpCommand::CreateCluster(command) = parse(&args)? else {
        panic!("another command")
    };
    let read = |path: &Path| -> io::Result<Vec<u8>> { fs::read(folder.join(path)) };
    let mut outside = Outside {
        read: &read,
        random: &mut |bytes| bytes.fill(0),
    };
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
        let mut outside = Outside {
            read: &|_| Ok(b"{}".into()),
            random: &mut |bytes| bytes.fill(0),
        };
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
    let mut outside = Outside {
        read: &|_| Ok(b"{}".into()),
        random: &mut |bytes| bytes.fill(1),
    };
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

#[test]
fn other_commands_are_known() {
    let parse = |args: &[&str]| parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>());
    assert_eq!(
        parse(&["create", "kubeconfig", "--name", "g", "--namespace=hcp"]),
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
    assert_eq!(parse(&["version", "--client-only"]), Ok(version));
    let Ok(HcpCommand::Help { text, asked: true }) = parse(&["create", "cluster", "kubevirt", "--help"]) else {
        panic!("no help")
    };
    assert!(text.contains("--node-pool-replicas int32"), "{text}");
    assert!(matches!(parse(&[]), Ok(HcpCommand::Help { asked: false, .. })));
    assert_eq!(
        parse(&["destory"]).unwrap_err().to_string(),
        "unknown command \"destory\" for \"hcp\""
    );
}
