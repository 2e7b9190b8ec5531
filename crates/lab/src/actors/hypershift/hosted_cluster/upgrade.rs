//! Whether the release that a HostedCluster asks for may take the place of the one it has. Pure.

use serde_json::Value;

use crate::conditions;
use crate::objects::annotation;

use super::super::release::Release;

const FORCE: &str = "hypershift.openshift.io/force-upgrade-to";

/// The image that the control plane is to have: `spec.controlPlaneRelease`, where there is one.
pub(super) fn control_plane_image(hosted_cluster: &Value) -> &Value {
    let image = &hosted_cluster["spec"]["controlPlaneRelease"]["image"];
    if image.is_string() {
        image
    } else {
        &hosted_cluster["spec"]["release"]["image"]
    }
}

/// The version that the cluster has, or is on its way to.
pub(super) fn current_version(hosted_cluster: &Value) -> Option<&str> {
    hosted_cluster["status"]["version"]["desired"]["version"]
        .as_str()
        .filter(|version| !version.is_empty())
}

/// Why the upgrade that the spec asks for is not begun; `None` where there is none, or nothing against it.
pub(super) fn obstacle(hosted_cluster: &Value, release: &Release) -> Option<String> {
    let current = current_version(hosted_cluster)?;
    let wanted = control_plane_image(hosted_cluster);
    if hosted_cluster["status"]["version"]["desired"]["image"] == *wanted {
        return None;
    }
    let upgradeable = conditions::find(hosted_cluster, "ClusterVersionUpgradeable")?;
    if upgradeable["status"] == "True" {
        return None;
    }
    match annotation(hosted_cluster, FORCE) {
        Some(forced) if *wanted == forced => return None,
        Some(_) => {
            return Some("force upgrade annotation is present but does not match desired release image".to_owned());
        }
        None => {}
    }
    if hosted_cluster["spec"]["controlPlaneRelease"].is_object() || release.is_same_minor_as(current) {
        return None;
    }
    Some("cluster version is not upgradeable".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(from: &str, to: &str, upgradeable: &str, annotations: &Value) -> Option<String> {
        let image = |version: &str| format!("quay.io/o/r:{version}-multi");
        let hosted_cluster = json!({
            "metadata": { "annotations": annotations },
            "spec": { "release": { "image": image(to) } },
            "status": {
                "version": { "desired": { "version": from, "image": image(from) } },
                "conditions": [{ "type": "ClusterVersionUpgradeable", "status": upgradeable }],
            },
        });
        obstacle(&hosted_cluster, &Release::of_any_image(&image(to)).unwrap())
    }

    #[test]
    fn only_a_new_minor_needs_the_cluster_to_be_upgradeable() {
        assert_eq!(check("4.16.9", "4.17.0", "True", &json!({})), None);
        assert_eq!(check("4.17.0", "4.17.9", "False", &json!({})), None);
        assert_eq!(
            check("4.16.9", "4.17.0", "False", &json!({})).unwrap(),
            "cluster version is not upgradeable"
        );
        assert_eq!(check("4.17.0", "4.17.0", "False", &json!({})), None);
    }

    #[test]
    fn force_counts_for_the_exact_image_only() {
        assert_eq!(
            check(
                "4.16.9",
                "4.17.0",
                "False",
                &json!({ FORCE: "quay.io/o/r:4.17.0-multi" })
            ),
            None
        );
        assert!(
            check(
                "4.16.9",
                "4.17.0",
                "False",
                &json!({ FORCE: "quay.io/o/r:4.17.1-multi" })
            )
            .is_some()
        );
    }
}
