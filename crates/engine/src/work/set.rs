//! One field of an object that isn't Berth's: set only where nobody else owns it with another value, and with its former
//! value kept on the object, so that it can be put back.

use std::sync::Arc;

use berth_procedure::replacing;
use serde_json::{Map, Value};

use super::{After, Context, Settled, WorkError};
use crate::diff::{self, Shown};
use crate::plan::{Basis, Conflict, Verb};

/// The annotation that keeps former values: JSON, from JSON pointer to value (`null` where there was none).
const FORMER_VALUES: &str = "berth.dev/former-values";

impl Context<'_> {
    /// A merge patch with the version that was compared: server-side apply would have to name every field that Berth ever
    /// set on the object, or lose the others.
    pub(super) async fn set(
        &self,
        path: &[String],
        value: Option<&Value>,
        takeover: bool,
        live: Arc<Value>,
    ) -> Result<Settled, WorkError> {
        let mut field = diff::wanted(self.object.resource.kind, path, value);
        if let Some(is) = diff::at(&live, path) {
            field.from = if matches!(field.to, Shown::Secret) {
                Shown::Secret
            } else {
                Shown::Value(is.clone())
            };
        }
        let local = Settled::change(
            Verb::Set,
            vec![field.clone()],
            Basis::Local,
            After::Object(Arc::clone(&live)),
        );
        let owners = diff::owners(&live, path);
        if !takeover && !owners.is_empty() {
            let conflict = |manager| Conflict {
                path: field.path.clone(),
                manager,
            };
            return self.conflicting(local, owners.into_iter().map(conflict).collect());
        }
        self.send_merge(&patch(path, value, &live), local).await
    }
}

fn patch(path: &[String], value: Option<&Value>, live: &Value) -> Value {
    let mut content = Value::Object(Map::new());
    content["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
    // A Secret's former value would be readable to whoever may list annotations; Berth's own annotations have no other owner.
    if live["kind"] != "Secret" && !is_own_annotation(path) {
        content["metadata"]["annotations"][FORMER_VALUES] = former_values(path, live).into();
    }
    let mut place = &mut content;
    for name in path {
        place = &mut place[name];
    }
    *place = value.map_or(Value::Null, |value| replacing(diff::at(live, path), value));
    content
}

/// What the annotation will say. The first former value stays: it is what somebody else meant.
fn former_values(path: &[String], live: &Value) -> String {
    let kept = live["metadata"]["annotations"][FORMER_VALUES].as_str();
    let mut kept: Map<String, Value> = kept
        .and_then(|kept| serde_json::from_str(kept).ok())
        .unwrap_or_default();
    let former = diff::at(live, path).cloned().unwrap_or(Value::Null);
    kept.entry(pointer(path)).or_insert(former);
    Value::Object(kept).to_string()
}

fn is_own_annotation(path: &[String]) -> bool {
    matches!(path, [metadata, annotations, name] if metadata == "metadata" && annotations == "annotations" && name.starts_with("berth.dev/"))
}

fn pointer(path: &[String]) -> String {
    path.iter().fold(String::new(), |pointer, name| {
        pointer + "/" + &name.replace('~', "~0").replace('/', "~1")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_patch_holds_the_field_the_version_and_the_former_value() {
        let live = json!({"metadata": {"resourceVersion": "7"}, "spec": {}});
        let patch = patch(
            &path(&["spec", "routeAdmission", "wildcardPolicy"]),
            Some(&json!("WildcardsAllowed")),
            &live,
        );
        let expected = json!({
            "metadata": {
                "resourceVersion": "7",
                "annotations": {FORMER_VALUES: r#"{"/spec/routeAdmission/wildcardPolicy":null}"#},
            },
            "spec": {"routeAdmission": {"wildcardPolicy": "WildcardsAllowed"}},
        });
        assert_eq!(patch, expected);
    }

    #[test]
    fn the_first_former_value_stays() {
        let key = "storageclass.kubernetes.io/is-default-class";
        let kept = r#"{"/metadata/annotations/storageclass.kubernetes.io~1is-default-class":"true"}"#;
        let live = json!({"metadata": {"annotations": {key: "false", FORMER_VALUES: kept}}});
        assert_eq!(former_values(&path(&["metadata", "annotations", key]), &live), kept);
    }

    #[test]
    fn berths_own_annotations_have_no_former_value() {
        let live = json!({"metadata": {"resourceVersion": "7"}});
        let own = path(&["metadata", "annotations", "berth.dev/identity"]);
        let expected = json!({"metadata": {"resourceVersion": "7", "annotations": {"berth.dev/identity": "x"}}});
        assert_eq!(patch(&own, Some(&json!("x")), &live), expected);
    }

    #[test]
    fn a_map_becomes_the_one_that_is_meant() {
        let live = json!({"metadata": {"resourceVersion": "7"}, "spec": {"oauth": {"identityProviders": [{}], "tokenConfig": {"a": 1}}}});
        let patch = patch(
            &path(&["spec", "oauth"]),
            Some(&json!({"tokenConfig": {"a": 1}})),
            &live,
        );
        assert_eq!(
            patch["spec"]["oauth"],
            json!({"identityProviders": null, "tokenConfig": {"a": 1}})
        );
    }

    #[test]
    fn a_field_can_be_removed() {
        let live = json!({"metadata": {"resourceVersion": "7"}, "spec": {"a": 1}});
        let patch = patch(&path(&["spec", "a"]), None, &live);
        assert_eq!(patch["spec"], json!({"a": null}));
        assert_eq!(patch["metadata"]["annotations"][FORMER_VALUES], r#"{"/spec/a":1}"#);
    }
}
