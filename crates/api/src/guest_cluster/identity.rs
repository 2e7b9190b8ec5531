//! Who may log in to a guest: identity providers of its OAuth server, or an OIDC issuer in place of that server.
//!
//! Secrets are named by their source and read beside the document ([`IdentityInputs`]). What can be wrong with the section
//! beyond its structure is in `document/identity_rules.rs`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SecretInput, SecretSource};
use crate::duration::GoDuration;

/// Who may log in, and who of them may do everything. Any of this removes `kubeadmin`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// Who may do everything in the guest once `kubeadmin` is gone.
    pub cluster_admins: ClusterAdmins,
    /// Identity providers of the guest's OAuth server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<IdentityProvider>,
    /// An OIDC issuer in place of the guest's OAuth server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc: Option<Oidc>,
    /// How long a login that only a person can try may stay unconfirmed before the former state is put back; left out, it
    /// stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_within: Option<GoDuration>,
    /// Whether `spec.configuration.oauth` and `authentication` may be taken from another manager that set them.
    #[serde(default)]
    pub takeover: bool,
}

/// Users and groups that become cluster-admin.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClusterAdmins {
    /// Users, by the name that they have in the guest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Groups, by the name that they have in the guest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// One identity provider: its name, and exactly one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdentityProvider {
    /// The provider's name: users see it when they log in, and it is part of each identity.
    #[schemars(length(min = 1))]
    pub name: String,
    /// How an identity becomes a user.
    #[serde(default)]
    pub mapping_method: MappingMethod,
    /// A user with whom the login is tried before it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_user: Option<TestUser>,
    /// A file of users and password hashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub htpasswd: Option<Htpasswd>,
    /// An OpenID Connect issuer.
    #[serde(default, rename = "openID", skip_serializing_if = "Option::is_none")]
    pub open_id: Option<OpenId>,
    /// An LDAP server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ldap: Option<Ldap>,
    /// GitHub, or GitHub Enterprise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github: Option<GitHub>,
    /// A GitLab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gitlab: Option<GitLab>,
    /// Google.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub google: Option<Google>,
    /// A Keystone (OpenStack identity) server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keystone: Option<Keystone>,
    /// A server that checks passwords by HTTP basic authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// A proxy that names the user in a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_header: Option<RequestHeader>,
}

/// How an identity becomes a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MappingMethod {
    /// The user is made, and must not belong to another identity.
    #[default]
    Claim,
    /// The user must exist already.
    Lookup,
    /// The user is made, or shared with other identities.
    Add,
}

/// Where a provider's certificates come from: exactly one of the fields.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct CaSource {
    /// A file, relative to the document's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub file: Option<std::path::PathBuf>,
    /// An environment variable that holds the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub env: Option<String>,
    /// The text itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub value: Option<String>,
    /// A ConfigMap that exists in the HostedCluster's namespace: with the key `ca.crt` for a provider, `ca-bundle.crt` for
    /// `oidc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain"))]
    pub config_map: Option<String>,
}

/// A user with whom a login is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestUser {
    /// The name to log in with.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The password; of a Secret that exists, the key `password`.
    pub password: SecretSource,
}

/// A file of users and password hashes: one of `file`, `env`, `secret`, `users`.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct Htpasswd {
    /// The file, relative to the document's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub file: Option<std::path::PathBuf>,
    /// An environment variable that holds the file's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub env: Option<String>,
    /// A Secret that exists in the HostedCluster's namespace, with the key `htpasswd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "secret-name"))]
    pub secret: Option<String>,
    /// Users with their passwords, which are hashed (bcrypt) here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub users: Option<Vec<HtpasswdUser>>,
}

/// A user with a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HtpasswdUser {
    /// The user's name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The password; of a Secret that exists, the key `password`.
    pub password: SecretSource,
}

/// An OpenID Connect issuer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenId {
    /// The client that the issuer knows the guest as.
    #[serde(rename = "clientID")]
    #[schemars(length(min = 1))]
    pub client_id: String,
    /// The client's secret; of a Secret that exists, the key `clientSecret`.
    pub client_secret: SecretSource,
    /// The issuer's URL: https, without a query.
    #[schemars(length(min = 1))]
    pub issuer: String,
    /// Certificates that sign the issuer's, as PEM; left out, the well-known ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<CaSource>,
    /// Which claims say who a user is.
    #[serde(default)]
    pub claims: OpenIdClaims,
    /// Scopes to ask for besides `openid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_scopes: Vec<String>,
    /// Parameters to add when a user is sent to the issuer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra_authorize_parameters: BTreeMap<String, String>,
}

