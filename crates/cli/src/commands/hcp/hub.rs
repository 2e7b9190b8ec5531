//! The management cluster as `hcp` meets it: which one, what its HyperShift knows, how objects are written and waited for.

use std::path::Path;
use std::time::Duration;

use berth_api::Resource;
use berth_procedure::render::Rendered;
use berth_procedure::{Generate, ObjectRef};
use futures::StreamExt as _;
use http::header::CONTENT_TYPE;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::watch_object;
use kube::{Api, Client, Config};
use serde_json::{Value, json};

use crate::connect;
use crate::discovery::get;
use crate::env;
use crate::failure::{Attempted as _, Failure, Result};
use crate::labs;
use crate::random;

/// The field manager of the real `hcp`.
const MANAGER: &str = "hypershift-cli";
const JSON: &str = "application/json";
const HYPERSHIFT: &str = "/apis/hypershift.openshift.io/v1beta1";

/// What an object is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    /// To be.
    Really,
    /// To hear whether it could be.
    Dry,
}

/// As `hcp` finds its cluster; and, where there is none, the lab that runs.
pub(super) async fn client(file: Option<&Path>) -> Result<Client> {
    if let Some(file) = file {
        let unusable = format!("unable to build config from kubeconfig \"{}\"", file.display());
        return match connect::client(Some(file), None).await {
            Ok((client, _)) => Ok(client),
            Err(failure) => Err(Failure {
                message: format!("{unusable}: {}", failure.message),
                ..failure
            }),
        };
    }
    if let Some(file) = env::kubeconfig() {
        return Ok(connect::client(Some(&file), None).await?.0);
    }
    if let Ok(config) = Config::incluster() {
        return connect::from_config(config).attempted("could not make a client for this cluster");
    }
    let running = labs::running()?;
    let lab = running
        .first()
        .ok_or_else(|| Failure::failed("there is no kubeconfig, and no lab runs"))?;
    Ok(connect::client(Some(&lab.kubeconfig), None).await?.0)
}

/// The definition of HostedCluster. Who may not read definitions is told the same by the server's OpenAPI document.
pub(super) async fn hosted_cluster_definition(client: &Client) -> Result<Value> {
    let crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/hostedclusters.hypershift.openshift.io";
    match get(client, crd, JSON).await {
        Ok(crd) => Ok(crd),
        Err(kube::Error::Api(status)) if status.code == 403 => {
            let document = get(client, &format!("/openapi/v3{HYPERSHIFT}"), JSON)
                .await
                .unwrap_or_default();
            Ok(from_openapi(&document))
        }
        Err(kube::Error::Api(status)) if status.code == 404 => Err(Failure::failed(
            "no matches for kind \"HostedCluster\" in version \"hypershift.openshift.io/v1beta1\"",
        )
        .hint("install the multicluster engine first")),
        Err(error) => Err(Failure::failed("could not read the definition of HostedCluster").because(&error)),
    }
}

/// The same shape as a definition has, from an OpenAPI document.
fn from_openapi(document: &Value) -> Value {
    let schemas = document["components"]["schemas"].as_object();
    let schema = schemas.into_iter().flatten().map(|(_, schema)| schema).find(|schema| {
        let kinds = schema["x-kubernetes-group-version-kind"].as_array();
        kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] == "HostedCluster"))
    });
    json!({"spec": {"versions": [{"name": "v1beta1", "schema": {"openAPIV3Schema": schema}}]}})
}

