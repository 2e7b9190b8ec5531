//! Bodies in the Kubernetes form of protobuf, which typed Go clients (and `kubectl create`) send for built-in kinds, into
//! the JSON that everything else here works on. Only bodies are read: answers are JSON, which those clients accept, but for
//! one document (`openapi/v2.rs`), which they don't.
//!
//! `messages.txt` says what a message is made of, `table.rs` reads it, `wire.rs` reads and `write.rs` writes the encoding
//! itself.

mod leaf;
mod table;
mod wire;
mod write;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

pub(crate) use self::write::Writer;
use self::{
    table::{Field, Message, Type, message},
    wire::{Raw, Reader},
};

/// What every such body begins with.
const MAGIC: &[u8; 4] = b"k8s\0";

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
    let known = message(&table_name(&api_version, &kind));
    let known = known.ok_or_else(|| ProtobufError::UnknownKind {
        api_version: api_version.clone(),
        kind: kind.clone(),
    })?;
    let mut object = Map::new();
    fields(known, raw, &mut object)?;
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    Ok(Value::Object(object))
}

/// `apps/v1.Deployment`: the name in the table has the first word of the group.
fn table_name(api_version: &str, kind: &str) -> String {
    // Options belong to all groups alike.
    if kind == "DeleteOptions" {
        return "meta/v1.DeleteOptions".to_owned();
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    format!("{}/{version}.{kind}", group.split('.').next().unwrap_or_default())
}

/// Decodes the fields of a message into an object.
fn fields(message: &Message, bytes: &[u8], object: &mut Map<String, Value>) -> Result<()> {
    for field in Reader::new(bytes) {
        let (number, raw) = field?;
        // A field that came with a later version is dropped, as unknown fields are.
        let Some(field) = message.field(number) else { continue };
        put(field, raw, object)?;
    }
    Ok(())
}

fn put(field: &Field, raw: Raw<'_>, object: &mut Map<String, Value>) -> Result<()> {
    let name = field.name;
    match &field.kind {
        Type::Message(inner) if name == "." => fields(known(inner)?, raw.bytes()?, object),
        Type::List(item) => {
            let list = object.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            let list = list.as_array_mut().expect("only this field writes under its name");
            match (item.as_ref(), raw) {
                // A list of numbers may come in one piece.
                (Type::Integer, Raw::Bytes(packed)) => list.extend(wire::packed(packed)?.into_iter().map(Value::from)),
                (item, raw) => list.push(value(item, raw)?),
            }
            Ok(())
        }
        Type::Map(item) => {
            let map = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
            let map = map.as_object_mut().expect("only this field writes under its name");
            let (mut key, mut entry) = (String::new(), None);
            for part in Reader::new(raw.bytes()?) {
                match part? {
                    (1, Raw::Bytes(text)) => key = leaf::text(text)?,
                    (2, raw) => entry = Some(value(item, raw)?),
                    _ => {}
                }
            }
            map.insert(key, entry.unwrap_or_else(|| Value::String(String::new())));
            Ok(())
        }
        kind => {
            let value = value(kind, raw)?;
            if !(field.omits_zero && leaf::is_zero(&value)) {
                object.insert(name.to_owned(), value);
            }
            Ok(())
        }
    }
}

fn value(kind: &Type, raw: Raw<'_>) -> Result<Value> {
    Ok(match kind {
        Type::Text => leaf::text(raw.bytes()?)?.into(),
        Type::Bytes => BASE64_STANDARD.encode(raw.bytes()?).into(),
        Type::Bool => (raw.number()? != 0).into(),
        Type::Integer => raw.number()?.into(),
        Type::Float => raw.float()?.into(),
        Type::Time => leaf::time(raw.bytes()?, false)?,
        Type::MicroTime => leaf::time(raw.bytes()?, true)?,
        Type::Duration => leaf::duration(raw.bytes()?)?,
        Type::Quantity => leaf::quantity(raw.bytes()?)?,
        Type::IntOrString => leaf::int_or_string(raw.bytes()?)?,
        Type::RawJson => leaf::raw_json(raw.bytes()?)?,
        Type::Message(name) => {
            let mut object = Map::new();
            fields(known(name)?, raw.bytes()?, &mut object)?;
            Value::Object(object)
        }
        Type::Wrapped(list) => {
            let mut items = Map::new();
            let field = Field {
                name: "items",
                omits_zero: false,
                kind: list.as_ref().clone(),
            };
            for part in Reader::new(raw.bytes()?) {
                put(&field, part?.1, &mut items)?;
            }
            items.remove("items").unwrap_or_else(|| Value::Array(Vec::new()))
        }
        Type::List(_) | Type::Map(_) => return Err(ProtobufError::Malformed("a list where one value belongs")),
    })
}

fn known(name: &str) -> Result<&'static Message> {
    message(name).ok_or(ProtobufError::Malformed("a message that is not in the table"))
}

#[cfg(test)]
mod tests;
