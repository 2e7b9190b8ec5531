//! The built-in types as OpenAPI describes them, from their table.

use serde_json::{Map, Value, json};

use crate::{
    resource::Resource,
    schema::ListType,
    types::{self, Field, Struct, Type},
};

const API_VERSION: &str = "The group and version of the API that the object is written in.";
const KIND: &str = "Which kind of object this is.";

/// Which OpenAPI is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Version 2: something may stand beside a reference.
    Swagger,
    /// Version 3: nothing may.
    OpenApi,
}

/// Definitions by name, whole: what one refers to is among them.
pub(super) struct Definitions {
    style: Style,
    found: Map<String, Value>,
}

// === impl Definitions ===

impl Definitions {
    pub(super) fn new(style: Style) -> Self {
        Self {
            style,
            found: Map::new(),
        }
    }

    pub(super) fn finish(self) -> Value {
        Value::Object(self.found)
    }

    /// Adds a definition.
    pub(super) fn define(&mut self, name: &str, definition: Value) {
        self.found.insert(name.to_owned(), definition);
    }

    /// Says of a definition that it is this kind.
    pub(super) fn is_kind(&mut self, name: &str, kind: &Value) {
        let definition = &mut self.found[name];
        match definition["x-kubernetes-group-version-kind"].as_array_mut() {
            Some(kinds) => kinds.push(kind.clone()),
            None => definition["x-kubernetes-group-version-kind"] = json!([kind]),
        }
    }

    /// Adds the definition of lists of a kind.
    pub(super) fn list(&mut self, item: &str, resource: &Resource) {
        let metadata = self.referring(&Type::Struct(types::Name {
            package: "meta/v1",
            name: "ListMeta",
        }));
        let package = item.rsplit_once('.').map_or("", |(package, _)| package);
        let name = format!("{package}.{}", resource.list_kind);
        let mut properties = identity();
        properties.insert("metadata".to_owned(), metadata);
        properties.insert(
            "items".to_owned(),
            json!({"type": "array", "items": self.reference_to(item)}),
        );
        let definition = json!({
            "description": format!("A list of {}.", resource.plural()),
            "type": "object",
            "properties": properties,
            "required": ["items"],
        });
        self.define(&name, definition);
        let kind = json!({"group": resource.group(), "version": resource.version, "kind": resource.list_kind});
        self.is_kind(&name, &kind);
    }

    /// The properties that every object has.
    pub(super) fn of_every_object(&mut self) -> Map<String, Value> {
        let name = types::Name {
            package: "meta/v1",
            name: "ObjectMeta",
        };
        let metadata = self.referring(&Type::Struct(name));
        let beside = Map::from_iter([("description".to_owned(), name.structure().about.into())]);
        let mut properties = identity();
        properties.insert("metadata".to_owned(), self.with(metadata, beside));
        properties
    }

    /// A reference to a definition.
    pub(super) fn reference_to(&self, name: &str) -> Value {
        match self.style {
            Style::Swagger => json!({"$ref": format!("#/definitions/{name}")}),
            Style::OpenApi => json!({"$ref": format!("#/components/schemas/{name}")}),
        }
    }

    /// Adds a type of the table, and all that it refers to.
    pub(super) fn structure(&mut self, structure: &'static Struct) {
        let name = structure.open_api_name();
        if self.found.contains_key(&name) {
            return;
        }
        // It may refer to itself.
        self.define(&name, Value::Null);
        let mut properties = if structure.typed { identity() } else { Map::new() };
        properties.extend(
            structure
                .members()
                .map(|field| (field.name.to_owned(), self.property(field))),
        );
        let required: Vec<&str> = structure
            .members()
            .filter(|field| field.required)
            .map(|field| field.name)
            .collect();
        let mut definition = json!({"type": "object"});
        describe(&mut definition, structure.about);
        if !properties.is_empty() {
            definition["properties"] = Value::Object(properties);
        }
        if !required.is_empty() {
            definition["required"] = json!(required);
        }
        if structure.whole {
            definition["x-kubernetes-map-type"] = "atomic".into();
        }
        self.define(&name, definition);
    }

