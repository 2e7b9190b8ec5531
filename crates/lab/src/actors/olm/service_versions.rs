//! ClusterServiceVersions: an operator's Deployments, and the phases on the way to `Succeeded`.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::csv_phase::{self, Deployments, Facts, Groups};
use super::{NAME, OLM_OPERATOR};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::seen::Seen;
use crate::catalog::InstallMode;
use crate::client::{self, name_of, namespace_of};
use crate::conditions;
use crate::kind::{CLUSTER_SERVICE_VERSION, CUSTOM_RESOURCE_DEFINITION, DEPLOYMENT, OPERATOR_GROUP, SERVICE_ACCOUNT};
use crate::manifest::{is_established, label, owner, set_labels};
use crate::objects::{annotation, is_deleting, is_rolled_out};
use crate::schemas::olm::OPERATOR_CONDITION;

/// How long OLM takes over each phase.
const PHASE: Duration = Duration::from_secs(3);

/// OLM's own operator, as far as ClusterServiceVersions go.
#[derive(Debug, Default)]
pub(crate) struct ServiceVersions {
    all: Seen,
}

impl Actor for ServiceVersions {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        OLM_OPERATOR
    }

    fn watches(&self) -> Vec<Watch> {
        let owner =
            |deployment: &Value| match (label(deployment, "olm.owner"), label(deployment, "olm.owner.namespace")) {
                (Some(name), Some(namespace)) => vec![Key::named(Some(namespace), name)],
                _ => Vec::new(),
            };
        // An operator's own requirements are among few definitions; most of what comes and goes concerns none.
        let of_operator = |crd: &Value| {
            let labels = crd["metadata"]["labels"].as_object();
            labels.is_some_and(|labels| labels.keys().any(|key| key.starts_with("operators.coreos.com/")))
        };
        vec![
            self.all.remember(CLUSTER_SERVICE_VERSION, with_predecessor).whole(),
            self.all.wake_all(OPERATOR_GROUP, |_| true),
            self.all.wake_all(CUSTOM_RESOURCE_DEFINITION, of_operator),
            Watch::owned(SERVICE_ACCOUNT, CLUSTER_SERVICE_VERSION),
            Watch::mapped(DEPLOYMENT, owner),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

/// A version concerns the one that it replaces, too.
fn with_predecessor(version: &Value) -> Vec<Key> {
    let predecessor = version["spec"]["replaces"].as_str();
    let predecessor = predecessor.map(|name| Key::named(namespace_of(version), name));
    [Key::of(version)].into_iter().chain(predecessor).collect()
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let Some(version) = context
        .client
        .get(CLUSTER_SERVICE_VERSION, key.namespace(), &key.name)
        .await?
    else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&version) || label(&version, "olm.copiedFrom").is_some() {
        return Ok(Next::OnEvent);
    }
    let (group, facts, requirements) = observe(context, &version).await?;
    if let Some(group) = &group {
        bind(context, &version, group).await?;
    }
    if facts.phase == "Deleting" {
        context
            .client
            .delete(CLUSTER_SERVICE_VERSION, key.namespace(), &key.name)
            .await?;
        return Ok(Next::OnEvent);
    }
    let Some(next) = csv_phase::decide(&facts) else {
        return Ok(Next::OnEvent);
    };
    let is_report = next.phase == facts.phase;
    if !is_report {
        context.time.work(PHASE).await;
    }
    if next.phase == "Installing" && !is_report {
        deploy(context, &version).await?;
    }
    let patch = status(&version, &next, &requirements, &context.time.stamp());
    context
        .client
        .status(CLUSTER_SERVICE_VERSION, key.namespace(), &key.name, &patch)
        .await?;
    Ok(Next::OnEvent)
}

async fn observe(context: &Context, version: &Value) -> client::Result<(Option<Value>, Facts, Vec<Value>)> {
    let namespace = namespace_of(version);
    let mut groups = context.client.list(OPERATOR_GROUP, namespace, "").await?;
    let verdict = match groups.as_slice() {
        [] => Groups::None,
        [group] => supported(version, group),
        _ => Groups::Many,
    };
    let requirements = requirements(context, version).await?;
    let siblings = context.client.list(CLUSTER_SERVICE_VERSION, namespace, "").await?;
    let successor = siblings
        .iter()
        .find(|sibling| sibling["spec"]["replaces"] == name_of(version) && !is_deleting(sibling));
    let facts = Facts {
        phase: version["status"]["phase"].as_str().unwrap_or_default().to_owned(),
        reason: version["status"]["reason"].as_str().unwrap_or_default().to_owned(),
        groups: verdict,
        requirements_met: requirements
            .iter()
            .all(|requirement| requirement["status"] == "Present"),
        deployments: deployments(context, version).await?,
        successor: successor.map(|successor| {
            (
                name_of(successor).to_owned(),
                successor["status"]["phase"] == "Succeeded",
            )
        }),
    };
    let group = (groups.len() == 1).then(|| groups.remove(0));
    Ok((group, facts, requirements))
}

/// Whether the operator can work in the type of its group.
fn supported(version: &Value, group: &Value) -> Groups {
    let targets = targets(group);
    let own = namespace_of(version);
    let mode = match targets.as_slice() {
        [] => InstallMode::AllNamespaces,
        [one] if Some(*one) == own => InstallMode::OwnNamespace,
        [_] => InstallMode::SingleNamespace,
        _ => InstallMode::MultiNamespace,
    };
    let modes = version["spec"]["installModes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let refused = modes
        .iter()
        .any(|listed| listed["type"] == mode.as_str() && listed["supported"] == false);
    if refused {
        Groups::Unsupported(mode)
    } else {
        Groups::One
    }
}

/// The namespaces that a group targets; none for all.
fn targets(group: &Value) -> Vec<&str> {
    let targets = group["spec"]["targetNamespaces"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    targets
        .iter()
        .filter_map(Value::as_str)
        .filter(|target| !target.is_empty())
        .collect()
}

/// What the operator needs, as its status lists it.
async fn requirements(context: &Context, version: &Value) -> client::Result<Vec<Value>> {
    let mut requirements = Vec::new();
    let owned = version["spec"]["customresourcedefinitions"]["owned"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for definition in owned {
        let name = definition["name"].as_str().unwrap_or_default();
        let crd = context.client.get(CUSTOM_RESOURCE_DEFINITION, None, name).await?;
        let (status, message) = match &crd {
            Some(crd) if is_established(crd) => ("Present", "CRD is present and Established condition is true"),
            Some(_) => (
                "PresentNotAvailable",
                "CRD is present but the Established condition is False (not available)",
            ),
            None => ("NotPresent", "CRD is not present"),
        };
        let kind = ("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        requirements.push(requirement(kind, name, status, message, crd.as_ref()));
    }
    for name in accounts(version) {
        let account = context.client.get(SERVICE_ACCOUNT, namespace_of(version), name).await?;
        let status = if account.is_some() { "Present" } else { "NotPresent" };
        let message = if account.is_some() {
            ""
        } else {
            "Service account does not exist"
        };
        requirements.push(requirement(
            ("", "v1", "ServiceAccount"),
            name,
            status,
            message,
            account.as_ref(),
        ));
    }
    Ok(requirements)
}

fn requirement(kind: (&str, &str, &str), name: &str, status: &str, message: &str, found: Option<&Value>) -> Value {
    let (group, version, kind) = kind;
    let mut requirement =
        json!({ "group": group, "version": version, "kind": kind, "name": name, "status": status, "message": message });
    if let Some(found) = found {
        requirement["uuid"] = found["metadata"]["uid"].clone();
    }
    requirement
}

fn accounts(version: &Value) -> Vec<&str> {
    let mut accounts: Vec<&str> = listed(version)
        .iter()
        .filter_map(|it| it["spec"]["template"]["spec"]["serviceAccountName"].as_str())
        .collect();
    accounts.dedup();
    accounts
}

/// The Deployments that a version lists, as `{name, spec}`.
fn listed(version: &Value) -> &[Value] {
    version["spec"]["install"]["spec"]["deployments"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

async fn deployments(context: &Context, version: &Value) -> client::Result<Deployments> {
    let installing = version["status"]["phase"] == "Installing";
    for listed in listed(version) {
        let name = listed["name"].as_str().unwrap_or_default();
        let found = context.client.get(DEPLOYMENT, namespace_of(version), name).await?;
        let Some(deployment) = found else {
            return Ok(Deployments::Missing(name.to_owned()));
        };
        let stuck =
            conditions::find(&deployment, "Progressing").is_some_and(|it| it["reason"] == "ProgressDeadlineExceeded");
        let unavailable = conditions::find(&deployment, "Available").is_some_and(|it| it["status"] == "False");
        // Once installed, an operator counts as unhealthy when it says so, not while nobody has looked at it.
        let waiting = if installing {
            !is_rolled_out(&deployment)
        } else {
            unavailable
        };
        if stuck {
            return Ok(Deployments::Stuck(name.to_owned()));
        }
        if waiting {
            return Ok(Deployments::Waiting(name.to_owned()));
        }
    }
    Ok(Deployments::Available)
}

/// Writes down which group the version belongs to.
async fn bind(context: &Context, version: &Value, group: &Value) -> client::Result<()> {
    let targets = targets(group).join(",");
    if annotation(version, "olm.operatorGroup") == Some(name_of(group))
        && annotation(version, "olm.targetNamespaces") == Some(&targets)
    {
        return Ok(());
    }
    let patch = json!({ "metadata": { "annotations": {
        "olm.operatorGroup": name_of(group),
        "olm.operatorNamespace": namespace_of(group),
        "olm.targetNamespaces": targets,
    } } });
    context
        .client
        .merge(CLUSTER_SERVICE_VERSION, namespace_of(version), name_of(version), &patch)
        .await
        .map(|_| ())
}

/// Makes the operator's Deployments, and the object by which it can refuse upgrades.
async fn deploy(context: &Context, version: &Value) -> client::Result<()> {
    let namespace = namespace_of(version);
    let owners = json!([owner(CLUSTER_SERVICE_VERSION, version)]);
    let condition = json!({
        "metadata": { "name": name_of(version), "namespace": namespace, "ownerReferences": owners },
        "spec": {},
    });
    context.client.create(OPERATOR_CONDITION, &condition).await?;
    let component = version["metadata"]["labels"].as_object();
    let component = component.and_then(|labels| labels.keys().find(|key| key.starts_with("operators.coreos.com/")));
    for listed in listed(version) {
        let mut deployment = json!({
            "metadata": {
                "name": listed["name"],
                "namespace": namespace,
                "labels": listed["label"],
                "ownerReferences": owners,
            },
            "spec": listed["spec"],
        });
        set_labels(
            &mut deployment,
            &[
                ("olm.owner", name_of(version)),
                ("olm.owner.kind", "ClusterServiceVersion"),
                ("olm.owner.namespace", namespace.unwrap_or_default()),
                ("olm.managed", "true"),
            ],
        );
        if let Some(component) = component {
            set_labels(&mut deployment, &[(component, "")]);
        }
        context.client.apply(DEPLOYMENT, &deployment).await?;
    }
    Ok(())
}

/// The status with the next phase, and its history one longer.
fn status(version: &Value, next: &csv_phase::Next, requirements: &[Value], now: &str) -> Value {
    /// OLM keeps this many past phases.
    const HISTORY: usize = 30;
    let entry = json!({
        "phase": next.phase,
        "reason": next.reason,
        "message": next.message,
        "lastTransitionTime": now,
        "lastUpdateTime": now,
    });
    let mut history = version["status"]["conditions"].as_array().cloned().unwrap_or_default();
    history.push(entry.clone());
    let surplus = history.len().saturating_sub(HISTORY);
    history.drain(..surplus);
    let mut status = entry;
    status["conditions"] = history.into();
    status["cleanup"] = json!({});
    if next.phase != "Pending" || next.reason == "RequirementsNotMet" {
        status["requirementStatus"] = requirements.into();
    }
    status
}
