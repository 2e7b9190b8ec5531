//! The program's name as it was called, so that hints can be typed as they stand.

use std::path::Path;

/// How the program was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    name: String,
}

impl Program {
    /// From the first argument. As a plugin (`oc-berth`, `kubectl-berth`) it is `oc berth`; a path stays a path.
    pub(crate) fn called(first_argument: &str) -> Self {
        let file = file_name(first_argument);
        let name = match file.split_once('-') {
            Some((tool @ ("oc" | "kubectl"), "berth")) => format!("{tool} berth"),
            _ if first_argument.is_empty() => "berth".to_owned(),
            _ => first_argument.to_owned(),
        };
        Self { name }
    }

    /// Whether the program was called under the name `hcp`.
    pub(crate) fn is_hcp(first_argument: &str) -> bool {
        file_name(first_argument) == "hcp"
    }
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

fn file_name(argument: &str) -> &str {
    Path::new(argument)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or(argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_the_program_as_it_was_called() {
        for (called, shown) in [
            ("berth", "berth"),
            ("/usr/local/bin/oc-berth", "oc berth"),
            ("kubectl-berth", "kubectl berth"),
            ("target/release/berth", "target/release/berth"),
            ("", "berth"),
        ] {
            assert_eq!(Program::called(called).to_string(), shown);
        }
        assert!(Program::is_hcp("/tmp/x/hcp"));
        assert!(!Program::is_hcp("berth"));
    }
}
