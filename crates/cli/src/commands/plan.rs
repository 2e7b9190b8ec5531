//! `berth plan`: what `up` would do, as a value or for people.

use berth_api::yaml;
use berth_procedure::{Platform, compile};

use crate::args::{PlanArgs, Structured, TargetArgs};
use crate::documents;
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::plan_view;
use crate::printer::Printer;
use crate::session::Session;
use crate::target::Purpose;

/// Prints the plan. Exit code 2 where there is something to do, 3 where a check refuses.
pub(crate) async fn run(printer: &Printer, target: &TargetArgs, args: PlanArgs) -> Result<Exit> {
    let PlanArgs {
        documents,
        commands,
        output,
    } = args;
    let documents = documents::load(&documents)?;
    let session = Session::open(printer, target, Purpose::Read).await?;
    let steps = compile(&documents, &platform());
    let plan = session
        .engine_for(&documents)?
        .plan(&steps)
        .await
        .attempted(format!("could not plan for {session}"))?;
    let value = || {
        serde_json::to_value(&plan).map_err(|error| Failure::failed("the plan could not be written").because(&error))
    };
    match output {
        Structured::Json => printer.line(&format!("{:#}", value()?)),
        Structured::Yaml => printer.out(&yaml::to_string(&value()?)),
        Structured::Text => {
            printer.say(&format!("{session}, as {}", session.server.user));
            printer.out(&plan_view::text(&plan, commands, &|tone, text| {
                printer.out_tone(tone, text)
            }));
        }
    }
    if plan_view::refused(&plan) {
        return Ok(Exit::Refused);
    }
    Ok(if plan.is_empty() { Exit::Done } else { Exit::Changes })
}

/// The machine that tools are fetched for: this one.
pub(crate) fn platform() -> Platform {
    Platform::of_rust(std::env::consts::OS, std::env::consts::ARCH)
}
