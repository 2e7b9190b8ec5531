//! The offer of the `hcp` command line: a download server with its Route, and the ConsoleCLIDownload that links to it.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{MANAGER, NAME, manager};
use crate::actor::{Actor, Context, Key, Next, Watch};
use crate::client::{self, name_of, namespace_of};
use crate::generation::Generation;
use crate::kind::{
    CLUSTER_MANAGEMENT_ADD_ON, CLUSTER_SERVICE_VERSION, CONSOLE_CLI_DOWNLOAD, DEPLOYMENT, ROUTE, SERVICE,
};
use crate::manifest::{self, owner};
use crate::objects::{is_deleting, is_rolled_out};

const DOWNLOAD: &str = "hcp-cli-download";

/// How long the manager takes to set the server up.
const SET_UP: Duration = Duration::from_secs(3);

/// A system and a processor that there is an archive for, with the names that people know them by.
type Platform = (&'static str, &'static str, &'static str, &'static str);

/// Those of every generation; each has one more.
const PLATFORMS: [Platform; 7] = [
    ("linux", "amd64", "Linux", "x86_64"),
    ("darwin", "amd64", "Mac", "x86_64"),
    ("windows", "amd64", "Windows", "x86_64"),
    ("linux", "arm64", "Linux", "ARM 64"),
    ("darwin", "arm64", "Mac", "ARM 64"),
    ("linux", "ppc64le", "Linux", "IBM Power, little endian"),
    ("linux", "s390x", "Linux", "IBM Z"),
];
const OLD_POWER: Platform = ("linux", "ppc64", "Linux", "IBM Power");
const WINDOWS_ARM: Platform = ("windows", "arm64", "Windows", "ARM 64");

/// The addon's manager on the hub.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CliDownload;

impl Actor for CliDownload {
    fn name(&self) -> &'static str {
        NAME
    }

    fn manager(&self) -> &'static str {
        MANAGER
    }

    fn watches(&self) -> Vec<Watch> {
        let key = || vec![Key::named(None, DOWNLOAD)];
        let of_deployment = move |deployment: &Value| {
            let matters = [MANAGER, DOWNLOAD].contains(&name_of(deployment));
            if matters { key() } else { Vec::new() }
        };
        vec![
            Watch::mapped(DEPLOYMENT, of_deployment),
            Watch::mapped(CONSOLE_CLI_DOWNLOAD, move |_| key()),
            Watch::mapped(CLUSTER_MANAGEMENT_ADD_ON, move |_| key()),
        ]
    }

    fn reconcile<'a>(&'a self, context: &'a Context, _: &'a Key) -> BoxFuture<'a, client::Result<Next>> {
        reconcile(context).boxed()
    }
}

async fn reconcile(context: &Context) -> client::Result<Next> {
    let Some(manager) = manager(context)
        .await?
        .filter(|it| is_rolled_out(it) && !is_deleting(it))
    else {
        return Ok(Next::OnEvent);
    };
    let namespace = namespace_of(&manager).unwrap_or_default();
    let Some(image) = cli_image(context, namespace).await? else {
        return Ok(Next::OnEvent);
    };
    let downloads = context.client.list(CONSOLE_CLI_DOWNLOAD, None, "").await?;
    // Without a console there is nobody to offer it to.
    let has_console = downloads.iter().any(|download| name_of(download) != DOWNLOAD);
    let addon = context
        .client
        .get(CLUSTER_MANAGEMENT_ADD_ON, None, "hypershift-addon")
        .await?;
    let (true, Some(addon)) = (has_console, addon.filter(|addon| !is_deleting(addon))) else {
        return Ok(Next::OnEvent);
    };
    let host = format!("{DOWNLOAD}-{namespace}.{}", context.site.apps_domain);
    serve(context, &manager, &image, &host).await?;
    if !downloads.iter().any(|download| name_of(download) == DOWNLOAD) {
        // In a lab that people reach, the archive is where a client can get it; the Route's host resolves to nothing.
        let host = context.site.downloads.as_deref().unwrap_or(&host);
        let mut download = offer(host, context.generation);
        download["metadata"]["ownerReferences"] = json!([owner(CLUSTER_MANAGEMENT_ADD_ON, &addon)]);
        context.client.create(CONSOLE_CLI_DOWNLOAD, &download).await?;
    }
    Ok(Next::OnEvent)
}

