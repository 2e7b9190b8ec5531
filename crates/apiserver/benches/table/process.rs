//! What the kernel says of processes, and pieces of work for `kubectl`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Resident memory in MB.
pub(crate) fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// CPU time so far, in seconds; the kernel counts in hundredths.
pub(crate) fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The program's name is in parentheses and may have spaces.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// The machine's load over the last minute.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}

pub(crate) fn has_kubectl() -> bool {
    let mut command = Command::new("kubectl");
    command.args(["version", "--client"]).stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Runs `kubectl`, with nothing cached; how long it took, or what it said first.
pub(crate) fn kubectl(kubeconfig: &Path, arguments: &[&str]) -> Result<Duration, String> {
    let cache = tempfile::tempdir().unwrap();
    let mut command = Command::new("kubectl");
    command
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .arg("--cache-dir")
        .arg(cache.path())
        .args(arguments);
    let start = Instant::now();
    let output = command.output().unwrap();
    let took = start.elapsed();
    if output.status.success() {
        return Ok(took);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or_default().to_owned())
}
