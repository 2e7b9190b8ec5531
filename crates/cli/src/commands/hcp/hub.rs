//! The management cluster as `hcp` meets it: which one, what its HyperShift knows, how objects are written and waited for.

use std::path::{Path, PathBuf};
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

use super::log;
use crate::connect;
use crate::discovery::get;
use crate::env;
use crate::failure::{Attempted as _, Failure, Result};
use crate::labs;
use crate::printer::Printer;
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

/// Where a cluster is found.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    File(PathBuf),
    /// The cluster that this runs in.
    Inside,
    Lab,
}

/// As `hcp` finds its cluster; and, where there is none, the lab that runs, which is said.
pub(super) async fn client(printer: &Printer, file: Option<&Path>) -> Result<Client> {
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
    let inside = Config::incluster();
    let way = way(
        env::named_kubeconfigs(),
        inside.is_ok(),
        env::home_kubeconfig(),
        Path::is_file,
    )?;
    match (way, inside) {
        (Way::File(file), _) => Ok(connect::client(Some(&file), None).await?.0),
        (Way::Inside, Ok(config)) => connect::from_config(config).attempted("could not make a client for this cluster"),
        _ => lab(printer).await,
    }
}

/// The order in which `hcp` looks. A `$KUBECONFIG` that names nothing names no other cluster either.
fn way(
    named: Option<Vec<PathBuf>>,
    is_inside: bool,
    home: Option<PathBuf>,
    is_there: impl Fn(&Path) -> bool,
) -> Result<Way> {
    if let Some(files) = named {
        let shown: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        let found = files.into_iter().find(|file| is_there(file));
        return found.map(Way::File).ok_or_else(|| {
            Failure::failed(format!("KUBECONFIG names no file that is there: {}", shown.join(", ")))
                .hint("correct it, or unset it")
        });
    }
    Ok(match home {
        _ if is_inside => Way::Inside,
        Some(file) => Way::File(file),
        None => Way::Lab,
    })
}

async fn lab(printer: &Printer) -> Result<Client> {
    let running = labs::running()?;
    let lab = match &running[..] {
        [lab] => lab,
        [] => return Err(Failure::failed("there is no kubeconfig, and no lab runs")),
        several => {
            let names: Vec<&str> = several.iter().map(|lab| lab.name.as_str()).collect();
            let failure = format!("there is no kubeconfig, and several labs run: {}", names.join(", "));
            return Err(Failure::failed(failure).hint("export KUBECONFIG=$(berth --lab=NAME lab kubeconfig)"));
        }
    };
    let taken = "there is no kubeconfig: the lab that runs is taken";
    log::info(printer, taken, &[("lab", &lab.name), ("server", &lab.url)]);
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
    use std::path::{Path, PathBuf};

    use berth_procedure::render::Dialect;
    use serde_json::json;

    use super::{Way, from_openapi, way};

    #[test]
    fn a_kubeconfig_that_is_named_is_the_only_one_and_a_pod_s_own_cluster_comes_before_the_home_s() {
        let files = |names: &[&str]| Some(names.iter().map(PathBuf::from).collect());
        let is_there = |file: &Path| file != Path::new("gone");
        let look = |named, is_inside, home: Option<&str>| way(named, is_inside, home.map(PathBuf::from), is_there);
        let file = |name: &str| Way::File(name.into());
        assert_eq!(look(files(&["gone", "a"]), true, Some("home")).unwrap(), file("a"));
        let failure = look(files(&["gone"]), true, Some("home")).unwrap_err();
        assert_eq!(failure.message, "KUBECONFIG names no file that is there: gone");
        assert_eq!(look(None, true, Some("home")).unwrap(), Way::Inside);
        assert_eq!(look(None, false, Some("home")).unwrap(), file("home"));
        assert_eq!(look(None, false, None).unwrap(), Way::Lab);
    }

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
