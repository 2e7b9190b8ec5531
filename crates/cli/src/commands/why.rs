//! `berth why`: the story of a guest's bring-up on one page.

use berth_api::yaml;
use berth_procedure::{Selector, why};
use jiff::Timestamp;
use serde_json::json;

use crate::args::{Structured, WhyArgs};
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::guests;
use crate::printer::Printer;
use crate::session::Session;

/// Prints the page.
pub(crate) async fn run(printer: &Printer, session: &Session, args: WhyArgs) -> Result<Exit> {
    let WhyArgs {
        guest,
        markdown,
        output,
    } = args;
    let guest = guests::find(&session.client, &guest).await?;
    let engine = session.engine()?;
    let read = async |watches: &[Selector]| {
        let facts = engine.read(&[], watches).await;
        facts.attempted(format!("could not read {session}"))
    };
    let (namespace, name) = (&guest.namespace, &guest.name);
    let mut facts = read(&why::watches(namespace, name)).await?;
    let of_others = why::watches_of_others(&facts, namespace, name);
    facts.extend(read(&of_others).await?);
    let story = why::story(&facts, namespace, name, Timestamp::now());
    let story = story.ok_or_else(|| Failure::failed(format!("HostedCluster {namespace}/{name} could not be read")))?;
    let simulated = session.lab.is_some();
    let value = || {
        let value = serde_json::to_value(&story);
        let mut value = value.map_err(|error| Failure::failed("the story could not be written").because(&error))?;
        value["server"] = json!({ "url": session.server.url, "lab": session.lab, "simulated": simulated });
        Ok::<_, Failure>(value)
    };
    match output {
        Structured::Json => printer.line(&format!("{:#}", value()?)),
        Structured::Yaml => printer.out(&yaml::to_string(&value()?)),
        Structured::Text if markdown => printer.out(&why::markdown(&story, &session.to_string(), simulated)),
        Structured::Text => printer.out(&why::plain(&story, &session.to_string(), simulated)),
    }
    Ok(Exit::Done)
}
