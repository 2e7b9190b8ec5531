//! `berth`: arguments in, words and exit codes out. The only crate that prints, reads the environment, or installs a crypto
//! provider.
//!
//! Begin with `args.rs` (what can be typed); `commands/` has one file a command; `target.rs` says which cluster it acts on,
//! `session.rs` connects to it, `printer.rs` prints.

mod args;
mod commands;
mod connect;
mod discovery;
mod documents;
mod env;
mod exit;
mod failure;
mod guests;
mod labs;
mod plan_view;
mod printer;
mod program;
mod progress;
mod random;
mod report_view;
mod secrets;
mod session;
mod table;
mod target;
mod wrap;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _};

use args::{Cli, Command, TargetArgs};
use exit::Exit;
use failure::{Attempted, Result};
use printer::Printer;
use program::Program;
use session::Session;
use target::Purpose;

fn main() -> ExitCode {
    let arguments = env::arguments();
    let called = arguments
        .first()
        .map(|called| called.to_string_lossy().into_owned())
        .unwrap_or_default();
    let printer = Printer::new(Program::called(&called));
    if let Some(rest) = hcp_arguments(&called, &arguments) {
        return ExitCode::from(commands::hcp::run(&printer, &rest));
    }
    match parse(&printer.program, &arguments) {
        Ok(cli) => match dispatch(&printer, cli) {
            Ok(code) => code,
            Err(failure) => {
                printer.failure(&failure);
                failure.exit.into()
            }
        },
        Err(error) => usage(&printer, &error),
    }
}

/// The arguments for `hcp`, which parses its own: under that name, and as the first word (which spares it our own parser).
fn hcp_arguments(called: &str, arguments: &[OsString]) -> Option<Vec<String>> {
    let skipped = match arguments.get(1) {
        _ if Program::is_hcp(called) => 1,
        Some(word) if word == "hcp" => 2,
        _ => return None,
    };
    let rest = arguments.iter().skip(skipped);
    Some(rest.map(|argument| argument.to_string_lossy().into_owned()).collect())
}

/// Usage lines name the program as it was called, as hints do.
fn parse(program: &Program, arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = Cli::command().bin_name(program.to_string());
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// What clap has to say: help on stdout is an answer, anything else is wrong arguments.
fn usage(printer: &Printer, error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            printer.out(&text);
            Exit::Done.into()
        }
        _ => {
            printer.say(text.trim_end());
            Exit::Usage.into()
        }
    }
}

fn dispatch(printer: &Printer, cli: Cli) -> Result<ExitCode> {
    let Cli { target, command } = cli;
    // What needs no cluster needs no runtime either, and answers at once.
    let exit = match command {
        Command::Render(args) => commands::render::run(printer, &args)?,
        Command::Explain { field } => commands::explain::run(printer, &field)?,
        Command::Schema { kind } => commands::schema::run(printer, kind.as_deref())?,
        Command::Completions { shell } => commands::completions::run(printer, shell),
        Command::Version(args) => commands::version::run(printer, &args),
        Command::Hcp { arguments } => return Ok(ExitCode::from(commands::hcp::run(printer, &arguments))),
        Command::Lab(args) => commands::lab::run(printer, &target, args.command)?,
        command => runtime()?.block_on(online(printer, &target, command))?,
    };
    Ok(exit.into())
}

async fn online(printer: &Printer, target: &TargetArgs, command: Command) -> Result<Exit> {
    match command {
        Command::Up(args) => commands::up::run(printer, target, args).await,
        Command::Plan(args) => commands::plan::run(printer, target, args).await,
        Command::Check(args) => commands::check::run(printer, target, args).await,
        Command::Down(args) => commands::down::run(printer, target, args).await,
        Command::Scale(args) => commands::scale::run(printer, target, args).await,
        Command::Upgrade(args) => commands::upgrade::run(printer, target, args).await,
        Command::Pool(args) => commands::pool::run(printer, target, args.command).await,
        Command::Backup(args) => commands::backup::backup(printer, target, args).await,
        Command::Restore(args) => commands::backup::restore(printer, target, args).await,
        Command::Pause(args) => commands::pause::pause(printer, target, args).await,
        Command::Resume(args) => commands::pause::resume(printer, target, args).await,
        Command::Identity(args) => commands::identity::run(printer, target, args.command).await,
        other => {
            let session = Session::open(printer, target, Purpose::Read).await?;
            match other {
                Command::Status(args) => commands::status::run(printer, &session, args).await,
                Command::Import(args) => commands::import::run(printer, &session.client, args).await,
                Command::Get(args) => commands::get::run(printer, &session.client, args).await,
                Command::Describe(args) => commands::describe::run(printer, &session.client, args).await,
                Command::Kubeconfig(args) => commands::kubeconfig::run(printer, target, &session, args).await,
                Command::Password(args) => commands::guest::password(printer, &session, &args.guest).await,
                Command::Open(args) => commands::open::run(printer, &session, args).await,
                Command::Why(args) => commands::why::run(printer, &session, args).await,
                _ => unreachable!("every other command is dispatched before"),
            }
        }
    }
}

/// A runtime for commands that speak to a cluster, with everything that TLS and logs need.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    // Fails only where a provider is installed already, which is then this one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    if let Some(filter) = env::log_filter() {
        let filter = tracing_subscriber::EnvFilter::new(filter);
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .init();
    }
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .attempted("could not start the runtime")
}
