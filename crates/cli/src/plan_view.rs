//! A plan as a person reads it. Pure: the plan in, text out.

use berth_engine::{Basis, FieldChange, Plan, PlannedRemoval, PlannedStep, PlannedWrite, RemovalPlan, Shown, Verb};
use berth_procedure::Assessment;
use berth_procedure::forecast::Forecast;
use berth_procedure::{Blocker, Release};
use serde_json::Value;

use crate::printer::Tone;

/// Chooses how a word is coloured: for stdout or for stderr.
pub(crate) type Paint<'a> = &'a dyn Fn(Tone, &str) -> String;

/// The plan's steps that do something, each with its writes and actions; then a summary line.
pub(crate) fn text(plan: &Plan, commands: bool, paint: Paint<'_>) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        if commands || !step.is_empty() || matches!(step.now, Assessment::Fatal { .. }) {
            text.push_str(&step_text(step, commands, paint));
            text.push('\n');
        }
    }
    text.push_str(&summary(plan));
    text.push('\n');
    text
}

/// What of the plan the whole management cluster feels: a line a step.
pub(crate) fn hub_wide(plan: &Plan) -> Vec<String> {
    let felt = plan.steps.iter().filter(|step| !step.is_empty());
    felt.filter_map(|step| Some(format!("{}: {}", step.id, step.hub_wide.as_ref()?)))
        .collect()
}

/// Whether a check of the plan refuses it.
pub(crate) fn refused(plan: &Plan) -> bool {
    plan.steps
        .iter()
        .any(|step| matches!(step.now, Assessment::Fatal { .. }))
}

/// What a removal would delete, in order, and what stays.
pub(crate) fn removals(plan: &RemovalPlan, paint: Paint<'_>) -> String {
    let mut text = String::new();
    for PlannedRemoval {
        object,
        note,
        left,
        terminating,
    } in &plan.removals
    {
        if let Some(why) = left {
            text.push_str(&format!("  {} leave {object}: {why}\n", paint(Tone::Quiet, "=")));
        } else {
            let now = if *terminating { " (being deleted already)" } else { "" };
            text.push_str(&format!("  {} delete {object}{now}\n", paint(Tone::Bad, "-")));
        }
        if !note.is_empty() {
            text.push_str(&format!("      {note}\n"));
        }
    }
    for line in &plan.stays {
        text.push_str(&format!("  {} {line}\n", paint(Tone::Warning, "stays:")));
    }
    for blocked in plan
        .blockers
        .iter()
        .filter(|blocked| blocked.blocker.explained_by.is_none())
    {
        let told = blocker(&blocked.blocker);
        text.push_str(&format!(
            "  {} {}\n",
            paint(Tone::Warning, "in the way:"),
            told.trim_start()
        ));
    }
    text
}

/// What keeps a removal from going on, on a few lines.
pub(crate) fn blocker(blocker: &Blocker) -> String {
    let Blocker {
        name,
        diagnosis,
        orphans,
        release,
        ..
    } = blocker;
    let mut text = format!("{} ({})", diagnosis.headline(), diagnosis.object);
    let mut line = |part: String| text.push_str(&format!("\n          {part}"));
    for evidence in &diagnosis.evidence {
        line(evidence.clone());
    }
    line(format!("fix: {}", diagnosis.fix));
    let left = match orphans.len() {
        0 => "nothing is left behind".to_owned(),
        1 => format!("that leaves {}", orphans[0]),
        more => format!("that leaves {} and {} more", orphans[0], more - 1),
    };
    match release {
        Release::Yes(_) => line(format!("let go: --release {name} ({left})")),
        Release::Contested { .. } => line(format!("let go: --release {name} --despite-controller ({left})")),
        Release::No { .. } => {}
    }
    text
}

fn step_text(step: &PlannedStep, commands: bool, paint: Paint<'_>) -> String {
    let mut text = format!("{}  {}\n", paint(Tone::Strong, step.id.as_str()), step.title);
    if let (Some(felt), false) = (&step.hub_wide, step.is_empty()) {
        text.push_str(&format!(
            "  {} the whole cluster feels it: {felt}\n",
            paint(Tone::Warning, "!")
        ));
    }
    if let Assessment::Fatal { diagnosis } = &step.now {
        text.push_str(&format!(
            "  {} {} ({})\n",
            paint(Tone::Bad, "refused:"),
            diagnosis.title,
            diagnosis.object
        ));
        for evidence in &diagnosis.evidence {
            text.push_str(&format!("      {evidence}\n"));
        }
        text.push_str(&format!("      fix: {}\n", diagnosis.fix));
    }
    for write in step.writes.iter().filter(|write| write.verb != Verb::Unchanged) {
        text.push_str(&write_text(write, paint));
    }
    for effect in step.effects.iter().filter(|effect| !effect.done) {
        text.push_str(&format!("  {} {}\n", paint(Tone::Good, ">"), effect.what));
    }
    for later in &step.later {
        text.push_str(&format!(
            "  {} {} (after {})\n",
            paint(Tone::Quiet, "?"),
            later.what,
            later.after
        ));
    }
    for forecast in &step.forecast {
        text.push_str(&forecast_text(forecast, paint));
    }
    if commands {
        for command in &step.commands {
            if !command.comment.is_empty() {
                text.push_str(&format!(
                    "  {}\n",
                    paint(Tone::Quiet, &format!("# {}", command.comment))
                ));
            }
            for (index, line) in command.line.lines().enumerate() {
                text.push_str(&format!("  {} {line}\n", if index == 0 { "$" } else { ">" }));
            }
        }
    }
    text
}

