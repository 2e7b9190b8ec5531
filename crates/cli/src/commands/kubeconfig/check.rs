//! `berth kubeconfig --check`: when a kubeconfig ends, whether it is what the hub has, and whether it works from here.

use std::path::{Path, PathBuf};

use berth_api::yaml;
use berth_procedure::Diagnosis;
use berth_procedure::access::{self, Ends, Entry, HubView, Reach, Remark, Tried};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{refresh, unusable};
use crate::args::Structured;
use crate::commands::guest::{self, Credential};
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::guests::{self, Guest};
use crate::printer::{Printer, Tone};
use crate::session::Session;

/// From where an API server is tried.
const FROM: &str = "this machine";

/// What was found of a kubeconfig.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// The guest that it is for, as NAMESPACE/NAME.
    guest: Option<String>,
    /// Where it was read.
    source: String,
    server: String,
    /// The plugin that fetches its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<String>,
    ends: Ends,
    remarks: Vec<Remark>,
    #[serde(flatten)]
    reach: Reach,
    tried_from: &'static str,
    hub: Option<HubView>,
    diagnosis: Option<Diagnosis>,
}

/// Checks the guest's own kubeconfig, or a file (of the guest that is named, or whose address it has).
pub(super) async fn run(
    printer: &Printer,
    session: &Session,
    typed: Option<&str>,
    file: Option<&Path>,
    output: Structured,
) -> Result<Exit> {
    let from_file = file.map(read_file).transpose()?;
    let guest = match (typed, &from_file) {
        (Some(typed), _) => Some(guests::find(&session.client, typed).await?),
        (None, Some(entry)) => at(&guests::all(&session.client).await?, &entry.server),
        (None, None) => {
            return Err(Failure::usage("whose kubeconfig?").hint("name a guest, or a file: --check=FILE"));
        }
    };
    let now = Timestamp::now();
    let report = match (&guest, from_file, file) {
        (Some(guest), entry, file) => of_guest(printer, session, guest, entry.zip(file), now).await?,
        (None, Some(entry), Some(file)) => alone(entry, file, now).await,
        (None, ..) => return Err(Failure::failed("there is no such guest")),
    };
    match output {
        Structured::Json => printer.line(&format!("{:#}", value(&report)?)),
        Structured::Yaml => printer.out(&yaml::to_string(&value(&report)?)),
        Structured::Text => printer.out(&text(printer, &report, now)),
    }
    let well = report.diagnosis.is_none() && report.remarks.iter().all(|remark| !remark.fails);
    Ok(if well { Exit::Done } else { Exit::Failed })
}

async fn of_guest(
    printer: &Printer,
    session: &Session,
    guest: &Guest,
    file: Option<(Entry, &Path)>,
    now: Timestamp,
) -> Result<Report> {
    let Guest { namespace, name, .. } = guest;
    let refresh = refresh(printer, session, guest);
    let kubeconfig = guest::read(printer, session, guest, Credential::Kubeconfig).await?;
    let secret = Entry::read(&kubeconfig, None, &|_| None).map_err(|error| unusable(guest, &error))?;
    let (mut way, source, mut remarks) = match file {
        Some((entry, file)) => {
            let remarks = access::compare(&entry, &secret, &refresh);
            (entry, file.display().to_string(), remarks)
        }
        None => (
            secret.clone(),
            format!("Secret {namespace}/{name}-admin-kubeconfig"),
            Vec::new(),
        ),
    };
    let plugin = way.exec.clone();
    if plugin.is_some() {
        // What the plugin would fetch is what the hub has now.
        (way.certificate, way.key) = (secret.certificate, secret.key);
    }
    let hub = hub(session, namespace, name).await?;
    let reach = berth_effects::reach(&way).await;
    let ends = access::ends(&way);
    remarks.extend(access::remarks(&ends, now, &refresh));
    let diagnosis = access::diagnose(&Tried {
        reach: &reach,
        entry: &way,
        from: FROM,
        hub: hub.as_ref(),
        object: &format!("the API server of guest {namespace}/{name}"),
        now,
        refresh: &refresh,
    });
    Ok(Report {
        guest: Some(format!("{namespace}/{name}")),
        source,
        server: way.server,
        plugin,
        ends,
        remarks,
        reach,
        tried_from: FROM,
        hub,
        diagnosis,
    })
}

