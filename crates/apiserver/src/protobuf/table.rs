//! The table of messages, read once, when the first such body comes.

use std::{collections::BTreeMap, sync::LazyLock};

/// A message: its fields by number.
#[derive(Debug)]
pub(super) struct Message(BTreeMap<u32, Field>);

#[derive(Debug)]
pub(super) struct Field {
    /// The JSON name; `.` where the fields of this message stand in the one around it.
    pub(super) name: &'static str,
    /// Whether a zero value means that the field was left out.
    pub(super) omits_zero: bool,
    pub(super) kind: Type,
}

#[derive(Clone, Debug)]
pub(super) enum Type {
    Text,
    Bytes,
    Bool,
    Integer,
    Float,
    Time,
    MicroTime,
    Duration,
    Quantity,
    IntOrString,
    RawJson,
    Message(&'static str),
    List(Box<Self>),
    Map(Box<Self>),
    /// A message of nothing but this list.
    Wrapped(Box<Self>),
}

static MESSAGES: LazyLock<BTreeMap<&'static str, Message>> = LazyLock::new(|| {
    let lines = include_str!("messages.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(parse).collect()
});

pub(super) fn message(name: &str) -> Option<&'static Message> {
    MESSAGES.get(name)
}

impl Message {
    pub(super) fn field(&self, number: u32) -> Option<&Field> {
        self.0.get(&number)
    }
}

fn parse(line: &'static str) -> (&'static str, Message) {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let name = words.next().expect("the line is not empty");
    (name, Message(words.map(field).collect()))
}

fn field(word: &'static str) -> (u32, Field) {
    let parts = word
        .split_once('=')
        .and_then(|(name, rest)| Some((name, rest.split_once(':')?)));
    let (name, (number, kind)) = parts.expect("a field is `name=number:type`");
    let digits = number.strip_suffix('?');
    let number = digits.unwrap_or(number).parse().expect("a field has a number");
    (
        number,
        Field {
            name,
            omits_zero: digits.is_some(),
            kind: type_of(kind),
        },
    )
}

fn type_of(code: &'static str) -> Type {
    let inner = |rest: &'static str| Box::new(type_of(rest));
    match code {
        "s" => Type::Text,
        "b" => Type::Bytes,
        "B" => Type::Bool,
        "i" => Type::Integer,
        "d" => Type::Float,
        "time" => Type::Time,
        "microtime" => Type::MicroTime,
        "duration" => Type::Duration,
        "quantity" => Type::Quantity,
        "intorstring" => Type::IntOrString,
        "raw" => Type::RawJson,
        _ => match code.split_at(1) {
            ("*", rest) => Type::List(inner(rest)),
            ("%", rest) => Type::Map(inner(rest)),
            ("@", rest) => Type::Wrapped(inner(rest)),
            _ => Type::Message(code),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every message that a field names is in the table, and every line of it can be read.
    #[test]
    fn the_table_is_whole() {
        fn named(kind: &Type) -> Option<&'static str> {
            match kind {
                Type::Message(name) => Some(name),
                Type::List(inner) | Type::Map(inner) | Type::Wrapped(inner) => named(inner),
                _ => None,
            }
        }
        let missing: Vec<&str> = MESSAGES
            .values()
            .flat_map(|message| message.0.values())
            .filter_map(|field| named(&field.kind))
            .filter(|name| message(name).is_none())
            .collect();
        assert_eq!(missing, [""; 0]);
        assert!(message("core/v1.Pod").is_some());
    }
}
