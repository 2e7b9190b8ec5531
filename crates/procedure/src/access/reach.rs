//! What became of an attempt to reach an API server, and what that means: DNS, address, firewall, TLS or the server itself.
//!
//! An attempt tells how things look from one machine. What the hub thinks of the same API server tells whether the fault is
//! there or on the way.

use berth_api::{resources, views};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::address::{custom_name, endpoint, has_name, leads_to, place};
use super::expiry::{Origin, ends, span};
use super::kubeconfig::Entry;
use crate::assess::Diagnosis;
use crate::facts::{Facts, Selector};
use crate::read::{find, line, text};
use crate::walk::{GuestRef, diagnosis};

/// How far an attempt came: the first thing that did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "reach")]
pub enum Reach {
    /// It answers, and takes us for somebody, if we came with credentials.
    Answers,
    /// The kubeconfig's URL is none that can be tried.
    BadUrl,
    /// Requests go through a proxy, which was not tried.
    Proxied {
        /// Its scheme, host and port.
        proxy: String,
    },
    /// The name can't be resolved.
    NoName {
        /// The name.
        host: String,
        /// What the resolver said.
        why: String,
    },
    /// The address says that nobody listens there.
    Refused {
        /// Address and port.
        address: String,
    },
    /// The address says nothing at all.
    NoAnswer {
        /// Address and port.
        address: String,
    },
    /// This machine knows no way to the address.
    NoRoute {
        /// Address and port.
        address: String,
        /// What the system said.
        why: String,
    },
    /// Something listens there, and no TLS connection comes about.
    NoTls {
        /// What was said.
        why: String,
    },
    /// The server's certificate is for other names.
    WrongName {
        /// The name that was asked for.
        name: String,
        /// The names that it is for.
        names: Vec<String>,
    },
    /// The server's certificate is signed by an authority that the kubeconfig does not trust.
    Untrusted,
    /// The server's certificate has ended, or has not begun.
    OutOfDate {
        /// What was said of it.
        why: String,
    },
    /// The server breaks off because of the client's certificate.
    ClientRefused {
        /// What it said.
        why: String,
    },
    /// It speaks TLS, and does not answer a request.
    Silent {
        /// What was said.
        why: String,
    },
    /// HTTP 401: it does not know the credentials.
    Unauthorized,
    /// HTTP 403: it knows who asks, and does not let them.
    Forbidden,
    /// Another answer than it should give.
    Status {
        /// The HTTP status.
        code: u16,
    },
}

/// What the hub thinks of a guest's API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HubView {
    /// Whether its Deployment is available: `True`, or why not.
    pub api_server: String,
    /// Whether the hub itself reaches the address: `True`, or why not.
    pub available: String,
    /// Where the HostedCluster says that it is, as `host:port`.
    pub endpoint: Option<String>,
    /// The addresses of its Service.
    pub addresses: Vec<String>,
    /// The name that was chosen for it.
    pub custom_name: Option<String>,
}

/// An attempt, with all that is known around it.
#[derive(Clone, Copy, Debug)]
pub struct Tried<'a> {
    /// How far it came.
    pub reach: &'a Reach,
    /// What was tried.
    pub entry: &'a Entry,
    /// From where, as people say it.
    pub from: &'a str,
    /// What the hub thinks, where it was asked.
    pub hub: Option<&'a HubView>,
    /// Whose API server, as people name it.
    pub object: &'a str,
    /// When.
    pub now: Timestamp,
    /// Where what was tried is from.
    pub origin: Origin<'a>,
}

// === impl Reach ===

impl Reach {
    /// The layer at which it ended.
    pub fn layer(&self) -> &'static str {
        match self {
            Self::Answers => "reached",
            Self::BadUrl | Self::Proxied { .. } => "not tried",
            Self::NoName { .. } => "DNS",
            Self::Refused { .. } | Self::NoRoute { .. } => "address",
            Self::NoAnswer { .. } => "firewall or address",
            Self::NoTls { .. }
            | Self::WrongName { .. }
            | Self::Untrusted
            | Self::OutOfDate { .. }
            | Self::ClientRefused { .. } => "TLS",
            Self::Silent { .. } | Self::Unauthorized | Self::Forbidden | Self::Status { .. } => "HTTP",
        }
    }

    /// What happened, in a line.
    pub fn told(&self) -> String {
        match self {
            Self::Answers => "answers".to_owned(),
            Self::BadUrl => "the kubeconfig's URL can't be tried".to_owned(),
            Self::Proxied { proxy } => format!("requests go through the proxy {proxy}, which was not tried"),
            Self::NoName { host, why } => format!("`{host}` can't be resolved: {why}"),
            Self::Refused { address } => format!("{address} refuses the connection: nobody listens there"),
            Self::NoAnswer { address } => format!("{address} does not answer at all: packets are dropped on the way"),
            Self::NoRoute { address, why } => format!("there is no way to {address}: {why}"),
            Self::NoTls { why } => format!("no TLS connection comes about: {why}"),
            Self::WrongName { name, names } if names.is_empty() => {
                format!("the server's certificate is not for `{name}`")
            }
            Self::WrongName { name, names } => {
                format!(
                    "the server's certificate is not for `{name}` but for {}",
                    names.join(", ")
                )
            }
            Self::Untrusted => {
                "the server's certificate is signed by an authority that the kubeconfig does not trust".to_owned()
            }
            Self::OutOfDate { why } => format!("the server's certificate does not hold now: {why}"),
            Self::ClientRefused { why } => format!("the server refuses the client certificate: {why}"),
            Self::Silent { why } => format!("it speaks TLS and does not answer a request: {why}"),
            Self::Unauthorized => "401: the server does not accept the credentials".to_owned(),
            Self::Forbidden => "403: the server knows who asks, and does not let them".to_owned(),
            Self::Status { code } => format!("it answers with HTTP {code}"),
        }
    }
}

