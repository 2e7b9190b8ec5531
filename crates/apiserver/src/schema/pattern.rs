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

use regex_automata::{
    meta::{self, BuildError, Regex},
    nfa::thompson::WhichCaptures,
};
use regex_syntax::hir::{Capture, Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

/// A pattern as written, and as it runs. Cheap to clone; patterns of the same text are one.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Arc<Shared>);

/// A pattern is turned into a machine when it is first used: there are thousands, and most are never used.
///
/// The machine for all of Unicode can be a hundred times as large as the one for ASCII, which nearly every text is.
#[derive(Debug)]
struct Shared {
    text: Box<str>,
    ascii: OnceLock<Option<Regex>>,
    /// None inside where the machine is too large to be kept.
    unicode: OnceLock<Option<Regex>>,
}

/// The patterns in use, by their text: the same few stand in hundreds of places.
static IN_USE: Mutex<BTreeMap<Box<str>, Weak<Shared>>> = Mutex::new(BTreeMap::new());

/// A machine that is kept may be as large as this.
const LARGEST_KEPT: usize = 4 << 20;

/// A machine that is made for a single text, and dropped, may be as large as this.
const LARGEST: usize = 256 << 20;

/// How often a part may be said to repeat, in all: repeats within repeats multiply, and so does the machine's size.
const MOST_REPEATS: u32 = 1000;

/// What a machine may keep for itself between two uses; texts are short.
const CACHE: usize = 64 << 10;

impl Pattern {
    /// Checks a pattern of Go's dialect; the error says what is wrong with it.
    pub(crate) fn compile(text: &str) -> Result<Self, String> {
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = in_use.get(text).and_then(Weak::upgrade) {
            return Ok(Self(shared));
        }
        let hir = regex_syntax::parse(&translated(text)).map_err(|error| error.to_string())?;
        check_repeats(&hir)?;
        let shared = Arc::new(Shared {
            text: text.into(),
            ascii: OnceLock::new(),
            unicode: OnceLock::new(),
        });
        in_use.retain(|_, shared| shared.strong_count() > 0);
        in_use.insert(text.into(), Arc::downgrade(&shared));
        Ok(Self(shared))
    }

    /// The pattern as written.
    pub(super) fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether the text matches somewhere.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.with_regex(text, |regex| regex.is_match(text)).unwrap_or(false)
    }

    /// The first parts of the text that match.
    pub(crate) fn find_all(&self, text: &str, most: usize) -> Vec<String> {
        let find = |regex: &Regex| {
            let found = regex.find_iter(text).take(most);
            found.map(|part| text[part.range()].to_owned()).collect()
        };
        self.with_regex(text, find).unwrap_or_default()
    }

    /// Runs the machine that fits a text. None for a pattern that is too large to be run at all: such a one holds for no
    /// text.
    fn with_regex<T>(&self, text: &str, run: impl FnOnce(&Regex) -> T) -> Option<T> {
        let (kept, ascii) = if text.is_ascii() {
            (&self.0.ascii, true)
        } else {
            (&self.0.unicode, false)
        };
        if let Some(regex) = kept.get_or_init(|| self.machine(ascii, LARGEST_KEPT).ok()) {
            return Some(run(regex));
        }
        let regex = self.machine(ascii, LARGEST);
        regex
            .inspect_err(|error| tracing::warn!(pattern = %self.0.text, %error, "a pattern is too large"))
            .ok()
            .map(|regex| run(&regex))
    }

    fn machine(&self, ascii: bool, largest: usize) -> Result<Regex, Box<BuildError>> {
        let hir = regex_syntax::parse(&translated(&self.0.text)).expect("it was parsed when the pattern was made");
        let hir = if ascii { only_ascii(hir) } else { hir };
        let config = meta::Config::new()
            .nfa_size_limit(Some(largest))
            .hybrid_cache_capacity(CACHE)
            .which_captures(WhichCaptures::Implicit)
            .dfa(false);
        Regex::builder()
            .configure(config)
            .build_from_hir(&hir)
            .map_err(Box::new)
    }
}