    fn property(&mut self, field: &Field) -> Value {
        let mut beside = Map::new();
        let about = match &field.kind {
            Type::Struct(name) if field.about.is_empty() => name.structure().about,
            _ => field.about,
        };
        if !about.is_empty() {
            beside.insert("description".to_owned(), about.into());
        }
        if let Some(default) = field.default {
            let default = serde_json::from_str(default).expect("a default of the table is JSON: a test reads all");
            beside.insert("default".to_owned(), default);
        }
        let mut says = |word: &str, value: Value| beside.insert(format!("x-kubernetes-{word}"), value);
        match &field.list {
            Some(ListType::Atomic) => drop(says("list-type", "atomic".into())),
            Some(ListType::Set) => drop(says("list-type", "set".into())),
            Some(ListType::Map(keys)) => {
                says("list-type", "map".into());
                says("list-map-keys", json!(keys));
            }
            None => {}
        }
        if field.whole {
            says("map-type", "atomic".into());
        }
        if !field.strategies.is_empty() {
            says("patch-strategy", field.strategies.join(",").into());
        }
        if let Some(key) = field.merge_key {
            says("patch-merge-key", key.into());
        }
        let schema = self.referring(&field.kind);
        self.with(schema, beside)
    }

    /// A schema with more beside it.
    pub(super) fn with(&self, mut schema: Value, beside: Map<String, Value>) -> Value {
        if self.style == Style::OpenApi && schema.get("$ref").is_some() && !beside.is_empty() {
            schema = json!({"allOf": [schema]});
        }
        if let Some(fields) = schema.as_object_mut() {
            fields.extend(beside);
        }
        schema
    }

    /// The schema of a type: a reference where it has a name.
    pub(super) fn referring(&mut self, kind: &Type) -> Value {
        match kind {
            Type::String | Type::Uid | Type::Duration => json!({"type": "string"}),
            Type::Text(text) if text.values.is_empty() => json!({"type": "string"}),
            Type::Text(text) => json!({"type": "string", "enum": text.values}),
            Type::Bytes => json!({"type": "string", "format": "byte"}),
            Type::Bool => json!({"type": "boolean"}),
            Type::Int32 => json!({"type": "integer", "format": "int32"}),
            Type::Int64 => json!({"type": "integer", "format": "int64"}),
            Type::Float64 => json!({"type": "number", "format": "double"}),
            Type::List(item) | Type::Wrapped(item) => json!({"type": "array", "items": self.referring(item)}),
            Type::Map(item) => json!({"type": "object", "additionalProperties": self.referring(item)}),
            Type::Struct(name) => {
                let structure = name.structure();
                self.structure(structure);
                self.reference_to(&structure.open_api_name())
            }
            Type::Time
            | Type::MicroTime
            | Type::Quantity
            | Type::IntOrString
            | Type::Raw
            | Type::FieldsV1
            | Type::Json
            | Type::SchemaOrArray
            | Type::SchemaOrBool
            | Type::SchemaOrStrings => {
                let (name, definition) = self.small(kind);
                self.define(name, definition);
                self.reference_to(name)
            }
        }
    }

    /// A type that is not in the table by itself.
    fn small(&self, kind: &Type) -> (&'static str, Value) {
        let either = |one: &str, two: &str| match self.style {
            Style::OpenApi => json!({"oneOf": [{"type": one}, {"type": two}]}),
            Style::Swagger => json!({"type": "string"}),
        };
        let time = || json!({"type": "string", "format": "date-time"});
        match kind {
            Type::Time => ("io.k8s.apimachinery.pkg.apis.meta.v1.Time", time()),
            Type::MicroTime => ("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", time()),
            Type::Quantity => {
                let mut definition = either("string", "number");
                describe(&mut definition, "A number with a suffix: `500m`, `2Gi`.");
                ("io.k8s.apimachinery.pkg.api.resource.Quantity", definition)
            }
            Type::IntOrString => {
                let mut definition = either("integer", "string");
                definition["format"] = "int-or-string".into();
                ("io.k8s.apimachinery.pkg.util.intstr.IntOrString", definition)
            }
            Type::FieldsV1 => (
                "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
                json!({"type": "object"}),
            ),
            Type::SchemaOrArray => (
                "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
                json!({}),
            ),
            Type::SchemaOrBool => (
                "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool",
                json!({}),
            ),
            Type::SchemaOrStrings => (
                "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
                json!({}),
            ),
            Type::Json => (
                "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
                json!({}),
            ),
            _ => (
                "io.k8s.apimachinery.pkg.runtime.RawExtension",
                json!({"type": "object"}),
            ),
        }
    }
}

/// The properties by which an object says what it is.
fn identity() -> Map<String, Value> {
    [("apiVersion", API_VERSION), ("kind", KIND)]
        .map(|(field, about)| (field.to_owned(), json!({"description": about, "type": "string"})))
        .into_iter()
        .collect()
}

fn describe(definition: &mut Value, about: &str) {
    if !about.is_empty() {
        definition["description"] = about.into();
    }
}