/// What the hub's objects say of a guest's API server.
pub fn hub_view(facts: &Facts, namespace: &str, name: &str) -> Option<HubView> {
    let guest = GuestRef::new(namespace, name);
    let cluster = facts.object(&guest.hosted_cluster())?;
    let service = find(facts, &guest.inside(resources::SERVICE), "kube-apiserver");
    let ingress = service.map_or(&[][..], |service| {
        views::list(service, &["status", "loadBalancer", "ingress"])
    });
    let address = |entry: &Value| {
        text(entry, &["ip"])
            .or_else(|| text(entry, &["hostname"]))
            .map(str::to_owned)
    };
    Some(HubView {
        api_server: verdict(cluster, "KubeAPIServerAvailable"),
        available: verdict(cluster, "Available"),
        endpoint: endpoint(cluster),
        addresses: ingress.iter().filter_map(address).collect(),
        custom_name: custom_name(cluster).map(str::to_owned),
    })
}

// === impl HubView ===

impl HubView {
    /// The selections that show it.
    pub fn watches(namespace: &str, name: &str) -> Vec<Selector> {
        let guest = GuestRef::new(namespace, name);
        vec![guest.hosted_cluster(), guest.inside(resources::SERVICE)]
    }

    /// Whether a URL leads to the endpoint.
    pub(super) fn is_at(&self, url: &str) -> bool {
        leads_to(url, self.endpoint.as_deref())
    }

    /// Whether a URL goes by the name that was chosen for it.
    pub(super) fn is_named(&self, url: &str) -> bool {
        has_name(url, self.custom_name.as_deref())
    }

    /// Whether the hub finds nothing wrong.
    fn is_well(&self) -> bool {
        self.api_server == "True" && self.available == "True"
    }

    fn told(&self) -> String {
        let addresses = if self.addresses.is_empty() {
            "no address".to_owned()
        } else {
            self.addresses.join(", ")
        };
        format!(
            "the hub says: KubeAPIServerAvailable {}; Available {}; Service kube-apiserver at {addresses}; endpoint {}",
            self.api_server,
            self.available,
            self.endpoint.as_deref().unwrap_or("not set"),
        )
    }
}

/// `True`, or a condition's status with why.
fn verdict(cluster: &Value, kind: &str) -> String {
    match views::condition(cluster, kind) {
        None => "not told".to_owned(),
        Some(condition) if condition.is_true() => "True".to_owned(),
        Some(condition) => format!(
            "{:?} ({}: {})",
            condition.status,
            condition.reason,
            line(condition.message)
        ),
    }
}

/// Why an API server could not be reached, and what to do; `None` where it could.
pub fn diagnose(tried: &Tried<'_>) -> Option<Diagnosis> {
    if *tried.reach == Reach::Answers {
        return None;
    }
    let (id, title, fix) = outdated(tried).unwrap_or_else(|| meaning(tried));
    let mut evidence = vec![format!(
        "{}: {} (tried {} from {})",
        tried.reach.layer(),
        tried.reach.told(),
        tried.entry.server,
        tried.from
    )];
    evidence.extend(tried.hub.map(HubView::told));
    Some(diagnosis(id, title, tried.object, evidence, fix))
}

