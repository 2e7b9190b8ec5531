//! Section 8.8: deleting, owners and dependents, namespaces.

use http::Method;
use serde_json::{Value, json};

use crate::{Answer, Suite, run, text};

/// A ConfigMap with more metadata, and its path.
async fn map_with(suite: &Suite, name: &str, metadata: Value) -> (Value, String) {
    let maps = suite.core("configmaps");
    let mut map = json!({"metadata": metadata});
    map["metadata"]["name"] = name.into();
    let map = suite.post(&maps, map).await.is(201).body;
    (map, format!("{maps}/{name}"))
}

fn reference(owner: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "blockOwnerDeletion": true,
    })
}

async fn let_go(suite: &Suite, path: &str) {
    let patch = json!({"metadata": {"finalizers": null}});
    suite.patch("merge-patch+json", path, patch).await.is(200);
}

fn gone(answer: &Answer) -> bool {
    answer.code == 404
}

fn ends(answer: &Answer) -> bool {
    answer.body["metadata"]["deletionTimestamp"].is_string()
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let mut conditions = conditions.filter(|condition| condition["type"] == kind);
    conditions.next().unwrap_or(&Value::Null)
}

#[test]
fn c146_a_deletion_is_answered_with_a_status() {
    run(async |suite| {
        let (map, path) = map_with(&suite, "x", json!({})).await;
        let deleted = suite.delete(&path, json!({})).await.is(200).body;
        let details = json!({"name": "x", "kind": "configmaps", "uid": map["metadata"]["uid"]});
        let status =
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
        assert_eq!(deleted, status);
        suite.get(&path).await.is(404);
        suite
            .delete(&path, json!({}))
            .await
            .refused(404, "NotFound", "configmaps \"x\" not found");
        let leases = suite.of("coordination.k8s.io/v1", "leases");
        let lease = suite
            .post(&leases, json!({"metadata": {"name": "l"}}))
            .await
            .is(201)
            .body;
        let deleted = suite.delete(&format!("{leases}/l"), json!({})).await.is(200).body;
        let details =
            json!({"name": "l", "group": "coordination.k8s.io", "kind": "leases", "uid": lease["metadata"]["uid"]});
        assert_eq!(deleted["details"], details);
    });
}

#[test]
fn c147_some_kinds_are_answered_with_the_object() {
    run(async |suite| {
        let pod = json!({"containers": [{"name": "c", "image": "i"}]});
        let claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        let quota = json!({"hard": {"pods": "5"}});
        for (kind, resource, spec) in [
            ("Pod", "pods", pod),
            ("Service", "services", json!({"ports": [{"port": 80}]})),
            ("PersistentVolumeClaim", "persistentvolumeclaims", claim),
            ("ServiceAccount", "serviceaccounts", Value::Null),
            ("ResourceQuota", "resourcequotas", quota),
        ] {
            let collection = suite.core(resource);
            let made = suite
                .post(&collection, json!({"metadata": {"name": "x"}, "spec": spec}))
                .await
                .is(201)
                .body;
            let deleted = suite.delete(&format!("{collection}/x"), json!({})).await.is(200).body;
            assert_eq!((&deleted["kind"], &deleted["apiVersion"]), (&json!(kind), &json!("v1")));
            assert_eq!(deleted["metadata"]["uid"], made["metadata"]["uid"], "{kind}");
        }
        let namespace = format!("{}-other", suite.number);
        suite
            .post("/api/v1/namespaces", json!({"metadata": {"name": namespace}}))
            .await
            .is(201);
        let deleted = suite
            .delete(&format!("/api/v1/namespaces/{namespace}"), json!({}))
            .await
            .is(200)
            .body;
        assert_eq!(
            (&deleted["kind"], &deleted["metadata"]["name"]),
            (&json!("Namespace"), &json!(namespace))
        );
    });
}

