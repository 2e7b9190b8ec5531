//! The clients that scenarios are run with: those that `BERTH_KUBECTL` lists (separated by colons), else the one on the
//! path. Where that one chooses another by the server's version, what counts is what it chooses for ours.

use std::{env, path::PathBuf, sync::OnceLock};

use serde_json::Value;

use crate::{server::Server, transcript::Shell};

/// Older clients ask for what this server does not have (the first discovery, `OpenAPI` v2 alone).
const OLDEST: u32 = 32;

/// A `kubectl` that runs here.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) program: PathBuf,
    /// `v1.35.2`
    pub(crate) version: String,
    /// The 35 of it.
    pub(crate) minor: u32,
}

/// Every client new enough, asked once for its version.
pub(crate) fn found() -> &'static [Client] {
    static FOUND: OnceLock<Vec<Client>> = OnceLock::new();
    FOUND.get_or_init(find)
}

#[expect(clippy::print_stdout, reason = "which versions were used is a result of the tests")]
fn find() -> Vec<Client> {
    let programs = match env::var("BERTH_KUBECTL") {
        Ok(list) => env::split_paths(&list).collect(),
        Err(_) => env::split_paths(&env::var_os("PATH").unwrap_or_default())
            .map(|folder| folder.join("kubectl"))
            .find(|program| program.is_file())
            .into_iter()
            .collect::<Vec<_>>(),
    };
    let mut clients: Vec<Client> = Vec::new();
    for program in programs {
        match ask(program) {
            Some(client) if client.minor < OLDEST => {
                println!("kubectl {} is too old: {}", client.version, client.program.display());
            }
            Some(client) if clients.iter().all(|other| other.version != client.version) => {
                println!("kubectl {}: {}", client.version, client.program.display());
                clients.push(client);
            }
            _ => {}
        }
    }
    clients
}

fn ask(program: PathBuf) -> Option<Client> {
    let shell = Shell::new(&program, &Server::start());
    let output = shell.command("kubectl").args(["version", "-o", "json"]).output().ok()?;
    let version = serde_json::from_slice::<Value>(&output.stdout).ok()?;
    let said = |field: &str| version["clientVersion"][field].as_str();
    Some(Client {
        version: said("gitVersion")?.to_owned(),
        minor: said("minor")?.trim_end_matches('+').parse().ok()?,
        program,
    })
}
