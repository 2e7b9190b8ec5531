//! `berth render`: the objects that documents stand for, without asking any cluster. Secrets are left out.

use std::fs;
use std::path::Path;

use berth_api::{Documents, yaml};
use berth_procedure::{Change, Facts, ObjectRef, argocd, compile};
use serde_json::Value;

use crate::args::RenderArgs;
use crate::commands::plan::platform;
use crate::documents;
use crate::exit::Exit;
use crate::failure::{Attempted, Result};
use crate::printer::Printer;

/// Prints the objects as YAML documents, or writes one file each.
pub(crate) fn run(printer: &Printer, args: &RenderArgs) -> Result<Exit> {
    let mut loaded = documents::load(&args.documents)?;
    // What is adopted is somebody else's on the cluster; as text it is a guest like any other.
    for guest in &mut loaded.guests {
        guest.spec.adopt = false;
    }
    match &args.into {
        Some(folder) if args.argocd => tree(printer, args, &loaded, folder),
        into => plain(printer, &loaded, into.as_deref()),
    }
}

fn plain(printer: &Printer, documents: &Documents, into: Option<&Path>) -> Result<Exit> {
    let facts = Facts::default();
    let mut left_out = Vec::new();
    let mut objects = Vec::new();
    for change in compile(documents, &platform())
        .iter()
        .flat_map(|step| step.changes(&facts))
    {
        match change {
            Change::Apply { object, .. } | Change::CreateOnce { object, .. } if object.resource.kind == "Secret" => {
                left_out.push(object.to_string());
            }
            Change::Apply { object, fields } | Change::CreateOnce { object, fields, .. } => {
                objects.push((object, fields));
            }
            Change::Set { object, path, .. } => left_out.push(format!("{} of {object}", path.join("."))),
            Change::Merge { .. } | Change::Absent { .. } => {}
            Change::Later { what, after } => left_out.push(format!("{what} (known after {after})")),
        }
    }
    match into {
        Some(folder) => write(printer, folder, &objects)?,
        None => {
            for (_, fields) in &objects {
                printer.out(&format!("{}---\n", yaml::to_string(fields)));
            }
        }
    }
    for line in left_out {
        printer.say(&format!("left out: {line}"));
    }
    Ok(Exit::Done)
}

/// The guests as a tree for Argo CD.
fn tree(printer: &Printer, args: &RenderArgs, documents: &Documents, folder: &Path) -> Result<Exit> {
    let options = argocd::Options {
        repository: args.repo.clone(),
        path: args.path.clone(),
        namespace: args.argocd_namespace.clone(),
        secret_store: args.external_secrets.clone(),
    };
    let argocd::Tree { files, needs } = argocd::tree(documents, &options);
    for (name, text) in files {
        let file = folder.join(name);
        let parent = file.parent().unwrap_or(folder);
        fs::create_dir_all(parent).attempted(format!("could not make the folder {}", parent.display()))?;
        fs::write(&file, text).attempted(format!("could not write {}", file.display()))?;
        printer.line(&file.display().to_string());
    }
    for secret in &needs {
        printer.say(&format!("left out: {secret}"));
    }
    if !needs.is_empty() {
        printer.say("these must be there before the first sync; --external-secrets STORE fetches them from a store");
    }
    Ok(Exit::Done)
}

fn write(printer: &Printer, folder: &Path, objects: &[(ObjectRef, Value)]) -> Result<()> {
    fs::create_dir_all(folder).attempted(format!("could not make the folder {}", folder.display()))?;
    for (object, fields) in objects {
        let place = object
            .namespace
            .as_ref()
            .map(|namespace| format!("{namespace}-"))
            .unwrap_or_default();
        let name = format!("{}-{place}{}.yaml", object.resource.kind.to_lowercase(), object.name);
        let file = folder.join(name);
        fs::write(&file, yaml::to_string(fields)).attempted(format!("could not write {}", file.display()))?;
        printer.line(&file.display().to_string());
    }
    Ok(())
}
