//! What `hcp` accepts although it can't work, or has no effect: told with the catalogue's ID, and rendered as `hcp` does.

use std::fmt;

use berth_api::check_pull_secret;
use ipnet::IpNet;

use super::{CreateCluster, flags::Values};
use crate::{
    cidr::overlaps,
    render::{Dialect, Request},
};

/// Something that was accepted and won't do what it looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The catalogue's ID.
    pub id: &'static str,
    /// What is the matter, and what to do instead.
    pub text: String,
}

/// Where every guest's API server is reached by its own pods.
const ADVERTISED: [&str; 2] = ["172.20.0.1/32", "fd00::1/128"];
const ACCESS_MODES: [&str; 4] = ["ReadWriteOnce", "ReadWriteMany", "ReadOnly", "ReadWriteOncePod"];

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.text)
    }
}

impl CreateCluster {
    /// What is accepted although it can't work. The order is that of the flags' names.
    pub fn warnings(&self, request: &Request, dialect: Dialect) -> Vec<Warning> {
        let flags = &self.values;
        let mut warnings = networks(request);
        warnings.extend(arch(flags, dialect));
        let given: [(&str, &'static str, &str); 3] = [
            (
                "base-domain-prefix",
                "C09",
                "--base-domain-prefix has no effect on KubeVirt: the cluster's names begin with its own name; give \
                 --base-domain alone",
            ),
            (
                "external-dns-domain",
                "C30",
                "--external-dns-domain publishes the API server by a Route without a hostname, and on KubeVirt the control \
                 plane never comes up that way; leave it out",
            ),
            (
                "default-dual",
                "C27",
                "--default-dual has no effect on KubeVirt: the networks stay IPv4; name both families with --cluster-cidr and \
                 --service-cidr",
            ),
        ];
        let is_on = |flag: &str| flags.some(flag).is_some_and(|value| value != "false");
        warnings.extend(
            given
                .into_iter()
                .filter(|(flag, ..)| is_on(flag))
                .map(|(_, id, text)| Warning::new(id, text)),
        );
        if flags.text("pausedUntil") == "true" {
            warnings.push(Warning::new(
                "U18",
                "--pausedUntil true pauses the node pool only, not the hosted cluster; give a date to pause both, and mind that \
                 nothing resumes them",
            ));
        }
        warnings.extend(pull_secret(request));
        if request.release_image.is_empty() {
            warnings.push(Warning::new(
                "C07",
                "without --release-image the hub must fill in an image, which takes HyperShift's webhook and a way to the \
                 internet; name one",
            ));
        }
        if request.namespace == request.name {
            warnings.push(Warning::new(
                "P23",
                "--namespace is the cluster's own name: detaching the cluster deletes everything in it; take another",
            ));
        }
        warnings.extend(of_pool(flags));
        warnings
    }
}

/// What the flags about virtual machines promise and don't hold.
pub(super) fn of_pool(flags: &Values) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for device in flags.list("host-device-name").iter().filter(|text| !text.contains(',')) {
        let text = format!("--host-device-name {device} is dropped without a count; write {device},count:1");
        warnings.push(Warning::new("U09", text));
    }
    if flags.text("network-multiqueue") == "Disable" {
        warnings.push(Warning::new(
            "P07",
            "--network-multiqueue Disable is not written, and the server's default is Enable; set networkInterfaceMultiqueue \
             on the NodePool afterwards",
        ));
    }
    let modes = flags.text("root-volume-access-modes");
    for mode in modes
        .split(',')
        .filter(|mode| !mode.is_empty() && !ACCESS_MODES.contains(mode))
    {
        let text = format!(
            "--root-volume-access-modes: the server refuses `{mode}`; it takes {}, without blanks between them",
            ACCESS_MODES.join(", ")
        );
        warnings.push(Warning::new("P04", text));
    }
    warnings
}

/// Workers on KubeVirt are of the processors that the server takes, spelt as it spells them.
fn arch(flags: &Values, dialect: Dialect) -> Option<Warning> {
    let arch = flags.text("arch");
    let taken: &[&str] = match dialect {
        Dialect::Release4_17 => &["amd64"],
        Dialect::Current => &["amd64", "s390x"],
    };
    (!taken.contains(&arch.as_str())).then(|| {
        let text = format!("--arch {arch}: node pools on KubeVirt are {} only", taken.join(" or "));
        Warning::new("C23", text)
    })
}

fn pull_secret(request: &Request) -> Option<Warning> {
    let content = request.pull_secret.content()?;
    if content.reveal().is_empty() {
        return Some(Warning::new(
            "C06",
            "there is no pull secret: no image can be pulled; give --pull-secret",
        ));
    }
    let problem = check_pull_secret(content.reveal()).err()?;
    Some(Warning::new(
        "C06",
        format!("--pull-secret can't be used: {problem}; no image can be pulled with it"),
    ))
}

/// Networks that meet each other, or the address that the API server is reached at from within.
fn networks(request: &Request) -> Vec<Warning> {
    let mut all: Vec<(String, IpNet)> = Vec::new();
    for (flag, list) in [
        ("--cluster-cidr", &request.cluster_network),
        ("--service-cidr", &request.service_network),
        ("--machine-cidr", &request.machine_network),
    ] {
        all.extend(
            list.iter()
                .filter_map(|net| Some((format!("{flag} {net}"), net.parse().ok()?))),
        );
    }
    let mut warnings = Vec::new();
    for (index, (name, net)) in all.iter().enumerate() {
        for (other_name, other) in &all[index + 1..] {
            if overlaps(*net, *other) {
                let text =
                    format!("{name} and {other_name} overlap: the operator refuses that (ValidConfiguration False)");
                warnings.push(Warning::new("C01", text));
            }
        }
        let advertised = ADVERTISED.iter().filter_map(|address| address.parse().ok());
        for address in advertised.filter(|address: &IpNet| overlaps(*net, *address)) {
            let text = format!(
                "{name} holds {}, which is the API server's own: the operator refuses that",
                address.addr()
            );
            warnings.push(Warning::new("C01", text));
        }
    }
    let family = |list: &[String]| list.first().map(|net| net.contains(':'));
    if family(&request.cluster_network) != family(&request.service_network) {
        let text = "--cluster-cidr and --service-cidr begin with different families: the operator refuses that";
        warnings.push(Warning::new("C27", text));
    }
    warnings
}

// === impl Warning ===

impl Warning {
    fn new(id: &'static str, text: impl Into<String>) -> Self {
        Self { id, text: text.into() }
    }
}
