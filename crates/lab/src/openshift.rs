//! Kinds that OpenShift's own API servers compute from others: projects, which are a view of namespaces.

use berth_apiserver::{Objects, VirtualColumn, VirtualDefinition, VirtualResource};
use serde_json::{Value, json};

/// `projects.project.openshift.io`: namespaces, as `oc project` looks for them.
pub(crate) struct Projects;

impl VirtualResource for Projects {
    fn definition(&self) -> VirtualDefinition {
        let column = |name: &str, json_path: &str| VirtualColumn {
            name: name.to_owned(),
            kind: "string".to_owned(),
            json_path: json_path.to_owned(),
            priority: 0,
        };
        VirtualDefinition {
            group: "project.openshift.io".to_owned(),
            version: "v1".to_owned(),
            kind: "Project".to_owned(),
            plural: "projects".to_owned(),
            namespaced: false,
            columns: vec![
                column("Display Name", r".metadata.annotations.openshift\.io/display-name"),
                column("Status", ".status.phase"),
            ],
            ..VirtualDefinition::default()
        }
    }

    fn list(&self, objects: &Objects<'_>, _: Option<&str>) -> Vec<Value> {
        objects.list("", "namespaces", None).iter().map(project).collect()
    }
}

fn project(namespace: &Value) -> Value {
    let mut metadata = namespace["metadata"].clone();
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("managedFields");
    }
    json!({ "metadata": metadata, "spec": namespace["spec"], "status": { "phase": namespace["status"]["phase"] } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_its_namespace_without_field_owners() {
        let namespace = json!({
            "metadata": { "name": "a", "uid": "1", "managedFields": [{}] },
            "spec": { "finalizers": ["kubernetes"] },
            "status": { "phase": "Active", "conditions": [] },
        });
        let expected = json!({
            "metadata": { "name": "a", "uid": "1" },
            "spec": { "finalizers": ["kubernetes"] },
            "status": { "phase": "Active" },
        });
        assert_eq!(project(&namespace), expected);
    }
}