/// A file that leads to no guest of this hub.
async fn alone(entry: Entry, file: &Path, now: Timestamp) -> Report {
    let refresh = "berth kubeconfig NAME";
    let reach = berth_effects::reach(&entry).await;
    let ends = access::ends(&entry);
    let diagnosis = access::diagnose(&Tried {
        reach: &reach,
        entry: &entry,
        from: FROM,
        hub: None,
        object: &entry.server,
        now,
        refresh,
    });
    Report {
        guest: None,
        source: file.display().to_string(),
        remarks: access::remarks(&ends, now, refresh),
        server: entry.server,
        plugin: entry.exec,
        ends,
        reach,
        tried_from: FROM,
        hub: None,
        diagnosis,
    }
}

/// What the hub thinks of a guest's API server.
pub(crate) async fn hub(session: &Session, namespace: &str, name: &str) -> Result<Option<HubView>> {
    let facts = session.engine()?.read(&[], &HubView::watches(namespace, name)).await;
    let facts = facts.attempted(format!("could not read {session}"))?;
    Ok(access::hub_view(&facts, namespace, name))
}

/// The guest whose API server is at a URL.
fn at(guests: &[Guest], server: &str) -> Option<Guest> {
    let place = server.strip_prefix("https://")?.trim_end_matches('/');
    let is_there = |guest: &&Guest| {
        let endpoint = &guest.object["status"]["controlPlaneEndpoint"];
        let host = endpoint["host"].as_str().unwrap_or_default();
        place == format!("{host}:{}", endpoint["port"].as_i64().unwrap_or(6443))
    };
    guests.iter().find(is_there).cloned()
}

fn read_file(file: &Path) -> Result<Entry> {
    let failed = || format!("could not read the kubeconfig {}", file.display());
    let text = std::fs::read_to_string(file).attempted(failed())?;
    let folder = file.parent().map(PathBuf::from).unwrap_or_default();
    // Files that it names are beside it, unless they say otherwise.
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    Entry::read(&text, None, &read).attempted(failed())
}

fn value(report: &Report) -> Result<Value> {
    serde_json::to_value(report).map_err(|error| Failure::failed("the report could not be written").because(&error))
}

fn text(printer: &Printer, report: &Report, now: Timestamp) -> String {
    let good = printer.out_tone(Tone::Good, "✓");
    let bad = printer.out_tone(Tone::Bad, "✗");
    let notice = printer.out_tone(Tone::Warning, "!");
    let mut text = match &report.guest {
        Some(guest) => format!("guest {guest}, from {}\n", report.source),
        None => format!("{}, which leads to no guest of this hub\n", report.source),
    };
    let Ends {
        user,
        certificate,
        authority,
        ..
    } = &report.ends;
    if let Some(plugin) = &report.plugin {
        text.push_str(&format!(
            "{good} {plugin} fetches the certificate each time it is used\n"
        ));
    }
    let until = |what: &str, end: jiff::Timestamp| {
        let mark = if end > now { &good } else { &bad };
        let left = if end > now {
            access::span(now, end)
        } else {
            "ended".to_owned()
        };
        format!("{mark} {what} until {end} ({left})\n")
    };
    match certificate {
        Some(end) => text.push_str(&until(&format!("client certificate of {user}"), *end)),
        None => text.push_str(&format!("{notice} it holds no client certificate\n")),
    }
    if let Some(end) = authority {
        text.push_str(&until("the authority that it trusts", *end));
    }
    for remark in &report.remarks {
        let mark = if remark.fails { &bad } else { &notice };
        text.push_str(&format!("{mark} {}: {}\n", remark.id, remark.text));
        if !remark.fix.is_empty() {
            text.push_str(&format!("    fix: {}\n", remark.fix));
        }
    }
    match &report.diagnosis {
        None => text.push_str(&format!(
            "{good} {} answers (tried from {})\n",
            report.server, report.tried_from
        )),
        Some(found) => {
            let id = if found.id.is_empty() {
                String::new()
            } else {
                format!("{} ", found.id)
            };
            text.push_str(&format!("{bad} {id}{}\n", found.title));
            for line in &found.evidence {
                text.push_str(&format!("    {line}\n"));
            }
            text.push_str(&format!("    fix: {}\n", found.fix));
        }
    }
    text
}
