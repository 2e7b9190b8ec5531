//! A compact way to write a CustomResourceDefinition: group, kind, names, columns, and the parts of the schema that
//! matter. What a schema does not name is kept, so that a client may write more than the lab knows of.

use std::borrow::Borrow;

use serde_json::{Map, Value, json};

use crate::kind::Kind;

/// A CustomResourceDefinition in the making. `build` gives the object.
#[derive(Clone, Debug)]
pub(crate) struct Crd {
    group: &'static str,
    kind: &'static str,
    plural: String,
    cluster_scoped: bool,
    short: Vec<&'static str>,
    categories: Vec<&'static str>,
    versions: Vec<Version>,
    /// The Service whose webhook converts between versions, as `(namespace, name)`.
    converted_by: Option<(&'static str, &'static str)>,
}

/// One version of a kind.
#[derive(Clone, Debug)]
struct Version {
    name: &'static str,
    served: bool,
    storage: bool,
    deprecation: Option<&'static str>,
    status: bool,
    scale: Option<Value>,
    columns: Vec<Value>,
    spec: Value,
    status_schema: Value,
    required: Vec<&'static str>,
}

/// Begins the definition of a kind: one version, served and stored.
pub(crate) fn crd(kind: Kind) -> Crd {
    let begun = if kind.namespaced { namespaced } else { cluster };
    begun(kind.group, kind.version, kind.kind).plural(kind.plural)
}

/// Begins a namespaced kind; its plural is the lower-cased kind with an `s`.
pub(crate) fn namespaced(group: &'static str, version: &'static str, kind: &'static str) -> Crd {
    Crd::new(group, version, kind, false)
}

/// Begins a cluster-scoped kind; its plural is the lower-cased kind with an `s`.
pub(crate) fn cluster(group: &'static str, version: &'static str, kind: &'static str) -> Crd {
    Crd::new(group, version, kind, true)
}

/// An object schema that types some fields and keeps the others.
pub(crate) fn open(properties: impl Borrow<Value>) -> Value {
    let properties = properties.borrow();
    json!({ "type": "object", "properties": properties, "x-kubernetes-preserve-unknown-fields": true })
}

/// The same, with fields that must be there.
pub(crate) fn open_with(required: &[&str], properties: impl Borrow<Value>) -> Value {
    let mut schema = open(properties);
    schema["required"] = json!(required);
    schema
}

/// A list of anything.
pub(crate) fn list_of(items: impl Borrow<Value>) -> Value {
    let items = items.borrow();
    json!({ "type": "array", "items": items })
}

/// A list of objects that are told apart by some of their fields, so that appliers can own single entries.
pub(crate) fn list_map(keys: &[&str], items: impl Borrow<Value>) -> Value {
    let items = items.borrow();
    json!({ "type": "array", "items": items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys })
}

/// A string.
pub(crate) fn string() -> Value {
    json!({ "type": "string" })
}

/// One of some strings.
pub(crate) fn one_of(values: &[&str]) -> Value {
    json!({ "type": "string", "enum": values })
}

/// A field that keeps the value it once got.
pub(crate) fn immutable(mut schema: Value, name: &str) -> Value {
    rule(&mut schema, "self == oldSelf", &format!("{name} is immutable"));
    schema
}

/// Adds a rule in CEL.
pub(crate) fn rule(schema: &mut Value, rule: &str, message: &str) {
    let rule = json!({ "rule": rule, "message": message });
    match schema["x-kubernetes-validations"].as_array_mut() {
        Some(rules) => rules.push(rule),
        None => schema["x-kubernetes-validations"] = json!([rule]),
    }
}

/// The conditions that nearly every kind has in its status.
pub(crate) fn conditions() -> Value {
    let condition = json!({
        "type": "object",
        "required": ["type", "status"],
        "properties": {
            "type": { "type": "string" },
            "status": { "type": "string" },
            "reason": { "type": "string" },
            "message": { "type": "string" },
            "lastTransitionTime": { "type": "string" },
            "observedGeneration": { "type": "integer", "format": "int64" },
        },
        "x-kubernetes-preserve-unknown-fields": true,
    });
    list_map(&["type"], condition)
}

