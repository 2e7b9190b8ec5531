//! Reads the table: files of facts about the Kubernetes API, one a package, read once, when first needed.
//!
//! ```text
//! package <name> <name in OpenAPI>
//! text <name>                         a string with a name of its own
//! enum <name> <values>                a string that is one of these
//! type <name> [typed] [whole] [# about]
//!                                     an object; `typed`: it says its own apiVersion and kind; `whole`: it merges as one value
//!   <field> <number>[?] <type> <facts> [# about]
//! ```
//!
//! A field's number is that in protobuf; `?` says that zero, or nothing in it, means that the field was left out. The name
//! `.` is that of a message in protobuf that JSON doesn't know: its fields stand in the object around it. Types: `[]T` is a
//! list, `{}T` a map by text, `<>T` a list that is a message of its own in protobuf; the others are named in [`Type`].
//!
//! | fact | meaning |
//! | --- | --- |
//! | `atomic`, `set`, `map=<keys>` | how a list merges; `atomic` where it is not said |
//! | `whole` | this object or map merges as one value |
//! | `merge`, `merge=<key>` | a strategic merge patch merges the list, its items told apart by the key |
//! | `retainKeys`, `replace` | other patch strategies |
//! | `required` | the schema says that it must be there |
//! | `must` | it is refused empty; for an object: what must be in it must, even if it is left out |
//! | `default=<JSON>` | what stands there where nothing was said |

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::table::{self, ByName, Field, Name, Struct, Text, Type};
use crate::schema::ListType;

const FILES: &[&str] = &[
    include_str!("admissionregistration.txt"),
    include_str!("apiextensions.txt"),
    include_str!("apiregistration.txt"),
    include_str!("apps.txt"),
    include_str!("authentication.txt"),
    include_str!("authorization.txt"),
    include_str!("autoscaling.txt"),
    include_str!("autoscaling_v2.txt"),
    include_str!("batch.txt"),
    include_str!("certificates.txt"),
    include_str!("coordination.txt"),
    include_str!("core.txt"),
    include_str!("core_nodes.txt"),
    include_str!("core_pods.txt"),
    include_str!("core_volumes.txt"),
    include_str!("discovery.txt"),
    include_str!("events.txt"),
    include_str!("meta.txt"),
    include_str!("networking.txt"),
    include_str!("node.txt"),
    include_str!("policy.txt"),
    include_str!("rbac.txt"),
    include_str!("scheduling.txt"),
    include_str!("storage.txt"),
];

/// What tells this table from any other.
pub(crate) fn digest() -> &'static [u8] {
    static DIGEST: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut digest = Sha256::new();
        for file in FILES {
            digest.update(file);
        }
        digest.finalize().to_vec()
    });
    &DIGEST
}

/// All strings that have names of their own.
pub(super) fn texts() -> ByName<Text> {
    let mut texts: ByName<Text> = ByName::new();
    for line in lines().filter(|line| !line.is_field) {
        let (kind, rest) = line.words.split_once(' ').unwrap_or_default();
        if matches!(kind, "enum" | "text") {
            let mut words = values(rest);
            let name = Name {
                package: line.package,
                name: words.remove(0),
            };
            texts
                .entry(name.package)
                .or_default()
                .insert(name.name, Text { name, values: words });
        }
    }
    texts
}

/// All objects.
pub(super) fn structs() -> ByName<Struct> {
    let mut structs: Vec<Struct> = Vec::new();
    for line in lines() {
        if line.is_field {
            let open = structs.last_mut().expect("a field stands below its type");
            open.fields.push(line.field());
        } else if let Some(("type", rest)) = line.words.split_once(' ') {
            structs.push(line.structure(rest));
        }
    }
    let mut by_name: ByName<Struct> = ByName::new();
    for structure in structs {
        let package = by_name.entry(structure.name.package).or_default();
        package.insert(structure.name.name, structure);
    }
    by_name
}

/// A line of a file, without what is said of it for people.
struct Line {
    package: &'static str,
    open_api_package: &'static str,
    /// Whether it is a field of the type above.
    is_field: bool,
    words: &'static str,
    about: &'static str,
}

