//! What an object has and a document's fields don't say: as `overrides`.

use berth_api::GuestCluster;
use serde_json::{Map, Value};

use super::{Found, rendered};
use crate::checks::fields::is_within;
use crate::read::name;
use crate::render::default_of;

/// Fields that the operator or the server fills in.
const FILLED_IN: [&str; 5] = [
    "spec.clusterID",
    "spec.infraID",
    "spec.issuerURL",
    "spec.networking.allocateNodeCIDRs",
    "spec.platform.kubevirt.generateID",
];

/// Puts what is missing into a document's overrides.
pub(super) fn put(document: &mut Value, guest: &GuestCluster, found: &Found<'_>) {
    let passthrough = guest.spec.base_domain.is_none();
    for (is_pool, object, wanted) in rendered(guest) {
        let (live, schema) = if is_pool {
            (found.pools.iter().find(|pool| name(pool) == object), found.schemas.1)
        } else {
            (Some(found.cluster), found.schemas.0)
        };
        let Some(live) = live.and_then(|live| live.get("spec")) else {
            continue;
        };
        let walk = Walk { schema, passthrough };
        let Some(rest) = walk.rest("spec", Some(&wanted["spec"]), Some(live)) else {
            continue;
        };
        if is_pool {
            let index = guest
                .spec
                .node_pools
                .iter()
                .position(|pool| guest.node_pool_name(pool) == object);
            if let Some(index) = index {
                document["spec"]["nodePools"][index]["overrides"] = rest;
            }
        } else {
            document["spec"]["overrides"]["hostedCluster"] = rest;
        }
    }
}

struct Walk<'a> {
    schema: Option<&'a Value>,
    /// Whether the base domain is the management cluster's to give.
    passthrough: bool,
}

impl Walk<'_> {
    /// The merge patch that makes what is rendered what is there; `None` where it is.
    fn rest(&self, path: &str, rendered: Option<&Value>, live: Option<&Value>) -> Option<Value> {
        match (rendered, live) {
            (Some(Value::Object(rendered)), Some(Value::Object(live))) => {
                let mut rest = Map::new();
                let names = rendered
                    .keys()
                    .chain(live.keys().filter(|name| !rendered.contains_key(*name)));
                for name in names {
                    let path = format!("{path}.{name}");
                    rest.extend(
                        self.rest(&path, rendered.get(name), live.get(name))
                            .map(|value| (name.clone(), value)),
                    );
                }
                (!rest.is_empty()).then_some(Value::Object(rest))
            }
            // A map that is empty says nothing, whoever has it.
            (Some(Value::Object(fields)), None) if fields.is_empty() => None,
            (Some(Value::String(text)), _) if text.is_empty() => None,
            (Some(_), None) => Some(Value::Null),
            (Some(rendered), Some(live)) => (!is_within(rendered, live)).then(|| live.clone()),
            (None, Some(live)) => self.added(path, live),
            (None, None) => None,
        }
    }

    /// What is there and not rendered, without what fills itself in.
    fn added(&self, path: &str, live: &Value) -> Option<Value> {
        let fills_itself_in = FILLED_IN.contains(&path) || (self.passthrough && path == "spec.dns.baseDomain");
        let is_default = self.schema.and_then(|schema| default_of(schema, path)) == Some(live);
        if fills_itself_in || is_default || live.is_null() || *live == "" {
            return None;
        }
        let Value::Object(fields) = live else {
            return Some(live.clone());
        };
        let kept: Map<String, Value> = fields
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), self.added(&format!("{path}.{name}"), value)?)))
            .collect();
        (!kept.is_empty()).then_some(Value::Object(kept))
    }
}
