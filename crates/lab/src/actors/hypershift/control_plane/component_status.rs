//! ControlPlaneComponents: an object for each workload of a control plane, which tells whether it is available and has
//! rolled out. The control-plane operators of newer releases make them; others have none.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{Result, name_of, namespace_of};
use crate::conditions;
use crate::kind::{CONTROL_PLANE_COMPONENT, CRON_JOB, DEPLOYMENT, HOSTED_CONTROL_PLANE, JOB, Kind, STATEFUL_SET};
use crate::objects::{Conditions, is_rolled_out, owner, write_status};

use super::super::components::{
    API_SERVER, CAPI_PROVIDER, CLUSTER_API, COMPONENTS, CONTROL_PLANE_OPERATOR, is_left_out,
};
use super::super::release::{payload_has, since, version_of_payload};
use super::Progress;
use super::workloads::{COLLECT_PROFILES, FEATURE_GATES};

/// What the components say together.
#[derive(Debug, Default)]
pub(super) struct Summary(Vec<Component>);

#[derive(Debug)]
struct Component {
    name: String,
    available: bool,
    /// The version that it has rolled out, while no rollout is under way.
    version: Option<String>,
}

/// A workload as its component judges it.
struct Judged<'a> {
    name: &'a str,
    kind: Kind,
    available: Verdict,
    rollout: Verdict,
}

/// Status, reason and message of a condition.
type Verdict = (bool, &'static str, String);

/// Makes and updates the components; `None` where the release has none.
pub(super) async fn report(context: &Context, control_plane: &Value, progress: &Progress) -> Result<Option<Summary>> {
    if !payload_has(control_plane, since::COMPONENTS) {
        return Ok(None);
    }
    let client = &context.client;
    let namespace = namespace_of(control_plane);
    let mut found = client.list(CONTROL_PLANE_COMPONENT, namespace, "").await?;
    let jobs = client.list(JOB, namespace, "").await?;
    let target = version_of_payload(control_plane).unwrap_or_default();
    let mut summary = Summary::default();
    for judged in judge(control_plane, progress, &jobs) {
        let known = found.iter().position(|object| name_of(object) == judged.name);
        let known = known.map(|at| found.swap_remove(at));
        let object = if let Some(object) = known {
            object
        } else {
            let object = component(judged.name, control_plane);
            client.create(CONTROL_PLANE_COMPONENT, &object).await?;
            object
        };
        let status = status(&object, &judged, target, control_plane, context.time.stamp());
        write_status(client, CONTROL_PLANE_COMPONENT, &object, &status).await?;
        summary.0.push(Component {
            name: judged.name.to_owned(),
            available: judged.available.0,
            version: judged.rollout.0.then(|| target.to_owned()),
        });
    }
    // What is left belongs to workloads that are wanted no more.
    for object in found {
        client
            .delete(CONTROL_PLANE_COMPONENT, namespace, name_of(&object))
            .await?;
    }
    summary.0.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(summary))
}

fn component(name: &str, control_plane: &Value) -> Value {
    json!({
        "metadata": {
            "name": name,
            "namespace": namespace_of(control_plane),
            "ownerReferences": [owner(HOSTED_CONTROL_PLANE, control_plane)],
        },
        "spec": {},
    })
}

fn judge<'a>(control_plane: &Value, progress: &Progress, jobs: &[Value]) -> Vec<Judged<'a>> {
    let mut judged: Vec<Judged<'a>> = [CONTROL_PLANE_OPERATOR, CLUSTER_API, CAPI_PROVIDER]
        .iter()
        .chain(&COMPONENTS)
        .filter(|component| component.is_own() && !is_left_out(component, control_plane))
        .map(|component| deployment(component.name, progress))
        .collect();
    judged.push(etcd(progress));
    judged.push(feature_gates(jobs));
    let profiles = if progress.is_rolled_out(API_SERVER.name) {
        (true, "AsExpected", String::new())
    } else {
        not_found(CRON_JOB, COLLECT_PROFILES)
    };
    judged.push(Judged {
        name: COLLECT_PROFILES,
        kind: CRON_JOB,
        available: profiles.clone(),
        rollout: after_api_server(profiles),
    });
    judged
}

fn not_found(kind: Kind, name: &str) -> Verdict {
    let group = if kind.group.is_empty() {
        String::new()
    } else {
        format!(".{}", kind.group)
    };
    (
        false,
        "NotFound",
        format!("{}{group} \"{name}\" not found", kind.plural),
    )
}

fn waiting_for(dependencies: &str) -> Verdict {
    (
        false,
        "WaitingForDependencies",
        format!("Waiting for Dependencies: {dependencies}"),
    )
}

/// Where a workload is not there yet, its component waits for the API server.
fn after_api_server(verdict: Verdict) -> Verdict {
    if verdict.0 {
        verdict
    } else {
        waiting_for(API_SERVER.name)
    }
}

fn deployment<'a>(name: &'static str, progress: &Progress) -> Judged<'a> {
    let Some(found) = progress.deployments.get(name) else {
        return Judged {
            name,
            kind: DEPLOYMENT,
            available: not_found(DEPLOYMENT, name),
            rollout: match name {
                "ignition-server" | "ignition-server-proxy" => not_found(DEPLOYMENT, name),
                name if name == API_SERVER.name => waiting_for("etcd, featuregate-generator"),
                _ => waiting_for(API_SERVER.name),
            },
        };
    };
    let available = match conditions::find(found, "Available") {
        None => (
            false,
            "NotFound",
            format!("{name} Deployment Available condition not found"),
        ),
        Some(condition) if condition["status"] == "True" => {
            (true, "AsExpected", format!("Deployment {name} is available"))
        }
        Some(condition) => {
            let why = condition["message"].as_str().unwrap_or_default();
            (
                false,
                "WaitingForAvailable",
                format!("Deployment {name} is not available: {why}"),
            )
        }
    };
    Judged {
        name,
        kind: DEPLOYMENT,
        available,
        rollout: rollout("deployment", found),
    }
}

