//! The version of what runs on the management cluster for a guest, which may be ahead of what runs inside. Pure.

use serde_json::{Value, json};

use super::super::release::version_of_payload;
use super::component_status::Summary;

/// `status.controlPlaneVersion` of a HostedControlPlane.
pub(super) fn compute(control_plane: &Value, components: Option<&Summary>, now: &str) -> Value {
    let image = &control_plane["spec"]["releaseImage"];
    let version = version_of_payload(control_plane).unwrap_or_default();
    let known = &control_plane["status"]["controlPlaneVersion"]["history"];
    let mut history = known.as_array().cloned().unwrap_or_default();
    let is_new = history
        .first()
        .is_none_or(|entry| entry["image"] != *image || entry["version"] != version);
    if is_new {
        // An entry that was not reached is closed all the same.
        if let Some(former) = history.first_mut().filter(|entry| entry["completionTime"].is_null()) {
            former["completionTime"] = now.into();
        }
        history.insert(
            0,
            json!({ "state": "Partial", "startedTime": now, "version": version, "image": image }),
        );
    } else if let Some(entry) = history.first_mut()
        && entry["state"] == "Partial"
        && components.is_some_and(|components| components.are_at(version))
    {
        entry["state"] = "Completed".into();
        entry["completionTime"] = now.into();
    }
    json!({
        "desired": { "version": version, "image": image },
        "history": history,
        "observedGeneration": control_plane["metadata"]["generation"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control_plane(tag: &str, status: &Value) -> Value {
        json!({
            "metadata": { "generation": 3 },
            "spec": { "releaseImage": format!("quay.io/o/r:{tag}-multi") },
            "status": { "controlPlaneVersion": status },
        })
    }

    #[test]
    fn partial_until_all_components_are_there_and_an_upgrade_comes_first() {
        let first = compute(&control_plane("5.0.0", &Value::Null), None, "t1");
        assert_eq!(first["history"][0]["state"], "Partial");
        assert!(first["history"][0]["completionTime"].is_null());
        let at = |version: &str| Summary::of(&[("etcd", true, Some(version))]);
        let waiting = compute(&control_plane("5.0.0", &first), Some(&at("4.23.0")), "t2");
        assert_eq!(waiting["history"], first["history"]);
        let done = compute(&control_plane("5.0.0", &first), Some(&at("5.0.0")), "t3");
        assert_eq!(done["history"][0]["state"], "Completed");
        assert_eq!(done["history"][0]["completionTime"], "t3");
        let next = compute(&control_plane("5.0.1", &done), Some(&at("5.0.0")), "t4");
        assert_eq!(next["desired"]["version"], "5.0.1");
        assert_eq!(next["history"][0]["state"], "Partial");
        assert_eq!(next["history"][1], done["history"][0]);
    }
}
