//! Label selectors as in a query: `a=b,c!=d,e in (f,g),!h`.
//!
//! The structured form (`matchLabels`, `matchExpressions`) is not read here.

use std::{collections::BTreeSet, iter::Peekable, str::Chars};

/// What an object's labels must satisfy; all requirements at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Greater(i64),
    Less(i64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Symbol(&'static str),
}

// === impl LabelSelector ===

impl LabelSelector {
    /// Reads a selector; the empty text selects everything.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Parser {
            tokens: tokens(text).into_iter().peekable(),
        }
        .selector()
        .map_err(|error| format!("unable to parse requirement: {error}"))
    }

    /// Whether nothing is asked of the labels.
    pub(crate) fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether the labels, looked up by `value_of`, satisfy every requirement.
    pub(crate) fn matches<'a>(&self, value_of: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.requirements
            .iter()
            .all(|requirement| requirement.test.accepts(value_of(&requirement.key)))
    }
}

// === impl Test ===

impl Test {
    fn accepts(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Self::Exists, value) => value.is_some(),
            (Self::Missing, value) => value.is_none(),
            (Self::In(allowed), Some(value)) => allowed.contains(value),
            (Self::NotIn(refused), Some(value)) => !refused.contains(value),
            (Self::Greater(bound), Some(value)) => value.parse::<i64>().is_ok_and(|number| number > *bound),
            (Self::Less(bound), Some(value)) => value.parse::<i64>().is_ok_and(|number| number < *bound),
            // An object without the label is outside of any list, hence fits every `notin` and `!=`.
            (Self::NotIn(_), None) => true,
            (Self::In(_) | Self::Greater(_) | Self::Less(_), None) => false,
        }
    }
}

// === the grammar ===

struct Parser<I: Iterator<Item = Token>> {
    tokens: Peekable<I>,
}

impl<I: Iterator<Item = Token>> Parser<I> {
    fn selector(mut self) -> Result<LabelSelector, String> {
        let mut requirements = Vec::new();
        while self.tokens.peek().is_some() {
            requirements.push(self.requirement()?);
            match self.tokens.next() {
                None => break,
                Some(Token::Symbol(",")) if self.tokens.peek().is_none() => {
                    return Err("found '', expected: identifier after ','".to_owned());
                }
                Some(Token::Symbol(",")) => {}
                Some(other) => return Err(format!("found '{}', expected: ',' or 'end of string'", other.text())),
            }
        }
        Ok(LabelSelector { requirements })
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        if self.tokens.next_if_eq(&Token::Symbol("!")).is_some() {
            let key = self.key()?;
            return Ok(Requirement {
                key,
                test: Test::Missing,
            });
        }
        let key = self.key()?;
        let test = match self.tokens.peek() {
            None | Some(Token::Symbol(",")) => Test::Exists,
            Some(_) => self.test()?,
        };
        Ok(Requirement { key, test })
    }

    fn key(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(key)) => is_label_key(&key).then_some(key.clone()).ok_or_else(|| {
                format!(
                    "key: Invalid value: \"{key}\": name part must consist of alphanumeric characters, '-', '_' or '.', \
                     and must start and end with an alphanumeric character"
                )
            }),
            other => {
                let found = other.as_ref().map_or("", Token::text);
                Err(format!("found '{found}', expected: !, identifier, or 'end of string'"))
            }
        }
    }

    fn test(&mut self) -> Result<Test, String> {
        let operator = self.tokens.next().expect("the caller has seen a token");
        match operator.text() {
            "in" => Ok(Test::In(self.list()?)),
            "notin" => Ok(Test::NotIn(self.list()?)),
            "=" | "==" => Ok(Test::In(BTreeSet::from([self.value()?]))),
            "!=" => Ok(Test::NotIn(BTreeSet::from([self.value()?]))),
            ">" => Ok(Test::Greater(self.number()?)),
            "<" => Ok(Test::Less(self.number()?)),
            found => Err(format!("found '{found}', expected: in, notin, =, ==, !=, gt, lt")),
        }
    }

    fn list(&mut self) -> Result<BTreeSet<String>, String> {
        if self.tokens.next_if_eq(&Token::Symbol("(")).is_none() {
            let found = self.tokens.peek().map_or("", Token::text);
            return Err(format!("found '{found}' expected: '('"));
        }
        let mut values = BTreeSet::new();
        loop {
            values.insert(self.value()?);
            match self.tokens.next() {
                Some(Token::Symbol(",")) => {}
                Some(Token::Symbol(")")) => return Ok(values),
                other => {
                    let found = other.as_ref().map_or("", Token::text);
                    return Err(format!("found '{found}', expected: ',' or ')'"));
                }
            }
        }
    }

    fn number(&mut self) -> Result<i64, String> {
        let value = self.value()?;
        value.parse().map_err(|_| {
            format!("values[0]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer")
        })
    }

    /// A value; nothing at all, before a comma or at an end, is the empty value.
    fn value(&mut self) -> Result<String, String> {
        match self.tokens.peek() {
            None | Some(Token::Symbol("," | ")")) => Ok(String::new()),
            Some(Token::Word(_)) => {
                let value = self
                    .tokens
                    .next()
                    .map(|token| token.text().to_owned())
                    .unwrap_or_default();
                if is_label_value(&value) {
                    Ok(value)
                } else {
                    Err(format!(
                        "values[0]: Invalid value: \"{value}\": a valid label must be an empty string or consist of \
                         alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
                    ))
                }
            }
            Some(other) => Err(format!("found '{}', expected: identifier", other.text())),
        }
    }
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Word(word) => word,
            Self::Symbol(symbol) => symbol,
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut chars = text.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(&next) = chars.peek() {
        if next.is_whitespace() {
            chars.next();
        } else if let Some(symbol) = symbol(&mut chars) {
            tokens.push(Token::Symbol(symbol));
        } else {
            let mut word = String::new();
            while let Some(char) = chars.next_if(|char| !char.is_whitespace() && !"(),!=<>".contains(*char)) {
                word.push(char);
            }
            tokens.push(Token::Word(word));
        }
    }
    tokens
}

fn symbol(chars: &mut Peekable<Chars<'_>>) -> Option<&'static str> {
    let first = chars.next_if(|char| "(),!=<>".contains(*char))?;
    let equals_follows = matches!(first, '=' | '!') && chars.next_if_eq(&'=').is_some();
    Some(match (first, equals_follows) {
        ('(', _) => "(",
        (')', _) => ")",
        (',', _) => ",",
        ('!', true) => "!=",
        ('!', false) => "!",
        ('=', true) => "==",
        ('=', false) => "=",
        ('<', _) => "<",
        _ => ">",
    })
}

fn is_label_key(key: &str) -> bool {
    let (prefix, name) = key
        .split_once('/')
        .map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let prefix_fits = prefix.is_none_or(|prefix| {
        !prefix.is_empty()
            && prefix.len() <= 253
            && prefix
                .chars()
                .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || "-.".contains(char))
    });
    prefix_fits && !name.is_empty() && is_label_value(name)
}

fn is_label_value(value: &str) -> bool {
    let inside = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    let at_end = |char: Option<char>| char.is_none_or(|char| char.is_ascii_alphanumeric());
    value.len() <= 63 && value.chars().all(inside) && at_end(value.chars().next()) && at_end(value.chars().next_back())
}
