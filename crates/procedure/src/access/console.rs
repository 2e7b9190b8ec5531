//! Where a guest's console is.

use berth_api::views;
use serde_json::Value;

use crate::read::text;

/// What is known of a guest's console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Console {
    /// Its address.
    At(String),
    /// The guest was made without one.
    Disabled,
    /// The HostedCluster has no base domain yet.
    NotKnown,
}

/// The domain of a guest's applications: what its HostedCluster chose, or below its base domain.
pub fn apps_domain(cluster: &Value) -> Option<String> {
    if let Some(chosen) = text(cluster, &["spec", "configuration", "ingress", "domain"]) {
        return Some(chosen.to_owned());
    }
    let name = text(cluster, &["metadata", "name"])?;
    let base = text(cluster, &["spec", "dns", "baseDomain"])?;
    Some(match views::text(cluster, &["spec", "dns", "baseDomainPrefix"]) {
        // HyperShift's way to say that there is none.
        Some("") => format!("apps.{base}"),
        Some(prefix) => format!("apps.{prefix}.{base}"),
        None => format!("apps.{name}.{base}"),
    })
}

/// The console's address. `route` is the guest's own Route of it, where that could be read.
pub fn console(cluster: &Value, route: Option<&Value>) -> Console {
    let disabled = views::list(cluster, &["spec", "capabilities", "disabled"]);
    if disabled.iter().any(|capability| capability == "Console") {
        return Console::Disabled;
    }
    let host = route
        .and_then(|route| text(route, &["spec", "host"]))
        .map(str::to_owned)
        .or_else(|| apps_domain(cluster).map(|domain| format!("console-openshift-console.{domain}")));
    host.map_or(Console::NotKnown, |host| Console::At(format!("https://{host}")))
}
