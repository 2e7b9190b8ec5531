//! Works out a plan: reads everything once, asks each step what it wants, and each change what it would come to.

use std::collections::{BTreeMap, BTreeSet};

use berth_api::Resource;
use berth_procedure::forecast::Edit;
use berth_procedure::{Change, Effect, ObjectRef, Observed, Seen, Selector, Step, StepId, Target};
use tokio::time;

use super::{Basis, Later, Plan, PlanError, PlannedEffect, PlannedStep, PlannedWrite, Verb};
use crate::api::{Api, RequestErrorKind};
use crate::backoff;
use crate::diff::{self, Shown};
use crate::engine::Engine;
use crate::known::{Knowledge, World};
use crate::object::object_of;
use crate::work::{self, Depth, Settled, WorkError};

/// So often is a change tried to be worked out.
const ATTEMPTS: u32 = 4;

/// Which step brings a kind.
type Providers = BTreeMap<&'static Resource, StepId>;

impl Engine {
    /// What a run would do now. Sends no mutating request; where something differs and this is no read-only engine, the
    /// server is asked by dry run what it would make of it.
    pub async fn plan(&self, steps: &[Box<dyn Step>]) -> Result<Plan, PlanError> {
        let world = self.read_world(steps, &[]).await?;
        let mut providers = Providers::new();
        for step in steps {
            for resource in step.provides() {
                providers.entry(resource).or_insert_with(|| step.id().clone());
            }
        }
        let apis = self.apis(steps, &world).await;
        let (mut planned, mut edits) = (Vec::with_capacity(steps.len()), Vec::with_capacity(steps.len()));
        for step in steps {
            let (step, edited) = self.plan_step(step.as_ref(), &world, &apis, &providers).await?;
            planned.push(step);
            edits.push(edited);
        }
        let mut facts = world.facts;
        let each = || steps.iter().zip(&edits);
        let more: BTreeSet<Selector> = each()
            .flat_map(|(step, edits)| step.forecast_watches(&facts, edits))
            .filter(|selector| *facts.seen(selector) == Seen::Pending)
            .collect();
        if !more.is_empty() {
            let more: Vec<Selector> = more.into_iter().collect();
            let read = self.read(&[], &more).await?;
            for selector in more {
                let seen = read.seen(&selector).clone();
                facts.observe(selector, seen);
            }
        }
        for ((step, edits), planned) in each().zip(&mut planned) {
            planned.forecast = step.forecast(&facts, edits);
        }
        Ok(Plan {
            server: facts.server,
            steps: planned,
        })
    }

    async fn apis(&self, steps: &[Box<dyn Step>], world: &World) -> BTreeMap<Target, Api> {
        let mut apis = BTreeMap::from([(Target::Management, self.management())]);
        for (target, kubeconfig) in steps.iter().flat_map(|step| step.kubeconfigs(&world.facts)) {
            if let Ok(api) = self.guest(&kubeconfig).await {
                apis.insert(target, api);
            }
        }
        apis
    }

    async fn plan_step(
        &self,
        step: &dyn Step,
        world: &World,
        apis: &BTreeMap<Target, Api>,
        providers: &Providers,
    ) -> Result<(PlannedStep, Vec<Edit>), PlanError> {
        let facts = &world.facts;
        let (mut writes, mut later, mut edits) = (Vec::new(), Vec::new(), Vec::new());
        for change in step.changes(facts) {
            if let Change::Later { what, after } = change {
                later.push(Later { what, after });
                continue;
            }
            let planned = self.plan_change(step.id(), &change, world, apis, providers).await?;
            if let (Some(planned), Some(object)) = (&planned, object_of(&change)) {
                edits.extend(edits_of(object, planned));
            }
            writes.extend(planned);
        }
        let mut effects = Vec::new();
        for effect in step.effects(facts) {
            match effect {
                Effect::Later { what, after } => later.push(Later { what, after }),
                effect => effects.push(PlannedEffect {
                    what: effect.describe(),
                    done: matches!(facts.outcome(&effect), Some(Ok(_))),
                }),
            }
        }
        let now = self.now();
        let planned = PlannedStep {
            id: step.id().clone(),
            title: step.title(),
            after: step.after(),
            lock: step.lock(),
            hub_wide: step.hub_wide().map(str::to_owned),
            writes,
            effects,
            later,
            forecast: Vec::new(),
            commands: step.commands(facts),
            now: step.assess(&Observed { facts, now, since: now }),
        };
        Ok((planned, edits))
    }

