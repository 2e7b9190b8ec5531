//! Guests that somebody else made: which single fields differ from a document.
//!
//! Nothing of such an object becomes Berth's: no marks, no ownership of what is as it should be, no removal of what a
//! document does not name.

use berth_api::{GuestCluster, resources};
use serde_json::Value;

use crate::change::{Change, ObjectRef};
use crate::checks::fields::is_within;
use crate::facts::Facts;
use crate::read::{find, is_ours};
use crate::walk::GuestRef;

/// Whether an object is there, and is another owner's to keep.
pub(crate) fn is_theirs(guest: &GuestCluster, live: Option<&Value>) -> bool {
    guest.spec.adopt && live.is_some_and(|live| !is_ours(live))
}

/// An object of the guest as it is.
pub(crate) fn live<'a>(facts: &'a Facts, place: &GuestRef, object: &ObjectRef) -> Option<&'a Value> {
    if object.resource == resources::HOSTED_CLUSTER {
        return facts.object(&place.hosted_cluster());
    }
    find(facts, &place.node_pools(), &object.name)
}

/// One write a field that differs; the document is the word to take a field from its manager. How many workers a pool has
/// is one write: it has a size or bounds, never none and never both, and bounds that come one by one may cross.
pub(crate) fn edits(object: &ObjectRef, wanted: &Value, live: &Value) -> Vec<Change> {
    let mut wanted = wanted.clone();
    let sizing = (object.resource == resources::NODE_POOL)
        .then(|| sizing(&wanted, live))
        .flatten();
    if sizing.is_some() {
        without_sizing(&mut wanted);
    }
    let mut edits = Vec::new();
    for part in [&["metadata", "labels"][..], &["metadata", "annotations"], &["spec"]] {
        if let Some(wanted) = berth_api::views::at(&wanted, part) {
            let path = part.iter().map(|&name| name.to_owned()).collect();
            differences(path, wanted, berth_api::views::at(live, part), &mut edits);
        }
    }
    let write = |(path, value)| Change::Set {
        object: object.clone(),
        path,
        value: Some(value),
        takeover: true,
    };
    let sizing = sizing.map(|fields| Change::Merge {
        object: object.clone(),
        fields,
    });
    sizing.into_iter().chain(edits.into_iter().map(write)).collect()
}

/// Either of these says how many workers a pool has.
pub(crate) const SIZING: [&str; 2] = ["replicas", "autoScaling"];

/// Takes out of an object how many workers there are.
pub(crate) fn without_sizing(object: &mut Value) {
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.retain(|field, _| !SIZING.contains(&field.as_str()));
    }
}

/// The one write after which a pool has as many workers as is wanted; `None` where it has, or where nothing is wanted.
pub(crate) fn sizing(wanted: &Value, live: &Value) -> Option<Value> {
    let of = |object: &Value, field: &str| object["spec"].get(field).filter(|value| !value.is_null()).cloned();
    let mut fields = Value::Null;
    let mut differs = false;
    for field in SIZING {
        let (is, to_be) = (of(live, field), of(wanted, field));
        differs |= match (&to_be, &is) {
            (Some(to_be), Some(is)) => !is_within(to_be, is),
            (to_be, is) => to_be.is_some() || is.is_some(),
        };
        if to_be.is_some() || is.is_some() {
            fields["spec"][field] = to_be.unwrap_or_default();
        }
    }
    let is_wanted = SIZING.iter().any(|field| of(wanted, field).is_some());
    (is_wanted && differs).then_some(fields)
}

type Edit = (Vec<String>, Value);

fn differences(path: Vec<String>, wanted: &Value, live: Option<&Value>, edits: &mut Vec<Edit>) {
    match (wanted, live) {
        // A map that is empty says nothing.
        (Value::Object(fields), None) if fields.is_empty() => {}
        (Value::Object(fields), Some(Value::Object(live))) => {
            for (name, wanted) in fields {
                let mut path = path.clone();
                path.push(name.clone());
                differences(path, wanted, live.get(name), edits);
            }
        }
        (wanted, Some(live)) if is_within(wanted, live) => {}
        (wanted, _) => edits.push((path, wanted.clone())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edited(wanted: &Value, live: &Value) -> Vec<(String, Option<Value>)> {
        let object = ObjectRef::namespaced(resources::NODE_POOL, "hcp", "a");
        let told = |change| match change {
            Change::Set {
                path, value, takeover, ..
            } => {
                assert!(takeover);
                (path.join("."), value)
            }
            other => panic!("{other:?}"),
        };
        edits(&object, wanted, live).into_iter().map(told).collect()
    }

    #[test]
    fn only_what_differs_is_written_and_nothing_is_removed() {
        let live = json!({
            "metadata": {"labels": {"team": "a"}},
            "spec": {"replicas": 2, "platform": {"memory": "8192Mi", "cores": 2}, "list": [{"a": 1, "default": true}]},
        });
        let same = json!({"spec": {"replicas": 2, "platform": {"memory": "8Gi"}, "list": [{"a": 1}], "sshKey": {}}});
        assert_eq!(edited(&same, &live), []);
        let other =
            json!({"metadata": {"labels": {"site": "n"}}, "spec": {"platform": {"cores": 4}, "list": [{"a": 2}]}});
        assert_eq!(
            edited(&other, &live),
            [
                ("metadata.labels.site".to_owned(), Some(json!("n"))),
                ("spec.list".to_owned(), Some(json!([{"a": 2}]))),
                ("spec.platform.cores".to_owned(), Some(json!(4))),
            ]
        );
    }

    /// Neither a moment without workers, nor one that the server would refuse.
    #[test]
    fn how_many_workers_there_are_is_one_write() {
        let object = ObjectRef::namespaced(resources::NODE_POOL, "hcp", "a");
        let edit = |wanted: Value, live: Value| {
            let edits = edits(&object, &json!({ "spec": wanted }), &json!({ "spec": live }));
            match &edits[..] {
                [Change::Merge { fields, .. }] => fields["spec"].clone(),
                other => panic!("{other:?}"),
            }
        };
        let bounds = |min: u32, max: u32| json!({ "min": min, "max": max });
        assert_eq!(
            edit(json!({ "autoScaling": bounds(1, 3) }), json!({ "replicas": 2 })),
            json!({ "replicas": null, "autoScaling": bounds(1, 3) })
        );
        assert_eq!(
            edit(json!({ "replicas": 2 }), json!({ "autoScaling": bounds(1, 3) })),
            json!({ "replicas": 2, "autoScaling": null })
        );
        assert_eq!(
            edit(
                json!({ "autoScaling": bounds(4, 6) }),
                json!({ "autoScaling": bounds(1, 3) })
            ),
            json!({ "autoScaling": bounds(4, 6) })
        );
    }
}
