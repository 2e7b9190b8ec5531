//! `multicluster-engine-operator`: OLM installs the operator that brings the multicluster engine.
//!
//! Where ACM or somebody else installed it, this step only watches. A channel that was solved once stays: moving to a newer
//! one is an upgrade, and upgrades are asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use berth_api::{MulticlusterEngine, Resource, resources, views};
use serde_json::{Value, json};

use crate::assess::{Assessment, Observed};
use crate::change::{Change, ObjectRef};
use crate::facts::{Facts, Seen, Selector};
use crate::owner::Owner;
use crate::read::{crd, find, is_established, is_ours, line, name, objects, some_of, text};
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::channel::{channel, manifests};
use crate::steps::hub::{self, Manager};
use crate::steps::{apply_command, command, ids};
use crate::walk::olm::Installation;
use crate::walk::{Finding, diagnosis, explained, olm};

/// The step.
#[derive(Debug)]
pub(crate) struct EngineOperator {
    id: StepId,
    owner: Owner,
    settings: Arc<MulticlusterEngine>,
}

impl EngineOperator {
    pub(crate) fn new(owner: Owner, settings: Arc<MulticlusterEngine>) -> Self {
        Self {
            id: ids::ENGINE_OPERATOR.into(),
            owner,
            settings,
        }
    }

    fn marked(&self, mut object: Value) -> Value {
        self.owner.mark(&mut object);
        object
    }

    fn namespace_object(&self) -> Value {
        self.marked(json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": self.settings.namespace, "labels": { "openshift.io/cluster-monitoring": "true" } },
        }))
    }

    fn operator_group(&self) -> Value {
        let namespace = &self.settings.namespace;
        self.marked(json!({
            "apiVersion": resources::OPERATOR_GROUP.api_version(), "kind": "OperatorGroup",
            "metadata": { "name": format!("{namespace}-operators"), "namespace": namespace },
            "spec": { "targetNamespaces": [namespace] },
        }))
    }

    fn subscription(&self, channel: &str) -> Value {
        let settings = &self.settings;
        let mut object = self.marked(json!({
            "apiVersion": resources::SUBSCRIPTION.api_version(), "kind": "Subscription",
            "metadata": { "name": settings.package, "namespace": settings.namespace },
            "spec": {
                "channel": channel,
                "installPlanApproval": settings.install_plan_approval,
                "name": settings.package,
                "source": settings.catalog.name,
                "sourceNamespace": settings.catalog.namespace,
            },
        }));
        if let Some(version) = &settings.starting_csv {
            object["spec"]["startingCSV"] = json!(version);
        }
        object
    }

    fn installation(&self) -> Installation<'_> {
        Installation {
            namespace: &self.settings.namespace,
            subscription: &self.settings.package,
            package: &self.settings.package,
            catalog_namespace: &self.settings.catalog.namespace,
        }
    }

    fn first_cause(&self, facts: &Facts) -> Option<Finding> {
        unfit_group(facts, &self.settings.namespace).or_else(|| olm::first_cause(facts, self.installation()))
    }

    /// How far OLM is with a Subscription.
    fn progress(&self, facts: &Facts, subscription: &Value) -> Assessment {
        let channel = text(subscription, &["spec", "channel"]).unwrap_or_default();
        let Some(installed) = text(subscription, &["status", "installedCSV"]) else {
            return self.resolving(facts, subscription, channel);
        };
        let versions = Selector::in_namespace(resources::CLUSTER_SERVICE_VERSION, &self.settings.namespace);
        let is_here = text(subscription, &["metadata", "namespace"]) == Some(&self.settings.namespace);
        if is_here {
            let Some(version) = find(facts, &versions, installed) else {
                return Assessment::waiting("NoVersion", format!("CSV {installed} is not there yet"));
            };
            let phase = text(version, &["status", "phase"]).unwrap_or("Pending");
            if phase != "Succeeded" {
                let reason = text(version, &["status", "reason"]).unwrap_or(phase);
                let mut detail = format!("CSV {installed} is {phase}");
                if let Some(message) = text(version, &["status", "message"]) {
                    detail = format!("{detail}: {}", line(message));
                }
                let missing = missing_requirements(version);
                if !missing.is_empty() {
                    detail = format!("{detail} ({})", some_of(&missing));
                }
                return Assessment::waiting(reason, detail);
            }
        }
        if !is_established(facts, resources::MULTI_CLUSTER_ENGINE) {
            return Assessment::waiting("CRD", "the kind MultiClusterEngine is not Established yet");
        }
        Assessment::Ready {
            outputs: BTreeMap::from([
                ("csv".to_owned(), installed.to_owned()),
                ("channel".to_owned(), channel.to_owned()),
            ]),
        }
    }

    fn resolving(&self, facts: &Facts, subscription: &Value, channel: &str) -> Assessment {
        let plans = Selector::in_namespace(resources::INSTALL_PLAN, &self.settings.namespace);
        if let Some(plan) = text(subscription, &["status", "installPlanRef", "name"]) {
            let phase = find(facts, &plans, plan)
                .and_then(|plan| text(plan, &["status", "phase"]))
                .unwrap_or("Planning");
            return Assessment::waiting(phase, format!("install plan {plan} is {phase}"));
        }
        if let Some(condition) = crate::read::holds(subscription, "BundleUnpacking") {
            return Assessment::waiting(
                crate::read::reason_or(&condition, "BundleUnpacking"),
                "OLM unpacks the operator's bundle",
            );
        }
        Assessment::waiting(
            "Resolving",
            format!("OLM resolves {} on channel {channel}", self.settings.package),
        )
    }
}

