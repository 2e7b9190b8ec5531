//! A management cluster as plain values, for tests: objects go in, facts come out for whatever a step watches.
//!
//! It knows no behaviour: what an operator would do, a test writes down itself.

mod hub;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use berth_api::{Documents, Resource, Source, resources};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::assess::{Assessment, Diagnosis, Observed};
use crate::change::{Change, replacing};
use crate::compile::{Platform, compile};
use crate::facts::{Facts, Scope, Seen, Selector, Target};
use crate::patch::merge as merge_patch;
use crate::step::Step;

/// The seed's own case.
pub(crate) const EXAMPLE: &str = "
apiVersion: berth.dev/v1alpha1
kind: ManagementCluster
metadata: {name: management}
spec:
  storage: {defaultClass: ocs-storagecluster-ceph-rbd}
  multiclusterEngine: {channel: auto}
---
apiVersion: berth.dev/v1alpha1
kind: GuestCluster
metadata: {name: guest-cluster-0, namespace: hcp}
spec:
  release: {image: quay.io/openshift-release-dev/ocp-release:4.17.0-multi}
  pullSecret: {file: pull-secret.json}
  controlPlane: {etcd: {storageClass: ocs-storagecluster-ceph-rbd}}
  nodePools:
    - {name: workers, replicas: 3, cores: 8, memory: 10Gi}
";
/// The namespace of the example's control plane and machines.
pub(crate) const INSIDE: &str = "hcp-guest-cluster-0";
/// `user:pass` in base64: what a pull secret needs to be well-formed.
const PULL_SECRET: &str = r#"{"auths":{"quay.io":{"auth":"dXNlcjpwYXNz"}}}"#;

/// Documents from text, with a well-formed pull secret for every file.
pub(crate) fn documents(text: &str) -> Documents {
    let source = Source {
        path: "documents.yaml".into(),
        text: text.to_owned(),
    };
    let read = |_: &Path| Ok(PULL_SECRET.as_bytes().to_vec());
    berth_api::load(vec![source], &read, &|_| None).expect("the test's documents are well-formed")
}

/// The example's step of a name.
pub(crate) fn step(id: &str) -> Box<dyn Step> {
    step_of(EXAMPLE, id)
}

/// A document's step of a name.
pub(crate) fn step_of(text: &str, id: &str) -> Box<dyn Step> {
    let platform = Platform {
        os: "linux".to_owned(),
        arch: "amd64".to_owned(),
    };
    compile(&documents(text), &platform)
        .into_iter()
        .find(|step| step.id().as_str() == id)
        .expect("the documents have such a step")
}

/// What is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    objects: Vec<(Target, Value)>,
    absent_kinds: BTreeSet<&'static str>,
    unreadable: BTreeSet<&'static str>,
    outcomes: Facts,
}

impl World {
    /// A management cluster as the lab begins with: everything that the seed takes for granted, nothing of what it does.
    pub(crate) fn bare() -> Self {
        let mut world = Self::default();
        for object in hub::objects() {
            world.put(object);
        }
        for kind in [
            "MultiClusterEngine",
            "MultiClusterHub",
            "ManagedCluster",
            "ManagedClusterAddOn",
            "HostedCluster",
        ] {
            world.absent_kinds.insert(kind);
        }
        for kind in ["NodePool", "HostedControlPlane", "ControlPlaneComponent", "Machine"] {
            world.absent_kinds.insert(kind);
        }
        world
    }

    /// Adds an object of the management cluster, or replaces the one of that name.
    pub(crate) fn put(&mut self, object: Value) -> &mut Self {
        self.put_on(Target::Management, object)
    }

    /// Adds an object of the example's guest.
    pub(crate) fn put_on_guest(&mut self, object: Value) -> &mut Self {
        self.put_on(guest_target(), object)
    }

    fn put_on(&mut self, target: Target, object: Value) -> &mut Self {
        let key = |object: &Value| {
            ["kind", "metadata/namespace", "metadata/name"].map(|path| object.pointer(&format!("/{path}")).cloned())
        };
        self.absent_kinds.retain(|kind| object["kind"] != *kind);
        self.objects
            .retain(|(where_, other)| *where_ != target || key(other) != key(&object));
        self.objects.push((target, object));
        self
    }

    /// Changes the objects of a kind and name.
    pub(crate) fn change(&mut self, kind: &str, name: &str, change: impl Fn(&mut Value)) -> &mut Self {
        let mut changed = false;
        for (_, object) in &mut self.objects {
            if object["kind"] == kind && object["metadata"]["name"] == name {
                change(object);
                changed = true;
            }
        }
        assert!(changed, "there is no {kind} {name}");
        self
    }

    /// Removes the objects of a kind.
    pub(crate) fn remove(&mut self, kind: &str) -> &mut Self {
        self.objects.retain(|(_, object)| object["kind"] != kind);
        self
    }

