//! Kinds of OpenShift's own API servers: projects, which are a view of namespaces, and those of users and their tokens.

use berth_apiserver::{Objects, VirtualColumn, VirtualDefinition, VirtualResource};
use serde_json::{Value, json};

use crate::kind::{
    GROUP, IDENTITY, Kind, OAUTH_ACCESS_TOKEN, OAUTH_AUTHORIZE_TOKEN, OAUTH_CLIENT, OAUTH_CLIENT_AUTHORIZATION, USER,
    USER_IDENTITY_MAPPING,
};

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

/// `useridentitymappings.user.openshift.io`: which user an identity is, from both objects.
pub(crate) struct UserIdentityMappings;

impl VirtualResource for UserIdentityMappings {
    fn definition(&self) -> VirtualDefinition {
        definition(USER_IDENTITY_MAPPING, &[])
    }

    fn list(&self, objects: &Objects<'_>, _: Option<&str>) -> Vec<Value> {
        let identities = objects.list(IDENTITY.group, IDENTITY.plural, None);
        identities
            .iter()
            .filter(|identity| identity["user"]["name"].is_string())
            .map(mapping)
            .collect()
    }
}

fn mapping(identity: &Value) -> Value {
    let metadata = json!({
        "name": identity["metadata"]["name"],
        "uid": identity["metadata"]["uid"],
        "resourceVersion": identity["metadata"]["resourceVersion"],
    });
    let reference = json!({ "name": identity["metadata"]["name"], "uid": identity["metadata"]["uid"] });
    json!({ "metadata": metadata, "identity": reference, "user": identity["user"] })
}

/// The kinds of users and of their tokens, as OpenShift's own API server stores them.
pub(crate) fn oauth_kinds() -> Vec<VirtualDefinition> {
    vec![
        definition(
            USER,
            &[
                ("UID", ".metadata.uid"),
                ("Full Name", ".fullName"),
                ("Identities", ".identities"),
            ],
        ),
        definition(GROUP, &[("Users", ".users")]),
        definition(
            IDENTITY,
            &[
                ("IDP Name", ".providerName"),
                ("IDP User Name", ".providerUserName"),
                ("User Name", ".user.name"),
                ("User UID", ".user.uid"),
            ],
        ),
        definition(
            OAUTH_CLIENT,
            &[
                ("WWW-Challenge", ".respondWithChallenges"),
                ("Redirect URIs", ".redirectURIs"),
            ],
        ),
        definition(
            OAUTH_CLIENT_AUTHORIZATION,
            &[
                ("User Name", ".userName"),
                ("Client Name", ".clientName"),
                ("Scopes", ".scopes"),
            ],
        ),
        definition(
            OAUTH_ACCESS_TOKEN,
            &[
                ("User Name", ".userName"),
                ("Client Name", ".clientName"),
                ("Created", ".metadata.creationTimestamp"),
                ("Expires", ".expiresIn"),
                ("Redirect URI", ".redirectURI"),
                ("Scopes", ".scopes"),
            ],
        ),
        definition(
            OAUTH_AUTHORIZE_TOKEN,
            &[
                ("User Name", ".userName"),
                ("Client Name", ".clientName"),
                ("Scopes", ".scopes"),
            ],
        ),
    ]
}

fn definition(kind: Kind, columns: &[(&str, &str)]) -> VirtualDefinition {
    let column = |(name, json_path): &(&str, &str)| VirtualColumn {
        name: (*name).to_owned(),
        kind: "string".to_owned(),
        json_path: (*json_path).to_owned(),
        priority: 0,
    };
    VirtualDefinition {
        group: kind.group.to_owned(),
        version: kind.version.to_owned(),
        kind: kind.kind.to_owned(),
        plural: kind.plural.to_owned(),
        namespaced: kind.namespaced,
        columns: columns.iter().map(column).collect(),
        ..VirtualDefinition::default()
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
