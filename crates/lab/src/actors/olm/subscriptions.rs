//! From Subscriptions to InstallPlans. The key is a namespace: OLM resolves all Subscriptions of one together.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::resolve::{self, Input, Unsatisfiable, Wanted};
use super::subscription_status::Status;
use super::{CATALOG_OPERATOR, NAME, component_label, unpack};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::actors::events;
use crate::actors::seen::Seen;
use crate::catalog;
use crate::client::{self, name_of, namespace_of};
use crate::kind::{
    CATALOG_SOURCE, CLUSTER_SERVICE_VERSION, INSTALL_PLAN, JOB, NAMESPACE, OPERATOR_GROUP, SUBSCRIPTION,
};
use crate::manifest::{owner, set_labels, status_patch};
use crate::objects::{is_deleting, uid};

/// How long the resolver takes.
const RESOLVE: Duration = Duration::from_secs(8);
/// How often an unfinished unpacking is looked at.
const UNPACK_POLL: Duration = Duration::from_secs(5);

/// OLM's catalog operator, as far as Subscriptions go.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    namespaces: Seen,
}

/// What a namespace holds, read together.
struct Namespace {
    name: String,
    subscriptions: Vec<Value>,
    plans: Vec<Value>,
    service_versions: Vec<Value>,
}

impl Actor for Subscriptions {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        CATALOG_OPERATOR
    }

    fn watches(&self) -> Vec<Watch> {
        let namespace = |object: &Value| {
            namespace_of(object)
                .map(|name| Key::named(None, name))
                .into_iter()
                .collect()
        };
        vec![
            self.namespaces.remember(SUBSCRIPTION, namespace),
            Watch::mapped(OPERATOR_GROUP, namespace),
            Watch::mapped(INSTALL_PLAN, namespace),
            Watch::mapped(CLUSTER_SERVICE_VERSION, namespace),
            self.namespaces.wake_all(CATALOG_SOURCE, |_| true),
            self.namespaces.wake_all(JOB, unpack::is_unpack_job),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, &key.name).boxed()
    }
}

async fn reconcile(context: &Context, name: &str) -> client::Result<Next> {
    let namespace = read(context, name).await?;
    if namespace.subscriptions.is_empty() {
        return Ok(Next::OnEvent);
    }
    let catalogs = context.client.list(CATALOG_SOURCE, None, "").await?;
    if update(context, &namespace.subscriptions, |subscription, status| {
        status.catalogs(subscription, &catalogs);
    })
    .await?
    {
        return Ok(Next::OnEvent);
    }
    // Without exactly one group OLM gives up here, before any condition says so.
    let groups = context.client.list(OPERATOR_GROUP, Some(name), "").await?;
    if groups.len() != 1 {
        return Ok(Next::OnEvent);
    }
    if update(context, &namespace.subscriptions, |_, status| {
        follow(&namespace, status);
    })
    .await?
    {
        return Ok(Next::OnEvent);
    }
    let packages = catalog::packages(context.generation);
    let input = Input {
        subscriptions: &namespace.subscriptions,
        service_versions: &namespace.service_versions,
        catalogs: &catalogs,
        packages: &packages,
    };
    match adopted(&namespace, &packages) {
        Some((subscription, plan, version)) => {
            let subscription = std::slice::from_ref(subscription);
            update(context, subscription, |_, status| status.follows(plan, &version)).await?;
            Ok(Next::OnEvent)
        }
        None => match resolve::resolve(&input) {
            Err(problem) => unsatisfiable(context, &namespace, &problem).await,
            Ok(wanted) => install(context, &namespace, &wanted).await,
        },
    }
}

async fn read(context: &Context, name: &str) -> client::Result<Namespace> {
    let client = &context.client;
    let mut subscriptions = client.list(SUBSCRIPTION, Some(name), "").await?;
    subscriptions.retain(|subscription| !is_deleting(subscription));
    let mut plans = client.list(INSTALL_PLAN, Some(name), "").await?;
    // Plans of a Subscription of the same name that is gone are about to be collected: they are not ours.
    plans.retain(|plan| !is_deleting(plan) && subscriptions.iter().any(|subscription| is_owned_by(plan, subscription)));
    let mut service_versions = client.list(CLUSTER_SERVICE_VERSION, Some(name), "").await?;
    service_versions.retain(|version| version["metadata"]["labels"]["olm.copiedFrom"].is_null());
    Ok(Namespace {
        name: name.to_owned(),
        subscriptions,
        plans,
        service_versions,
    })
}

fn is_owned_by(object: &Value, owner: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    owners.iter().any(|reference| reference["uid"] == uid(owner))
}

/// Makes each Subscription's status what a function says; whether anything was written.
async fn update(
    context: &Context,
    subscriptions: &[Value],
    change: impl Fn(&Value, &mut Status),
) -> client::Result<bool> {
    let mut written = false;
    for subscription in subscriptions {
        let mut status = Status::of(subscription, &context.time.stamp());
        change(subscription, &mut status);
        let status = status.finish(subscription);
        if let Some(patch) = status_patch(&subscription["status"], &status) {
            context
                .client
                .status(SUBSCRIPTION, namespace_of(subscription), name_of(subscription), &patch)
                .await?;
            written = true;
        }
    }
    Ok(written)
}

