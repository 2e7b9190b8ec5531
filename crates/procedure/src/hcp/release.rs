//! What a release image's name says, where `hcp` would ask a registry: its version and processors. And which image a
//! release stream means.
//!
//! This `hcp` asks no registry. Where a name says nothing, a check that would need one is skipped with a word, as the original
//! does where its registry is out of reach.

use std::cmp::Reverse;

use berth_api::views;
use serde_json::Value;

use super::HcpError;
use crate::render::Dialect;
use crate::versions::{self, Skew, Version};

/// A release stream that an image is to be taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream(pub(super) String);

// === impl Stream ===

impl Stream {
    /// Where the stream's releases are listed.
    pub fn url(&self) -> String {
        let known = ["multi", "arm64", "ppc64le", "s390x"];
        let processors = known.into_iter().find(|end| self.0.ends_with(&format!("-{end}")));
        let processors = processors.unwrap_or("amd64");
        format!(
            "https://{processors}.ocp.releases.ci.openshift.org/api/v1/releasestream/{}/tags",
            self.0
        )
    }
}

/// The newest image of a stream's list that a hub supports.
pub fn release_of_stream(list: &Value, supported: &[&str]) -> Result<String, HcpError> {
    let mut releases: Vec<(&str, &str)> = views::list(list, &["tags"])
        .iter()
        .filter_map(|tag| Some((views::text(tag, &["name"])?, views::text(tag, &["pullSpec"])?)))
        .filter(|(name, _)| !name.contains("rc"))
        .collect();
    releases.sort_by_key(|(name, _)| Reverse((name.parse::<Version>().ok(), *name)));
    let fitting = releases
        .iter()
        .find(|(name, _)| supported.iter().any(|version| name.contains(version)));
    fitting
        .map(|(_, image)| (*image).to_owned())
        .ok_or_else(|| HcpError::new("the stream has no release that this hub's HyperShift supports"))
}

/// The generation that an image's release came out with, where its name says one.
pub(super) fn generation(image: &str) -> Option<Dialect> {
    let minor = versions::of_image(image)?;
    Some(if minor > versions::Minor::new(4, 17) {
        Dialect::Current
    } else {
        Dialect::Release4_17
    })
}

/// Whether a release and a hub fit the workers' processors; `None` where that can't be told.
pub fn fits_processors(image: &str, stream: Option<&Stream>, hub: &str, workers: &str) -> Result<Option<()>, HcpError> {
    let multi = if image.is_empty() {
        stream.is_some_and(|Stream(name)| name.contains("multi"))
    } else {
        let name = image.rsplit('/').next().unwrap_or(image);
        let tag = name.split_once(':').map_or("", |(_, tag)| tag);
        let single = ["-x86_64", "-aarch64", "-ppc64le", "-s390x"];
        match tag.ends_with("-multi") {
            multi if multi || single.iter().any(|end| tag.ends_with(end)) => multi,
            _ => return Ok(None),
        }
    };
    if multi || hub.eq_ignore_ascii_case(workers) {
        return Ok(Some(()));
    }
    Err(HcpError::new(format!(
        "multi-arch hosted cluster is not enabled and management cluster and nodepool cpu architectures do not match; \
         please use a multi-arch release image or a multi-arch release stream - management cluster cpu arch: {hub}, \
         nodepool cpu arch: {workers}"
    )))
}