/// Which claims say who a user is: of each list the first that is not empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OpenIdClaims {
    /// The name to log in with.
    pub preferred_username: Vec<String>,
    /// The name to show.
    pub name: Vec<String>,
    /// The e-mail address.
    pub email: Vec<String>,
    /// The groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// An LDAP server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ldap {
    /// Where to look, as RFC 2255 writes it: `ldaps://ldap.example.com/ou=people,dc=example,dc=com?uid`.
    #[schemars(length(min = 1))]
    pub url: String,
    /// Whom to search as; left out, nobody.
    #[serde(default, rename = "bindDN", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub bind_dn: Option<String>,
    /// The password to search with; of a Secret that exists, the key `bindPassword`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind_password: Option<SecretSource>,
    /// Whether to speak without TLS; never with `ldaps`.
    #[serde(default)]
    pub insecure: bool,
    /// Certificates that sign the server's, as PEM; left out, the well-known ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<CaSource>,
    /// Which attributes say who a user is.
    #[serde(default)]
    pub attributes: LdapAttributes,
}

/// Which attributes say who a user is: of each list the first that is not empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LdapAttributes {
    /// What tells users apart.
    #[schemars(length(min = 1))]
    pub id: Vec<String>,
    /// The name to log in with.
    pub preferred_username: Vec<String>,
    /// The name to show.
    pub name: Vec<String>,
    /// The e-mail address.
    pub email: Vec<String>,
}

/// GitHub, or GitHub Enterprise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitHub {
    /// The OAuth application's client ID.
    #[serde(rename = "clientID")]
    #[schemars(length(min = 1))]
    pub client_id: String,
    /// The client's secret; of a Secret that exists, the key `clientSecret`.
    pub client_secret: SecretSource,
    /// Organizations whose members may log in; not together with `teams`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub organizations: Vec<String>,
    /// Teams whose members may log in, as `organization/team`; not together with `organizations`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
    /// The host of a GitHub Enterprise; left out, github.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain"))]
    pub hostname: Option<String>,
    /// Certificates that sign a GitHub Enterprise's, as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<CaSource>,
}

/// A GitLab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitLab {
    /// The application's ID.
    #[serde(rename = "clientID")]
    #[schemars(length(min = 1))]
    pub client_id: String,
    /// The application's secret; of a Secret that exists, the key `clientSecret`.
    pub client_secret: SecretSource,
    /// The server's URL: https.
    #[schemars(length(min = 1))]
    pub url: String,
    /// Certificates that sign the server's, as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<CaSource>,
}

/// Google.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Google {
    /// The OAuth client's ID.
    #[serde(rename = "clientID")]
    #[schemars(length(min = 1))]
    pub client_id: String,
    /// The client's secret; of a Secret that exists, the key `clientSecret`.
    pub client_secret: SecretSource,
    /// The domain whose accounts may log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain"))]
    pub hosted_domain: Option<String>,
}

/// A Keystone (OpenStack identity) server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keystone {
    /// The server's URL: https.
    #[schemars(length(min = 1))]
    pub url: String,
    /// The domain of the users.
    #[schemars(length(min = 1))]
    pub domain_name: String,
    /// Certificates that sign the server's, as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<CaSource>,
    /// The certificate to show the server; of a Secret that exists, the key `tls.crt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_cert: Option<SecretSource>,
    /// That certificate's key; of a Secret that exists, the key `tls.key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_key: Option<SecretSource>,
}

/// A server that checks passwords by HTTP basic authentication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BasicAuth {
    /// The URL to ask: https.
    #[schemars(length(min = 1))]
    pub url: String,
    /// Certificates that sign the server's, as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<CaSource>,
    /// The certificate to show the server; of a Secret that exists, the key `tls.crt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_cert: Option<SecretSource>,
    /// That certificate's key; of a Secret that exists, the key `tls.key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_key: Option<SecretSource>,
}

/// A proxy that names the user in a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestHeader {
    /// Certificates that sign the proxy's client certificate, as PEM: without them anybody could name himself.
    pub ca: CaSource,
    /// Where a browser is sent to log in; holds `${url}` or `${query}`.
    #[serde(default, rename = "loginURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub login_url: Option<String>,
    /// Where a program is sent to log in; holds `${url}` or `${query}`.
    #[serde(default, rename = "challengeURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub challenge_url: Option<String>,
    /// Headers that may hold the user.
    #[schemars(length(min = 1))]
    pub headers: Vec<String>,
    /// Headers that may hold the name to log in with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred_username_headers: Vec<String>,
    /// Headers that may hold the name to show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name_headers: Vec<String>,
    /// Headers that may hold the e-mail address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email_headers: Vec<String>,
    /// Common names that the proxy's certificate may have; left out, any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_common_names: Vec<String>,
}

/// An OIDC issuer in place of the guest's OAuth server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Oidc {
    /// The issuer's name in the guest.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The issuer's URL: https, without a query.
    #[schemars(length(min = 1))]
    pub issuer: String,
    /// Where the issuer's discovery document is, if not below its URL.
    #[serde(default, rename = "discoveryURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub discovery_url: Option<String>,
    /// For whom tokens must be made.
    #[schemars(length(min = 1, max = 10))]
    pub audiences: Vec<String>,
    /// Certificates that sign the issuer's, as PEM; left out, the well-known ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<CaSource>,
    /// What the user is called.
    pub username: OidcUsername,
    /// Which groups the user is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<OidcGroups>,
    /// What tells users apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<OidcValue>,
    /// What else is known of the user, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// Claims that a token must have, each with its value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub required_claims: BTreeMap<String, String>,
    /// Parts of the guest that log users in themselves, as the console.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub clients: Vec<OidcClient>,
}

