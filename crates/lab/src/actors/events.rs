//! Events as operators write them: one object for each reason on each object, counted up when it happens again.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{self, name_of, namespace_of};
use crate::kind::{EVENT, Kind};

/// Records an event on an object. The same event again does nothing while it stands there: a lab that counted would write
/// on every reconcile.
pub(crate) async fn record(
    context: &Context,
    kind: Kind,
    object: &Value,
    level: &str,
    reason: &str,
    message: &str,
) -> client::Result<()> {
    record_as(context, context.client.manager(), kind, object, level, reason, message).await
}

/// The same, by a component that goes by another name in events than as a writer.
pub(crate) async fn record_as(
    context: &Context,
    component: &str,
    kind: Kind,
    object: &Value,
    level: &str,
    reason: &str,
    message: &str,
) -> client::Result<()> {
    let now = context.time.stamp();
    // Named by what it is about, so that the same one is found again; upstream names by time.
    let suffix = crate::hash::hex(&[kind.kind, reason, message], 8);
    let event = json!({
        "metadata": {
            "name": format!("{}.{suffix}", name_of(object)),
            "namespace": namespace_of(object).unwrap_or("default"),
        },
        "involvedObject": {
            "apiVersion": kind.api_version(),
            "kind": kind.kind,
            "name": name_of(object),
            "namespace": namespace_of(object),
            "uid": object["metadata"]["uid"],
        },
        "type": level,
        "reason": reason,
        "message": message,
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "reportingComponent": component,
        "reportingInstance": "",
        "source": { "component": component },
    });
    // The namespace may be on its way out: an event that cannot be written is no reason to fail.
    match context.client.create(EVENT, &event).await {
        Err(kube::Error::Api(_)) => Ok(()),
        other => other.map(drop),
    }
}
