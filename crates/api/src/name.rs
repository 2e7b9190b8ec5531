//! Names as Kubernetes allows them.

/// The longest that a label (a name without dots) may be.
pub(crate) const LONGEST_LABEL: usize = 63;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No text at all.
    #[error("a name is missing")]
    Empty,
    /// Longer than allowed.
    #[error("`{name}` has {length} characters, {most} are allowed")]
    TooLong {
        /// The name.
        name: String,
        /// How long it is.
        length: usize,
        /// How long it may be.
        most: usize,
    },
    /// Letters that are not lower case.
    #[error("`{0}` has capital letters")]
    Capitals(String),
    /// Characters that are not allowed, or not allowed at the ends.
    #[error("`{name}` has `{character}` where it is not allowed")]
    Character {
        /// The name.
        name: String,
        /// The first character at fault.
        character: char,
    },
}

impl NameError {
    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            Self::Capitals(name) => format!("write `{}`", name.to_lowercase()),
            Self::TooLong { most, .. } => format!("choose a name of at most {most} characters"),
            Self::Empty | Self::Character { .. } => {
                "use lower-case letters, digits and `-`, with a letter or digit at both ends".to_owned()
            }
        }
    }
}

/// Checks a DNS label: lower-case letters, digits and `-`, at most 63.
pub fn check_label(name: &str) -> Result<(), NameError> {
    check_characters(name, LONGEST_LABEL, name)
}

/// Checks a DNS subdomain: labels joined by dots, at most 253 characters.
pub fn check_subdomain(name: &str) -> Result<(), NameError> {
    if name.chars().count() > 253 {
        return Err(NameError::TooLong {
            name: name.to_owned(),
            length: name.chars().count(),
            most: 253,
        });
    }
    name.split('.')
        .try_for_each(|label| check_characters(label, LONGEST_LABEL, name))
}

fn check_characters(label: &str, most: usize, name: &str) -> Result<(), NameError> {
    let owned = || name.to_owned();
    if label.is_empty() {
        return Err(if name.is_empty() {
            NameError::Empty
        } else {
            NameError::Character {
                name: owned(),
                character: '.',
            }
        });
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if let Some(character) = label.chars().find(|c| !allowed(*c) && !c.is_ascii_uppercase()) {
        return Err(NameError::Character {
            name: owned(),
            character,
        });
    }
    if label.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(NameError::Capitals(owned()));
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(NameError::Character {
            name: owned(),
            character: '-',
        });
    }
    if label.len() > most {
        return Err(NameError::TooLong {
            name: owned(),
            length: label.len(),
            most,
        });
    }
    Ok(())
}
