//! Command-line flags as Go's pflag reads them, with its error texts.
//!
//! Not clap: scripts that call `hcp` see `hcp`'s own words.

use std::collections::BTreeMap;

use berth_api::GoDuration;

use super::{HcpError, is_help};

/// A flag.
#[derive(Clone, Copy, Debug)]
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

/// The flags that were given.
#[derive(Clone, Debug)]
pub(super) struct Values {
    flags: &'static [Flag],
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

    /// Takes a value in, as one or several entries, or says why not as Go does.
    fn accept(&self, value: &str) -> Result<Vec<String>, String> {
        let one = |value: &str| Ok(vec![value.to_owned()]);
        match self.kind {
            Kind::Text | Kind::TextArray => one(value),
            Kind::Bool => match value {
                "1" | "t" | "T" | "TRUE" | "true" | "True" => one("true"),
                "0" | "f" | "F" | "FALSE" | "false" | "False" => one("false"),
                _ => Err(format!("strconv.ParseBool: parsing \"{value}\": invalid syntax")),
            },
            Kind::Int32 => integer::<i32>(value, "ParseInt").map(|value| vec![value]),
            Kind::Uint32 => integer::<u32>(value, "ParseUint").map(|value| vec![value]),
            Kind::Duration => duration(value).map(|value| vec![value]),
            Kind::TextSlice => Ok(value
                .split(',')
                .filter(|_| !value.is_empty())
                .map(str::to_owned)
                .collect()),
            Kind::TextMap => {
                let pairs = value.split(',').filter(|_| !value.is_empty());
                let checked = |pair: &str| {
                    pair.contains('=')
                        .then(|| pair.to_owned())
                        .ok_or_else(|| format!("{pair} must be formatted as key=value"))
                };
                pairs.map(checked).collect()
            }
            Kind::UpgradeType => match value.to_lowercase().as_str() {
                "replace" => one("Replace"),
                "inplace" => one("InPlace"),
                _ => Err(format!("unknown upgrade type used '{value}'")),
            },
            Kind::OlmCatalogPlacement => match value.to_lowercase().as_str() {
                placement @ ("management" | "guest") => one(placement),
                _ => Err(format!("unknown OLMCatalogPlacement type used '{value}'")),
            },
        }
    }

    /// Whether a second use adds to the first, rather than replacing it.
    pub(super) fn repeats(&self) -> bool {
        matches!(self.kind, Kind::TextArray | Kind::TextSlice | Kind::TextMap)
    }
}

fn integer<T: std::str::FromStr + ToString>(value: &str, function: &str) -> Result<String, String> {
    value.parse::<T>().map(|number| number.to_string()).map_err(|_| {
        let digits = value.strip_prefix('-').unwrap_or(value);
        let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // A minus sign is no number at all to Go where none is allowed.
        let range = number && (function == "ParseInt" || !value.starts_with('-'));
        let why = if range { "value out of range" } else { "invalid syntax" };
        format!("strconv.{function}: parsing \"{value}\": {why}")
    })
}

fn duration(value: &str) -> Result<String, String> {
    let missing_unit = value.parse::<f64>().is_ok();
    value
        .parse::<GoDuration>()
        .map(|duration| duration.to_string())
        .map_err(|_| {
            let what = if missing_unit { "missing unit in" } else { "invalid" };
            format!("time: {what} duration \"{value}\"")
        })
}

// === impl Values ===

/// Parses flags; `None` where help was asked for. Arguments that are no flags are ignored, as `hcp` does.
pub(super) fn parse(flags: &'static [Flag], args: &[String]) -> Result<Option<Values>, HcpError> {
    let mut given: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            break;
        }
        if is_help(arg) {
            return Ok(None);
        }
        let Some(body) = arg.strip_prefix("--") else {
            if let Some(short) = arg.strip_prefix('-').and_then(|short| short.chars().next()) {
                return Err(HcpError::new(format!("unknown shorthand flag: '{short}' in {arg}")));
            }
            continue;
        };
        let (name, inline) = body
            .split_once('=')
            .map_or((body, None), |(name, value)| (name, Some(value)));
        let flag = flags
            .iter()
            .find(|flag| flag.name == name)
            .ok_or_else(|| HcpError::new(format!("unknown flag: --{name}")))?;
        let value = match inline {
            Some(value) => value,
            None if flag.kind == Kind::Bool => "true",
            None => args
                .next()
                .ok_or_else(|| HcpError::new(format!("flag needs an argument: --{name}")))?,
        };
        let accepted = flag
            .accept(value)
            .map_err(|why| HcpError::new(format!("invalid argument \"{value}\" for \"--{name}\" flag: {why}")))?;
        let entry = given.entry(flag.name).or_default();
        if !flag.repeats() {
            entry.clear();
        }
        entry.extend(accepted);
    }
    Ok(Some(Values { flags, given }))
}

impl Values {
    fn default_of(&self, name: &str) -> &'static str {
        self.flags
            .iter()
            .find(|flag| flag.name == name)
            .map_or("", |flag| flag.default)
    }

    /// Whether a flag was given at all.
    pub(super) fn was_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
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
