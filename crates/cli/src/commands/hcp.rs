//! `berth hcp`, or the binary under the name `hcp`: a drop-in for the `hcp` command. Its own exit codes and texts.

use std::fs;
use std::path::Path;

use berth_procedure::hcp::{self, CreateCluster, HcpCommand, HcpError, Outside};
use berth_procedure::render::{self, Dialect, Rendered};
use kube::Client;
use serde_json::{Value, json};

use crate::connect;
use crate::discovery::get;
use crate::env;
use crate::failure::{Attempted, Failure, Result};
use crate::guests;
use crate::hcp_kubeconfig;
use crate::labs;
use crate::printer::Printer;
use crate::random;
use crate::runtime;

/// The field manager of the real `hcp`.
const MANAGER: &str = "hypershift-cli";
/// How long `--wait` lets pass between two looks.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// Runs a command of `hcp`; gives its exit code.
pub(crate) fn run(printer: &Printer, arguments: &[String]) -> u8 {
    let dialect = env::hcp_dialect();
    let refused = |error: &HcpError, dialect| {
        error.lines(dialect).iter().for_each(|line| printer.say(line));
        HcpError::EXIT_CODE
    };
    let command = match hcp::parse(arguments) {
        Ok(command) => command,
        Err(error) => return refused(&error, dialect.unwrap_or_default()),
    };
    match command {
        HcpCommand::Help { text, asked } => {
            printer.out(&text);
            if asked { 0 } else { HcpError::EXIT_CODE }
        }
        HcpCommand::CreateCluster(create) if create.render => match rendered(&create, dialect.unwrap_or_default()) {
            Ok(text) => print_or_write(printer, &create, &text),
            Err(error) => refused(&error, dialect.unwrap_or_default()),
        },
        online => match runtime().and_then(|runtime| runtime.block_on(on_cluster(printer, online, dialect))) {
            Ok(()) => 0,
            Err(failure) => {
                let parts: Vec<&str> = std::iter::once(&failure.message)
                    .chain(&failure.causes)
                    .map(String::as_str)
                    .collect();
                printer.say(&format!("Error: {}", parts.join(": ")));
                failure
                    .hints
                    .iter()
                    .for_each(|hint| printer.say(&format!("hint: {hint}")));
                HcpError::EXIT_CODE
            }
        },
    }
}

fn rendered(create: &CreateCluster, dialect: Dialect) -> Result<String, HcpError> {
    with_outside(|outside| {
        let request = create.request(outside, dialect)?;
        let objects = render::objects(&request, dialect);
        Ok(hcp::to_stdout(&objects, create.render_sensitive, outside, dialect))
    })
}

fn print_or_write(printer: &Printer, create: &CreateCluster, text: &str) -> u8 {
    let Some(file) = &create.render_into else {
        printer.out(text);
        return 0;
    };
    match fs::write(file, text) {
        Ok(()) => 0,
        Err(error) => {
            printer.say(&format!("Error: failed to create file for rendering output: {error}"));
            HcpError::EXIT_CODE
        }
    }
}