/// What has become of the plan and the version that a Subscription speaks of.
fn follow(namespace: &Namespace, status: &mut Status) {
    let Some(current) = status.text("currentCSV").map(str::to_owned) else {
        return;
    };
    let exists = namespace
        .service_versions
        .iter()
        .any(|version| name_of(version) == current);
    let plan = status.text_at("installplan", "name").map(str::to_owned);
    let plan = plan.map(|name| namespace.plans.iter().find(|plan| name_of(plan) == name));
    match plan {
        Some(Some(plan)) => status.plan_phase(plan),
        Some(None) => status.plan_gone(),
        None => {}
    }
    if exists && status.text("currentCSV") == Some(current.as_str()) {
        status.installed(&current);
    }
}

/// A plan that was made for a Subscription which does not know of it yet: the actor was killed in between.
fn adopted<'a>(namespace: &'a Namespace, packages: &[catalog::Package]) -> Option<(&'a Value, &'a Value, String)> {
    namespace.subscriptions.iter().find_map(|subscription| {
        let known = subscription["status"]["installPlanGeneration"].as_u64().unwrap_or(0);
        let package = packages
            .iter()
            .find(|package| subscription["spec"]["name"] == package.name)?;
        let newer = namespace
            .plans
            .iter()
            .filter(|plan| plan["spec"]["generation"].as_u64().unwrap_or(0) > known);
        newer.filter(|plan| is_owned_by(plan, subscription)).find_map(|plan| {
            let names = plan["spec"]["clusterServiceVersionNames"]
                .as_array()?
                .iter()
                .filter_map(Value::as_str);
            let of_package = |name: &&str| package.channels.iter().any(|channel| channel.position(name).is_some());
            names
                .into_iter()
                .find(of_package)
                .map(|name| (subscription, plan, name.to_owned()))
        })
    })
}

async fn unsatisfiable(context: &Context, namespace: &Namespace, problem: &Unsatisfiable) -> client::Result<Next> {
    let Unsatisfiable(message) = problem;
    let reason = "ConstraintsNotSatisfiable";
    if update(context, &namespace.subscriptions, |_, status| {
        status.raise("ResolutionFailed", reason, message);
    })
    .await?
    {
        let subject = context
            .client
            .get(NAMESPACE, None, &namespace.name)
            .await?
            .unwrap_or_default();
        events::record(context, NAMESPACE, &subject, "Warning", "ResolutionFailed", message).await?;
    }
    Ok(Next::OnEvent)
}

/// Unpacks what is wanted, then makes one plan for all of it.
async fn install(context: &Context, namespace: &Namespace, wanted: &[Wanted]) -> client::Result<Next> {
    if wanted.is_empty() {
        update(context, &namespace.subscriptions, |_, status| {
            status.clear("ResolutionFailed");
        })
        .await?;
        return Ok(Next::OnEvent);
    }
    let under_way = namespace
        .plans
        .iter()
        .any(|plan| !matches!(plan["status"]["phase"].as_str(), Some("Complete" | "Failed")));
    if under_way {
        return Ok(Next::OnEvent);
    }
    if !unpack::has_begun(context, wanted).await? {
        context.time.work(RESOLVE).await;
    }
    let is_wanted = |subscription: &Value| wanted.iter().any(|wanted| wanted.subscription == name_of(subscription));
    let pending = unpack::pending(context, wanted).await?;
    update(context, &namespace.subscriptions, |subscription, status| {
        status.clear("ResolutionFailed");
        if let (true, Some(pending)) = (is_wanted(subscription), &pending) {
            status.raise("BundleUnpacking", "UnpackingInProgress", pending);
        }
    })
    .await?;
    if pending.is_some() {
        return Ok(Next::After(UNPACK_POLL));
    }
    // What was read before may be old by now: a Subscription may have gone meanwhile.
    let fresh = read(context, &namespace.name).await?;
    if fresh.subscriptions.len() != namespace.subscriptions.len() || fresh.plans.len() != namespace.plans.len() {
        return Ok(Next::After(Duration::from_secs(1)));
    }
    create_plan(context, &fresh, wanted).await?;
    Ok(Next::After(Duration::from_secs(1)))
}

async fn create_plan(context: &Context, namespace: &Namespace, wanted: &[Wanted]) -> client::Result<()> {
    let is_manual = |subscription: &Value| subscription["spec"]["installPlanApproval"] == "Manual";
    // One Manual Subscription makes the plans of its whole namespace manual.
    let manual = context.site.faults.manual_approval || namespace.subscriptions.iter().any(is_manual);
    let generations = namespace
        .plans
        .iter()
        .filter_map(|plan| plan["spec"]["generation"].as_u64());
    let mut plan = json!({
        "metadata": {
            "name": format!("install-{}", context.random.suffix(5)),
            "namespace": namespace.name,
            "ownerReferences": namespace.subscriptions.iter().map(|it| owner(SUBSCRIPTION, it)).collect::<Vec<_>>(),
        },
        "spec": {
            "approval": if manual { "Manual" } else { "Automatic" },
            "approved": !manual,
            "clusterServiceVersionNames": wanted.iter().map(|wanted| &wanted.bundle.name).collect::<Vec<_>>(),
            "generation": generations.max().unwrap_or(0) + 1,
        },
    });
    for wanted in wanted {
        set_labels(
            &mut plan,
            &[(&component_label(wanted.bundle.package, &namespace.name), "")],
        );
    }
    context.client.create(INSTALL_PLAN, &plan).await?;
    Ok(())
}
