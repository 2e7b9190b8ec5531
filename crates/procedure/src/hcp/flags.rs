//! Command-line flags as Go's pflag reads them, with its error texts.
//!
//! Not clap: scripts that call `hcp` see `hcp`'s own words.

mod values;

use std::collections::BTreeMap;

use super::HcpError;

/// A flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) default: &'static str,
    pub(super) about: &'static str,
}

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Text,
    Int32,
    Uint32,
    Duration,
    /// Repeatable, commas kept.
    TextArray,
    /// Repeatable, split at commas.
    TextSlice,
    /// `k=v,k2=v2`, repeatable.
    TextMap,
    /// `Replace` or `InPlace` in any case.
    UpgradeType,
    /// `management` or `guest` in any case.
    OlmCatalogPlacement,
}

/// The flags that a command takes, in one or more groups.
pub(super) type Flags = &'static [&'static [Flag]];

/// The flags that were given.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Values {
    flags: Flags,
    given: BTreeMap<&'static str, Vec<String>>,
}

// === impl Flag ===

impl Flag {
    pub(super) const fn new(name: &'static str, kind: Kind, default: &'static str, about: &'static str) -> Self {
        Self {
            name,
            kind,
            default,
            about,
        }
    }

    pub(super) const fn text(name: &'static str, default: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Text, default, about)
    }

    pub(super) const fn bool(name: &'static str, default: bool, about: &'static str) -> Self {
        Self::new(name, Kind::Bool, if default { "true" } else { "false" }, about)
    }

    /// Whether a second use adds to the first, rather than replacing it.
    pub(super) fn repeats(&self) -> bool {
        matches!(self.kind, Kind::TextArray | Kind::TextSlice | Kind::TextMap)
    }
}

// === impl Values ===

/// Parses flags; `None` where help was asked for. Arguments that are no flags are ignored, as `hcp` does.
pub(super) fn parse<'a>(flags: Flags, args: impl IntoIterator<Item = &'a String>) -> Result<Option<Values>, HcpError> {
    let mut given: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let mut helped = false;
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            break;
        }
        if is_help(arg) {
            helped = true;
            continue;
        }
        let Some(body) = arg.strip_prefix("--") else {
            if let Some(short) = arg.strip_prefix('-').and_then(|short| short.chars().next()) {
                return Err(HcpError::new(format!("unknown shorthand flag: '{short}' in {arg}")));
            }
            continue;
        };
        if body.starts_with(['-', '=']) {
            return Err(HcpError::new(format!("bad flag syntax: {arg}")));
        }
        let (name, inline) = body
            .split_once('=')
            .map_or((body, None), |(name, value)| (name, Some(value)));
        let flag = find(flags, name).ok_or_else(|| HcpError::new(format!("unknown flag: --{name}")))?;
        let value = match inline {
            Some(value) => value,
            None if flag.kind == Kind::Bool => "true",
            None => args
                .next()
                .ok_or_else(|| HcpError::new(format!("flag needs an argument: --{name}")))?,
        };
        let accepted = values::accept(flag.kind, value)
            .map_err(|why| HcpError::new(format!("invalid argument \"{value}\" for \"--{name}\" flag: {why}")))?;
        let entry = given.entry(flag.name).or_default();
        if !flag.repeats() {
            entry.clear();
        }
        entry.extend(accepted);
    }
    Ok((!helped).then_some(Values { flags, given }))
}

/// The flag of this name.
pub(super) fn find(flags: Flags, name: &str) -> Option<&'static Flag> {
    flags.iter().copied().flatten().find(|flag| flag.name == name)
}

/// Whether an argument asks for help.
pub(super) fn is_help(arg: &str) -> bool {
    arg == "--help" || arg == "-h"
}

impl Values {
    fn default_of(&self, name: &str) -> &'static str {
        find(self.flags, name).map_or("", |flag| flag.default)
    }

    /// Whether a flag was given at all.
    pub(super) fn was_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// Refuses unless a flag was given that must be.
    pub(super) fn require(&self, name: &str) -> Result<String, HcpError> {
        if self.was_given(name) {
            Ok(self.text(name))
        } else {
            Err(HcpError::new(format!("required flag(s) \"{name}\" not set")))
        }
    }

    /// A flag's value, or its default.
    pub(super) fn text(&self, name: &str) -> String {
        let last = self.given.get(name).and_then(|values| values.last());
        last.cloned().unwrap_or_else(|| self.default_of(name).to_owned())
    }

    /// A flag's value, unless it is empty.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|value| !value.is_empty())
    }

    /// Whether a truth is set.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    /// A number that was checked when it was taken in.
    pub(super) fn number<T: std::str::FromStr + Default>(&self, name: &str) -> T {
        self.text(name).parse().unwrap_or_default()
    }

    /// All values of a repeatable flag, or its default.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        match self.given.get(name) {
            Some(values) => values.clone(),
            None => Some(self.default_of(name))
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
                .into_iter()
                .collect(),
        }
    }

    /// All pairs of a flag that takes `k=v`.
    pub(super) fn map(&self, name: &str) -> BTreeMap<String, String> {
        let pairs = self.list(name);
        pairs
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect()
    }
}