/// Lends files and randomness to a pure command.
fn with_outside<T>(with: impl FnOnce(&mut Outside<'_>) -> T) -> T {
    with(&mut Outside {
        read: &|path: &Path| fs::read(path),
        random: &mut random::fill,
    })
}

async fn on_cluster(printer: &Printer, command: HcpCommand, dialect: Option<Dialect>) -> Result<()> {
    match command {
        HcpCommand::CreateCluster(create) => {
            let client = client(create.kubeconfig.as_deref()).await?;
            let work = create_cluster(printer, &client, &create, dialect);
            match create.timeout {
                None => work.await,
                Some(timeout) => tokio::time::timeout(timeout, work)
                    .await
                    .unwrap_or_else(|_| Err(Failure::failed("context deadline exceeded"))),
            }
        }
        HcpCommand::CreateKubeconfig { name, namespace } => {
            let client = client(None).await?;
            printer.out(&hcp_kubeconfig::text(printer, &client, &namespace, &name).await?);
            Ok(())
        }
        HcpCommand::Version {
            commit_only,
            client_only,
            namespace,
        } => {
            printer.line(&format!("Client Version: berth {}", env!("CARGO_PKG_VERSION")));
            if client_only || commit_only {
                return Ok(());
            }
            server_versions(printer, &client(None).await?, &namespace).await
        }
        HcpCommand::Help { .. } => Ok(()),
    }
}

/// As `hcp` finds its cluster; and, where there is no kubeconfig, the lab that runs.
async fn client(file: Option<&Path>) -> Result<Client> {
    let found = file.map(Path::to_owned).or_else(env::kubeconfig);
    let file = if let Some(file) = found {
        file
    } else {
        let running = labs::running()?;
        let lab = running
            .first()
            .ok_or_else(|| Failure::failed("there is no kubeconfig, and no lab runs"))?;
        lab.kubeconfig.clone()
    };
    Ok(connect::client(Some(&file), None).await?.0)
}

async fn create_cluster(
    printer: &Printer,
    client: &Client,
    create: &CreateCluster,
    dialect: Option<Dialect>,
) -> Result<()> {
    let crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/hostedclusters.hypershift.openshift.io";
    // A user who may not read CRDs gets the older form, which newer servers take as well.
    let crd = get(client, crd, "application/json").await.unwrap_or_default();
    let dialect = dialect.unwrap_or_else(|| Dialect::of_crd(&crd));
    let request = with_outside(|outside| create.request(outside, dialect)).attempted("invalid arguments")?;
    let (namespace, name) = (request.namespace.clone(), request.name.clone());
    if guests::all(client)
        .await?
        .iter()
        .any(|guest| guest.namespace == namespace && guest.name == name)
    {
        return Err(Failure::failed(format!(
            "hostedcluster {namespace}/{name} already exists"
        )));
    }
    let objects = render::objects(&request, dialect);
    let clusters = objects
        .iter()
        .filter(|object| object.object.resource.kind == "HostedCluster");
    let unknown: Vec<String> = clusters
        .flat_map(|object| render::unknown_fields(&object.fields, &crd))
        .collect();
    if !unknown.is_empty() {
        return Err(
            Failure::failed(format!("this cluster's HyperShift has no field {}", unknown.join(", ")))
                .hint("leave out the flag behind it, or upgrade the multicluster engine"),
        );
    }
    let objects = hcp::labelled_for_infra(objects, request.infra_id.as_deref().unwrap_or_default());
    for object in &objects {
        write(client, object).await?;
        let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (kind, place) = (
            object.object.resource.kind,
            object.object.namespace.as_deref().unwrap_or_default(),
        );
        let line = json!({ "level": "info", "ts": at, "msg": "Applied Kube resource", "kind": kind, "namespace": place,
            "name": object.object.name });
        printer.say(&line.to_string());
    }
    if create.wait {
        wait(client, &namespace, &name).await
    } else {
        Ok(())
    }
}

/// Creates the HostedCluster, applies everything else.
async fn write(client: &Client, rendered: &Rendered) -> Result<()> {
    let mut object = rendered.complete();
    for generate in &rendered.generate {
        let berth_procedure::Generate::RandomBytes { key, length } = generate;
        object["data"][key] = random::base64(*length).into();
    }
    let reference = &rendered.object;
    let resource = reference.resource;
    let root = if resource.group.is_empty() {
        "/api".to_owned()
    } else {
        format!("/apis/{}", resource.group)
    };
    let place = reference
        .namespace
        .as_ref()
        .map(|namespace| format!("/namespaces/{namespace}"))
        .unwrap_or_default();
    let collection = format!("{root}/{}{place}/{}", resource.version, resource.plural);
    let request = if resource.kind == "HostedCluster" {
        http::Request::post(format!("{collection}?fieldManager={MANAGER}"))
            .header(http::header::CONTENT_TYPE, "application/json")
    } else {
        http::Request::patch(format!(
            "{collection}/{}?fieldManager={MANAGER}&force=true",
            reference.name
        ))
        .header(http::header::CONTENT_TYPE, "application/apply-patch+yaml")
    };
    let request = request
        .body(object.to_string().into_bytes())
        .attempted("could not make a request")?;
    let key = reference
        .namespace
        .as_ref()
        .map_or(reference.name.clone(), |place| format!("{place}/{}", reference.name));
    client
        .request::<Value>(request)
        .await
        .attempted(format!("failed to apply object \"{key}\""))?;
    Ok(())
}

/// Until the first rollout is completed.
async fn wait(client: &Client, namespace: &str, name: &str) -> Result<()> {
    let path = format!("/apis/hypershift.openshift.io/v1beta1/namespaces/{namespace}/hostedclusters/{name}");
    loop {
        let cluster = get(client, &path, "application/json")
            .await
            .attempted("failed to get hostedcluster")?;
        if cluster["status"]["version"]["history"][0]["completionTime"].is_string() {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn server_versions(printer: &Printer, client: &Client, namespace: &str) -> Result<()> {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/supported-versions");
    let versions = get(client, &path, "application/json")
        .await
        .attempted("failed to get supported OCP versions")?;
    let text = |key: &str| versions["data"][key].as_str().unwrap_or_default().to_owned();
    let list: Value = serde_json::from_str(&text("supported-versions")).unwrap_or_default();
    let list: Vec<&str> = list["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    printer.line(&format!("Server Version: {}", text("server-version")));
    printer.line(&format!("Server Supports OCP Versions: {}", list.join(", ")));
    Ok(())
}
