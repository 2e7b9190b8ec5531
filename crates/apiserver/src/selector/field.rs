//! Field selectors: `metadata.name=x,status.phase!=Failed`.

/// What an object's fields must be; all requirements at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FieldSelector {
    requirements: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    field: String,
    equal: bool,
    value: String,
}

impl FieldSelector {
    /// Reads a selector; the empty text selects everything.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let requirements = terms(text)
            .into_iter()
            .filter(|term| !term.is_empty())
            .map(|term| requirement(term, text));
        Ok(Self {
            requirements: requirements.collect::<Result<_, _>>()?,
        })
    }

    /// Whether nothing is asked of the fields.
    pub(crate) fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// The fields that are asked about, in the order of the text.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.requirements.iter().map(|requirement| requirement.field.as_str())
    }

    /// Whether the fields, looked up by `value_of`, are as asked. A missing field is the empty text.
    pub(crate) fn matches<T: AsRef<str>>(&self, value_of: impl Fn(&str) -> T) -> bool {
        self.requirements
            .iter()
            .all(|requirement| (value_of(&requirement.field).as_ref() == requirement.value) == requirement.equal)
    }

    /// The name, if the selector asks for exactly one.
    pub(crate) fn exact_name(&self) -> Option<&str> {
        self.requirements
            .iter()
            .find(|requirement| requirement.equal && requirement.field == "metadata.name")
            .map(|requirement| requirement.value.as_str())
    }
}

/// Splits at the commas that no backslash precedes.
fn terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (index, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

fn requirement(term: &str, whole: &str) -> Result<Requirement, String> {
    let malformed = || format!("invalid selector: '{whole}'; can't understand '{term}'");
    let at = term.find(['=', '!']).ok_or_else(malformed)?;
    let (field, rest) = term.split_at(at);
    let (equal, value) = [("==", true), ("!=", false), ("=", true)]
        .into_iter()
        .find_map(|(operator, equal)| rest.strip_prefix(operator).map(|value| (equal, value)))
        .ok_or_else(malformed)?;
    Ok(Requirement {
        field: field.to_owned(),
        equal,
        value: unescape(value)?,
    })
}

fn unescape(value: &str) -> Result<String, String> {
    let mut chars = value.chars();
    let mut plain = String::new();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                other => {
                    let sequence: String = std::iter::once('\\').chain(other).collect();
                    return Err(format!("invalid field selector: invalid escape sequence: {sequence}"));
                }
            },
            ',' | '=' => return Err(format!("invalid field selector: unescaped character in value: {char}")),
            char => plain.push(char),
        }
    }
    Ok(plain)
}
