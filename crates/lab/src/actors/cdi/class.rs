//! Which class and modes the claim of a DataVolume gets: what it asks for, else the virtualization default, else the
//! default; modes from the class's StorageProfile.

use serde_json::{Value, json};

use crate::actor::Context;
use crate::actors::SIMULATED;
use crate::client::{Result, name_of};
use crate::kind::{DATA_VOLUME, STORAGE_CLASS, STORAGE_PROFILE};
use crate::objects::{annotation, owner};

/// The claim of a DataVolume. Without any class it has none, and waits.
pub(super) async fn claim(context: &Context, volume: &Value) -> Result<Value> {
    let spec = &volume["spec"];
    let asked = if spec["storage"].is_object() {
        &spec["storage"]
    } else {
        &spec["pvc"]
    };
    let class = match asked["storageClassName"].as_str() {
        Some(class) => Some(class.to_owned()),
        None => default_class(&context.client.list(STORAGE_CLASS, None, "").await?),
    };
    let profile = match &class {
        Some(class) => context
            .client
            .get(STORAGE_PROFILE, None, class)
            .await?
            .unwrap_or_default(),
        None => Value::Null,
    };
    let set = &profile["status"]["claimPropertySets"][0];
    let first = |field: &str, fallback: Value| {
        [&asked[field], &set[field]]
            .into_iter()
            .find(|value| !value.is_null())
            .cloned()
            .unwrap_or(fallback)
    };
    let mut claim = json!({
        "accessModes": first("accessModes", json!(["ReadWriteOnce"])),
        "volumeMode": first("volumeMode", json!("Filesystem")),
        "resources": asked["resources"],
    });
    if let Some(class) = class {
        claim["storageClassName"] = class.into();
    }
    let mut labels = volume["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.insert("app".to_owned(), "containerized-data-importer".into());
    Ok(json!({
        "metadata": {
            "name": name_of(volume),
            "namespace": volume["metadata"]["namespace"],
            "labels": labels,
            "annotations": { SIMULATED: "true", "cdi.kubevirt.io/storage.import.source": "registry" },
            "ownerReferences": [owner(DATA_VOLUME, volume)],
        },
        "spec": claim,
    }))
}

/// Of several defaults the newest counts.
fn default_class(classes: &[Value]) -> Option<String> {
    [
        "storageclass.kubevirt.io/is-default-virt-class",
        "storageclass.kubernetes.io/is-default-class",
    ]
    .into_iter()
    .find_map(|mark| {
        let marked = classes.iter().filter(|class| annotation(class, mark) == Some("true"));
        let newest = marked.max_by_key(|class| {
            (
                class["metadata"]["creationTimestamp"].as_str().unwrap_or_default(),
                name_of(class),
            )
        });
        newest.map(|class| name_of(class).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str, mark: &str) -> Value {
        json!({ "metadata": { "name": name, "annotations": { mark: "true" } } })
    }

    #[test]
    fn the_virtualization_default_comes_before_the_default() {
        let plain = class("plain", "storageclass.kubernetes.io/is-default-class");
        let virtualization = class("virt", "storageclass.kubevirt.io/is-default-virt-class");
        assert_eq!(default_class(&[plain.clone(), virtualization]).as_deref(), Some("virt"));
        assert_eq!(default_class(&[plain]).as_deref(), Some("plain"));
        assert_eq!(default_class(&[json!({ "metadata": { "name": "none" } })]), None);
    }
}
