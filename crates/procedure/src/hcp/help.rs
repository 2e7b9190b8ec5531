//! Help texts of the drop-in.

use std::fmt::Write as _;

use super::{
    create_cluster,
    flags::{Flag, Kind},
};

/// Help on `create cluster kubevirt`.
pub(super) fn create_cluster() -> String {
    command("create cluster kubevirt", create_cluster::FLAGS)
}

/// Help on a command with flags.
pub(super) fn command(path: &str, flags: &[Flag]) -> String {
    let mut text = format!("Usage:\n  hcp {path} [flags]\n\nFlags:\n");
    let heads: Vec<String> = flags.iter().map(head).collect();
    let width = heads.iter().map(String::len).max().unwrap_or_default();
    for (flag, head) in flags.iter().zip(heads) {
        let default = match flag.default {
            "" | "false" => String::new(),
            default => format!(" (default {default})"),
        };
        writeln!(text, "      {head:width$}   {}{default}", flag.about).expect("a String takes all");
    }
    text
}

/// Help on commands that only hold others.
pub(super) fn group(path: &[&str]) -> String {
    let (usage, commands): (&str, &[&str]) = match path {
        ["create"] => ("hcp create", &["cluster", "kubeconfig"]),
        ["create", "cluster"] => ("hcp create cluster", &["kubevirt"]),
        _ => ("hcp", &["create", "version"]),
    };
    format!(
        "Usage:\n  {usage} [command]\n\nAvailable Commands:\n  {}\n",
        commands.join("\n  ")
    )
}

fn head(flag: &Flag) -> String {
    let takes = match flag.kind {
        Kind::Bool => "",
        Kind::Text | Kind::UpgradeType | Kind::OlmCatalogPlacement => " string",
        Kind::Int32 => " int32",
        Kind::Uint32 => " uint32",
        Kind::Duration => " duration",
        Kind::TextArray => " stringArray",
        Kind::TextSlice => " strings",
        Kind::TextMap => " stringToString",
    };
    format!("--{}{takes}", flag.name)
}
