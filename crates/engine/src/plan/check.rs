//! Looks at a plan for nonsense: run on every plan that a test makes.

use std::collections::BTreeSet;

use super::{Basis, Plan, PlannedStep, Verb};
use crate::diff::Shown;

/// What is wrong with a plan, one line each; nothing for a sound plan.
pub fn check_plan(plan: &Plan) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut earlier = BTreeSet::new();
    for step in &plan.steps {
        for dependency in step
            .after
            .iter()
            .filter(|dependency| !earlier.contains(&dependency.step))
        {
            wrong.push(format!(
                "`{}` comes after `{}`, which is not before it",
                step.id, dependency.step
            ));
        }
        if !earlier.insert(step.id.clone()) {
            wrong.push(format!("`{}` is there twice", step.id));
        }
        check_writes(step, &mut wrong);
    }
    wrong
}

fn check_writes(step: &PlannedStep, wrong: &mut Vec<String>) {
    let mut deleted = BTreeSet::new();
    for write in &step.writes {
        let (id, object) = (&step.id, &write.object);
        match write.verb {
            Verb::Unchanged if !write.fields.is_empty() => {
                wrong.push(format!("`{id}` leaves {object} unchanged and changes fields of it"));
            }
            Verb::Update | Verb::Set if write.fields.is_empty() && write.refused.is_none() => {
                wrong.push(format!("`{id}` changes {object} and no field of it"));
            }
            Verb::Create if matches!(write.basis, Basis::Live) => {
                wrong.push(format!("`{id}` creates {object}, which is there"));
            }
            Verb::Delete => {
                deleted.insert(object);
            }
            _ if deleted.contains(object) => wrong.push(format!("`{id}` writes {object} after deleting it")),
            _ => {}
        }
        if object.kind == "Secret" {
            let seen = write
                .fields
                .iter()
                .filter(|field| field.path.starts_with("data") || field.path.starts_with("stringData"));
            for field in
                seen.filter(|field| matches!(field.from, Shown::Value(_)) || matches!(field.to, Shown::Value(_)))
            {
                wrong.push(format!("`{id}` shows {} of {object}", field.path));
            }
        }
    }
}