#[test]
fn c148_finalizers_hold_an_object_back() {
    run(async |suite| {
        suite.with_widgets().await;
        let mut held = suite.widget("w", json!({}));
        held["metadata"]["finalizers"] = json!(["example.test/hold"]);
        let widgets = suite.widgets();
        let path = format!("{widgets}/w");
        let made = suite.post(&widgets, held).await.is(201);
        let mut watch = suite
            .watch(&format!("{widgets}?watch=true&resourceVersion={}", made.version()))
            .await;
        let marked = suite.delete(&path, json!({})).await.is(200).body;
        assert_eq!(marked["kind"], "Widget");
        let metadata = &marked["metadata"];
        assert!(metadata["deletionTimestamp"].is_string());
        assert_eq!(
            (&metadata["deletionGracePeriodSeconds"], &metadata["generation"]),
            (&json!(0), &json!(2))
        );
        let again = suite.delete(&path, json!({})).await.is(200).body;
        assert_eq!(again["metadata"]["deletionTimestamp"], metadata["deletionTimestamp"]);
        assert_eq!(suite.get(&path).await.is(200).body, again);
        let_go(&suite, &path).await;
        suite.get(&path).await.is(404);
        let modified = watch.next().await.unwrap();
        assert_eq!((&modified["type"], &modified["object"]), (&json!("MODIFIED"), &marked));
        assert_eq!(watch.names(1).await, ["DELETED w"]);
    });
}

#[test]
fn c149_preconditions_say_which_object_is_meant() {
    run(async |suite| {
        let (map, path) = map_with(&suite, "x", json!({})).await;
        let preconditions = |field: &str, value: &Value| json!({"preconditions": {field: value}});
        let uid = text(&map["metadata"]["uid"]);
        let refused = suite.delete(&path, preconditions("uid", &json!("wrong"))).await;
        let message = format!(
            "Operation cannot be fulfilled on ConfigMap \"x\": the UID in the precondition (wrong) does not match the UID in record \
             ({uid}). The object might have been deleted and then recreated"
        );
        refused.refused(409, "Conflict", &message);
        let refused = suite.delete(&path, preconditions("resourceVersion", &json!("1"))).await;
        let message = "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (";
        refused.refused(409, "Conflict", message);
        suite.get(&path).await.is(200);
        let both = json!({"preconditions": {"uid": uid, "resourceVersion": map["metadata"]["resourceVersion"]}});
        suite.delete(&path, both).await.is(200);
        suite.get(&path).await.is(404);
    });
}

#[test]
fn c150_options_are_in_the_body_or_in_the_query() {
    run(async |suite| {
        let query = async |path: &str, headers: &[(&str, &str)], body: &str| {
            suite.send(Method::DELETE, path, headers, body.into()).await
        };
        let (_, x) = map_with(&suite, "x", json!({})).await;
        query(&x, &[("content-type", "application/json")], "{}").await.is(200);
        let (_, y) = map_with(&suite, "y", json!({})).await;
        query(&y, &[], "").await.is(200);
        suite.get(&y).await.is(404);
        // Something that depends on the owner and stays makes the effect of the option visible.
        let (owner, z) = map_with(&suite, "z", json!({})).await;
        let held = json!({"ownerReferences": [reference(&owner)], "finalizers": ["example.test/hold"]});
        let (_, held) = map_with(&suite, "held", held).await;
        let waits = query(&format!("{z}?propagationPolicy=Foreground"), &[], "")
            .await
            .is(200)
            .body;
        assert_eq!(waits["metadata"]["finalizers"], json!(["foregroundDeletion"]));
        suite.until(&held, ends).await;
        let_go(&suite, &held).await;
        suite.until(&z, gone).await;
        let (_, typed) = map_with(&suite, "typed", json!({})).await;
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background", "gracePeriodSeconds": 0});
        suite.delete(&typed, options).await.is(200);
        suite.get(&typed).await.is(404);
    });
}

