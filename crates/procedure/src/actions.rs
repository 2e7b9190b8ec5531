//! What commands ask of a guest that is there, as steps: scale, pause, resume, upgrade, pools.
//!
//! Each is a write or two, then the same waiting as after a document's write. The objects as they are come in, since names
//! and releases are found in them. Not here: what a document says of the same (`compile`).

use berth_api::{PausedUntil, Quantity, resources, views};
use serde_json::{Value, json};

use crate::change::{Change, ObjectRef};
use crate::checks::upgrade::Wish;
use crate::patch::merge;
use crate::read::{MANAGED_BY, failed, name, text};
use crate::step::{Dependency, Step};
use crate::steps::guest::{Fit, Pool, Rollout, Until, Write};
use crate::steps::ids;
use crate::upgrade::completed;
use crate::versions::{Version, image_of, release_of};
use crate::walk::GuestRef;

/// How many workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    /// So many.
    Fixed(u32),
    /// What the autoscaler finds right within bounds.
    Between {
        /// The fewest.
        min: u32,
        /// The most.
        max: u32,
    },
}

/// Which release an upgrade goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A version, in the repository of the present image, or as the guest's channel offers it.
    Version(Version),
    /// An image.
    Image(String),
    /// What the control plane runs: for pools that lag behind.
    ControlPlane,
}

/// Which parts of a guest an upgrade is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts {
    /// The control plane, then every pool.
    All,
    /// The control plane alone.
    ControlPlane,
    /// One pool.
    Pool(String),
}

/// What the machines of a pool are to be like; what is not given stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Each one's cores.
    pub cores: Option<u32>,
    /// Each one's memory.
    pub memory: Option<Quantity>,
    /// Each one's disk.
    pub disk: Option<Quantity>,
    /// The disk's storage class.
    pub storage_class: Option<String>,
    /// Whether machines that stay unhealthy are replaced.
    pub auto_repair: Option<bool>,
    /// Labels that nodes get when they join; an empty value removes one.
    pub labels: Vec<(String, String)>,
    /// Taints that nodes get when they join, as `key=value:effect`.
    pub taints: Option<Vec<Value>>,
    /// How long a node may take to drain, as Go prints it.
    pub drain_timeout: Option<String>,
}

/// What a command asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Other numbers of workers.
    Scale {
        /// The pool; `None` where the guest has only one.
        pool: Option<String>,
        /// How many.
        workers: Workers,
    },
    /// The operator is to leave the guest, or one pool, alone.
    Pause {
        /// The pool; `None` for the guest.
        pool: Option<String>,
        /// Until when.
        until: PausedUntil,
    },
    /// The operator is to go on.
    Resume {
        /// The pool; `None` for the guest and every pool of it.
        pool: Option<String>,
    },
    /// Another release.
    Upgrade {
        /// Of what.
        parts: Parts,
        /// Which.
        goal: Goal,
    },
    /// A pool more.
    AddPool {
        /// Its name; the NodePool is called `<guest>-<name>`.
        pool: String,
        /// How many workers.
        workers: Workers,
        /// What they are like.
        shape: Shape,
    },
    /// Another shape of a pool's machines.
    SetPool {
        /// The pool.
        pool: String,
        /// What they are to be like.
        shape: Shape,
    },
    /// A pool less.
    RemovePool {
        /// The pool.
        pool: String,
    },
}

/// A guest that commands act on, as it is.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its HostedCluster.
    pub cluster: &'a Value,
    /// Its NodePools.
    pub pools: &'a [Value],
}

/// Why a command asks for something that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// No pool of that name.
    #[error("{guest} has no pool `{pool}`; it has {}", listed(.known))]
    NoPool {
        /// The guest.
        guest: String,
        /// What was asked for.
        pool: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Several pools, none named.
    #[error("{guest} has several pools ({}): name one as {guest}/POOL", .known.join(", "))]
    WhichPool {
        /// The guest.
        guest: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A pool of that name is there.
    #[error("NodePool {0} is there already")]
    PoolExists(String),
    /// Bounds that hold nothing.
    #[error("the bounds {min} to {max} hold no number: the lower one is at least 1, the upper one no less")]
    Bounds {
        /// The lower.
        min: u32,
        /// The upper.
        max: u32,
    },
    /// The version is neither in the present image's repository by tag nor offered by the channel.
    #[error(
        "which image {version} is can't be told: the present one ({present}) has no tag, and the channel does not offer it"
    )]
    NoImage {
        /// The version.
        version: Version,
        /// The image now.
        present: String,
    },
    /// The operator does nothing for it now.
    #[error("{object} is paused {until} (U18), so that nothing would come of it; `berth resume` goes on with it")]
    Paused {
        /// What is paused, as `HostedCluster hcp/g`.
        object: String,
        /// Until when.
        until: String,
    },
    /// Less memory than any worker starts with.
    #[error("no worker starts with {0} of memory: at least 1Gi, and 4Gi to be of use")]
    Memory(Quantity),
    /// Nothing was asked for.
    #[error("nothing is to be set")]
    Nothing,
}

