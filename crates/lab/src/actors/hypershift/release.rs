//! What a release image is, as far as its pullspec tells: the lab has no registry to ask, so a tag names the version.

use std::cmp::Ordering;

use crate::generation::Generation;

/// What came to the operators of a payload after 4.17, by the minor that brought it (5.0 is 23). A hosted cluster's control
/// plane is run by the operators of its own release, whatever the management cluster has.
pub(super) mod since {
    /// ClusterVersion's `RetrievedUpdates` is told.
    pub(in super::super) const RETRIEVED_UPDATES: u32 = 18;
    /// A ControlPlaneComponent for each workload.
    pub(in super::super) const COMPONENTS: u32 = 19;
    /// `status.controlPlaneVersion`; components count for availability.
    pub(in super::super) const CONTROL_PLANE_VERSION: u32 = 20;
    /// `DataPlaneConnectionAvailable`.
    pub(in super::super) const DATA_PLANE_CONNECTION: u32 = 21;
    /// `ControlPlaneConnectionAvailable`; the marketplace's catalog is gone; storage versions are migrated.
    pub(in super::super) const CONTROL_PLANE_CONNECTION: u32 = 22;
    /// `ConfigOperatorReconciliationSucceeded`.
    pub(in super::super) const CONFIG_OPERATOR: u32 = 23;
}

/// What 5.0 is in the numbering of OpenShift 4, which it goes on with.
const FIVE: u32 = 23;

/// A release of OpenShift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Release {
    /// As in `4.17.0`.
    pub(super) version: String,
    /// Of the payload, in the spelling of `status.payloadArch`.
    pub(super) arch: &'static str,
}

/// Why an image is no release that this operator takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReleaseError {
    #[error(
        "failed to look up release image {image}: manifest unknown: the lab knows releases by tag only (4.17.0-multi)"
    )]
    Unknown { image: String },
    #[error("the latest version supported is: \"{latest}.0\". Attempting to use: \"{version}\"")]
    TooNew { version: String, latest: &'static str },
    #[error("releases before {oldest}.0 are not supported. Attempting to use: \"{version}\"")]
    TooOld { version: String, oldest: &'static str },
}

impl Release {
    /// The release that a pullspec names, if a generation's operator takes it.
    pub(super) fn of_image(image: &str, generation: Generation) -> Result<Self, ReleaseError> {
        let release = Self::of_any_image(image)?;
        let version = release.version.clone();
        let (latest, oldest) = supported(generation);
        if Some(release.minor()) < minor_of(&format!("{oldest}.0")) {
            return Err(ReleaseError::TooOld { version, oldest });
        }
        if Some(release.minor()) > minor_of(&format!("{latest}.0")) {
            return Err(ReleaseError::TooNew { version, latest });
        }
        Ok(release)
    }

    /// The release that a pullspec names, whatever it is.
    pub(super) fn of_any_image(image: &str) -> Result<Self, ReleaseError> {
        let unknown = || ReleaseError::Unknown {
            image: image.to_owned(),
        };
        let (version, arch) = split_arch(tag_of(image).ok_or_else(unknown)?);
        minor_of(version).ok_or_else(unknown)?;
        let version = version.to_owned();
        Ok(Self { version, arch })
    }

    /// Its minor in the numbering of OpenShift 4: 5.0 is 23.
    pub(super) fn minor(&self) -> u32 {
        minor_of(&self.version).unwrap_or_default()
    }

    /// The disk image for KubeVirt machines, as a pullspec.
    pub(super) fn disk_image(&self) -> String {
        format!(
            "quay.io/openshift-release-dev/ocp-v4.0-art-dev:{}-rhel-coreos-kubevirt",
            self.version
        )
    }

    /// Whether its minor is below that of a version: a way back that nobody supports.
    pub(super) fn is_earlier_minor_than(&self, version: &str) -> bool {
        minor_of(version).is_some_and(|minor| minor_of(&self.version) < Some(minor))
    }

    /// Whether it is of the same minor as a version.
    pub(super) fn is_same_minor_as(&self, version: &str) -> bool {
        minor_of(version).is_some_and(|minor| minor_of(&self.version) == Some(minor))
    }

    /// Whether it is a later version than another.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        (self.minor(), numbers(&self.version)).cmp(&(other.minor(), numbers(&other.version)))
    }
}

/// Whether the release of a HostedControlPlane has what a minor brought.
pub(super) fn payload_has(control_plane: &serde_json::Value, since: u32) -> bool {
    version_of_payload(control_plane).and_then(minor_of) >= Some(since)
}

