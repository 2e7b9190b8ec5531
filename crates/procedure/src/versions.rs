//! Which multicluster engine goes with which OpenShift.
//!
//! Channels are a published table, not a sequence: after 2.11 comes 2.17, then 5.0. Versions are compared as numbers.

mod rehearse;
mod release;

use std::{fmt, str::FromStr};

pub use rehearse::{Fleet, Member, Move, Rehearsal, rehearse};
pub use release::{Leap, NoLeap, Skew, Version, image_of, leap, release_of, skew};

/// A version's first two numbers: `4.17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

/// A text that does not begin with a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version")]
pub struct VersionError(String);

/// One line of the table: a release of the multicluster engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The engine's version, which names its channel.
    pub engine: Minor,
    /// The management cluster's versions that it runs on, first and last.
    pub hub: (Minor, Minor),
    /// The newest guest that it makes.
    pub newest_guest: Minor,
}

/// Why no channel fits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The management cluster's version can't be read.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The catalog offers nothing.
    #[error("the catalog offers no channel")]
    NothingOffered,
    /// Channels are offered, but none for this version.
    #[error("none of the offered channels ({offered}) is for OpenShift {hub}{}", fitting_words(.fitting))]
    NoneFits {
        /// The management cluster's version.
        hub: Minor,
        /// The offered channels.
        offered: String,
        /// Channels that would fit.
        fitting: Vec<String>,
    },
}

/// The oldest guest that any of these releases makes.
pub const OLDEST_GUEST: Minor = Minor::new(4, 14);

/// The published table, oldest first.
pub const MATRIX: [Row; 9] = [
    Row::new((2, 4), (14, 15), 14),
    Row::new((2, 5), (14, 16), 15),
    Row::new((2, 6), (14, 17), 16),
    Row::new((2, 7), (15, 17), 17),
    Row::new((2, 8), (16, 18), 18),
    Row::new((2, 9), (17, 19), 19),
    Row::new((2, 10), (18, 20), 20),
    Row::new((2, 11), (19, 21), 21),
    Row::new((2, 17), (20, 22), 22),
];

/// Fields of a HostedCluster that the oldest schema in the field (HyperShift of OpenShift 4.17, multicluster engine 2.7) does
/// not have, each with the first release that is known to have it. Releases between may have it as well: whether a server
/// has a field is asked of its schema, this only says where to go.
pub const NEWER_FIELDS: [(&str, &str); 12] = [
    ("spec.autoNode", NEWEST),
    ("spec.autoscaling.balancingIgnoredLabels", NEWEST),
    ("spec.autoscaling.expanders", NEWEST),
    ("spec.autoscaling.maxFreeDifferenceRatioPercent", NEWEST),
    ("spec.autoscaling.scaleDown", NEWEST),
    ("spec.autoscaling.scaling", NEWEST),
    ("spec.capabilities", NEWEST),
    ("spec.kubeAPIServerDNSName", NEWEST),
    ("spec.labels", NEWEST),
    ("spec.monitoring", NEWEST),
    ("spec.networking.allocateNodeCIDRs", NEWEST),
    ("spec.operatorConfiguration", NEWEST),
];

const NEWEST: &str = "HyperShift 5.1 (multicluster engine 5.0)";

/// The first release that is known to have a field which older ones lack.
pub fn since(field: &str) -> Option<&'static str> {
    let is_below = |known: &str| {
        field
            .strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    NEWER_FIELDS
        .into_iter()
        .find(|(known, _)| is_below(known))
        .map(|(_, since)| since)
}

/// The channel to install from on a management cluster of a version.
///
/// Of the offered channels that the table has for this version: the newest whose guests are no newer than the management
/// cluster, which is the release that came out with it; else the oldest that fits, as the smallest step. For a version
/// beyond the table the package's own default is taken, if that is beyond the table too.
pub fn solve_channel(hub: &str, offered: &[&str], default: Option<&str>) -> Result<String, ChannelError> {
    let hub: Minor = hub.parse()?;
    if offered.is_empty() {
        return Err(ChannelError::NothingOffered);
    }
    let fitting: Vec<Row> = MATRIX.into_iter().filter(|row| row.runs_on(hub)).collect();
    let offers = |row: &Row| offered.contains(&row.channel().as_str());
    let proven = fitting
        .iter()
        .rev()
        .filter(|row| row.newest_guest <= hub)
        .find(|row| offers(row));
    if let Some(row) = proven.or_else(|| fitting.iter().find(|row| offers(row))) {
        return Ok(row.channel());
    }
    let newest = MATRIX[MATRIX.len() - 1];
    let beyond = |channel: &&str| engine_of(channel).is_some_and(|engine| engine > newest.engine);
    if hub > newest.hub.1
        && let Some(channel) = default.filter(beyond)
    {
        return Ok(channel.to_owned());
    }
    Err(ChannelError::NoneFits {
        hub,
        offered: offered.join(", "),
        fitting: fitting.iter().map(Row::channel).collect(),
    })
}

/// Whether a channel's engine runs on a management cluster of a version; `None` where the table does not know.
pub fn supports(channel: &str, hub: &str) -> Option<bool> {
    let hub: Minor = hub.parse().ok()?;
    row_of(channel).map(|row| row.runs_on(hub))
}

