//! Bodies in the Kubernetes form of protobuf, which typed Go clients (and `kubectl create`) send for built-in kinds, into
//! the JSON that everything else here works on. Only bodies are read: answers are JSON, which those clients accept, but for
//! one document (`openapi/v2.rs`), which they don't.
//!
//! The table of [`crate::types`] says what a message is made of, `leaf.rs` reads the small ones, `wire.rs` reads and
//! `write.rs` writes the encoding itself.

mod leaf;
mod wire;
mod write;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use self::wire::{Raw, Reader};
pub(crate) use self::write::Writer;
use crate::types::{self, Field, Name, Struct, Type};

/// What every such body begins with.
/// How deeply messages may be nested, of those that can hold their own kind.
const DEPTH: usize = 64;

const MAGIC: &[u8; 4] = b"k8s\0";

const DELETE_OPTIONS: Name = Name {
    package: "meta/v1",
    name: "DeleteOptions",
};

const JSON_SCHEMA: Name = Name {
    package: "apiextensions/v1",
    name: "JSONSchemaProps",
};

/// Why a body can't be decoded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProtobufError {
    /// The bytes are not what they say they are.
    #[error("malformed protobuf: {0}")]
    Malformed(&'static str),
    /// A kind that is not known in this form.
    #[error("no kind {kind} in version {api_version:?} is known in protobuf form")]
    UnknownKind { api_version: String, kind: String },
}

type Result<T, E = ProtobufError> = std::result::Result<T, E>;

/// Decodes a body: an envelope with the object's type, and the object.
pub(crate) fn decode(body: &[u8]) -> Result<Value> {
    let envelope = body
        .strip_prefix(MAGIC)
        .ok_or(ProtobufError::Malformed("the magic number is missing"))?;
    let (mut kind, mut api_version, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Reader::new(envelope) {
        match field? {
            (1, Raw::Bytes(type_meta)) => {
                for field in Reader::new(type_meta) {
                    match field? {
                        (1, Raw::Bytes(text)) => api_version = leaf::text(text)?,
                        (2, Raw::Bytes(text)) => kind = leaf::text(text)?,
                        _ => {}
                    }
                }
            }
            (2, Raw::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    // Options belong to all groups alike.
    let known = match kind.as_str() {
        "DeleteOptions" => Some(DELETE_OPTIONS.structure()),
        kind => {
            let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
            types::kind(group, version, kind)
        }
    };
    let known = known.ok_or_else(|| ProtobufError::UnknownKind {
        api_version: api_version.clone(),
        kind: kind.clone(),
    })?;
    let mut object = Map::new();
    fields(known, raw, &mut object, DEPTH)?;
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    Ok(Value::Object(object))
}

/// Decodes the fields of a message into an object.
fn fields(message: &Struct, bytes: &[u8], object: &mut Map<String, Value>, depth: usize) -> Result<()> {
    for field in Reader::new(bytes) {
        let (number, raw) = field?;
        // A field that came with a later version is dropped, as unknown fields are.
        if let Some(field) = message.fields.iter().find(|field| field.number == number) {
            put(field, raw, object, depth)?;
        }
    }
    Ok(())
}

fn put(field: &Field, raw: Raw<'_>, object: &mut Map<String, Value>, depth: usize) -> Result<()> {
    let name = field.name;
    match &field.kind {
        Type::Struct(inner) if name == "." => fields(inner.structure(), raw.bytes()?, object, depth),
        Type::List(item) => {
            let list = object.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            let list = list.as_array_mut().expect("only this field writes under its name");
            add(item, raw, list, depth)
        }
        Type::Map(item) => {
            let map = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
            let map = map.as_object_mut().expect("only this field writes under its name");
            let (mut key, mut entry) = (String::new(), None);
            for part in Reader::new(raw.bytes()?) {
                match part? {
                    (1, Raw::Bytes(text)) => key = leaf::text(text)?,
                    (2, raw) => entry = Some(value(item, raw, depth)?),
                    _ => {}
                }
            }
            map.insert(key, entry.unwrap_or_else(|| Value::String(String::new())));
            Ok(())
        }
        kind => {
            let value = value(kind, raw, depth)?;
            if !(field.omits_zero && leaf::is_zero(&value)) {
                object.insert(name.to_owned(), value);
            }
            Ok(())
        }
    }
}

/// Adds to a list; one of numbers may come in one piece.
fn add(item: &Type, raw: Raw<'_>, list: &mut Vec<Value>, depth: usize) -> Result<()> {
    match (item, raw) {
        (Type::Int32 | Type::Int64, Raw::Bytes(packed)) => {
            list.extend(wire::packed(packed)?.into_iter().map(Value::from));
        }
        (item, raw) => list.push(value(item, raw, depth)?),
    }
    Ok(())
}

/// The value of a field; messages may be in it to so many levels.
fn value(kind: &Type, raw: Raw<'_>, depth: usize) -> Result<Value> {
    Ok(match kind {
        Type::String | Type::Uid | Type::Text(_) => leaf::text(raw.bytes()?)?.into(),
        Type::Bytes => BASE64_STANDARD.encode(raw.bytes()?).into(),
        Type::Bool => (raw.number()? != 0).into(),
        Type::Int32 | Type::Int64 => raw.number()?.into(),
        Type::Float64 => raw.float()?.into(),
        Type::Time => leaf::time(raw.bytes()?, false)?,
        Type::MicroTime => leaf::time(raw.bytes()?, true)?,
        Type::Duration => leaf::duration(raw.bytes()?)?,
        Type::Quantity => leaf::quantity(raw.bytes()?)?,
        Type::IntOrString => leaf::int_or_string(raw.bytes()?)?,
        Type::Raw | Type::FieldsV1 | Type::Json => leaf::raw_json(raw.bytes()?)?,
        Type::SchemaOrArray => schema_or_list(raw.bytes()?, &Type::Struct(JSON_SCHEMA), depth)?,
        Type::SchemaOrBool => schema_or_bool(raw.bytes()?, depth)?,
        Type::SchemaOrStrings => schema_or_list(raw.bytes()?, &Type::String, depth)?,
        Type::Struct(name) => {
            let depth = depth
                .checked_sub(1)
                .ok_or(ProtobufError::Malformed("it is nested too deeply"))?;
            let mut object = Map::new();
            fields(name.structure(), raw.bytes()?, &mut object, depth)?;
            Value::Object(object)
        }
        Type::Wrapped(item) => {
            let mut items = Vec::new();
            for part in Reader::new(raw.bytes()?) {
                add(item, part?.1, &mut items, depth)?;
            }
            Value::Array(items)
        }
        Type::List(_) | Type::Map(_) => return Err(ProtobufError::Malformed("a list where one value belongs")),
    })
}

/// A schema, or a list in its place.
fn schema_or_list(bytes: &[u8], item: &Type, depth: usize) -> Result<Value> {
    let mut items = Vec::new();
    for field in Reader::new(bytes) {
        match field? {
            (1, raw) => return value(&Type::Struct(JSON_SCHEMA), raw, depth),
            (2, raw) => add(item, raw, &mut items, depth)?,
            _ => {}
        }
    }
    Ok(items.into())
}

/// A schema, or whether anything goes in its place.
fn schema_or_bool(bytes: &[u8], depth: usize) -> Result<Value> {
    let mut allows = false;
    for field in Reader::new(bytes) {
        match field? {
            (1, raw) => allows = raw.number()? != 0,
            (2, raw) => return value(&Type::Struct(JSON_SCHEMA), raw, depth),
            _ => {}
        }
    }
    Ok(allows.into())
}

#[cfg(test)]
mod tests;
