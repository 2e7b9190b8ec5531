//! An object as the API's own decoder reads it: of which types its parts must be, which fields it doesn't know, what says
//! nothing and goes. The wording of errors is that of Go's decoder, which people search the web for.

use base64::{DecodeError, Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::{
    place::Place,
    quantity,
    table::{Field, Name, Struct, Type},
};

const JSON_SCHEMA: Name = Name {
    package: "apiextensions/v1",
    name: "JSONSchemaProps",
};

/// What becomes of values that can be written in several ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// They are written in one way, and what is empty and means nothing goes: an object to be stored.
    Canonical,
    /// They stay as they are: what someone applies is theirs as they wrote it.
    AsWritten,
}

/// Reads an object: drops what says nothing and what is unknown, and says what was unknown (`spec.containers[0].foo`).
///
/// # Errors
///
/// Says which part is of a wrong type.
pub(crate) fn decode(
    structure: &'static Struct,
    object: &mut Value,
    spelling: Spelling,
) -> Result<Vec<String>, String> {
    let mut decoder = Decoder {
        spelling,
        unknown: Vec::new(),
    };
    let place = Place::Root;
    match object {
        Value::Object(fields) => decoder.fields(structure, fields, &place)?,
        other => return Err(unfit(&place, describe(other), &structure.name.in_go())),
    }
    Ok(decoder.unknown)
}

struct Decoder {
    spelling: Spelling,
    unknown: Vec<String>,
}

// === impl Decoder ===

impl Decoder {
    fn fields(
        &mut self,
        structure: &'static Struct,
        fields: &mut Map<String, Value>,
        place: &Place<'_>,
    ) -> Result<(), String> {
        let mut refused = None;
        fields.retain(|name, value| {
            let place = Place::Field(place, structure, name);
            let Some(field) = structure.field(name) else {
                let is_type = structure.typed && matches!(name.as_str(), "apiVersion" | "kind");
                if !is_type {
                    self.unknown.push(place.to_string());
                }
                return is_type;
            };
            if value.is_null() {
                return matches!(field.kind, Type::Json);
            }
            if refused.is_none() {
                refused = self.value(&field.kind, value, &place).err();
            }
            self.spelling == Spelling::AsWritten || !means_nothing(field, value)
        });
        refused.map_or(Ok(()), Err)
    }

    fn value(&mut self, kind: &Type, value: &mut Value, place: &Place<'_>) -> Result<(), String> {
        match (kind, &mut *value) {
            (Type::String | Type::Text(_) | Type::Uid | Type::Duration | Type::IntOrString, Value::String(_))
            | (Type::Bool | Type::SchemaOrBool, Value::Bool(_))
            | (Type::Float64, Value::Number(_))
            | (Type::Raw | Type::FieldsV1 | Type::Json, _) => Ok(()),
            (Type::Int32 | Type::Int64, Value::Number(number)) => integer(kind, number, place),
            (Type::Bytes, Value::String(text)) => base64(text),
            (Type::Time | Type::MicroTime, Value::String(_)) => self.time(kind, value),
            (Type::Quantity, Value::String(_) | Value::Number(_)) => self.quantity(value),
            (Type::IntOrString, Value::Number(number)) => integer(&Type::Int32, number, &Place::Root),
            (Type::IntOrString, other) => Err(unfit(&Place::Root, describe(other), "int32")),
            (Type::Struct(name), Value::Object(fields)) => self.fields(name.structure(), fields, place),
            (Type::SchemaOrArray | Type::SchemaOrBool | Type::SchemaOrStrings, Value::Object(fields)) => {
                self.fields(JSON_SCHEMA.structure(), fields, place)
            }
            (Type::SchemaOrArray, Value::Array(items)) => self.items(&Type::Struct(JSON_SCHEMA), items, place),
            (Type::SchemaOrStrings, Value::Array(items)) => self.items(&Type::String, items, place),
            (Type::SchemaOrBool, _) => Err("boolean or JSON schema expected".to_owned()),
            (Type::List(item) | Type::Wrapped(item), Value::Array(items)) => self.items(item, items, place),
            (Type::Map(item), Value::Object(entries)) => {
                for (key, entry) in entries {
                    self.part(item, entry, &Place::Entry(place, key))?;
                }
                Ok(())
            }
            (kind, other) => Err(unfit(place, describe(other), &in_go(kind))),
        }
    }

    fn items(&mut self, item: &Type, items: &mut [Value], place: &Place<'_>) -> Result<(), String> {
        for (index, value) in items.iter_mut().enumerate() {
            self.part(item, value, &Place::Item(place, index))?;
        }
        Ok(())
    }

