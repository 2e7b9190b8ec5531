//! Finding a guest by the name that a user typed: NAME, or NAMESPACE/NAME.

use std::collections::BTreeSet;

use kube::Client;
use serde_json::Value;

use crate::discovery::get;
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};

const HOSTED_CLUSTERS: &str = "/apis/hypershift.openshift.io/v1beta1/hostedclusters";

const HOSTED_CONTROL_PLANES: &str = "/apis/hypershift.openshift.io/v1beta1";
/// Secrets that Berth made for a document.
const MADE_SECRETS: &str =
    "/api/v1/secrets?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dberth%2Cberth.dev%2Fdocument";
/// Namespaces that HyperShift made for control planes.
const HOSTING_NAMESPACES: &str =
    "/api/v1/namespaces?labelSelector=hypershift.openshift.io%2Fhosted-control-plane%3Dtrue";
/// On what HyperShift makes for a hosted cluster: `namespace/name` of it.
const CLUSTER: &str = "hypershift.openshift.io/cluster";

/// A guest's HostedCluster.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) object: Value,
}

/// The one guest of that name.
pub(crate) async fn find(client: &Client, typed: &str) -> Result<Guest> {
    let (namespace, name) = match typed.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, typed),
    };
    let all = all(client).await?;
    let known: Vec<String> = all
        .iter()
        .map(|guest| format!("{}/{}", guest.namespace, guest.name))
        .collect();
    let mut found: Vec<Guest> = all
        .into_iter()
        .filter(|guest| guest.name == name && namespace.is_none_or(|namespace| guest.namespace == namespace))
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(guest), true) => Ok(guest),
        (Some(_), false) => {
            Err(Failure::usage(format!("several guests are called `{name}`")).hint("name it as NAMESPACE/NAME"))
        }
        (None, _) if known.is_empty() => Err(Failure::failed(format!("there is no guest `{typed}`, nor any other"))
            .hint(
                "the current context may be a guest's own, or another cluster's: --context NAME takes one, --lab a lab",
            )),
        (None, _) => {
            Err(Failure::failed(format!("there is no guest `{typed}`")).hint(format!("there are {}", known.join(", "))))
        }
    }
}

/// A guest, and a pool of it where one is named behind: NAME, NAME/POOL, NAMESPACE/NAME, NAMESPACE/NAME/POOL.
pub(crate) async fn find_with_pool(client: &Client, typed: &str) -> Result<(Guest, Option<String>)> {
    let parts: Vec<&str> = typed.split('/').collect();
    match parts[..] {
        [first, second] => {
            let all = all(client).await?;
            let is_guest = all.iter().any(|guest| guest.namespace == first && guest.name == second);
            if is_guest || !all.iter().any(|guest| guest.name == first) {
                return Ok((find(client, typed).await?, None));
            }
            Ok((find(client, first).await?, Some(second.to_owned())))
        }
        [namespace, name, pool] => {
            let guest = find(client, &format!("{namespace}/{name}")).await?;
            Ok((guest, Some(pool.to_owned())))
        }
        _ => Ok((find(client, typed).await?, None)),
    }
}

/// A guest's NodePools.
pub(crate) async fn pools(client: &Client, guest: &Guest) -> Result<Vec<Value>> {
    let path = format!(
        "/apis/hypershift.openshift.io/v1beta1/namespaces/{}/nodepools",
        guest.namespace
    );
    let list = get(client, &path, "application/json").await;
    let mut list = list.attempted(format!("could not list the node pools in {}", guest.namespace))?;
    let items = list["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let own = |pool: &Value| pool["spec"]["clusterName"] == guest.name.as_str();
    Ok(items.into_iter().filter(own).collect())
}

/// The one guest of that name, or what a deletion that was interrupted has left of it.
pub(crate) async fn find_or_left(client: &Client, typed: &str) -> Result<Guest> {
    let missing = match find(client, typed).await {
        Ok(guest) => return Ok(guest),
        Err(failure) if failure.exit == Exit::Usage => return Err(failure),
        Err(failure) => failure,
    };
    let fits = |guest: &Guest| match typed.split_once('/') {
        Some((namespace, name)) => guest.namespace == namespace && guest.name == name,
        None => guest.name == typed,
    };
    let mut found: Vec<Guest> = left(client).await?.into_iter().filter(fits).collect();
    match (found.pop(), found.is_empty()) {
        (Some(guest), true) => Ok(guest),
        (Some(_), false) => {
            let failure = Failure::usage(format!("something is left of several guests called `{typed}`"));
            Err(failure.hint("name it as NAMESPACE/NAME"))
        }
        (None, _) => Err(missing),
    }
}

/// Guests whose HostedCluster is gone while something that is marked as theirs is not: Secrets that Berth made, and
/// namespaces of control planes.
pub(crate) async fn left(client: &Client) -> Result<Vec<Guest>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = BTreeSet::new();
    for secret in items(client, MADE_SECRETS).await? {
        let metadata = &secret["metadata"];
        found.insert((
            text(&metadata["namespace"]),
            text(&metadata["labels"]["berth.dev/document"]),
        ));
    }
    // HyperShift notes on what it makes there whose it is.
    for namespace in items(client, HOSTING_NAMESPACES).await? {
        let path = format!(
            "{HOSTED_CONTROL_PLANES}/namespaces/{}/hostedcontrolplanes",
            text(&namespace["metadata"]["name"])
        );
        let mut noted: Vec<String> = Vec::from([text(&namespace["metadata"]["annotations"][CLUSTER])]);
        for control_plane in items(client, &path).await? {
            noted.push(text(&control_plane["metadata"]["annotations"][CLUSTER]));
        }
        let pairs = noted.iter().filter_map(|noted| noted.split_once('/'));
        found.extend(pairs.map(|(namespace, name)| (namespace.to_owned(), name.to_owned())));
    }
    for guest in all(client).await? {
        found.remove(&(guest.namespace, guest.name));
    }
    let guests = found.into_iter().filter(|(_, name)| !name.is_empty());
    Ok(guests
        .map(|(namespace, name)| Guest {
            namespace,
            name,
            object: Value::Null,
        })
        .collect())
}

async fn items(client: &Client, path: &str) -> Result<Vec<Value>> {
    match get(client, path, "application/json").await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
        answer => {
            let mut list = answer.attempted("could not list what is left of guests")?;
            Ok(list["items"].as_array_mut().map(std::mem::take).unwrap_or_default())
        }
    }
}

/// Every guest, by namespace and name; none where HyperShift is not installed.
pub(crate) async fn all(client: &Client) -> Result<Vec<Guest>> {
    let list = match get(client, HOSTED_CLUSTERS, "application/json").await {
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(Vec::new()),
        answer => answer.attempted("could not list hosted clusters")?,
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = list["items"].as_array().into_iter().flatten();
    Ok(items
        .map(|object| Guest {
            namespace: text(&object["metadata"]["namespace"]),
            name: text(&object["metadata"]["name"]),
            object: object.clone(),
        })
        .collect())
}
