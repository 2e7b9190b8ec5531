//! `POST` to a pod's `eviction`: a deletion that a disruption budget may put off.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    context::Context,
    delete::{DeleteOptions, delete_one},
    scale::selector_text,
};
use crate::{
    Body,
    admission::{Ownership, Write, WriteOptions},
    decode, negotiate, object, objects,
    selector::LabelSelector,
    status::{ApiError, Result},
    store::{ObjectKey, ResourceId, WriteError},
};

const GROUP: &str = "policy";
const BUDGETS: &str = "poddisruptionbudgets";
/// How often a budget is asked again because it changed meanwhile.
const TRIES: usize = 16;
const REFUSAL: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

/// Asks the distribution whether a pod may be evicted.
pub(super) async fn admit(context: &Context<'_>) -> Result<()> {
    let (Some(extension), Ok(stored)) = (&context.state.extension, context.stored()) else {
        return Ok(());
    };
    let pod = objects::value(&context.resource, &stored);
    extension
        .before_eviction(pod)
        .await
        .map_err(|message| ApiError::TooManyRequests {
            message,
            cause: None,
            retry_after: None,
        })
}

pub(super) fn evict(context: &mut Context<'_>, body: &Bytes) -> Result<Response<Body>> {
    let eviction = decode::decode(body, negotiate::body_type(context.headers())?)?.value;
    if object::name(&eviction) != context.name() {
        return Err(ApiError::bad_request(
            "name in URL does not match name in Eviction object",
        ));
    }
    let mut options = DeleteOptions::of(&eviction["deleteOptions"], &context.query)?;
    let stored = context.stored()?;
    let resource = Arc::clone(&context.resource);
    let pod = objects::value(&resource, &stored);
    if !may_be_ignored(&pod) {
        let budgets = budgets_of(context, &pod)?;
        match budgets.as_slice() {
            [] => {}
            [budget] if is_spare(&pod, budget) => {
                options
                    .resource_version
                    .get_or_insert_with(|| object::meta(&pod, "resourceVersion").to_owned());
            }
            [budget] => take(context, &pod, object::name(budget), options.dry_run)?,
            _ => {
                let text =
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
                return Err(ApiError::Unexplained(text.to_owned()));
            }
        }
    }
    delete_one(context.state, &resource, stored, &options)?.ok_or_else(|| context.not_found())?;
    context.respond_plain(
        StatusCode::CREATED,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}),
    )
}

/// A pod that has ended, or has not begun, disrupts nobody.
fn may_be_ignored(pod: &Value) -> bool {
    matches!(
        pod["status"]["phase"].as_str(),
        Some("Succeeded" | "Failed" | "Pending")
    ) || object::is_deleting(pod)
}

/// Whether a pod does not count as healthy, and its budget has enough others that do.
fn is_spare(pod: &Value, budget: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    let ready = conditions
        .into_iter()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    let (current, desired) = (number(budget, "currentHealthy"), number(budget, "desiredHealthy"));
    let always = budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow";
    !ready && (always || (current >= desired && desired > 0))
}

fn budgets_of(context: &Context<'_>, pod: &Value) -> Result<Vec<Value>> {
    let registry = context.state.registry();
    let resource = registry.built_in(GROUP, BUDGETS);
    let listing = context.state.store.list(&resource.id, Some(context.namespace()));
    let all = listing.objects.iter().map(|stored| objects::value(resource, stored));
    let mut found = Vec::new();
    for budget in all {
        let selector =
            LabelSelector::parse(&selector_text(&budget["spec"]["selector"])).map_err(ApiError::BadRequest)?;
        // A budget without a selector is nobody's, not everybody's.
        if !selector.is_empty() && selector.matches(|label| pod["metadata"]["labels"][label].as_str()) {
            found.push(budget);
        }
    }
    Ok(found)
}

fn number(budget: &Value, field: &str) -> i64 {
    budget["status"][field].as_i64().unwrap_or(0)
}

/// Takes one disruption from a budget, if it has one left.
fn take(context: &mut Context<'_>, pod: &Value, name: &str, dry_run: bool) -> Result<()> {
    let registry = context.state.registry();
    let resource = registry.built_in(GROUP, BUDGETS);
    let key = ObjectKey::new(context.namespace(), name);
    for _ in 0..TRIES {
        let Some(stored) = context.state.store.get(&resource.id, &key) else {
            return Ok(());
        };
        let live = objects::value(resource, &stored);
        check(&live)?;
        if dry_run {
            return Ok(());
        }
        let mut changed = live.clone();
        changed["status"]["disruptionsAllowed"] = (number(&live, "disruptionsAllowed") - 1).into();
        changed["status"]["disruptedPods"][object::name(pod)] = context.state.stamp().into();
        let options = WriteOptions::internal("kube-apiserver");
        let change = Write {
            state: context.state,
            identity: context.identity,
            resource,
            subresource: "status",
            options: &options,
            ownership: Ownership::Update,
            warnings: &mut context.warnings,
        }
        .update(&live, changed)?;
        let crate::admission::Change::To(changed) = change else {
            return Ok(());
        };
        match objects::replace(context.state, resource, &stored, changed) {
            Ok(_) => return Ok(()),
            Err(WriteError::Changed) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(WriteError::Changed.into())
}

fn check(budget: &Value) -> Result<()> {
    let name = object::name(budget);
    let refused = |cause: String, seconds| {
        Err(ApiError::TooManyRequests {
            message: REFUSAL.to_owned(),
            cause: Some(json!({"reason": "DisruptionBudget", "message": cause})),
            retry_after: seconds,
        })
    };
    if budget["status"]["observedGeneration"].as_i64().unwrap_or(0)
        < budget["metadata"]["generation"].as_i64().unwrap_or(0)
    {
        return refused(
            format!("The disruption budget {name} is still being processed by the server."),
            Some(10),
        );
    }
    match number(budget, "disruptionsAllowed") {
        0 => {
            let (desired, current) = (number(budget, "desiredHealthy"), number(budget, "currentHealthy"));
            refused(
                format!("The disruption budget {name} needs {desired} healthy pods and has {current} currently"),
                None,
            )
        }
        allowed if allowed < 0 => Err(ApiError::Forbidden {
            resource: Some(ResourceId::new(GROUP, "poddisruptionbudget")),
            name: name.to_owned(),
            why: "pdb disruptions allowed is negative".to_owned(),
            cause: None,
        }),
        _ => Ok(()),
    }
}
