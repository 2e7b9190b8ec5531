//! Which kinds there are: built in, custom, virtual. A value: it is replaced as a whole when a CRD changes.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
};

use bytes::Bytes;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    VirtualDefinition, VirtualResource, builtin,
    resource::{NameRule, PrinterOf, Resource, Rules, SchemaOf, Source},
    schema::Schema,
    store::ResourceId,
    table,
};

/// All kinds that are served.
pub(crate) struct Registry {
    fixed: Vec<Arc<Resource>>,
    /// Versions of custom kinds, by the name of their CRD.
    custom: BTreeMap<String, Vec<Arc<Resource>>>,
    groups: Vec<Group>,
    /// Discovery documents, written when first asked for.
    pub(crate) documents: Documents,
}

/// An API group, or the core group (no name).
pub(crate) struct Group {
    pub(crate) name: String,
    /// The preferred one first.
    pub(crate) versions: Vec<Version>,
}

pub(crate) struct Version {
    pub(crate) name: String,
    pub(crate) resources: Vec<Arc<Resource>>,
}

/// A document and its ETag.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) etag: String,
    pub(crate) body: Bytes,
}

impl Document {
    pub(crate) fn new(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let etag = format!("{:X}", Sha256::digest(&body));
        Self { etag, body }
    }
}

#[derive(Default)]
pub(crate) struct Documents {
    pub(crate) core: OnceLock<Document>,
    pub(crate) groups: OnceLock<Document>,
    pub(crate) openapi_v2: OnceLock<Document>,
    pub(crate) openapi_v2_protobuf: OnceLock<Document>,
    /// By the path below `/openapi/v3/`. Most stay right when a CRD changes: their etags tell, and are made without them.
    pub(crate) openapi_v3: Arc<Mutex<BTreeMap<String, Document>>>,
}

// === impl Registry ===

impl Registry {
    /// The built-in kinds, those that are computed, and those that are stored as they are written.
    pub(crate) fn new(virtual_resources: &[Arc<dyn VirtualResource>], stored: Vec<VirtualDefinition>) -> Self {
        let mut fixed = builtin::resources();
        fixed.extend(
            virtual_resources
                .iter()
                .map(|resource| Arc::new(virtual_kind(resource))),
        );
        let as_written = |definition| {
            let source = Source::Custom { terminating: false };
            Arc::new(kind(definition, source, builtin::ALL_VERBS))
        };
        fixed.extend(stored.into_iter().map(as_written));
        Self::of(fixed, BTreeMap::new())
    }

    /// The same with these versions of a custom kind; none takes the kind away.
    pub(crate) fn with_custom(&self, crd: &str, versions: Vec<Resource>) -> Self {
        let mut custom = self.custom.clone();
        if versions.is_empty() {
            custom.remove(crd);
        } else {
            custom.insert(crd.to_owned(), versions.into_iter().map(Arc::new).collect());
        }
        let mut changed = Self::of(self.fixed.clone(), custom);
        changed.documents.openapi_v3 = Arc::clone(&self.documents.openapi_v3);
        changed
    }

    /// What the versions of a custom kind are filed under.
    pub(crate) fn ids_of(&self, crd: &str) -> Vec<ResourceId> {
        self.custom
            .get(crd)
            .into_iter()
            .flatten()
            .map(|resource| resource.id.clone())
            .collect()
    }

    fn of(fixed: Vec<Arc<Resource>>, custom: BTreeMap<String, Vec<Arc<Resource>>>) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut added: Vec<&Arc<Resource>> = custom.values().flatten().collect();
        // Groups of custom kinds come after the built-in ones, by name.
        added.sort_by(|one, two| (one.group(), one.plural()).cmp(&(two.group(), two.plural())));
        for resource in fixed.iter().chain(added) {
            add(&mut groups, resource);
        }
        for group in &mut groups {
            group.versions.sort_by(|one, two| by_priority(&one.name, &two.name));
        }
        Self {
            fixed,
            custom,
            groups,
            documents: Documents::default(),
        }
    }

    /// Groups in the order in which they are published, the core group first.
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub(crate) fn version(&self, group: &str, version: &str) -> Option<&Version> {
        let group = self.groups.iter().find(|candidate| candidate.name == group)?;
        group.versions.iter().find(|candidate| candidate.name == version)
    }

    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.version(group, version)?
            .resources
            .iter()
            .find(|resource| resource.plural() == plural)
    }

    /// The preferred version of what is filed under an id.
    pub(crate) fn stored(&self, id: &ResourceId) -> Option<&Arc<Resource>> {
        let group = self.groups.iter().find(|group| group.name == id.group())?;
        group
            .versions
            .iter()
            .find_map(|version| version.resources.iter().find(|resource| resource.id == *id))
    }

    /// The preferred version of a kind.
    pub(crate) fn of_kind(&self, group: &str, kind: &str) -> Option<&Arc<Resource>> {
        let group = self.groups.iter().find(|candidate| candidate.name == group)?;
        let resources = group.versions.iter().flat_map(|version| &version.resources);
        resources.into_iter().find(|resource| resource.kind == kind)
    }

    /// A built-in kind that is known to be there.
    pub(crate) fn built_in(&self, group: &str, plural: &str) -> &Arc<Resource> {
        self.stored(&ResourceId::new(group, plural))
            .expect("built-in kinds are always registered")
    }

    /// Kinds that another than this CRD brought, of a group.
    pub(crate) fn others_of_group<'a>(
        &'a self,
        crd: &'a str,
        group: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Resource>> {
        let custom = self
            .custom
            .iter()
            .filter(move |(name, _)| *name != crd)
            .flat_map(|(_, versions)| versions);
        custom
            .chain(&self.fixed)
            .filter(move |resource| resource.group() == group)
    }
}

