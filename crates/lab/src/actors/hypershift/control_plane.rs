//! The HostedControlPlane controller: what the control-plane operator and the hosted-cluster-config operator do.
//!
//! A pass goes through the stages in their order and stops at the first that is not there yet: addresses, PKI and etcd,
//! the API server, the other workloads, the guest's own content. The status tells how far it came.

mod access;
mod component_status;
mod etcd;
mod guest;
mod infrastructure;
mod pki;
mod status;
mod teardown;
mod version;
mod workloads;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{Result, name_of, namespace_of};
use crate::kind::{
    CONFIG_MAP, DEPLOYMENT, HOSTED_CONTROL_PLANE, JOB, MACHINE, PERSISTENT_VOLUME_CLAIM, ROUTE, SECRET, SERVICE,
    STATEFUL_SET,
};
use crate::objects::{annotation, is_deleting, is_rolled_out, write_status};
use crate::timers::Timers;

use super::components::{self, API_SERVER, CONTROL_PLANE_OPERATOR, Stage};
use super::identity_providers::{self, Assessment};
use super::index::Index;
use super::names::{CLUSTER_ANNOTATION, guest_id};
use super::paused::paused;
use infrastructure::Infrastructure;

/// How often a control plane that waits looks again, besides on events.
const AGAIN: Duration = Duration::from_mins(1);

/// The controller of HostedControlPlanes.
#[derive(Debug, Default)]
pub(crate) struct ControlPlanes {
    timers: Timers,
    /// HostedControlPlanes by their namespace.
    by_namespace: Index,
}

/// What a pass has found and made.
pub(super) struct Progress {
    infrastructure: Infrastructure,
    deployments: BTreeMap<String, Value>,
    etcd: Option<Value>,
    /// Why etcd's volumes are not there.
    pending_volume: Option<String>,
    has_kubeconfig: bool,
    has_password: bool,
    /// How the components are, where the release tells of them.
    components: Option<component_status::Summary>,
    /// What came of the identity providers, where there is an OAuth server to have them.
    identity: Option<Assessment>,
    /// Whether etcd began with the snapshot that it was to begin with, where that was looked at in this pass.
    snapshot_restored: Option<bool>,
    /// The image that the control plane's workloads are to have.
    image: Value,
    /// What the guest's own operators tell, once there are any.
    guest: Option<guest::Report>,
}

