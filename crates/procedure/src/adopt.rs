//! Guests that somebody else made: which single fields differ from a document.
//!
//! Nothing of such an object becomes Berth's: no marks, no ownership of what is as it should be, no removal of what a
//! document does not name.

use berth_api::GuestCluster;
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
    if object.resource == berth_api::resources::HOSTED_CLUSTER {
        return facts.object(&place.hosted_cluster());
    }
    find(facts, &place.node_pools(), &object.name)
}

/// One write a field that differs; the document is the word to take a field from its manager.
pub(crate) fn edits(object: &ObjectRef, wanted: &Value, live: &Value) -> Vec<Change> {
    let mut edits = Vec::new();
    // A pool has a size or bounds: what goes, goes first.
    for (field, other) in [("replicas", "autoScaling"), ("autoScaling", "replicas")] {
        let is_left = live["spec"].get(field).is_some() && wanted["spec"].get(field).is_none();
        if is_left && wanted["spec"].get(other).is_some() {
            edits.push((vec!["spec".to_owned(), field.to_owned()], None));
        }
    }
    for part in [&["metadata", "labels"][..], &["metadata", "annotations"], &["spec"]] {
        if let Some(wanted) = berth_api::views::at(wanted, part) {
            let path = part.iter().map(|&name| name.to_owned()).collect();
            differences(path, wanted, berth_api::views::at(live, part), &mut edits);
        }
    }
    let write = |(path, value)| Change::Set {
        object: object.clone(),
        path,
        value,
        takeover: true,
    };
    edits.into_iter().map(write).collect()
}

type Edit = (Vec<String>, Option<Value>);

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
        (wanted, _) => edits.push((path, Some(wanted.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use berth_api::resources;
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

    #[test]
    fn a_size_goes_before_bounds_come() {
        let live = json!({"spec": {"replicas": 2}});
        let bounds = json!({"min": 1, "max": 3});
        assert_eq!(
            edited(&json!({"spec": {"autoScaling": bounds}}), &live),
            [
                ("spec.replicas".to_owned(), None),
                ("spec.autoScaling".to_owned(), Some(bounds))
            ]
        );
    }
}
