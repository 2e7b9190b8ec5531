//! How `hcp` prints objects, and what it adds when it writes them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth_api::{resources, yaml};
use serde_json::{Value, json};

use super::Outside;
use crate::{
    change::Generate,
    render::{Dialect, Rendered},
};

/// What `--render` prints: each object followed by a line `---`. Secrets only where they are asked for.
pub fn to_stdout(objects: &[Rendered], sensitive: bool, outside: &mut Outside<'_>, dialect: Dialect) -> String {
    let shown = objects.iter().filter(|object| sensitive || !object.is_secret());
    shown
        .map(|object| yaml::to_string(&printed(object, outside, dialect)) + "---\n")
        .collect()
}

/// What `create nodepool --render` prints: the object alone.
pub fn node_pool_to_stdout(node_pool: &Rendered, outside: &mut Outside<'_>, dialect: Dialect) -> String {
    yaml::to_string(&printed(node_pool, outside, dialect))
}

/// An object as Go prints its type: with the empty fields that the type always has.
fn printed(rendered: &Rendered, outside: &mut Outside<'_>, dialect: Dialect) -> Value {
    let mut object = rendered.complete();
    for Generate::RandomBytes { key, length } in &rendered.generate {
        let mut bytes = vec![0; *length];
        (outside.random)(&mut bytes);
        object["data"][key] = STANDARD.encode(bytes).into();
    }
    if dialect.prints_creation_timestamp() {
        object["metadata"]["creationTimestamp"] = Value::Null;
    }
    let resource = rendered.object.resource;
    if resource == resources::NAMESPACE {
        object["spec"] = json!({});
        object["status"] = json!({});
    } else if resource == resources::HOSTED_CLUSTER {
        object["status"] = json!({"controlPlaneEndpoint": {"host": "", "port": 0}});
    } else if resource == resources::NODE_POOL {
        object["status"] = json!({"replicas": 0});
    }
    object
}

/// The objects with the label that `hcp` adds when it writes them, by which it finds them again.
pub fn labelled_for_infra(objects: Vec<Rendered>, infra_id: &str) -> Vec<Rendered> {
    let label = |mut object: Rendered| {
        object.fields["metadata"]["labels"]["hypershift.openshift.io/auto-created-for-infra"] = infra_id.into();
        object
    };
    objects.into_iter().map(label).collect()
}
