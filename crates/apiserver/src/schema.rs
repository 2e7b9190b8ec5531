//! A compiled structural schema: what a kind's objects may hold, and how their parts merge.
//!
//! One tree serves four readers: pruning, defaulting and validating here, and merging in [`crate::apply`] and
//! [`crate::patch`]. Custom resources compile theirs from a CRD's `openAPIV3Schema`; built-in kinds get theirs from
//! [`crate::types`]. Validation rules in CEL are part of the tree: `rules.rs` says on which values they run,
//! [`crate::cel`] what they mean.

mod compile;
mod default;
mod edge;
mod fields;
mod format;
mod object_meta;
mod pattern;
mod prune;
mod rules;
mod structural;
mod validate;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::LazyLock};

use serde_json::Value;

pub(crate) use self::{
    edge::{Edge, SharedNode},
    fields::Fields,
    format::matches as has_format,
    pattern::Pattern,
    rules::{Rule, Verdict, follow},
};
use crate::field_error::FieldError;

/// What a kind's objects may hold.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    root: Node,
    /// Defaults that follow from other fields, which the tree has no words for.
    dependent_defaults: Option<fn(&mut Value)>,
}

/// One value of the tree. Small: what few values have stands behind a pointer.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent traits, as a schema spells them"
)]
pub(crate) struct Node {
    /// The JSON type; none where anything goes.
    pub(crate) kind: Option<Type>,
    /// An object's named fields.
    pub(crate) properties: Fields,
    /// What an object's other fields must be (a map).
    pub(crate) additional: Option<Edge>,
    /// What an array's items must be.
    pub(crate) items: Option<Edge>,
    /// What happens to fields that are neither named nor covered by `additional`.
    pub(crate) unknown: Unknown,
    /// Whether `null` is a value of its own.
    pub(crate) nullable: bool,
    /// Whether an integer and a string are both fine.
    pub(crate) int_or_string: bool,
    /// Whether this is a whole object of another kind.
    pub(crate) embedded: bool,
    /// How an array merges.
    pub(crate) list: ListType,
    /// How an object merges.
    pub(crate) map: MapType,
    /// What stands here where nothing was said.
    pub(crate) default: Option<Box<Value>>,
    /// What a value must satisfy beyond its type.
    pub(crate) limits: Option<Box<Limits>>,
    /// Schemas that the value must satisfy as well.
    pub(crate) logic: Option<Box<Logic>>,
    /// The `x-kubernetes-validations`.
    pub(crate) rules: Box<[Rule]>,
    /// Whether there are rules here or further inside.
    pub(crate) has_rules: bool,
    /// How a strategic merge patch treats this value.
    pub(crate) strategy: Strategy,
}

/// The JSON types that a schema can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// A map or struct.
    Object,
    /// A list.
    Array,
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
}

/// What happens to fields that a schema doesn't mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Unknown {
    /// They are dropped.
    #[default]
    Prune,
    /// They are kept, and are entries of a map: `x-kubernetes-preserve-unknown-fields`.
    Preserve,
}

/// How a list merges, and what makes its items different from each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum ListType {
    /// As one value.
    #[default]
    Atomic,
    /// Item by item; each value once.
    Set,
    /// Item by item; these fields tell items apart.
    Map(Vec<String>),
}

/// How an object merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum MapType {
    /// Field by field.
    #[default]
    Granular,
    /// As one value.
    Atomic,
}

/// How a strategic merge patch treats a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Strategy {
    /// Whether a list merges; otherwise it is replaced.
    pub(crate) merge: bool,
    /// The field that tells a merging list's items apart; none for a list of plain values.
    pub(crate) merge_key: Option<String>,
    /// Whether a patch names all keys that may stay (`retainKeys`).
    pub(crate) retain_keys: bool,
}

/// What a value must satisfy beyond its type.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Limits {
    /// Fields that must be there.
    pub(crate) required: BTreeSet<String>,
    /// The only values allowed.
    pub(crate) allowed: Option<Vec<Value>>,
    /// The least number, and whether it is itself excluded.
    pub(crate) minimum: Option<Bound>,
    /// The greatest number, and whether it is itself excluded.
    pub(crate) maximum: Option<Bound>,
    /// What a number must be a multiple of.
    pub(crate) multiple_of: Option<serde_json::Number>,
    /// Bounds on the characters of a text.
    pub(crate) length: Range,
    /// Bounds on the items of a list.
    pub(crate) items: Range,
    /// Bounds on the fields of an object.
    pub(crate) properties: Range,
    /// What a text must match.
    pub(crate) pattern: Option<Pattern>,
    /// A named form that a text must have.
    pub(crate) format: Option<String>,
}

/// One end of a range of numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    /// The number, as written.
    pub(crate) value: serde_json::Number,
    /// Whether the number itself is outside.
    pub(crate) exclusive: bool,
}

