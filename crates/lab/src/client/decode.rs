//! How answers are read: without `managedFields`, which no actor looks at and which are much of every object; and, for
//! watches that only need to know which object changed, without anything but metadata.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// An object, or a list of objects.
#[derive(Clone, Debug)]
pub(super) struct Object(pub(super) Value);

/// An object's metadata, under `metadata`.
#[derive(Clone, Debug)]
pub(super) struct Head(pub(super) Value);

/// The value of `metadata`.
struct Metadata(Value);

/// The value of `items`.
struct Items(Value);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Object, A::Error> {
                let mut object = Map::new();
                while let Some(name) = fields.next_key::<String>()? {
                    let value = match name.as_str() {
                        "metadata" => fields.next_value::<Metadata>()?.0,
                        "items" => fields.next_value::<Items>()?.0,
                        _ => fields.next_value()?,
                    };
                    object.insert(name, value);
                }
                Ok(Object(Value::Object(object)))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            metadata: Metadata,
        }

        let Fields { metadata } = Fields::deserialize(deserializer)?;
        let mut object = Map::new();
        object.insert("metadata".to_owned(), metadata.0);
        Ok(Self(Value::Object(object)))
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("metadata")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Metadata, A::Error> {
                let mut metadata = Map::new();
                while let Some(name) = fields.next_key::<String>()? {
                    if name == "managedFields" {
                        fields.next_value::<IgnoredAny>()?;
                    } else {
                        metadata.insert(name, fields.next_value()?);
                    }
                }
                Ok(Metadata(Value::Object(metadata)))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Items;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut objects: A) -> Result<Items, A::Error> {
                let mut items = Vec::new();
                while let Some(object) = objects.next_element::<Object>()? {
                    items.push(object.0);
                }
                Ok(Items(Value::Array(items)))
            }
        }

        deserializer.deserialize_seq(All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const POD: &str =
        r#"{ "kind": "Pod", "metadata": { "name": "a", "managedFields": [{ "manager": "m" }] }, "spec": {} }"#;

    #[test]
    fn leaves_out_what_no_actor_reads() {
        let read = |text: &str| serde_json::from_str::<Object>(text).unwrap().0;
        let pod = json!({ "kind": "Pod", "metadata": { "name": "a" }, "spec": {} });
        assert_eq!(read(POD), pod);
        assert_eq!(
            read(&format!(
                r#"{{ "metadata": {{ "resourceVersion": "1" }}, "items": [{POD}] }}"#
            )),
            json!({ "metadata": { "resourceVersion": "1" }, "items": [pod] })
        );
        let head = serde_json::from_str::<Head>(POD).unwrap().0;
        assert_eq!(head, json!({ "metadata": { "name": "a" } }));
    }
}
