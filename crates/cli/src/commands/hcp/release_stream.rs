//! Which image a release stream means: the newest of its list that this hub supports. The list is public, and on the internet.

use berth_procedure::hcp::{self, Stream};
use kube::{Client, Config};
use serde_json::Value;

use super::version::supported;
use crate::connect;
use crate::discovery::get;
use crate::failure::{Failure, Result};

const FAILED: &str = "release image is required when unable to lookup default OCP version";

/// The image.
pub(super) async fn look_up(client: &Client, stream: &Stream) -> Result<String> {
    let because = |why: String| Failure::failed(format!("{FAILED}: {why}")).hint("name an image with --release-image");
    let path = "/api/v1/configmaps?labelSelector=hypershift.openshift.io%2Fsupported-versions%3Dtrue";
    let maps = get(client, path, "application/json")
        .await
        .map_err(|error| because(format!("failed to list ConfigMaps to find supported versions: {error}")))?;
    let maps = maps["items"].as_array().into_iter().flatten();
    let map = maps
        .into_iter()
        .find(|map| map["metadata"]["name"] == "supported-versions")
        .ok_or_else(|| because("failed to find supported versions ConfigMap".to_owned()))?;
    let (_, versions) = supported(map).map_err(because)?;
    let url = stream.url();
    let list = list(&url).await.map_err(|error| {
        let failure = Failure::failed(format!("{FAILED}: failed to get {url}")).because(&error);
        failure.hint("name an image with --release-image")
    })?;
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    hcp::release_of_stream(&list, &versions).map_err(|error| because(error.to_string()))
}

async fn list(url: &str) -> Result<Value, kube::Error> {
    let uri: http::Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| kube::Error::HttpError(error.into()))?;
    let path = uri.path().to_owned();
    let mut root = uri.into_parts();
    root.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    let root = http::Uri::from_parts(root).map_err(|error| kube::Error::HttpError(error.into()))?;
    let client = connect::from_config(Config::new(root))?;
    get(&client, &path, "application/json").await
}
