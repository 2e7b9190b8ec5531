//! The guide: `docs/procedure.md`, made from the steps of the example document and a text for each.
//!
//! The commands are the steps' own, so the page cannot drift from what Berth does; the texts are in `guide/*.md`, a reason
//! and what to expect. A test holds the committed page to [`markdown`].

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use berth_api::{Documents, MulticlusterEngine, Source, resources};
use serde_json::json;

use crate::compile::{Platform, compile};
use crate::facts::{Facts, Seen, Selector};
use crate::step::{Command, Step};
use crate::steps::{channel, ids};

const EXAMPLE: &str = include_str!("../../../examples/guest-cluster-0.yaml");
const PULL_SECRET: &[u8] = include_bytes!("../../../examples/pull-secret.json");
/// Parts a step's reason from what to expect of it.
const MARK: &str = "<!-- expected -->\n";

/// Each step's text, by the last word that tells what a step is.
const TEXTS: [(&str, &str); 12] = [
    (ids::PREREQUISITES, include_str!("guide/prerequisites.md")),
    (ids::INGRESS, include_str!("guide/ingress.md")),
    (ids::STORAGE, include_str!("guide/storage.md")),
    (
        ids::ENGINE_OPERATOR,
        include_str!("guide/multicluster-engine-operator.md"),
    ),
    (ids::ENGINE, include_str!("guide/multicluster-engine.md")),
    (ids::CLI, include_str!("guide/cli.md")),
    ("cluster", include_str!("guide/cluster.md")),
    ("pool", include_str!("guide/pool.md")),
    ("rollout", include_str!("guide/rollout.md")),
    ("access", include_str!("guide/access.md")),
    ("break-glass", include_str!("guide/break-glass.md")),
    ("identity", include_str!("guide/identity.md")),
];

/// The whole page.
pub fn markdown() -> String {
    let steps = compile(&example(), &Platform::of_rust("linux", "x86_64"));
    let facts = example_hub();
    let mut page = String::new();
    for part in [include_str!("guide/intro.md"), include_str!("guide/architecture.md")] {
        page.push_str(part);
        page.push('\n');
    }
    page.push_str("## The steps\n\n");
    page.push_str(&table(&steps));
    for (index, step) in steps.iter().enumerate() {
        page.push_str(&section(index + 1, step.as_ref(), &facts));
    }
    for part in [include_str!("guide/removal.md"), include_str!("guide/mistakes.md")] {
        page.push('\n');
        page.push_str(part);
    }
    page
}

/// Why a step is taken, for `up --narrate`.
pub fn step(id: &str) -> Option<String> {
    let (reason, _) = text_of(id)?;
    Some(reason.trim_end().to_owned())
}

/// A step's reason and what to expect of it. A guest's steps are told apart by the word behind the guest's name.
fn text_of(id: &str) -> Option<(&'static str, &'static str)> {
    let word = match id.strip_prefix("guest/") {
        Some(rest) => rest.split('/').nth(1)?,
        None => id,
    };
    TEXTS
        .iter()
        .find(|(key, _)| *key == word)
        .map(|(_, text)| text.split_once(MARK).unwrap_or((text, "")))
}

/// The example, as it is committed.
fn example() -> Documents {
    let source = Source {
        path: "examples/guest-cluster-0.yaml".into(),
        text: EXAMPLE.to_owned(),
    };
    let read = |_: &Path| Ok(PULL_SECRET.to_vec());
    berth_api::load(vec![source], &read, &|_| None).expect("the example is well-formed: its own tests load it")
}

/// As much of a 4.17 hub as the commands depend on: the version, and what its catalog offers.
fn example_hub() -> Facts {
    let mut facts = Facts::default();
    let mut show = |selector: Selector, object| facts.observe(selector, Seen::Objects(vec![Arc::new(object)]));
    show(
        Selector::cluster(resources::CLUSTER_VERSION, "version"),
        json!({ "status": { "history": [{ "state": "Completed", "version": "4.17.0" }] } }),
    );
    let channels = ["stable-2.5", "stable-2.6", "stable-2.7"].map(|channel| json!({ "name": channel }));
    show(
        channel::manifests(&MulticlusterEngine::default()),
        json!({
            "metadata": { "name": "multicluster-engine" },
            "status": { "catalogSource": "redhat-operators", "channels": channels },
        }),
    );
    facts
}

fn table(steps: &[Box<dyn Step>]) -> String {
    let mut table = "| step | does | after | because |\n| --- | --- | --- | --- |\n".to_owned();
    for step in steps {
        let after = step.after();
        let column = |of: fn(&crate::step::Dependency) -> String| after.iter().map(of).collect::<Vec<_>>().join("; ");
        let names = column(|dependency| format!("`{}`", dependency.step));
        let reasons = column(|dependency| dependency.reason.to_owned());
        let _ = writeln!(table, "| `{}` | {} | {names} | {reasons} |", step.id(), step.title());
    }
    table
}

fn section(number: usize, step: &dyn Step, facts: &Facts) -> String {
    let id = step.id().as_str();
    let (reason, expected) = text_of(id).unwrap_or_default();
    let mut section = format!("\n### {number}. {}\n\n`{id}`\n\n{}\n", step.title(), reason.trim_end());
    if let Some(note) = step.hub_wide() {
        let _ = write!(section, "\nThe whole hub feels it: {note}.\n");
    }
    let _ = write!(section, "\nBy hand:\n\n```sh\n{}\n```\n", shell(&step.commands(facts)));
    let _ = write!(section, "\nWith Berth:\n\n```sh\n{}\n```\n", with_berth(id));
    if !expected.is_empty() {
        let _ = write!(section, "\nWhat to expect:\n\n{}\n", expected.trim_end());
    }
    section
}

/// Commands as a script, each with what it is for.
fn shell(commands: &[Command]) -> String {
    let lines = commands.iter().map(|command| match command.comment.as_str() {
        "" => command.line.clone(),
        comment => format!("# {comment}\n{}", command.line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn with_berth(id: &str) -> String {
    let only = format!("berth up -f examples/guest-cluster-0.yaml --only {id}");
    match text_of(id).map(|_| id.rsplit('/').next().unwrap_or(id)) {
        Some(ids::PREREQUISITES) => "berth check -f examples/guest-cluster-0.yaml".to_owned(),
        Some("access") => {
            "berth kubeconfig guest-cluster-0 > guest-cluster-0.kubeconfig\nberth password guest-cluster-0".to_owned()
        }
        _ => only,
    }
}

#[cfg(test)]
mod tests;