/// The steps that do what a command asks for.
pub fn compile_action(subject: Subject<'_>, action: &Action) -> Result<Vec<Box<dyn Step>>, ActionError> {
    let guest = Guest::of(subject);
    match action {
        Action::Scale { pool, workers } => guest.scale(guest.pool_or_only(pool.as_deref())?, *workers),
        Action::Pause { pool, until } => guest.pause(pool.as_deref(), *until),
        Action::Resume { pool } => guest.resume(pool.as_deref()),
        Action::Upgrade { parts, goal } => guest.upgrade(parts, goal),
        Action::AddPool { pool, workers, shape } => guest.add_pool(pool, *workers, shape),
        Action::SetPool { pool, shape } => guest.set_pool(guest.pool(pool)?, shape),
        Action::RemovePool { pool } => Ok(guest.remove_pool(guest.pool(pool)?)),
    }
}

/// What an upgrade would be judged by, for `--check`.
pub fn judge_upgrade(
    subject: Subject<'_>,
    parts: &Parts,
    goal: &Goal,
    facts: &crate::facts::Facts,
) -> Result<Vec<crate::checks::CheckResult>, ActionError> {
    let wish = Guest::of(subject).wish(parts, goal)?;
    Ok(crate::checks::upgrade::judge(&wish, facts))
}

struct Guest<'a> {
    place: GuestRef,
    cluster: &'a Value,
    pools: &'a [Value],
}

impl<'a> Guest<'a> {
    fn of(subject: Subject<'a>) -> Self {
        let metadata = views::metadata(subject.cluster);
        Self {
            place: GuestRef::new(metadata.namespace.unwrap_or_default(), metadata.name),
            cluster: subject.cluster,
            pools: subject.pools,
        }
    }

    /// Whether the operator looks at the guest, and at a pool, at all. Whether a time has passed, it knows itself.
    fn active(&self, pool: Option<&Value>) -> Result<(), ActionError> {
        for (resource, object) in [
            (resources::HOSTED_CLUSTER, Some(self.cluster)),
            (resources::NODE_POOL, pool),
        ] {
            let Some(object) = object.filter(|object| failed(object, "ReconciliationActive").is_some()) else {
                continue;
            };
            if let Some(until) = crate::pause::until(object, None) {
                let object = ObjectRef::namespaced(resource, &self.place.namespace, name(object)).to_string();
                return Err(ActionError::Paused {
                    object,
                    until: until.to_string(),
                });
            }
        }
        Ok(())
    }

    fn scale(&self, pool: &Value, workers: Workers) -> Result<Vec<Box<dyn Step>>, ActionError> {
        self.active(Some(pool))?;
        let fields = json!({ "spec": replicas(workers, text(pool, &["spec", "autoScaling"]).is_some() || !pool["spec"]["autoScaling"].is_null())? });
        let title = match workers {
            Workers::Fixed(count) => format!("Scale {} to {count}", name(pool)),
            Workers::Between { min, max } => format!("Let {} be scaled from {min} to {max}", name(pool)),
        };
        Ok(self.write_and_wait("scale", title, pool, fields))
    }

    fn set_pool(&self, pool: &Value, shape: &Shape) -> Result<Vec<Box<dyn Step>>, ActionError> {
        self.active(Some(pool))?;
        shape.check()?;
        let fields = shape.fields();
        if fields.as_object().is_none_or(serde_json::Map::is_empty) {
            return Err(ActionError::Nothing);
        }
        Ok(self.write_and_wait("set", format!("Change {}", name(pool)), pool, json!({ "spec": fields })))
    }

