//! `berth status`: the management cluster and its guests as a tree, what fails first.

use berth_api::yaml;
use berth_procedure::Selector;
use berth_procedure::access::{self, Ends, Origin};
use berth_procedure::status::{self, Bounds, Counted, GuestStatus, MachineStatus, Paused, PoolStatus, Status};
use jiff::Timestamp;
use serde_json::json;

use crate::args::{StatusArgs, Structured};
use crate::commands::identity;
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::guests;
use crate::printer::{Printer, Tone};
use crate::progress::millis;
use crate::session::Session;

/// Prints the tree. Exit code 1 where a guest is not as it should be.
pub(crate) async fn run(printer: &Printer, session: &Session, args: StatusArgs) -> Result<Exit> {
    let StatusArgs { guest, output } = args;
    let only = match guest {
        Some(typed) => {
            let guest = guests::find(&session.client, &typed).await?;
            Some((guest.namespace, guest.name))
        }
        None => None,
    };
    let status = read(session, only.as_ref()).await?;
    let value = || {
        let server = json!({ "url": session.server.url, "lab": session.lab, "simulated": session.lab.is_some() });
        let status = serde_json::to_value(&status);
        let mut status = status.map_err(|error| Failure::failed("the status could not be written").because(&error))?;
        status["server"] = server;
        Ok::<_, Failure>(status)
    };
    match output {
        Structured::Json => printer.line(&format!("{:#}", value()?)),
        Structured::Yaml => printer.out(&yaml::to_string(&value()?)),
        Structured::Text => printer.out(&text(printer, session, &status)),
    }
    let well = status.guests.iter().all(|guest| guest.diagnosis.is_none());
    Ok(if well { Exit::Done } else { Exit::Failed })
}

/// Of a whole fleet a few lists are read, and all of a guest only where something is not as it should be.
async fn read(session: &Session, only: Option<&(String, String)>) -> Result<Status> {
    let engine = session.engine()?;
    let read = async |watches: &[Selector]| {
        let facts = engine.read(&[], watches).await;
        facts.attempted(format!("could not read {session}"))
    };
    let mut watches = status::watches();
    if let Some((namespace, name)) = only {
        watches.extend(status::guest_watches(namespace, name));
        let mut status = status::status(&read(&watches).await?, Timestamp::now());
        status
            .guests
            .retain(|guest| guest.namespace == *namespace && guest.name == *name);
        return Ok(status);
    }
    watches.extend(status::fleet_watches());
    let mut facts = read(&watches).await?;
    status::spread(&mut facts);
    let mut details = Vec::new();
    for (namespace, name) in status::guests(&facts) {
        if status::well(&facts, &namespace, &name) {
            details.push(status::expiry_watch(&namespace, &name));
        } else {
            details.extend(status::guest_watches(&namespace, &name));
        }
    }
    facts.extend(read(&details).await?);
    Ok(status::status(&facts, Timestamp::now()))
}

fn text(printer: &Printer, session: &Session, status: &Status) -> String {
    let mark = |good: bool| {
        if good {
            printer.out_tone(Tone::Good, "✓")
        } else {
            printer.out_tone(Tone::Bad, "✗")
        }
    };
    let version = if status.version.is_empty() {
        "version unknown"
    } else {
        &status.version
    };
    let mut text = format!("{session}  OpenShift {version}\n");
    if status.engine.is_empty() {
        text.push_str(&format!(
            "{} no multicluster engine\n",
            printer.out_tone(Tone::Quiet, "-")
        ));
    } else {
        text.push_str(&format!(
            "{} multicluster engine {}\n",
            mark(status.engine == "Available"),
            status.engine
        ));
        let managed = if status.local_cluster {
            "joined and available"
        } else {
            "not available"
        };
        text.push_str(&format!("{} local-cluster {managed}\n", mark(status.local_cluster)));
    }
    for guest in &status.guests {
        let mark = match (&guest.diagnosis, guest.done && !guest.deleting) {
            (Some(_), _) => printer.out_tone(Tone::Bad, "✗"),
            (None, true) => printer.out_tone(Tone::Good, "✓"),
            (None, false) => printer.out_tone(Tone::Warning, "…"),
        };
        text.push_str(&guest_text(printer, guest, &mark));
    }
    if status.guests.is_empty() {
        text.push_str("no guests\n");
    }
    text
}

