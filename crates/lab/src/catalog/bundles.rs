//! What each operator's bundle installs.

use serde_json::{Value, json};

use super::{Contents, InstallMode};
use crate::generation::Generation;
use crate::manifest::{self, set_start_time};
use crate::schemas;

/// Label by which the multicluster engine's operator is found.
pub(crate) const ENGINE_OPERATOR: &str = "multicluster-engine-operator";

/// Of an operator that is there already, or that the lab does not play.
pub(super) fn nothing(_: Generation, _: &str) -> Contents {
    Contents {
        install_modes: InstallMode::ALL.to_vec(),
        ..Contents::default()
    }
}

pub(super) fn multicluster_engine(generation: Generation, version: &str) -> Contents {
    let image = |name: &str| format!("registry.redhat.io/multicluster-engine/{name}:v{version}");
    Contents {
        description: "Foundational components for creating, importing and managing clusters",
        crds: schemas::multicluster_engine::crds(generation),
        deployments: vec![operator(
            ENGINE_OPERATOR,
            "backplane-operator",
            2,
            &image("backplane-rhel9-operator"),
        )],
        service_accounts: vec![ENGINE_OPERATOR],
        install_modes: vec![
            InstallMode::OwnNamespace,
            InstallMode::SingleNamespace,
            InstallMode::AllNamespaces,
        ],
        related_images: vec![
            ("backplane_rhel9_operator", image("backplane-rhel9-operator")),
            ("hypershift_addon_operator", image("hypershift-addon-rhel9-operator")),
            ("hypershift_cli", image("hypershift-cli-rhel9")),
            ("hypershift_operator", image("hypershift-rhel9-operator")),
            ("registration_operator", image("registration-operator-rhel9")),
        ],
        suggested_namespace: "multicluster-engine",
    }
}

pub(super) fn advanced_cluster_management(generation: Generation, version: &str) -> Contents {
    let image = format!("registry.redhat.io/rhacm2/acm-multiclusterhub-rhel9-operator:v{version}");
    Contents {
        description: "Management of clusters, applications and policies from one hub",
        crds: schemas::open_cluster_management::multicluster_hub_crds(generation),
        deployments: vec![operator(
            "multiclusterhub-operator",
            "multiclusterhub-operator",
            2,
            &image,
        )],
        service_accounts: vec!["multiclusterhub-operator"],
        install_modes: vec![InstallMode::OwnNamespace, InstallMode::SingleNamespace],
        related_images: vec![("multiclusterhub_operator", image)],
        suggested_namespace: "open-cluster-management",
    }
}

/// A Deployment as a ClusterServiceVersion lists it, found by the label `control-plane`.
fn operator(name: &str, control_plane: &str, replicas: u32, image: &str) -> Value {
    let mut deployment = manifest::deployment("", name, replicas, image);
    set_start_time(&mut deployment, 32);
    let mut spec = deployment["spec"].take();
    spec["selector"]["matchLabels"] = json!({ "control-plane": control_plane });
    spec["template"]["metadata"]["labels"] = json!({ "app": name, "control-plane": control_plane, "name": name });
    json!({ "name": name, "label": { "control-plane": control_plane }, "spec": spec })
}
