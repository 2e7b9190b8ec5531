//! The Secrets and ConfigMaps that `spec.configuration` of a HostedCluster names. They are copied beside the control plane
//! under their own names. Pure.

use serde_json::Value;

use crate::kind::{CONFIG_MAP, Kind, SECRET};

/// Fields of an identity provider that name a Secret, and the key that is read from it.
const SECRETS_OF_PROVIDER: [(&str, &str); 5] = [
    ("fileData", "htpasswd"),
    ("clientSecret", "clientSecret"),
    ("bindPassword", "bindPassword"),
    ("tlsClientCert", "tls.crt"),
    ("tlsClientKey", "tls.key"),
];

/// Fields elsewhere in the configuration that name one object.
const ELSEWHERE: [(&str, Kind); 9] = [
    ("/apiServer/clientCA/name", CONFIG_MAP),
    ("/authentication/oauthMetadata/name", CONFIG_MAP),
    ("/image/additionalTrustedCA/name", CONFIG_MAP),
    ("/oauth/templates/error/name", SECRET),
    ("/oauth/templates/login/name", SECRET),
    ("/oauth/templates/providerSelection/name", SECRET),
    ("/proxy/trustedCA/name", CONFIG_MAP),
    ("/scheduler/policy/name", CONFIG_MAP),
    ("/authentication/webhookTokenAuthenticator/kubeConfig/name", SECRET),
];

/// Something that the configuration names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    /// The key whose content is used, where one is needed.
    pub(super) key: Option<&'static str>,
}

/// All that a configuration names, ConfigMaps before Secrets as the operator looks for them.
pub(super) fn of_configuration(configuration: &Value) -> Vec<Reference<'_>> {
    let mut found: Vec<Reference<'_>> = (ELSEWHERE.iter())
        .filter_map(|(path, kind)| reference(*kind, configuration.pointer(path)?, None))
        .collect();
    for certificate in list(&configuration["apiServer"]["servingCerts"]["namedCertificates"]) {
        found.extend(reference(SECRET, &certificate["servingCertificate"]["name"], None));
    }
    for provider in list(&configuration["authentication"]["oidcProviders"]) {
        found.extend(reference(
            CONFIG_MAP,
            &provider["issuer"]["issuerCertificateAuthority"]["name"],
            None,
        ));
        for client in list(&provider["oidcClients"]) {
            found.extend(reference(SECRET, &client["clientSecret"]["name"], None));
        }
    }
    for provider in list(&configuration["oauth"]["identityProviders"]) {
        found.extend(of_identity_provider(provider));
    }
    found.sort_by_key(|reference| reference.kind == SECRET);
    found
}

/// What one identity provider names.
pub(super) fn of_identity_provider(provider: &Value) -> Vec<Reference<'_>> {
    let Some((_, block)) = block(provider) else {
        return Vec::new();
    };
    let secrets = SECRETS_OF_PROVIDER
        .iter()
        .filter_map(|(field, key)| reference(SECRET, &block[*field]["name"], Some(key)));
    let authority = reference(CONFIG_MAP, &block["ca"]["name"], Some("ca.crt"));
    secrets.chain(authority).collect()
}

/// The block that goes with a provider's type: its name, and its content (null where it is missing).
pub(super) fn block(provider: &Value) -> Option<(&'static str, &Value)> {
    let field = match provider["type"].as_str()? {
        "BasicAuth" => "basicAuth",
        "GitHub" => "github",
        "GitLab" => "gitlab",
        "Google" => "google",
        "HTPasswd" => "htpasswd",
        "Keystone" => "keystone",
        "LDAP" => "ldap",
        "OpenID" => "openID",
        "RequestHeader" => "requestHeader",
        _ => return None,
    };
    Some((field, &provider[field]))
}

fn reference<'a>(kind: Kind, name: &'a Value, key: Option<&'static str>) -> Option<Reference<'a>> {
    let name = name.as_str().filter(|name| !name.is_empty())?;
    Some(Reference { kind, name, key })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_reference_is_found() {
        let configuration = json!({
            "proxy": { "trustedCA": { "name": "proxy-ca" } },
            "apiServer": { "servingCerts": { "namedCertificates": [{ "servingCertificate": { "name": "serving" } }] } },
            "oauth": { "identityProviders": [
                { "name": "a", "type": "HTPasswd", "htpasswd": { "fileData": { "name": "users" } } },
                { "name": "b", "type": "OpenID", "openID": { "clientSecret": { "name": "client" }, "ca": { "name": "issuer-ca" } } },
                { "name": "c", "type": "Unheard", "unheard": { "ca": { "name": "x" } } },
            ] },
        });
        let names: Vec<&str> = of_configuration(&configuration)
            .iter()
            .map(|found| found.name)
            .collect();
        assert_eq!(names, ["proxy-ca", "issuer-ca", "serving", "users", "client"]);
    }
}