/// The image with the archives, as the engine's ClusterServiceVersion names it.
async fn cli_image(context: &Context, namespace: &str) -> client::Result<Option<String>> {
    let versions = context
        .client
        .list(CLUSTER_SERVICE_VERSION, Some(namespace), "")
        .await?;
    let engines = versions
        .iter()
        .filter(|version| name_of(version).starts_with("multicluster-engine."));
    // The newest by the order of letters: so it is done, right or wrong.
    let newest = engines.max_by_key(|version| name_of(version).to_owned());
    let images = newest.and_then(|version| version["spec"]["relatedImages"].as_array());
    let cli = images.and_then(|images| images.iter().find(|image| image["name"] == "hypershift_cli"));
    Ok(cli.and_then(|image| image["image"].as_str()).map(str::to_owned))
}

async fn serve(context: &Context, manager: &Value, image: &str, host: &str) -> client::Result<()> {
    let namespace = namespace_of(manager).unwrap_or_default();
    if context.client.get(ROUTE, Some(namespace), DOWNLOAD).await?.is_some()
        && context
            .client
            .get(DEPLOYMENT, Some(namespace), DOWNLOAD)
            .await?
            .is_some()
    {
        return Ok(());
    }
    context.time.work(SET_UP).await;
    let owners = json!([owner(DEPLOYMENT, manager)]);
    let mut deployment = manifest::deployment(namespace, DOWNLOAD, 1, image);
    deployment["metadata"]["ownerReferences"] = owners.clone();
    let service = json!({
        "metadata": { "name": DOWNLOAD, "namespace": namespace, "ownerReferences": owners },
        "spec": { "selector": { "app": DOWNLOAD }, "ports": [{ "name": "http", "port": 8080, "targetPort": 8080 }] },
    });
    let route = json!({
        "metadata": { "name": DOWNLOAD, "namespace": namespace, "ownerReferences": owners },
        "spec": {
            "host": host,
            "to": { "kind": "Service", "name": DOWNLOAD, "weight": 100 },
            "port": { "targetPort": "http" },
            "tls": { "termination": "edge", "insecureEdgeTerminationPolicy": "Redirect" },
            "wildcardPolicy": "None",
        },
    });
    context.client.create(DEPLOYMENT, &deployment).await?;
    context.client.create(SERVICE, &service).await?;
    context.client.create(ROUTE, &route).await?;
    Ok(())
}

fn offer(host: &str, generation: Generation) -> Value {
    let mut platforms = PLATFORMS.to_vec();
    match generation {
        Generation::V4_17 => platforms.insert(5, OLD_POWER),
        Generation::Current => platforms.insert(5, WINDOWS_ARM),
    }
    let link = |(os, arch, system, processor): Platform| {
        let path = match generation {
            Generation::V4_17 => format!("{os}/{arch}/hcp.tar.gz"),
            Generation::Current => format!("hcp-{os}-{arch}.tar.gz"),
        };
        json!({
            "href": format!("https://{host}/{path}"),
            "text": format!("Download hcp CLI for {system} for {processor}"),
        })
    };
    json!({
        "metadata": { "name": DOWNLOAD },
        "spec": {
            "displayName": "hcp - Hosted Control Plane Command Line Interface (CLI)",
            "description": "With the Hosted Control Plane command line interface, you can create and manage OpenShift hosted clusters.\n",
            "links": platforms.into_iter().map(link).collect::<Vec<_>>(),
        },
    })
}