#[test]
fn c151_options_are_checked() {
    run(async |suite| {
        let (_, path) = map_with(&suite, "x", json!({})).await;
        let bogus = suite.delete(&path, json!({"propagationPolicy": "Bogus"})).await;
        let message = "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: ";
        bogus
            .refused(422, "Invalid", message)
            .caused_by("FieldValueNotSupported", "propagationPolicy");
        let both = suite
            .delete(&path, json!({"propagationPolicy": "Orphan", "orphanDependents": true}))
            .await;
        both.refused(
            422,
            "Invalid",
            "orphanDependents and deletionPropagation cannot be both set",
        )
        .caused_by("FieldValueInvalid", "propagationPolicy");
        let dry = suite.delete(&path, json!({"dryRun": ["Some"]})).await;
        dry.refused(422, "Invalid", "dryRun: Unsupported value");
        let query = format!("{path}?propagationPolicy=Bogus");
        let query = suite.send(Method::DELETE, &query, &[], Vec::new()).await;
        query.refused(422, "Invalid", message);
        suite.get(&path).await.is(200);
    });
}

#[test]
fn c152_a_selection_is_deleted_and_listed() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        for (name, label) in [("a", "1"), ("b", "2"), ("c", "1"), ("d", "1")] {
            let finalizers = if name == "d" {
                json!(["example.test/hold"])
            } else {
                json!([])
            };
            map_with(&suite, name, json!({"labels": {"l": label}, "finalizers": finalizers})).await;
        }
        let selected = format!("{maps}?labelSelector=l%3D1");
        let dry = suite.delete(&selected, json!({"dryRun": ["All"]})).await.is(200);
        assert_eq!(dry.names(), ["a", "c", "d"]);
        let deleted = suite.delete(&selected, json!({})).await.is(200);
        assert_eq!(
            (&deleted.body["kind"], &deleted.body["apiVersion"]),
            (&json!("ConfigMapList"), &json!("v1"))
        );
        assert_eq!(deleted.names(), ["a", "c", "d"]);
        let left = suite.get(&format!("{maps}?labelSelector=l")).await;
        assert_eq!(left.names(), ["b", "d"]);
        assert!(left.body["items"][1]["metadata"]["deletionTimestamp"].is_string());
        let named = suite
            .delete(&format!("{maps}?fieldSelector=metadata.name%3Db"), json!({}))
            .await
            .is(200);
        assert_eq!(named.names(), ["b"]);
        let_go(&suite, &format!("{maps}/d")).await;
        assert!(suite.get(&format!("{maps}?labelSelector=l")).await.names().is_empty());
        suite.with_widgets().await;
        for name in ["v", "w"] {
            suite
                .post(&suite.widgets(), suite.widget(name, json!({})))
                .await
                .is(201);
        }
        let deleted = suite.delete(&suite.widgets(), json!({})).await.is(200);
        assert_eq!(
            (deleted.names(), &deleted.body["kind"]),
            (vec!["v".to_owned(), "w".to_owned()], &json!("WidgetList"))
        );
        assert!(suite.get(&suite.widgets()).await.names().is_empty());
    });
}

#[test]
fn c153_a_dry_run_of_a_deletion_changes_nothing() {
    run(async |suite| {
        let (map, path) = map_with(&suite, "x", json!({})).await;
        let status = suite.delete(&path, json!({"dryRun": ["All"]})).await.is(200).body;
        assert_eq!(
            (&status["kind"], &status["status"]),
            (&json!("Status"), &json!("Success"))
        );
        suite
            .send(Method::DELETE, &format!("{path}?dryRun=All"), &[], Vec::new())
            .await
            .is(200);
        assert_eq!(suite.get(&path).await.is(200).body, map);
        let (held, path) = map_with(&suite, "y", json!({"finalizers": ["example.test/hold"]})).await;
        let marked = suite.delete(&path, json!({"dryRun": ["All"]})).await.is(200).body;
        assert!(marked["metadata"]["deletionTimestamp"].is_string());
        assert_eq!(suite.get(&path).await.is(200).body, held);
    });
}

#[test]
fn c154_what_ends_is_still_in_the_way() {
    run(async |suite| {
        let (_, path) = map_with(&suite, "x", json!({"finalizers": ["example.test/hold"]})).await;
        suite.delete(&path, json!({})).await.is(200);
        let again = suite
            .post(&suite.core("configmaps"), json!({"metadata": {"name": "x"}}))
            .await;
        let refused = again.refused(409, "AlreadyExists", "");
        assert_eq!(
            refused.body["message"],
            "object is being deleted: configmaps \"x\" already exists"
        );
        let_go(&suite, &path).await;
        map_with(&suite, "x", json!({})).await;
    });
}

