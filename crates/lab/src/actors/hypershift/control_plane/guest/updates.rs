//! The updates that a guest's channel offers: a graph that the lab makes up, small and always the same. Pure.
//!
//! Each minor has the patches 0 to 9. One may go to any later patch of one's own minor, and to any patch of the channel's
//! minor if that is the next. One release is offered under a condition, so that this can be seen too.

use serde_json::{Value, json};

use crate::objects::Conditions;

const LAST_PATCH: u32 = 9;
/// The patch that is offered under a condition in each minor.
const RISKY_PATCH: u32 = 5;
const RISK: &str = "SimulatedRisk";
const ABOUT: &str = "https://example.com/simulated-by-the-lab";

/// What is offered, as ClusterVersion tells it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Updates {
    pub(super) available: Value,
    pub(super) conditional: Value,
    /// Why nothing was looked up: reason and message.
    problem: Option<(&'static str, String)>,
}

impl Updates {
    /// What a channel offers from a version on, newest first; images differ from the present one by their tag.
    pub(super) fn from(channel: Option<&str>, image: &str, version: &str, now: &str) -> Self {
        let nothing = |problem| Self {
            available: json!([]),
            conditional: json!([]),
            problem: Some(problem),
        };
        let Some(channel) = channel.filter(|channel| !channel.is_empty()) else {
            return nothing(("NoChannel", "The update channel has not been configured.".to_owned()));
        };
        let (Some((minor, patch)), Some(offered)) = (numbers(version), channel_minor(channel)) else {
            let message = format!(
                "Unable to retrieve available updates: currently reconciling cluster version {version} not found in the \
                 \"{channel}\" channel"
            );
            return nothing(("VersionNotFound", message));
        };
        let (mut available, mut conditional) = (Vec::new(), Vec::new());
        let minors = if offered == minor + 1 {
            vec![offered, minor]
        } else {
            vec![minor]
        };
        for minor_offered in minors {
            for number in (0..=LAST_PATCH).rev() {
                if minor_offered == minor && number <= patch {
                    continue;
                }
                let to = format!("4.{minor_offered}.{number}");
                let release = json!({
                    "version": to,
                    "image": image.replace(version, &to),
                    "channels": [format!("stable-4.{minor_offered}"), format!("fast-4.{minor_offered}")],
                    "url": ABOUT,
                });
                if number == RISKY_PATCH {
                    conditional.push(under_a_condition(&release, now));
                } else {
                    available.push(release);
                }
            }
        }
        Self {
            available: if available.is_empty() {
                Value::Null
            } else {
                available.into()
            },
            conditional: conditional.into(),
            problem: None,
        }
    }

    /// Tells whether they were looked up.
    pub(super) fn tell(&self, conditions: &mut Conditions) {
        match &self.problem {
            None => conditions.set("RetrievedUpdates", true, "", ""),
            Some((reason, message)) => conditions.set("RetrievedUpdates", false, reason, message),
        }
    }
}

fn under_a_condition(release: &Value, now: &str) -> Value {
    let message = "Made up by the lab: no cluster has this problem.";
    json!({
        "release": release,
        "risks": [{ "name": RISK, "message": message, "url": ABOUT, "matchingRules": [{ "type": "Always" }] }],
        "conditions": [{
            "type": "Recommended",
            "status": "False",
            "reason": RISK,
            "message": format!("{message} {ABOUT}"),
            "lastTransitionTime": now,
        }],
    })
}

/// Minor and patch of a version of OpenShift 4.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '-']);
    (parts.next()? == "4").then_some(())?;
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The minor of a channel, as in `stable-4.17`.
fn channel_minor(channel: &str) -> Option<u32> {
    channel.rsplit_once("-4.")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(channel: Option<&str>, version: &str) -> Vec<String> {
        let image = format!("quay.io/o/r:{version}-multi");
        let updates = Updates::from(channel, &image, version, "t");
        let list = updates.available.as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|update| update["version"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_channel_offers_later_patches_and_the_next_minor() {
        assert!(offered(None, "4.17.0").is_empty());
        assert_eq!(offered(Some("stable-4.17"), "4.17.7"), ["4.17.9", "4.17.8"]);
        let next = offered(Some("stable-4.18"), "4.17.8");
        assert_eq!(
            (next.first().unwrap().as_str(), next.last().unwrap().as_str()),
            ("4.18.9", "4.17.9")
        );
        assert!(offered(Some("stable-4.17"), "4.17.9").is_empty());
        assert!(
            offered(Some("stable-4.19"), "4.17.8").len() == 1,
            "no minor is left out"
        );
    }

    #[test]
    fn images_differ_by_their_tag() {
        let updates = Updates::from(Some("stable-4.17"), "quay.io/o/r:4.17.8-multi", "4.17.8", "t");
        assert_eq!(updates.available[0]["image"], "quay.io/o/r:4.17.9-multi");
        assert_eq!(updates.available[0]["version"], "4.17.9");
    }
}
