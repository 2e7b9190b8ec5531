//! Clients: the only place that makes them from kubeconfigs.

use std::path::Path;
use std::time::Duration;

use berth_engine::{Connect, ConnectFailure};
use berth_procedure::{Secret, Server, access};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::HeaderValue;
use http::header::{CONTENT_TYPE, USER_AGENT};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};

use crate::discovery::get;
use crate::failure::{Attempted, Failure, Result};

/// How Berth calls itself to servers: `berth/0.1.0`.
const AGENT: &str = concat!("berth/", env!("CARGO_PKG_VERSION"));

/// A client from a kubeconfig: a file's, or (without one) what the environment names.
pub(crate) async fn client(file: Option<&Path>, context: Option<&str>) -> Result<(Client, String)> {
    let kubeconfig = match file {
        Some(file) => {
            Kubeconfig::read_from(file).attempted(format!("could not read the kubeconfig {}", file.display()))?
        }
        None => Kubeconfig::read().attempted("could not read the kubeconfig")?,
    };
    if let Some(context) = context {
        let known: Vec<&str> = kubeconfig.contexts.iter().map(|known| known.name.as_str()).collect();
        if !known.contains(&context) {
            return Err(Failure::usage(format!("the kubeconfig has no context `{context}`"))
                .hint(format!("its contexts are {}", known.join(", "))));
        }
    }
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .attempted("the kubeconfig names no usable cluster")?;
    let url = access::without_secrets(&config.cluster_url.to_string());
    let url = url.trim_end_matches('/').to_owned();
    let failed = format!("could not make a client for {url}");
    let client = match from_config(config) {
        // These errors repeat the proxy's password.
        Err(kube::Error::ProxyProtocolUnsupported { .. } | kube::Error::ProxyProtocolDisabled { .. }) => {
            return Err(Failure::failed(failed)
                .hint("a proxy is set, in the kubeconfig or as HTTPS_PROXY, and Berth goes through none"));
        }
        made => made.attempted(failed)?,
    };
    Ok((client, url))
}

/// What the server is.
pub(crate) async fn server(client: &Client, url: &str, user: String) -> Result<Server> {
    let version = get(client, "/version", "application/json")
        .await
        .map_err(|error| unreachable(url, &error))?;
    let version = version["gitVersion"].as_str().unwrap_or_default().to_owned();
    Ok(Server {
        url: url.to_owned(),
        user,
        version,
    })
}

/// Whom the server takes us for; servers before 1.28 do not say.
pub(crate) async fn user(client: &Client) -> String {
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let request = http::Request::post("/apis/authentication.k8s.io/v1/selfsubjectreviews")
        .header(CONTENT_TYPE, "application/json")
        .body(review.to_string().into_bytes())
        .map_err(kube::Error::HttpError);
    let review: Value = match request {
        Ok(request) => client.request(request).await.unwrap_or_default(),
        Err(_) => Value::Null,
    };
    let name = review["status"]["userInfo"]["username"].as_str();
    name.unwrap_or("an unknown user").to_owned()
}

/// Makes clients for guests, as the engine asks for them.
#[derive(Debug)]
pub(crate) struct Guests;

impl Connect for Guests {
    fn connect<'a>(&'a self, kubeconfig: &'a Secret) -> BoxFuture<'a, Result<Client, ConnectFailure>> {
        async move {
            // None of these errors may carry the kubeconfig's text.
            let refuse = |what: &str| ConnectFailure(format!("the guest's kubeconfig {what}"));
            let kubeconfig = Kubeconfig::from_yaml(kubeconfig.reveal()).map_err(|_| refuse("can't be read"))?;
            let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
            let config = config.map_err(|_| refuse("names no usable cluster"))?;
            from_config(config).map_err(|_| refuse("makes no client"))
        }
        .boxed()
    }
}

/// A client that calls itself Berth.
pub(crate) fn from_config(mut config: Config) -> Result<Client, kube::Error> {
    config.headers.push((USER_AGENT, HeaderValue::from_static(AGENT)));
    config.connect_timeout = Some(Duration::from_secs(10));
    // The engine retries, and shows that it does; a client that retries in silence would hide it.
    config.default_retry = false;
    Client::try_from(config)
}

fn unreachable(url: &str, error: &kube::Error) -> Failure {
    Failure::failed(format!("could not reach the API server at {url}"))
        .because(error)
        .hint("check that the kubeconfig is current and that the server can be reached from here")
}
