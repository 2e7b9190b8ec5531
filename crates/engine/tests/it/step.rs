//! Steps for tests: each says what it was built to say.

use std::fmt;
use std::time::Duration;

use berth_api::{Resource, resources};
use berth_procedure::{
    Assessment, Change, Command, Dependency, Effect, Facts, Generate, Lock, ObjectRef, Observed, Removal, Secret,
    Selector, Step, StepId, Target,
};
use serde_json::{Value, json};

type Told<T> = Box<dyn Fn(&Facts) -> T + Send + Sync>;

pub(crate) struct Fake {
    id: StepId,
    after: Vec<StepId>,
    lock: Lock,
    changes: Told<Vec<Change>>,
    effects: Told<Vec<Effect>>,
    watches: Vec<Selector>,
    assess: Box<dyn Fn(&Observed<'_>) -> Assessment + Send + Sync>,
    remove: Told<Vec<Removal>>,
    provides: Vec<&'static Resource>,
    kubeconfigs: Vec<(Target, Secret)>,
}

impl Fake {
    /// A step that wants nothing and is ready at once.
    pub(crate) fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            after: Vec::new(),
            lock: Lock::Hub,
            changes: Box::new(|_| Vec::new()),
            effects: Box::new(|_| Vec::new()),
            watches: Vec::new(),
            assess: Box::new(|_| Assessment::ready()),
            remove: Box::new(|_| Vec::new()),
            provides: Vec::new(),
            kubeconfigs: Vec::new(),
        }
    }

    pub(crate) fn after(mut self, id: &str) -> Self {
        self.after.push(id.into());
        self
    }

    pub(crate) fn guest(mut self, name: &str) -> Self {
        self.lock = Lock::Guest {
            namespace: "hcp".into(),
            name: name.into(),
        };
        self
    }

    pub(crate) fn wants(self, changes: Vec<Change>) -> Self {
        self.wants_of(move |_| changes.clone())
    }

    pub(crate) fn wants_of(mut self, changes: impl Fn(&Facts) -> Vec<Change> + Send + Sync + 'static) -> Self {
        self.changes = Box::new(changes);
        self
    }

    pub(crate) fn acts(mut self, effect: Effect) -> Self {
        self.effects = Box::new(move |_| vec![effect.clone()]);
        self
    }

    pub(crate) fn watches(mut self, selector: Selector) -> Self {
        self.watches.push(selector);
        self
    }

    pub(crate) fn assessed(mut self, assess: impl Fn(&Observed<'_>) -> Assessment + Send + Sync + 'static) -> Self {
        self.assess = Box::new(assess);
        self
    }

    pub(crate) fn removes(mut self, removals: Vec<Removal>) -> Self {
        self.remove = Box::new(move |_| removals.clone());
        self
    }

    pub(crate) fn provides(mut self, resource: &'static Resource) -> Self {
        self.provides.push(resource);
        self
    }

    pub(crate) fn connects(mut self, target: Target) -> Self {
        self.kubeconfigs.push((target, Secret::new("kubeconfig")));
        self
    }

    pub(crate) fn boxed(self) -> Box<dyn Step> {
        Box::new(self)
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fake({})", self.id)
    }
}

impl Step for Fake {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        format!("the step {}", self.id)
    }

    fn after(&self) -> Vec<Dependency> {
        self.after
            .iter()
            .map(|step| Dependency {
                step: step.clone(),
                reason: "the test says so",
            })
            .collect()
    }

    fn lock(&self) -> Lock {
        self.lock.clone()
    }

    fn changes(&self, facts: &Facts) -> Vec<Change> {
        (self.changes)(facts)
    }

    fn effects(&self, facts: &Facts) -> Vec<Effect> {
        (self.effects)(facts)
    }

    fn watches(&self) -> Vec<Selector> {
        self.watches.clone()
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        (self.assess)(observed)
    }

    fn commands(&self, _: &Facts) -> Vec<Command> {
        Vec::new()
    }

    fn remove(&self, facts: &Facts) -> Vec<Removal> {
        (self.remove)(facts)
    }

    fn provides(&self) -> Vec<&'static Resource> {
        self.provides.clone()
    }

    fn kubeconfigs(&self, _: &Facts) -> Vec<(Target, Secret)> {
        self.kubeconfigs.clone()
    }
}

pub(crate) fn namespace(name: &str) -> Change {
    Change::Apply {
        object: ObjectRef::cluster(resources::NAMESPACE, name),
        fields: json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": ours()}}),
    }
}

pub(crate) fn config(name: &str, data: &Value) -> Change {
    Change::Apply {
        object: config_ref(name),
        fields: config_object(name, data),
    }
}

pub(crate) fn config_ref(name: &str) -> ObjectRef {
    ObjectRef::namespaced(resources::CONFIG_MAP, "hcp", name)
}

pub(crate) fn config_object(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "hcp", "labels": ours()}, "data": data})
}

pub(crate) fn key(name: &str) -> Change {
    Change::CreateOnce {
        object: ObjectRef::namespaced(resources::SECRET, "hcp", name),
        fields: json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "labels": ours()}}),
        generate: vec![Generate::RandomBytes {
            key: "key".into(),
            length: 32,
        }],
    }
}

pub(crate) fn hosted_cluster(name: &str) -> Change {
    Change::Apply {
        object: ObjectRef::namespaced(resources::HOSTED_CLUSTER, "hcp", name),
        fields: json!({"apiVersion": "hypershift.openshift.io/v1beta1", "kind": "HostedCluster",
            "metadata": {"name": name, "namespace": "hcp", "labels": ours()}, "spec": {"dns": {"baseDomain": "x"}}}),
    }
}

pub(crate) fn ours() -> Value {
    json!({"app.kubernetes.io/managed-by": "berth"})
}

/// Not ready before so many minutes.
pub(crate) fn waiting_for_minutes(minutes: u64) -> impl Fn(&Observed<'_>) -> Assessment {
    move |observed| {
        let at = observed.since + Duration::from_secs(60 * minutes);
        if observed.now >= at {
            return Assessment::ready();
        }
        Assessment::Waiting {
            reason: "Slow".into(),
            detail: "something".into(),
            done: None,
            total: None,
            recheck_at: Some(at),
        }
    }
}
