//! Whether a pool's release goes with its cluster's: told by operators of the current generation, and no more than told.

use serde_json::Value;

use crate::generation::Generation;
use crate::objects::Conditions;

use super::super::release::Release;

const CONDITION: &str = "SupportedVersionSkew";

/// How many minors a pool may be behind its cluster.
const BEHIND: u32 = 3;

/// Sets the condition.
pub(super) fn tell(conditions: &mut Conditions, hosted_cluster: &Value, pool: &Release, generation: Generation) {
    let Some(of_cluster) = version_of_cluster(hosted_cluster) else {
        let message = "HostedCluster version is not available yet, waiting for version information";
        conditions.set_unknown(CONDITION, "ValidationFailed", message);
        return;
    };
    let Ok(cluster) = Release::of_image(&format!("cluster:{of_cluster}"), generation) else {
        let message = format!("Failed to parse control plane version ({of_cluster})");
        conditions.set_unknown(CONDITION, "ValidationFailed", &message);
        return;
    };
    match problem(&cluster, pool) {
        Some(problem) => conditions.set(CONDITION, false, "UnsupportedSkew", &problem),
        None => conditions.set(CONDITION, true, "AsExpected", "Release image version is valid"),
    }
}

/// The newest version that the cluster was brought to, or the one that it is on the way to.
fn version_of_cluster(hosted_cluster: &Value) -> Option<&str> {
    let version = &hosted_cluster["status"]["version"];
    let history = version["history"].as_array()?;
    let completed = history.iter().find(|entry| entry["state"] == "Completed");
    let entry = completed.or(history.first());
    entry
        .map_or(&version["desired"]["version"], |entry| &entry["version"])
        .as_str()
}

fn problem(cluster: &Release, pool: &Release) -> Option<String> {
    if pool.compare(cluster).is_gt() {
        return Some(format!(
            "NodePool version {} cannot be higher than the HostedCluster version {}",
            pool.version, cluster.version
        ));
    }
    let least = cluster.minor().saturating_sub(BEHIND);
    (pool.minor() < least).then(|| {
        format!(
            "NodePool minor version {} is less than 4.{least}, which is the minimum NodePool version compatible with the {} \
             HostedCluster",
            minor(pool),
            minor(cluster)
        )
    })
}

/// `major.minor` of a release.
fn minor(release: &Release) -> String {
    release.version.split('.').take(2).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(cluster: &Value, pool: &str) -> Value {
        let pool = Release::of_image(&format!("quay.io/o/r:{pool}-multi"), Generation::Current).unwrap();
        let mut conditions = Conditions::of(&json!({}), "t".to_owned());
        tell(&mut conditions, cluster, &pool, Generation::Current);
        conditions.get(CONDITION).cloned().unwrap()
    }

    fn at(version: &str) -> Value {
        json!({ "status": { "version": { "history": [
            { "state": "Partial", "version": "5.1.0" },
            { "state": "Completed", "version": version },
        ] } } })
    }

    #[test]
    fn three_minors_behind_is_supported_and_four_are_not() {
        assert_eq!(check(&at("5.0.0"), "4.20.3")["status"], "True");
        let found = check(&at("5.0.0"), "4.19.3");
        assert_eq!(
            (&found["status"], &found["reason"]),
            (&json!("False"), &json!("UnsupportedSkew"))
        );
        assert_eq!(
            found["message"],
            "NodePool minor version 4.19 is less than 4.20, which is the minimum NodePool version compatible with the 5.0 \
             HostedCluster"
        );
    }

    #[test]
    fn a_pool_ahead_of_what_the_cluster_completed_is_told() {
        assert_eq!(check(&at("4.17.0"), "4.17.1")["reason"], "UnsupportedSkew");
    }

    #[test]
    fn without_a_version_nothing_is_known() {
        assert_eq!(check(&json!({}), "4.17.1")["status"], "Unknown");
        let begun = json!({ "status": { "version": { "history": [{ "state": "Partial", "version": "" }] } } });
        assert_eq!(check(&begun, "4.17.1")["reason"], "ValidationFailed");
    }
}
