//! Whether a guest's OAuth server can be configured with its identity providers, and what it is then configured with. The
//! server itself is played by `control_plane/guest`.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{Result, namespace_of};
use crate::kind::CONFIG_MAP;

use super::names::hash8;
use super::references::{block, of_identity_provider};

/// What came of the identity providers of a control plane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Assessment {
    /// Why the configuration is not valid.
    pub(super) problem: Option<String>,
    /// Why the server would not run with it, though the configuration is valid: a file that it reads is not there.
    pub(super) crash: Option<String>,
    /// Of all that the server is configured with: another one is another rollout.
    pub(super) hash: String,
}

/// Looks at the providers of a HostedControlPlane and at the copies of what they name.
pub(super) async fn assess(context: &Context, control_plane: &Value) -> Result<Assessment> {
    let configuration = &control_plane["spec"]["configuration"];
    let oauth = &configuration["oauth"];
    let mut assessment = Assessment::default();
    let mut contents = Vec::new();
    let mut problems = Vec::new();
    for provider in oauth["identityProviders"].as_array().into_iter().flatten() {
        if let Some(problem) = problem(provider) {
            let name = provider["name"].as_str().unwrap_or_default();
            problems.push(format!("failed to apply IDP {name} config: {problem}"));
        }
        for reference in of_identity_provider(provider) {
            let found = (context.client)
                .get(reference.kind, namespace_of(control_plane), reference.name)
                .await?
                .unwrap_or_default();
            let key = reference.key.unwrap_or_default();
            if found["data"][key].as_str().is_none_or(str::is_empty) {
                let name = reference.name;
                if provider["type"] == "OpenID" && reference.kind == CONFIG_MAP {
                    let namespace = namespace_of(control_plane).unwrap_or_default();
                    problems.push(format!("config map {namespace}/{name} has no ca data at key {key}"));
                } else {
                    assessment.crash = Some(format!(
                        "open {key} of {} {name}: no such file or directory",
                        reference.kind.kind
                    ));
                }
            }
            contents.push(found["data"].clone());
        }
    }
    assessment.problem = match problems.len() {
        0 => None,
        1 => problems.pop(),
        _ => Some(format!("[{}]", problems.join(", "))),
    };
    assessment.hash = hash8(&json!([oauth, contents]).to_string());
    Ok(assessment)
}

/// What the API server is configured with besides: another hash is another rollout.
pub(super) fn api_server_hash(control_plane: &Value) -> String {
    let configuration = &control_plane["spec"]["configuration"];
    let fields = ["apiServer", "authentication", "featureGate", "network", "proxy"].map(|field| &configuration[field]);
    hash8(&json!(fields).to_string())
}

/// What is wrong with a provider, as far as its own text tells.
fn problem(provider: &Value) -> Option<String> {
    let kind = provider["type"].as_str().unwrap_or_default();
    let Some((field, content)) = block(provider) else {
        return Some(format!("the identity provider type '{kind}' is not supported"));
    };
    if !content.is_object() {
        return Some(format!("type {kind} was specified, but its configuration is missing"));
    }
    if field != "openID" {
        return None;
    }
    let issuer = content["issuer"].as_str().unwrap_or_default();
    let well_known = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let Some(rest) = issuer.strip_prefix("https://") else {
        return Some(format!(
            "invalid metadata from {well_known}: url={issuer} optional=false"
        ));
    };
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    // Nobody can ever answer under this domain, so a lab need not ask to know.
    let nobody = host.is_empty() || host == "invalid" || host.ends_with(".invalid");
    nobody.then(|| format!("Get \"{well_known}\": dial tcp: lookup {host}: no such host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_judged_by_their_own_text() {
        let check = |provider: Value| problem(&provider);
        assert_eq!(
            check(json!({ "type": "HTPasswd", "htpasswd": { "fileData": { "name": "u" } } })),
            None
        );
        assert_eq!(
            check(json!({ "type": "HTPasswd" })).unwrap(),
            "type HTPasswd was specified, but its configuration is missing"
        );
        assert_eq!(
            check(json!({ "type": "Magic" })).unwrap(),
            "the identity provider type 'Magic' is not supported"
        );
        let issuer = |issuer: &str| json!({ "type": "OpenID", "openID": { "issuer": issuer } });
        assert_eq!(check(issuer("https://login.example.com/realm")), None);
        assert!(
            check(issuer("http://login.example.com"))
                .unwrap()
                .starts_with("invalid metadata")
        );
        assert!(check(issuer("https://sso.invalid")).unwrap().contains("no such host"));
    }
}
