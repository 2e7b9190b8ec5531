//! When what is in a kubeconfig ends, and whether it still is what the hub has.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::certificate::certificates;
use super::kubeconfig::Entry;

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

/// What is to be said of these ends now. `refresh` is the command that fetches the kubeconfig anew.
pub fn remarks(ends: &Ends, now: Timestamp, refresh: &str) -> Vec<Remark> {
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
                format!("`{refresh}` fetches what the hub has")
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
            format!(
                "HyperShift renews it when {WARN_DAYS} days are left, and a downloaded file is not renewed: `{refresh}` \
                 fetches what the hub has; `--exec` makes a kubeconfig that refreshes by itself"
            ),
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

/// What differs between a downloaded kubeconfig and the one that the hub has.
pub fn compare(file: &Entry, secret: &Entry, refresh: &str) -> Vec<Remark> {
    let fix = || format!("`{refresh}` fetches what the hub has");
    let remark = |id, text: String, fails| Remark {
        id,
        text,
        fix: fix(),
        fails,
    };
    let mut remarks = Vec::new();
    if file.server != secret.server {
        let text = format!("it leads to {}, and the guest is at {}", file.server, secret.server);
        remarks.push(remark("A01", text, true));
    }
    if file.ca.is_some() && file.ca.as_deref().map(certificates) != secret.ca.as_deref().map(certificates) {
        let text =
            "it trusts another authority than the guest's: the guest was made anew, or its authority was replaced";
        remarks.push(remark("A01", text.to_owned(), true));
    }
    let later = |entry: &Entry| ends(entry).certificate;
    if let (Some(here), Some(there)) = (later(file), later(secret))
        && here < there
    {
        let text = format!("the hub's was renewed: it ends at {there}, the file's at {here}");
        remarks.push(remark("A01", text, false));
    }
    remarks
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
