//! `berth lab`: labs as processes.

use std::collections::BTreeMap;

use berth_api::yaml;
use berth_lab::LabStatus;
use serde_json::{Value, json};

use crate::args::{LabCommand, Structured, TargetArgs};
use crate::commands::up::ask;
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::labs;
use crate::printer::Printer;
use crate::runtime;
use crate::table::Table;

/// Runs a lab command on the lab that `--lab=NAME` names, else on `default`.
pub(crate) fn run(printer: &Printer, target: &TargetArgs, command: LabCommand) -> Result<Exit> {
    if target.kubeconfig.is_some() || target.context.is_some() {
        return Err(Failure::usage(
            "lab commands are about labs: --kubeconfig and --context have no meaning here",
        ));
    }
    let name = target.lab.as_deref().unwrap_or("default");
    match command {
        // Needs no runtime, so that `$(berth lab kubeconfig)` costs nothing.
        LabCommand::Kubeconfig { raw } => kubeconfig(printer, name, raw),
        LabCommand::Run { options } => runtime()?.block_on(foreground(printer, &options)),
        LabCommand::Start(options) => {
            runtime()?.block_on(labs::start(printer, name, &options))?;
            Ok(Exit::Done)
        }
        LabCommand::Stop => runtime()?.block_on(stop(printer, name)),
        LabCommand::Reset { yes } => runtime()?.block_on(reset(printer, name, yes)),
        LabCommand::Status { output } => runtime()?.block_on(status(printer, name, output)),
    }
}

fn kubeconfig(printer: &Printer, name: &str, raw: bool) -> Result<Exit> {
    let file = labs::home()?.kubeconfig(&labs::name(name)?);
    if !file.is_file() {
        return Err(Failure::failed(format!("there is no lab `{name}`")).hint(format!(
            "`{} lab start{}` starts it",
            printer.program,
            labs::flag(name)
        )));
    }
    if raw {
        let text = std::fs::read_to_string(&file).attempted(format!("could not read {}", file.display()))?;
        printer.out(&text);
    } else {
        printer.line(&file.display().to_string());
    }
    Ok(Exit::Done)
}

async fn stop(printer: &Printer, name: &str) -> Result<Exit> {
    let ran = berth_lab::stop(&labs::home()?, &labs::name(name)?)
        .await
        .attempted(format!("could not stop the lab `{name}`"))?;
    printer.say(&if ran {
        format!(
            "lab `{name}` stopped; its data stay, `{} lab start{}` goes on with them",
            printer.program,
            labs::flag(name)
        )
    } else {
        format!("lab `{name}` does not run")
    });
    Ok(Exit::Done)
}

async fn reset(printer: &Printer, name: &str, yes: bool) -> Result<Exit> {
    if printer.can_ask() {
        ask(printer, &format!("Delete the lab `{name}` and everything in it?"), yes)?;
    }
    let was = berth_lab::reset(&labs::home()?, &labs::name(name)?)
        .await
        .attempted(format!("could not reset the lab `{name}`"))?;
    printer.say(&if was {
        format!("lab `{name}` is deleted")
    } else {
        format!("there is no lab `{name}`")
    });
    Ok(Exit::Done)
}

async fn status(printer: &Printer, name: &str, output: Structured) -> Result<Exit> {
    let status = berth_lab::status(&labs::home()?, &labs::name(name)?).await;
    let Some(status) = status.attempted(format!("could not ask the lab `{name}` how it is"))? else {
        return Err(does_not_run(printer, name)?);
    };
    match output {
        Structured::Json => printer.line(&format!("{:#}", value(&status))),
        Structured::Yaml => printer.out(&yaml::to_string(&value(&status))),
        Structured::Text => printer.out(&text(&status)),
    }
    Ok(Exit::Done)
}

fn does_not_run(printer: &Printer, name: &str) -> Result<Failure> {
    let failure = Failure::failed(format!("the lab `{name}` does not run"));
    let failure = failure.hint(format!("`{} lab start{}` starts it", printer.program, labs::flag(name)));
    let running: Vec<String> = labs::running()?.into_iter().map(|lab| lab.name).collect();
    Ok(if running.is_empty() {
        failure
    } else {
        failure.hint(format!("running are {}; --lab=NAME names one", running.join(", ")))
    })
}

/// Requests by user agent and verb; dry runs apart, for they write nothing.
fn by_agent(status: &LabStatus) -> BTreeMap<(&str, bool, &str), u64> {
    let mut counts = BTreeMap::new();
    for request in &status.requests {
        *counts
            .entry((request.user_agent.as_str(), request.dry_run, request.verb.as_str()))
            .or_default() += request.count;
    }
    counts
}

fn value(status: &LabStatus) -> Value {
    let LabStatus { lab, revision, .. } = status;
    let requests: Vec<Value> = status
        .requests
        .iter()
        .map(|request| {
            json!({ "userAgent": request.user_agent, "verb": request.verb, "resource": request.resource,
                "dryRun": request.dry_run, "count": request.count })
        })
        .collect();
    json!({
        "name": lab.name.to_string(), "pid": lab.pid, "url": lab.url, "kubeconfig": lab.kubeconfig, "log": lab.log,
        "speed": lab.speed, "generation": lab.generation, "started": lab.started.to_string(), "simulated": true,
        "revision": revision, "requests": requests,
    })
}

fn text(status: &LabStatus) -> String {
    let LabStatus { lab, revision, .. } = status;
    let mut text = format!("lab {} (simulated), generation {}\n", lab.name, lab.generation);
    for (what, value) in [
        ("API", lab.url.clone()),
        ("kubeconfig", lab.kubeconfig.display().to_string()),
        ("log", lab.log.display().to_string()),
        ("process", format!("{}, since {:.0}", lab.pid, lab.started)),
        ("speed", lab.speed.clone()),
        ("revision", revision.to_string()),
    ] {
        text.push_str(&format!("  {what:<11} {value}\n"));
    }
    let mut table = Table {
        headings: ["USER AGENT", "VERB", "REQUESTS"].map(str::to_owned).to_vec(),
        rows: Vec::new(),
    };
    for ((agent, dry_run, verb), count) in by_agent(status) {
        let verb = if dry_run {
            format!("{verb} (dry run)")
        } else {
            verb.to_owned()
        };
        table.rows.push(vec![agent.to_owned(), verb, count.to_string()]);
    }
    text.push('\n');
    text.push_str(&table.render());
    text
}

/// The lab itself: says that it is ready in a line on stdout, ends on SIGTERM or Ctrl-C.
async fn foreground(printer: &Printer, options: &str) -> Result<Exit> {
    let ended = berth_lab::run_foreground(options, |lab| printer.line(&format!("ready {}", lab.url)), terminated());
    ended.await.attempted("the lab ended")?;
    Ok(Exit::Done)
}

async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return futures::future::pending().await;
    };
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