    fn add_pool(&self, pool: &str, workers: Workers, shape: &Shape) -> Result<Vec<Box<dyn Step>>, ActionError> {
        self.active(None)?;
        shape.check()?;
        let called = format!("{}-{pool}", self.place.name);
        if self
            .pools
            .iter()
            .any(|there| name(there) == called || name(there) == pool)
        {
            return Err(ActionError::PoolExists(called));
        }
        let mut spec = json!({
            "clusterName": self.place.name,
            "management": { "autoRepair": false, "upgradeType": "Replace" },
            "platform": { "type": "KubeVirt", "kubevirt": {
                "compute": { "cores": 2, "memory": "8Gi" },
                "rootVolume": { "type": "Persistent", "persistent": { "size": "32Gi" } },
            } },
            "release": { "image": self.image() },
        });
        merge(&mut spec, &replicas(workers, false)?);
        merge(&mut spec, &shape.fields());
        // Without the document's label: a document that does not name it leaves it alone.
        let object = json!({
            "apiVersion": resources::NODE_POOL.api_version(), "kind": resources::NODE_POOL.kind,
            "metadata": { "name": called, "namespace": self.place.namespace, "labels": { MANAGED_BY.0: MANAGED_BY.1 } },
            "spec": spec,
        });
        let wait = self.wait(&called, &object, "add");
        let change = Change::CreateOnce {
            object: self.pool_ref(&called),
            fields: object,
            generate: Vec::new(),
        };
        let write = self.write(
            &format!("pool/{called}/add"),
            format!("Add the pool {called}"),
            vec![change],
            Until::Written,
        );
        Ok(vec![write, wait])
    }

    fn remove_pool(&self, pool: &Value) -> Vec<Box<dyn Step>> {
        let called = name(pool);
        let change = Change::Absent {
            object: self.pool_ref(called),
        };
        vec![self.write(
            &format!("pool/{called}/remove"),
            format!("Remove the pool {called}"),
            vec![change],
            Until::Gone,
        )]
    }

    fn pause(&self, pool: Option<&str>, until: PausedUntil) -> Result<Vec<Box<dyn Step>>, ActionError> {
        let fields = json!({ "spec": { "pausedUntil": until.field() } });
        let (object, called) = match pool {
            Some(pool) => {
                let called = name(self.pool(pool)?).to_owned();
                (self.pool_ref(&called), called)
            }
            None => (self.place.object(), self.place.name.clone()),
        };
        let change = Change::Merge { object, fields };
        Ok(vec![self.write(
            "pause",
            format!("Pause {called}"),
            vec![change],
            Until::Paused,
        )])
    }

    /// A guest is resumed with every pool of it: half a guest that goes on is what gets forgotten.
    fn resume(&self, pool: Option<&str>) -> Result<Vec<Box<dyn Step>>, ActionError> {
        let paused = |object: &Value| !object["spec"]["pausedUntil"].is_null();
        let fields = json!({ "spec": { "pausedUntil": null } });
        let mut objects = Vec::new();
        let pools: Vec<&Value> = if let Some(pool) = pool {
            vec![self.pool(pool)?]
        } else {
            if paused(self.cluster) {
                objects.push(self.place.object());
            }
            self.pools.iter().collect()
        };
        objects.extend(
            pools
                .into_iter()
                .filter(|pool| paused(pool))
                .map(|pool| self.pool_ref(name(pool))),
        );
        let changes = objects.into_iter().map(|object| Change::Merge {
            object,
            fields: fields.clone(),
        });
        let title = format!("Resume {}", pool.unwrap_or(&self.place.name));
        Ok(vec![self.write("resume", title, changes.collect(), Until::Resumed)])
    }

