//! `berth hcp`, or the binary under the name `hcp`: a drop-in for the `hcp` command. Its own exit codes and texts.
//!
//! Arguments are parsed and judged in `berth_procedure::hcp`. Rendering needs no cluster and ends here; what asks a cluster is
//! in one file a command.

mod create_cluster;
mod destroy_cluster;
mod hub;
mod kubeconfig;
mod log;
mod node_pool;
mod release_stream;
mod version;

use std::fs;
use std::path::Path;

use berth_procedure::hcp::{self, CreateCluster, HcpCommand, HcpError, Outside, Warning};
use berth_procedure::render::{self, Dialect, Request};

use crate::env;
use crate::failure::{Failure, Result};
use crate::printer::Printer;
use crate::random;
use crate::runtime;

/// How a command's failure is told.
struct Told {
    /// What the log says besides, for commands whose original logs it.
    logged: Option<&'static str>,
    /// Whether the command tells its own error once more.
    once_more: bool,
    dialect: Dialect,
}

/// Runs a command of `hcp`; gives its exit code.
pub(crate) fn run(printer: &Printer, arguments: &[String]) -> u8 {
    let named = match env::generation() {
        Ok(named) => named,
        Err(why) => {
            printer.say(&format!("Error: {why}"));
            return HcpError::EXIT_CODE;
        }
    };
    let mut told = Told {
        logged: None,
        once_more: false,
        dialect: named.unwrap_or(Dialect::Current),
    };
    let outcome = match hcp::parse(arguments) {
        Err(error) => Err(refused(&error)),
        Ok(HcpCommand::Help { text, done }) => {
            printer.out(&text);
            return if done { 0 } else { HcpError::EXIT_CODE };
        }
        Ok(command) => {
            told.logged = match &command {
                HcpCommand::CreateCluster(_) => Some("Failed to create cluster"),
                HcpCommand::DestroyCluster(_) => Some("Failed to destroy cluster"),
                HcpCommand::CreateNodePool(_) => Some("Failed to create nodepool"),
                _ => None,
            };
            told.once_more = matches!(command, HcpCommand::CreateKubeconfig { .. });
            act(printer, command, named, &mut told)
        }
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            tell(printer, &failure, &told);
            HcpError::EXIT_CODE
        }
    }
}

fn act(printer: &Printer, command: HcpCommand, named: Option<Dialect>, told: &mut Told) -> Result<()> {
    match command {
        HcpCommand::CreateCluster(create) if create.render && !create.version_check && create.stream().is_none() => {
            let dialect = named.unwrap_or_else(|| create.generation());
            told.dialect = dialect;
            let lacks = |_: &str| dialect == Dialect::Release4_17;
            let request = requested(printer, &create, dialect, &lacks)?;
            show(printer, &create, &request, dialect)
        }
        online => runtime()?.block_on(interruptible(printer, on_cluster(printer, online, named))),
    }
}

/// What flags ask for, once all that can be judged of it is.
fn requested(
    printer: &Printer,
    create: &CreateCluster,
    dialect: Dialect,
    lacks: &dyn Fn(&str) -> bool,
) -> Result<Request> {
    let request = with_outside(|outside| create.request(outside, dialect)).map_err(|error| refused(&error))?;
    create.check_fields(lacks).map_err(|error| refused(&error))?;
    warn(printer, &create.warnings(&request, dialect), create.strict)?;
    Ok(request)
}

/// Says what won't work; or, where that is asked for, refuses.
fn warn(printer: &Printer, warnings: &[Warning], strict: bool) -> Result<()> {
    if strict && !warnings.is_empty() {
        let all: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        return Err(Failure::failed(format!("refused by --strict: {}", all.join("; "))));
    }
    for warning in warnings {
        printer.say(&format!("warning: {warning}"));
    }
    Ok(())
}

/// Prints the objects, or writes them into the file that is named.
fn show(printer: &Printer, create: &CreateCluster, request: &Request, dialect: Dialect) -> Result<()> {
    let objects = render::objects(request, dialect);
    let text = with_outside(|outside| hcp::to_stdout(&objects, create.render_sensitive, outside, dialect));
    let Some(file) = &create.render_into else {
        printer.out(&text);
        return Ok(());
    };
    fs::write(file, text).map_err(|error| {
        Failure::failed(format!(
            "failed to create file for rendering output: open {}: {error}",
            file.display()
        ))
    })
}

/// Lends files, randomness and a maker of keys to a pure command.
fn with_outside<T>(with: impl FnOnce(&mut Outside<'_>) -> T) -> T {
    with(&mut Outside {
        read: &|path: &Path| fs::read(path),
        random: &mut random::fill,
        rsa_key: &random::rsa_key,
    })
}

async fn on_cluster(printer: &Printer, command: HcpCommand, named: Option<Dialect>) -> Result<()> {
    match command {
        HcpCommand::CreateCluster(create) => {
            let work = create_cluster::run(printer, &create, named);
            match create.timeout {
                None => work.await,
                Some(timeout) => tokio::time::timeout(timeout, work)
                    .await
                    .unwrap_or_else(|_| Err(Failure::failed("context deadline exceeded"))),
            }
        }
        HcpCommand::CreateNodePool(create) => node_pool::create(printer, &create, named).await,
        HcpCommand::CreateKubeconfig { name, namespace } => {
            let client = hub::client(printer, None).await?;
            printer.out(&kubeconfig::text(printer, &client, &namespace, &name).await?);
            Ok(())
        }
        HcpCommand::DestroyCluster(destroy) => destroy_cluster::run(printer, &destroy).await,
        HcpCommand::DestroyNodePool { name, namespace } => node_pool::destroy(printer, &namespace, &name).await,
        HcpCommand::Version {
            commit_only,
            client_only,
            namespace,
        } => {
            version::run(printer, commit_only, client_only, &namespace).await;
            Ok(())
        }
        HcpCommand::Help { .. } => Ok(()),
    }
}

/// Work that ends at Ctrl-C, with the word of the original.
async fn interruptible(printer: &Printer, work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::select! {
        // Dropping the work drops requests under way; nothing else is held.
        done = work => done,
        signal = tokio::signal::ctrl_c() => match signal {
            Ok(()) => {
                printer.say("\nAborted...");
                Err(Failure::failed("context canceled"))
            }
            Err(error) => Err(Failure::failed("could not listen for Ctrl-C").because(&error)),
        },
    }
}

fn refused(error: &HcpError) -> Failure {
    Failure::failed(error.to_string())
}

fn tell(printer: &Printer, failure: &Failure, told: &Told) {
    let parts: Vec<&str> = std::iter::once(&failure.message)
        .chain(&failure.causes)
        .map(String::as_str)
        .collect();
    let message = parts.join(": ");
    if let Some(logged) = told.logged {
        log::error(printer, logged, &message);
    }
    if told.once_more {
        printer.say(&format!("Error: {message}"));
    }
    for line in HcpError::from_text(message).lines(told.dialect) {
        printer.say(&line);
    }
    for hint in &failure.hints {
        printer.say(&format!("hint: {hint}"));
    }
}
