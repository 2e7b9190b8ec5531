//! How a guest's API server is reached, what it logs, and with which certificates it answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cidr::Cidr;

/// The guest's API server.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ApiServer {
    /// The address at which workers reach the API server on themselves; left out, `172.20.0.1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "ip", "x-becomes" = "spec.networking.apiServer.advertiseAddress", "x-edit" = "fixed"))]
    pub advertise_address: Option<String>,
    /// The port at which workers reach the API server on themselves; left out, 6443.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    #[schemars(extend("x-becomes" = "spec.networking.apiServer.port", "x-edit" = "fixed"))]
    pub port: Option<u32>,
    /// From where the API server may be reached; left out, from everywhere.
    #[serde(rename = "allowedCIDRBlocks", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500), extend("x-becomes" = "spec.networking.apiServer.allowedCIDRBlocks"))]
    pub allowed_cidr_blocks: Vec<Cidr>,
    /// What the API server writes down of requests.
    #[schemars(extend("x-becomes" = "spec.configuration.apiServer.audit"))]
    pub audit: Audit,
    /// A Secret with the kubeconfig (key `webhook-kubeconfig`) of a webhook that gets audit events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "secret-name", "x-becomes" = "spec.auditWebhook.name"))]
    pub audit_webhook: Option<String>,
    /// Certificates for names of one's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = "spec.configuration.apiServer.servingCerts.namedCertificates[]"))]
    pub serving_certs: Vec<ServingCert>,
    /// A ConfigMap (key `ca-bundle.crt`) of authorities whose client certificates are taken, besides the usual ones.
    #[serde(rename = "clientCA", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain", "x-becomes" = "spec.configuration.apiServer.clientCA.name"))]
    pub client_ca: Option<String>,
    /// Origins, as regular expressions, from which browsers may call the API server.
    #[serde(rename = "additionalCORSAllowedOrigins", skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = "spec.configuration.apiServer.additionalCORSAllowedOrigins"))]
    pub additional_cors_allowed_origins: Vec<String>,
    /// Which versions and ciphers of TLS are taken; left out, Intermediate. Workers of OpenShift 4.23 and later are rolled for it,
    /// older ones are not touched.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = "spec.configuration.apiServer.tlsSecurityProfile.type", "x-edit" = "rollout"))]
    pub tls_profile: Option<TlsProfile>,
}

/// What the API server writes down of requests.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Audit {
    /// For everybody; left out, Default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".profile"))]
    pub profile: Option<AuditProfile>,
    /// For the members of groups; the first that fits counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".customRules[]"))]
    pub custom_rules: Vec<AuditRule>,
}

/// What is written down of the requests of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditRule {
    /// The group.
    #[schemars(length(min = 1), extend("x-becomes" = ".group"))]
    pub group: String,
    /// What is written down.
    #[schemars(extend("x-becomes" = ".profile"))]
    pub profile: AuditProfile,
}

/// How much of a request is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AuditProfile {
    /// That it was made, and by whom.
    Default,
    /// Bodies of writes as well.
    WriteRequestBodies,
    /// All bodies.
    AllRequestBodies,
    /// Nothing.
    None,
}

/// A certificate for names of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServingCert {
    /// The names; left out, those in the certificate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".names"))]
    pub names: Vec<String>,
    /// The Secret (type `kubernetes.io/tls`), in the HostedCluster's namespace.
    #[schemars(extend("format" = "secret-name", "x-becomes" = ".servingCertificate.name"))]
    pub secret: String,
}

/// A predefined choice of versions and ciphers of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TlsProfile {
    /// For clients from before TLS 1.2.
    Old,
    /// TLS 1.2 and newer.
    Intermediate,
    /// TLS 1.3 only.
    Modern,
}
