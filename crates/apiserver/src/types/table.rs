//! What the table says, as values: objects, their fields, strings with names. [`super::read`] reads it from its files.

use std::{collections::BTreeMap, sync::LazyLock};

use super::read;
use crate::schema::ListType;

/// The name of a type: `core/v1`, `Pod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) package: &'static str,
    pub(crate) name: &'static str,
}

/// An object: its fields.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) name: Name,
    /// The package as OpenAPI names it.
    pub(crate) open_api_package: &'static str,
    /// Whether it says its own `apiVersion` and `kind`.
    pub(crate) typed: bool,
    /// Whether it merges as one value.
    pub(crate) whole: bool,
    /// A sentence for people, or nothing.
    pub(crate) about: &'static str,
    pub(crate) fields: Vec<Field>,
}

/// A string with a name of its own.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) name: Name,
    /// What it may be; anything if this is empty.
    pub(crate) values: Vec<&'static str>,
}

/// What there is to say of a field.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each with a word of its own in the table"
)]
pub(crate) struct Field {
    /// The JSON name; `.` where the fields of this message stand in the one around it.
    pub(crate) name: &'static str,
    pub(crate) number: u32,
    /// Whether zero, or nothing in it, means that the field was left out.
    pub(crate) omits_zero: bool,
    pub(crate) kind: Type,
    /// How a list merges; none where the table doesn't say.
    pub(crate) list: Option<ListType>,
    pub(crate) whole: bool,
    /// The patch strategies, and the key that a merging list's items are told apart by.
    pub(crate) strategies: Vec<&'static str>,
    pub(crate) merge_key: Option<&'static str>,
    pub(crate) required: bool,
    pub(crate) must: bool,
    /// What stands there where nothing was said, as JSON.
    pub(crate) default: Option<&'static str>,
    pub(crate) about: &'static str,
}

/// The type of a field.
#[derive(Clone, Debug)]
pub(crate) enum Type {
    String,
    Bytes,
    Bool,
    Int32,
    Int64,
    Float64,
    Time,
    MicroTime,
    Duration,
    Quantity,
    IntOrString,
    /// A uid.
    Uid,
    /// An object of any kind.
    Raw,
    /// A set of fields, as `managedFields` has it.
    FieldsV1,
    /// Any JSON, null included.
    Json,
    /// Of JSON schemas: a schema or several.
    SchemaOrArray,
    /// Of JSON schemas: a schema, or whether anything goes.
    SchemaOrBool,
    /// Of JSON schemas: a schema or names.
    SchemaOrStrings,
    Text(&'static Text),
    Struct(Name),
    List(Box<Self>),
    Map(Box<Self>),
    /// A list that is a message of its own in protobuf.
    Wrapped(Box<Self>),
}

/// Things by package and name.
pub(super) type ByName<T> = BTreeMap<&'static str, BTreeMap<&'static str, T>>;

static TEXTS: LazyLock<ByName<Text>> = LazyLock::new(read::texts);
static STRUCTS: LazyLock<ByName<Struct>> = LazyLock::new(read::structs);

/// The named string of a name.
pub(super) fn text(package: &str, name: &str) -> Option<&'static Text> {
    TEXTS.get(package)?.get(name)
}

/// The object of a name.
pub(crate) fn structure(package: &str, name: &str) -> Option<&'static Struct> {
    STRUCTS.get(package)?.get(name)
}

/// All objects, by name.
pub(crate) fn structures() -> impl Iterator<Item = &'static Struct> {
    STRUCTS.values().flat_map(BTreeMap::values)
}

/// The object of a served kind: a package is named by the first word of its group.
pub(crate) fn kind(group: &str, version: &str, kind: &str) -> Option<&'static Struct> {
    let group = match group.split('.').next() {
        None | Some("") => "core",
        Some(word) => word,
    };
    structure(&format!("{group}/{version}"), kind)
}

// === impl Name ===

impl Name {
    /// The object that this names.
    pub(crate) fn structure(self) -> &'static Struct {
        structure(self.package, self.name).expect("the table names no object that it lacks: a test reads all")
    }

    /// How Go's errors name it: `v1.Pod`.
    pub(crate) fn in_go(self) -> String {
        let version = self.package.rsplit('/').next().unwrap_or_default();
        format!("{version}.{}", self.name)
    }
}

// === impl Struct ===

impl Struct {
    /// The field of a JSON name, be it in a message that stands in this one.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.members().find(|field| field.name == name)
    }

    /// The fields as JSON has them.
    pub(crate) fn members(&self) -> Box<dyn Iterator<Item = &Field> + '_> {
        Box::new(self.fields.iter().flat_map(|field| match &field.kind {
            Type::Struct(inner) if field.name == "." => inner.structure().members(),
            _ => Box::new(std::iter::once(field)),
        }))
    }

    /// The name in OpenAPI: `io.k8s.api.core.v1.Pod`.
    pub(crate) fn open_api_name(&self) -> String {
        format!("{}.{}", self.open_api_package, self.name.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The objects that a type names.
    fn named(kind: &Type) -> Option<Name> {
        match kind {
            Type::Struct(name) => Some(*name),
            Type::List(inner) | Type::Map(inner) | Type::Wrapped(inner) => named(inner),
            _ => None,
        }
    }

    #[test]
    fn the_table_is_whole() {
        for structure in structures() {
            for field in &structure.fields {
                let at = format!("{:?} {}", structure.name, field.name);
                if let Some(name) = named(&field.kind) {
                    assert!(super::structure(name.package, name.name).is_some(), "{at}: {name:?}");
                }
                if let Some(default) = field.default {
                    assert!(
                        serde_json::from_str::<serde_json::Value>(default).is_ok(),
                        "{at}: {default}"
                    );
                }
                let same = structure.fields.iter().filter(|other| other.number == field.number);
                assert_eq!(same.count(), 1, "{at}: a number is given once");
            }
        }
        assert_eq!(
            kind("apps", "v1", "Deployment").map(|found| found.name.package),
            Some("apps/v1")
        );
        assert_eq!(
            kind("rbac.authorization.k8s.io", "v1", "Role").map(|found| found.name.name),
            Some("Role")
        );
    }

    #[test]
    fn fields_of_messages_within_are_fields() {
        let volume = structure("core/v1", "Volume").expect("it is in the table");
        assert!(volume.field("emptyDir").is_some() && volume.field(".").is_none());
    }
}
