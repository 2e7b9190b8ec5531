//! Rules about single fields: those that this hub's HyperShift does not know or does not take so, and those that can't be
//! changed any more.
//!
//! A 4.17 server drops the former and takes edits of the latter without a word, so both are held against what is there.

use berth_api::{Field, GuestCluster, Quantity, Resource, fields_of_kind, fixed_fields, read_field, resources};
use serde_json::Value;

use crate::checks::{CheckResult, Rule, guests};
use crate::facts::{Facts, Selector};
use crate::read::crd;
use crate::render::{self, Dialect, Fault, Misfit, Rendered};
use crate::versions;

/// A field that a document asks for and this hub does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    resource: &'static Resource,
    /// The object that would have it, as people name it.
    pub(crate) object: String,
    /// The object's name.
    name: String,
    misfit: Misfit,
}

/// What these rules read besides the HostedClusters.
pub(crate) fn watches() -> [Selector; 2] {
    [crd(resources::HOSTED_CLUSTER), crd(resources::NODE_POOL)]
}

pub(super) fn run(guest: &GuestCluster, facts: &Facts) -> Vec<CheckResult> {
    let label = format!("GuestCluster {}/{}", guest.namespace, guest.name);
    let mut results: Vec<_> = misfits(guest, facts)
        .into_iter()
        .map(|refused| {
            let id = match refused.misfit.fault {
                Fault::Unknown(_) => "unknown-field",
                Fault::Refused(_) => "field-value",
            };
            let title = format!("this hub's HyperShift takes the fields of {}", guest.name);
            Rule::new(id, title, label.clone())
                .at(guest.positions.at(&asked_by(guest, &refused)))
                .refused(told(&refused), fix(&refused))
        })
        .collect();
    results.extend(changed(guest, facts).into_iter().map(|changed| {
        let title = format!("what {} was made with stays", guest.name);
        let Changed { field, is, wanted } = changed;
        Rule::new("fixed-field", title, label.clone())
            .at(guest.positions.at(&field))
            .refused(
                format!("`{field}` was made as {is} and can't become {wanted}"),
                "write the former value, or remove the guest and make it anew",
            )
    }));
    results
}

/// What is said of a field that is not taken.
pub(crate) fn told(refused: &Refused) -> String {
    let (object, field) = (&refused.object, &refused.misfit.field);
    match &refused.misfit.fault {
        Fault::Unknown(_) => format!("{object} has no field `{field}` here; it would be dropped"),
        Fault::Refused(why) => format!("`{field}` of {object}: {why}"),
    }
}

/// What to do about a field that is not taken.
pub(crate) fn fix(refused: &Refused) -> String {
    let field = &refused.misfit.field;
    match (&refused.misfit.fault, versions::since(field)) {
        (Fault::Unknown(_), Some(since)) => {
            format!(
                "leave it out, or move the multicluster engine to a channel with {since}, which is known to have it"
            )
        }
        (Fault::Unknown(Some(near)), None) => format!("did you mean `{near}`?"),
        (Fault::Unknown(None), None) => {
            "leave it out: no release that Berth knows has it; `kubectl explain` shows this hub's fields".to_owned()
        }
        (Fault::Refused(_), _) => "write what the schema takes; `kubectl explain` shows it".to_owned(),
    }
}

/// The fields that a document asks for and this hub's schemas lack; none while the schemas are not there to be asked.
pub(crate) fn unknown(guest: &GuestCluster, facts: &Facts) -> Vec<Refused> {
    let mut refused = misfits(guest, facts);
    refused.retain(|refused| matches!(refused.misfit.fault, Fault::Unknown(_)));
    refused
}

