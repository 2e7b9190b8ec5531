//! `berth scale`: other numbers of workers, or bounds for the autoscaler.

use berth_procedure::actions::{Action, Workers};

use crate::args::{ScaleArgs, TargetArgs};
use crate::commands::day2;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::printer::Printer;
use crate::target::Purpose;

/// Scales a pool, and waits for its nodes.
pub(crate) async fn run(printer: &Printer, target: &TargetArgs, args: ScaleArgs) -> Result<Exit> {
    let ScaleArgs { guest, workers, manner } = args;
    let Some(workers) = workers.wanted()? else {
        return Err(Failure::usage(
            "how many is not said: --replicas N, or --min N and --max N",
        ));
    };
    let found = day2::find(printer, target, &guest, Purpose::Write).await?;
    let pool = found.pool.clone();
    found
        .act(printer, &Action::Scale { pool, workers }, manner.into())
        .await
}

/// How many workers flags ask for, where they ask for any.
impl crate::args::WorkerArgs {
    pub(crate) fn wanted(&self) -> Result<Option<Workers>> {
        let Self { replicas, min, max } = *self;
        match (replicas, min, max) {
            (Some(count), _, _) => Ok(Some(Workers::Fixed(count))),
            (None, Some(min), Some(max)) => Ok(Some(Workers::Between { min, max })),
            (None, None, None) => Ok(None),
            (None, _, _) => Err(Failure::usage("--min and --max go together")),
        }
    }
}