    /// One change; `None` where there will be nothing to write.
    async fn plan_change(
        &self,
        step: &StepId,
        change: &Change,
        world: &World,
        apis: &BTreeMap<Target, Api>,
        providers: &Providers,
    ) -> Result<Option<PlannedWrite>, PlanError> {
        let Some(object) = object_of(change) else {
            return Ok(None);
        };
        let known_after = || {
            let absent = matches!(change, Change::Absent { .. });
            (!absent).then(|| unseen(change, object, providers.get(object.resource).cloned()))
        };
        let Some(api) = apis.get(&object.target) else {
            return Ok(known_after());
        };
        let depth = if self.connection().options.read_only {
            Depth::Local
        } else {
            Depth::DryRun
        };
        match self.work_out(api, change, world.knowledge(object), depth).await {
            Ok(settled) => Ok(Some(PlannedWrite {
                object: object.into(),
                verb: settled.verb,
                fields: settled.fields,
                conflicts: settled.conflicts,
                basis: settled.basis,
                refused: None,
            })),
            Err(WorkError::Request(error)) if error.kind == RequestErrorKind::NoKind => Ok(known_after()),
            Err(WorkError::Request(error)) if is_about_the_object(error.kind) => Ok(Some(PlannedWrite {
                refused: Some(error.told()),
                basis: Basis::DryRun,
                ..unseen(change, object, None)
            })),
            Err(WorkError::Request(source)) => Err(PlanError::DryRun {
                step: step.clone(),
                source,
            }),
            Err(WorkError::Conflicts(conflicts)) => Ok(Some(PlannedWrite {
                conflicts,
                basis: Basis::DryRun,
                ..unseen(change, object, None)
            })),
            // It will be made when it can: what it will come to is not known before.
            Err(WorkError::Terminating(_) | WorkError::NotThere(_) | WorkError::Later(_)) => Ok(known_after()),
        }
    }

    /// What a change would come to, tried a few times: a server that is busy, or an object that was written since it was
    /// read, says nothing of the change.
    async fn work_out(
        &self,
        api: &Api,
        change: &Change,
        mut known: Knowledge,
        depth: Depth,
    ) -> Result<Settled, WorkError> {
        let random = &self.connection().random;
        let mut attempt = 1;
        loop {
            let error = match work::settle(api, random, change, known.clone(), depth).await {
                Err(WorkError::Request(error)) if attempt < ATTEMPTS => error,
                settled => return settled,
            };
            match error.kind {
                RequestErrorKind::Stale => known = Knowledge::Unknown,
                RequestErrorKind::Busy | RequestErrorKind::Unreachable => {}
                _ => return Err(WorkError::Request(error)),
            }
            tracing::debug!(error = %error.told(), attempt, "a change is worked out again");
            time::sleep(backoff::delay(attempt, error.retry_after, random)).await;
            attempt += 1;
        }
    }
}

/// A planned write as forecasts take it.
fn edits_of(object: &ObjectRef, planned: &PlannedWrite) -> Vec<Edit> {
    let value = |shown: &Shown| match shown {
        Shown::Value(value) => Some(value.clone()),
        Shown::Absent | Shown::Secret => None,
    };
    match planned.verb {
        Verb::Unchanged => Vec::new(),
        Verb::Create => vec![Edit::Made(object.clone())],
        Verb::Delete => vec![Edit::Deleted(object.clone())],
        Verb::Update | Verb::Set => {
            let changed = planned.fields.iter().map(|field| Edit::Changed {
                object: object.clone(),
                path: field.path.clone(),
                from: value(&field.from),
                to: value(&field.to),
            });
            changed.collect()
        }
    }
}

fn is_about_the_object(kind: RequestErrorKind) -> bool {
    !matches!(
        kind,
        RequestErrorKind::Unauthorized | RequestErrorKind::Busy | RequestErrorKind::Unreachable
    )
}

/// A write to an object that can't be looked at.
fn unseen(change: &Change, object: &ObjectRef, after: Option<StepId>) -> PlannedWrite {
    let (verb, fields) = match change {
        Change::Apply { fields, .. } | Change::CreateOnce { fields, .. } => {
            let mut typed = fields.clone();
            typed["kind"] = object.resource.kind.into();
            (Verb::Create, diff::created(&typed))
        }
        Change::Set { path, value, .. } => (
            Verb::Set,
            vec![diff::wanted(object.resource.kind, path, value.as_ref())],
        ),
        Change::Merge { fields, .. } => (
            Verb::Update,
            diff::merged(fields, &serde_json::json!({ "kind": object.resource.kind })),
        ),
        Change::Absent { .. } | Change::Later { .. } => (Verb::Delete, Vec::new()),
    };
    let basis = Basis::KnownAfter(after);
    PlannedWrite {
        object: object.into(),
        verb,
        fields,
        conflicts: Vec::new(),
        basis,
        refused: None,
    }
}