    fn upgrade(&self, parts: &Parts, goal: &Goal) -> Result<Vec<Box<dyn Step>>, ActionError> {
        let wish = self.wish(parts, goal)?;
        let judged = ids::part(&self.place.name, "upgrade-checks");
        let mut steps: Vec<Box<dyn Step>> = vec![Box::new(Fit {
            id: judged.clone(),
            wish: wish.clone(),
        })];
        let mut before = vec![Dependency {
            step: judged,
            reason: "nothing is written that upstream would refuse",
        }];
        if let Some(image) = &wish.control_plane {
            let fields = json!({ "spec": { "release": { "image": image } } });
            let change = Change::Merge {
                object: self.place.object(),
                fields,
            };
            let id = ids::part(&self.place.name, "upgrade");
            steps.push(Box::new(Write {
                id: id.clone(),
                title: format!("Bring the control plane of {} to {}", self.place.name, called(image)),
                place: self.place.clone(),
                after: before.clone(),
                changes: vec![change],
                until: Until::Written,
            }));
            let written = Dependency {
                step: id,
                reason: "the control plane has to be asked for it first",
            };
            let rollout = Rollout::of(self.place.clone(), Some(image.clone()), vec![written]);
            before = vec![Dependency {
                step: ids::rollout(&self.place.name),
                reason: "a pool can't be newer than its control plane",
            }];
            steps.push(Box::new(rollout));
        }
        for (pool, image) in &wish.pools {
            let fields = json!({ "spec": { "release": { "image": image } } });
            let live = self.pools.iter().find(|live| name(live) == pool);
            let mut wanted = live.cloned().unwrap_or_default();
            merge(&mut wanted, &fields);
            let id = ids::part(&self.place.name, &format!("pool/{pool}/upgrade"));
            let change = Change::Merge {
                object: self.pool_ref(pool),
                fields,
            };
            steps.push(Box::new(Write {
                id: id.clone(),
                title: format!("Bring {pool} to {}", called(image)),
                place: self.place.clone(),
                after: before.clone(),
                changes: vec![change],
                until: Until::Written,
            }));
            steps.push(Box::new(Pool::of(
                self.place.clone(),
                pool,
                &wanted,
                vec![after_write(id)],
            )));
        }
        Ok(steps)
    }

    fn wish(&self, parts: &Parts, goal: &Goal) -> Result<Wish, ActionError> {
        let image = match goal {
            Goal::Image(image) => image.clone(),
            Goal::ControlPlane => self.image(),
            Goal::Version(version) => self.image_of(version)?,
        };
        let pools: Vec<&Value> = match parts {
            Parts::All => self.pools.iter().collect(),
            Parts::ControlPlane => Vec::new(),
            Parts::Pool(pool) => vec![self.pool(pool)?],
        };
        let differs = |object: &Value| text(object, &["spec", "release", "image"]) != Some(image.as_str());
        let is_asked = !matches!(parts, Parts::Pool(_));
        let unfinished = completed(self.cluster)
            .is_none_or(|(version, _)| release_of(&image).is_some_and(|wanted| version != wanted.to_string()));
        Ok(Wish {
            place: self.place.clone(),
            control_plane: (is_asked && (differs(self.cluster) || unfinished)).then(|| image.clone()),
            pools: pools
                .into_iter()
                .filter(|pool| differs(pool))
                .map(|pool| (name(pool).to_owned(), image.clone()))
                .collect(),
        })
    }

    /// The image of the control plane.
    fn image(&self) -> String {
        views::release_image(self.cluster).unwrap_or_default().to_owned()
    }

    fn image_of(&self, version: &Version) -> Result<String, ActionError> {
        let present = self.image();
        let told = version.to_string();
        let offered = ["availableUpdates", "conditionalUpdates"].into_iter().find_map(|list| {
            views::list(self.cluster, &["status", "version", list])
                .iter()
                .find_map(|update| {
                    let release = if list == "conditionalUpdates" {
                        &update["release"]
                    } else {
                        update
                    };
                    (text(release, &["version"]) == Some(&told)).then(|| text(release, &["image"]))?
                })
        });
        // A tag keeps what the present image has: its repository, which may be a mirror, and its architecture.
        image_of(&present, version)
            .or_else(|| offered.map(str::to_owned))
            .ok_or_else(|| ActionError::NoImage {
                version: version.clone(),
                present,
            })
    }

