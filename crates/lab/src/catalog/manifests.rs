//! PackageManifests: the packages of every catalog whose server answers, as OLM's package server shows them.

use berth_apiserver::{Objects, VirtualColumn, VirtualDefinition, VirtualResource};
use serde_json::{Value, json};

use super::{Bundle, Channel, GLOBAL_NAMESPACE, InstallMode, Package, packages};
use crate::client::{name_of, namespace_of};
use crate::generation::Generation;

/// The virtual kind `packages.operators.coreos.com/v1 PackageManifest`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackageManifests {
    generation: Generation,
}

impl PackageManifests {
    pub(crate) fn new(generation: Generation) -> Self {
        Self { generation }
    }

    fn of_catalog(self, catalog: &Value, namespace: &str) -> Vec<Value> {
        let answers = catalog["status"]["connectionState"]["lastObservedState"] == "READY";
        // The data stand for the images of the catalogs that OpenShift ships; a catalog made elsewhere has none.
        if !answers || namespace_of(catalog) != Some(GLOBAL_NAMESPACE) {
            return Vec::new();
        }
        let offered = packages(self.generation)
            .into_iter()
            .filter(|package| package.catalog == name_of(catalog));
        offered.map(|package| manifest(&package, catalog, namespace)).collect()
    }
}

impl VirtualResource for PackageManifests {
    fn definition(&self) -> VirtualDefinition {
        VirtualDefinition {
            group: "packages.operators.coreos.com".to_owned(),
            version: "v1".to_owned(),
            kind: "PackageManifest".to_owned(),
            plural: "packagemanifests".to_owned(),
            namespaced: true,
            columns: vec![
                column("Catalog", "string", ".status.catalogSourceDisplayName"),
                column("Age", "date", ".metadata.creationTimestamp"),
            ],
            ..VirtualDefinition::default()
        }
    }

    fn list(&self, objects: &Objects<'_>, namespace: Option<&str>) -> Vec<Value> {
        // Global catalogs show in every namespace, under the name of the one that is asked for.
        let shown_in = namespace.unwrap_or(GLOBAL_NAMESPACE);
        let catalogs = objects.list("operators.coreos.com", "catalogsources", Some(GLOBAL_NAMESPACE));
        let mut manifests: Vec<Value> = catalogs
            .iter()
            .flat_map(|catalog| self.of_catalog(catalog, shown_in))
            .collect();
        manifests.sort_by(|a, b| name_of(a).cmp(name_of(b)));
        manifests
    }
}

fn column(name: &str, kind: &str, path: &str) -> VirtualColumn {
    VirtualColumn {
        name: name.to_owned(),
        kind: kind.to_owned(),
        json_path: path.to_owned(),
        priority: 0,
    }
}

fn manifest(package: &Package, catalog: &Value, namespace: &str) -> Value {
    let display_name = catalog["spec"]["displayName"].as_str().unwrap_or_default();
    let publisher = catalog["spec"]["publisher"].as_str().unwrap_or_default();
    json!({
        "metadata": {
            "name": package.name,
            "namespace": namespace,
            "creationTimestamp": catalog["metadata"]["creationTimestamp"],
            "labels": {
                "catalog": package.catalog,
                "catalog-namespace": GLOBAL_NAMESPACE,
                "provider": "Red Hat",
                "operatorframework.io/arch.amd64": "supported",
                "operatorframework.io/os.linux": "supported",
            },
        },
        "spec": {},
        "status": {
            "catalogSource": package.catalog,
            "catalogSourceNamespace": GLOBAL_NAMESPACE,
            "catalogSourceDisplayName": display_name,
            "catalogSourcePublisher": publisher,
            "packageName": package.name,
            "provider": { "name": "Red Hat" },
            "defaultChannel": package.default_channel,
            "channels": package.channels.iter().map(|channel| of_channel(package, channel)).collect::<Vec<_>>(),
        },
    })
}

fn of_channel(package: &Package, channel: &Channel) -> Value {
    let entry = |bundle: &Bundle| json!({ "name": bundle.name, "version": bundle.version });
    let head = channel.head();
    let contents = head.contents();
    let mode =
        |mode: InstallMode| json!({ "type": mode.as_str(), "supported": contents.install_modes.contains(&mode) });
    json!({
        "name": channel.name,
        "currentCSV": head.name,
        "currentCSVDesc": {
            "displayName": package.display_name,
            "version": head.version,
            "description": contents.description,
            "annotations": { "operatorframework.io/suggested-namespace": contents.suggested_namespace },
            "installModes": InstallMode::ALL.map(mode),
            "customresourcedefinitions": { "owned": owned(&contents.crds) },
            "relatedImages": contents.related_images.iter().map(|(_, image)| image).collect::<Vec<_>>(),
        },
        "entries": channel.bundles.iter().map(entry).collect::<Vec<_>>(),
    })
}

/// The definitions that an operator owns, in the form of a ClusterServiceVersion.
pub(crate) fn owned(crds: &[Value]) -> Value {
    let owned = |crd: &Value| {
        json!({
            "name": name_of(crd),
            "kind": crd["spec"]["names"]["kind"],
            "version": crd["spec"]["versions"].as_array().and_then(|versions| versions.last()).map(|version| &version["name"]),
            "displayName": crd["spec"]["names"]["kind"],
        })
    };
    crds.iter().map(owned).collect()
}
