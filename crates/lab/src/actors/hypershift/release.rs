//! What a release image is, as far as its pullspec tells: the lab has no registry to ask, so a tag names the version.

use std::cmp::Ordering;

/// Oldest and newest minor of OpenShift 4 that this generation's operator takes.
const SUPPORTED_MINORS: std::ops::RangeInclusive<u32> = 14..=17;

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
    #[error("the latest version supported is: \"4.17.0\". Attempting to use: \"{version}\"")]
    TooNew { version: String },
    #[error("releases before 4.14.0 are not supported. Attempting to use: \"{version}\"")]
    TooOld { version: String },
}

impl Release {
    /// The release that a pullspec names.
    pub(super) fn of_image(image: &str) -> Result<Self, ReleaseError> {
        let unknown = || ReleaseError::Unknown {
            image: image.to_owned(),
        };
        let tag = tag_of(image).ok_or_else(unknown)?;
        let (version, arch) = split_arch(tag);
        let minor = minor_of(version).ok_or_else(unknown)?;
        let version = version.to_owned();
        match minor {
            minor if minor < *SUPPORTED_MINORS.start() => Err(ReleaseError::TooOld { version }),
            minor if minor > *SUPPORTED_MINORS.end() => Err(ReleaseError::TooNew { version }),
            _ => Ok(Self { version, arch }),
        }
    }

    /// The disk image for KubeVirt machines, as a pullspec.
    pub(super) fn disk_image(&self) -> String {
        format!(
            "quay.io/openshift-release-dev/ocp-v4.0-art-dev:{}-rhel-coreos-kubevirt",
            self.version
        )
    }

    /// Whether it is a later version than another.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        numbers(&self.version).cmp(&numbers(&other.version))
    }
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

/// The minor of a version of OpenShift 4.
fn minor_of(version: &str) -> Option<u32> {
    let mut parts = version.split(['.', '-']);
    let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next()?);
    patch.parse::<u32>().ok()?;
    (major == "4").then_some(())?;
    minor.parse().ok()
}

fn numbers(version: &str) -> Vec<u32> {
    version.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_names_version_and_architecture() {
        let release = Release::of_image("quay.io/openshift-release-dev/ocp-release:4.17.0-multi").unwrap();
        assert_eq!((release.version.as_str(), release.arch), ("4.17.0", "Multi"));
        assert_eq!(kubelet_version(&release.version), "v1.30.4");
        assert_eq!(
            Release::of_image("registry:5000/ocp:4.16.3-x86_64").unwrap().arch,
            "AMD64"
        );
    }

    #[test]
    fn versions_outside_the_window_are_refused() {
        let error = |image: &str| Release::of_image(image).unwrap_err();
        assert!(matches!(error("quay.io/o/r:4.18.1-multi"), ReleaseError::TooNew { .. }));
        assert!(matches!(error("quay.io/o/r:4.13.9-multi"), ReleaseError::TooOld { .. }));
        assert!(matches!(error("quay.io/o/r@sha256:abc"), ReleaseError::Unknown { .. }));
        assert!(matches!(error("quay.io:5000/o/r"), ReleaseError::Unknown { .. }));
    }

    #[test]
    fn versions_compare_by_number() {
        let release = |image: &str| Release::of_image(image).unwrap();
        assert_eq!(
            release("q/r:4.17.10-multi").compare(&release("q/r:4.17.9-multi")),
            Ordering::Greater
        );
    }
}