impl Actor for ControlPlanes {
    fn name(&self) -> &'static str {
        "hypershift"
    }

    fn manager(&self) -> &'static str {
        "control-plane-operator"
    }

    fn watches(&self) -> Vec<Watch> {
        let noted = self.by_namespace.clone();
        let own = move |control_plane: &Value| {
            let key = Key::of(control_plane);
            noted.note(Key::named(None, key.namespace().unwrap_or_default()), key.clone());
            vec![key]
        };
        let inside = |kind| {
            let index = self.by_namespace.clone();
            Watch::mapped(kind, move |object| {
                index.of(&Key::named(None, namespace_of(object).unwrap_or_default()))
            })
        };
        // What the operator copied here, and not what this controller made itself.
        let copied = |kind| {
            let index = self.by_namespace.clone();
            Watch::mapped(kind, move |object| match annotation(object, CLUSTER_ANNOTATION) {
                Some(_) if object["metadata"]["ownerReferences"].is_null() => {
                    index.of(&Key::named(None, namespace_of(object).unwrap_or_default()))
                }
                _ => Vec::new(),
            })
        };
        vec![
            Watch::mapped(HOSTED_CONTROL_PLANE, own),
            Watch::owned(SERVICE, HOSTED_CONTROL_PLANE),
            Watch::owned(ROUTE, HOSTED_CONTROL_PLANE),
            Watch::owned(STATEFUL_SET, HOSTED_CONTROL_PLANE),
            Watch::owned(DEPLOYMENT, HOSTED_CONTROL_PLANE),
            Watch::owned(JOB, HOSTED_CONTROL_PLANE),
            inside(PERSISTENT_VOLUME_CLAIM),
            inside(MACHINE),
            copied(SECRET),
            copied(CONFIG_MAP),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, key: &'a Key) -> BoxFuture<'a, Result<Next>> {
        self.reconcile(context, key).boxed()
    }
}

impl ControlPlanes {
    async fn reconcile(&self, context: &Context, key: &Key) -> Result<Next> {
        let client = &context.client;
        let Some(control_plane) = client.get(HOSTED_CONTROL_PLANE, key.namespace(), &key.name).await? else {
            return Ok(Next::OnEvent);
        };
        let operator = client
            .get(DEPLOYMENT, key.namespace(), CONTROL_PLANE_OPERATOR.name)
            .await?;
        // Without its operator a control plane does not go either.
        let runs = operator
            .as_ref()
            .is_some_and(|operator| operator["status"]["availableReplicas"].as_u64().unwrap_or(0) > 0);
        if is_deleting(&control_plane) && !runs {
            return Ok(Next::OnEvent);
        }
        if is_deleting(&control_plane) {
            return teardown::reconcile(context, &self.timers, &control_plane).await;
        }
        if !runs || !operator.is_some_and(|operator| is_rolled_out(&operator)) {
            return Ok(Next::OnEvent);
        }
        let (mut progress, next) = match paused(&control_plane, context.time.now()) {
            Some(pause) => {
                let mut progress = look(context, &control_plane).await?;
                if let Some(guest) = guest_id(&control_plane).and_then(|id| context.site.guests.find(&id)) {
                    progress.infrastructure.reached_at(&guest.url);
                }
                (progress, pause.ends())
            }
            None => self.advance(context, &control_plane).await?,
        };
        progress.components = component_status::report(context, &control_plane, &progress).await?;
        let status = status::compute(&control_plane, &progress, context);
        write_status(client, HOSTED_CONTROL_PLANE, &control_plane, &status).await?;
        Ok(next)
    }

    /// Goes through the stages as far as they lead.
    async fn advance(&self, context: &Context, control_plane: &Value) -> Result<(Progress, Next)> {
        infrastructure::ensure(context, control_plane).await?;
        let mut progress = look(context, control_plane).await?;
        (progress.has_kubeconfig, progress.has_password) = (false, false);
        let Some(address) = progress.infrastructure.address().map(str::to_owned) else {
            return Ok((progress, Next::After(AGAIN)));
        };
        pki::ensure(context, control_plane).await?;
        progress.has_password = access::ensure_password(context, control_plane).await?;
        workloads::ensure(context, control_plane, &progress, Stage::Infrastructure).await?;
        progress.etcd = Some(etcd::ensure(context, control_plane).await?);
        if !progress.etcd.as_ref().is_some_and(is_rolled_out) {
            progress.pending_volume = etcd::pending_volume(context, control_plane).await?;
            return Ok((progress, Next::OnEvent));
        }
        let Some(id) = guest_id(control_plane) else {
            return Ok((progress, Next::OnEvent));
        };
        if context.site.guests.find(&id).is_none() {
            progress.snapshot_restored = etcd::restore(context, control_plane, &id).await;
            if progress.snapshot_restored == Some(false) {
                return Ok((progress, Next::After(AGAIN)));
            }
        }
        let guest = match context.site.guests.ensure(&id, &address).await {
            Ok(guest) => guest,
            Err(error) => {
                tracing::warn!(guest = %id.name, error, "the guest's API server does not start");
                return Ok((progress, Next::After(AGAIN)));
            }
        };
        super::break_glass::trust(context, namespace_of(control_plane).unwrap_or_default(), &id).await?;
        progress.infrastructure.reached_at(&guest.url);
        access::ensure_kubeconfigs(context, control_plane, &guest).await?;
        progress.has_kubeconfig = true;
        workloads::ensure(context, control_plane, &progress, Stage::Etcd).await?;
        if !progress.is_rolled_out(API_SERVER.name) {
            return Ok((progress, Next::OnEvent));
        }
        if control_plane["spec"]["configuration"]["authentication"]["type"] != "OIDC" {
            progress.identity = Some(identity_providers::assess(context, control_plane).await?);
        }
        guest::first_password(context, control_plane, &guest).await?;
        workloads::ensure(context, control_plane, &progress, Stage::ApiServer).await?;
        workloads::scale_autoscaler(context, control_plane, &progress.deployments).await?;
        if progress.is_rolled_out("cluster-network-operator") {
            workloads::ensure(context, control_plane, &progress, Stage::NetworkOperator).await?;
        }
        if !progress.is_rolled_out("hosted-cluster-config-operator") {
            return Ok((progress, Next::OnEvent));
        }
        let (report, next) = guest::reconcile(context, &self.timers, control_plane, &guest, &progress).await?;
        progress.guest = Some(report);
        Ok((progress, next))
    }
}

/// What is there, without making anything: all that a paused control plane tells.
async fn look(context: &Context, control_plane: &Value) -> Result<Progress> {
    let client = &context.client;
    let namespace = namespace_of(control_plane);
    let deployments = client.list(DEPLOYMENT, namespace, "").await?;
    let status = &control_plane["status"];
    Ok(Progress {
        infrastructure: infrastructure::look(context, control_plane).await?,
        deployments: deployments
            .into_iter()
            .map(|object| (name_of(&object).to_owned(), object))
            .collect(),
        etcd: client.get(STATEFUL_SET, namespace, "etcd").await?,
        pending_volume: None,
        has_kubeconfig: status["kubeConfig"].is_object(),
        has_password: status["kubeadminPassword"].is_object(),
        components: None,
        identity: None,
        snapshot_restored: None,
        image: components::image(control_plane).clone(),
        guest: None,
    })
}

impl Progress {
    /// Whether a Deployment is there with all its replicas, of the release that is wanted.
    fn is_rolled_out(&self, name: &str) -> bool {
        self.deployments.get(name).is_some_and(|deployment| {
            let container = &deployment["spec"]["template"]["spec"]["containers"][0];
            container["image"] == self.image && is_rolled_out(deployment)
        })
    }
}
