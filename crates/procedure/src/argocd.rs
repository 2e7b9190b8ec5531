//! Guests as a tree of files for Argo CD: what refers to nothing goes first (sync waves), health as HyperShift tells it.
//!
//! The objects carry none of Berth's marks, as they are the repository's. Secrets are in it by reference only: either they
//! are there before, or an ExternalSecret fetches each from a store. The hub's own operators are not in the tree.

use berth_api::{Documents, GuestCluster, yaml};
use serde_json::{Value, json};

use crate::render::{self, Dialect, Rendered};

const WAVE: &str = "argocd.argoproj.io/sync-wave";
const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
const HEALTH_CLUSTER: &str = include_str!("argocd/hosted_cluster.lua");
const HEALTH_POOL: &str = include_str!("argocd/node_pool.lua");

/// Where the tree will be, and where its secrets come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The repository's address.
    pub repository: String,
    /// The tree's folder in it.
    pub path: String,
    /// The namespace that Argo CD runs in.
    pub namespace: String,
    /// A ClusterSecretStore of the External Secrets operator.
    pub secret_store: Option<String>,
}

/// Files to write, and what must be there besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Each file's path in the tree, and its text.
    pub files: Vec<(String, String)>,
    /// What the tree refers to and does not hold.
    pub needs: Vec<String>,
    /// What the documents say and the tree does not, each with the reason.
    pub left_out: Vec<String>,
}

/// The tree of all guests.
pub fn tree(documents: &Documents, options: &Options) -> Tree {
    let mut tree = Tree::default();
    let mut folders = Vec::new();
    for guest in &documents.guests {
        let folder = format!("{}/{}", guest.namespace, guest.name);
        let files = guest_files(guest, options, &mut tree.needs);
        let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
        tree.files
            .push((format!("{folder}/kustomization.yaml"), kustomization(&names)));
        tree.files
            .extend(files.into_iter().map(|(name, text)| (format!("{folder}/{name}"), text)));
        folders.push(folder);
        if guest.spec.identity.is_some() {
            // A sync would end kubeadmin without a proven way in, and could not go back.
            tree.left_out.push(format!(
                "spec.identity of GuestCluster {}/{}: `up` puts a login in place behind a proven way in, a sync can't; it sets \
                 fields that the tree does not have",
                guest.namespace, guest.name
            ));
        }
    }
    tree.files
        .push(("kustomization.yaml".to_owned(), kustomization(&folders)));
    tree.files.push((
        "argocd/application.yaml".to_owned(),
        yaml::to_string(&application(options)),
    ));
    tree.files.push(("argocd/health.yaml".to_owned(), health(options)));
    tree.files.push(("argocd/rbac.yaml".to_owned(), rbac(options)));
    tree.files.sort();
    tree
}

fn guest_files(guest: &GuestCluster, options: &Options, needs: &mut Vec<String>) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for rendered in render::hosted_cluster(guest, Dialect::default()) {
        let (kind, name) = (rendered.object.resource.kind, rendered.object.name.clone());
        let object = if !rendered.is_secret() {
            plain(guest, rendered)
        } else if !rendered.generate.is_empty() {
            // Without a key that is named, the operator makes one.
            continue;
        } else if let Some(store) = &options.secret_store {
            external_secret(&rendered, store)
        } else {
            let keys: Vec<&str> = rendered.values.keys().map(String::as_str).collect();
            needs.push(format!("{} with the key {}", rendered.object, keys.join(", ")));
            continue;
        };
        let kind = object["kind"].as_str().unwrap_or(kind).to_lowercase();
        files.push((format!("{kind}-{name}.yaml"), yaml::to_string(&object)));
    }
    files
}

/// An object with its wave, and without what the operator fills in.
fn plain(guest: &GuestCluster, rendered: Rendered) -> Value {
    let mut object = rendered.fields;
    let (wave, options) = match rendered.object.resource.kind {
        "Namespace" => ("-3", Some("Prune=false")),
        "HostedCluster" => ("0", Some("Prune=confirm,Delete=confirm")),
        "NodePool" => ("1", None),
        _ => ("-2", None),
    };
    if rendered.object.resource.kind == "HostedCluster" {
        render::leave_to_the_operator(&mut object);
        if guest.spec.control_plane.encryption.is_none()
            && let Some(spec) = object["spec"].as_object_mut()
        {
            spec.remove("secretEncryption");
        }
    }
    annotate(&mut object, wave, options);
    object
}

fn annotate(object: &mut Value, wave: &str, options: Option<&str>) {
    object["metadata"]["annotations"][WAVE] = wave.into();
    if let Some(options) = options {
        object["metadata"]["annotations"][SYNC_OPTIONS] = options.into();
    }
}

/// What the External Secrets operator makes a Secret of; its values are in the store below `<namespace>/<name>`.
fn external_secret(secret: &Rendered, store: &str) -> Value {
    let name = &secret.object.name;
    let namespace = secret.object.namespace.as_deref().unwrap_or_default();
    let entry =
        |key: &String| json!({"secretKey": key, "remoteRef": {"key": format!("{namespace}/{name}"), "property": key}});
    let mut object = json!({
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
            "target": {"name": name, "template": {"metadata": {"labels": secret.fields["metadata"]["labels"]}}},
            "data": secret.values.keys().map(entry).collect::<Vec<_>>(),
        },
    });
    annotate(&mut object, "-2", None);
    object
}

fn kustomization(resources: &[String]) -> String {
    yaml::to_string(&json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources,
    }))
}

fn application(options: &Options) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "guests", "namespace": options.namespace},
        "spec": {
            "project": "default",
            "source": {"repoURL": options.repository, "path": options.path, "targetRevision": "HEAD"},
            "destination": {"server": "https://kubernetes.default.svc"},
            "syncPolicy": {
                "syncOptions": ["ServerSideApply=true"],
                "retry": {"limit": 10, "backoff": {"duration": "30s", "factor": 2, "maxDuration": "10m"}},
            },
        },
    })
}

/// What Argo CD is told once: how healthy the two kinds are.
fn health(options: &Options) -> String {
    let namespace = &options.namespace;
    let parts = [("HostedCluster", HEALTH_CLUSTER), ("NodePool", HEALTH_POOL)];
    let data: serde_json::Map<String, Value> = parts
        .into_iter()
        .map(|(kind, lua)| {
            let key = format!("resource.customizations.health.hypershift.openshift.io_{kind}");
            (key, lua.into())
        })
        .collect();
    let map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "argocd"}},
        "data": data,
    });
    format!(
        "# Merge it into Argo CD's configuration once: kubectl apply --server-side -f argocd/health.yaml\n# With the OpenShift \
         GitOps operator the same texts go into spec.resourceHealthChecks of the ArgoCD object.\n{}",
        yaml::to_string(&map)
    )
}

/// What Argo CD must be allowed besides what it is from the start.
fn rbac(options: &Options) -> String {
    let name = "argocd-guests";
    let all = ["create", "delete", "get", "list", "patch", "update", "watch"];
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [
            {"apiGroups": [""], "resources": ["namespaces", "configmaps"], "verbs": all},
            {"apiGroups": ["hypershift.openshift.io"], "resources": ["hostedclusters", "nodepools"], "verbs": all},
            {"apiGroups": ["external-secrets.io"], "resources": ["externalsecrets"], "verbs": all},
        ],
    });
    let account = format!("{}-argocd-application-controller", options.namespace);
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": options.namespace}],
    });
    format!("{}---\n{}", yaml::to_string(&role), yaml::to_string(&binding))
}

#[cfg(test)]
mod tests;