/// How far a workload is with its newest template.
fn rollout(word: &str, workload: &Value) -> Verdict {
    let name = name_of(workload);
    if is_rolled_out(workload) {
        let (initial, rest) = word.split_at(1);
        let message = format!("{}{rest} {name} successfully rolled out", initial.to_uppercase());
        return (true, "AsExpected", message);
    }
    let updated = workload["status"]["updatedReplicas"].as_u64().unwrap_or(0);
    let wanted = workload["spec"]["replicas"].as_u64().unwrap_or(1);
    let message = format!(
        "Waiting for {word} {name} rollout to finish: {updated} out of {wanted} new replicas have been updated"
    );
    (false, "WaitingForRolloutComplete", message)
}

fn etcd<'a>(progress: &Progress) -> Judged<'a> {
    let name = "etcd";
    let Some(found) = &progress.etcd else {
        return Judged {
            name,
            kind: STATEFUL_SET,
            available: not_found(STATEFUL_SET, name),
            rollout: not_found(STATEFUL_SET, name),
        };
    };
    let count = |field: &str| found["status"][field].as_u64().unwrap_or(0);
    let wanted = found["spec"]["replicas"].as_u64().unwrap_or(1);
    // One member is enough here; quorum is told elsewhere.
    let available = if wanted == 0 || count("availableReplicas") > 0 {
        (true, "AsExpected", format!("StatefulSet {name} is available"))
    } else {
        let ready = count("readyReplicas");
        (
            false,
            "WaitingForAvailable",
            format!("StatefulSet {name} is not available: {ready}/{wanted} replicas ready"),
        )
    };
    Judged {
        name,
        kind: STATEFUL_SET,
        available,
        rollout: rollout("statefulset", found),
    }
}

fn feature_gates<'a>(jobs: &[Value]) -> Judged<'a> {
    let name = FEATURE_GATES;
    let (available, rollout) = match jobs.iter().find(|job| name_of(job) == name) {
        None => (not_found(JOB, name), not_found(JOB, name)),
        Some(job) if conditions::is_true(job, "Complete") => {
            let done = (true, "JobComplete", "Job completed successfully".to_owned());
            (done.clone(), done)
        }
        Some(_) => {
            let active = |status| (status, "JobActive", "Job is still running".to_owned());
            (active(true), active(false))
        }
    };
    Judged {
        name,
        kind: JOB,
        available,
        rollout,
    }
}

fn status(object: &Value, judged: &Judged<'_>, target: &str, control_plane: &Value, now: String) -> Value {
    let mut conditions = Conditions::of(object, now);
    for (kind, (status, reason, message)) in [("Available", &judged.available), ("RolloutComplete", &judged.rollout)] {
        conditions.set(kind, *status, reason, message);
    }
    let mut status = json!({
        "conditions": conditions.into_value(),
        "observedGeneration": control_plane["metadata"]["generation"],
        "resources": [{ "group": judged.kind.group, "kind": judged.kind.kind, "name": judged.name }],
    });
    if judged.rollout.0 {
        status["version"] = target.into();
    }
    status
}

// === impl Summary ===

impl Summary {
    /// What is not available, as the control plane's condition says it.
    pub(super) fn missing(&self) -> Option<String> {
        if self.0.is_empty() {
            return Some("Control plane components have not been created yet".to_owned());
        }
        let missing: Vec<&str> = self
            .0
            .iter()
            .filter(|component| !component.available)
            .map(|component| component.name.as_str())
            .collect();
        (!missing.is_empty()).then(|| format!("Waiting for components to be available: {}", missing.join(", ")))
    }

    /// Whether all have rolled out a version.
    pub(super) fn are_at(&self, version: &str) -> bool {
        !self.0.is_empty()
            && self
                .0
                .iter()
                .all(|component| component.version.as_deref() == Some(version))
    }

    /// Of components, each with whether it is available and the version that it has rolled out.
    #[cfg(test)]
    pub(super) fn of(components: &[(&str, bool, Option<&str>)]) -> Self {
        let component = |(name, available, version): &(&str, bool, Option<&str>)| Component {
            name: (*name).to_owned(),
            available: *available,
            version: version.map(str::to_owned),
        };
        Self(components.iter().map(component).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(
            Summary::default().missing().as_deref(),
            Some("Control plane components have not been created yet")
        );
        let summary = Summary::of(&[("a", false, None), ("b", true, None), ("c", false, None)]);
        assert_eq!(
            summary.missing().as_deref(),
            Some("Waiting for components to be available: a, c")
        );
        assert_eq!(Summary::of(&[("a", true, None)]).missing(), None);
    }

    #[test]
    fn a_version_is_reached_when_all_have_rolled_it_out() {
        assert!(!Summary::default().are_at("5.0.0"));
        assert!(Summary::of(&[("a", true, Some("5.0.0"))]).are_at("5.0.0"));
        assert!(!Summary::of(&[("a", true, Some("5.0.0")), ("b", true, None)]).are_at("5.0.0"));
    }
}
