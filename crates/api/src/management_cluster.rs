//! The document about the management cluster: what Berth may change of it, and how.

use std::{borrow::Cow, collections::BTreeMap, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::document::Positions;

/// The management cluster, with defaults resolved. Without a document it is all defaults.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ManagementCluster {
    /// The document's name; empty where there is no document.
    pub name: String,
    /// What the document says.
    pub spec: ManagementClusterSpec,
    /// Where in which file each field stands; empty where there is no document.
    pub positions: Positions,
}

/// What a ManagementCluster document says.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ManagementClusterSpec {
    /// The cluster's own ID (`spec.clusterID` of its ClusterVersion). Berth refuses to act on any other cluster.
    #[serde(rename = "clusterID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub cluster_id: Option<String>,
    /// Default storage class.
    pub storage: Storage,
    /// Wildcard routes, which guests need for their `*.apps` names.
    pub ingress: Ingress,
    /// The multicluster engine, which brings HyperShift.
    pub multicluster_engine: MulticlusterEngine,
    /// The `hcp` command-line tool.
    pub cli: Cli,
}

/// The default storage class.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Storage {
    /// The class to make the default; left out, nothing is changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain"))]
    pub default_class: Option<String>,
    /// Whether to write even where another manager set the default.
    pub takeover: bool,
}

/// Wildcard routes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Ingress {
    /// Whether Berth allows wildcard routes, or leaves the policy as it is.
    pub wildcard_policy: WildcardPolicy,
    /// The IngressController, in the namespace `openshift-ingress-operator`.
    #[schemars(extend("format" = "dns-label"))]
    pub controller: String,
    /// Whether to write even where another manager set the policy.
    pub takeover: bool,
}

/// What Berth does about the wildcard policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum WildcardPolicy {
    /// Allow wildcard routes.
    #[default]
    WildcardsAllowed,
    /// Leave the policy as it is.
    Keep,
}

/// The multicluster engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MulticlusterEngine {
    /// The operator's update channel: `auto`, or one by name such as `stable-2.7`.
    pub channel: Channel,
    /// The catalog that offers the operator.
    pub catalog: CatalogSource,
    /// The operator's package in that catalog.
    pub package: String,
    /// The operator's namespace.
    #[schemars(extend("format" = "dns-label"))]
    pub namespace: String,
    /// Who approves an installation.
    pub install_plan_approval: InstallPlanApproval,
    /// The version to begin with, as `multicluster-engine.v2.7.0`; left out, the channel's newest.
    #[serde(rename = "startingCSV", skip_serializing_if = "Option::is_none")]
    pub starting_csv: Option<String>,
    /// Fields of the MultiClusterEngine's `spec`, as upstream spells them.
    #[schemars(with = "BTreeMap<String, Value>")]
    pub overrides: Map<String, Value>,
}

/// An update channel.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Channel {
    /// The one that fits this cluster's version.
    #[default]
    Auto,
    /// This one.
    Named(String),
}

/// A catalog of operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CatalogSource {
    /// The CatalogSource's name.
    #[schemars(extend("format" = "dns-subdomain"))]
    pub name: String,
    /// Its namespace.
    #[schemars(extend("format" = "dns-label"))]
    pub namespace: String,
}

/// Who approves an operator's installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum InstallPlanApproval {
    /// The operator lifecycle manager itself.
    #[default]
    Automatic,
    /// A person.
    Manual,
}

/// The `hcp` command-line tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Cli {
    /// Whether to fetch it.
    pub fetch: bool,
    /// The folder to put it in, relative to the document's file; left out, Berth's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub directory: Option<PathBuf>,
}

// === impl Ingress ===

impl Default for Ingress {
    fn default() -> Self {
        Self {
            wildcard_policy: WildcardPolicy::default(),
            controller: "default".to_owned(),
            takeover: false,
        }
    }
}

// === impl MulticlusterEngine ===

impl Default for MulticlusterEngine {
    fn default() -> Self {
        Self {
            channel: Channel::default(),
            catalog: CatalogSource::default(),
            package: "multicluster-engine".to_owned(),
            namespace: "multicluster-engine".to_owned(),
            install_plan_approval: InstallPlanApproval::default(),
            starting_csv: None,
            overrides: Map::new(),
        }
    }
}

// === impl Channel ===

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Auto => "auto",
            Self::Named(name) => name,
        })
    }
}

impl<'de> Deserialize<'de> for Channel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(if name == "auto" { Self::Auto } else { Self::Named(name) })
    }
}

impl JsonSchema for Channel {
    fn schema_name() -> Cow<'static, str> {
        "Channel".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "`auto`, or a channel by name such as `stable-2.7`.",
        })
    }
}

// === impl CatalogSource ===

impl Default for CatalogSource {
    fn default() -> Self {
        Self {
            name: "redhat-operators".to_owned(),
            namespace: "openshift-marketplace".to_owned(),
        }
    }
}

// === impl Cli ===

impl Default for Cli {
    fn default() -> Self {
        Self {
            fetch: true,
            directory: None,
        }
    }
}
