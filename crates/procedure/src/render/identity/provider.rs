//! One identity provider of the OAuth server, kind by kind.

use berth_api::{
    BasicAuth, GitHub, GitLab, Google, GuestCluster, IdentityProvider, Keystone, Ldap, OpenId, ProviderKind,
    RequestHeader,
};
use serde_json::{Value, json};

use super::{Content, Piece, piece, put_list, reference, slug};

/// The objects that a kind's block refers to: the field, what its name says, the key.
const REFERENCES: [(&str, &str, &str); 6] = [
    ("", "htpasswd", "htpasswd"),
    ("clientSecret", "client-secret", "clientSecret"),
    ("bindPassword", "bind-password", "bindPassword"),
    ("tlsClientCert", "client-cert", "tls.crt"),
    ("tlsClientKey", "client-key", "tls.key"),
    ("ca", "ca", "ca.crt"),
];

pub(super) fn pieces(guest: &GuestCluster, index: usize, provider: &IdentityProvider, pieces: &mut Vec<Piece>) {
    let Some(kind) = provider.kind() else { return };
    let block = format!("providers[{index}].{}", kind.block());
    let what = |what: &str| format!("idp-{}-{what}", slug(&provider.name));
    if let Some(users) = provider.htpasswd.as_ref().and_then(|htpasswd| htpasswd.users.as_ref()) {
        let password = |(user, entry): (usize, &berth_api::HtpasswdUser)| {
            (entry.name.clone(), format!("{block}.users[{user}].password"))
        };
        pieces.push(Piece {
            field: block.clone(),
            key: "htpasswd",
            base: format!("{}-{}", guest.name, what("htpasswd")),
            content: Content::Users(users.iter().enumerate().map(password).collect()),
        });
    }
    for (field, told, key) in REFERENCES {
        let field = if field.is_empty() {
            block.clone()
        } else {
            format!("{block}.{field}")
        };
        pieces.extend(piece(guest, field, &what(told), key));
    }
}

/// The entry of `identityProviders`; `None` only for a document that was not checked.
pub(super) fn entry(index: usize, provider: &IdentityProvider, name: &dyn Fn(&str) -> String) -> Option<Value> {
    let kind = provider.kind()?;
    let path = format!("providers[{index}].{}", kind.block());
    let block = Block { path: &path, name };
    let fields = match kind {
        ProviderKind::Htpasswd => json!({ "fileData": reference(&name(&path)) }),
        ProviderKind::OpenId => block.open_id(provider.open_id.as_ref()?),
        ProviderKind::Ldap => block.ldap(provider.ldap.as_ref()?),
        ProviderKind::GitHub => block.github(provider.github.as_ref()?),
        ProviderKind::GitLab => block.gitlab(provider.gitlab.as_ref()?),
        ProviderKind::Google => block.google(provider.google.as_ref()?),
        ProviderKind::Keystone => block.keystone(provider.keystone.as_ref()?),
        ProviderKind::BasicAuth => block.basic_auth(provider.basic_auth.as_ref()?),
        ProviderKind::RequestHeader => block.request_header(provider.request_header.as_ref()?),
    };
    let mut entry = json!({
        "name": provider.name, "mappingMethod": provider.mapping_method.as_str(), "type": kind.as_str(),
    });
    entry[kind.block()] = fields;
    Some(entry)
}

/// A kind's block: where it is, and who names what it refers to.
struct Block<'a> {
    path: &'a str,
    name: &'a dyn Fn(&str) -> String,
}

