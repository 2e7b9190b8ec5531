//! The part of JSONPath that printer columns use: fields, indices, wildcards and comparing filters.
//!
//! Not here: recursive descent, slices, unions, templates with text between the braces.

use serde_json::Value;

/// A parsed path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Index(i64),
    All,
    Filter(Filter),
}

#[derive(Debug, Clone, PartialEq)]
struct Filter {
    path: JsonPath,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Exists,
    Compare(Operator, Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
}

/// The operators, longest first: a prefix of another must not win.
const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

// === impl JsonPath ===

impl JsonPath {
    /// Reads a path such as `.status.conditions[?(@.type=="Ready")].status`; nothing if it can't be understood.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .unwrap_or(text);
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = match rest.strip_prefix('[') {
                Some(inside) => {
                    let (inside, after) = split_bracket(inside)?;
                    (bracket(inside)?, after)
                }
                None => field(rest.strip_prefix('.').unwrap_or(rest))?,
            };
            steps.push(step);
            rest = after;
        }
        Some(Self { steps })
    }

    /// Every value that the path leads to; missing fields lead nowhere.
    pub(crate) fn find<'a>(&self, root: &'a Value) -> Vec<&'a Value> {
        self.steps.iter().fold(vec![root], |found, step| {
            found.into_iter().flat_map(|value| step.apply(value)).collect()
        })
    }
}

/// A name up to the next dot or bracket; a backslash takes the character after it as it is.
fn field(text: &str) -> Option<(Step, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    let end = loop {
        match chars.next() {
            None => break text.len(),
            Some((index, '.' | '[')) => break index,
            Some((_, '\\')) => name.push(chars.next()?.1),
            Some((_, char)) => name.push(char),
        }
    };
    let step = match name.as_str() {
        "" => return None,
        "*" => Step::All,
        _ => Step::Field(name),
    };
    Some((step, &text[end..]))
}

/// Splits at the bracket that closes the one before `text`, minding quotes and brackets inside.
fn split_bracket(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut quote) = (0_u32, None);
    for (index, char) in text.char_indices() {
        if let Some(open) = quote {
            quote = (char != open).then_some(open);
            continue;
        }
        match char {
            '\'' | '"' => quote = Some(char),
            '[' => depth += 1,
            ']' if depth == 0 => return Some((&text[..index], &text[index + 1..])),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(inside: &str) -> Option<Step> {
    let inside = inside.trim();
    if inside == "*" {
        return Some(Step::All);
    }
    if let Some(name) = unquoted(inside) {
        return Some(Step::Field(name.replace("\\.", ".")));
    }
    if let Some(filter) = inside.strip_prefix("?(").and_then(|inside| inside.strip_suffix(')')) {
        return Some(Step::Filter(Filter::parse(filter)?));
    }
    inside.parse().ok().map(Step::Index)
}

fn unquoted(text: &str) -> Option<&str> {
    ['\'', '"']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

// === impl Filter ===

impl Filter {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().strip_prefix('@')?;
        let Some((at, name, operator)) = operator_in(text) else {
            return Some(Self {
                path: JsonPath::parse(text)?,
                test: Test::Exists,
            });
        };
        let literal = text[at + name.len()..].trim();
        let literal = match unquoted(literal) {
            Some(text) => Value::from(text),
            None => serde_json::from_str(literal).ok()?,
        };
        Some(Self {
            path: JsonPath::parse(text[..at].trim())?,
            test: Test::Compare(operator, literal),
        })
    }

    fn holds(&self, value: &Value) -> bool {
        let found = self.path.find(value);
        match (&self.test, found.first()) {
            (_, None) => false,
            (Test::Exists, Some(_)) => true,
            (Test::Compare(operator, literal), Some(found)) => operator.holds(found, literal),
        }
    }
}

/// The first operator of a filter outside of brackets' quotes.
fn operator_in(text: &str) -> Option<(usize, &'static str, Operator)> {
    let at = text.find(['=', '!', '<', '>'])?;
    let found = OPERATORS.iter().find(|(name, _)| text[at..].starts_with(name))?;
    Some((at, found.0, found.1))
}

// === impl Operator ===

impl Operator {
    fn holds(self, left: &Value, right: &Value) -> bool {
        let order = match (left, right) {
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            _ => left
                .as_f64()
                .zip(right.as_f64())
                .and_then(|(left, right)| left.partial_cmp(&right)),
        };
        match self {
            Self::Equal => left == right || order.is_some_and(std::cmp::Ordering::is_eq),
            Self::NotEqual => left != right && !order.is_some_and(std::cmp::Ordering::is_eq),
            Self::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
            Self::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
            Self::Less => order.is_some_and(std::cmp::Ordering::is_lt),
            Self::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        }
    }
}

// === impl Step ===

impl Step {
    fn apply<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match (self, value) {
            (Self::Field(name), value) => value.get(name).into_iter().collect(),
            (Self::Index(index), Value::Array(items)) => {
                let place = usize::try_from(index.unsigned_abs())
                    .ok()
                    .and_then(|distance| match index {
                        ..0 => items.len().checked_sub(distance),
                        0.. => Some(distance),
                    });
                place.and_then(|place| items.get(place)).into_iter().collect()
            }
            (Self::All, Value::Array(items)) => items.iter().collect(),
            (Self::All, Value::Object(fields)) => fields.values().collect(),
            (Self::Filter(filter), Value::Array(items)) => items.iter().filter(|item| filter.holds(item)).collect(),
            (Self::Filter(filter), Value::Object(fields)) => {
                fields.values().filter(|item| filter.holds(item)).collect()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &[Value]) {
        let object = json!({
            "metadata": {"annotations": {"b.c/d": "e"}, "labels": {"x.y": "z"}},
            "spec": {"list": [1, 2, 3], "n": 7},
            "status": {"conditions": [
                {"type": "Available", "status": "True", "n": 1},
                {"type": "Degraded", "status": "False", "n": 5},
            ]},
        });
        let path = JsonPath::parse(path).expect("the path is well-formed");
        assert_eq!(path.find(&object), expected.iter().collect::<Vec<_>>());
    }

    #[test]
    fn paths_lead_where_they_say() {
        check(".spec.n", &[json!(7)]);
        check("{.spec.n}", &[json!(7)]);
        check("spec.n", &[json!(7)]);
        check("$.spec['n']", &[json!(7)]);
        check(".spec.list[0]", &[json!(1)]);
        check(".spec.list[-1]", &[json!(3)]);
        check(".spec.list[9]", &[]);
        check(".spec.list[*]", &[json!(1), json!(2), json!(3)]);
        check(".spec.missing.deeper", &[]);
        check(".metadata.annotations['b.c/d']", &[json!("e")]);
        check(r".metadata.annotations.b\.c/d", &[json!("e")]);
        check(r".metadata.labels.x\.y", &[json!("z")]);
        check(r#".status.conditions[?(@.type=="Available")].status"#, &[json!("True")]);
        check(".status.conditions[?(@.type=='Degraded')].status", &[json!("False")]);
        check(r#".status.conditions[?(@.type == "Other")].status"#, &[]);
        check(".status.conditions[?(@.n>=2)].type", &[json!("Degraded")]);
        check(".status.conditions[?(@.n!=1)].type", &[json!("Degraded")]);
        check(
            ".status.conditions[?(@.n)].type",
            &[json!("Available"), json!("Degraded")],
        );
        check(".status.conditions[*].type", &[json!("Available"), json!("Degraded")]);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in [".a[", ".a[x]", ".a..b", ".a[?(x)]", r".a\"] {
            assert_eq!(JsonPath::parse(path), None, "{path}");
        }
    }
}