/// Whether a pool's release may be with its cluster's version; `None` where that can't be told.
pub fn skew(cluster: &Value, image: &str) -> Result<Option<()>, HcpError> {
    let history = views::list(cluster, &["status", "version", "history"]);
    let completed = |entry: &&Value| views::text(entry, &["state"]) == Some("Completed");
    let newest = history.iter().find(completed).or_else(|| history.first());
    let control_plane = match newest {
        Some(entry) => views::text(entry, &["version"]),
        None => views::text(cluster, &["status", "version", "desired", "version"]),
    };
    let control_plane = control_plane.and_then(|version| version.parse::<Version>().ok());
    let (Some(control_plane), Some(pool)) = (control_plane, versions::release_of(image)) else {
        return Ok(None);
    };
    let told = match versions::skew(&control_plane, &pool) {
        Ok(()) => return Ok(Some(())),
        Err(Skew::Ahead) => {
            format!("NodePool version {pool} cannot be higher than the HostedCluster version {control_plane}")
        }
        Err(Skew::Behind { oldest }) => format!(
            "NodePool minor version {} is less than {oldest}, which is the minimum NodePool version compatible with the {} \
             HostedCluster",
            pool.minor, control_plane.minor
        ),
    };
    Err(HcpError::new(told))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Stream, fits_processors, generation, release_of_stream, skew};
    use crate::render::Dialect;

    #[test]
    fn a_stream_means_its_newest_release_that_the_hub_supports() {
        let stream = |name: &str| Stream(name.to_owned()).url();
        assert!(stream("4-stable-multi").starts_with("https://multi.ocp.releases."));
        assert!(stream("4-stable").starts_with("https://amd64.ocp.releases."));
        let release = |name: &str| json!({"name": name, "pullSpec": format!("registry/{name}")});
        let list = json!({"tags": [release("4.17.9"), release("4.17.10"), release("4.18.0"), release("4.17.11-rc.1")]});
        assert_eq!(release_of_stream(&list, &["4.17", "4.16"]).unwrap(), "registry/4.17.10");
        assert!(release_of_stream(&list, &["4.15"]).is_err());
        assert!(release_of_stream(&json!("not found"), &["4.17"]).is_err());
    }

    #[test]
    fn an_image_that_says_4_17_or_older_is_of_that_generation() {
        assert_eq!(generation("quay.io/ocp:4.17.0-multi"), Some(Dialect::Release4_17));
        assert_eq!(generation("quay.io/ocp:4.16.3-x86_64"), Some(Dialect::Release4_17));
        assert_eq!(generation("quay.io/ocp:4.18.0-multi"), Some(Dialect::Current));
        assert_eq!(generation("quay.io/ocp@sha256:0"), None);
    }

    #[test]
    fn only_a_multi_arch_release_makes_workers_of_other_processors() {
        let fits = |image: &str, workers: &str| fits_processors(image, None, "amd64", workers);
        assert_eq!(fits("quay.io:5000/ocp:4.17.0-multi", "arm64"), Ok(Some(())));
        assert_eq!(fits("quay.io/ocp:4.17.0-x86_64", "AMD64"), Ok(Some(())));
        assert_eq!(fits("quay.io/ocp@sha256:0", "arm64"), Ok(None));
        let error = fits("quay.io/ocp:4.17.0-x86_64", "arm64").unwrap_err().to_string();
        assert!(
            error.ends_with("management cluster cpu arch: amd64, nodepool cpu arch: arm64"),
            "{error}"
        );
        let stream = Stream("4-stable-multi".to_owned());
        assert_eq!(fits_processors("", Some(&stream), "amd64", "arm64"), Ok(Some(())));
        assert!(fits_processors("", None, "amd64", "arm64").is_err());
    }

    #[test]
    fn a_pool_is_at_most_three_minor_versions_behind_and_never_ahead() {
        let cluster = |version: &str| {
            json!({"status": {"version": {"history": [
            {"version": "9.9.9", "state": "Partial"}, {"version": version, "state": "Completed"}]}}})
        };
        let refused = |cluster_version: &str, image: &str| match skew(&cluster(cluster_version), image) {
            Err(error) => error.to_string(),
            Ok(told) => format!("{told:?}"),
        };
        assert_eq!(refused("4.17.3", "ocp:4.17.3-multi"), "Some(())");
        assert_eq!(refused("4.17.3", "ocp:4.14.0-multi"), "Some(())");
        assert_eq!(refused("5.0.1", "ocp:4.20.0-multi"), "Some(())");
        assert_eq!(refused("4.17.3", "ocp@sha256:0"), "None");
        assert_eq!(
            refused("4.17.3", "ocp:4.17.4-multi"),
            "NodePool version 4.17.4 cannot be higher than the HostedCluster version 4.17.3"
        );
        assert_eq!(
            refused("4.17.3", "ocp:4.13.0-multi"),
            "NodePool minor version 4.13 is less than 4.14, which is the minimum NodePool version compatible with the 4.17 \
             HostedCluster"
        );
        // The original breaks down on a cluster that has no version yet.
        assert_eq!(skew(&json!({}), "ocp:4.17.0"), Ok(None));
    }
}
