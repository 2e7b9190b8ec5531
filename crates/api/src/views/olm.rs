//! What Berth reads of a PackageManifest, and of the links that an operator offers for download.

use serde_json::Value;

/// A link of a ConsoleCLIDownload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// The address.
    pub href: &'a str,
    /// What the link is called.
    pub text: &'a str,
}

/// The channels that a PackageManifest offers, in its own order.
pub fn channels(package: &Value) -> impl Iterator<Item = &str> {
    super::list(package, &["status", "channels"])
        .iter()
        .filter_map(|channel| super::text(channel, &["name"]))
}

/// The channel that the package itself proposes.
pub fn default_channel(package: &Value) -> Option<&str> {
    super::text(package, &["status", "defaultChannel"])
}

/// The links of a ConsoleCLIDownload, in its own order.
pub fn download_links(download: &Value) -> impl Iterator<Item = Link<'_>> {
    super::list(download, &["spec", "links"]).iter().filter_map(|link| {
        Some(Link {
            href: super::text(link, &["href"])?,
            text: super::text(link, &["text"]).unwrap_or_default(),
        })
    })
}
