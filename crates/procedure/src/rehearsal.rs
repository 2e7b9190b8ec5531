//! What runs on a hub, as far as the order of upgrades goes. Pure; the order itself is in `versions`.

use berth_api::{resources, views};
use serde_json::Value;

use crate::facts::{Facts, Selector};
use crate::read::{name, objects, text};
use crate::steps::hub::openshift_version;
use crate::upgrade::completed;
use crate::versions::{Fleet, Member, Minor, of_image};

/// What [`fleet`] reads.
pub fn watches() -> Vec<Selector> {
    vec![
        Selector::cluster(resources::CLUSTER_VERSION, "version"),
        Selector::all(resources::MULTI_CLUSTER_ENGINE),
        Selector::all(resources::MULTI_CLUSTER_HUB),
        Selector::all(resources::HOSTED_CLUSTER),
        Selector::all(resources::NODE_POOL),
    ]
}

/// What runs; the name of what could not be told otherwise.
pub fn fleet(facts: &Facts) -> Result<Fleet, &'static str> {
    let hub = openshift_version(facts).and_then(|version| version.parse().ok());
    let engines = Selector::all(resources::MULTI_CLUSTER_ENGINE);
    let engine = objects(facts, &engines)
        .next()
        .and_then(|engine| text(engine, &["status", "currentVersion"]));
    let pools: Vec<&Value> = objects(facts, &Selector::all(resources::NODE_POOL)).collect();
    let member = |cluster: &Value| {
        let metadata = views::metadata(cluster);
        let namespace = metadata.namespace.unwrap_or_default();
        let control_plane = release(completed(cluster).map(|(version, _)| version), cluster)?;
        let own = pools.iter().filter(|pool| {
            text(pool, &["spec", "clusterName"]) == Some(metadata.name)
                && views::metadata(pool).namespace == Some(namespace)
        });
        let own = own.filter_map(|pool| {
            Some((
                name(pool).to_owned(),
                release(text(pool, &["status", "version"]), pool)?,
            ))
        });
        Some(Member {
            name: format!("{namespace}/{}", metadata.name),
            control_plane,
            pools: own.collect(),
        })
    };
    Ok(Fleet {
        hub: hub.ok_or("the management cluster's version")?,
        engine: engine
            .and_then(|version| version.parse().ok())
            .ok_or("the multicluster engine's version")?,
        with_acm: objects(facts, &Selector::all(resources::MULTI_CLUSTER_HUB))
            .next()
            .is_some(),
        guests: objects(facts, &Selector::all(resources::HOSTED_CLUSTER))
            .filter_map(member)
            .collect(),
    })
}

/// The version that is told, or that of the image's tag.
fn release(told: Option<&str>, object: &Value) -> Option<Minor> {
    told.and_then(|version| version.parse().ok())
        .or_else(|| of_image(views::release_image(object)?))
}
