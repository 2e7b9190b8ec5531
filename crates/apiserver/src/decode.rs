//! Bodies into JSON values, whatever form they came in, with an eye on fields that are given twice.

use std::fmt;

use bytes::Bytes;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::{
    body,
    negotiate::{BODY_TYPES, BodyType},
    protobuf::{self, ProtobufError},
    status::{ApiError, Result},
    value_path::Path,
};

/// A decoded body.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) value: Value,
    /// Paths of fields that were given more than once; the last one counts.
    pub(crate) duplicates: Vec<String>,
}

/// Decodes a body.
pub(crate) fn decode(body: &Bytes, kind: BodyType) -> Result<Decoded> {
    match kind {
        BodyType::Json => json(body),
        BodyType::Yaml => yaml(body).map(undoubled),
        BodyType::Protobuf => match protobuf::decode(body) {
            Ok(value) => Ok(undoubled(value)),
            Err(ProtobufError::UnknownKind { .. }) => Err(ApiError::UnsupportedMediaType(BODY_TYPES)),
            Err(error) => Err(ApiError::BadRequest(error.to_string())),
        },
    }
}

/// In these forms no field can be given twice, or decoding refuses it.
fn undoubled(value: Value) -> Decoded {
    Decoded {
        value,
        duplicates: Vec::new(),
    }
}

fn json(body: &[u8]) -> Result<Decoded> {
    let mut duplicates = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let seed = Seed {
        place: Path::Root,
        duplicates: &mut duplicates,
    };
    let value = seed
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    let value = value.map_err(|error| ApiError::bad_request(format!("couldn't get JSON from the body: {error}")))?;
    Ok(Decoded { value, duplicates })
}

/// YAML as the field reads it: `0644` is octal.
pub(crate) fn yaml(bytes: &[u8]) -> Result<Value> {
    let refuse = |error: String| ApiError::bad_request(format!("error decoding YAML: {error}"));
    let text = std::str::from_utf8(bytes).map_err(|error| refuse(error.to_string()))?;
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        // What is nested so deeply as JSON may be is fine as YAML, too. Aliases must not make more of it than may be sent.
        budget: serde_saphyr::budget! { max_depth: 128, flow_nesting_limit: 128, max_total_scalar_bytes: 2 * body::LIMIT },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| refuse(error.to_string()))
}

/// As many duplicates are named.
const DUPLICATES: usize = 100;

/// Builds a [`Value`] and notes duplicate keys on the way.
struct Seed<'a> {
    place: Path<'a>,
    duplicates: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            match items.next_element_seed(Seed {
                place: self.place.item(list.len()),
                duplicates: self.duplicates,
            })? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let place = self.place.field(&key);
            let value = entries.next_value_seed(Seed {
                place,
                duplicates: self.duplicates,
            })?;
            if self.duplicates.len() < DUPLICATES && map.contains_key(&key) {
                self.duplicates.push(place.to_string());
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn duplicate_fields_are_named_and_the_last_one_counts() {
        let decoded = json(br#"{"a":{"b":1,"b":2},"c":[{"d":1,"d":[]}]}"#).unwrap();
        assert_eq!(decoded.value, json!({"a": {"b": 2}, "c": [{"d": []}]}));
        assert_eq!(decoded.duplicates, ["a.b", "c[0].d"]);
    }

    #[test]
    fn a_long_key_before_many_items_costs_no_more_than_their_length() {
        let body = format!("{{\"{}\":[{}0]}}", "k".repeat(1 << 20), "0,".repeat(1 << 19));
        assert!(json(body.as_bytes()).unwrap().duplicates.is_empty());
        let body = format!("{{{}\"a\":0}}", "\"a\":0,".repeat(100_000));
        assert_eq!(json(body.as_bytes()).unwrap().duplicates.len(), DUPLICATES);
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(json(nested(100).as_bytes()).is_ok() && yaml(nested(100).as_bytes()).is_ok());
        for depth in [1000, 1_000_000] {
            assert!(json(nested(depth).as_bytes()).is_err(), "{depth}");
            assert!(yaml(nested(depth).as_bytes()).is_err(), "{depth}");
        }
    }

    #[test]
    fn yaml_does_not_grow_by_its_aliases() {
        let nested = (1..12).fold("a0: &a0 [x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
            let aliases = vec![format!("*a{}", level - 1); 8].join(",");
            format!("{text}a{level}: &a{level} [{aliases}]\n")
        });
        assert!(yaml(nested.as_bytes()).is_err());
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 90].join(","));
        assert!(yaml(long.as_bytes()).is_err());
    }

    #[test]
    fn numbers_keep_their_type() {
        let value = json(b"[1,-1,1.5,9223372036854775807]").unwrap().value;
        assert_eq!(
            value,
            serde_json::from_str::<Value>("[1,-1,1.5,9223372036854775807]").unwrap()
        );
        assert!(value[0].is_u64() && value[1].is_i64() && value[2].is_f64());
    }

    #[test]
    fn yaml_octal_is_octal() {
        assert_eq!(
            yaml(b"mode: 0644\nname: \"0644\"\n").unwrap(),
            json!({"mode": 420, "name": "0644"})
        );
    }

    #[test]
    fn what_follows_the_document_is_refused() {
        assert!(json(b"{} {}").is_err());
        assert!(json(b"").is_err());
    }
}