/// What will happen, because of which edits, and what room it takes.
fn forecast_text(forecast: &Forecast, paint: Paint<'_>) -> String {
    let mark = if forecast.is_felt() {
        paint(Tone::Warning, "!")
    } else {
        paint(Tone::Quiet, "=")
    };
    let mut text = format!("  {mark} {forecast}\n");
    if !forecast.because.is_empty() {
        text.push_str(&format!("      because of {}\n", forecast.causes()));
    }
    if let Some(room) = &forecast.room {
        let short = if room.is_short() {
            format!("{} ", paint(Tone::Bad, "too little:"))
        } else {
            String::new()
        };
        text.push_str(&format!("      needs {short}{room}\n"));
    }
    for note in &forecast.notes {
        text.push_str(&format!("      {note}\n"));
    }
    text
}

fn write_text(write: &PlannedWrite, paint: Paint<'_>) -> String {
    let mark = match write.verb {
        Verb::Create => paint(Tone::Good, "+"),
        Verb::Delete => paint(Tone::Bad, "-"),
        Verb::Update | Verb::Set | Verb::Unchanged => paint(Tone::Warning, "~"),
    };
    let basis = match &write.basis {
        Basis::Live | Basis::DryRun => String::new(),
        Basis::Local => " (compared on this side, not by the server)".to_owned(),
        Basis::KnownAfter(Some(step)) => format!(" (known after {step})"),
        Basis::KnownAfter(None) => " (its kind does not exist yet)".to_owned(),
    };
    let mut text = format!(
        "  {mark} {} {}{}\n",
        write.verb,
        write.object,
        paint(Tone::Quiet, &basis)
    );
    for field in &write.fields {
        text.push_str(&format!("      {}\n", field_text(field)));
        if let Some(felt) = kubeadmin(field) {
            text.push_str(&format!("      {} {felt}\n", paint(Tone::Warning, "!")));
        }
    }
    for conflict in &write.conflicts {
        let owner = format!(
            "{} is set by {}; the document must say `takeover: true`",
            conflict.path, conflict.manager
        );
        text.push_str(&format!("      {} {owner}\n", paint(Tone::Bad, "conflict:")));
    }
    if let Some(refused) = &write.refused {
        text.push_str(&format!(
            "      {} {refused}\n",
            paint(Tone::Bad, "the server would refuse it:")
        ));
    }
    text
}

fn field_text(field: &FieldChange) -> String {
    let FieldChange { path, from, to } = field;
    match (from, to) {
        (Shown::Absent, Shown::Secret) => format!("{path}: (secret)"),
        (_, Shown::Secret) => format!("{path}: (secret, changed)"),
        (Shown::Absent, to) => format!("{path}: {}", shown(to)),
        (from, to) => format!("{path}: {} → {}", shown(from), shown(to)),
    }
}

/// What a login's coming or going does to `kubeadmin`, which nothing in the objects tells.
fn kubeadmin(field: &FieldChange) -> Option<&'static str> {
    if field.path != "spec.configuration.oauth" {
        return None;
    }
    match (&field.from, &field.to) {
        (Shown::Value(_), Shown::Absent | Shown::Value(Value::Null)) => {
            Some("kubeadmin comes back, with a new password")
        }
        (Shown::Absent, Shown::Value(_)) => Some("kubeadmin ends, and its password with it"),
        _ => None,
    }
}

fn shown(value: &Shown) -> String {
    match value {
        Shown::Absent => "(none)".to_owned(),
        Shown::Secret => "(secret)".to_owned(),
        Shown::Value(Value::String(text)) if !text.is_empty() && !text.contains('\n') => text.clone(),
        Shown::Value(value) => value.to_string(),
    }
}

