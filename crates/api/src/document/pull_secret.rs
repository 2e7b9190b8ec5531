//! Whether a text can be a pull secret. Says what is wrong without ever repeating the text.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// Why a text can't be a pull secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PullSecretProblem {
    /// It isn't JSON.
    #[error("it is not JSON (line {line}, column {column})")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It is JSON, but no object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// It has no credentials.
    #[error("it has no `auths`, or they are empty")]
    NoAuths,
    /// An entry's `auth` is missing or something else than `user:password`.
    #[error("`auth` of `{0}` is not base64 of `user:password`")]
    BadAuth(String),
}

/// Checks that a text is a JSON object whose `auths` is not empty, each `auth` being base64 of `user:password`.
pub fn check_pull_secret(text: &str) -> Result<(), PullSecretProblem> {
    let value: Value = serde_json::from_str(text).map_err(|error| PullSecretProblem::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    let object = value.as_object().ok_or(PullSecretProblem::NotAnObject)?;
    let auths = object
        .get("auths")
        .and_then(Value::as_object)
        .filter(|auths| !auths.is_empty())
        .ok_or(PullSecretProblem::NoAuths)?;
    for (registry, entry) in auths {
        let credentials = entry
            .get("auth")
            .and_then(Value::as_str)
            .and_then(|auth| STANDARD.decode(auth).ok());
        let well_formed = credentials.is_some_and(|credentials| {
            let colon = credentials.iter().position(|byte| *byte == b':');
            colon.is_some_and(|colon| colon > 0 && colon + 1 < credentials.len())
        });
        if !well_formed {
            return Err(PullSecretProblem::BadAuth(registry.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{PullSecretProblem, check_pull_secret};

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let problem = check_pull_secret(text).unwrap_err();
        assert_eq!(problem.to_string(), expected);
    }

    #[test]
    fn each_problem_has_its_words() {
        assert_eq!(
            check_pull_secret(r#"{"auths":{"quay.io":{"auth":"dXNlcjpwYXNz"}}}"#),
            Ok(())
        );
        refused(r#"{"auths":"#, "it is not JSON (line 1, column 9)");
        refused("[]", "it is not a JSON object");
        refused("{}", "it has no `auths`, or they are empty");
        refused(r#"{"auths":{}}"#, "it has no `auths`, or they are empty");
        refused(
            r#"{"auths":{"quay.io":{"auth":"***"}}}"#,
            "`auth` of `quay.io` is not base64 of `user:password`",
        );
        refused(
            r#"{"auths":{"quay.io":{}}}"#,
            "`auth` of `quay.io` is not base64 of `user:password`",
        );
    }

    #[test]
    fn no_problem_repeats_the_text() {
        // `dXNlcg==` is `user`, without a password.
        let problem = check_pull_secret(r#"{"auths":{"quay.io":{"auth":"dXNlcg==","email":"ops@example.com"}}}"#);
        assert_eq!(problem, Err(PullSecretProblem::BadAuth("quay.io".to_owned())));
        assert!(!format!("{problem:?}").contains("dXNlcg"));
    }
}
