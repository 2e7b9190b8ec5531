//! `berth pool add/set/rm`: a guest's pools by command. A document has the last word on those that it names.

use berth_procedure::actions::{Action, Shape, Workers};
use serde_json::{Value, json};

use crate::args::{PoolCommand, PoolTarget, ShapeArgs, TargetArgs};
use crate::commands::day2;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::printer::Printer;
use crate::target::Purpose;

/// Adds, changes or removes a pool.
pub(crate) async fn run(printer: &Printer, target: &TargetArgs, command: PoolCommand) -> Result<Exit> {
    let purpose = Purpose::Write;
    match command {
        PoolCommand::Add {
            pool: PoolTarget { pool },
            workers,
            shape,
            manner,
        } => {
            let workers = workers.wanted()?.unwrap_or(Workers::Fixed(2));
            let shape = shape_of(shape)?;
            let (guest, pool) = named(&pool)?;
            let found = day2::find(printer, target, guest, purpose).await?;
            let pool = pool.to_owned();
            let action = Action::AddPool { pool, workers, shape };
            found.act(printer, &action, manner.into()).await
        }
        PoolCommand::Set {
            pool: PoolTarget { pool },
            shape,
            manner,
        } => {
            let shape = shape_of(shape)?;
            let (guest, pool) = named(&pool)?;
            let found = day2::find(printer, target, guest, purpose).await?;
            let pool = pool.to_owned();
            found
                .act(printer, &Action::SetPool { pool, shape }, manner.into())
                .await
        }
        PoolCommand::Rm {
            pool: PoolTarget { pool },
            manner,
        } => {
            let (guest, pool) = named(&pool)?;
            let found = day2::find(printer, target, guest, purpose).await?;
            let manner = day2::Manner {
                destroys: true,
                ..manner.into()
            };
            let pool = pool.to_owned();
            found.act(printer, &Action::RemovePool { pool }, manner).await
        }
    }
}

/// `GUEST/POOL`: what is before the last slash, and what is after it.
fn named(typed: &str) -> Result<(&str, &str)> {
    typed
        .rsplit_once('/')
        .filter(|(guest, pool)| !guest.is_empty() && !pool.is_empty())
        .ok_or_else(|| Failure::usage(format!("`{typed}` names no pool")).hint("name it as GUEST/POOL"))
}

fn shape_of(args: ShapeArgs) -> Result<Shape> {
    let ShapeArgs {
        cores,
        memory,
        disk,
        storage_class,
        auto_repair,
        drain_timeout,
        label,
        taint,
        no_taints,
    } = args;
    let labels: Result<Vec<_>> = label.iter().map(|label| pair(label)).collect();
    let taints: Result<Vec<_>> = taint.iter().map(|taint| taint_of(taint)).collect();
    let taints = taints?;
    Ok(Shape {
        cores,
        memory,
        disk,
        storage_class,
        auto_repair,
        labels: labels?,
        taints: (no_taints || !taints.is_empty()).then_some(taints),
        drain_timeout: drain_timeout.map(|timeout| timeout.to_string()),
    })
}

fn pair(label: &str) -> Result<(String, String)> {
    if let Some(key) = label.strip_suffix('-') {
        return Ok((key.to_owned(), String::new()));
    }
    let (key, value) = label
        .split_once('=')
        .ok_or_else(|| Failure::usage(format!("`{label}` is no label")).hint("KEY=VALUE, or KEY- to remove one"))?;
    Ok((key.to_owned(), value.to_owned()))
}

/// As `kubectl taint` takes it: `key=value:Effect`, or `key:Effect`.
fn taint_of(text: &str) -> Result<Value> {
    let wrong = || Failure::usage(format!("`{text}` is no taint")).hint("KEY=VALUE:NoSchedule, or KEY:NoExecute");
    let (pair, effect) = text.rsplit_once(':').ok_or_else(wrong)?;
    if !matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
        return Err(wrong());
    }
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    if key.is_empty() {
        return Err(wrong());
    }
    Ok(if value.is_empty() {
        json!({ "key": key, "effect": effect })
    } else {
        json!({ "key": key, "value": value, "effect": effect })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_taints_are_as_kubectl_takes_them() {
        assert_eq!(
            pair("site=north").expect("a label"),
            ("site".to_owned(), "north".to_owned())
        );
        assert_eq!(pair("site-").expect("a label"), ("site".to_owned(), String::new()));
        assert!(pair("site").is_err());
        let taint = taint_of("gpu=true:NoSchedule").expect("a taint");
        assert_eq!(taint, json!({ "key": "gpu", "value": "true", "effect": "NoSchedule" }));
        assert_eq!(
            taint_of("gpu:NoExecute").expect("a taint"),
            json!({ "key": "gpu", "effect": "NoExecute" })
        );
        for wrong in ["gpu", "gpu:Never", ":NoSchedule"] {
            assert!(taint_of(wrong).is_err(), "{wrong}");
        }
        assert!(named("workers").is_err());
        assert_eq!(named("hcp/a/workers").expect("a pool"), ("hcp/a", "workers"));
    }
}