impl Step for EngineOperator {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        "Install the multicluster engine's operator".to_owned()
    }

    fn after(&self) -> Vec<Dependency> {
        vec![Dependency {
            step: ids::PREREQUISITES.into(),
            reason: "the channel is solved from the hub's version and catalog",
        }]
    }

    fn lock(&self) -> Lock {
        Lock::Hub
    }

    fn changes(&self, facts: &Facts) -> Vec<Change> {
        if hub::manager(facts, &self.settings) != Manager::Berth {
            return Vec::new();
        }
        let namespace = &self.settings.namespace;
        let namespace_ref = ObjectRef::cluster(resources::NAMESPACE, namespace);
        let mut changes = Vec::new();
        // Made once and left: it holds nothing that a later document could want otherwise. One that is there all the same,
        // because it could not be read, stays somebody else's.
        if facts
            .object(&Selector::cluster(resources::NAMESPACE, namespace))
            .is_none()
        {
            changes.push(Change::CreateOnce {
                object: namespace_ref,
                fields: self.namespace_object(),
                generate: Vec::new(),
            });
        }
        let groups = Selector::in_namespace(resources::OPERATOR_GROUP, namespace);
        match facts.seen(&groups) {
            // A second group beside one that can't be seen would stop OLM in the whole namespace.
            Seen::Unreadable(why) if hub::subscription(facts, &self.settings).is_none() => {
                changes.push(Change::Later {
                    what: format!("OperatorGroup in {namespace}, once those that are there can be read ({why})"),
                    after: ids::PREREQUISITES.into(),
                });
                return changes;
            }
            Seen::Unreadable(_) => {}
            _ if objects(facts, &groups).all(is_ours) => {
                let fields = self.operator_group();
                let object = ObjectRef::namespaced(resources::OPERATOR_GROUP, namespace, name(&fields));
                changes.push(Change::Apply { object, fields });
            }
            _ => {}
        }
        changes.push(match channel(facts, &self.settings) {
            Ok(channel) => Change::Apply {
                object: ObjectRef::namespaced(resources::SUBSCRIPTION, namespace, &self.settings.package),
                fields: self.subscription(&channel),
            },
            Err(_) => Change::Later {
                what: format!(
                    "Subscription {namespace}/{}, once its channel is known",
                    self.settings.package
                ),
                after: ids::PREREQUISITES.into(),
            },
        });
        changes
    }

    fn watches(&self) -> Vec<Selector> {
        let mut watches = hub::watches();
        watches.extend(olm::watches(&self.settings.namespace));
        watches.push(Selector::cluster(resources::NAMESPACE, &self.settings.namespace));
        watches.push(manifests(&self.settings));
        watches.push(Selector::cluster(resources::CLUSTER_VERSION, "version"));
        watches.push(crd(resources::MULTI_CLUSTER_ENGINE));
        watches
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        if let Some(unread) = hub::unread(facts, &[Selector::all(resources::SUBSCRIPTION)]) {
            return unread;
        }
        if let Some(subscription) = hub::subscription(facts, &self.settings) {
            let progress = self.progress(facts, subscription);
            return if progress.is_ready() {
                progress
            } else {
                explained(observed, progress, self.first_cause(facts))
            };
        }
        if hub::manager(facts, &self.settings) == Manager::Hub {
            return if is_established(facts, resources::MULTI_CLUSTER_ENGINE) {
                Assessment::ready()
            } else {
                Assessment::waiting("Hub", "ACM has not brought the multicluster engine yet")
            };
        }
        let waiting = Assessment::waiting("NoSubscription", "the Subscription is not there yet");
        let finding = channel(facts, &self.settings).err().map(Finding::certain);
        explained(
            observed,
            waiting,
            finding
                .or_else(|| unseen_groups(facts, &self.settings.namespace))
                .or_else(|| unfit_group(facts, &self.settings.namespace)),
        )
    }

    fn commands(&self, facts: &Facts) -> Vec<Command> {
        let channel = channel(facts, &self.settings).unwrap_or_else(|_| "CHANNEL".to_owned());
        let (namespace, package) = (&self.settings.namespace, &self.settings.package);
        let plain = |object: Value| without_labels(object);
        vec![
            command(
                "The channel must fit this OpenShift: see what the catalog offers",
                format!("oc get packagemanifest {package} -o jsonpath='{{.status.channels[*].name}}'"),
            ),
            command("", format!("oc create namespace {namespace}")),
            apply_command(
                "Only if the namespace has no OperatorGroup yet: with two of them OLM does nothing",
                &plain(self.operator_group()),
            ),
            apply_command("", &plain(self.subscription(&channel))),
            command(
                "Wait for the operator and for the kind that it brings",
                format!(
                    "oc wait subscription.operators.coreos.com/{package} -n {namespace} \
                     --for=jsonpath='{{.status.state}}'=AtLatestKnown --timeout=10m\n\
                     oc wait csv -n {namespace} --timeout=10m --for=jsonpath='{{.status.phase}}'=Succeeded \
                     \"$(oc get subscription.operators.coreos.com {package} -n {namespace} -o \
                     jsonpath='{{.status.installedCSV}}')\"\n\
                     oc wait crd/multiclusterengines.multicluster.openshift.io --for=condition=Established --timeout=5m"
                ),
            ),
        ]
    }

    fn provides(&self) -> Vec<&'static Resource> {
        vec![resources::MULTI_CLUSTER_ENGINE]
    }

    fn hub_wide(&self) -> Option<&'static str> {
        Some("installs an operator with cluster-wide rights through OLM; nothing that runs restarts")
    }
}

