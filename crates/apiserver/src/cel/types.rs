//! The types of expressions, as far as they are known before there are values.

use std::fmt;

use super::node;
use crate::schema::{self, Node};

/// A type. A struct's is the place in the schema that describes it.
#[derive(Debug, Clone)]
pub(super) enum Type<'a> {
    /// Not known yet: the items of an empty list.
    Free,
    /// Known to be decided by the value only.
    Dyn,
    /// A type that is its name, and has nothing inside.
    Named(&'static str),
    List(Box<Self>),
    Map(Box<Self>, Box<Self>),
    Optional(Box<Self>),
    Struct {
        node: &'a Node,
        resource: bool,
    },
    /// Stands for any type, the same one everywhere in a signature.
    Parameter(usize),
}

pub(super) const BOOL: Type<'static> = Type::Named("bool");
pub(super) const INT: Type<'static> = Type::Named("int");
pub(super) const TEXT: Type<'static> = Type::Named("string");
const NULL: &str = "null";

/// What the parameters of a signature stand for.
pub(super) type Bindings<'a> = [Option<Type<'a>>; 4];

impl<'a> Type<'a> {
    /// The type of a schema's values. `None` for what the language doesn't see.
    pub(super) fn of(node: &'a Node, resource: bool) -> Option<Self> {
        if node.int_or_string {
            return Some(Self::Dyn);
        }
        Some(match node.kind? {
            schema::Type::Object => match &node.additional {
                Some(value) if !node::has_fields(node, resource) => {
                    Self::Map(Box::new(TEXT), Box::new(Self::of(value, value.embedded)?))
                }
                _ => Self::Struct { node, resource },
            },
            schema::Type::Array => {
                let item = node.items.as_deref()?;
                Self::List(Box::new(Self::of(item, item.embedded)?))
            }
            schema::Type::String => {
                let format = node.limits.as_ref().and_then(|limits| limits.format.as_deref());
                Self::Named(match format {
                    Some("date" | "date-time" | "datetime") => "timestamp",
                    Some("duration") => "duration",
                    Some("byte") => "bytes",
                    _ => "string",
                })
            }
            schema::Type::Integer => INT,
            schema::Type::Number => Self::Named("double"),
            schema::Type::Boolean => BOOL,
        })
    }

    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Named(own) if *own == name)
    }

    fn is_unknown(&self) -> bool {
        matches!(self, Self::Free | Self::Dyn)
    }

    /// The type that values of both are of; none where there is none.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Free, known) | (known, Self::Free) => known.clone(),
            (Self::Dyn, _) | (_, Self::Dyn) => Self::Dyn,
            (Self::Named(one), Self::Named(two)) if one == two => self.clone(),
            // What is no plain value can be absent.
            (Self::Named(NULL), known) | (known, Self::Named(NULL)) if known.may_be_null() => known.clone(),
            (Self::List(one), Self::List(two)) => Self::List(Box::new(one.join(two)?)),
            (Self::Optional(one), Self::Optional(two)) => Self::Optional(Box::new(one.join(two)?)),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                Self::Map(Box::new(key.join(other_key)?), Box::new(value.join(other_value)?))
            }
            (Self::Struct { node: one, .. }, Self::Struct { node: two, .. }) if std::ptr::eq(*one, *two) => {
                self.clone()
            }
            _ => return None,
        })
    }

    fn may_be_null(&self) -> bool {
        match self {
            Self::Named(name) => !matches!(*name, "bool" | "int" | "uint" | "double" | "string" | "bytes"),
            Self::List(_) | Self::Map(..) => false,
            _ => true,
        }
    }

    /// Whether a value of this type can be given where a signature has `wanted`.
    pub(super) fn fits(&self, wanted: &Self, bindings: &mut Bindings<'a>) -> bool {
        match (wanted, self) {
            (Self::Parameter(index), _) => {
                let bound = bindings[*index].as_ref();
                match bound.map_or_else(|| Some(self.clone()), |bound| bound.join(self)) {
                    Some(joined) => {
                        bindings[*index] = Some(joined);
                        true
                    }
                    None => false,
                }
            }
            (Self::Dyn, _) => true,
            (_, known) if known.is_unknown() => true,
            (Self::List(wanted), Self::List(item)) | (Self::Optional(wanted), Self::Optional(item)) => {
                item.fits(wanted, bindings)
            }
            (Self::Map(wanted_key, wanted_value), Self::Map(key, value)) => {
                key.fits(wanted_key, bindings) && value.fits(wanted_value, bindings)
            }
            (Self::Named(wanted), Self::Named(name)) => wanted == name,
            _ => false,
        }
    }

    /// The type with its parameters replaced by what they stand for.
    pub(super) fn bound(&self, bindings: &Bindings<'a>) -> Self {
        let boxed = |inner: &Self| Box::new(inner.bound(bindings));
        match self {
            Self::Parameter(index) => bindings[*index].clone().unwrap_or(Self::Free),
            Self::List(item) => Self::List(boxed(item)),
            Self::Optional(inner) => Self::Optional(boxed(inner)),
            Self::Map(key, value) => Self::Map(boxed(key), boxed(value)),
            other => other.clone(),
        }
    }
}

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free | Self::Dyn | Self::Parameter(_) => f.write_str("dyn"),
            Self::Named(name) => f.write_str(name),
            Self::List(item) => write!(f, "list({item})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Optional(inner) => write!(f, "optional_type({inner})"),
            Self::Struct { .. } => f.write_str("object"),
        }
    }
}
