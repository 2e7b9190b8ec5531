//! Which update channel of the multicluster engine's operator fits this hub.

use berth_api::{Channel, MulticlusterEngine, views};
use serde_json::Value;

use crate::assess::Diagnosis;
use crate::facts::{Facts, Selector};
use crate::read::{objects, text};
use crate::steps::hub;
use crate::versions;
use crate::walk::{diagnosis, olm};

/// The channel: the document's, else the installed one, else the one that fits this hub.
///
/// An installed channel stays even where a newer one fits by now: moving on is an upgrade, and upgrades are asked for.
pub(crate) fn channel(facts: &Facts, settings: &MulticlusterEngine) -> Result<String, Diagnosis> {
    if let Channel::Named(channel) = &settings.channel {
        return Ok(channel.clone());
    }
    let installed = hub::subscription(facts, settings);
    if let Some(channel) = installed.and_then(|subscription| text(subscription, &["spec", "channel"])) {
        return Ok(channel.to_owned());
    }
    let unsolved = |title: String, evidence: Vec<String>, fix: &str| {
        diagnosis(
            "P09",
            title,
            format!("PackageManifest {}", settings.package),
            evidence,
            fix,
        )
    };
    let Some(manifest) = manifest(facts, settings) else {
        return Err(unsolved(
            format!("no catalog offers the package {}", settings.package),
            vec![format!(
                "catalog {}/{}",
                settings.catalog.namespace, settings.catalog.name
            )],
            "check that the catalog is there and healthy: oc get catalogsources,pods -n openshift-marketplace",
        ));
    };
    let Some(version) = hub::openshift_version(facts) else {
        return Err(unsolved(
            "the management cluster's OpenShift version is not known".to_owned(),
            vec!["ClusterVersion version has no completed update".to_owned()],
            "name a channel in `spec.multiclusterEngine.channel`",
        ));
    };
    let offered: Vec<_> = views::channels(manifest).collect();
    versions::solve_channel(version, &offered, views::default_channel(manifest)).map_err(|error| {
        unsolved(
            error.to_string(),
            vec![
                format!("OpenShift {version}"),
                format!("offered: {}", offered.join(", ")),
            ],
            "name a channel in `spec.multiclusterEngine.channel`, or use a catalog of this OpenShift's version",
        )
    })
}

/// What catalogs say of the package.
pub(crate) fn manifests(settings: &MulticlusterEngine) -> Selector {
    olm::manifests(&settings.catalog.namespace, &settings.package)
}

/// The catalog's word on the package. Two catalogs may publish the same one.
pub(crate) fn manifest<'a>(facts: &'a Facts, settings: &MulticlusterEngine) -> Option<&'a Value> {
    objects(facts, &manifests(settings)).find(|manifest| {
        text(manifest, &["status", "catalogSource"]).is_none_or(|source| source == settings.catalog.name)
    })
}
