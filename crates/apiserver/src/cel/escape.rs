//! How fields are called whose names are no identifiers: `x-y` is `x__dash__y`, `namespace` is `__namespace__`.

use std::borrow::Cow;

const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

const ESCAPES: [(&str, &str); 4] = [
    ("__", "__underscores__"),
    (".", "__dot__"),
    ("-", "__dash__"),
    ("/", "__slash__"),
];

/// The identifier that a field is known by; none for a name that can't be one.
pub(super) fn escape(name: &str) -> Option<Cow<'_, str>> {
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__").into());
    }
    if !name.contains(['-', '.', '/']) && !name.contains("__") {
        return name.chars().all(is_plain).then_some(name.into());
    }
    let mut escaped = String::with_capacity(name.len() + 16);
    let mut rest = name;
    while let Some(next) = rest.chars().next() {
        if let Some((from, to)) = ESCAPES.iter().find(|(from, _)| rest.starts_with(from)) {
            escaped.push_str(to);
            rest = &rest[from.len()..];
        } else if is_plain(next) {
            escaped.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            return None;
        }
    }
    Some(escaped.into())
}

/// The field that an identifier stands for; none for one that escapes nothing.
pub(super) fn unescape(identifier: &str) -> Option<Cow<'_, str>> {
    if !identifier.contains("__") {
        return Some(identifier.into());
    }
    let inner = identifier.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    if let Some(word) = inner.filter(|word| RESERVED.contains(word)) {
        return Some(word.into());
    }
    let mut name = String::with_capacity(identifier.len());
    let mut rest = identifier;
    while let Some(start) = rest.find("__") {
        name.push_str(&rest[..start]);
        rest = &rest[start..];
        let (from, to) = ESCAPES.iter().find(|(_, to)| rest.starts_with(to))?;
        name.push_str(from);
        rest = &rest[to.len()..];
    }
    name.push_str(rest);
    Some(name.into())
}

fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_identifiers_are_escaped_and_found_again() {
        for (name, identifier) in [
            ("replicas", "replicas"),
            ("namespace", "__namespace__"),
            ("x-prop", "x__dash__prop"),
            ("a.b/c", "a__dot__b__slash__c"),
            ("redact__d", "redact__underscores__d"),
        ] {
            assert_eq!(escape(name).as_deref(), Some(identifier));
            assert_eq!(unescape(identifier).as_deref(), Some(name));
        }
        for name in ["", "1a", "é", "a b"] {
            assert_eq!(escape(name), None, "{name}");
        }
        assert_eq!(unescape("__unknown__"), None);
    }
}
