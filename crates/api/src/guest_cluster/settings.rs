//! The guest's own cluster-wide configuration: proxy, images, ingress, scheduler, autoscaler.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration::GoDuration;

/// The proxy through which the guest reaches the outside.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Proxy {
    /// For `http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "url", "x-becomes" = ".httpProxy"))]
    pub http_proxy: Option<String>,
    /// For `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "url", "x-becomes" = ".httpsProxy"))]
    pub https_proxy: Option<String>,
    /// Names, domains and networks that are reached without it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".noProxy", "x-joined" = ","))]
    pub no_proxy: Vec<String>,
    /// Addresses with which it is tried out before it is used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".readinessEndpoints"))]
    pub readiness_endpoints: Vec<String>,
    /// A ConfigMap (key `ca-bundle.crt`) of authorities that the proxy's own certificates come from.
    #[serde(rename = "trustedCA", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain", "x-becomes" = ".trustedCA.name"))]
    pub trusted_ca: Option<String>,
}

/// Which registries the guest's nodes and builds use.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Images {
    /// A ConfigMap of certificates of registries, by host.
    #[serde(rename = "additionalTrustedCA", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain", "x-becomes" = ".additionalTrustedCA.name"))]
    pub additional_trusted_ca: Option<String>,
    /// Registries from which ordinary users may import images; left out, all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".allowedRegistriesForImport[]"))]
    pub allowed_registries_for_import: Vec<ImportRegistry>,
    /// Names by which the guest's own registry is reached from outside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".externalRegistryHostnames"))]
    pub external_registry_hostnames: Vec<String>,
    /// Registries that are reached without a valid certificate, or by `http`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".registrySources.insecureRegistries"))]
    pub insecure_registries: Vec<String>,
    /// Registries from which nothing is pulled; excludes `allowedRegistries`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".registrySources.blockedRegistries"))]
    pub blocked_registries: Vec<String>,
    /// The only registries from which anything is pulled; excludes `blockedRegistries`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".registrySources.allowedRegistries"))]
    pub allowed_registries: Vec<String>,
    /// Registries in which images without a registry's name are looked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".registrySources.containerRuntimeSearchRegistries"))]
    pub search_registries: Vec<String>,
}

/// A registry from which ordinary users may import images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportRegistry {
    /// Its name, with a port if need be; `*` stands for any part.
    #[schemars(length(min = 1), extend("x-becomes" = ".domainName"))]
    pub domain_name: String,
    /// Whether it may be without a valid certificate, or reached by `http`.
    #[serde(default)]
    #[schemars(extend("x-becomes" = ".insecure"))]
    pub insecure: bool,
}

/// The domains of the guest's routes.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GuestIngress {
    /// The domain of the guest's own routes; left out, `apps.<name>.<baseDomain>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain", "x-becomes" = ".domain", "x-edit" = "fixed"))]
    pub domain: Option<String>,
    /// Another domain for the users' routes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "dns-subdomain", "x-becomes" = ".appsDomain"))]
    pub apps_domain: Option<String>,
    /// Names and certificates for routes of OpenShift's own parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-becomes" = ".componentRoutes[]"))]
    pub component_routes: Vec<ComponentRoute>,
}

/// A name and a certificate for the route of one of OpenShift's own parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComponentRoute {
    /// The part's route, as `console`.
    #[schemars(length(min = 1), extend("x-becomes" = ".name"))]
    pub name: String,
    /// The route's namespace in the guest, as `openshift-console`.
    #[schemars(extend("format" = "dns-label", "x-becomes" = ".namespace"))]
    pub namespace: String,
    /// The name to reach it by.
    #[schemars(extend("format" = "dns-subdomain", "x-becomes" = ".hostname"))]
    pub hostname: String,
    /// The Secret with its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "secret-name", "x-becomes" = ".servingCertKeyPairSecret.name"))]
    pub secret: Option<String>,
}

/// How the guest's scheduler chooses nodes.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Scheduler {
    /// What it aims at; left out, LowNodeUtilization.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".profile"))]
    pub profile: Option<SchedulerProfile>,
    /// The node selector, as `key=value,…`, of pods in namespaces that have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-becomes" = ".defaultNodeSelector"))]
    pub default_node_selector: Option<String>,
}

/// What a scheduler aims at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SchedulerProfile {
    /// Pods spread over all nodes.
    LowNodeUtilization,
    /// As few nodes as possible.
    HighNodeUtilization,
    /// The quickest choice.
    NoScoring,
}

/// How the guest's autoscaler behaves; the bounds of each pool are the pool's.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClusterAutoscaling {
    /// The most workers of all pools together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".maxNodesTotal"))]
    pub max_nodes_total: Option<u32>,
    /// The most seconds that pods get to end when a worker goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".maxPodGracePeriod"))]
    pub max_pod_grace_period: Option<u32>,
    /// How long a worker may take to join.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".maxNodeProvisionTime"))]
    pub max_node_provision_time: Option<GoDuration>,
    /// Pods of a lower priority neither cause nor keep workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".podPriorityThreshold"))]
    pub pod_priority_threshold: Option<i32>,
    /// Whether workers are taken away as well; left out, they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-becomes" = ".scaling"))]
    pub scaling: Option<ScalingDirection>,
    /// When workers are taken away.
    #[schemars(extend("x-becomes" = ".scaleDown"))]
    pub scale_down: ScaleDown,
    /// Which pool grows where several could, the first choice first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3), extend("x-becomes" = ".expanders"))]
    pub expanders: Vec<Expander>,
    /// Labels that do not make pools different.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-becomes" = ".balancingIgnoredLabels"))]
    pub balancing_ignored_labels: Vec<String>,
    /// By how many hundredths free room may differ between pools that are alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100), extend("x-becomes" = ".maxFreeDifferenceRatioPercent"))]
    pub max_free_difference_ratio_percent: Option<u32>,
}

/// Whether the autoscaler takes workers away as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ScalingDirection {
    /// It only adds.
    ScaleUpOnly,
    /// It adds and takes away.
    ScaleUpAndScaleDown,
}

/// When workers are taken away.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScaleDown {
    /// So long after one was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 86400), extend("x-becomes" = ".delayAfterAddSeconds"))]
    pub delay_after_add_seconds: Option<u32>,
    /// So long after one was taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 86400), extend("x-becomes" = ".delayAfterDeleteSeconds"))]
    pub delay_after_delete_seconds: Option<u32>,
    /// So long after one could not be taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 86400), extend("x-becomes" = ".delayAfterFailureSeconds"))]
    pub delay_after_failure_seconds: Option<u32>,
    /// Once it was not needed for so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 86400), extend("x-becomes" = ".unneededDurationSeconds"))]
    pub unneeded_duration_seconds: Option<u32>,
    /// It is not needed while less than this part of it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100), extend("x-becomes" = ".utilizationThresholdPercent"))]
    pub utilization_threshold_percent: Option<u32>,
}

/// How the autoscaler chooses a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Expander {
    /// The one with the least left over.
    LeastWaste,
    /// By configured priorities.
    Priority,
    /// Any.
    Random,
}