fn add(groups: &mut Vec<Group>, resource: &Arc<Resource>) {
    let index = groups
        .iter()
        .position(|group| group.name == resource.group())
        .unwrap_or_else(|| {
            groups.push(Group {
                name: resource.group().to_owned(),
                versions: Vec::new(),
            });
            groups.len() - 1
        });
    let versions = &mut groups[index].versions;
    let index = versions
        .iter()
        .position(|version| version.name == resource.version)
        .unwrap_or_else(|| {
            versions.push(Version {
                name: resource.version.clone(),
                resources: Vec::new(),
            });
            versions.len() - 1
        });
    versions[index].resources.push(Arc::clone(resource));
}

fn virtual_kind(resource: &Arc<dyn VirtualResource>) -> Resource {
    kind(
        resource.definition(),
        Source::Virtual(Arc::clone(resource)),
        &["get", "list"],
    )
}

/// A kind without a schema.
fn kind(definition: VirtualDefinition, source: Source, verbs: &'static [&'static str]) -> Resource {
    let columns: Vec<_> = definition
        .columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name,
                "type": column.kind,
                "jsonPath": column.json_path,
                "priority": column.priority,
            })
        })
        .collect();
    Resource {
        id: ResourceId::new(&definition.group, &definition.plural),
        version: definition.version,
        list_kind: format!("{}List", definition.kind),
        singular: definition.kind.to_lowercase(),
        kind: definition.kind,
        short_names: definition.short_names,
        categories: definition.categories,
        namespaced: definition.namespaced,
        verbs,
        status: false,
        scale: None,
        source,
        schema: SchemaOf::Custom(Arc::new(Schema::anything()), 0),
        conversion: None,
        printer: PrinterOf::Custom(table::from_crd(&columns.into())),
        selectable: Vec::new(),
        rules: Rules {
            name: NameRule::PathSegment,
            generation: false,
            returns_deleted: false,
            needs_version: false,
            create_on_update: false,
            orphans: false,
        },
        deprecation: None,
    }
}

/// The order of API versions: stable before beta before alpha, higher numbers first, anything else last and by name.
pub(crate) fn by_priority(one: &str, two: &str) -> Ordering {
    match (rank(one), rank(two)) {
        (Some(one), Some(two)) => two.cmp(&one),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => one.cmp(two),
    }
}

/// (stability, major, minor) of a version such as `v1beta2`.
fn rank(version: &str) -> Option<(u8, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    for (word, stability) in [("alpha", 0), ("beta", 1)] {
        if let Some((major, minor)) = rest.split_once(word) {
            return Some((
                stability,
                major.parse().ok()?,
                if minor.is_empty() { 0 } else { minor.parse().ok()? },
            ));
        }
    }
    Some((2, rest.parse().ok()?, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_stability_and_then_number() {
        let mut versions = [
            "v1alpha1", "foo", "v1", "v2beta1", "v10", "v1beta10", "v1beta2", "v2", "bar",
        ];
        versions.sort_by(|one, two| by_priority(one, two));
        assert_eq!(
            versions,
            [
                "v10", "v2", "v1", "v2beta1", "v1beta10", "v1beta2", "v1alpha1", "bar", "foo"
            ]
        );
    }

    #[test]
    fn the_core_group_is_first() {
        let registry = Registry::new(&[], Vec::new());
        assert_eq!(registry.groups()[0].name, "");
        assert_eq!(registry.built_in("apps", "deployments").kind, "Deployment");
    }
}
