//! Patterns of schemas, which are written in Go's dialect of regular expressions.
//!
//! The dialects differ where it shows: here a bracket inside a class opens another class and `&&`, `--`, `~~` combine
//! classes, while there they are characters; and `\d`, `\w`, `\s`, `\b` know ASCII only there.

use std::{iter::Peekable, str::Chars};

use regex::Regex;

/// A pattern as written, and as it runs.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern of Go's dialect.
    pub(super) fn compile(text: &str) -> Result<Self, regex::Error> {
        Ok(Self {
            text: text.to_owned(),
            regex: Regex::new(&translated(text))?,
        })
    }

    /// The pattern as written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the text matches somewhere.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

fn translated(pattern: &str) -> String {
    let mut chars = pattern.chars().peekable();
    let mut output = String::with_capacity(pattern.len());
    while let Some(char) = chars.next() {
        match char {
            '\\' => escape(&mut chars, &mut output),
            '[' => class(&mut chars, &mut output),
            char => output.push(char),
        }
    }
    output
}

fn escape(chars: &mut Peekable<Chars<'_>>, output: &mut String) {
    match chars.next() {
        Some('d') => output.push_str("[0-9]"),
        Some('D') => output.push_str("[^0-9]"),
        Some('w') => output.push_str("[0-9A-Za-z_]"),
        Some('W') => output.push_str("[^0-9A-Za-z_]"),
        Some('s') => output.push_str(r"[\t\n\f\r ]"),
        Some('S') => output.push_str(r"[^\t\n\f\r ]"),
        Some(boundary @ ('b' | 'B')) => output.extend(["(?-u:\\", boundary.encode_utf8(&mut [0; 4]), ")"]),
        // Everything after it is literal, up to the end or the matching escape.
        Some('Q') => {
            let rest: String = chars.clone().collect();
            let literal = rest.split("\\E").next().unwrap_or_default();
            output.push_str(&regex::escape(literal));
            chars
                .by_ref()
                .take(literal.chars().count() + "\\E".len())
                .for_each(drop);
        }
        Some(other) => output.extend(['\\', other]),
        None => output.push('\\'),
    }
}

/// A class, its opening bracket read already.
fn class(chars: &mut Peekable<Chars<'_>>, output: &mut String) {
    output.push('[');
    if chars.next_if_eq(&'^').is_some() {
        output.push('^');
    }
    // A closing bracket that comes first is a character.
    if chars.next_if_eq(&']').is_some() {
        output.push_str(r"\]");
    }
    while let Some(char) = chars.next() {
        match char {
            ']' => {
                output.push(']');
                return;
            }
            // A named class such as `[:alpha:]` is the same in both.
            '[' if chars.peek() == Some(&':') => {
                output.push('[');
                for char in chars.by_ref() {
                    output.push(char);
                    if char == ']' {
                        break;
                    }
                }
            }
            '[' | '&' | '~' => output.extend(['\\', char]),
            // Of two dashes in a row the second is a character: the end of a range, or itself.
            '-' if chars.next_if_eq(&'-').is_some() => output.push_str(r"-\-"),
            '\\' => class_escape(chars, output),
            char => output.push(char),
        }
    }
}

fn class_escape(chars: &mut Peekable<Chars<'_>>, output: &mut String) {
    match chars.next() {
        Some('d') => output.push_str("0-9"),
        Some('w') => output.push_str("0-9A-Za-z_"),
        Some('s') => output.push_str(r"\t\n\f\r "),
        Some('D') => output.push_str("[^0-9]"),
        Some('W') => output.push_str("[^0-9A-Za-z_]"),
        Some('S') => output.push_str(r"[^\t\n\f\r ]"),
        Some(other) => output.extend(['\\', other]),
        None => output.push('\\'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, good: &[&str], bad: &[&str]) {
        let compiled = Pattern::compile(pattern).expect("the pattern is well-formed");
        assert_eq!(compiled.as_str(), pattern);
        for text in good {
            assert!(compiled.is_match(text), "{pattern} {text}");
        }
        for text in bad {
            assert!(!compiled.is_match(text), "{pattern} {text}");
        }
    }

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        check("^[][]+$", &["[]", "]"], &["a"]);
        check("^[^][a]$", &["b"], &["[", "]", "a"]);
        check("^[a&&b]$", &["a", "&", "b"], &["c"]);
        check("^[[:alpha:]-]+$", &["a-b"], &["1"]);
        check(r"^\d+$", &["12"], &["\u{663}"]);
        check(r"^[\w.]+$", &["a_1."], &["é", " "]);
        check(r"^[\D]$", &["a"], &["1"]);
        check(r"^\Qa.b\Ec$", &["a.bc"], &["axbc"]);
        check(r"\bword\b", &["a word!"], &["swords"]);
        check(r"^a\[b$", &["a[b"], &[]);
        check("^(?i)x$", &["X"], &["y"]);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["(", "[a", "*", "(?=a)"] {
            assert!(Pattern::compile(pattern).is_err(), "{pattern}");
        }
    }
}
