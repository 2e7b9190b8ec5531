//! Addresses as kubeconfigs have them: what of one may be shown, and where it leads.

use berth_api::views;
use serde_json::Value;

use crate::read::text;

/// A URL without user name, password and query, which may be secret.
pub fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    // The last `@`, wherever it is: a password that should have been escaped has slashes of its own.
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    if scheme.is_empty() {
        rest.to_owned()
    } else {
        format!("{scheme}://{rest}")
    }
}

/// Scheme, host and port of a URL, as people may see them.
pub(super) fn origin(url: &str) -> String {
    let url = without_secrets(url);
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    url[..end].to_owned()
}

/// Host and port of an API server's URL; `None` where it is none of HTTPS.
pub fn place(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address are within its brackets.
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, 443),
    };
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    (!host.is_empty()).then_some((host, port))
}

/// Where a HostedCluster says that its API server is, as `host:port`.
pub fn endpoint(cluster: &Value) -> Option<String> {
    let host = text(cluster, &["status", "controlPlaneEndpoint", "host"])?;
    let port = views::number(cluster, &["status", "controlPlaneEndpoint", "port"]).unwrap_or(6443);
    Some(if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    })
}

/// The name that was chosen for a HostedCluster's API server.
pub fn custom_name(cluster: &Value) -> Option<&str> {
    let published = || {
        let services = views::list(cluster, &["spec", "services"]).iter();
        services
            .filter(|service| text(service, &["service"]) == Some("APIServer"))
            .find_map(|service| {
                ["loadBalancer", "route"]
                    .into_iter()
                    .find_map(|kind| text(service, &["servicePublishingStrategy", kind, "hostname"]))
            })
    };
    text(cluster, &["spec", "kubeAPIServerDNSName"]).or_else(published)
}

/// Whether a URL leads to a HostedCluster's API server: to its endpoint, or to the name that was chosen for it.
pub fn is_at(cluster: &Value, url: &str) -> bool {
    leads_to(url, endpoint(cluster).as_deref()) || has_name(url, custom_name(cluster))
}

/// Whether a URL leads to `host:port`.
pub(super) fn leads_to(url: &str, endpoint: Option<&str>) -> bool {
    let there = endpoint.and_then(|endpoint| place(&format!("https://{endpoint}")));
    there.is_some() && there == place(url)
}

/// Whether a URL's host is this name, at whatever port.
pub(super) fn has_name(url: &str, name: Option<&str>) -> bool {
    let host = place(url).map(|(host, _)| host);
    host.zip(name)
        .is_some_and(|(host, name)| host.eq_ignore_ascii_case(name))
}
