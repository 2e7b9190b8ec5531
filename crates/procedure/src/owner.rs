//! The marks on everything that Berth creates: who made it, for which document, and the ApplySet it is part of.
//!
//! They are what removal goes by: what does not carry them is never deleted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::read::MANAGED_BY;

/// Label with the document's name.
pub(crate) const DOCUMENT_LABEL: &str = "berth.dev/document";
const APPLY_SET_LABEL: &str = "applyset.kubernetes.io/part-of";

/// The document that an object is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    kind: &'static str,
    namespace: String,
    name: String,
}

impl Owner {
    /// A ManagementCluster document.
    pub(crate) fn management(name: impl Into<String>) -> Self {
        Self {
            kind: "ManagementCluster",
            namespace: String::new(),
            name: name.into(),
        }
    }

    /// A GuestCluster document.
    pub(crate) fn guest(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind: "GuestCluster",
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The labels of an object made for this document.
    pub(crate) fn labels(&self) -> Value {
        json!({ MANAGED_BY.0: MANAGED_BY.1, DOCUMENT_LABEL: self.name, APPLY_SET_LABEL: self.apply_set() })
    }

    /// Adds the labels to an object, beside those it has.
    pub(crate) fn mark(&self, object: &mut Value) {
        let Value::Object(ours) = self.labels() else { return };
        if let Some(labels) = labels_of(object) {
            labels.extend(ours);
        }
    }

    /// The ApplySet's identity as the ApplySet specification computes it, with the document as the parent object.
    fn apply_set(&self) -> String {
        let parent = format!("{}.{}.{}.berth.dev", self.name, self.namespace, self.kind);
        format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(Sha256::digest(parent)))
    }
}

fn labels_of(object: &mut Value) -> Option<&mut Map<String, Value>> {
    let metadata = object
        .as_object_mut()?
        .entry("metadata")
        .or_insert_with(|| json!({}))
        .as_object_mut()?;
    metadata.entry("labels").or_insert_with(|| json!({})).as_object_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_valid_label_values_and_differ_by_document() {
        let [one, other] = [Owner::guest("hcp", "a"), Owner::guest("hcp", "b")].map(|owner| owner.apply_set());
        assert_ne!(one, other);
        assert!(
            one.len() <= 63 && one.starts_with("applyset-") && one.ends_with("-v1"),
            "{one}"
        );
    }

    #[test]
    fn labels_of_the_object_stay() {
        let mut object = json!({ "metadata": { "labels": { "site": "north" } } });
        Owner::management("hub").mark(&mut object);
        assert_eq!(object["metadata"]["labels"]["site"], "north");
        assert_eq!(object["metadata"]["labels"][DOCUMENT_LABEL], "hub");
    }
}