/// A pause with its age: one that is forgotten keeps edits and repairs from having an effect.
fn pause_text(printer: &Printer, what: &str, paused: &Paused) -> String {
    let for_long = paused.seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let since = match (for_long, paused.since) {
        (Some(seconds), Some(since)) => format!(" for {} (since {since})", millis(seconds * 1000)),
        _ => String::new(),
    };
    let until = match paused.until {
        Some(until) => format!("until {until}"),
        None => "until it is resumed".to_owned(),
    };
    let word = printer.out_tone(Tone::Warning, "U18 paused:");
    format!("    {word} HyperShift leaves {what} alone{since}, {until}\n")
}

/// When the admin kubeconfig ends; a line only where that is soon.
fn kubeconfig_text(printer: &Printer, ends: &Ends) -> String {
    let remarks = access::remarks(ends, Timestamp::now(), Origin::Hub);
    let lines = remarks.iter().map(|remark| {
        let tone = if remark.fails { Tone::Bad } else { Tone::Warning };
        let word = printer.out_tone(tone, &format!("{} kubeconfig:", remark.id));
        format!("    {word} {}\n", remark.text)
    });
    lines.collect()
}

fn guest_text(printer: &Printer, guest: &GuestStatus, mark: &str) -> String {
    let GuestStatus {
        namespace,
        name,
        version,
        progress,
        upgrade,
        paused,
        available,
        done: _,
        deleting,
        control_plane,
        kubeconfig,
        identity: login,
        pools,
        diagnosis,
    } = guest;
    let state = match (deleting, available) {
        (true, _) => "being deleted",
        (false, true) => "available",
        (false, false) => "not available yet",
    };
    let rollout = match (version.as_str(), progress.as_str()) {
        ("", "") => "no version yet".to_owned(),
        (version, progress) => format!("{version} {progress}").trim().to_owned(),
    };
    let mut text = format!("{mark} guest {namespace}/{name}  {rollout}, {state}\n");
    if let Some(diagnosis) = diagnosis {
        let title = printer.out_tone(Tone::Bad, &diagnosis.headline());
        text.push_str(&format!("    {title} ({})\n", diagnosis.object));
        for line in &diagnosis.evidence {
            text.push_str(&format!("      {line}\n"));
        }
        text.push_str(&format!("      fix: {}\n", diagnosis.fix));
    }
    for line in paused.iter().map(|paused| pause_text(printer, "the guest", paused)) {
        text.push_str(&line);
    }
    if let Some(upgrade) = upgrade {
        text.push_str(&format!(
            "    {} {upgrade}\n",
            printer.out_tone(Tone::Warning, "upgrade:")
        ));
    }
    if let Some(Counted { done, total }) = control_plane {
        text.push_str(&format!("    control plane: {done} of {total} workloads ready\n"));
    }
    if let Some(ends) = kubeconfig {
        text.push_str(&kubeconfig_text(printer, ends));
    }
    if let Some(open) = login {
        let word = printer.out_tone(Tone::Warning, "identity:");
        let until = open.until.map(|until| format!(" until {until}")).unwrap_or_default();
        text.push_str(&format!("    {word} the login {}{until}\n", identity::told(open)));
    }
    for PoolStatus {
        name,
        version,
        updating,
        skew,
        paused,
        bounds,
        nodes,
        machines,
    } in pools
    {
        let version = if version.is_empty() { "no version yet" } else { version };
        let count = match bounds {
            Some(Bounds { min, max }) => format!("{} nodes ready, autoscaled from {min} to {max}", nodes.done),
            None => format!("{} of {} nodes ready", nodes.done, nodes.total),
        };
        text.push_str(&format!("    node pool {name}: {count}, {version}\n"));
        for line in paused.iter().map(|paused| pause_text(printer, "the pool", paused)) {
            text.push_str(&line);
        }
        if let Some(line) = updating {
            text.push_str(&format!(
                "      {} {line}\n",
                printer.out_tone(Tone::Warning, "updating:")
            ));
        }
        if let Some(line) = skew {
            text.push_str(&format!("      {} {line}\n", printer.out_tone(Tone::Bad, "C22 skew:")));
        }
        for MachineStatus { name, status, host } in machines {
            let status = if status.is_empty() {
                "no virtual machine yet"
            } else {
                status
            };
            let host = if host.is_empty() {
                String::new()
            } else {
                format!(" on {host}")
            };
            text.push_str(&format!("      {name}  {status}{host}\n"));
        }
    }
    text
}
