//! The steps of an InstallPlan: ClusterServiceVersions, then definitions, then the rest.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{CATALOG_OPERATOR, NAME, component_label};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::catalog::{self, Bundle, GLOBAL_NAMESPACE, InstallMode};
use crate::client::{self, name_of, namespace_of};
use crate::kind::{CLUSTER_SERVICE_VERSION, CUSTOM_RESOURCE_DEFINITION, INSTALL_PLAN, Kind, SERVICE_ACCOUNT};
use crate::manifest::{owner, set_labels};
use crate::objects::is_deleting;

/// How long it takes until a plan is looked at, and for each of its steps.
const PICK_UP: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_secs(2);

/// OLM's catalog operator, as far as InstallPlans go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InstallPlans;

/// One object that a plan makes.
struct Step {
    service_version: String,
    catalog: &'static str,
    kind: Kind,
    object: Value,
}

impl Actor for InstallPlans {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        CATALOG_OPERATOR
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::own(INSTALL_PLAN)]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context, key).boxed()
    }
}

async fn reconcile(context: &Context, key: &Key) -> client::Result<Next> {
    let Some(plan) = context.client.get(INSTALL_PLAN, key.namespace(), &key.name).await? else {
        return Ok(Next::OnEvent);
    };
    if is_deleting(&plan) {
        return Ok(Next::OnEvent);
    }
    let approved = plan["spec"]["approved"] == true;
    match plan["status"]["phase"].as_str().unwrap_or_default() {
        "Complete" | "Failed" => {}
        "RequiresApproval" if !approved => {}
        "Installing" => install(context, key, &plan).await?,
        _ => {
            context.time.work(PICK_UP).await;
            let phase = if approved { "Installing" } else { "RequiresApproval" };
            let steps = steps(context, &plan);
            write(context, key, &plan, phase, &plan_status(&steps, 0), &[]).await?;
        }
    }
    Ok(Next::OnEvent)
}

/// Applies step after step. Each leaves what is there, so that beginning anew after a kill does no harm.
async fn install(context: &Context, key: &Key, plan: &Value) -> client::Result<()> {
    let steps = steps(context, plan);
    for (done, step) in steps.iter().enumerate() {
        context.time.work(STEP).await;
        apply(context, step).await?;
        if done + 1 < steps.len() {
            write(context, key, plan, "Installing", &plan_status(&steps, done + 1), &[]).await?;
        }
    }
    let now = context.time.stamp();
    let installed = json!({ "type": "Installed", "status": "True", "lastTransitionTime": now, "lastUpdateTime": now });
    write(
        context,
        key,
        plan,
        "Complete",
        &plan_status(&steps, steps.len()),
        &[installed],
    )
    .await
}

async fn apply(context: &Context, step: &Step) -> client::Result<()> {
    let mut object = step.object.clone();
    if step.kind == SERVICE_ACCOUNT {
        let version = context
            .client
            .get(CLUSTER_SERVICE_VERSION, namespace_of(&object), &step.service_version)
            .await?;
        if let Some(version) = version {
            object["metadata"]["ownerReferences"] = json!([owner(CLUSTER_SERVICE_VERSION, &version)]);
        }
    }
    if step.kind == CLUSTER_SERVICE_VERSION {
        replace_installed(context, &mut object).await?;
    }
    if step.kind == CUSTOM_RESOURCE_DEFINITION {
        // A definition that is there is brought to the bundle's form; what is stored under it stays.
        return context.client.apply(step.kind, &object).await.map(|_| ());
    }
    context.client.create(step.kind, &object).await.map(|_| ())
}

/// A version replaces the one that is installed, even where the catalog has others between them.
async fn replace_installed(context: &Context, version: &mut Value) -> client::Result<()> {
    let labels = version["metadata"]["labels"].as_object();
    let component = labels
        .and_then(|labels| labels.keys().next())
        .cloned()
        .unwrap_or_default();
    let siblings = context
        .client
        .list(CLUSTER_SERVICE_VERSION, namespace_of(version), &component)
        .await?;
    let installed = siblings
        .iter()
        .find(|sibling| name_of(sibling) != name_of(version) && !is_deleting(sibling));
    if let Some(installed) = installed {
        version["spec"]["replaces"] = name_of(installed).into();
    }
    Ok(())
}