    /// A part of a list or a map, where a null is the type's zero.
    fn part(&mut self, kind: &Type, value: &mut Value, place: &Place<'_>) -> Result<(), String> {
        if value.is_null() {
            *value = zero(kind);
            return Ok(());
        }
        self.value(kind, value, place)
    }

    fn quantity(&self, value: &mut Value) -> Result<(), String> {
        let text = match &*value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let canonical = quantity::canonical(&text)?;
        if self.spelling == Spelling::Canonical {
            *value = canonical.into();
        }
        Ok(())
    }

    fn time(&self, kind: &Type, value: &mut Value) -> Result<(), String> {
        let text = value.as_str().unwrap_or_default();
        let (format, layout) = match kind {
            Type::MicroTime => ("%Y-%m-%dT%H:%M:%S.%6fZ", "2006-01-02T15:04:05.000000Z07:00"),
            _ => ("%Y-%m-%dT%H:%M:%SZ", "2006-01-02T15:04:05Z07:00"),
        };
        let time: Timestamp = text
            .parse()
            .map_err(|_| format!("parsing time {text:?} as {layout:?}: cannot parse {text:?} as \"2006\""))?;
        if self.spelling == Spelling::Canonical {
            *value = time.strftime(format).to_string().into();
        }
        Ok(())
    }
}

/// Whether a field might as well have been left out.
fn means_nothing(field: &Field, value: &Value) -> bool {
    field.omits_zero
        && match value {
            Value::Bool(truth) => !truth,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(entries) => entries.is_empty() && !matches!(field.kind, Type::Struct(_)),
            Value::Null => true,
        }
}

fn zero(kind: &Type) -> Value {
    match kind {
        Type::Bool => false.into(),
        Type::Int32 | Type::Int64 | Type::Float64 | Type::IntOrString => 0.into(),
        Type::Struct(_) | Type::Map(_) => Value::Object(Map::new()),
        Type::List(_) | Type::Wrapped(_) => Value::Array(Vec::new()),
        Type::Quantity => "0".into(),
        Type::String | Type::Text(_) | Type::Uid | Type::Bytes => "".into(),
        _ => Value::Null,
    }
}

fn integer(kind: &Type, number: &Number, place: &Place<'_>) -> Result<(), String> {
    let fits = match kind {
        Type::Int32 => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        _ => number.is_i64() || number.as_i64().is_some(),
    };
    if fits {
        return Ok(());
    }
    Err(unfit(place, &format!("number {number}"), &in_go(kind)))
}

fn base64(text: &str) -> Result<(), String> {
    match BASE64_STANDARD.decode(text) {
        Ok(_) => Ok(()),
        Err(DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol(offset, _)) => {
            Err(format!("illegal base64 data at input byte {offset}"))
        }
        Err(_) => Err(format!("illegal base64 data at input byte {}", text.len() / 4 * 4)),
    }
}

/// A value as Go's decoder names it.
fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A type as Go names it.
fn in_go(kind: &Type) -> String {
    match kind {
        // Times read a text by themselves.
        Type::String | Type::Time | Type::MicroTime | Type::Duration => "string".to_owned(),
        Type::Bytes => "[]uint8".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Int32 | Type::IntOrString => "int32".to_owned(),
        Type::Int64 => "int64".to_owned(),
        Type::Float64 => "float64".to_owned(),
        Type::Quantity => "resource.Quantity".to_owned(),
        Type::Uid => "types.UID".to_owned(),
        Type::Raw => "runtime.RawExtension".to_owned(),
        Type::FieldsV1 => "v1.FieldsV1".to_owned(),
        Type::Json => "v1.JSON".to_owned(),
        Type::SchemaOrArray | Type::SchemaOrBool | Type::SchemaOrStrings => JSON_SCHEMA.in_go(),
        Type::Text(text) => text.name.in_go(),
        Type::Struct(name) => name.in_go(),
        Type::List(item) | Type::Wrapped(item) => format!("[]{}", in_go(item)),
        Type::Map(item) if matches!(**item, Type::Quantity) => "v1.ResourceList".to_owned(),
        Type::Map(item) => format!("map[string]{}", in_go(item)),
    }
}

/// That a value doesn't fit where it stands.
fn unfit(place: &Place<'_>, found: &str, go_type: &str) -> String {
    match place.in_go() {
        Some(field) => format!("json: cannot unmarshal {found} into Go struct field {field} of type {go_type}"),
        None => format!("json: cannot unmarshal {found} into Go value of type {go_type}"),
    }
}