/// How often the parts of an expression repeat, one repeat within another. Go refuses what comes to too much, and so does
/// this.
fn check_repeats(hir: &Hir) -> Result<u32, String> {
    let mut inside = 1;
    for sub in hir.kind().subs() {
        inside = check_repeats(sub)?.max(inside);
    }
    let HirKind::Repetition(Repetition { min, max, .. }) = hir.kind() else {
        return Ok(inside);
    };
    let (repeats, shown) = match (*min, *max) {
        // Those without a number: `*`, `+`, `?`.
        (0 | 1, None) | (0, Some(1)) => return Ok(inside),
        (min, None) => (min, format!("{{{min},}}")),
        (min, Some(max)) if min == max => (max, format!("{{{max}}}")),
        (min, Some(max)) => (max, format!("{{{min},{max}}}")),
    };
    let repeats = inside.saturating_mul(repeats);
    if repeats > MOST_REPEATS {
        return Err(format!("invalid repeat count: `{shown}`"));
    }
    Ok(repeats.max(1))
}

/// The same expression without what an ASCII text can't have.
fn only_ascii(hir: Hir) -> Hir {
    let all = |parts: Vec<Hir>| parts.into_iter().map(only_ascii).collect();
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Class(Class::Unicode(mut class)) => {
            class.intersect(&ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7f')]));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Class(class) => Hir::class(class),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(only_ascii(*repetition.sub)),
            ..repetition
        }),
        HirKind::Capture(capture) => Hir::capture(Capture {
            sub: Box::new(only_ascii(*capture.sub)),
            ..capture
        }),
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(parts) => Hir::alternation(all(parts)),
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
            one.0.ascii.get().is_none(),
            "not turned into a machine before it is used"
        );
        assert!(one.is_match("shared") && two.0.ascii.get().is_some());
        assert!(
            two.0.unicode.get().is_none(),
            "no machine for more than ASCII before there is such a text"
        );
    }

    #[test]
    fn texts_beyond_ascii_match_as_well() {
        check(r"^\p{L}{1,3}$", &["abc", "äöü", "é"], &["abcd", "äöüé", "1"]);
        check("^[^/]{2}$", &["ab", "éé"], &["a", "é", "ééé"]);
        check("^(?i)straße$", &["STRAßE"], &["strasse"]);
        let pattern = Pattern::compile("é|e").expect("the pattern is well-formed");
        assert_eq!(pattern.find_all("née", 9), ["é", "e"]);
        assert_eq!(pattern.find_all("eee", 2), ["e", "e"]);
    }

    /// A machine for each character of each script would take hundreds of megabytes.
    #[test]
    fn a_pattern_of_any_size_is_checked() {
        let large = r"^(?:\p{L}{0,900}-\p{L}{0,900})$";
        check(large, &["a-b", "é-ß"], &["ab", "1-2", "é1"]);
        let compiled = Pattern::compile(large).expect("the pattern is well-formed");
        assert!(compiled.is_match("a-b") && compiled.is_match("é-b"));
        assert!(
            matches!(compiled.0.ascii.get(), Some(Some(_))),
            "small enough for ASCII"
        );
        assert!(
            matches!(compiled.0.unicode.get(), Some(None)),
            "too large to be kept for Unicode"
        );
    }

    /// The machine would have a million parts, and take minutes to run.
    #[test]
    fn repeats_within_repeats_are_bounded() {
        for pattern in [
            "x{1001}",
            "^(x{1,1000}){1,1000}$",
            "((x{20}y){10,}){6}",
            "(x{501}|y){2}",
        ] {
            let error = Pattern::compile(pattern).expect_err("it repeats too often");
            assert!(error.contains("invalid repeat count"), "{pattern}: {error}");
        }
        for pattern in [
            "x{1000}",
            "(x{10}){100}",
            "(x{1000})*",
            "x{1000}x{1000}",
            "((x*)+){1000}",
        ] {
            assert!(Pattern::compile(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["(", "[a", "*", "(?=a)"] {
            assert!(Pattern::compile(pattern).is_err(), "{pattern}");
        }
    }
}