    /// The server does not have a kind.
    pub(crate) fn without_kind(&mut self, kind: &'static str) -> &mut Self {
        self.remove(kind).absent_kinds.insert(kind);
        self
    }

    /// The server has a kind, whether or not there are objects of it.
    pub(crate) fn with_kind(&mut self, kind: &str) -> &mut Self {
        self.absent_kinds.retain(|absent| *absent != kind);
        self
    }

    /// The user may not read a kind.
    pub(crate) fn unreadable(&mut self, kind: &'static str) -> &mut Self {
        self.unreadable.insert(kind);
        self
    }

    /// Writes changes as the engine would, without asking anybody.
    pub(crate) fn write(&mut self, changes: &[Change]) -> &mut Self {
        for change in changes {
            match change {
                Change::Apply { object, fields } | Change::CreateOnce { object, fields, .. } => {
                    let mut merged = self.find(fields).cloned().unwrap_or_else(|| json!({}));
                    merge(&mut merged, fields);
                    self.put_on(object.target.clone(), merged);
                }
                Change::Set {
                    object, path, value, ..
                } => {
                    // As the engine does it: a merge patch, which leaves alone what it doesn't name.
                    let set = |live: &mut Value| {
                        let is = path.iter().try_fold(&*live, |place, field| place.get(field));
                        let content = value.as_ref().map_or(Value::Null, |value| replacing(is, value));
                        let fields = path.iter().rev().fold(content, |inner, field| json!({ field: inner }));
                        merge_patch(live, &fields);
                    };
                    self.change(object.resource.kind, &object.name, set);
                }
                Change::Merge { object, fields } => {
                    self.change(object.resource.kind, &object.name, |live| merge_patch(live, fields));
                }
                Change::Absent { object } => {
                    self.objects.retain(|(_, live)| {
                        live["kind"] != object.resource.kind || live["metadata"]["name"] != object.name.as_str()
                    });
                }
                Change::Later { .. } => {}
            }
        }
        self
    }

    /// Whether another world holds the same objects, in whatever order.
    pub(crate) fn holds_the_same(&self, other: &Self) -> bool {
        let sorted = |world: &Self| {
            let told = world
                .objects
                .iter()
                .map(|(target, object)| format!("{target:?} {object}"));
            told.collect::<BTreeSet<_>>()
        };
        sorted(self) == sorted(other)
    }

    /// Another process knows nothing of what this one did outside the cluster.
    pub(crate) fn forget_outcomes(&mut self) -> &mut Self {
        self.outcomes = Facts::default();
        self
    }

    /// Sets the time of the facts.
    pub(crate) fn at(&mut self, now: Timestamp) -> &mut Self {
        self.outcomes.now = now;
        self
    }

    /// The object that shares kind, namespace and name with another.
    pub(crate) fn find(&self, like: &Value) -> Option<&Value> {
        self.objects.iter().map(|(_, object)| object).find(|object| {
            object["kind"] == like["kind"]
                && object["metadata"]["name"] == like["metadata"]["name"]
                && object["metadata"]["namespace"] == like["metadata"]["namespace"]
        })
    }

    /// Records what became of an effect.
    pub(crate) fn record(
        &mut self,
        effect: crate::effect::Effect,
        outcome: Result<crate::effect::Outcome, crate::effect::EffectFailure>,
    ) -> &mut Self {
        self.outcomes.record(effect, outcome);
        self
    }

    /// What selectors show.
    pub(crate) fn facts(&self, selectors: &[Selector]) -> Facts {
        let mut facts = self.outcomes.clone();
        for selector in selectors {
            let kind = selector.resource.kind;
            let seen = if self.unreadable.contains(kind) {
                Seen::Unreadable("forbidden".to_owned())
            } else if selector.target != Target::Management
                && !self.objects.iter().any(|(at, _)| *at == selector.target)
            {
                Seen::Pending
            } else if self.absent_kinds.contains(kind) && selector.target == Target::Management {
                Seen::NoKind
            } else {
                Seen::Objects(self.selected(selector))
            };
            facts.observe(selector.clone(), seen);
        }
        facts
    }

    fn selected(&self, selector: &Selector) -> Vec<Arc<Value>> {
        self.objects
            .iter()
            .filter(|(target, object)| *target == selector.target && is_of(object, selector.resource))
            .filter(|(_, object)| in_scope(object, &selector.scope))
            .map(|(_, object)| Arc::new(object.clone()))
            .collect()
    }

    /// What a step wants written.
    pub(crate) fn changes(&self, step: &dyn Step) -> Vec<Change> {
        step.changes(&self.facts(&step.watches()))
    }

    /// How far a step is when it has waited for some minutes.
    pub(crate) fn assess_after(&self, step: &dyn Step, minutes: i64) -> Assessment {
        let facts = self.facts(&step.watches());
        let since = Timestamp::UNIX_EPOCH;
        let now = since + SignedDuration::from_mins(minutes);
        step.assess(&Observed {
            facts: &facts,
            now,
            since,
        })
    }