/// Bounds on a count, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Range {
    /// The least count.
    pub(crate) min: Option<u64>,
    /// The greatest count.
    pub(crate) max: Option<u64>,
}

/// Schemas that a value must satisfy as well; they hold limits only.
#[derive(Debug, Clone, Default)]
pub(crate) struct Logic {
    /// All of these.
    pub(crate) all_of: Vec<Node>,
    /// At least one of these.
    pub(crate) any_of: Vec<Node>,
    /// Exactly one of these.
    pub(crate) one_of: Vec<Node>,
    /// Not this.
    pub(crate) not: Option<Box<Node>>,
}

static ANYTHING: LazyLock<Node> = LazyLock::new(|| Node {
    unknown: Unknown::Preserve,
    nullable: true,
    ..Node::default()
});

// === impl Schema ===

impl Schema {
    /// Compiles a CRD's `openAPIV3Schema`, holding it to the rules for structural schemas.
    ///
    /// The errors' paths are relative to the schema: `properties[spec].type`.
    pub(crate) fn compile(open_api_v3_schema: &Value) -> Result<Self, Vec<FieldError>> {
        compile::compile(open_api_v3_schema).map(Self::of)
    }

    /// Says what a schema that compiles has wrong in itself: defaults that it doesn't allow, rules that don't compile or
    /// don't fit it. The schema stands at the path `at`.
    pub(crate) fn check(&self, at: &str) -> Vec<FieldError> {
        let mut errors = Vec::new();
        default::check(&self.root, at, &mut errors);
        // A rule can only be judged by a schema that is right.
        if errors.is_empty() {
            errors = rules::check(&self.root, at);
        }
        errors
    }

    /// A schema that keeps whatever it is given: maps merge field by field, lists as one value.
    pub(crate) fn anything() -> Self {
        Self::of(ANYTHING.clone())
    }

    /// A schema with this root; its `metadata` becomes that of every Kubernetes object.
    pub(crate) fn of(mut root: Node) -> Self {
        object_meta::install(&mut root);
        root.kind = Some(Type::Object);
        Self {
            root,
            dependent_defaults: None,
        }
    }

    /// The same schema with defaults that depend on other fields, filled in after all others.
    #[must_use]
    pub(crate) fn with_dependent_defaults(mut self, fill: Option<fn(&mut Value)>) -> Self {
        self.dependent_defaults = fill;
        self
    }

    /// The whole object's node.
    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    /// Drops the fields that the schema doesn't know, and says which: `spec.foo`, `spec.list[0].bar`.
    pub(crate) fn prune(&self, object: &mut Value) -> Vec<String> {
        prune::prune(&self.root, object)
    }

    /// Fills in defaults, and drops nulls where null means nothing.
    pub(crate) fn default(&self, object: &mut Value) {
        default::default(&self.root, object);
        if let Some(fill) = self.dependent_defaults {
            fill(object);
        }
    }

    /// Drops the nulls that say nothing: those of fields that can't be null.
    pub(crate) fn drop_nulls(&self, object: &mut Value) {
        default::drop_nulls(&self.root, object);
    }

    /// Whether there are rules.
    pub(crate) fn has_rules(&self) -> bool {
        self.root.has_rules
    }

    /// Holds an object against the rules, which must have the right types everywhere.
    pub(crate) fn run_rules(&self, object: &Value, old: Option<&Value>) -> Verdict {
        rules::run(&self.root, object, old)
    }

    /// Says what is wrong with an object.
    ///
    /// With `old`, a value that was there unchanged before is let through however wrong (ratcheting), provided that it
    /// can be told which old value it corresponds to.
    pub(crate) fn validate(&self, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        validate::validate(&self.root, object, old)
    }
}

// === impl Node ===

impl Node {
    /// A value of any type, everything in it kept.
    pub(crate) fn anything() -> Self {
        ANYTHING.clone()
    }

    /// A value of the given type.
    pub(crate) fn of_type(kind: Type) -> Self {
        Self {
            kind: Some(kind),
            ..Self::default()
        }
    }

    /// The node of the field `name`, known or not.
    pub(crate) fn field(&self, name: &str) -> &Self {
        match self.known_field(name) {
            Some(node) => node,
            None => &ANYTHING,
        }
    }

    /// The node of the field `name` if the schema says anything about it.
    pub(crate) fn known_field(&self, name: &str) -> Option<&Self> {
        self.properties.get(name).or(self.additional.as_deref())
    }

    /// The node of a list's items.
    pub(crate) fn item(&self) -> &Self {
        match &self.items {
            Some(node) => node,
            None => &ANYTHING,
        }
    }
}

// === impl Logic ===

impl Logic {
    fn is_empty(&self) -> bool {
        self.all_of.is_empty() && self.any_of.is_empty() && self.one_of.is_empty() && self.not.is_none()
    }
}

// === impl Type ===

impl Type {
    /// The type's name in a schema.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}
