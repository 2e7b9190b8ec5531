//! `create nodepool kubevirt`: its flags, its checks, and the NodePool it makes.

use serde_json::{Map, json};

use super::{
    HcpError, Warning,
    create_cluster::POOL_FLAGS,
    flags::{
        Flag, Flags,
        Kind::{Int32, UpgradeType},
        Values,
    },
    request::pool::{Shape, pool},
    warnings,
};
use crate::render::{self, Rendered, Scaling};

/// `create nodepool kubevirt`, its flags parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateNodePool {
    values: Values,
    /// Name of the NodePool.
    pub name: String,
    /// Its namespace, and that of the HostedCluster.
    pub namespace: String,
    /// Name of the HostedCluster.
    pub cluster: String,
    /// The release image; left out, the HostedCluster's.
    pub release_image: Option<String>,
    /// The processors.
    pub arch: String,
    /// Whether the object is printed rather than written.
    pub render: bool,
    /// Whether what can't work is refused rather than warned of.
    pub strict: bool,
}

impl CreateNodePool {
    pub(super) fn from_flags(values: Values) -> Result<Self, HcpError> {
        Ok(Self {
            name: values.require("name")?,
            namespace: values.text("namespace"),
            cluster: values.text("cluster-name"),
            release_image: values.some("release-image"),
            arch: values.text("arch"),
            render: values.is_set("render"),
            strict: values.is_set("strict"),
            values,
        })
    }

    /// The checks that need no cluster.
    pub fn check(&self) -> Result<(), HcpError> {
        Shape::checked(&self.values)?.completed(&self.values).map(|_| ())
    }

    /// What can't work although `hcp` accepts it.
    pub fn warnings(&self) -> Vec<Warning> {
        warnings::of_pool(&self.values)
    }

    /// What is said of flags that are on their way out.
    pub fn notices(&self) -> Vec<String> {
        let deprecated = "Flag --node-count has been deprecated, please use '--replicas' instead";
        let given = self.values.was_given("node-count");
        given.then(|| deprecated.to_owned()).into_iter().collect()
    }

    /// The NodePool, with a HostedCluster's release image where none was given.
    pub fn node_pool(&self, cluster_image: &str) -> Result<Rendered, HcpError> {
        let flags = &self.values;
        let shape = Shape::checked(flags)?;
        let mut request = pool(flags, &self.name, shape.completed(flags)?, shape);
        request.release_image = self.release_image.clone().unwrap_or_else(|| cluster_image.to_owned());
        let count = ["node-count", "replicas"]
            .into_iter()
            .find(|flag| flags.was_given(flag));
        let replicas: i32 = flags.number(count.unwrap_or("replicas"));
        request.scaling = Scaling::Fixed(u32::try_from(replicas).unwrap_or_default());
        if replicas < 0 {
            // `hcp` leaves it to the server to refuse that.
            request.overrides = vec![Map::from_iter([("replicas".to_owned(), json!(replicas))])];
        }
        Ok(render::node_pool(&self.namespace, &self.cluster, &request))
    }
}

const OWN_FLAGS: &[Flag] = &[
    Flag::text("arch", "amd64", "the workers' processors"),
    Flag::bool("auto-repair", false, "replace workers that stay unhealthy"),
    Flag::text("cluster-name", "example", "the hosted cluster's name"),
    Flag::text("name", "", "the node pool's name"),
    Flag::text("namespace", "clusters", "the hosted cluster's namespace"),
    Flag::new("node-count", Int32, "2", "deprecated: --replicas"),
    Flag::new("node-upgrade-type", UpgradeType, "", "Replace or InPlace"),
    Flag::text("release-image", "", "the release image; left out, the hosted cluster's"),
    Flag::bool("render", false, "print the object instead of writing it"),
    Flag::new("replicas", Int32, "2", "how many workers"),
    Flag::bool(
        "strict",
        false,
        "refuse what can't work instead of warning of it (only here)",
    ),
];

pub(super) const FLAGS: Flags = &[OWN_FLAGS, POOL_FLAGS];