async fn write(
    context: &Context,
    key: &Key,
    plan: &Value,
    phase: &str,
    steps: &Value,
    conditions: &[Value],
) -> client::Result<()> {
    let started = plan["status"]["startTime"]
        .as_str()
        .map_or_else(|| context.time.stamp(), str::to_owned);
    let mut status =
        json!({ "phase": phase, "catalogSources": catalogs(steps), "plan": steps, "conditions": conditions });
    if phase != "RequiresApproval" {
        status["startTime"] = started.into();
    }
    context
        .client
        .status(INSTALL_PLAN, key.namespace(), &key.name, &status)
        .await
        .map(|_| ())
}

fn catalogs(steps: &Value) -> Value {
    let sources = steps
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(|step| &step["resource"]["sourceName"]);
    let mut names: Vec<&Value> = Vec::new();
    for source in sources {
        if !names.contains(&source) {
            names.push(source);
        }
    }
    json!(names)
}

fn plan_status(steps: &[Step], done: usize) -> Value {
    let entry = |(index, step): (usize, &Step)| {
        json!({
            "resolving": step.service_version,
            "resource": {
                "group": step.kind.group,
                "version": step.kind.version,
                "kind": step.kind.kind,
                "name": name_of(&step.object),
                "sourceName": step.catalog,
                "sourceNamespace": GLOBAL_NAMESPACE,
            },
            "status": if index < done { "Created" } else { "Unknown" },
        })
    };
    steps.iter().enumerate().map(entry).collect()
}

fn steps(context: &Context, plan: &Value) -> Vec<Step> {
    let namespace = namespace_of(plan).unwrap_or_default();
    let names = plan["spec"]["clusterServiceVersionNames"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let bundles: Vec<Bundle> = names
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|name| catalog::bundle(context.generation, name))
        .collect();
    let packages = catalog::packages(context.generation);
    let mut steps = Vec::new();
    for bundle in &bundles {
        let package = packages.iter().find(|package| package.name == bundle.package);
        let display_name = package.map_or(bundle.package, |package| package.display_name);
        let catalog = package.map_or("", |package| package.catalog);
        let contents = bundle.contents();
        let label = component_label(bundle.package, namespace);
        let mut add = |kind: Kind, mut object: Value| {
            set_labels(&mut object, &[(&label, "")]);
            steps.push(Step {
                service_version: bundle.name.clone(),
                catalog,
                kind,
                object,
            });
        };
        add(
            CLUSTER_SERVICE_VERSION,
            service_version(bundle, &contents, display_name, namespace),
        );
        for crd in context.site.schemas.resolve(contents.crds.clone()) {
            add(CUSTOM_RESOURCE_DEFINITION, crd);
        }
        for account in &contents.service_accounts {
            add(
                SERVICE_ACCOUNT,
                json!({ "metadata": { "name": account, "namespace": namespace } }),
            );
        }
    }
    steps.sort_by_key(|step| match step.kind {
        CLUSTER_SERVICE_VERSION => 0,
        CUSTOM_RESOURCE_DEFINITION => 1,
        _ => 2,
    });
    steps
}

fn service_version(bundle: &Bundle, contents: &catalog::Contents, display_name: &str, namespace: &str) -> Value {
    let mode =
        |mode: InstallMode| json!({ "type": mode.as_str(), "supported": contents.install_modes.contains(&mode) });
    let image = |(name, image): &(&str, String)| json!({ "name": name, "image": image });
    let mut spec = json!({
        "displayName": display_name,
        "description": contents.description,
        "version": bundle.version,
        "maturity": "stable",
        "provider": { "name": "Red Hat" },
        "minKubeVersion": "1.16.0",
        "installModes": InstallMode::ALL.map(mode),
        "customresourcedefinitions": { "owned": catalog::owned(&contents.crds) },
        "relatedImages": contents.related_images.iter().map(image).collect::<Vec<_>>(),
        "install": { "strategy": "deployment", "spec": { "deployments": contents.deployments } },
    });
    if let Some(replaces) = &bundle.replaces {
        spec["replaces"] = replaces.as_str().into();
    }
    json!({
        "metadata": {
            "name": bundle.name,
            "namespace": namespace,
            "annotations": {
                "operatorframework.io/suggested-namespace": contents.suggested_namespace,
                "operatorframework.io/arch": "amd64",
            },
        },
        "spec": spec,
    })
}