#[test]
fn c155_in_the_background_dependents_go_after_their_last_owner() {
    run(async |suite| {
        let (one, one_path) = map_with(&suite, "one", json!({})).await;
        let (two, two_path) = map_with(&suite, "two", json!({})).await;
        let (child, of_one) = map_with(&suite, "of-one", json!({"ownerReferences": [reference(&one)]})).await;
        let (_, grandchild) = map_with(&suite, "of-child", json!({"ownerReferences": [reference(&child)]})).await;
        let owners = json!({"ownerReferences": [reference(&one), reference(&two)]});
        let (_, of_both) = map_with(&suite, "of-both", owners).await;
        let deleted = suite
            .delete(&one_path, json!({"propagationPolicy": "Background"}))
            .await
            .is(200);
        assert_eq!(deleted.body["kind"], "Status", "the owner doesn't wait");
        suite.get(&one_path).await.is(404);
        suite.until(&of_one, gone).await;
        suite.until(&grandchild, gone).await;
        let left = |answer: &Answer| answer.body["metadata"]["ownerReferences"] == json!([reference(&two)]);
        suite.until(&of_both, left).await;
        suite.delete(&two_path, json!({})).await.is(200);
        suite.until(&of_both, gone).await;
    });
}

#[test]
fn c156_in_the_foreground_the_owner_waits() {
    run(async |suite| {
        let (owner, path) = map_with(&suite, "owner", json!({})).await;
        let mut loose = reference(&owner);
        loose["blockOwnerDeletion"] = false.into();
        let held = |reference: Value| json!({"ownerReferences": [reference], "finalizers": ["example.test/hold"]});
        let (_, blocking) = map_with(&suite, "blocking", held(reference(&owner))).await;
        let (_, loose) = map_with(&suite, "loose", held(loose)).await;
        let marked = suite
            .delete(&path, json!({"propagationPolicy": "Foreground"}))
            .await
            .is(200)
            .body;
        assert_eq!(marked["metadata"]["finalizers"], json!(["foregroundDeletion"]));
        assert!(marked["metadata"]["deletionTimestamp"].is_string());
        suite.until(&blocking, ends).await;
        suite.until(&loose, ends).await;
        suite.get(&path).await.is(200);
        let_go(&suite, &blocking).await;
        suite.until(&path, gone).await;
        suite.get(&blocking).await.is(404);
        suite.get(&loose).await.is(200);
        let_go(&suite, &loose).await;
        suite.until(&loose, gone).await;
    });
}

#[test]
fn c157_orphans_stay() {
    run(async |suite| {
        let (owner, path) = map_with(&suite, "owner", json!({})).await;
        let (_, child) = map_with(&suite, "child", json!({"ownerReferences": [reference(&owner)]})).await;
        let marked = suite
            .delete(&path, json!({"propagationPolicy": "Orphan"}))
            .await
            .is(200)
            .body;
        assert_eq!(marked["metadata"]["finalizers"], json!(["orphan"]));
        suite.until(&path, gone).await;
        let child = suite.get(&child).await.is(200).body;
        assert_eq!(child["metadata"].get("ownerReferences"), None);
        assert_eq!(child["metadata"].get("deletionTimestamp"), None);
    });
}

#[test]
fn c158_an_owner_that_never_was_is_gone() {
    run(async |suite| {
        let (owner, _) = map_with(&suite, "owner", json!({})).await;
        let mut other = reference(&owner);
        other["uid"] = "00000000-0000-4000-8000-000000000000".into();
        let mut absent = other.clone();
        absent["name"] = "none".into();
        let (_, of_none) = map_with(&suite, "of-none", json!({"ownerReferences": [absent]})).await;
        let (_, of_other) = map_with(&suite, "of-other", json!({"ownerReferences": [other]})).await;
        suite.until(&of_none, gone).await;
        // The same name is not the same object.
        suite.until(&of_other, gone).await;
    });
}