/// An object, if it is there.
pub(super) async fn find(
    client: &Client,
    resource: &Resource,
    namespace: &str,
    name: &str,
) -> Result<Option<Value>, kube::Error> {
    let path = format!("{}/{name}", collection(resource, Some(namespace)));
    match get(client, &path, JSON).await {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates HostedClusters, and pools that are asked for alone; applies everything else.
pub(super) async fn write(client: &Client, rendered: &Rendered, create: bool, write: Write) -> Result<(), kube::Error> {
    let mut object = rendered.complete();
    for generate in &rendered.generate {
        let Generate::RandomBytes { key, length } = generate;
        object["data"][key] = random::base64(*length).into();
    }
    let ObjectRef {
        target: _,
        resource,
        namespace,
        name,
    } = &rendered.object;
    let collection = collection(resource, namespace.as_deref());
    let dry = if write == Write::Dry {
        "&dryRun=All&fieldValidation=Strict"
    } else {
        ""
    };
    let request = if create {
        http::Request::post(format!("{collection}?fieldManager={MANAGER}{dry}")).header(CONTENT_TYPE, JSON)
    } else {
        http::Request::patch(format!("{collection}/{name}?fieldManager={MANAGER}&force=true{dry}"))
            .header(CONTENT_TYPE, "application/apply-patch+yaml")
    };
    send(client, request, Some(&object)).await.map(|_| ())
}

/// Changes fields of an object.
pub(super) async fn merge(
    client: &Client,
    resource: &Resource,
    namespace: &str,
    name: &str,
    fields: &Value,
) -> Result<(), kube::Error> {
    let path = format!("{}/{name}", collection(resource, Some(namespace)));
    let request = http::Request::patch(path).header(CONTENT_TYPE, "application/merge-patch+json");
    send(client, request, Some(fields)).await.map(|_| ())
}

/// Deletes an object; whether it was there.
pub(super) async fn delete(
    client: &Client,
    resource: &Resource,
    namespace: &str,
    name: &str,
) -> Result<bool, kube::Error> {
    let path = format!("{}/{name}", collection(resource, Some(namespace)));
    match send(client, http::Request::delete(path), None).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(error),
    }
}

/// Deletes all objects of a kind that carry a label.
pub(super) async fn delete_labelled(
    client: &Client,
    resource: &Resource,
    namespace: &str,
    label: &str,
) -> Result<(), kube::Error> {
    let label = label.replace('/', "%2F").replace('=', "%3D");
    let path = format!("{}?labelSelector={label}", collection(resource, Some(namespace)));
    send(client, http::Request::delete(path), None).await.map(|_| ())
}

/// Looks until a look finds what it wants. A watch rings as soon as something changes; who may not watch looks as often as
/// `hcp` does. Before each of those waits `said` is told.
pub(super) async fn until<T>(
    client: &Client,
    (resource, namespace, name): (&Resource, &str, &str),
    every: Duration,
    said: impl Fn(),
    look: impl AsyncFn() -> Result<Option<T>>,
) -> Result<T> {
    let kind = GroupVersionKind::gvk(resource.group, resource.version, resource.kind);
    let kind = ApiResource::from_gvk_with_plural(&kind, resource.plural);
    let objects: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &kind);
    let mut bell = std::pin::pin!(watch_object(objects, name).default_backoff());
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        said();
        let wait = tokio::time::sleep(every);
        tokio::pin!(wait);
        loop {
            // Neither arm loses anything where the other comes first: the wait goes on, and a change is looked at anew.
            tokio::select! {
                () = &mut wait => break,
                _ = bell.next() => if let Some(found) = look().await? {
                    return Ok(found);
                },
            }
        }
    }
}

fn collection(resource: &Resource, namespace: Option<&str>) -> String {
    let root = if resource.group.is_empty() {
        format!("/api/{}", resource.version)
    } else {
        format!("/apis/{}/{}", resource.group, resource.version)
    };
    match namespace {
        Some(namespace) => format!("{root}/namespaces/{namespace}/{}", resource.plural),
        None => format!("{root}/{}", resource.plural),
    }
}

async fn send(client: &Client, request: http::request::Builder, body: Option<&Value>) -> Result<Value, kube::Error> {
    let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    client
        .request(request.body(body).map_err(kube::Error::HttpError)?)
        .await
}

#[cfg(test)]
mod tests {
    use berth_procedure::render::Dialect;
    use serde_json::json;

    use super::from_openapi;

    #[test]
    fn who_may_not_read_definitions_learns_the_generation_from_openapi() {
        let document = |properties: serde_json::Value| {
            json!({"components": {"schemas": {
                "io.hypershift.NodePool": {"x-kubernetes-group-version-kind": [{"kind": "NodePool"}]},
                "io.hypershift.HostedCluster": {
                    "properties": {"spec": {"properties": properties}},
                    "x-kubernetes-group-version-kind": [{"kind": "HostedCluster"}],
                },
            }}})
        };
        let generation = |properties| Dialect::of_crd(&from_openapi(&document(properties)));
        assert_eq!(generation(json!({"capabilities": {}})), Dialect::Current);
        assert_eq!(generation(json!({"release": {}})), Dialect::Release4_17);
    }
}
