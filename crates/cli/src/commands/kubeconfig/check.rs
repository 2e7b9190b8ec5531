//! `berth kubeconfig --check`: when a kubeconfig ends, whether it is what the hub has, and whether it works from here.

use std::path::{Path, PathBuf};

use berth_api::yaml;
use berth_procedure::Diagnosis;
use berth_procedure::access::{self, Ends, Entry, HubView, Origin, Reach, Remark, Tried};
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

/// What was found of a kubeconfig.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// The guest that it is for, as NAMESPACE/NAME.
    guest: Option<String>,
    /// Where it was read.
    source: String,
    server: String,
    /// The plugin that fetches its credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<String>,
    /// Whether that is this program, which fetches what the hub has.
    #[serde(skip)]
    refreshes: bool,
    ends: Ends,
    remarks: Vec<Remark>,
    #[serde(flatten)]
    reach: Reach,
    tried_from: String,
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
        (None, Some(entry), Some(file)) => alone(printer, session, entry, file, now).await,
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
    let hub = hub(session, namespace, name).await?;
    let (mut way, source, origin) = if let Some((entry, file)) = &file {
        let origin = Origin::Copy { refresh: &refresh };
        (entry.clone(), file.display().to_string(), origin)
    } else {
        let source = format!("Secret {namespace}/{name}-admin-kubeconfig");
        (secret.clone(), source, Origin::Hub)
    };
    let fetched_by_us = fetches_for(&way, &format!("{namespace}/{name}"));
    if fetched_by_us {
        // What the plugin would fetch is what the hub has now.
        (way.certificate, way.key) = (secret.certificate.clone(), secret.key.clone());
    }
    let from = this_machine();
    let reach = berth_effects::reach(&way).await;
    let ends = access::ends(&way);
    let mut remarks = not_tried(&way);
    if file.is_some() {
        remarks.extend(access::compare(&way, &secret, hub.as_ref(), &reach, origin));
    }
    remarks.extend(access::remarks(&ends, now, origin));
    let diagnosis = access::diagnose(&Tried {
        reach: &reach,
        entry: &way,
        from: &from,
        hub: hub.as_ref(),
        object: &format!("the API server of guest {namespace}/{name}"),
        now,
        origin,
    });
    Ok(Report {
        guest: Some(format!("{namespace}/{name}")),
        source,
        server: way.server,
        plugin: way.plugin.map(|plugin| plugin.command),
        refreshes: fetched_by_us,
        ends,
        remarks,
        reach,
        tried_from: from,
        hub,
        diagnosis,
    })
}

/// Whether what fetches the credentials is this program, and for this guest.
fn fetches_for(entry: &Entry, guest: &str) -> bool {
    let plugin = entry.plugin.as_ref();
    plugin.is_some_and(|plugin| plugin.guest.as_deref() == Some(guest))
}

/// What is left out of an attempt.
fn not_tried(entry: &Entry) -> Vec<Remark> {
    let plugin = entry.plugin.as_ref().filter(|_| entry.leaves_credentials_out());
    let remark = plugin.map(|plugin| Remark {
        id: "",
        text: format!("credentials not tried: {} fetches them", plugin.command),
        fix: String::new(),
        fails: false,
    });
    remark.into_iter().collect()
}

/// A file that leads to no guest of this hub.
async fn alone(printer: &Printer, session: &Session, entry: Entry, file: &Path, now: Timestamp) -> Report {
    let refresh = format!("{} kubeconfig{} NAME", printer.program, session.flags);
    let origin = Origin::Copy { refresh: &refresh };
    let from = this_machine();
    let reach = berth_effects::reach(&entry).await;
    let ends = access::ends(&entry);
    let diagnosis = access::diagnose(&Tried {
        reach: &reach,
        entry: &entry,
        from: &from,
        hub: None,
        object: &entry.server,
        now,
        origin,
    });
    let mut remarks = not_tried(&entry);
    remarks.extend(access::remarks(&ends, now, origin));
    Report {
        guest: None,
        source: file.display().to_string(),
        remarks,
        server: entry.server,
        plugin: entry.plugin.map(|plugin| plugin.command),
        refreshes: false,
        ends,
        reach,
        tried_from: from,
        hub: None,
        diagnosis,
    }
}

/// From where an API server is tried: `this machine (build-7)`.
pub(crate) fn this_machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "this machine".to_owned(),
        name => format!("this machine ({name})"),
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
    let mut guests = guests.iter();
    guests.find(|guest| access::is_at(&guest.object, server)).cloned()
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
    if let Some(plugin) = report.plugin.as_ref().filter(|_| report.refreshes) {
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
        // Whether one comes from a plugin is said of the plugin.
        None if report.plugin.is_some() => {}
        None => text.push_str(&format!("{notice} it holds no client certificate\n")),
    }
    if let Some(end) = authority {
        text.push_str(&until("the authority that it trusts", *end));
    }
    for remark in &report.remarks {
        let mark = if remark.fails { &bad } else { &notice };
        let id = if remark.id.is_empty() {
            String::new()
        } else {
            format!("{}: ", remark.id)
        };
        text.push_str(&format!("{mark} {id}{}\n", remark.text));
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
            text.push_str(&format!("{bad} {}\n", found.headline()));
            for line in &found.evidence {
                text.push_str(&format!("    {line}\n"));
            }
            text.push_str(&format!("    fix: {}\n", found.fix));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(user: &str) -> Entry {
        let text = format!(
            "{{current-context: c, clusters: [{{name: c, cluster: {{server: 'https://api.g.example'}}}}], contexts: [{{name: \
             c, context: {{cluster: c, user: u}}}}], users: [{{name: u, user: {user}}}]}}"
        );
        Entry::read(&text, None, &|_| None).expect("a context")
    }

    #[test]
    fn only_our_own_plugin_for_the_guest_is_tried_with_what_the_hub_has() {
        let ours = entry("{exec: {command: /bin/berth, args: [--lab, kubeconfig, hcp/g, --credential]}}");
        assert!(fetches_for(&ours, "hcp/g") && !fetches_for(&ours, "hcp/another"));
        let theirs = entry("{exec: {command: aws, args: [eks, get-token]}}");
        assert!(!fetches_for(&theirs, "hcp/g"));
        let said = |entry: &Entry| {
            not_tried(entry)
                .into_iter()
                .map(|remark| remark.text)
                .collect::<Vec<_>>()
        };
        assert_eq!(said(&theirs), ["credentials not tried: aws fetches them"]);
        assert!(said(&entry("{token: t}")).is_empty());
    }

    #[test]
    fn a_guest_is_found_by_its_address_and_by_its_own_name() {
        let guest = Guest {
            namespace: "hcp".to_owned(),
            name: "g".to_owned(),
            object: serde_json::json!({
                "spec": { "kubeAPIServerDNSName": "api.g.example" },
                "status": { "controlPlaneEndpoint": { "host": "192.0.2.1", "port": 443 } },
            }),
        };
        let guests = [guest];
        for (url, is_found) in [
            ("https://192.0.2.1", true),
            ("https://192.0.2.1:443/", true),
            ("https://api.g.example:6443", true),
            ("https://192.0.2.1:6443", false),
        ] {
            assert_eq!(at(&guests, url).is_some(), is_found, "{url}");
        }
    }
}
