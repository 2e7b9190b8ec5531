//! Patterns of schemas, which are written in Go's dialect of regular expressions.
//!
//! The dialects differ where it shows: here a bracket inside a class opens another class and `&&`, `--`, `~~` combine
//! classes, while there they are characters; and `\d`, `\w`, `\s`, `\b` know ASCII only there.

use std::{
    collections::BTreeMap,
    iter::Peekable,
    str::Chars,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use regex::{Regex, RegexBuilder};

/// A pattern as written, and as it runs. Cheap to clone; patterns of the same text are one.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Arc<Shared>);

/// A pattern is turned into a machine when it is first used: such a machine can take 15 MB, and most are never used.
#[derive(Debug)]
struct Shared {
    text: Box<str>,
    /// None where the machine would be too large.
    regex: OnceLock<Option<Regex>>,
}

/// The patterns in use, by their text: the same few stand in hundreds of places.
static IN_USE: Mutex<BTreeMap<Box<str>, Weak<Shared>>> = Mutex::new(BTreeMap::new());

/// A machine may be as large as this. Upstream's engine accepts patterns that take a few MB here.
const LARGEST: usize = 32 << 20;

/// What a machine may keep for itself between two uses; texts are short.
const CACHE: usize = 64 << 10;

impl Pattern {
    /// Checks a pattern of Go's dialect; the error says what is wrong with it.
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = in_use.get(text).and_then(Weak::upgrade) {
            return Ok(Self(shared));
        }
        regex_syntax::parse(&translated(text)).map_err(|error| error.to_string())?;
        let shared = Arc::new(Shared {
            text: text.into(),
            regex: OnceLock::new(),
        });
        in_use.retain(|_, shared| shared.strong_count() > 0);
        in_use.insert(text.into(), Arc::downgrade(&shared));
        Ok(Self(shared))
    }

    /// The pattern as written.
    pub(super) fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether the text matches somewhere. A pattern that is too large to be run holds for every text.
    pub(super) fn is_match(&self, text: &str) -> bool {
        let regex = self.0.regex.get_or_init(|| {
            let mut builder = RegexBuilder::new(&translated(&self.0.text));
            let regex = builder.size_limit(LARGEST).dfa_size_limit(CACHE).build();
            regex
                .inspect_err(|error| tracing::warn!(pattern = %self.0.text, %error, "a pattern is not checked"))
                .ok()
        });
        regex.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
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
    fn the_same_pattern_is_shared() {
        let [one, two] = [0, 1].map(|_| Pattern::compile("^shared$").expect("the pattern is well-formed"));
        assert!(Arc::ptr_eq(&one.0, &two.0));
        assert!(
            one.0.regex.get().is_none(),
            "not turned into a machine before it is used"
        );
        assert!(one.is_match("shared") && two.0.regex.get().is_some());
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["(", "[a", "*", "(?=a)"] {
            assert!(Pattern::compile(pattern).is_err(), "{pattern}");
        }
    }
}