/// What a version still waits for, by name.
fn missing_requirements(version: &Value) -> Vec<&str> {
    views::list(version, &["status", "requirementStatus"])
        .iter()
        .filter(|requirement| text(requirement, &["status"]) != Some("Present"))
        .filter_map(|requirement| text(requirement, &["name"]))
        .collect()
}

/// OperatorGroups that can't be read: nothing is written beside what may be there.
fn unseen_groups(facts: &Facts, namespace: &str) -> Option<Finding> {
    let Seen::Unreadable(why) = facts.seen(&Selector::in_namespace(resources::OPERATOR_GROUP, namespace)) else {
        return None;
    };
    Some(Finding::likely(diagnosis(
        "P13",
        "the namespace's OperatorGroups cannot be read, so it is not known whether one is needed",
        format!("Namespace {namespace}"),
        [why.clone()],
        "have the permission to list OperatorGroups granted: a second one would stop OLM in the namespace",
    )))
}

/// An OperatorGroup of somebody else that leaves the namespace out: OLM would refuse the operator.
fn unfit_group(facts: &Facts, namespace: &str) -> Option<Finding> {
    let groups = Selector::in_namespace(resources::OPERATOR_GROUP, namespace);
    let group = match facts.objects(&groups) {
        [one] => one.as_ref(),
        _ => return None,
    };
    let targets: Vec<_> = views::list(group, &["spec", "targetNamespaces"])
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let fits = targets.is_empty() || targets.contains(&namespace);
    (!fits).then(|| {
        Finding::certain(diagnosis(
            "P13",
            "the namespace's OperatorGroup leaves the namespace itself out",
            format!("OperatorGroup {namespace}/{}", name(group)),
            [format!("targetNamespaces: {}", targets.join(", "))],
            format!("add {namespace} to its targetNamespaces, or install into another namespace"),
        ))
    })
}

/// The object as a person would type it.
fn without_labels(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("labels");
    }
    object
}
