//! Conditions, as all of OpenShift's and Kubernetes' kinds spell them.

use jiff::Timestamp;
use serde_json::Value;

/// A condition's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `True`.
    True,
    /// `False`.
    False,
    /// `Unknown`, or a word that the API does not define.
    Unknown,
}

/// One entry of `status.conditions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition<'a> {
    /// The condition's type.
    pub kind: &'a str,
    /// Whether it holds.
    pub status: Status,
    /// A stable word for why; empty where none is given.
    pub reason: &'a str,
    /// Why, for people; empty where none is given.
    pub message: &'a str,
    /// When the status last changed.
    pub last_transition_time: Option<Timestamp>,
}

impl<'a> Condition<'a> {
    fn read(entry: &'a Value) -> Option<Self> {
        let field = |name: &str| entry.get(name).and_then(Value::as_str);
        Some(Self {
            kind: field("type")?,
            status: match field("status") {
                Some("True") => Status::True,
                Some("False") => Status::False,
                _ => Status::Unknown,
            },
            reason: field("reason").unwrap_or_default(),
            message: field("message").unwrap_or_default(),
            last_transition_time: field("lastTransitionTime").and_then(|time| time.parse().ok()),
        })
    }

    /// Whether the condition holds.
    pub fn is_true(&self) -> bool {
        self.status == Status::True
    }

    /// Whether the condition is known not to hold.
    pub fn is_false(&self) -> bool {
        self.status == Status::False
    }
}

/// All conditions of an object, in its own order.
pub fn conditions(object: &Value) -> impl Iterator<Item = Condition<'_>> {
    super::list(object, &["status", "conditions"])
        .iter()
        .filter_map(Condition::read)
}

/// One condition of an object, by its type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    conditions(object).find(|condition| condition.kind == kind)
}

/// Whether a condition is there and holds.
pub fn is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition.is_true())
}

/// Whether a condition is there and is known not to hold.
pub fn is_false(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| condition.is_false())
}