fn summary(plan: &Plan) -> String {
    if plan.is_empty() && refused(plan) {
        return "Refused; there is nothing else to do.".to_owned();
    }
    if plan.is_empty() {
        return "Nothing to do: everything is as the documents say.".to_owned();
    }
    let writes = plan.steps.iter().flat_map(|step| &step.writes);
    let count = |verb: Verb| writes.clone().filter(|write| write.verb == verb).count();
    let later: usize = plan.steps.iter().map(|step| step.later.len()).sum();
    let actions = plan
        .steps
        .iter()
        .flat_map(|step| &step.effects)
        .filter(|effect| !effect.done)
        .count();
    let parts = [
        (count(Verb::Create), "to create"),
        (count(Verb::Update) + count(Verb::Set), "to change"),
        (count(Verb::Delete), "to delete"),
        (actions, "to do outside the cluster"),
        (later, "known later"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    format!("Plan: {}.", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use berth_engine::{Conflict, ObjectName};
    use berth_procedure::{Command, Lock, Server, StepId, Target};
    use serde_json::json;

    use super::*;

    fn object(kind: &str, namespace: Option<&str>, name: &str) -> ObjectName {
        ObjectName {
            target: Target::Management,
            api_version: "v1".to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    fn step(id: &str, writes: Vec<PlannedWrite>) -> PlannedStep {
        PlannedStep {
            id: id.into(),
            title: format!("Do {id}"),
            after: Vec::new(),
            lock: Lock::Hub,
            hub_wide: None,
            writes,
            effects: Vec::new(),
            later: Vec::new(),
            forecast: Vec::new(),
            commands: vec![Command {
                comment: "Only that".to_owned(),
                line: "oc apply \\\n  -f x".to_owned(),
            }],
            now: Assessment::ready(),
        }
    }

    fn write(object: ObjectName, verb: Verb, basis: Basis, fields: Vec<FieldChange>) -> PlannedWrite {
        PlannedWrite {
            object,
            verb,
            fields,
            conflicts: Vec::new(),
            basis,
            refused: None,
        }
    }

    fn change(path: &str, from: Shown, to: Shown) -> FieldChange {
        FieldChange {
            path: path.to_owned(),
            from,
            to,
        }
    }

    #[test]
    fn what_a_login_does_to_kubeadmin_is_told() {
        let login = || Shown::Value(json!({ "identityProviders": [] }));
        let told = |from, to| kubeadmin(&change("spec.configuration.oauth", from, to)).unwrap_or_default();
        assert!(told(login(), Shown::Absent).contains("comes back, with a new password"));
        assert!(told(Shown::Absent, login()).contains("ends"));
        assert_eq!(told(login(), login()), "");
    }

    fn plan() -> Plan {
        let policy = change(
            "spec.wildcardPolicy",
            Shown::Value(json!("Disallowed")),
            Shown::Value(json!("Allowed")),
        );
        let mut ingress = write(
            object("IngressController", Some("op"), "default"),
            Verb::Set,
            Basis::DryRun,
            vec![policy],
        );
        ingress.conflicts.push(Conflict {
            path: "spec.wildcardPolicy".to_owned(),
            manager: "argocd".to_owned(),
        });
        let data = change("data.key", Shown::Absent, Shown::Secret);
        let secret = write(
            object("Secret", Some("hcp"), "key"),
            Verb::Create,
            Basis::Local,
            vec![data],
        );
        let known = Basis::KnownAfter(Some(StepId::from("operator")));
        let engine = write(
            object("MultiClusterEngine", None, "mce"),
            Verb::Create,
            known,
            Vec::new(),
        );
        let mut felt = step("ingress", vec![ingress]);
        felt.hub_wide = Some("router pods restart".to_owned());
        let unchanged = write(
            object("Namespace", None, "hcp"),
            Verb::Unchanged,
            Basis::Live,
            Vec::new(),
        );
        let steps = vec![felt, step("guest", vec![secret, engine]), step("idle", vec![unchanged])];
        Plan {
            server: Server::default(),
            steps,
        }
    }

    #[test]
    fn a_plan_reads_as_what_changes() {
        insta::assert_snapshot!(text(&plan(), false, &|_, text| text.to_owned()), @r"
        ingress  Do ingress
          ! the whole cluster feels it: router pods restart
          ~ set IngressController op/default
              spec.wildcardPolicy: Disallowed → Allowed
              conflict: spec.wildcardPolicy is set by argocd; the document must say `takeover: true`

        guest  Do guest
          + create Secret hcp/key (compared on this side, not by the server)
              data.key: (secret)
          + create MultiClusterEngine mce (known after operator)

        Plan: 2 to create, 1 to change.
        ");
        assert_eq!(hub_wide(&plan()), ["ingress: router pods restart"]);
    }

    #[test]
    fn commands_are_ready_for_a_shell() {
        let text = text(&plan(), true, &|_, text| text.to_owned());
        assert!(
            text.contains("idle  Do idle\n  # Only that\n  $ oc apply \\\n  >   -f x\n"),
            "{text}"
        );
    }
}