fn lines() -> impl Iterator<Item = Line> {
    FILES.iter().flat_map(|file| {
        let (head, rest) = file.split_once('\n').unwrap_or_default();
        let mut head = head.split(' ').skip(1);
        let (package, open_api_package) = (head.next().unwrap_or_default(), head.next().unwrap_or_default());
        rest.lines().filter(|line| !line.is_empty()).map(move |line| {
            let (words, about) = line.split_once(" # ").unwrap_or((line, ""));
            Line {
                package,
                open_api_package,
                is_field: words.starts_with(' '),
                words: words.trim_start(),
                about,
            }
        })
    })
}

/// Words, of which those with spaces in them (or nothing at all) are quoted.
fn values(text: &'static str) -> Vec<&'static str> {
    let mut values = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_at(rest.find(' ').unwrap_or(rest.len())),
        };
        values.push(value);
        rest = after.trim_start();
    }
    values
}

// === impl Line ===

impl Line {
    fn structure(&self, rest: &'static str) -> Struct {
        let (name, facts) = rest.split_once(' ').unwrap_or((rest, ""));
        let is = |fact: &str| facts.split(' ').any(|word| word == fact);
        Struct {
            name: Name {
                package: self.package,
                name,
            },
            open_api_package: self.open_api_package,
            typed: is("typed"),
            whole: is("whole"),
            about: self.about,
            fields: Vec::new(),
        }
    }

    fn field(&self) -> Field {
        let mut words = self.words.split(' ');
        let mut next = || words.next().expect("a field has a name, a number and a type");
        let (name, number, kind) = (next(), next(), next());
        let digits = number.strip_suffix('?');
        let mut field = Field {
            name,
            number: digits
                .unwrap_or(number)
                .parse()
                .expect("a field's second word is its number"),
            omits_zero: digits.is_some(),
            kind: type_of(self.package, kind),
            list: None,
            whole: false,
            strategies: Vec::new(),
            merge_key: None,
            required: false,
            must: false,
            default: None,
            about: self.about,
        };
        for fact in words {
            let (word, value) = fact.split_once('=').unwrap_or((fact, ""));
            match word {
                "atomic" => field.list = Some(ListType::Atomic),
                "set" => field.list = Some(ListType::Set),
                "map" => field.list = Some(ListType::Map(value.split(',').map(str::to_owned).collect())),
                "whole" => field.whole = true,
                "merge" | "retainKeys" | "replace" => {
                    field.strategies.push(word);
                    field.merge_key = field.merge_key.or((!value.is_empty()).then_some(value));
                }
                "required" => field.required = true,
                "must" => field.must = true,
                "default" => field.default = Some(value),
                _ => unreachable!("{fact} is none of the facts that the table has: a test reads all"),
            }
        }
        field
    }
}

fn type_of(package: &'static str, code: &'static str) -> Type {
    let inner = |rest: &'static str| Box::new(type_of(package, rest));
    match code {
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "bool" => Type::Bool,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "float64" => Type::Float64,
        "Time" => Type::Time,
        "MicroTime" => Type::MicroTime,
        "Duration" => Type::Duration,
        "Quantity" => Type::Quantity,
        "IntOrString" => Type::IntOrString,
        "types.UID" => Type::Uid,
        "raw" => Type::Raw,
        "FieldsV1" => Type::FieldsV1,
        "JSON" => Type::Json,
        "SchemaOrArray" => Type::SchemaOrArray,
        "SchemaOrBool" => Type::SchemaOrBool,
        "SchemaOrStrings" => Type::SchemaOrStrings,
        _ => match code.split_at(2) {
            ("[]", rest) => Type::List(inner(rest)),
            ("{}", rest) => Type::Map(inner(rest)),
            ("<>", rest) => Type::Wrapped(inner(rest)),
            _ => {
                let (package, name) = code.split_once('.').unwrap_or((package, code));
                match table::text(package, name) {
                    Some(text) => Type::Text(text),
                    None => Type::Struct(Name { package, name }),
                }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_spaces_are_quoted() {
        assert_eq!(values("A \"\" \"b c\" D"), ["A", "", "b c", "D"]);
    }
}
