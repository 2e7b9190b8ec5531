//! The figures, and the table that they are printed as.

use crate::{process, subject::Kind};

/// What a figure must reach.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    Under(f64),
    Over(f64),
    /// So many times as quick as the real server.
    TimesAsQuick(f64),
}

/// One row: a figure of several runs.
pub(crate) struct Row {
    what: String,
    unit: &'static str,
    aim: Aim,
    ours: Vec<f64>,
    real: Vec<f64>,
    how: String,
}

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    left_out: Vec<String>,
}

impl Report {
    /// Adds runs to a row, which the first of them makes.
    pub(crate) fn add(&mut self, kind: Kind, what: &str, unit: &'static str, aim: Aim, runs: &[f64], how: &str) {
        let index = self.rows.iter().position(|row| row.what == what).unwrap_or_else(|| {
            self.rows.push(Row {
                what: what.to_owned(),
                unit,
                aim,
                ours: Vec::new(),
                real: Vec::new(),
                how: String::new(),
            });
            self.rows.len() - 1
        });
        let row = &mut self.rows[index];
        let figures = match kind {
            Kind::Ours => &mut row.ours,
            Kind::Real => &mut row.real,
        };
        figures.extend(runs);
        if kind == Kind::Ours || row.how.is_empty() {
            how.clone_into(&mut row.how);
        }
        eprintln!("  {what}: {}", row.figures(runs));
    }

    pub(crate) fn leave_out(&mut self, what: &str, why: &str) {
        self.left_out.push(format!("skipped: {what}: {why}"));
    }

    pub(crate) fn print(&self) {
        let mut table =
            vec![["what", "must reach", "best (median of n)", "", "real", "ratio", "how"].map(str::to_owned)];
        table.extend(self.rows.iter().map(Row::cells));
        let widths: Vec<usize> = (0..7)
            .map(|column| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        println!();
        for row in table {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
        }
        for line in &self.left_out {
            println!("{line}");
        }
        println!("Load of the machine at the end: {}", process::load());
    }
}

impl Row {
    fn cells(&self) -> [String; 7] {
        let (ours, real) = (self.best(&self.ours), self.best(&self.real));
        let ratio = match (ours, real, self.more_is_better()) {
            (Some(ours), Some(real), true) => Some(ours / real),
            (Some(ours), Some(real), false) => Some(real / ours),
            _ => None,
        };
        let reached = match (self.aim, ours, ratio) {
            (Aim::Under(aim), Some(ours), _) => Some(ours < aim),
            (Aim::Over(aim), Some(ours), _) => Some(ours > aim),
            (Aim::TimesAsQuick(aim), _, Some(ratio)) => Some(ratio >= aim),
            _ => None,
        };
        let aim = match self.aim {
            Aim::Under(aim) => format!("under {aim} {}", self.unit),
            Aim::Over(aim) => format!("over {aim} {}", self.unit),
            Aim::TimesAsQuick(aim) => format!("{aim} times as quick"),
        };
        [
            self.what.clone(),
            aim,
            self.figures(&self.ours),
            reached
                .map_or("", |reached| if reached { "yes" } else { "NO" })
                .to_owned(),
            self.figures(&self.real),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}")),
            self.how.clone(),
        ]
    }

    fn figures(&self, runs: &[f64]) -> String {
        let mut sorted = runs.to_vec();
        sorted.sort_by(f64::total_cmp);
        match (self.best(runs), sorted.get(sorted.len() / 2)) {
            (Some(best), Some(median)) => {
                format!("{} {} ({} of {})", short(best), self.unit, short(*median), runs.len())
            }
            _ => String::new(),
        }
    }

    fn best(&self, runs: &[f64]) -> Option<f64> {
        let runs = runs.iter().copied();
        if self.more_is_better() {
            runs.max_by(f64::total_cmp)
        } else {
            runs.min_by(f64::total_cmp)
        }
    }

    fn more_is_better(&self) -> bool {
        matches!(self.aim, Aim::Over(_))
    }
}

/// Three digits are as many as mean something.
fn short(figure: f64) -> String {
    match figure {
        big if big >= 100.0 => format!("{big:.0}"),
        middle if middle >= 10.0 => format!("{middle:.1}"),
        small => format!("{small:.2}"),
    }
}
