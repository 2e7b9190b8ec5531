//! `berth get`: the server's own tables, so that no kubectl is needed to look around.

use berth_api::yaml;
use kube::Client;
use serde_json::{Value, json};

use crate::args::{GetArgs, Listing};
use crate::discovery::{Discovery, Served, get};
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::printer::Printer;
use crate::secrets;
use crate::table::Table;

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// Prints objects of one or more kinds.
pub(crate) async fn run(printer: &Printer, client: &Client, args: GetArgs) -> Result<Exit> {
    let GetArgs {
        kinds,
        names,
        namespace,
        all_namespaces,
        selector,
        output,
    } = args;
    let (kinds, names) = split_names(&kinds, names)?;
    let discovery = Discovery::ask(client).await?;
    let mut served = Vec::new();
    for kind in kinds.split(',').filter(|kind| !kind.is_empty()) {
        served.extend(discovery.find(kind)?);
    }
    if served.len() > 1 && !names.is_empty() {
        return Err(Failure::usage("names can be given for one kind only"));
    }
    let namespace = if all_namespaces {
        None
    } else {
        Some(namespace.unwrap_or_else(|| "default".to_owned()))
    };
    let request = Request {
        client,
        namespace: namespace.as_deref(),
        selector: selector.as_deref(),
        names: &names,
    };
    match output {
        Listing::Table | Listing::Wide => tables(printer, &request, &served, output == Listing::Wide).await,
        Listing::Json | Listing::Yaml | Listing::Name => objects(printer, &request, &served, output).await,
    }
}

struct Request<'a> {
    client: &'a Client,
    namespace: Option<&'a str>,
    selector: Option<&'a str>,
    names: &'a [String],
}

impl Request<'_> {
    /// The answers for one kind: the list, or each named object.
    async fn fetch(&self, served: &Served, accept: &str) -> Result<Vec<Value>> {
        let mut paths: Vec<String> = self
            .names
            .iter()
            .map(|name| served.path(self.namespace, Some(name)))
            .collect();
        if paths.is_empty() {
            let query = self
                .selector
                .map(|labels| format!("?labelSelector={}", encode(labels)))
                .unwrap_or_default();
            paths.push(served.path(self.namespace, None) + &query);
        }
        let mut answers = Vec::new();
        for path in paths {
            answers.push(
                get(self.client, &path, accept)
                    .await
                    .attempted(format!("could not get {}", served.full_name()))?,
            );
        }
        Ok(answers)
    }
}

async fn tables(printer: &Printer, request: &Request<'_>, served: &[&Served], wide: bool) -> Result<Exit> {
    let several = served.len() > 1;
    let mut shown = 0;
    for kind in served {
        let all = request.namespace.is_none() && kind.namespaced;
        let mut table = Table::default();
        for answer in request.fetch(kind, TABLE).await? {
            let part = Table::from_server(&answer, wide, all);
            table.headings = part.headings;
            table.rows.extend(part.rows);
        }
        if table.rows.is_empty() {
            continue;
        }
        if several {
            prefix_names(&mut table, kind, usize::from(all));
            if shown > 0 {
                printer.line("");
            }
        }
        shown += table.rows.len();
        printer.out(&table.render());
    }
    if shown == 0 {
        let place = request.namespace.filter(|_| served.iter().any(|kind| kind.namespaced));
        printer.say(&place.map_or("No resources found".to_owned(), |namespace| {
            format!("No resources found in {namespace} namespace.")
        }));
    }
    Ok(Exit::Done)
}

async fn objects(printer: &Printer, request: &Request<'_>, served: &[&Served], output: Listing) -> Result<Exit> {
    let mut items = Vec::new();
    for kind in served {
        for mut answer in request.fetch(kind, "application/json").await? {
            match answer.get_mut("items").map(Value::take) {
                Some(Value::Array(list)) => items.extend(list.into_iter().map(|item| typed(kind, item))),
                _ => items.push(answer),
            }
        }
    }
    for item in &mut items {
        if let Some(metadata) = item["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        secrets::hide(item);
    }
    if output == Listing::Name {
        for item in &items {
            let kind = served.iter().find(|kind| item["kind"] == kind.kind.as_str());
            let kind = kind.map_or_else(String::new, |kind| match kind.group.as_str() {
                "" => kind.singular.clone(),
                group => format!("{}.{group}", kind.singular),
            });
            printer.line(&format!(
                "{kind}/{}",
                item["metadata"]["name"].as_str().unwrap_or_default()
            ));
        }
        return Ok(Exit::Done);
    }
    let whole = match (items.len(), request.names.len()) {
        (1, 1) => items.remove(0),
        _ => json!({ "apiVersion": "v1", "kind": "List", "metadata": { "resourceVersion": "" }, "items": items }),
    };
    printer.out(&match output {
        Listing::Yaml => yaml::to_string(&whole),
        _ => format!("{whole:#}\n"),
    });
    Ok(Exit::Done)
}

/// `pods/etcd-0` is kind and name in one word.
fn split_names(kinds: &str, mut names: Vec<String>) -> Result<(String, Vec<String>)> {
    match kinds.split_once('/') {
        None => Ok((kinds.to_owned(), names)),
        Some((kind, name)) if names.is_empty() && !kind.contains(',') => {
            names.push(name.to_owned());
            Ok((kind.to_owned(), names))
        }
        Some(_) => Err(Failure::usage(
            "TYPE/NAME stands alone: no further kinds or names beside it",
        )),
    }
}

/// Where several kinds are shown, each name says its kind, as kubectl's do.
fn prefix_names(table: &mut Table, kind: &Served, column: usize) {
    let prefix = if kind.group.is_empty() {
        kind.singular.clone()
    } else {
        format!("{}.{}", kind.singular, kind.group)
    };
    for row in &mut table.rows {
        if let Some(name) = row.get_mut(column) {
            *name = format!("{prefix}/{name}");
        }
    }
}

/// Items of a list of a built-in kind come without their kind.
fn typed(kind: &Served, mut item: Value) -> Value {
    if item.get("kind").is_none() {
        let version = if kind.group.is_empty() {
            kind.version.clone()
        } else {
            format!("{}/{}", kind.group, kind.version)
        };
        item["apiVersion"] = version.into();
        item["kind"] = kind.kind.clone().into();
    }
    item
}

/// Percent-encodes what a query can't hold as it is.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
