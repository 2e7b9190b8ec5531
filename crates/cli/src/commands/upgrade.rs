//! `berth upgrade`: another release for a guest, its control plane first; and the rehearsal of the whole order, hub included.

use berth_api::yaml;
use berth_procedure::actions::{Action, Goal, Parts, compile_action, judge_upgrade};
use berth_procedure::checks::Verdict;
use berth_procedure::rehearsal;
use berth_procedure::versions::{Fleet, Minor, Rehearsal, rehearse};

use crate::args::{Structured, TargetArgs, UpgradeArgs};
use crate::commands::{check, day2};
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::printer::{Printer, Tone};
use crate::session::Session;
use crate::target::Purpose;

/// Upgrades a guest, judges whether it could be, or rehearses the order for all.
pub(crate) async fn run(printer: &Printer, target: &TargetArgs, args: UpgradeArgs) -> Result<Exit> {
    let UpgradeArgs {
        guest,
        to,
        image,
        control_plane,
        pool,
        check,
        rehearse,
        output,
        manner,
    } = args;
    if rehearse {
        return show_rehearsal(printer, target, to.as_deref(), output).await;
    }
    let Some(guest) = guest else {
        return Err(
            Failure::usage("which guest is not said").hint("--rehearse shows the order for the hub and all guests")
        );
    };
    let purpose = if check { Purpose::Read } else { Purpose::Write };
    let found = day2::find(printer, target, &guest, purpose).await?;
    let parts = match (control_plane, pool.or_else(|| found.pool.clone())) {
        (true, _) => Parts::ControlPlane,
        (false, Some(pool)) => Parts::Pool(pool),
        (false, None) => Parts::All,
    };
    let goal = match (to, image) {
        (Some(version), _) => {
            let version = version.parse();
            Goal::Version(
                version.map_err(|error| Failure::usage(format!("--to: {error}")).hint("a whole version: 4.17.9"))?,
            )
        }
        (None, Some(image)) => Goal::Image(image),
        // Pools that lag behind are brought to what their control plane runs.
        (None, None) if matches!(parts, Parts::Pool(_)) || found.pools_lag() => Goal::ControlPlane,
        (None, None) => return Err(nothing_said(&found)),
    };
    if check {
        return judge(printer, &found, &parts, &goal, output).await;
    }
    found
        .act(printer, &Action::Upgrade { parts, goal }, manner.into())
        .await
}

impl day2::Found {
    /// Whether a pool runs another release than the control plane is to.
    fn pools_lag(&self) -> bool {
        let image = &self.guest.object["spec"]["release"]["image"];
        self.pools.iter().any(|pool| pool["spec"]["release"]["image"] != *image)
    }

    /// What the guest's channel offers, newest last.
    fn offers(&self) -> Vec<String> {
        let version = &self.guest.object["status"]["version"];
        let plain = version["availableUpdates"].as_array().into_iter().flatten();
        let conditional = version["conditionalUpdates"].as_array().into_iter().flatten();
        let plain = plain.filter_map(|update| update["version"].as_str().map(str::to_owned));
        let conditional = conditional
            .filter_map(|update| update["release"]["version"].as_str())
            .map(|version| format!("{version} (with a known risk)"));
        plain.chain(conditional).collect()
    }
}

fn nothing_said(found: &day2::Found) -> Failure {
    let failure = Failure::usage("which release is not said: --to VERSION or --image IMAGE");
    let offers = found.offers();
    if offers.is_empty() {
        failure.hint("with `channel` set, a guest says which updates its channel offers")
    } else {
        failure.hint(format!("its channel offers {}", offers.join(", ")))
    }
}

/// Prints every rule's verdict on the upgrade. Exit code 3 where one refuses.
async fn judge(printer: &Printer, found: &day2::Found, parts: &Parts, goal: &Goal, output: Structured) -> Result<Exit> {
    let action = Action::Upgrade {
        parts: parts.clone(),
        goal: goal.clone(),
    };
    let steps = compile_action(found.subject(), &action).map_err(|error| day2::wrong(&error))?;
    let session = &found.session;
    let facts = session.engine()?.read(&steps, &[]).await;
    let facts = facts.attempted(format!("could not read {session}"))?;
    let results = judge_upgrade(found.subject(), parts, goal, &facts).map_err(|error| day2::wrong(&error))?;
    check::show(printer, &results, output)?;
    let refuses = results.iter().any(|result| result.verdict == Verdict::Refused);
    Ok(if refuses { Exit::Refused } else { Exit::Done })
}

async fn show_rehearsal(printer: &Printer, target: &TargetArgs, to: Option<&str>, output: Structured) -> Result<Exit> {
    let session = Session::open(printer, target, Purpose::Read).await?;
    let facts = session.engine()?.read(&[], &rehearsal::watches()).await;
    let facts = facts.attempted(format!("could not read {session}"))?;
    let fleet = rehearsal::fleet(&facts).map_err(|what| {
        Failure::failed(format!(
            "{session}: {what} can't be told, so there is nothing to rehearse from"
        ))
    })?;
    let goal: Minor = match to {
        Some(version) => version
            .parse()
            .map_err(|error| Failure::usage(format!("--to: {error}")).hint("a minor: 4.18"))?,
        None => Minor::new(fleet.hub.major, fleet.hub.minor + 1),
    };
    let rehearsal = rehearse(&fleet, goal);
    let value =
        || serde_json::to_value(&rehearsal).map_err(|error| Failure::failed("it could not be written").because(&error));
    match output {
        Structured::Json => printer.line(&format!("{:#}", value()?)),
        Structured::Yaml => printer.out(&yaml::to_string(&value()?)),
        Structured::Text => printer.out(&rehearsal_text(printer, &rehearsal, goal)),
    }
    Ok(if rehearsal.stuck.is_empty() {
        Exit::Done
    } else {
        Exit::Refused
    })
}

fn rehearsal_text(printer: &Printer, rehearsal: &Rehearsal, goal: Minor) -> String {
    let Rehearsal {
        now,
        broken,
        moves,
        stuck,
        unknown,
    } = rehearsal;
    let Fleet {
        hub, engine, guests, ..
    } = now;
    let mut text = format!("now: OpenShift {hub}, multicluster engine {engine}\n");
    for guest in guests {
        let pools: Vec<String> = guest.pools.iter().map(|(name, has)| format!("{name} {has}")).collect();
        text.push_str(&format!(
            "     guest {} {} ({})\n",
            guest.name,
            guest.control_plane,
            pools.join(", ")
        ));
    }
    for edge in broken {
        text.push_str(&format!("{} {edge}\n", printer.out_tone(Tone::Bad, "broken already:")));
    }
    for what in unknown {
        text.push_str(&format!("{} {what}\n", printer.out_tone(Tone::Warning, "not known:")));
    }
    if moves.is_empty() && stuck.is_empty() {
        text.push_str(&format!("nothing to do for OpenShift {goal}\n"));
    }
    for (index, step) in moves.iter().enumerate() {
        text.push_str(&format!(
            "{:>3}. {} {} → {}\n",
            index + 1,
            step.what,
            step.from,
            step.to
        ));
        for wait in &step.waits {
            text.push_str(&format!(
                "     {} {wait}\n",
                printer.out_tone(Tone::Warning, "not yet:")
            ));
        }
    }
    for edge in stuck {
        text.push_str(&format!("{} {edge}\n", printer.out_tone(Tone::Bad, "it ends here:")));
    }
    text.push_str("nothing was written; minors only, by the published tables\n");
    text
}
