//! The objects of a hosted cluster: namespace, secrets, HostedCluster and NodePools, as `hcp create cluster kubevirt`
//! makes them.
//!
//! Documents and the `hcp` drop-in are both turned into a [`Request`] first; from there on there is one code for both.
//! Secret values stand apart from the shapes of the objects that carry them, so that a shape can be printed.

mod cluster;
mod dialect;
mod from_document;
pub(crate) mod identity;
mod pool;
mod request;
mod schema;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth_api::{GuestCluster, resources};
use serde_json::{Map, Value, json};

use crate::{
    change::{Generate, ObjectRef},
    secret::Secret,
};

pub use dialect::Dialect;
pub(crate) use from_document::by;
pub use from_document::request;
pub use identity::removes_kubeadmin;
pub use request::{Infra, PoolRequest, Publishing, Request, Scaling, SshKey};
pub(crate) use schema::default_of;
pub use schema::{Fault, Misfit, knows_field, misfits, unknown_fields};

/// One object of a hosted cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The object's address.
    pub object: ObjectRef,
    /// The object without secret values: `data` of a Secret is not in it.
    pub fields: Value,
    /// Values of a Secret, by key.
    pub values: BTreeMap<String, Secret>,
    /// Values that are made up when the object is created.
    pub generate: Vec<Generate>,
}

/// The objects of a guest as its document wants it, in the order in which they are written.
pub fn hosted_cluster(guest: &GuestCluster, dialect: Dialect) -> Vec<Rendered> {
    objects(&request(guest), dialect)
}

/// The objects that a request asks for, in the order in which they are written: what others refer to goes first.
pub fn objects(request: &Request, dialect: Dialect) -> Vec<Rendered> {
    let mut objects = vec![Rendered::plain(
        ObjectRef::cluster(resources::NAMESPACE, &request.namespace),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": request.namespace}}),
    )];
    if let Some(bundle) = &request.trust_bundle {
        let metadata = json!({"name": request::TRUST_BUNDLE, "namespace": request.namespace});
        objects.push(Rendered::plain(
            ObjectRef::namespaced(resources::CONFIG_MAP, &request.namespace, request::TRUST_BUNDLE),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca-bundle.crt": bundle}}),
        ));
    }
    objects.extend(secrets(request));
    objects.push(Rendered::plain(
        ObjectRef::namespaced(resources::HOSTED_CLUSTER, &request.namespace, &request.name),
        cluster::render(request, dialect),
    ));
    objects.extend(request.pools.iter().map(|pool| {
        let annotations = pool::annotations(request);
        pool_object(&request.namespace, &request.name, annotations, pool)
    }));
    objects
}

/// A NodePool of a cluster that is there already.
pub fn node_pool(namespace: &str, cluster: &str, pool: &PoolRequest) -> Rendered {
    pool_object(namespace, cluster, None, pool)
}

fn pool_object(namespace: &str, cluster: &str, annotations: Option<Value>, pool: &PoolRequest) -> Rendered {
    Rendered::plain(
        ObjectRef::namespaced(resources::NODE_POOL, namespace, &pool.name),
        pool::render(namespace, cluster, annotations, pool),
    )
}

fn secrets(request: &Request) -> Vec<Rendered> {
    let mut secrets = Vec::new();
    if let Some(content) = request.pull_secret.content() {
        let name = request.pull_secret_name();
        secrets.push(Rendered::secret(
            request,
            &name,
            None,
            [(".dockerconfigjson", content.clone())],
        ));
    }
    if let Some(key) = &request.ssh_key {
        let public = ("id_rsa.pub", Secret::new(key.public.clone()));
        let private = key.private.clone().map(|private| ("id_rsa", private));
        let name = request.ssh_key_name();
        secrets.push(Rendered::secret(
            request,
            &name,
            None,
            std::iter::once(public).chain(private),
        ));
    }
    if let Some(content) = request.infra.as_ref().and_then(|infra| infra.kubeconfig.content()) {
        let name = request.infra_credentials_name();
        secrets.push(Rendered::secret(
            request,
            &name,
            Some("Opaque"),
            [("kubeconfig", content.clone())],
        ));
    }
    if request.encryption_key.is_none() {
        let mut encryption = Rendered::secret(request, &request.etcd_key_name(), Some("Opaque"), []);
        encryption.generate.push(Generate::RandomBytes {
            key: "key".to_owned(),
            length: 32,
        });
        secrets.push(encryption);
    }
    secrets
}

/// Takes out of a HostedCluster what the operator fills in: a document that is applied again and again must leave it that.
pub(crate) fn leave_to_the_operator(cluster: &mut Value) {
    let Some(spec) = cluster.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    let base_domain = spec
        .get("dns")
        .and_then(|dns| dns.get("baseDomain"))
        .and_then(Value::as_str);
    if base_domain.is_none_or(str::is_empty) {
        spec.remove("dns");
    }
    // Present and empty says nothing; `sshKey` stays, as 4.17 requires it.
    for field in ["autoscaling", "capabilities", "configuration"] {
        if spec
            .get(field)
            .and_then(Value::as_object)
            .is_some_and(serde_json::Map::is_empty)
        {
            spec.remove(field);
        }
    }
}

// === impl Rendered ===

impl Rendered {
    fn plain(object: ObjectRef, fields: Value) -> Self {
        Self {
            object,
            fields,
            values: BTreeMap::new(),
            generate: Vec::new(),
        }
    }

    fn secret(
        request: &Request,
        name: &str,
        kind: Option<&str>,
        values: impl IntoIterator<Item = (&'static str, Secret)>,
    ) -> Self {
        let labels = json!({"hypershift.openshift.io/safe-to-delete-with-cluster": "true"});
        let mut fields = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"labels": labels, "name": name, "namespace": request.namespace},
        });
        if let Some(kind) = kind {
            fields["type"] = kind.into();
        }
        Self {
            object: ObjectRef::namespaced(resources::SECRET, &request.namespace, name),
            fields,
            values: values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            generate: Vec::new(),
        }
    }

    /// Whether the object is a Secret.
    pub fn is_secret(&self) -> bool {
        self.object.resource == resources::SECRET
    }

    /// The object with its secret values in place: for writing, never for printing unasked.
    pub fn complete(&self) -> Value {
        let mut object = self.fields.clone();
        if !self.values.is_empty() {
            let data: Map<String, Value> = self
                .values
                .iter()
                .map(|(key, value)| (key.clone(), STANDARD.encode(value.reveal()).into()))
                .collect();
            object["data"] = Value::Object(data);
        }
        object
    }
}

#[cfg(test)]
mod tests;
