//! `berth check`: judges documents and cluster before anything is written.

use berth_api::yaml;
use berth_procedure::checks::{self, CheckResult, Verdict};

use crate::args::{CheckArgs, Structured, TargetArgs};
use crate::documents;
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};
use crate::printer::{Printer, Tone};
use crate::session::Session;
use crate::target::Purpose;

/// Prints every check's verdict. Exit code 3 where one refuses.
pub(crate) async fn run(printer: &Printer, target: &TargetArgs, args: CheckArgs) -> Result<Exit> {
    let CheckArgs { documents, output } = args;
    let documents = documents::load(&documents)?;
    let session = Session::open(printer, target, Purpose::Read).await?;
    let facts = session
        .engine()?
        .read(&[], &checks::watches(&documents))
        .await
        .attempted(format!("could not read {session}"))?;
    let results = checks::run(&documents, &facts);
    if output == Structured::Text {
        printer.say(&format!("{session}, as {}", session.server.user));
    }
    show(printer, &results, output)?;
    let refuses = results.iter().any(|result| matches!(result.verdict, Verdict::Refused));
    Ok(if refuses { Exit::Refused } else { Exit::Done })
}

/// Prints verdicts.
pub(crate) fn show(printer: &Printer, results: &[CheckResult], output: Structured) -> Result<()> {
    let value = || {
        serde_json::to_value(results)
            .map_err(|error| Failure::failed("the checks could not be written").because(&error))
    };
    match output {
        Structured::Json => printer.line(&format!("{:#}", value()?)),
        Structured::Yaml => printer.out(&yaml::to_string(&value()?)),
        Structured::Text => {
            let width = results.iter().map(|result| result.id.len()).max().unwrap_or(0);
            for result in results {
                printer.out(&text(printer, result, width));
            }
        }
    }
    Ok(())
}

fn text(printer: &Printer, result: &CheckResult, width: usize) -> String {
    let CheckResult {
        id,
        title,
        verdict,
        object,
        evidence,
        fix,
        at,
    } = result;
    let (tone, word) = match verdict {
        Verdict::Pass => (Tone::Good, "ok".to_owned()),
        Verdict::Warn => (Tone::Warning, "warning".to_owned()),
        Verdict::MendedBy(step) => (Tone::Quiet, format!("will be mended by `{step}`")),
        Verdict::Refused => (Tone::Bad, "refused".to_owned()),
        Verdict::Unknown => (Tone::Quiet, "can't be told".to_owned()),
    };
    let indent = " ".repeat(width + 2);
    let mut text = format!("{id:<width$}  {title}: {}\n", printer.out_tone(tone, &word));
    if matches!(verdict, Verdict::Pass | Verdict::MendedBy(_)) {
        return text;
    }
    let place = at.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
    text.push_str(&format!("{indent}{place}{object}: {evidence}\n"));
    if !fix.is_empty() {
        text.push_str(&format!("{indent}fix: {fix}\n"));
    }
    text
}