#[test]
fn c160_a_namespace_ends_with_all_that_is_in_it() {
    run(async |suite| {
        let name = format!("{}-ending", suite.number);
        let path = format!("/api/v1/namespaces/{name}");
        let namespace = json!({"metadata": {"name": name}});
        let made = suite.post("/api/v1/namespaces", namespace.clone()).await.is(201);
        assert_eq!(made.body["status"]["phase"], "Active");
        assert_eq!(made.body["spec"]["finalizers"], json!(["kubernetes"]));
        suite.with_widgets().await;
        let widgets = format!("/apis/{}/v1/namespaces/{name}/widgets", suite.group());
        suite.post(&widgets, suite.widget("w", json!({}))).await.is(201);
        let maps = format!("{path}/configmaps");
        suite.post(&maps, json!({"metadata": {"name": "x"}})).await.is(201);
        let only = format!("fieldSelector=metadata.name%3D{name}");
        let mut watch = suite
            .watch(&format!(
                "/api/v1/namespaces?watch=true&{only}&resourceVersion={}",
                made.version()
            ))
            .await;
        let deleted = suite.delete(&path, json!({})).await.is(200).body;
        assert_eq!(
            (&deleted["kind"], &deleted["status"]["phase"]),
            (&json!("Namespace"), &json!("Terminating"))
        );
        assert!(deleted["metadata"]["deletionTimestamp"].is_string());
        let last = loop {
            let event = watch.next().await.unwrap();
            if event["type"] == "DELETED" {
                break event["object"].clone();
            }
            assert_eq!(event["type"], "MODIFIED");
        };
        for (kind, reason) in [
            ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered"),
            ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions"),
            ("NamespaceDeletionContentFailure", "ContentDeleted"),
            ("NamespaceContentRemaining", "ContentRemoved"),
            ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers"),
        ] {
            let condition = condition(&last, kind);
            assert_eq!(
                (&condition["status"], &condition["reason"]),
                (&json!("False"), &json!(reason)),
                "{kind}: {last}"
            );
        }
        suite.get(&path).await.is(404);
        assert!(suite.get(&widgets).await.names().is_empty());
        assert!(suite.get(&maps).await.names().is_empty());
        suite.post("/api/v1/namespaces", namespace).await.is(201);
        suite.post(&maps, json!({"metadata": {"name": "x"}})).await.is(201);
    });
}

#[test]
fn c161_some_namespaces_stay() {
    run(async |suite| {
        for name in ["default", "kube-system", "kube-public"] {
            let path = format!("/api/v1/namespaces/{name}");
            let refused = suite.delete(&path, json!({})).await;
            let message = format!("namespaces \"{name}\" is forbidden: this namespace may not be deleted");
            refused.refused(403, "Forbidden", &message);
            assert_eq!(suite.get(&path).await.is(200).body["status"]["phase"], "Active");
        }
    });
}

#[test]
fn c162_a_namespace_says_what_holds_it_back() {
    run(async |suite| {
        let (_, held) = map_with(&suite, "held", json!({"finalizers": ["example.test/hold"]})).await;
        let (_, free) = map_with(&suite, "free", json!({})).await;
        let path = format!("/api/v1/namespaces/{}", suite.number);
        suite.delete(&path, json!({})).await.is(200);
        let waits = |answer: &Answer| condition(&answer.body, "NamespaceFinalizersRemaining")["status"] == "True";
        let waiting = suite.until(&path, waits).await.body;
        let said = |kind: &str| {
            let condition = condition(&waiting, kind);
            (text(&condition["reason"]), text(&condition["message"]))
        };
        let (reason, message) = said("NamespaceFinalizersRemaining");
        assert_eq!(reason, "SomeFinalizersRemain");
        assert_eq!(
            message,
            "Some content in the namespace has finalizers remaining: example.test/hold in 1 resource instances"
        );
        let (reason, message) = said("NamespaceContentRemaining");
        assert_eq!(reason, "SomeResourcesRemain");
        assert_eq!(
            message,
            "Some resources are remaining: configmaps. has 1 resource instances"
        );
        assert_eq!(waiting["status"]["phase"], "Terminating");
        suite.get(&free).await.is(404);
        let_go(&suite, &held).await;
        suite.until(&path, gone).await;
    });
}
