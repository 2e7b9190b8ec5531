//! `create cluster kubevirt` on a cluster: what is asked before anything is written, the writing, the wait.

use std::time::Duration;

use berth_api::resources;
use berth_procedure::hcp::{self, CreateCluster};
use berth_procedure::render::{self, Dialect, Rendered};
use kube::Client;
use serde_json::Value;

use super::hub::{self, Write};
use super::{log, refused, release_stream, requested, show, version};
use crate::discovery::get;
use crate::failure::{Attempted as _, Failure, Result};
use crate::printer::Printer;

/// How long `hcp` lets pass between two looks at a cluster that is rolled out.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How often the server is asked again after an answer that may be another in a moment; each time after twice as long.
const RETRIES: u32 = 4;
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Creates the cluster.
pub(super) async fn run(printer: &Printer, create: &CreateCluster, named: Option<Dialect>) -> Result<()> {
    let (client, definition) = match reach(printer, create).await {
        Ok(reached) => reached,
        // What is wrong without any cluster is said before that there is none.
        Err(failure) => {
            let dialect = named.unwrap_or_else(|| create.generation());
            create.check_name(dialect).map_err(|error| refused(&error))?;
            return Err(failure);
        }
    };
    let dialect = named.unwrap_or_else(|| Dialect::of_crd(&definition));
    create.check_name(dialect).map_err(|error| refused(&error))?;
    if create.version_check {
        version::check(&client).await?;
    }
    if !create.render {
        let (namespace, name) = create.address(dialect);
        refuse_existing(printer, &client, &namespace, &name).await?;
        check_processors(printer, &client, create).await?;
    }
    let create = with_release(&client, create, dialect).await?;
    let knows = |field: &str| render::knows_field(&definition, &format!("spec.{field}"));
    // A definition that could not be read has no field at all, and says nothing.
    let lacks = |field: &str| knows("release") && !knows(field);
    let request = requested(printer, &create, dialect, &lacks)?;
    if create.render || create.render_into.is_some() {
        return show(printer, &create, &request, dialect);
    }
    if request.release_image.is_empty() {
        image_is_filled_in(&client).await?;
    }
    let objects = render::objects(&request, dialect);
    let objects = hcp::labelled_for_infra(objects, request.infra_id.as_deref().unwrap_or_default());
    would_be_taken(&client, &objects).await?;
    for object in &objects {
        write(printer, &client, object).await?;
    }
    if create.wait {
        wait(printer, &client, &request.namespace, &request.name).await?;
    }
    Ok(())
}

async fn reach(printer: &Printer, create: &CreateCluster) -> Result<(Client, Value)> {
    let client = hub::client(printer, create.kubeconfig.as_deref()).await?;
    let definition = hub::hosted_cluster_definition(&client).await?;
    Ok((client, definition))
}

