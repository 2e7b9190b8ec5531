//! An OIDC issuer in place of the OAuth server.

use berth_api::{GuestCluster, Oidc, OidcUsername};
use serde_json::{Value, json};

use super::{Piece, piece, put_list, reference, slug};

pub(super) fn pieces(guest: &GuestCluster, oidc: &Oidc, pieces: &mut Vec<Piece>) {
    pieces.extend(piece(guest, "oidc.ca".to_owned(), "oidc-ca", "ca-bundle.crt"));
    for (index, client) in oidc.clients.iter().enumerate() {
        let what = format!("oidc-{}-client-secret", slug(&client.component_name));
        let field = format!("oidc.clients[{index}].clientSecret");
        pieces.extend(piece(guest, field, &what, "clientSecret"));
    }
}

/// The entry of `oidcProviders`.
pub(super) fn entry(oidc: &Oidc, name: &dyn Fn(&str) -> String) -> Value {
    let mut issuer = json!({ "issuerURL": oidc.issuer, "audiences": oidc.audiences });
    if let Some(url) = &oidc.discovery_url {
        issuer["discoveryURL"] = json!(url);
    }
    if oidc.ca.is_some() {
        issuer["issuerCertificateAuthority"] = reference(&name("oidc.ca"));
    }
    let mut entry = json!({ "name": oidc.name, "issuer": issuer, "claimMappings": mappings(oidc) });
    if !oidc.required_claims.is_empty() {
        let rule = |(claim, value): (&String, &String)| json!({ "type": "RequiredClaim", "requiredClaim": { "claim": claim, "requiredValue": value } });
        entry["claimValidationRules"] = oidc.required_claims.iter().map(rule).collect();
    }
    if !oidc.clients.is_empty() {
        let clients = oidc.clients.iter().enumerate();
        entry["oidcClients"] = clients
            .map(|(index, client)| {
                let mut told = json!({
                    "componentName": client.component_name, "componentNamespace": client.component_namespace,
                    "clientID": client.client_id,
                });
                if client.client_secret.is_some() {
                    told["clientSecret"] = reference(&name(&format!("oidc.clients[{index}].clientSecret")));
                }
                put_list(&mut told, "extraScopes", &client.extra_scopes);
                told
            })
            .collect();
    }
    entry
}

fn mappings(oidc: &Oidc) -> Value {
    let mut mappings = json!({ "username": username(&oidc.username) });
    if let Some(groups) = &oidc.groups {
        let mut told = either(groups.claim.as_ref(), groups.expression.as_ref());
        if let Some(prefix) = &groups.prefix {
            told["prefix"] = json!(prefix);
        }
        mappings["groups"] = told;
    }
    if let Some(uid) = &oidc.uid {
        mappings["uid"] = either(uid.claim.as_ref(), uid.expression.as_ref());
    }
    if !oidc.extra.is_empty() {
        let each = |(key, expression): (&String, &String)| json!({ "key": key, "valueExpression": expression });
        mappings["extra"] = oidc.extra.iter().map(each).collect();
    }
    mappings
}

/// Upstream parts «no prefix» from «the usual one» by a policy.
fn username(username: &OidcUsername) -> Value {
    let mut told = either(username.claim.as_ref(), username.expression.as_ref());
    match username.prefix.as_deref() {
        None => {}
        Some("") => told["prefixPolicy"] = json!("NoPrefix"),
        Some(prefix) => {
            told["prefixPolicy"] = json!("Prefix");
            told["prefix"] = json!({ "prefixString": prefix });
        }
    }
    told
}

fn either(claim: Option<&String>, expression: Option<&String>) -> Value {
    match (claim, expression) {
        (Some(claim), _) => json!({ "claim": claim }),
        (None, Some(expression)) => json!({ "expression": expression }),
        (None, None) => json!({}),
    }
}
