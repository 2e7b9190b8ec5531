//! `berth pause` and `berth resume`: whether HyperShift leaves a guest, or a pool, alone.

use berth_api::PausedUntil;
use berth_procedure::actions::Action;
use jiff::Timestamp;

use crate::args::{PauseArgs, ResumeArgs, TargetArgs};
use crate::commands::day2;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::printer::Printer;
use crate::target::Purpose;

/// Pauses, and waits until the operator says so.
pub(crate) async fn pause(printer: &Printer, target: &TargetArgs, args: PauseArgs) -> Result<Exit> {
    let PauseArgs {
        guest,
        until,
        span,
        manner,
    } = args;
    let now = Timestamp::now();
    let until = match (until, span) {
        (Some(time), _) if time <= now => {
            return Err(Failure::usage(format!("--until {time} has passed already")));
        }
        (Some(time), _) => PausedUntil::Time(time),
        (None, Some(span)) => PausedUntil::Time(after(now, span)?),
        (None, None) => PausedUntil::Resumed,
    };
    let found = day2::find(printer, target, &guest, Purpose::Write).await?;
    let pool = found.pool.clone();
    found.act(printer, &Action::Pause { pool, until }, manner.into()).await
}

/// Resumes, and waits until the operator says so.
pub(crate) async fn resume(printer: &Printer, target: &TargetArgs, args: ResumeArgs) -> Result<Exit> {
    let ResumeArgs { guest, manner } = args;
    let found = day2::find(printer, target, &guest, Purpose::Write).await?;
    let pool = found.pool.clone();
    found.act(printer, &Action::Resume { pool }, manner.into()).await
}

/// In whole seconds, as the operator reads times.
fn after(now: Timestamp, span: std::time::Duration) -> Result<Timestamp> {
    let seconds = i64::try_from(span.as_secs()).ok();
    let at = seconds.and_then(|seconds| now.as_second().checked_add(seconds));
    at.and_then(|at| Timestamp::from_second(at).ok())
        .ok_or_else(|| Failure::usage("--for is too long"))
}
