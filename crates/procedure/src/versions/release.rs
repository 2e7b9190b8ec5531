//! Whole versions of OpenShift releases, the steps between them, and how far a pool may lag behind its control plane.
//!
//! Not here: what of that a cluster at hand allows (`checks::upgrade`).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::{Minor, VersionError};

/// A release: `4.17.9`, `4.18.0-rc.2`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// The first two numbers.
    pub minor: Minor,
    /// The third.
    pub patch: u32,
    /// What a version has that is not released yet: `rc.2`; empty otherwise.
    pub pre: String,
}

/// A step from one release to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leap {
    /// None.
    Same,
    /// To a later patch of the same minor.
    Patch,
    /// To the next minor.
    Minor,
}

/// Why there is no step from one release to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLeap {
    /// It would be a step back.
    #[error("a control plane can't go back to an older release")]
    Back,
    /// Minors lie between.
    #[error("minors are taken one by one: go through {next} first")]
    TooFar {
        /// The next minor.
        next: Minor,
    },
}

/// Why a pool's release does not go with its control plane's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skew {
    /// It is newer.
    #[error("a pool can't be newer than its control plane")]
    Ahead,
    /// It lags too far behind.
    #[error("a pool may lag behind its control plane by three minors at most, so at least at {oldest}")]
    Behind {
        /// The oldest minor that goes with it.
        oldest: Minor,
    },
}

/// So many minors may a pool lag behind.
pub(super) const LAG: u32 = 3;
/// 4.23 is followed by 5.x, and 5.0 counts as it.
const LAST_OF_FOUR: u32 = 23;
/// Architectures that tags of release images end in.
const ARCHITECTURES: [&str; 5] = ["-multi", "-x86_64", "-aarch64", "-ppc64le", "-s390x"];

/// The step from one release to another.
pub fn leap(from: &Version, to: &Version) -> Result<Leap, NoLeap> {
    match (to.cmp(from), ordinal(to.minor).saturating_sub(ordinal(from.minor))) {
        (Ordering::Less, _) => Err(NoLeap::Back),
        (Ordering::Equal, _) => Ok(Leap::Same),
        (Ordering::Greater, 0) => Ok(Leap::Patch),
        (Ordering::Greater, 1) => Ok(Leap::Minor),
        (Ordering::Greater, _) => Err(NoLeap::TooFar {
            next: of_ordinal(ordinal(from.minor) + 1),
        }),
    }
}

/// Whether a pool of one release goes with a control plane of another.
pub fn skew(control_plane: &Version, pool: &Version) -> Result<(), Skew> {
    // 5.0 and 4.23 are one and the same step.
    let step = |version: &Version| (ordinal(version.minor), version.patch);
    if step(pool) > step(control_plane) || (pool.minor == control_plane.minor && pool > control_plane) {
        return Err(Skew::Ahead);
    }
    let (newest, own) = (ordinal(control_plane.minor), ordinal(pool.minor));
    if own + LAG < newest {
        return Err(Skew::Behind {
            oldest: of_ordinal(newest - LAG),
        });
    }
    Ok(())
}

/// The release that an image's tag names.
pub fn release_of(image: &str) -> Option<Version> {
    if image.contains('@') {
        return None;
    }
    tag(image)?.1.parse().ok()
}

/// The image of another version, in the same repository and for the same architecture; `None` for an image without a tag.
pub fn image_of(image: &str, version: &Version) -> Option<String> {
    release_of(image)?;
    let (repository, tag) = tag(image)?;
    let suffix = ARCHITECTURES
        .into_iter()
        .find(|suffix| tag.ends_with(suffix))
        .unwrap_or_default();
    Some(format!("{repository}:{version}{suffix}"))
}

fn tag(image: &str) -> Option<(&str, &str)> {
    image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))
}

/// Minors in their order, over the change of the first number.
pub(super) fn ordinal(minor: Minor) -> u32 {
    match minor.major {
        5.. => LAST_OF_FOUR + (minor.major - 5) * 1000 + minor.minor,
        _ => minor.minor,
    }
}

pub(super) fn of_ordinal(ordinal: u32) -> Minor {
    if ordinal > LAST_OF_FOUR {
        Minor::new(5, ordinal - LAST_OF_FOUR)
    } else {
        Minor::new(4, ordinal)
    }
}

// === impl Version ===

impl FromStr for Version {
    type Err = VersionError;