type Meaning = (&'static str, String, String);

/// A kubeconfig that is too old explains everything else.
fn outdated(tried: &Tried<'_>) -> Option<Meaning> {
    let Tried { entry, now, origin, .. } = tried;
    if let Some(end) = ends(entry).certificate.filter(|end| end <= now) {
        let title = format!("the kubeconfig's client certificate ended {} ago", span(end, *now));
        return Some(("A01", title, origin.renewed()));
    }
    let hub = tried.hub?;
    let endpoint = hub.endpoint.as_deref()?;
    if hub.is_at(&entry.server) || hub.is_named(&entry.server) {
        return None;
    }
    let (host, port) = place(&entry.server)?;
    let title = format!("the kubeconfig leads to {host}:{port}, and the guest's API server is at {endpoint}");
    Some(("A01", title, origin.rewritten()))
}

fn meaning(tried: &Tried<'_>) -> Meaning {
    let Tried { reach, hub, origin, .. } = tried;
    let is_well = hub.is_some_and(HubView::is_well);
    let is_custom = |host: &str| hub.is_some_and(|hub| hub.custom_name.as_deref() == Some(host));
    match reach {
        Reach::Answers | Reach::BadUrl => ("", "the kubeconfig names no server".to_owned(), origin.rewritten()),
        Reach::Proxied { proxy } => (
            "",
            "the kubeconfig goes through a proxy".to_owned(),
            format!("see whether {proxy} can be reached and lets requests to the API server through"),
        ),
        Reach::NoName { host, .. } => (
            if is_custom(host) { "A07" } else { "" },
            format!("DNS: `{host}` does not resolve here"),
            match hub.map(|hub| hub.addresses.join(", ")).filter(|addresses| !addresses.is_empty()) {
                Some(addresses) => format!("make a DNS record of {host} for {addresses}, or ask a resolver that has it"),
                None => format!("make a DNS record of {host} for the address of Service kube-apiserver"),
            },
        ),
        Reach::Refused { address } if is_well => (
            "N12",
            format!("{address} refuses connections from here, though the API server runs"),
            "look at what holds that address between here and the hub (a firewall that rejects, another host, a NAT), and \
             whether the load balancer forwards the port"
                .to_owned(),
        ),
        Reach::Refused { address } => (
            "",
            format!("nobody listens at {address}: the guest's API server does not run"),
            "see why its pods don't: `berth status` and `berth why` name the first cause".to_owned(),
        ),
        Reach::NoAnswer { address } | Reach::NoRoute { address, .. } => unroutable(address, *hub),
        Reach::NoTls { .. } => (
            "",
            "TLS: what listens there does not agree on a connection as an API server does".to_owned(),
            "look for a proxy or another service at that address and port, and whether what is there asks for a client \
             certificate that the kubeconfig does not have"
                .to_owned(),
        ),
        Reach::WrongName { name, .. } => (
            "A07",
            format!("TLS: the API server's certificate is not for `{name}`"),
            "name it in `spec.kubeAPIServerDNSName` of the HostedCluster (4.19 and newer) or give a certificate for it in \
             `spec.configuration.apiServer.servingCerts.namedCertificates`"
                .to_owned(),
        ),
        Reach::Untrusted => (
            "A01",
            "TLS: the kubeconfig trusts another authority than the API server's".to_owned(),
            format!("the guest was made anew, its authority was replaced, or a proxy breaks TLS open: {}", origin.rewritten()),
        ),
        Reach::OutOfDate { .. } => (
            "",
            "TLS: the API server's certificate does not hold now".to_owned(),
            "compare this machine's clock with the hub's; then look at the control plane's PKI operator (control-plane-pki-operator)"
                .to_owned(),
        ),
        Reach::ClientRefused { .. } => ("A01", "TLS: the API server refuses the client certificate".to_owned(), origin.renewed()),
        Reach::Silent { .. } => (
            "",
            "the API server takes the connection and does not answer".to_owned(),
            "it may be overloaded or without etcd: `berth status` shows its control plane".to_owned(),
        ),
        Reach::Unauthorized | Reach::Forbidden if tried.entry.has_password && !tried.entry.has_credentials() => (
            "A01",
            "the kubeconfig has a user name and a password, which API servers don't take any longer".to_owned(),
            origin.renewed(),
        ),
        Reach::Unauthorized => {
            let title = "the API server does not accept the kubeconfig's credentials";
            ("A01", title.to_owned(), origin.renewed())
        }
        Reach::Forbidden => (
            "",
            "the API server does not let the kubeconfig's user look".to_owned(),
            "it needs at least what the group system:authenticated may, as every user has by default: look at who changed \
             those ClusterRoleBindings"
                .to_owned(),
        ),
        Reach::Status { code } => (
            "",
            format!("the API server answers with HTTP {code}"),
            "it may be starting, or something else answers in its place: `berth status` shows its control plane".to_owned(),
        ),
    }
}

/// Packets get lost: before the address, or because nobody announces it.
fn unroutable(address: &str, hub: Option<&HubView>) -> Meaning {
    let unreached = hub.is_some_and(|hub| hub.available.contains("KASLoadBalancerNotReachable"));
    if unreached {
        return (
            "P05",
            format!("nobody answers for {address}, on the hub neither"),
            "check that the address pool is advertised (oc get l2advertisement,bgpadvertisement -A) and that the network \
             routes the address to the nodes"
                .to_owned(),
        );
    }
    (
        "N12",
        format!("{address} can't be reached from here: a firewall drops packets, or nothing routes there"),
        "let this machine through to that address and port (6443 for the API server, 443 for routes); the hub itself may \
         well reach it"
            .to_owned(),
    )
}
