//! Documents that run: every fenced `console` block of a Markdown file is a list of commands and what they print.
//!
//! In a block, `$ ` begins a command, `> ` goes on with it (as a shell shows it), anything else is expected output. In
//! expected output `…` stands for any text within a line, and a line of just `…` for any number of lines. The fence's words
//! say more: `until` runs a command again until it prints what is expected, `exit=N` names an exit code, `quiet` ignores
//! what is printed (only the exit code counts), `stderr` checks stderr instead of stdout.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long an `until` block may take: far more than it needs, so that only a real failure meets it.
const PATIENCE: Duration = Duration::from_secs(90);

/// Where commands run.
pub(crate) struct Shell {
    pub(crate) folder: PathBuf,
    pub(crate) variables: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Words {
    until: bool,
    quiet: bool,
    stderr: bool,
    exit: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
    words: Words,
}

/// Runs every command of a file in order; fails at the first that does not do what the file says.
pub(crate) fn run(file: &Path, shell: &Shell) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let steps = parse(&text);
    assert!(!steps.is_empty(), "{} holds no commands", file.display());
    for step in steps {
        if let Err(problem) = shell.step(&step) {
            panic!("{}:{}: {problem}", file.display(), step.line);
        }
    }
}

impl Shell {
    fn step(&self, step: &Step) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let problem = match self.once(step) {
                Ok(()) => return Ok(()),
                Err(problem) => problem,
            };
            if !step.words.until || begun.elapsed() > PATIENCE {
                return Err(problem);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn once(&self, step: &Step) -> Result<(), String> {
        let output = Command::new("bash")
            .args(["-c", &step.command])
            .current_dir(&self.folder)
            .envs(&self.variables)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("bash did not start: {error}"))?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let told = format!("$ {}\n--- stdout\n{stdout}--- stderr\n{stderr}", step.command);
        let code = output.status.code().unwrap_or(-1);
        if code != step.words.exit {
            return Err(format!("exit code {code} instead of {}\n{told}", step.words.exit));
        }
        if step.words.quiet {
            return Ok(());
        }
        let shown = if step.words.stderr { &stderr } else { &stdout };
        let shown: Vec<&str> = shown.lines().map(str::trim_end).collect();
        if matches_lines(&step.expected, &shown) {
            return Ok(());
        }
        let mut problem = String::from("the output differs; expected\n");
        for line in &step.expected {
            let _ = writeln!(problem, "    {line}");
        }
        Err(problem + &told)
    }
}

fn parse(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block: Option<Words> = None;
    for (index, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&block, fence) {
            (None, Some(info)) => {
                let mut words = info.split_whitespace();
                if words.next() == Some("console") {
                    block = Some(Words::parse(words));
                }
            }
            (Some(_), Some(_)) => block = None,
            (Some(words), None) => {
                if let Some(command) = line.strip_prefix("$ ") {
                    let (command, expected) = (command.to_owned(), Vec::new());
                    steps.push(Step {
                        line: index + 1,
                        command,
                        expected,
                        words: words.clone(),
                    });
                } else if let Some(step) = steps.last_mut() {
                    match line.strip_prefix("> ").or((line == ">").then_some("")) {
                        Some(more) if step.expected.is_empty() => {
                            step.command.push('\n');
                            step.command.push_str(more);
                        }
                        _ => step.expected.push(line.trim_end().to_owned()),
                    }
                }
            }
            (None, None) => {}
        }
    }
    steps
}

impl Words {
    fn parse<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut parsed = Self::default();
        for word in words {
            match word.split_once('=') {
                None if word == "until" => parsed.until = true,
                None if word == "quiet" => parsed.quiet = true,
                None if word == "stderr" => parsed.stderr = true,
                Some(("exit", code)) => parsed.exit = code.parse().expect("exit=N takes a number"),
                _ => panic!("unknown word in a console fence: {word}"),
            }
        }
        parsed
    }
}

fn matches_lines(expected: &[String], shown: &[&str]) -> bool {
    match expected.split_first() {
        None => shown.is_empty(),
        Some((line, rest)) if line.trim() == "…" => {
            (0..=shown.len()).any(|skipped| matches_lines(rest, &shown[skipped..]))
        }
        Some((line, rest)) => shown
            .split_first()
            .is_some_and(|(first, more)| matches_line(line, first) && matches_lines(rest, more)),
    }
}

/// Whether a line is the expected one, with `…` for any text and runs of blanks counted as one.
fn matches_line(expected: &str, shown: &str) -> bool {
    let shown = squeeze(shown);
    let expected = squeeze(expected);
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = shown.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_console_block_is_commands_and_what_they_print() {
    let steps = parse("text\n```console until exit=2\n$ cat <<EOF\n> a\n> EOF\na…b\n…\n```\n```yaml\n$ no\n```\n");
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].command, "cat <<EOF\na\nEOF");
    assert_eq!(steps[0].expected, ["a…b", "…"]);
    assert_eq!(
        steps[0].words,
        Words {
            until: true,
            exit: 2,
            ..Words::default()
        }
    );
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    assert!(matches_line("a … c", "a   b c"));
    assert!(matches_line("…c", "abc"));
    assert!(!matches_line("a b", "a b c"));
    assert!(!matches_line("a…d", "abc"));
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    assert!(matches_lines(&lines(&["a", "…", "d"]), &["a", "b", "c", "d"]));
    assert!(!matches_lines(&lines(&["a", "…", "d"]), &["a", "b", "c"]));
    assert!(!matches_lines(&[], &["a"]));
}
