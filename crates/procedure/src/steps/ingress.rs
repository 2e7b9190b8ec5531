//! `ingress`: the default IngressController admits wildcard routes, and its router runs with that.
//!
//! One field is set and nothing beside it: a site's `namespaceOwnership` in the same object stays.

use berth_api::{resources, views};
use serde_json::{Value, json};

use crate::assess::{Assessment, Observed};
use crate::change::{Change, ObjectRef};
use crate::facts::{Facts, Seen, Selector};
use crate::read::{failed, holds, line, reason_or, text};
use crate::step::{Command, Dependency, Lock, Step, StepId};
use crate::steps::{command, ids};
use crate::walk::diagnosis;
use crate::walk::rollout::{INGRESS, WILDCARDS_ALLOWED};

/// Where routers' pods run.
const ROUTERS: &str = "openshift-ingress";

/// The step.
#[derive(Debug)]
pub(crate) struct Ingress {
    id: StepId,
    settings: berth_api::Ingress,
}

impl Ingress {
    pub(crate) fn new(settings: berth_api::Ingress) -> Self {
        Self {
            id: ids::INGRESS.into(),
            settings,
        }
    }

    fn controller(&self) -> Selector {
        Selector::named(resources::INGRESS_CONTROLLER, INGRESS.0, &self.settings.controller)
    }

    fn router_name(&self) -> String {
        format!("router-{}", self.settings.controller)
    }

    fn router(&self) -> Selector {
        Selector::named(resources::DEPLOYMENT, ROUTERS, self.router_name())
    }
}

impl Step for Ingress {
    fn id(&self) -> &StepId {
        &self.id
    }

    fn title(&self) -> String {
        "Admit wildcard routes".to_owned()
    }

    fn after(&self) -> Vec<Dependency> {
        vec![Dependency {
            step: ids::PREREQUISITES.into(),
            reason: "nothing is written on a hub that cannot host guests",
        }]
    }

    fn lock(&self) -> Lock {
        Lock::Hub
    }

    fn changes(&self, _facts: &Facts) -> Vec<Change> {
        vec![Change::Set {
            object: ObjectRef::namespaced(resources::INGRESS_CONTROLLER, INGRESS.0, &self.settings.controller),
            path: ["spec", "routeAdmission", "wildcardPolicy"].map(str::to_owned).into(),
            value: Some(json!(WILDCARDS_ALLOWED)),
            takeover: self.settings.takeover,
        }]
    }

    fn watches(&self) -> Vec<Selector> {
        vec![self.controller(), self.router()]
    }

    fn assess(&self, observed: &Observed<'_>) -> Assessment {
        let facts = observed.facts;
        let controller = match facts.seen(&self.controller()) {
            Seen::Objects(objects) => objects.first(),
            Seen::Unreadable(why) => return Assessment::waiting("Unreadable", why.clone()),
            Seen::Pending => return Assessment::waiting("Reading", "reading the IngressController"),
            Seen::NoKind => None,
        };
        let Some(controller) = controller else {
            return Assessment::Fatal {
                diagnosis: diagnosis(
                    "P01",
                    "there is no such IngressController to admit wildcard routes",
                    format!("IngressController {}/{}", INGRESS.0, self.settings.controller),
                    ["not found".to_owned()],
                    "the ingress capability of the management cluster is needed: guests publish their routes through it",
                ),
            };
        };
        let policy = text(controller, &["spec", "routeAdmission", "wildcardPolicy"]);
        if policy != Some(WILDCARDS_ALLOWED) {
            return Assessment::waiting(
                "WildcardPolicy",
                format!("wildcardPolicy is {}", policy.unwrap_or("not set")),
            );
        }
        rolled_out(controller, facts.object(&self.router()))
    }

    fn commands(&self, _facts: &Facts) -> Vec<Command> {
        vec![
            command(
                "A merge patch sets the one field; a JSON patch that adds /spec/routeAdmission would drop its siblings",
                format!(
                    "oc patch ingresscontroller {} -n {} --type=merge -p \
                     '{{\"spec\":{{\"routeAdmission\":{{\"wildcardPolicy\":\"{WILDCARDS_ALLOWED}\"}}}}}}'",
                    self.settings.controller, INGRESS.0
                ),
            ),
            command(
                "Wait for the new router pods",
                format!("oc rollout status deployment/{} -n {ROUTERS}", self.router_name()),
            ),
        ]
    }

    fn hub_wide(&self) -> Option<&'static str> {
        Some("replaces the router pods of the default ingress one after the other; open connections drain")
    }
}

/// Whether the router runs with the controller's present spec.
fn rolled_out(controller: &Value, router: Option<&Value>) -> Assessment {
    let generation = views::metadata(controller).generation;
    let observed = views::number(controller, &["status", "observedGeneration"]).unwrap_or(generation);
    if observed < generation {
        return Assessment::waiting("NotObserved", "the ingress operator has not seen the new policy yet");
    }
    if let Some(waiting) = router.and_then(rolling) {
        return waiting;
    }
    let unsettled = holds(controller, "Progressing").or_else(|| failed(controller, "Available"));
    match unsettled {
        Some(condition) => Assessment::waiting(reason_or(&condition, condition.kind), line(condition.message)),
        None => Assessment::ready(),
    }
}

/// How far the router's rollout is, while it is under way.
fn rolling(router: &Value) -> Option<Assessment> {
    let rollout = views::rollout(router);
    let (updated, wanted) = (rollout.updated.min(rollout.wanted), rollout.wanted);
    let leftover = views::number(router, &["status", "replicas"]).unwrap_or(0) - wanted;
    let name = views::metadata(router).name;
    let detail = if !rollout.observed {
        format!("{name}: the rollout has not begun yet")
    } else if updated < wanted {
        format!("{name}: {updated} of {wanted} pods updated")
    } else if rollout.ready < wanted {
        format!("{name}: {} of {wanted} pods ready", rollout.ready)
    } else if leftover > 0 {
        format!("{name}: old pods drain, {leftover} left")
    } else {
        return None;
    };
    let count = |number| u32::try_from(number).unwrap_or(0);
    Some(Assessment::counted(
        "RouterRollout",
        detail,
        count(updated),
        count(wanted),
    ))
}