impl Block<'_> {
    fn refer(&self, fields: &mut Value, field: &str, is_there: bool) {
        if is_there {
            fields[field] = reference(&(self.name)(&format!("{}.{field}", self.path)));
        }
    }

    fn open_id(&self, provider: &OpenId) -> Value {
        let claims = &provider.claims;
        let mut told = json!({});
        put_list(&mut told, "preferredUsername", &claims.preferred_username);
        put_list(&mut told, "name", &claims.name);
        put_list(&mut told, "email", &claims.email);
        put_list(&mut told, "groups", &claims.groups);
        let mut fields = json!({ "clientID": provider.client_id, "issuer": provider.issuer, "claims": told });
        self.refer(&mut fields, "clientSecret", true);
        self.refer(&mut fields, "ca", provider.ca.is_some());
        put_list(&mut fields, "extraScopes", &provider.extra_scopes);
        if !provider.extra_authorize_parameters.is_empty() {
            fields["extraAuthorizeParameters"] = json!(provider.extra_authorize_parameters);
        }
        fields
    }

    fn ldap(&self, provider: &Ldap) -> Value {
        let attributes = &provider.attributes;
        let mut told = json!({});
        put_list(&mut told, "id", &attributes.id);
        put_list(&mut told, "preferredUsername", &attributes.preferred_username);
        put_list(&mut told, "name", &attributes.name);
        put_list(&mut told, "email", &attributes.email);
        let mut fields = json!({ "url": provider.url, "insecure": provider.insecure, "attributes": told });
        if let Some(name) = &provider.bind_dn {
            fields["bindDN"] = json!(name);
        }
        self.refer(&mut fields, "bindPassword", provider.bind_password.is_some());
        self.refer(&mut fields, "ca", provider.ca.is_some());
        fields
    }

    fn github(&self, provider: &GitHub) -> Value {
        let mut fields = json!({ "clientID": provider.client_id });
        self.refer(&mut fields, "clientSecret", true);
        put_list(&mut fields, "organizations", &provider.organizations);
        put_list(&mut fields, "teams", &provider.teams);
        if let Some(hostname) = &provider.hostname {
            fields["hostname"] = json!(hostname);
        }
        self.refer(&mut fields, "ca", provider.ca.is_some());
        fields
    }

    fn gitlab(&self, provider: &GitLab) -> Value {
        let mut fields = json!({ "clientID": provider.client_id, "url": provider.url });
        self.refer(&mut fields, "clientSecret", true);
        self.refer(&mut fields, "ca", provider.ca.is_some());
        fields
    }

    fn google(&self, provider: &Google) -> Value {
        let mut fields = json!({ "clientID": provider.client_id });
        self.refer(&mut fields, "clientSecret", true);
        if let Some(domain) = &provider.hosted_domain {
            fields["hostedDomain"] = json!(domain);
        }
        fields
    }

    fn keystone(&self, provider: &Keystone) -> Value {
        let mut fields = json!({ "url": provider.url, "domainName": provider.domain_name });
        self.refer(&mut fields, "ca", provider.ca.is_some());
        self.refer(&mut fields, "tlsClientCert", provider.tls_client_cert.is_some());
        self.refer(&mut fields, "tlsClientKey", provider.tls_client_key.is_some());
        fields
    }

    fn basic_auth(&self, provider: &BasicAuth) -> Value {
        let mut fields = json!({ "url": provider.url });
        self.refer(&mut fields, "ca", provider.ca.is_some());
        self.refer(&mut fields, "tlsClientCert", provider.tls_client_cert.is_some());
        self.refer(&mut fields, "tlsClientKey", provider.tls_client_key.is_some());
        fields
    }

    fn request_header(&self, provider: &RequestHeader) -> Value {
        let mut fields = json!({ "headers": provider.headers });
        self.refer(&mut fields, "ca", true);
        if let Some(url) = &provider.login_url {
            fields["loginURL"] = json!(url);
        }
        if let Some(url) = &provider.challenge_url {
            fields["challengeURL"] = json!(url);
        }
        put_list(
            &mut fields,
            "preferredUsernameHeaders",
            &provider.preferred_username_headers,
        );
        put_list(&mut fields, "nameHeaders", &provider.name_headers);
        put_list(&mut fields, "emailHeaders", &provider.email_headers);
        put_list(&mut fields, "clientCommonNames", &provider.client_common_names);
        fields
    }
}