async fn refuse_existing(printer: &Printer, client: &Client, namespace: &str, name: &str) -> Result<()> {
    let mut pause = FIRST_RETRY;
    for left in (0..=RETRIES).rev() {
        match hub::find(client, resources::HOSTED_CLUSTER, namespace, name).await {
            Ok(None) => return Ok(()),
            Ok(Some(_)) => {
                let there = format!("hostedcluster {namespace}/{name} already exists");
                return Err(Failure::failed(there));
            }
            Err(kube::Error::Api(status)) if left > 0 && matches!(status.code, 429 | 500 | 503 | 504) => {
                log::error(printer, "error checking hostedcluster existence", &status.message);
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(error) => {
                let message = "hostedcluster doesn't exist validation failed with error";
                return Err(Failure::failed(message).because(&error));
            }
        }
    }
    Ok(())
}

async fn check_processors(printer: &Printer, client: &Client, create: &CreateCluster) -> Result<()> {
    let server = get(client, "/version", "application/json")
        .await
        .attempted("failed to check mgmt cluster CPU arch")?;
    let hub = server["platform"]
        .as_str()
        .and_then(|platform| platform.split_once('/'));
    let hub = hub.map_or("", |(_, processors)| processors);
    let fits = hcp::fits_processors(&create.release_image(), create.stream().as_ref(), hub, &create.arch());
    if fits.map_err(|error| refused(&error))?.is_none() {
        let skipped = "WARNING: Unable to access the payload, skipping the Architectures check.";
        log::info(
            printer,
            skipped,
            &[("error", "the image's name does not say whether it is multi-arch")],
        );
    }
    Ok(())
}

/// The command with its release image looked up, where a stream is to be. What else is wrong is said first.
async fn with_release(client: &Client, create: &CreateCluster, dialect: Dialect) -> Result<CreateCluster> {
    let Some(stream) = create.stream() else {
        return Ok(create.clone());
    };
    let stand_in = create.clone().with_release(stream.url());
    super::with_outside(|outside| stand_in.request(outside, dialect)).map_err(|error| refused(&error))?;
    Ok(create
        .clone()
        .with_release(release_stream::look_up(client, &stream).await?))
}

/// An empty image is for HyperShift's webhook to fill in, and refused by the server where that is missing.
async fn image_is_filled_in(client: &Client) -> Result<()> {
    let path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    if may_be_filled_in(&get(client, path, "application/json").await) {
        return Ok(());
    }
    Err(Failure::failed(
        "--release-image is empty, and this hub has no webhook that fills an image in; nothing was written",
    )
    .hint("name an image with --release-image, or a stream with --release-stream"))
}

/// Whether a webhook may fill an image in: few may list webhooks, and who may not leaves it to the server.
fn may_be_filled_in(webhooks: &Result<Value, kube::Error>) -> bool {
    let Ok(webhooks) = webhooks else { return true };
    let has = |list: &Value, word: &str| {
        let words = list.as_array().into_iter().flatten();
        words.into_iter().any(|entry| entry == word || entry == "*")
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let rules = list(&webhooks["items"])
        .into_iter()
        .flat_map(|configuration| list(&configuration["webhooks"]))
        .flat_map(|webhook| list(&webhook["rules"]));
    let mut filling = rules
        .into_iter()
        .filter(|rule| has(&rule["apiGroups"], "hypershift.openshift.io") && has(&rule["resources"], "hostedclusters"));
    filling.next().is_some()
}

/// Hears whether the server would take the cluster and its pool, so that nothing is left behind where it would not.
async fn would_be_taken(client: &Client, objects: &[Rendered]) -> Result<()> {
    for object in objects {
        let is_cluster = object.object.resource == resources::HOSTED_CLUSTER;
        if !is_cluster && object.object.resource != resources::NODE_POOL {
            continue;
        }
        // Only the object itself is judged: the namespace may not be there yet, and rights are heard of when writing.
        let elsewhere = in_namespace(object, "default");
        match hub::write(client, &elsewhere, true, Write::Dry).await {
            Err(kube::Error::Api(status)) if is_about_the_object(&status) => {
                let failed = format!("failed to apply object \"{}\"", key(object));
                return Err(Failure::failed(failed).because(&kube::Error::Api(status)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a refusal is one of the object as such: invalid, or with a field that the server would drop.
fn is_about_the_object(status: &kube::core::Status) -> bool {
    status.code == 422 || (status.code == 400 && status.message.contains("unknown field"))
}

fn in_namespace(object: &Rendered, namespace: &str) -> Rendered {
    let mut object = object.clone();
    object.object.namespace = Some(namespace.to_owned());
    object.fields["metadata"]["namespace"] = namespace.into();
    object
}

async fn write(printer: &Printer, client: &Client, object: &Rendered) -> Result<()> {
    let is_cluster = object.object.resource == resources::HOSTED_CLUSTER;
    hub::write(client, object, is_cluster, Write::Really)
        .await
        .attempted(format!("failed to apply object \"{}\"", key(object)))?;
    let fields = [
        ("kind", object.object.resource.kind),
        ("namespace", object.object.namespace.as_deref().unwrap_or_default()),
        ("name", &object.object.name),
    ];
    log::info(printer, "Applied Kube resource", &fields);
    Ok(())
}

fn key(object: &Rendered) -> String {
    let place = object.object.namespace.as_deref();
    format!("{}/{}", place.unwrap_or_default(), object.object.name)
}

/// Until the first rollout is completed.
async fn wait(printer: &Printer, client: &Client, namespace: &str, name: &str) -> Result<()> {
    log::info(printer, "Waiting for cluster rollout", &[]);
    let said = || {
        let again = "Cluster rollout not finished yet, checking again in 30 seconds...";
        log::info(printer, again, &[]);
    };
    let failed = format!("failed to get hostedcluster {namespace}/{name}");
    let address = (resources::HOSTED_CLUSTER, namespace, name);
    hub::until(client, address, LOOK_EVERY, said, async || {
        let cluster = hub::find(client, resources::HOSTED_CLUSTER, namespace, name)
            .await
            .attempted(&failed)?
            .ok_or_else(|| Failure::failed(format!("{failed}: hostedclusters \"{name}\" not found")))?;
        let completed = &cluster["status"]["version"]["history"][0]["completionTime"];
        Ok(completed.is_string().then_some(()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_may_not_list_webhooks_is_not_told_that_there_are_none() {
        let status = kube::core::Status::failure("forbidden", "Forbidden").with_code(403);
        assert!(may_be_filled_in(&Err(kube::Error::Api(status.boxed()))));
        assert!(!may_be_filled_in(&Ok(json!({ "items": [] }))));
        let rule = json!({ "apiGroups": ["hypershift.openshift.io"], "resources": ["*"] });
        let filling = json!({ "items": [{ "webhooks": [{ "rules": [rule] }] }] });
        assert!(may_be_filled_in(&Ok(filling)));
    }
}
