//! `berth render`: the objects that documents stand for, without asking any cluster. Secrets are left out.

use std::fs;
use std::path::Path;

use berth_api::{Documents, yaml};
use berth_procedure::{Change, Facts, ObjectRef, Target, argocd, compile};
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

/// What documents stand for on the management cluster.
#[derive(Debug, Default)]
struct Rendering {
    objects: Vec<(ObjectRef, Value)>,
    left_out: Vec<String>,
}

fn plain(printer: &Printer, documents: &Documents, into: Option<&Path>) -> Result<Exit> {
    let Rendering { objects, left_out } = rendering(documents);
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

fn rendering(documents: &Documents) -> Rendering {
    let facts = Facts::default();
    let mut rendering = Rendering::default();
    for change in compile(documents, &platform())
        .iter()
        .flat_map(|step| step.changes(&facts))
    {
        let left_out = match change {
            // Objects of a guest, applied to the management cluster, would mean something else there.
            Change::Apply { object, .. } | Change::CreateOnce { object, .. } | Change::Set { object, .. }
                if object.target != Target::Management =>
            {
                format!("{object} ({})", of(&object.target))
            }
            Change::Apply { object, .. } | Change::CreateOnce { object, .. } if object.resource.kind == "Secret" => {
                object.to_string()
            }
            Change::Apply { object, fields } | Change::CreateOnce { object, fields, .. } => {
                rendering.objects.push((object, fields));
                continue;
            }
            Change::Set { object, path, .. } => format!("{} of {object}", path.join(".")),
            Change::Merge { .. } | Change::Absent { .. } => continue,
            Change::Later { what, after } => format!("{what} (known after {after})"),
        };
        rendering.left_out.push(left_out);
    }
    rendering
}

/// Where an object is, in words.
fn of(target: &Target) -> String {
    match target {
        Target::Management => "on the management cluster".to_owned(),
        Target::Guest { namespace, name } => format!("in guest {namespace}/{name}"),
    }
}

/// The guests as a tree for Argo CD.
fn tree(printer: &Printer, args: &RenderArgs, documents: &Documents, folder: &Path) -> Result<Exit> {
    let options = argocd::Options {
        repository: args.repo.clone(),
        path: args.path.clone(),
        namespace: args.argocd_namespace.clone(),
        secret_store: args.external_secrets.clone(),
    };
    let argocd::Tree { files, needs, left_out } = argocd::tree(documents, &options);
    for (name, text) in files {
        let file = folder.join(name);
        let parent = file.parent().unwrap_or(folder);
        fs::create_dir_all(parent).attempted(format!("could not make the folder {}", parent.display()))?;
        fs::write(&file, text).attempted(format!("could not write {}", file.display()))?;
        printer.line(&file.display().to_string());
    }
    for text in left_out.iter().chain(&needs) {
        printer.say(&format!("left out: {text}"));
    }
    if !needs.is_empty() {
        printer
            .say("the Secrets must be there before the first sync; --external-secrets STORE fetches them from a store");
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

#[cfg(test)]
mod tests {
    use berth_api::Source;

    use super::*;

    const DOCUMENT: &str = "
apiVersion: berth.dev/v1alpha1
kind: GuestCluster
metadata: {name: g, namespace: hcp}
spec:
  release: {image: quay.io/openshift-release-dev/ocp-release:4.17.0-multi}
  pullSecret: {secret: pull}
  nodePools: [{name: workers, replicas: 2}]
  identity:
    clusterAdmins: {users: [ada]}
    providers: [{name: hub, github: {clientID: x, clientSecret: {secret: kept}, organizations: [o]}}]
";

    #[test]
    fn what_is_in_a_guest_is_not_for_the_management_cluster() {
        let source = Source {
            path: "documents.yaml".into(),
            text: DOCUMENT.to_owned(),
        };
        let nothing = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        let documents = berth_api::load(vec![source], &nothing, &|_| None).expect("the documents are well-formed");
        let Rendering { objects, left_out } = rendering(&documents);
        let kinds: Vec<&str> = objects.iter().map(|(object, _)| object.resource.kind).collect();
        assert!(kinds.contains(&"HostedCluster"), "{kinds:?}");
        assert!(!kinds.contains(&"ClusterRoleBinding"), "{kinds:?}");
        let told = "ClusterRoleBinding berth-cluster-admins (in guest hcp/g)".to_owned();
        assert!(left_out.contains(&told), "{left_out:?}");
    }
}
