//! What conversion webhooks do, where a kind is served in versions of different forms: Cluster API's in the current
//! generation. Pure; the API server calls it.

mod cluster_api;
mod duration;

use berth_apiserver::Converter;
use serde_json::Value;

/// The conversions of all kinds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conversions;

impl Converter for Conversions {
    fn converts(&self, group: &str, plural: &str) -> bool {
        group == cluster_api::GROUP && cluster_api::KINDS.contains(&plural)
    }

    fn convert(&self, _: &str, plural: &str, mut object: Value, from: &str, to: &str) -> Value {
        match (from, to) {
            (cluster_api::OLD, cluster_api::NEW) => cluster_api::upgrade(plural, &mut object),
            (cluster_api::NEW, cluster_api::OLD) => cluster_api::downgrade(plural, &mut object),
            _ => {}
        }
        object
    }
}
