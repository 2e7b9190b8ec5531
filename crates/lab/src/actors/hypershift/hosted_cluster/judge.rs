//! Whether a HostedCluster can be had at all: its networks, its release, its pull secret.

use std::fmt;

use serde_json::Value;

use crate::actor::{Context, Key};
use crate::client::Result;
use crate::generation::Generation;
use crate::kind::SECRET;
use crate::objects::annotation;

use super::super::networks;
use super::super::pull_secret;
use super::super::release::Release;
use super::upgrade::{current_version, obstacle};

/// With this annotation any release will do.
const SKIP_VALIDATION: &str = "hypershift.openshift.io/skip-release-image-validation";

/// What the operator makes of a spec.
pub(super) struct Verdict {
    pub(super) configuration: Result<(), String>,
    pub(super) release: Result<Release, ReleaseProblem>,
    /// Why the upgrade that is asked for is not begun.
    pub(super) upgrade_blocked: Option<String>,
}

/// Why there is no release to install.
#[derive(Debug)]
pub(super) enum ReleaseProblem {
    /// The pull secret does not exist.
    SecretNotFound(String),
    /// The image is unknown, unsupported, or may not be pulled.
    InvalidImage(String),
}

impl Verdict {
    /// Whether creation goes on.
    pub(super) fn lets_go_on(&self) -> bool {
        self.configuration.is_ok() && self.release.is_ok() && self.upgrade_blocked.is_none()
    }
}

impl ReleaseProblem {
    /// As the condition's reason.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::SecretNotFound(_) => "SecretNotFound",
            Self::InvalidImage(_) => "InvalidImage",
        }
    }
}

impl fmt::Display for ReleaseProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecretNotFound(text) | Self::InvalidImage(text) => f.write_str(text),
        }
    }
}

/// Judges a spec whose defaults are filled in.
pub(super) async fn judge(context: &Context, key: &Key, hosted_cluster: &Value) -> Result<Verdict> {
    let spec = &hosted_cluster["spec"];
    let configuration = match networks::problem(&spec["networking"]) {
        Some(problem) => Err(problem),
        None => Ok(()),
    };
    let release = release(context, key, hosted_cluster).await?;
    let upgrade_blocked = release
        .as_ref()
        .ok()
        .and_then(|release| obstacle(hosted_cluster, release));
    Ok(Verdict {
        configuration,
        release,
        upgrade_blocked,
    })
}

async fn release(context: &Context, key: &Key, hosted_cluster: &Value) -> Result<Result<Release, ReleaseProblem>> {
    let spec = &hosted_cluster["spec"];
    let image = spec["release"]["image"].as_str().unwrap_or_default();
    let name = spec["pullSecret"]["name"].as_str().unwrap_or_default();
    let Some(secret) = context.client.get(SECRET, key.namespace(), name).await? else {
        let namespace = key.namespace().unwrap_or_default();
        let text = format!("failed to get pull secret {namespace}/{name}: Secret \"{name}\" not found");
        return Ok(Err(ReleaseProblem::SecretNotFound(text)));
    };
    let pulled = match pull_secret::authorizes(&secret, image) {
        Ok(()) if context.site.faults.release_image_refused => Err(pull_secret::PullSecretError::Unauthorized),
        other => other,
    };
    Ok(match pulled {
        Err(error) => {
            let text = format!("failed to look up release image {image} with pull secret {name}: {error}");
            Err(ReleaseProblem::InvalidImage(text))
        }
        Ok(()) => known(hosted_cluster, image, context.generation).map_err(ReleaseProblem::InvalidImage),
    })
}

/// The release that an image holds, if this operator takes it in place of the present one.
fn known(hosted_cluster: &Value, image: &str, generation: Generation) -> Result<Release, String> {
    if annotation(hosted_cluster, SKIP_VALIDATION).is_some() {
        return Release::of_any_image(image).map_err(|error| error.to_string());
    }
    let release = Release::of_image(image, generation).map_err(|error| error.to_string())?;
    match current_version(hosted_cluster) {
        Some(current) if release.is_earlier_minor_than(current) => {
            let version = &release.version;
            Err(format!(
                "y-stream downgrade from \"{current}\" to \"{version}\" is not supported"
            ))
        }
        _ => Ok(release),
    }
}
