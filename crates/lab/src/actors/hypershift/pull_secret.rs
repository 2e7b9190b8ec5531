//! Whether a pull secret lets the release image be pulled, as far as its own text tells.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::release::registry_of;

/// Why an image cannot be pulled with a Secret. Never says anything of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PullSecretError {
    #[error("expected key .dockerconfigjson in pull secret")]
    NoKey,
    #[error("failed to parse pull secret: not a JSON object with \"auths\"")]
    Unparsable,
    #[error("unauthorized: access to the requested resource is not authorized")]
    Unauthorized,
}

/// Checks the Secret against the image's registry.
pub(super) fn authorizes(secret: &Value, image: &str) -> Result<(), PullSecretError> {
    let encoded = secret["data"][".dockerconfigjson"]
        .as_str()
        .ok_or(PullSecretError::NoKey)?;
    let bytes = BASE64_STANDARD
        .decode(encoded)
        .map_err(|_| PullSecretError::Unparsable)?;
    let config: Value = serde_json::from_slice(&bytes).map_err(|_| PullSecretError::Unparsable)?;
    let auths = config["auths"].as_object().ok_or(PullSecretError::Unparsable)?;
    let registry = registry_of(image);
    // A key is a registry or a repository within one; `auth` is base64 of `user:password`.
    let entry = auths.iter().find(|(key, _)| key.split('/').next() == Some(registry));
    let has_credentials = |entry: &Value| {
        let auth = entry["auth"]
            .as_str()
            .and_then(|auth| BASE64_STANDARD.decode(auth).ok());
        auth.is_some_and(|auth| auth.contains(&b':')) || entry["username"].is_string() && entry["password"].is_string()
    };
    if entry.is_some_and(|(_, entry)| has_credentials(entry)) {
        Ok(())
    } else {
        Err(PullSecretError::Unauthorized)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str) -> Result<(), PullSecretError> {
        let secret = json!({ "data": { ".dockerconfigjson": BASE64_STANDARD.encode(text) } });
        authorizes(&secret, "quay.io/openshift-release-dev/ocp-release:4.17.0-multi")
    }

    #[test]
    fn credentials_of_the_registry_are_needed() {
        let auth = BASE64_STANDARD.encode("someone:example");
        assert_eq!(
            check(&json!({ "auths": { "quay.io": { "auth": auth } } }).to_string()),
            Ok(())
        );
        assert_eq!(
            check(&json!({ "auths": { "quay.io": { "auth": "" } } }).to_string()),
            Err(PullSecretError::Unauthorized)
        );
        assert_eq!(
            check(&json!({ "auths": { "example.com": { "auth": auth } } }).to_string()),
            Err(PullSecretError::Unauthorized)
        );
    }

    #[test]
    fn text_that_is_no_pull_secret_is_named_so() {
        assert_eq!(check("{"), Err(PullSecretError::Unparsable));
        assert_eq!(check("{}"), Err(PullSecretError::Unparsable));
        assert_eq!(
            authorizes(&json!({ "data": {} }), "quay.io/a:b"),
            Err(PullSecretError::NoKey)
        );
    }
}
