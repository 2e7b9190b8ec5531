//! Scenario files: in each fenced `console` block, `$ ` begins a command, `> ` goes on with it, and what follows is what the
//! terminal shows, stdout and stderr together, then `[exit N]` unless that is 0. Every line counts, every blank counts
//! (but for those at a line's end); what differs from run to run is filtered out (`filter`).
//!
//! After the word `console`, `from=34` and `before=34` say which clients a block is for, by minor version.

use std::{
    collections::BTreeMap,
    env, fmt, fs,
    os::unix::{fs::symlink, process::ExitStatusExt},
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{clients::Client, filter::Filter, server::Server};

/// A folder that is home and working directory, with nothing of the real home's.
pub(crate) struct Shell {
    folder: TempDir,
    variables: BTreeMap<String, String>,
    filter: Filter,
}

/// A part of a scenario file.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// A line that is kept as it is.
    Line(String),
    Step(Step),
}

/// A command and what is shown for it.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    line: usize,
    /// As the file has it, with its prompts.
    typed: Vec<String>,
    shown: Vec<String>,
    clients: Clients,
}

/// Minor versions of the clients that a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clients {
    from: u32,
    before: u32,
}

/// Runs a scenario from top to bottom, and fails with everything that was not as the file says.
#[track_caller]
pub(crate) fn run(file: &Path, shell: &Shell, client: &Client) {
    let mut parts = parse(&fs::read_to_string(file).unwrap());
    let mut problems = Vec::new();
    for part in &mut parts {
        let Part::Step(step) = part else { continue };
        if client.minor < step.clients.from || client.minor >= step.clients.before {
            continue;
        }
        let shown = shell.run(&step.command());
        if shown != step.shown {
            problems.push(format!(
                "{}:{}, kubectl {}\n{}\n--- expected\n{}\n--- shown\n{}\n",
                file.display(),
                step.line,
                client.version,
                step.typed.join("\n"),
                step.shown.join("\n"),
                shown.join("\n"),
            ));
            step.shown = shown;
        }
    }
    if env::var_os("BERTH_UPDATE").is_some() {
        let text: String = parts.iter().map(ToString::to_string).collect();
        fs::write(file, text).unwrap();
    } else {
        assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    }
}

fn parse(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut block = None;
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            fenced = !fenced;
            block = info.strip_prefix("console").filter(|_| fenced).map(Clients::parse);
            parts.push(Part::Line(line.to_owned()));
            continue;
        }
        let Some(clients) = block else {
            parts.push(Part::Line(line.to_owned()));
            continue;
        };
        if line.starts_with("$ ") {
            parts.push(Part::Step(Step {
                line: index + 1,
                typed: vec![line.to_owned()],
                shown: Vec::new(),
                clients,
            }));
        } else if let Some(Part::Step(step)) = parts.last_mut() {
            let goes_on = step.shown.is_empty() && (line.starts_with("> ") || line == ">");
            let lines = if goes_on { &mut step.typed } else { &mut step.shown };
            lines.push(line.to_owned());
        } else {
            panic!("line {}: a console block begins with a command", index + 1);
        }
    }
    parts
}

// === impl Shell ===

impl Shell {
    /// A shell in which `kubectl` is this client and knows this server.
    pub(crate) fn new(program: &Path, server: &Server) -> Self {
        let folder = TempDir::with_prefix("kubectl-test-").unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::create_dir(path(".bin")).unwrap();
        symlink(program, path(".bin/kubectl")).unwrap();
        fs::write(path(".kubeconfig"), &server.kubeconfig).unwrap();
        let search = env::var("PATH").unwrap_or_default();
        let variables = [
            ("PATH", format!("{}:{search}", path(".bin"))),
            ("HOME", path("")),
            ("TMPDIR", path("")),
            ("KUBECONFIG", path(".kubeconfig")),
            ("TZ", "UTC".to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
        ];
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            filter: Filter::new(folder.path(), &server.url),
            folder,
        }
    }

    /// What a terminal shows of a command.
    fn run(&self, command: &str) -> Vec<String> {
        let output = self
            .command("bash")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .output()
            .unwrap();
        let shown = self.filter.apply(&String::from_utf8_lossy(&output.stdout));
        let mut shown: Vec<String> = shown.lines().map(|line| line.trim_end().to_owned()).collect();
        match output.status.code() {
            Some(0) => {}
            Some(code) => shown.push(format!("[exit {code}]")),
            None => shown.push(format!("[signal {}]", output.status.signal().unwrap_or_default())),
        }
        shown
    }

    /// A program in this shell's folder and environment, and in no other.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null());
        command
    }
}

// === impl Step ===

impl Step {
    fn command(&self) -> String {
        let lines: Vec<&str> = self
            .typed
            .iter()
            .map(|line| line.get(2..).unwrap_or_default())
            .collect();
        lines.join("\n")
    }
}

// === impl Clients ===

impl Clients {
    fn parse(words: &str) -> Self {
        let mut clients = Self {
            from: 0,
            before: u32::MAX,
        };
        for word in words.split_whitespace() {
            match word.split_once('=') {
                Some(("from", minor)) => clients.from = minor.parse().unwrap(),
                Some(("before", minor)) => clients.before = minor.parse().unwrap(),
                _ => panic!("unknown word after `console`: {word}"),
            }
        }
        clients
    }
}

// === impl Part ===

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => writeln!(f, "{line}"),
            Self::Step(step) => step
                .typed
                .iter()
                .chain(&step.shown)
                .try_for_each(|line| writeln!(f, "{line}")),
        }
    }
}

#[test]
fn a_block_is_commands_and_what_they_show() {
    let text =
        "A text.\n\n```console from=34\n$ cat <<EOF\n> a\n>\n> EOF\na\n\n[exit 1]\n$ true\n```\n```yaml\n$ no\n```\n";
    let parts = parse(text);
    let steps: Vec<&Step> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Step(step) => Some(step),
            Part::Line(_) => None,
        })
        .collect();
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[0].command(), "cat <<EOF\na\n\nEOF");
    assert_eq!(steps[0].shown, ["a", "", "[exit 1]"]);
    assert_eq!((steps[0].clients.from, steps[1].shown.len()), (34, 0));
    assert_eq!(parts.iter().map(ToString::to_string).collect::<String>(), text);
}