    /// How far a step is when it has just begun to wait.
    pub(crate) fn assess(&self, step: &dyn Step) -> Assessment {
        self.assess_after(step, 0)
    }

    /// The explanation of a step that has waited for some minutes.
    pub(crate) fn diagnosis_after(&self, step: &dyn Step, minutes: i64) -> Diagnosis {
        match self.assess_after(step, minutes) {
            Assessment::Blocked { diagnosis, .. } | Assessment::Fatal { diagnosis } => diagnosis,
            other => panic!("expected a diagnosis, got {other:?}"),
        }
    }
}

/// The detail of a wait.
pub(crate) fn detail(assessment: &Assessment) -> &str {
    match assessment {
        Assessment::Waiting { detail, .. } => detail,
        other => panic!("expected a wait, got {other:?}"),
    }
}

/// Holds that all fields of a change are in the live object: nothing is left to write.
pub(crate) fn assert_written(world: &World, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Apply { object, fields } => {
                let live = world.find(fields).unwrap_or_else(|| panic!("{object} is not there"));
                assert!(contains(live, fields), "{object} differs:\n{live:#}\n{fields:#}");
            }
            Change::CreateOnce { object, fields, .. } => assert!(world.find(fields).is_some(), "{object} is not there"),
            Change::Set {
                object, path, value, ..
            } => {
                let found = world.objects.iter().map(|(_, live)| live).find(|live| {
                    live["kind"] == object.resource.kind
                        && live["metadata"]["name"] == object.name.as_str()
                        && live["metadata"]["namespace"].as_str() == object.namespace.as_deref()
                });
                let found = found.unwrap_or_else(|| panic!("{object} is not there"));
                let field = path.iter().fold(found, |place, field| &place[field.as_str()]);
                assert_eq!(Some(field), value.as_ref(), "{object} {path:?}");
            }
            Change::Merge { object, .. } => panic!("{object} still has to be merged"),
            Change::Absent { object } => panic!("{object} should be gone"),
            Change::Later { what, after } => panic!("{what} is known only after {after}"),
        }
    }
}

fn contains(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, value)| live.get(key).is_some_and(|live| contains(live, value))),
        _ => live == wanted,
    }
}

fn merge(target: &mut Value, fields: &Value) {
    match (target, fields) {
        (Value::Object(target), Value::Object(fields)) => {
            for (key, value) in fields {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, fields) => *target = fields.clone(),
    }
}

fn is_of(object: &Value, resource: &Resource) -> bool {
    object["kind"] == resource.kind && object["apiVersion"] == resource.api_version()
}

fn in_scope(object: &Value, scope: &Scope) -> bool {
    let (namespace, name) = (
        object["metadata"]["namespace"].as_str(),
        object["metadata"]["name"].as_str(),
    );
    match scope {
        Scope::All => true,
        Scope::Namespace(wanted) => namespace == Some(wanted),
        Scope::Named {
            namespace: wanted,
            name: called,
        } => (wanted.is_none() || namespace == wanted.as_deref()) && name == Some(called),
        Scope::Labelled {
            namespace: wanted,
            labels,
        } => {
            let labelled = &object["metadata"]["labels"];
            let fits = |pair: &str| match pair.split_once('=') {
                Some((key, value)) => labelled[key] == value,
                None => labelled[pair].is_string(),
            };
            (wanted.is_none() || namespace == wanted.as_deref()) && labels.split(',').all(fits)
        }
    }
}

/// The example's guest.
pub(crate) fn guest_target() -> Target {
    Target::Guest {
        namespace: "hcp".to_owned(),
        name: "guest-cluster-0".to_owned(),
    }
}

/// An object of a kind, with more fields merged in.
pub(crate) fn object(resource: &Resource, namespace: &str, name: &str, more: &Value) -> Value {
    let mut object = json!({
        "apiVersion": resource.api_version(), "kind": resource.kind, "metadata": { "name": name },
    });
    if resource.namespaced {
        object["metadata"]["namespace"] = json!(namespace);
    }
    merge(&mut object, more);
    object
}

/// A status with conditions, each `(type, status, reason, message)`.
pub(crate) fn conditions(list: &[(&str, &str, &str, &str)]) -> Value {
    let entries: Vec<_> = list
        .iter()
        .map(|(kind, status, reason, message)| {
            json!({ "type": kind, "status": status, "reason": reason, "message": message })
        })
        .collect();
    json!({ "status": { "conditions": entries } })
}

/// A CustomResourceDefinition that is served.
pub(crate) fn established(resource: &Resource) -> Value {
    let name = format!("{}.{}", resource.plural, resource.group);
    let status = conditions(&[("Established", "True", "InitialNamesAccepted", "")]);
    object(resources::CUSTOM_RESOURCE_DEFINITION, "", &name, &status)
}
