//! `berth import`: documents from the guests that exist, made by whatever. Applied, they change nothing.

use std::fs;

use berth_procedure::import::{self, Found};
use kube::Client;
use serde_json::Value;

use crate::args::ImportArgs;
use crate::discovery::get;
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::guests::{self, Guest};
use crate::printer::Printer;

const NODE_POOLS: &str = "/apis/hypershift.openshift.io/v1beta1/nodepools";
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Prints the documents of one guest or of all, or writes a file for each.
pub(crate) async fn run(printer: &Printer, client: &Client, args: ImportArgs) -> Result<Exit> {
    let ImportArgs { guest, all, into } = args;
    let chosen = match guest {
        Some(guest) => vec![guests::find(client, &guest).await?],
        None if all => guests::all(client).await?,
        None => return Err(Failure::usage("which guest?").hint("name one as NAMESPACE/NAME, or say --all")),
    };
    let pools = node_pools(client).await?;
    // Whoever may not read CRDs gets documents with a few words more.
    let cluster_schema = schema(client, "hostedclusters").await;
    let pool_schema = schema(client, "nodepools").await;
    if let Some(folder) = &into {
        fs::create_dir_all(folder).attempted(format!("could not make the folder {}", folder.display()))?;
    }
    let mut failed = Vec::new();
    for (index, guest) in chosen.iter().enumerate() {
        let Guest {
            namespace,
            name,
            object,
        } = guest;
        let own: Vec<Value> = pools
            .iter()
            .filter(|pool| import::belongs(pool, object))
            .cloned()
            .collect();
        let found = Found {
            cluster: object,
            pools: &own,
            schemas: (cluster_schema.as_ref(), pool_schema.as_ref()),
        };
        let text = match import::document(&found) {
            Ok(text) => text,
            Err(error) => {
                failed.push(format!("{namespace}/{name}: {error}"));
                continue;
            }
        };
        match &into {
            Some(folder) => {
                let file = folder.join(format!("{namespace}-{name}.yaml"));
                fs::write(&file, text).attempted(format!("could not write {}", file.display()))?;
                printer.line(&file.display().to_string());
            }
            None => printer.out(&format!("{}{text}", if index == 0 { "" } else { "---\n" })),
        }
    }
    if failed.is_empty() {
        return Ok(Exit::Done);
    }
    let mut failure = Failure::failed("not every guest could be imported");
    failure.causes = failed;
    Err(failure)
}

async fn node_pools(client: &Client) -> Result<Vec<Value>> {
    match get(client, NODE_POOLS, "application/json").await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
        answer => {
            let mut list = answer.attempted("could not list node pools")?;
            let items = list["items"].as_array_mut().map(std::mem::take);
            Ok(items.unwrap_or_default())
        }
    }
}

async fn schema(client: &Client, plural: &str) -> Option<Value> {
    let path = format!("{CRDS}/{plural}.hypershift.openshift.io");
    get(client, &path, "application/json").await.ok()
}