    /// Takes what tags put behind a version (`-multi`) as none of it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || VersionError(text.to_owned());
        let plain = ARCHITECTURES
            .into_iter()
            .find_map(|suffix| text.strip_suffix(suffix))
            .unwrap_or(text);
        let plain = plain.strip_prefix('v').unwrap_or(plain);
        let (numbers, pre) = plain.split_once('-').unwrap_or((plain, ""));
        let numbers: Option<Vec<u32>> = numbers.split('.').map(|part| part.parse().ok()).collect();
        let Some([major, minor, patch]) = numbers.as_deref() else {
            return Err(error());
        };
        Ok(Self {
            minor: Minor::new(*major, *minor),
            patch: *patch,
            pre: pre.to_owned(),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.minor, self.patch)?;
        if self.pre.is_empty() {
            Ok(())
        } else {
            write!(f, "-{}", self.pre)
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.minor, version.patch);
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| pre(&self.pre, &other.pre))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What is released comes after what is not; numbers in between are compared as such.
fn pre(one: &str, other: &str) -> Ordering {
    let parts = |text: &str| -> Vec<(u32, String)> {
        text.split(['.', '-'])
            .map(|part| (part.parse().unwrap_or(u32::MAX), part.to_owned()))
            .collect()
    };
    match (one.is_empty(), other.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => parts(one).cmp(&parts(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect("a version")
    }

    #[test]
    fn versions_are_ordered_as_releases_are() {
        let ordered = [
            "4.17.0-rc.2",
            "4.17.0-rc.10",
            "4.17.0",
            "4.17.9",
            "4.17.10",
            "4.18.0",
            "5.0.0",
        ];
        assert!(ordered.map(version).is_sorted());
        assert_eq!(version("4.17.9-multi").to_string(), "4.17.9");
        for wrong in ["4.17", "latest", "4.17.x", ""] {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn minors_are_taken_one_by_one_and_never_back() {
        let check = |from: &str, to: &str| leap(&version(from), &version(to));
        assert_eq!(check("4.17.0", "4.17.0"), Ok(Leap::Same));
        assert_eq!(check("4.17.0", "4.17.9"), Ok(Leap::Patch));
        assert_eq!(check("4.17.9", "4.18.0"), Ok(Leap::Minor));
        assert_eq!(check("4.17.9", "4.17.8"), Err(NoLeap::Back));
        assert_eq!(check("4.18.0", "4.17.30"), Err(NoLeap::Back));
        assert_eq!(
            check("4.16.3", "4.18.1"),
            Err(NoLeap::TooFar {
                next: Minor::new(4, 17)
            })
        );
        // 5.0 counts as 4.23.
        assert_eq!(check("4.22.1", "5.0.0"), Ok(Leap::Minor));
        assert_eq!(check("5.0.4", "5.1.0"), Ok(Leap::Minor));
    }

    #[test]
    fn a_pool_lags_by_three_minors_at_most() {
        let check = |control_plane: &str, pool: &str| skew(&version(control_plane), &version(pool));
        assert_eq!(check("4.17.3", "4.17.3"), Ok(()));
        assert_eq!(check("4.17.3", "4.17.4"), Err(Skew::Ahead), "the patch counts too");
        assert_eq!(check("4.20.0", "4.17.0"), Ok(()));
        assert_eq!(
            check("4.20.0", "4.16.9"),
            Err(Skew::Behind {
                oldest: Minor::new(4, 17)
            })
        );
        assert_eq!(check("5.1.0", "4.21.0"), Ok(()));
        assert!(check("5.1.0", "4.20.0").is_err());
        assert_eq!(check("4.23.5", "5.0.1"), Ok(()), "5.0 counts as 4.23");
        assert_eq!(check("4.23.5", "5.0.6"), Err(Skew::Ahead));
    }

    #[test]
    fn an_image_of_another_version_is_in_the_same_repository() {
        let image = "quay.io/openshift-release-dev/ocp-release:4.17.0-multi";
        assert_eq!(release_of(image), Some(version("4.17.0")));
        assert_eq!(
            image_of(image, &version("4.17.9")).as_deref(),
            Some("quay.io/openshift-release-dev/ocp-release:4.17.9-multi")
        );
        for without in ["quay.io/o/r@sha256:ab", "quay.io:443/o/r", "quay.io/o/r:latest"] {
            assert_eq!(image_of(without, &version("4.17.9")), None, "{without}");
        }
    }
}