/// The engine's version that a channel is for: `stable-2.7` → 2.7.
pub fn engine_of(channel: &str) -> Option<Minor> {
    channel.strip_prefix("stable-")?.parse().ok()
}

/// The table's line for a channel.
pub fn row_of(channel: &str) -> Option<Row> {
    let engine = engine_of(channel)?;
    MATRIX.into_iter().find(|row| row.engine == engine)
}

/// The OpenShift version that a release image's tag names: `…/ocp-release:4.17.0-multi` → 4.17.
pub fn of_image(image: &str) -> Option<Minor> {
    let (_, tag) = image.rsplit_once(':')?;
    tag.parse().ok()
}

fn fitting_words(fitting: &[String]) -> String {
    if fitting.is_empty() {
        String::new()
    } else {
        format!("; {} would be", fitting.join(", "))
    }
}

// === impl Minor ===

impl Minor {
    /// A version from its numbers.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }
}

impl serde::Serialize for Minor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Minor {
    type Err = VersionError;

    /// Takes what follows the second number for granted: `4.17.0-rc.1`, `v1.30.4`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || VersionError(text.to_owned());
        let mut parts = text.strip_prefix('v').unwrap_or(text).splitn(3, '.');
        let mut number = || {
            let part = parts.next()?;
            let digits = part
                .find(|c: char| !c.is_ascii_digit())
                .map_or(part, |end| &part[..end]);
            digits.parse().ok()
        };
        Ok(Self {
            major: number().ok_or_else(error)?,
            minor: number().ok_or_else(error)?,
        })
    }
}

// === impl Row ===

impl Row {
    const fn new(engine: (u32, u32), hub: (u32, u32), newest_guest: u32) -> Self {
        Self {
            engine: Minor::new(engine.0, engine.1),
            hub: (Minor::new(4, hub.0), Minor::new(4, hub.1)),
            newest_guest: Minor::new(4, newest_guest),
        }
    }

    /// The engine's channel.
    pub fn channel(&self) -> String {
        format!("stable-{}", self.engine)
    }

    /// Whether the engine runs on a management cluster of a version.
    pub fn runs_on(&self, hub: Minor) -> bool {
        (self.hub.0..=self.hub.1).contains(&hub)
    }

    /// Whether the engine makes guests of a version.
    pub fn makes(&self, guest: Minor) -> bool {
        (OLDEST_GUEST..=self.newest_guest).contains(&guest)
    }
}

#[cfg(test)]
mod tests {
    use super::{MATRIX, Minor, of_image, row_of, solve_channel, supports};

    const OFFERED: [&str; 5] = ["stable-2.6", "stable-2.7", "stable-2.8", "stable-2.9", "stable-2.10"];

    #[track_caller]
    fn check(hub: &str, offered: &[&str], expected: &str) {
        let channel = solve_channel(hub, offered, Some("stable-5.0"));
        assert_eq!(channel.unwrap_or_else(|error| error.to_string()), expected);
    }

    #[test]
    fn the_channel_fits_the_version() {
        check("4.17.3", &OFFERED, "stable-2.7");
        check("4.18.0", &OFFERED, "stable-2.8");
        check("4.20.0", &OFFERED, "stable-2.10");
        check("4.17.3", &["stable-2.8", "stable-2.9"], "stable-2.8");
        check("4.30.0", &["stable-5.0"], "stable-5.0");
        check("4.17.3", &[], "the catalog offers no channel");
        check(
            "4.16.0",
            &["stable-2.10"],
            "none of the offered channels (stable-2.10) is for OpenShift 4.16; stable-2.5, stable-2.6, stable-2.7, \
             stable-2.8 would be",
        );
        check(
            "4.12.0",
            &["stable-5.0"],
            "none of the offered channels (stable-5.0) is for OpenShift 4.12",
        );
    }

    #[test]
    fn a_channel_is_held_against_the_version() {
        assert_eq!(supports("stable-2.7", "4.17.3"), Some(true));
        assert_eq!(supports("stable-2.7", "4.18.0"), Some(false));
        assert_eq!(supports("stable-9.9", "4.18.0"), None);
        assert_eq!(supports("stable-2.7", "unknown"), None);
    }

    #[test]
    fn versions_are_numbers() {
        assert!("2.10".parse::<Minor>().unwrap() > "2.9".parse().unwrap());
        assert_eq!("v4.17.0-rc.1".parse(), Ok(Minor::new(4, 17)));
        assert!("latest".parse::<Minor>().is_err());
        assert_eq!(
            of_image("quay.io/openshift-release-dev/ocp-release:4.17.0-multi"),
            Some(Minor::new(4, 17))
        );
        assert_eq!(of_image("quay.io:443/ocp@sha256:ab"), None);
    }

    #[test]
    fn the_table_is_in_order_and_makes_what_it_says() {
        assert!(MATRIX.is_sorted_by(|a, b| a.engine < b.engine));
        let row = row_of("stable-2.7").unwrap();
        assert!(row.makes(Minor::new(4, 17)) && row.makes(Minor::new(4, 14)));
        assert!(!row.makes(Minor::new(4, 18)) && !row.makes(Minor::new(4, 13)));
    }
}