fn misfits(guest: &GuestCluster, facts: &Facts) -> Vec<Refused> {
    let of_object = |rendered: Rendered| {
        let schema = facts.object(&crd(rendered.object.resource));
        let misfits = schema.map(|schema| render::misfits(&rendered.fields, schema));
        let object = rendered.object;
        misfits.unwrap_or_default().into_iter().map(move |misfit| Refused {
            resource: object.resource,
            object: object.to_string(),
            name: object.name.clone(),
            misfit,
        })
    };
    render::hosted_cluster(guest, Dialect::default())
        .into_iter()
        .filter(|rendered| [resources::HOSTED_CLUSTER, resources::NODE_POOL].contains(&rendered.object.resource))
        .flat_map(of_object)
        // An identity section is a part of an object: what the rest of it must have is not asked of it.
        .chain(
            render::identity::shape(guest)
                .into_iter()
                .flat_map(of_object)
                .filter(|refused| refused.misfit.field.starts_with("spec.configuration")),
        )
        .collect()
}

/// The document's field that asks for one of upstream's: an override, or one that is written and becomes it.
fn asked_by(guest: &GuestCluster, refused: &Refused) -> String {
    let upstream = refused.misfit.field.trim_start_matches("spec.");
    let is_pool = refused.resource == resources::NODE_POOL;
    let pools = &guest.spec.node_pools;
    let pool = pools.iter().position(|pool| guest.node_pool_name(pool) == refused.name);
    let pool = format!("spec.nodePools[{}]", pool.unwrap_or_default());
    let overrides = if is_pool {
        [format!("{pool}.overrides"), "spec.overrides.nodePool".to_owned()]
    } else {
        ["spec.overrides.hostedCluster".to_owned(), String::new()]
    };
    let overridden = overrides
        .iter()
        .map(|base| format!("{base}.{upstream}"))
        .find(|path| guest.positions.has(path));
    if let Some(path) = overridden {
        return path;
    }
    let about = |field: &Field| {
        field.path.starts_with("spec.nodePools") == is_pool
            && field
                .becomes
                .split('|')
                .any(|becomes| meets(becomes, &refused.misfit.field))
    };
    let fields = fields_of_kind("GuestCluster")
        .map(|(_, fields)| fields)
        .unwrap_or_default();
    let written = fields
        .iter()
        .filter(|field| field.is_leaf && about(field))
        .map(|field| field.path.replace("spec.nodePools[]", &pool))
        .find(|path| guest.positions.has(path));
    written.unwrap_or_else(|| if is_pool { pool } else { "spec".to_owned() })
}

/// Whether one path is the other, or is below it.
fn meets(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    long.strip_prefix(short)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// A field that was made otherwise than a document now wants it.
struct Changed {
    field: String,
    is: String,
    wanted: String,
}

/// Fixed fields that a document now wants otherwise.
fn changed(guest: &GuestCluster, facts: &Facts) -> Vec<Changed> {
    let rendered = render::hosted_cluster(guest, Dialect::default());
    let fixed = fixed_fields();
    let of_kind = |resource: &'static Resource| {
        rendered
            .iter()
            .filter(move |rendered| rendered.object.resource == resource)
    };
    let mut found = Vec::new();
    let live = guests::hosted_cluster(facts, guest);
    for (live, wanted) in live
        .into_iter()
        .flat_map(|live| of_kind(resources::HOSTED_CLUSTER).map(move |wanted| (live, wanted)))
    {
        let of_cluster = fixed.iter().filter(|(field, _)| !field.starts_with("spec.nodePools"));
        found.extend(of_cluster.filter_map(|(field, becomes)| edited(live, &wanted.fields, field, becomes)));
    }
    for (index, pool) in guest.spec.node_pools.iter().enumerate() {
        let name = guest.node_pool_name(pool);
        let Some(live) = guests::node_pool(facts, guest, &name) else {
            continue;
        };
        let Some(wanted) = of_kind(resources::NODE_POOL).find(|rendered| rendered.object.name == name) else {
            continue;
        };
        let of_pool = fixed.iter().filter(|(field, _)| field.starts_with("spec.nodePools"));
        found.extend(of_pool.filter_map(|(field, becomes)| {
            let field = field.replace("spec.nodePools[]", &format!("spec.nodePools[{index}]"));
            edited(live, &wanted.fields, &field, becomes)
        }));
    }
    // Several fields of a document may be about one list.
    found.dedup_by(|later, first| later.is == first.is && later.wanted == first.wanted);
    found
}

