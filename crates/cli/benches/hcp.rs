//! A whole rendering process of `hcp`, measured side by side: this one, and another binary that `HCP` names.
//!
//! `cargo bench -p berth-cli --bench hcp`, or `HCP=/path/to/hcp cargo bench -p berth-cli --bench hcp`. Memory is read by GNU time
//! where it is installed.

#![expect(clippy::print_stdout, reason = "it is here to print")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often each process is run; one is for warming up.
const RUNS: usize = 200;
const TIME: &str = "/usr/bin/time";
const LIMIT: (Duration, u64) = (Duration::from_millis(8), 15_000);

/// What a process took: the median of its times, the most memory in kilobytes.
struct Measured {
    median: Duration,
    fastest: Duration,
    memory: Option<u64>,
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let pull_secret = folder.path().join("pull-secret.json");
    std::fs::write(&pull_secret, r#"{"auths":{"example.com":{"auth":"dXNlcjpwYXNz"}}}"#).expect("written");
    // The real one is found by its name, and so is this one under it.
    let ours = folder.path().join("hcp");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_berth"), &ours).expect("a link can be made");
    let arguments = arguments(&pull_secret);

    println!(
        "{:<44} {:>10} {:>10} {:>10}",
        "hcp create cluster kubevirt --render", "median", "fastest", "memory"
    );
    let measured = measure(&ours, &arguments);
    show("this one", &measured);
    match std::env::var_os("HCP").map(PathBuf::from) {
        Some(other) => {
            let theirs = measure(&other, &arguments);
            show(&other.display().to_string(), &theirs);
            let times = theirs.median.as_secs_f64() / measured.median.as_secs_f64();
            println!("{times:.1} times as quick");
        }
        None => println!("HCP=/path/to/hcp measures another one beside it"),
    }
    let (time, memory) = LIMIT;
    let over = measured.median > time || measured.memory.is_some_and(|used| used > memory);
    println!(
        "{}: at most {} ms and {} MB",
        if over { "MISSED" } else { "held" },
        time.as_millis(),
        memory / 1000
    );
}

fn arguments(pull_secret: &Path) -> Vec<String> {
    let image = "quay.io/openshift-release-dev/ocp-release:4.17.0-multi";
    let words = "create cluster kubevirt --name guest-cluster-0 --namespace hcp --node-pool-replicas 3 --memory 10Gi --cores 8 \
                 --etcd-storage-class fast --infra-id guest-cluster-0-abc12 --render";
    let words = words.split_whitespace().map(str::to_owned);
    let more = ["--release-image", image, "--pull-secret"].map(str::to_owned);
    words.chain(more).chain([pull_secret.display().to_string()]).collect()
}

fn measure(binary: &Path, arguments: &[String]) -> Measured {
    let mut times: Vec<Duration> = (0..=RUNS).map(|_| run(Command::new(binary).args(arguments))).collect();
    times.remove(0);
    times.sort_unstable();
    Measured {
        median: times[times.len() / 2],
        fastest: times[0],
        memory: memory(binary, arguments),
    }
}

fn run(command: &mut Command) -> Duration {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let took = begun.elapsed();
    assert!(status.is_ok_and(|status| status.success()), "{command:?} failed");
    took
}

/// The most that any of a few runs held.
fn memory(binary: &Path, arguments: &[String]) -> Option<u64> {
    let once = || {
        let mut command = Command::new(TIME);
        command.args(["-f", "%M"]).arg(binary).args(arguments);
        let output = command.stdout(Stdio::null()).output().ok()?;
        String::from_utf8_lossy(&output.stderr)
            .lines()
            .last()?
            .trim()
            .parse()
            .ok()
    };
    (0..10).map(|_| once()).max().flatten()
}

fn show(name: &str, measured: &Measured) {
    let milliseconds = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1000.0);
    let memory = measured.memory.map_or("no GNU time".to_owned(), |kilobytes| {
        format!(
            "{:.1} MB",
            f64::from(u32::try_from(kilobytes).unwrap_or(u32::MAX)) / 1000.0
        )
    });
    println!(
        "{name:<44} {:>10} {:>10} {memory:>10}",
        milliseconds(measured.median),
        milliseconds(measured.fastest)
    );
}
