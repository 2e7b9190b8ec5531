//! The page: for a terminal, and as Markdown for a ticket.

use super::stages::is_of_workers;
use super::{Stage, State, Story, Total};

/// The page for a terminal. `place` names the hub; `simulated` says that none of it is real.
pub fn plain(story: &Story, place: &str, simulated: bool) -> String {
    let mut text = format!("{}\n{}\n", headline(story), place);
    if simulated {
        text.push_str(&format!("{SIMULATED}\n"));
    }
    text.push('\n');
    let rows = rows(story);
    let widths: Vec<usize> = (0..5)
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths.iter().copied().chain([0])) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str(&format!("\n{}\n", legend(story)));
    for line in afterwards(story) {
        text.push_str(&format!("{line}\n"));
    }
    text
}

/// The page for a ticket.
pub fn markdown(story: &Story, place: &str, simulated: bool) -> String {
    let mut text = format!("## {}\n\nOn {place}.", headline(story));
    if simulated {
        text.push_str(&format!(" **{SIMULATED}**"));
    }
    text.push_str("\n\n");
    for (index, row) in rows(story).iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
        if index == 0 {
            text.push_str("| --- | --- | --- | --- | --- | --- |\n");
        }
    }
    text.push_str(&format!("\n{}\n", legend(story)));
    let after = afterwards(story);
    if !after.is_empty() {
        text.push_str(&format!("\n```text\n{}\n```\n", after.join("\n")));
    }
    text
}

const SIMULATED: &str =
    "Simulated (lab): times are those of the lab's speed; only published times are of real clusters.";

fn headline(story: &Story) -> String {
    let Story {
        namespace,
        name,
        version,
        created,
        completed,
        now,
        ..
    } = story;
    let version = if version.is_empty() {
        String::new()
    } else {
        format!(" {version}")
    };
    let guest = format!("Guest {namespace}/{name}{version}");
    match (created, completed) {
        (Some(created), Some(completed)) => format!(
            "{guest}: complete after {}, from {created} to {completed}",
            seconds(completed.duration_since(*created).as_secs())
        ),
        (Some(created), None) => format!(
            "{guest}: not complete after {}, since {created}",
            seconds(now.duration_since(*created).as_secs())
        ),
        (None, _) => format!("{guest}: when it was made is not known"),
    }
}

/// A heading, the stages, the totals: mark, at, took, others, published, what.
fn rows(story: &Story) -> Vec<[String; 6]> {
    let others = match story.compared_with {
        0 => "others".to_owned(),
        1 => "1 other".to_owned(),
        count => format!("{count} others"),
    };
    let heading = ["", "done at", "took", &others, "published", "stage"].map(str::to_owned);
    let stages = story.stages.iter().map(|stage| stage_row(story, stage));
    let totals = story.totals.iter().map(|total| {
        let Total {
            title,
            seconds: took,
            others_seconds,
            published,
        } = total;
        [
            "=".to_owned(),
            String::new(),
            took.map_or_else(|| "-".to_owned(), seconds),
            others_seconds.map_or_else(|| "-".to_owned(), seconds),
            (*published).to_owned(),
            format!("until {title}"),
        ]
    });
    std::iter::once(heading).chain(stages).chain(totals).collect()
}

fn stage_row(story: &Story, stage: &Stage) -> [String; 6] {
    let since = |at: jiff::Timestamp| story.created.map(|created| at.duration_since(created).as_secs().max(0));
    let at = stage
        .until
        .and_then(since)
        .map_or_else(|| "-".to_owned(), |at| format!("+{}", seconds(at)));
    let took = match (stage.state, stage.seconds, stage.from) {
        (State::UnderWay, _, Some(from)) => {
            format!("{} so far", seconds(story.now.duration_since(from).as_secs().max(0)))
        }
        (_, Some(took), _) => seconds(took),
        _ => "-".to_owned(),
    };
    let what = match stage.state {
        State::Done => format!("{} ({})", stage.title, stage.proof),
        State::Overwritten => format!("{} (when, is not told any longer: {})", stage.title, overwritten(stage)),
        State::Later => format!(
            "{} (when, is not told: some only after the cluster was complete, or again since: {})",
            stage.title, stage.proof
        ),
        State::Unreadable => format!("{} (could not be read: {})", stage.title, stage.proof),
        State::UnderWay => format!("{}: under way ({})", stage.title, stage.proof),
        State::NotBegun => format!("{}: not begun", stage.title),
    };
    [
        if stage.critical { "*" } else { "" }.to_owned(),
        at,
        took,
        stage.others_seconds.map_or_else(|| "-".to_owned(), seconds),
        if stage.published.is_empty() {
            "-"
        } else {
            stage.published
        }
        .to_owned(),
        what,
    ]
}

fn overwritten(stage: &Stage) -> &str {
    if is_of_workers(stage.id) {
        &stage.proof
    } else {
        "the condition changed again since"
    }
}

fn legend(story: &Story) -> String {
    let others = match story.compared_with {
        0 => "there are no other guests to compare with".to_owned(),
        1 => "1 other: the guest that was completed last".to_owned(),
        count => format!("{count} others: the middle of the {count} guests that were completed last"),
    };
    let [goals, phases] = story.sources;
    format!(
        "*: on the critical path; {others}.\nPublished: goals of upstream's CI, and one run of it on a cloud; no promises for \
         this hub:\n  {goals}\n  {phases}"
    )
}

/// Warnings and what is wrong.
fn afterwards(story: &Story) -> Vec<String> {
    let mut lines = Vec::new();
    if !story.warnings.is_empty() {
        lines.push("Warnings meanwhile (Events, as far as they are kept):".to_owned());
    }
    for warning in &story.warnings {
        lines.push(format!(
            "  {} × {} {}: {}",
            warning.count, warning.object, warning.reason, warning.message
        ));
    }
    if let Some(found) = &story.diagnosis {
        lines.push(format!("What fails: {} ({})", found.headline(), found.object));
        lines.extend(found.evidence.iter().map(|line| format!("  {line}")));
        lines.push(format!("  fix: {}", found.fix));
    } else if story.completed.is_none() {
        lines.push("What fails: nothing that is known; it is on its way.".to_owned());
    }
    lines
}

/// A duration as people write it: `9s`, `4m 35s`, `1h 2m`.
fn seconds(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds / 60 % 60),
    }
}
