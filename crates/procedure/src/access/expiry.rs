//! When what is in a kubeconfig ends, and whether it still is what the hub has.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::address::place;
use super::certificate::certificates;
use super::kubeconfig::Entry;
use super::reach::{HubView, Reach};

/// HyperShift renews a certificate when so many days are left; a copy that is older than that is best fetched anew.
pub const WARN_DAYS: i64 = 30;

/// A certificate that was never meant to hold longer than this is one for an emergency.
const SHORT_LIVED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// When the certificates in a kubeconfig end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ends {
    /// Whom the client's certificate is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// When the client's certificate ends.
    pub certificate: Option<Timestamp>,
    /// How long it was made for, in seconds.
    #[serde(skip)]
    pub lifetime: Option<SignedDuration>,
    /// When the last of the authorities that are trusted ends.
    pub authority: Option<Timestamp>,
}

/// Something to say of a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remark {
    /// The catalogue's stable ID.
    pub id: &'static str,
    /// What is so.
    pub text: String,
    /// What to do about it; empty where there is nothing to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fix: String,
    /// Whether it keeps the kubeconfig from working.
    pub fails: bool,
}

/// Where a kubeconfig is from, which decides what is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// It is the hub's own: there is none that is newer.
    Hub,
    /// It is a copy.
    Copy {
        /// The command that fetches it anew.
        refresh: &'a str,
    },
}

// === impl Origin ===

impl Origin<'_> {
    /// How to come by credentials that hold.
    pub(super) fn renewed(self) -> String {
        match self {
            Self::Copy { refresh } => format!("`{refresh}` fetches what the hub has"),
            Self::Hub => {
                "it is what the hub has, and fetching it again gives the same: see in the guest's control plane why \
                          the PKI operator (Deployment control-plane-pki-operator) does not renew it"
                    .to_owned()
            }
        }
    }

    /// How to come by the address and the authority that are right.
    pub(super) fn rewritten(self) -> String {
        match self {
            Self::Copy { .. } => self.renewed(),
            Self::Hub => {
                "it is what the hub has, and fetching it again gives the same: see in the guest's control plane why \
                          its operator (Deployment control-plane-operator) does not write Secret admin-kubeconfig anew"
                    .to_owned()
            }
        }
    }
}

/// When what an entry holds ends.
pub fn ends(entry: &Entry) -> Ends {
    let client = entry.certificate.as_deref().map(certificates).unwrap_or_default();
    let authorities = entry.ca.as_deref().map(certificates).unwrap_or_default();
    // A server shows the whole chain: it fails with the first of them.
    let first = client.iter().min_by_key(|certificate| certificate.not_after);
    Ends {
        user: client
            .first()
            .map(|certificate| certificate.subject.clone())
            .unwrap_or_default(),
        certificate: first.map(|certificate| certificate.not_after),
        lifetime: first.map(|certificate| certificate.not_after.duration_since(certificate.not_before)),
        authority: authorities.iter().map(|certificate| certificate.not_after).max(),
    }
}

/// What is to be said of these ends now.
pub fn remarks(ends: &Ends, now: Timestamp, origin: Origin<'_>) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut tell = |id, text: String, fix: String, fails| remarks.push(Remark { id, text, fix, fails });
    let soon = SignedDuration::from_hours(24 * WARN_DAYS);
    let short = ends.lifetime.is_some_and(|lifetime| lifetime <= SHORT_LIVED);
    match ends.certificate {
        Some(end) if end <= now => tell(
            if short { "A02" } else { "A01" },
            format!("the client certificate ended {} ago, at {end}", span(end, now)),
            if short {
                "break-glass certificates hold 36 hours at most: ask for a new one".to_owned()
            } else {
                origin.renewed()
            },
            true,
        ),
        Some(end) if short => tell(
            "A02",
            format!(
                "a short-lived client certificate: it ends in {}, at {end}",
                span(now, end)
            ),
            String::new(),
            false,
        ),
        Some(end) if end.duration_since(now) < soon => tell(
            "A01",
            format!("the client certificate ends in {}, at {end}", span(now, end)),
            match origin {
                Origin::Copy { .. } => format!(
                    "HyperShift renews it when {WARN_DAYS} days are left, and a downloaded file is not renewed: {}; \
                     `--exec` makes a kubeconfig that refreshes by itself",
                    origin.renewed()
                ),
                Origin::Hub => format!(
                    "HyperShift renews it when {WARN_DAYS} days are left; where it does not, {}",
                    "see why in the log of Deployment control-plane-pki-operator of the guest's control plane"
                ),
            },
            false,
        ),
        _ => {}
    }
    if let Some(end) = ends.authority.filter(|end| end.duration_since(now) < soon) {
        let (when, fails) = if end <= now {
            (format!("ended {} ago", span(end, now)), true)
        } else {
            (format!("ends in {}", span(now, end)), false)
        };
        tell(
            "A09",
            format!("the authority that the kubeconfig trusts {when}, at {end}"),
            "HyperShift does not renew root authorities by itself: see its documentation on the control plane's certificates"
                .to_owned(),
            fails,
        );
    }
    remarks
}

/// What differs between a downloaded kubeconfig and the one that the hub has. Where it works all the same, it may.
pub fn compare(file: &Entry, secret: &Entry, hub: Option<&HubView>, reach: &Reach, origin: Origin<'_>) -> Vec<Remark> {
    let fails = *reach != Reach::Answers;
    let remark = |text: String, fails| Remark {
        id: "A01",
        text,
        fix: origin.renewed(),
        fails,
    };
    let mut remarks = Vec::new();
    let is_custom = hub.is_some_and(|hub| hub.is_named(&file.server));
    let is_there = is_custom || hub.is_some_and(|hub| hub.is_at(&file.server));
    if !is_there && (place(&file.server).is_none() || place(&file.server) != place(&secret.server)) {
        let text = format!("it leads to {}, and the guest is at {}", file.server, secret.server);
        remarks.push(remark(text, fails));
    }
    // Behind a name of its own the guest may show a certificate of another authority.
    if !is_custom && lacks_authority(file, secret) {
        let text =
            "it trusts another authority than the guest's: the guest was made anew, or its authority was replaced";
        remarks.push(remark(text.to_owned(), fails));
    }
    let later = |entry: &Entry| ends(entry).certificate;
    if let (Some(here), Some(there)) = (later(file), later(secret))
        && here < there
    {
        let text = format!("the hub's was renewed: it ends at {there}, the file's at {here}");
        remarks.push(remark(text, false));
    }
    remarks
}

/// Whether a file trusts authorities, and not all of the hub's. That it trusts more of them does no harm.
fn lacks_authority(file: &Entry, secret: &Entry) -> bool {
    let Some(trusted) = file.ca.as_deref().filter(|_| !file.trusts_all) else {
        return false;
    };
    let trusted = certificates(trusted);
    let hubs = secret.ca.as_deref().map(certificates).unwrap_or_default();
    hubs.iter().any(|authority| !trusted.contains(authority))
}

/// How long from one time to another, as people say it: in the two largest units.
pub fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (2.., _, _) => format!("{days} days"),
        (1, 0, _) => "a day".to_owned(),
        (1, _, _) => format!("{} h", 24 + hours),
        (0, 1.., _) => format!("{hours} h {minutes} min"),
        (0, 0, 1..) => format!("{minutes} min"),
        _ => format!("{seconds} s"),
    }
}
