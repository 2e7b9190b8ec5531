//! Help texts of the drop-in.

use std::fmt::Write as _;

use super::{
    flags::{Flag, Flags, Kind},
    tree::{Group, Node},
};

/// Help on a command with flags.
pub(super) fn command(path: &str, flags: Flags) -> String {
    let mut flags: Vec<&Flag> = flags.iter().copied().flatten().collect();
    flags.sort_by_key(|flag| flag.name);
    let mut text = format!("Usage:\n  hcp {path} [flags]\n\nFlags:\n");
    let heads: Vec<String> = flags.iter().map(|flag| head(flag)).collect();
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
pub(super) fn group(group: &Group) -> String {
    let mut text = format!("Usage:\n  {} [command]\n\nAvailable Commands:\n", group.path);
    let here = group.commands.iter().filter(|(_, node)| !matches!(node, Node::Foreign));
    for (name, _) in here {
        writeln!(text, "  {name}").expect("a String takes all");
    }
    text
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