// === impl Crd ===

impl Crd {
    fn new(group: &'static str, version: &'static str, kind: &'static str, cluster_scoped: bool) -> Self {
        Self {
            group,
            kind,
            plural: format!("{}s", kind.to_lowercase()),
            cluster_scoped,
            short: Vec::new(),
            categories: Vec::new(),
            versions: vec![Version::new(version)],
            converted_by: None,
        }
    }

    /// A plural that is not just the kind with an `s`.
    pub(crate) fn plural(mut self, plural: &str) -> Self {
        plural.clone_into(&mut self.plural);
        self
    }

    /// Short names, as `mce` for `kubectl get mce`.
    pub(crate) fn short(mut self, names: &[&'static str]) -> Self {
        self.short = names.to_vec();
        self
    }

    /// Categories, as `all`.
    pub(crate) fn categories(mut self, names: &[&'static str]) -> Self {
        self.categories = names.to_vec();
        self
    }

    /// The status is not a subresource.
    pub(crate) fn without_status(mut self) -> Self {
        self.version().status = false;
        self
    }

    /// The scale subresource, on the usual paths, with a label selector path if the kind has one.
    pub(crate) fn scale(self, selector: Option<&str>) -> Self {
        self.scale_of(".status.replicas", selector)
    }

    /// The scale subresource with another path for what there is.
    pub(crate) fn scale_of(mut self, status_path: &str, selector: Option<&str>) -> Self {
        let mut scale = json!({ "specReplicasPath": ".spec.replicas", "statusReplicasPath": status_path });
        if let Some(selector) = selector {
            scale["labelSelectorPath"] = selector.into();
        }
        self.version().scale = Some(scale);
        self
    }

    /// A printer column of a type: `string`, `integer`, `boolean`, `date`.
    pub(crate) fn column(self, name: &str, kind: &str, path: &str) -> Self {
        self.typed_column(name, kind, path, 0)
    }

    /// A printer column that shows only with `-o wide`.
    pub(crate) fn wide_column(self, name: &str, kind: &str, path: &str) -> Self {
        self.typed_column(name, kind, path, 1)
    }

    /// A printer column of a type and a priority: 0 shows always.
    pub(crate) fn typed_column(mut self, name: &str, kind: &str, path: &str, priority: u32) -> Self {
        let mut column = json!({ "name": name, "type": kind, "jsonPath": path });
        if priority > 0 {
            column["priority"] = priority.into();
        }
        self.version().columns.push(column);
        self
    }

    /// Goes on as a function says, where something holds: what only one generation has.
    pub(crate) fn when(self, holds: bool, then: impl FnOnce(Self) -> Self) -> Self {
        if holds { then(self) } else { self }
    }

    /// The usual last column.
    pub(crate) fn age(self) -> Self {
        self.column("Age", "date", ".metadata.creationTimestamp")
    }

    /// Schema of the spec; see [`open`].
    pub(crate) fn spec(mut self, schema: Value) -> Self {
        self.version().spec = schema;
        self
    }

    /// Schema of the status; see [`open`].
    pub(crate) fn status_schema(mut self, schema: Value) -> Self {
        self.version().status_schema = schema;
        self
    }

    /// Top-level fields that an object must have.
    pub(crate) fn required(mut self, fields: &[&'static str]) -> Self {
        self.version().required = fields.to_vec();
        self
    }

    /// A further served version that is not stored: the same schema and columns under another name.
    pub(crate) fn also_served(mut self, name: &'static str) -> Self {
        let twin = Version {
            name,
            storage: false,
            ..self.version().clone()
        };
        self.versions.insert(0, twin);
        self
    }

    /// The same for a version that is on its way out: clients are warned.
    pub(crate) fn also_served_deprecated(mut self, name: &'static str, warning: &'static str) -> Self {
        let twin = Version {
            name,
            storage: false,
            deprecation: Some(warning),
            ..self.version().clone()
        };
        self.versions.insert(0, twin);
        self
    }

    /// A further served version that is newer, and not stored.
    pub(crate) fn served_too(mut self, name: &'static str) -> Self {
        let newer = Version {
            name,
            storage: false,
            ..self.version().clone()
        };
        // The version in the making stays the last.
        let at = self.versions.len() - 1;
        self.versions.insert(at, newer);
        self
    }

    /// The version in the making is served but not stored: a newer one is, with the same schema and columns, which is the one
    /// in the making from here on.
    pub(crate) fn stored_as(mut self, name: &'static str) -> Self {
        let newer = Version {
            name,
            ..self.version().clone()
        };
        self.version().storage = false;
        self.versions.push(newer);
        self
    }

    /// Adds the versions of another definition of the same kind, which are newer and of another form: the last of them is
    /// stored. A webhook of a Service converts between them; in a lab the API server does it by itself (`conversion`).
    pub(crate) fn followed_by(
        mut self,
        newer: Self,
        warning: &'static str,
        service: (&'static str, &'static str),
    ) -> Self {
        let old = self.version();
        old.storage = false;
        old.deprecation = Some(warning);
        self.versions.extend(newer.versions);
        self.converted_by = Some(service);
        self
    }

    /// The object.
    pub(crate) fn build(self) -> Value {
        let mut names = json!({
            "kind": self.kind,
            "listKind": format!("{}List", self.kind),
            "plural": self.plural,
            "singular": self.kind.to_lowercase(),
        });
        if !self.short.is_empty() {
            names["shortNames"] = json!(self.short);
        }
        if !self.categories.is_empty() {
            names["categories"] = json!(self.categories);
        }
        let mut metadata = json!({ "name": format!("{}.{}", self.plural, self.group) });
        if self.group.ends_with(".k8s.io") {
            // Groups of Kubernetes itself are refused without a word on who approved them.
            metadata["annotations"] = json!({ "api-approved.kubernetes.io": "unapproved, simulated" });
        }
        let mut crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": metadata,
            "spec": {
                "group": self.group,
                "names": names,
                "scope": if self.cluster_scoped { "Cluster" } else { "Namespaced" },
                "versions": self.versions.iter().map(Version::build).collect::<Vec<_>>(),
            },
        });
        if let Some((namespace, name)) = self.converted_by {
            let names: Vec<&str> = self.versions.iter().map(|version| version.name).collect();
            let service = json!({ "namespace": namespace, "name": name, "path": "/convert", "port": 443 });
            crd["spec"]["conversion"] = json!({
                "strategy": "Webhook",
                "webhook": { "clientConfig": { "service": service }, "conversionReviewVersions": names },
            });
        }
        crd
    }

    /// The version in the making: always the last.
    fn version(&mut self) -> &mut Version {
        self.versions.last_mut().expect("a kind is begun with one version")
    }
}

// === impl Version ===

impl Version {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            served: true,
            storage: true,
            deprecation: None,
            status: true,
            scale: None,
            columns: Vec::new(),
            spec: open(json!({})),
            status_schema: open(json!({ "conditions": conditions() })),
            required: Vec::new(),
        }
    }

    fn build(&self) -> Value {
        let mut schema = open(json!({ "spec": self.spec, "status": self.status_schema }));
        schema["properties"]["apiVersion"] = string();
        schema["properties"]["kind"] = string();
        schema["properties"]["metadata"] = json!({ "type": "object" });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        let mut version = json!({
            "name": self.name,
            "served": self.served,
            "storage": self.storage,
            "schema": { "openAPIV3Schema": schema },
        });
        let mut subresources = Map::new();
        if self.status {
            subresources.insert("status".to_owned(), json!({}));
        }
        if let Some(scale) = &self.scale {
            subresources.insert("scale".to_owned(), scale.clone());
        }
        if !subresources.is_empty() {
            version["subresources"] = Value::Object(subresources);
        }
        if !self.columns.is_empty() {
            version["additionalPrinterColumns"] = json!(self.columns);
        }
        if let Some(warning) = self.deprecation {
            version["deprecated"] = true.into();
            version["deprecationWarning"] = warning.into();
        }
        version
    }
}
