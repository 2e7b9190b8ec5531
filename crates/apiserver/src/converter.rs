//! Conversion between the versions of a custom kind: what a conversion webhook does, in process.

use std::sync::Arc;

use serde_json::Value;

/// Converts the objects of custom kinds from one of their versions to another.
///
/// It is asked for kinds whose CRD has the conversion strategy `Webhook`, in place of the webhook, which is never called.
/// Objects are kept in the storage version, as a real server keeps them: what is written in another version is converted
/// once, and what is read in another version once more. Kinds that it does not convert are served as with the strategy
/// `None`. What was stored before a kind's strategy changed is taken for an object of the storage version.
pub trait Converter: Send + Sync {
    /// Whether it converts the objects of a kind.
    fn converts(&self, group: &str, plural: &str) -> bool;

    /// The object in version `to`, of which fields that this version does not have are dropped afterwards. `apiVersion` and
    /// `kind` are the server's to set; name, namespace and uid must stay.
    fn convert(&self, group: &str, plural: &str, object: Value, from: &str, to: &str) -> Value;
}

/// How one version of a kind gets to the stored one and back.
#[derive(Clone)]
pub(crate) struct Conversion {
    pub(crate) converter: Arc<dyn Converter>,
    /// The version that is stored.
    pub(crate) storage: String,
}