    fn pool_or_only(&self, pool: Option<&str>) -> Result<&'a Value, ActionError> {
        match (pool, self.pools) {
            (Some(pool), _) => self.pool(pool),
            (None, [only]) => Ok(only),
            (None, []) => Err(self.no_pool("")),
            (None, _) => Err(ActionError::WhichPool {
                guest: self.place.name.clone(),
                known: self.known(),
            }),
        }
    }

    /// A pool by the NodePool's name, or by the name that a document gives it.
    fn pool(&self, typed: &str) -> Result<&'a Value, ActionError> {
        let full = format!("{}-{typed}", self.place.name);
        let by = |wanted: &str| self.pools.iter().find(|pool| name(pool) == wanted);
        by(typed).or_else(|| by(&full)).ok_or_else(|| self.no_pool(typed))
    }

    fn no_pool(&self, typed: &str) -> ActionError {
        ActionError::NoPool {
            guest: self.place.name.clone(),
            pool: typed.to_owned(),
            known: self.known(),
        }
    }

    fn known(&self) -> Vec<String> {
        self.pools.iter().map(|pool| name(pool).to_owned()).collect()
    }

    fn pool_ref(&self, pool: &str) -> ObjectRef {
        ObjectRef::namespaced(resources::NODE_POOL, &self.place.namespace, pool)
    }

    fn write_and_wait(&self, what: &str, title: String, pool: &Value, fields: Value) -> Vec<Box<dyn Step>> {
        let mut wanted = pool.clone();
        merge(&mut wanted, &fields);
        let called = name(pool);
        let change = Change::Merge {
            object: self.pool_ref(called),
            fields,
        };
        let wait = self.wait(called, &wanted, what);
        vec![
            self.write(&format!("pool/{called}/{what}"), title, vec![change], Until::Written),
            wait,
        ]
    }

    fn write(&self, what: &str, title: String, changes: Vec<Change>, until: Until) -> Box<dyn Step> {
        Box::new(Write {
            id: ids::part(&self.place.name, what),
            title,
            place: self.place.clone(),
            after: Vec::new(),
            changes,
            until,
        })
    }

    fn wait(&self, pool: &str, wanted: &Value, what: &str) -> Box<dyn Step> {
        let written = ids::part(&self.place.name, &format!("pool/{pool}/{what}"));
        Box::new(Pool::of(self.place.clone(), pool, wanted, vec![after_write(written)]))
    }
}

impl Shape {
    fn check(&self) -> Result<(), ActionError> {
        match &self.memory {
            Some(memory) if *memory < Quantity::gibibytes(1) => Err(ActionError::Memory(*memory)),
            _ => Ok(()),
        }
    }

    /// As a NodePool's `spec` spells it; `null` removes a field.
    fn fields(&self) -> Value {
        let mut spec = json!({});
        let kubevirt = |fields: Value| json!({ "platform": { "kubevirt": fields } });
        let volume = |fields: Value| json!({ "rootVolume": { "persistent": fields } });
        let mut add = |fields: Option<Value>| {
            if let Some(fields) = fields {
                merge(&mut spec, &fields);
            }
        };
        add(self
            .cores
            .map(|cores| kubevirt(json!({ "compute": { "cores": cores } }))));
        add(self
            .memory
            .map(|memory| kubevirt(json!({ "compute": { "memory": memory } }))));
        add(self.disk.map(|disk| kubevirt(volume(json!({ "size": disk })))));
        add(self
            .storage_class
            .as_ref()
            .map(|class| kubevirt(volume(json!({ "storageClass": class })))));
        add(self
            .auto_repair
            .map(|repair| json!({ "management": { "autoRepair": repair } })));
        add(self
            .drain_timeout
            .as_ref()
            .map(|timeout| json!({ "nodeDrainTimeout": timeout })));
        add(self.taints.as_ref().map(|taints| json!({ "taints": taints })));
        // Not merged: a `null` is to be said, not done.
        for (key, value) in &self.labels {
            spec["nodeLabels"][key] = match value.as_str() {
                "" => Value::Null,
                value => value.into(),
            };
        }
        spec
    }
}

/// One number or bounds, never both: the API refuses that, and neither would mean none.
fn replicas(workers: Workers, is_scaled: bool) -> Result<Value, ActionError> {
    match workers {
        Workers::Fixed(count) if is_scaled => Ok(json!({ "replicas": count, "autoScaling": null })),
        Workers::Fixed(count) => Ok(json!({ "replicas": count })),
        Workers::Between { min, max } if min == 0 || max < min => Err(ActionError::Bounds { min, max }),
        Workers::Between { min, max } => Ok(json!({ "replicas": null, "autoScaling": { "min": min, "max": max } })),
    }
}

fn after_write(step: crate::step::StepId) -> Dependency {
    Dependency {
        step,
        reason: "the pool has to be asked for it first",
    }
}

fn called(image: &str) -> String {
    release_of(image).map_or_else(|| image.to_owned(), |version| version.to_string())
}

fn listed(known: &[String]) -> String {
    if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    }
}

#[cfg(test)]
mod tests;