/// What a user is called: a claim or an expression.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OidcUsername {
    /// The claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub claim: Option<String>,
    /// A CEL expression over `claims`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub expression: Option<String>,
    /// What stands before each name; empty for nothing; left out, the issuer's URL but before an e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// Which groups a user is in: a claim or an expression.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OidcGroups {
    /// The claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub claim: Option<String>,
    /// A CEL expression over `claims`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub expression: Option<String>,
    /// What stands before each name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// A claim or an expression.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct OidcValue {
    /// The claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub claim: Option<String>,
    /// A CEL expression over `claims`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub expression: Option<String>,
}

/// A part of the guest that logs users in itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OidcClient {
    /// The part's name, as `console`.
    #[schemars(length(min = 1))]
    pub component_name: String,
    /// The part's namespace, as `openshift-console`.
    #[schemars(extend("format" = "dns-label"))]
    pub component_namespace: String,
    /// The client that the issuer knows it as.
    #[serde(rename = "clientID")]
    #[schemars(length(min = 1))]
    pub client_id: String,
    /// The client's secret; of a Secret that exists, the key `clientSecret`. Left out for a public client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<SecretSource>,
    /// Scopes to ask for besides `openid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_scopes: Vec<String>,
}

/// What an identity section refers to, read: by the field that names it, without `spec.identity.` before it, as
/// `providers[0].openID.clientSecret`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityInputs {
    /// Secrets, and ConfigMaps that exist.
    pub secrets: BTreeMap<String, SecretInput>,
    /// Certificates.
    pub texts: BTreeMap<String, String>,
}

/// A kind of provider, as upstream spells its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// `htpasswd`.
    Htpasswd,
    /// `openID`.
    OpenId,
    /// `ldap`.
    Ldap,
    /// `github`.
    GitHub,
    /// `gitlab`.
    GitLab,
    /// `google`.
    Google,
    /// `keystone`.
    Keystone,
    /// `basicAuth`.
    BasicAuth,
    /// `requestHeader`.
    RequestHeader,
}

// === impl IdentityProvider ===

impl IdentityProvider {
    /// Which kind it is; `None` only for a document that was not checked.
    pub fn kind(&self) -> Option<ProviderKind> {
        [
            (self.htpasswd.is_some(), ProviderKind::Htpasswd),
            (self.open_id.is_some(), ProviderKind::OpenId),
            (self.ldap.is_some(), ProviderKind::Ldap),
            (self.github.is_some(), ProviderKind::GitHub),
            (self.gitlab.is_some(), ProviderKind::GitLab),
            (self.google.is_some(), ProviderKind::Google),
            (self.keystone.is_some(), ProviderKind::Keystone),
            (self.basic_auth.is_some(), ProviderKind::BasicAuth),
            (self.request_header.is_some(), ProviderKind::RequestHeader),
        ]
        .into_iter()
        .find_map(|(is_there, kind)| is_there.then_some(kind))
    }
}

impl MappingMethod {
    /// As upstream spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Lookup => "lookup",
            Self::Add => "add",
        }
    }
}

// === impl ProviderKind ===

impl ProviderKind {
    /// Upstream's `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Htpasswd => "HTPasswd",
            Self::OpenId => "OpenID",
            Self::Ldap => "LDAP",
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::Google => "Google",
            Self::Keystone => "Keystone",
            Self::BasicAuth => "BasicAuth",
            Self::RequestHeader => "RequestHeader",
        }
    }

    /// The name of its block, here and upstream.
    pub fn block(self) -> &'static str {
        match self {
            Self::Htpasswd => "htpasswd",
            Self::OpenId => "openID",
            Self::Ldap => "ldap",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Google => "google",
            Self::Keystone => "keystone",
            Self::BasicAuth => "basicAuth",
            Self::RequestHeader => "requestHeader",
        }
    }

    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Htpasswd,
        Self::OpenId,
        Self::Ldap,
        Self::GitHub,
        Self::GitLab,
        Self::Google,
        Self::Keystone,
        Self::BasicAuth,
        Self::RequestHeader,
    ];
}

// === impl OpenIdClaims, LdapAttributes ===

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl Default for OpenIdClaims {
    fn default() -> Self {
        Self {
            preferred_username: words(&["preferred_username"]),
            name: words(&["name"]),
            email: words(&["email"]),
            groups: Vec::new(),
        }
    }
}

impl Default for LdapAttributes {
    fn default() -> Self {
        Self {
            id: words(&["dn"]),
            preferred_username: words(&["uid"]),
            name: words(&["cn"]),
            email: words(&["mail"]),
        }
    }
}