/// The version that the tag of a HostedControlPlane's release image names.
pub(super) fn version_of_payload(control_plane: &serde_json::Value) -> Option<&str> {
    let tag = tag_of(control_plane["spec"]["releaseImage"].as_str()?)?;
    Some(split_arch(tag).0)
}

/// The newest and the oldest minor that a generation's operator takes.
fn supported(generation: Generation) -> (&'static str, &'static str) {
    let guests = generation.versions().guests;
    (
        guests.first().copied().unwrap_or_default(),
        guests.last().copied().unwrap_or_default(),
    )
}

/// The kubelet that a version of OpenShift brings: Kubernetes' minor is thirteen more than OpenShift's.
pub(crate) fn kubelet_version(version: &str) -> String {
    minor_of(version).map_or_else(|| "v0.0.0".to_owned(), |minor| format!("v1.{}.4", minor + 13))
}

/// The registry that a pullspec names.
pub(super) fn registry_of(image: &str) -> &str {
    image.split('/').next().unwrap_or_default()
}

fn tag_of(image: &str) -> Option<&str> {
    if image.contains('@') {
        return None;
    }
    let (_, tag) = image.rsplit_once(':')?;
    (!tag.contains('/')).then_some(tag)
}

fn split_arch(tag: &str) -> (&str, &'static str) {
    let suffixes = [
        ("-multi", "Multi"),
        ("-x86_64", "AMD64"),
        ("-aarch64", "ARM64"),
        ("-ppc64le", "PPC64LE"),
        ("-s390x", "S390X"),
    ];
    for (suffix, arch) in suffixes {
        if let Some(version) = tag.strip_suffix(suffix) {
            return (version, arch);
        }
    }
    (tag, "AMD64")
}

/// The minor of a version of OpenShift, in the numbering of OpenShift 4.
fn minor_of(version: &str) -> Option<u32> {
    let mut parts = version.split(['.', '-']);
    let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next()?);
    patch.parse::<u32>().ok()?;
    let minor: u32 = minor.parse().ok()?;
    match major {
        "4" => Some(minor),
        "5" => Some(FIVE + minor),
        _ => None,
    }
}

fn numbers(version: &str) -> Vec<u32> {
    version.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_names_version_and_architecture() {
        let release = Release::of_image(
            "quay.io/openshift-release-dev/ocp-release:4.17.0-multi",
            Generation::V4_17,
        )
        .unwrap();
        assert_eq!((release.version.as_str(), release.arch), ("4.17.0", "Multi"));
        assert_eq!(kubelet_version(&release.version), "v1.30.4");
        assert_eq!(
            Release::of_image("registry:5000/ocp:4.16.3-x86_64", Generation::V4_17)
                .unwrap()
                .arch,
            "AMD64"
        );
        assert_eq!(kubelet_version("5.0.2"), "v1.36.4");
    }

    #[test]
    fn versions_outside_the_window_are_refused() {
        let error = |image: &str| Release::of_image(image, Generation::V4_17).unwrap_err();
        assert!(matches!(error("quay.io/o/r:4.18.1-multi"), ReleaseError::TooNew { .. }));
        assert!(matches!(error("quay.io/o/r:4.13.9-multi"), ReleaseError::TooOld { .. }));
        assert!(matches!(error("quay.io/o/r@sha256:abc"), ReleaseError::Unknown { .. }));
        assert!(matches!(error("quay.io:5000/o/r"), ReleaseError::Unknown { .. }));
    }

    #[test]
    fn the_window_goes_with_the_generation_and_over_the_change_of_the_major() {
        let of = |tag: &str| Release::of_image(&format!("quay.io/o/r:{tag}-multi"), Generation::Current);
        for tag in ["4.14.0", "4.17.0", "4.23.1", "5.0.0", "5.1.9"] {
            assert!(of(tag).is_ok(), "{tag}");
        }
        let error = of("5.2.0").unwrap_err().to_string();
        assert_eq!(
            error,
            "the latest version supported is: \"5.1.0\". Attempting to use: \"5.2.0\""
        );
        assert!(matches!(of("4.13.0"), Err(ReleaseError::TooOld { .. })));
        assert_eq!(of("5.0.0").unwrap().compare(&of("4.22.9").unwrap()), Ordering::Greater);
    }

    #[test]
    fn versions_compare_by_number() {
        let release = |image: &str| Release::of_image(image, Generation::V4_17).unwrap();
        assert_eq!(
            release("q/r:4.17.10-multi").compare(&release("q/r:4.17.9-multi")),
            Ordering::Greater
        );
    }
}
