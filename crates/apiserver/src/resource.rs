//! One served resource: a kind in one version, with everything that requests need to know about it.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    VirtualResource,
    converter::Conversion,
    object, object_meta,
    schema::Schema,
    status::{ApiError, Result},
    store::ResourceId,
    table::Printer,
    types::{self, BuiltIn, Spelling, Struct},
};

/// The fingerprint of what was converted to the stored version: no schema's, so that each still has its say.
const CONVERTED: u64 = 1;

/// A kind in one served version.
pub(crate) struct Resource {
    /// What its objects are filed under, whatever the version.
    pub(crate) id: ResourceId,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) list_kind: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    pub(crate) verbs: &'static [&'static str],
    pub(crate) status: bool,
    pub(crate) scale: Option<Scale>,
    pub(crate) source: Source,
    pub(crate) schema: SchemaOf,
    /// How objects are converted from and to the stored version, where that is more than a change of schema.
    pub(crate) conversion: Option<Conversion>,
    pub(crate) printer: PrinterOf,
    /// Field selectors besides the name and the namespace.
    pub(crate) selectable: Vec<String>,
    pub(crate) rules: Rules,
    /// A warning that every use of this version is answered with.
    pub(crate) deprecation: Option<String>,
}

/// Where a kind comes from.
pub(crate) enum Source {
    BuiltIn,
    Custom {
        terminating: bool,
    },
    Virtual(Arc<dyn VirtualResource>),
    /// A question that is answered and not stored.
    Review,
}

/// Where the numbers of the scale subresource are in the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    pub(crate) spec_replicas: String,
    pub(crate) status_replicas: String,
    /// A selector in text form; built-in kinds have theirs in `spec.selector`.
    pub(crate) selector: Option<String>,
}

/// A schema, and a fingerprint that tells it from others: 0 for those that never change.
pub(crate) enum SchemaOf {
    BuiltIn(BuiltIn),
    Custom(Arc<Schema>, u64),
}

pub(crate) enum PrinterOf {
    Static(&'static Printer),
    Custom(Printer),
}

/// What differs between kinds in how they are written.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent traits of a kind, each read by its own name"
)]
pub(crate) struct Rules {
    pub(crate) name: NameRule,
    /// Whether `metadata.generation` counts changes of what is wanted.
    pub(crate) generation: bool,
    /// Whether a deletion is answered with the object.
    pub(crate) returns_deleted: bool,
    /// Whether a PUT must name the version that it replaces.
    pub(crate) needs_version: bool,
    /// Whether a PUT creates what isn't there.
    pub(crate) create_on_update: bool,
    /// Whether dependents are left alone if a deletion doesn't say what should become of them.
    pub(crate) orphans: bool,
}

/// What names a kind allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// RFC 1123 subdomain.
    Subdomain,
    /// RFC 1123 label.
    Label,
    /// RFC 1035 label: begins with a letter.
    Label1035,
    /// Anything that can be part of a path.
    PathSegment,
}

impl Resource {
    pub(crate) fn group(&self) -> &str {
        self.id.group()
    }

    pub(crate) fn plural(&self) -> &str {
        self.id.plural()
    }

    /// `v1`, or `apps/v1`.
    pub(crate) fn api_version(&self) -> String {
        if self.group().is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group(), self.version)
        }
    }

    pub(crate) fn schema(&self) -> &Schema {
        match &self.schema {
            SchemaOf::BuiltIn(built_in) => built_in.schema(),
            SchemaOf::Custom(schema, _) => schema,
        }
    }

    /// What a built-in kind is made of.
    pub(crate) fn structure(&self) -> Option<&'static Struct> {
        match &self.schema {
            SchemaOf::BuiltIn(built_in) => built_in.structure,
            SchemaOf::Custom(..) => None,
        }
    }

    /// Reads an object of this kind: refuses what is of a wrong type, drops what the kind doesn't know, and says what that
    /// was: `spec.foo`.
    pub(crate) fn read(&self, value: &mut Value, spelling: Spelling) -> Result<Vec<String>> {
        let Some(structure) = self.structure() else {
            object_meta::decode(self, value)?;
            return Ok(self.schema().prune(value));
        };
        let (kind, version) = (&self.kind, &self.version);
        let unknown = types::decode(structure, value, spelling).map_err(|error| {
            ApiError::BadRequest(format!(
                "{kind} in version {version:?} cannot be handled as a {kind}: {error}"
            ))
        })?;
        object::metadata_mut(value);
        Ok(unknown)
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        match &self.schema {
            SchemaOf::BuiltIn(_) => 0,
            SchemaOf::Custom(_, fingerprint) => *fingerprint,
        }
    }

    /// The object as it is stored, and the fingerprint of the schema that it has passed as such.
    pub(crate) fn to_stored(&self, value: Value) -> (Value, u64) {
        match self.other_storage() {
            None => (value, self.fingerprint()),
            Some(conversion) => (self.convert(value, &self.version, &conversion.storage), CONVERTED),
        }
    }

    /// An object as it is stored, in this version.
    pub(crate) fn of_stored(&self, value: Value) -> Value {
        match self.other_storage() {
            None => value,
            Some(conversion) => self.convert(value, &conversion.storage, &self.version),
        }
    }

    /// Whether it is converted on its way to the store and back.
    pub(crate) fn is_converted(&self) -> bool {
        self.other_storage().is_some()
    }

    /// How to get to the stored version, where this is another.
    fn other_storage(&self) -> Option<&Conversion> {
        self.conversion.as_ref().filter(|it| it.storage != self.version)
    }

    fn convert(&self, value: Value, from: &str, to: &str) -> Value {
        match &self.conversion {
            Some(conversion) => conversion
                .converter
                .convert(self.group(), self.plural(), value, from, to),
            None => value,
        }
    }

    pub(crate) fn printer(&self) -> &Printer {
        match &self.printer {
            PrinterOf::Static(printer) => printer,
            PrinterOf::Custom(printer) => printer,
        }
    }

    pub(crate) fn is_custom(&self) -> bool {
        matches!(self.source, Source::Custom { .. })
    }

    /// What an encoded object of this version begins with: everything up to the first field after the kind.
    pub(crate) fn head(&self) -> String {
        format!(
            "{{\"apiVersion\":{},\"kind\":{}",
            Value::from(self.api_version()),
            Value::from(self.kind.as_str())
        )
    }

    /// Whether its objects are requests for certificates, which have an approval.
    pub(crate) fn is_signing_request(&self) -> bool {
        self.group() == "certificates.k8s.io" && self.plural() == "certificatesigningrequests"
    }

    /// Whether it is this core kind.
    pub(crate) fn is_core(&self, plural: &str) -> bool {
        self.group().is_empty() && self.plural() == plural
    }
}

impl std::fmt::Debug for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resource")
            .field("kind", &self.kind)
            .field("apiVersion", &self.api_version())
            .finish_non_exhaustive()
    }
}