/// A field that is there and is wanted otherwise. Where it is not there yet a server lets it be added, which is not meant to
/// be done to a platform.
fn edited(live: &Value, wanted: &Value, field: &str, becomes: &str) -> Option<Changed> {
    let set = |object: &Value, path: &str| read_field(object, path).filter(|value| *value != "");
    becomes.split('|').find_map(|path| {
        let path = path.split("[]").next().unwrap_or(path);
        let wanted = set(wanted, path)?;
        let is = match set(live, path) {
            Some(is) => (!is_within(&wanted, &is)).then(|| is.to_string()),
            None => path.starts_with("spec.platform.").then(|| "nothing".to_owned()),
        };
        Some(Changed {
            field: field.to_owned(),
            is: is?,
            wanted: wanted.to_string(),
        })
    })
}

/// Whether all that is wanted is there; the server may have added defaults beside it.
pub(crate) fn is_within(wanted: &Value, is: &Value) -> bool {
    match (wanted, is) {
        (Value::Object(wanted), Value::Object(is)) => wanted
            .iter()
            .all(|(name, wanted)| is.get(name).is_some_and(|is| is_within(wanted, is))),
        (Value::Array(wanted), Value::Array(is)) => {
            wanted.len() == is.len() && wanted.iter().zip(is).all(|(wanted, is)| is_within(wanted, is))
        }
        (Value::String(wanted), Value::String(is)) => {
            wanted == is
                || matches!((wanted.parse::<Quantity>(), is.parse::<Quantity>()), (Ok(wanted), Ok(is)) if wanted == is)
        }
        (wanted, is) => wanted == is,
    }
}

#[cfg(test)]
mod tests {
    use berth_api::resources;
    use serde_json::{Value, json};

    use super::misfits;
    use crate::fixtures::{EXAMPLE, World, documents, established};
    use crate::read::crd;

    /// What a hub whose HostedClusters have these fields of `spec.configuration` says of an issuer in place of the OAuth server.
    fn told(configuration: &Value) -> Vec<String> {
        let section = "  identity:
    clusterAdmins: {users: [ada]}
    oidc: {name: sso, issuer: 'https://sso.example', audiences: [a], username: {expression: claims.sub}}
";
        let guest = documents(&format!("{EXAMPLE}{section}")).guests.remove(0);
        let mut definition = established(resources::HOSTED_CLUSTER);
        definition["spec"] = json!({ "versions": [{ "name": "v1beta1", "schema": { "openAPIV3Schema": {
            "properties": { "spec": { "type": "object", "required": ["platform"], "properties": {
                "platform": { "x-kubernetes-preserve-unknown-fields": true },
                "configuration": configuration,
            } } },
        } } }] });
        let mut world = World::default();
        world.put(definition);
        let found = misfits(&guest, &world.facts(&[crd(resources::HOSTED_CLUSTER)]));
        let of_identity = |field: &str| field.starts_with("spec.configuration") || field == "spec";
        found
            .into_iter()
            .map(|refused| refused.misfit.field)
            .filter(|field| of_identity(field))
            .collect()
    }

    #[test]
    fn an_identity_section_is_held_against_its_own_part_of_the_schema() {
        let open = json!({ "x-kubernetes-preserve-unknown-fields": true });
        assert_eq!(told(&open), Vec::<String>::new());
        let without_expressions = json!({ "type": "object", "properties": { "authentication": { "properties": {
            "type": { "type": "string" },
            "oidcProviders": { "items": { "properties": {
                "name": {}, "issuer": { "x-kubernetes-preserve-unknown-fields": true },
                "claimMappings": { "properties": { "username": { "properties": { "claim": {} } } } },
            } } },
        } } } });
        assert_eq!(
            told(&without_expressions),
            ["spec.configuration.authentication.oidcProviders[0].claimMappings.username.expression"]
        );
    }
}
