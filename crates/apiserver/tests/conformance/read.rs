//! Section 8.4: getting and listing. Lists are of Secrets: controllers put ConfigMaps into every namespace.

use serde_json::{Value, json};

use crate::{Answer, Suite, run, text, widgets::version};

/// Makes Secrets, each labelled with its name, and says where they are.
async fn secrets(suite: &Suite, names: &[&str]) -> String {
    let path = suite.core("secrets");
    for name in names {
        let secret = json!({"metadata": {"name": name, "labels": {"n": name}}});
        suite.made(&path, secret).await;
    }
    path
}

fn continuation(list: &Answer) -> String {
    text(&list.body["metadata"]["continue"])
}

#[test]
fn c072_an_object_that_is_not_there() {
    run(async |suite| {
        let missing = suite.get(&suite.core("configmaps/x")).await;
        let missing = missing.refused(404, "NotFound", "configmaps \"x\" not found");
        assert_eq!(missing.body["details"], json!({"name": "x", "kind": "configmaps"}));
        assert_eq!(
            (&missing.body["kind"], &missing.body["code"]),
            (&json!("Status"), &json!(404))
        );
    });
}

#[test]
fn c073_an_empty_list() {
    run(async |suite| {
        let list = suite.get(&suite.core("secrets")).await.is(200);
        assert_eq!(list.body["items"], json!([]));
        assert_eq!(
            (&list.body["kind"], &list.body["apiVersion"]),
            (&json!("SecretList"), &json!("v1"))
        );
        assert!(list.version() > 0);
        let maps = suite.get(&suite.core("configmaps")).await.is(200);
        assert_eq!(maps.body["kind"], "ConfigMapList");
    });
}

#[test]
fn c074_a_list_of_nowhere_is_empty() {
    run(async |suite| {
        let list = suite.get("/api/v1/namespaces/c074-no/configmaps").await.is(200);
        assert_eq!(list.body["items"], json!([]));
        suite.with_widgets().await;
        let group = suite.group();
        let list = suite.get(&format!("/apis/{group}/v1/namespaces/c074-no/widgets")).await;
        assert_eq!(list.is(200).body["items"], json!([]));
    });
}

#[test]
fn c075_items_of_custom_kinds_say_what_they_are() {
    run(async |suite| {
        let path = secrets(&suite, &["x"]).await;
        let secret = &suite.get(&path).await.is(200).body["items"][0];
        assert_eq!((secret.get("kind"), secret.get("apiVersion")), (None, None));
        suite.with_widgets().await;
        suite.made(&suite.widgets(), suite.widget("x", json!({}))).await;
        let list = suite.get(&suite.widgets()).await.is(200).body;
        assert_eq!(list["kind"], "WidgetList");
        let widget = &list["items"][0];
        assert_eq!(
            (&widget["kind"], &widget["apiVersion"]),
            (&json!("Widget"), &json!(format!("{}/v1", suite.group())))
        );
    });
}

#[test]
fn c076_a_list_is_in_order() {
    run(async |suite| {
        let other = format!("{}-b", suite.number);
        suite
            .made("/api/v1/namespaces", json!({"metadata": {"name": other}}))
            .await;
        let labels = json!({"of": suite.number});
        for (namespace, name) in [
            (&other, "a"),
            (&suite.number, "c"),
            (&suite.number, "b"),
            (&other, "B.a"),
        ] {
            let secret = json!({"metadata": {"name": name.to_lowercase(), "labels": labels}});
            suite
                .made(&format!("/api/v1/namespaces/{namespace}/secrets"), secret)
                .await;
        }
        let list = suite
            .get(&format!("/api/v1/secrets?labelSelector=of%3D{}", suite.number))
            .await;
        let list = list.is(200).body;
        let place = |item: &Value| (text(&item["metadata"]["namespace"]), text(&item["metadata"]["name"]));
        let places: Vec<_> = list["items"].as_array().unwrap().iter().map(place).collect();
        let at = |namespace: &String, name: &str| (namespace.clone(), name.to_owned());
        let (here, there) = (&suite.number, &other);
        // The order is that of paths: a dash comes before a slash.
        assert_eq!(places, [at(there, "a"), at(there, "b.a"), at(here, "b"), at(here, "c")]);
    });
}

#[test]
fn c077_a_list_in_pages() {
    run(async |suite| {
        let path = secrets(&suite, &["a", "b", "c", "d", "e"]).await;
        let first = suite.get(&format!("{path}?limit=2")).await.is(200);
        assert_eq!(first.names(), ["a", "b"]);
        assert_eq!(first.body["metadata"]["remainingItemCount"], 3);
        let unlimited = suite.get(&format!("{path}?limit=-1")).await.is(200);
        assert_eq!(unlimited.names().len(), 5);
        let second = suite
            .get(&format!("{path}?limit=2&continue={}", continuation(&first)))
            .await
            .is(200);
        assert_eq!(second.names(), ["c", "d"]);
        assert_eq!(second.body["metadata"]["remainingItemCount"], 1);
        let third = suite
            .get(&format!("{path}?limit=2&continue={}", continuation(&second)))
            .await
            .is(200);
        assert_eq!(third.names(), ["e"]);
        assert_eq!(third.body["metadata"].get("continue"), None);
        assert_eq!(third.body["metadata"].get("remainingItemCount"), None);
        assert_eq!((second.version(), third.version()), (first.version(), first.version()));
        let whole = suite.get(&format!("{path}?limit=5")).await.is(200);
        assert_eq!(whole.body["metadata"].get("continue"), None);
    });
}

#[test]
fn c078_what_remains_of_a_selection_is_not_counted() {
    run(async |suite| {
        let path = secrets(&suite, &["a", "b", "c"]).await;
        let first = suite.get(&format!("{path}?limit=1&labelSelector=n!%3Db")).await.is(200);
        assert_eq!(first.names(), ["a"]);
        assert_eq!(first.body["metadata"].get("remainingItemCount"), None);
        let query = format!("limit=1&labelSelector=n!%3Db&continue={}", continuation(&first));
        let second = suite.get(&format!("{path}?{query}")).await.is(200);
        assert_eq!(second.names(), ["c"]);
    });
}

#[test]
fn c079_pages_are_of_one_moment() {
    run(async |suite| {
        let path = secrets(&suite, &["a", "b", "c", "d"]).await;
        let first = suite.get(&format!("{path}?limit=2")).await.is(200);
        suite.made(&path, json!({"metadata": {"name": "bb"}})).await;
        suite.made(&path, json!({"metadata": {"name": "z"}})).await;
        suite.delete(&format!("{path}/d"), json!({})).await.is(200);
        let rest = suite
            .get(&format!("{path}?limit=9&continue={}", continuation(&first)))
            .await
            .is(200);
        assert_eq!(rest.names(), ["c", "d"]);
        assert_eq!(rest.version(), first.version());
    });
}

#[test]
fn c080_a_token_that_is_none() {
    run(async |suite| {
        let path = secrets(&suite, &["a", "b"]).await;
        for garbage in ["garbage", "garbage!", "e30"] {
            let refused = suite.get(&format!("{path}?continue={garbage}")).await;
            refused.refused(400, "BadRequest", "");
        }
        let first = suite.get(&format!("{path}?limit=1")).await.is(200);
        let query = format!("continue={}&resourceVersion=5", continuation(&first));
        let refused = suite.get(&format!("{path}?{query}")).await;
        let text = "specifying resource version is not allowed when using continue";
        refused.refused(400, "BadRequest", text);
    });
}

#[test]
fn c081_how_a_version_is_meant() {
    run(async |suite| {
        let path = secrets(&suite, &["a"]).await;
        let get = async |query: &str| suite.get(&format!("{path}?{query}")).await;
        for (query, reason) in [
            ("resourceVersionMatch=Exact", "FieldValueForbidden"),
            ("resourceVersionMatch=NotOlderThan", "FieldValueForbidden"),
            ("resourceVersionMatch=Exact&resourceVersion=0", "FieldValueForbidden"),
            ("resourceVersionMatch=Foo&resourceVersion=1", "FieldValueNotSupported"),
        ] {
            let refused = get(query)
                .await
                .refused(422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid");
            refused.caused_by(reason, "resourceVersionMatch");
        }
        get("resourceVersion=abc").await.refused(400, "BadRequest", "");
        let before = get("").await.is(200).version();
        suite.delete(&format!("{path}/a"), json!({})).await.is(200);
        let exact = get(&format!("resourceVersion={before}&resourceVersionMatch=Exact"))
            .await
            .is(200);
        assert_eq!((exact.names(), exact.version()), (vec!["a".to_owned()], before));
        let fresh = get(&format!("resourceVersion={before}&resourceVersionMatch=NotOlderThan")).await;
        assert!(fresh.is(200).version() >= before);
    });
}

#[test]
fn c082_a_version_to_come() {
    run(async |suite| {
        let path = suite.core("secrets?resourceVersion=999999999999&resourceVersionMatch=NotOlderThan");
        let refused = suite.unretried().await.get(&path).await.refused(
            504,
            "Timeout",
            "Too large resource version: 999999999999, current: ",
        );
        let causes = refused.body["details"]["causes"].as_array().unwrap();
        assert!(
            causes.iter().any(|cause| cause["reason"] == "ResourceVersionTooLarge"),
            "{causes:?}"
        );
        assert_eq!(refused.header("retry-after"), ["1"]);
        assert_eq!(refused.body["details"]["retryAfterSeconds"], 1);
    });
}

#[test]
fn c083_labels_select() {
    run(async |suite| {
        let path = suite.core("secrets");
        for (name, labels) in [
            ("one", json!({"a": "x"})),
            ("two", json!({"a": "y", "b": "1"})),
            ("three", json!({"a": "y"})),
            ("four", json!({"a": "z"})),
            ("five", json!({})),
        ] {
            suite
                .made(&path, json!({"metadata": {"name": name, "labels": labels}}))
                .await;
        }
        let selected = async |selector: &str| {
            let list = suite.get(&format!("{path}?labelSelector={selector}")).await;
            list.is(200).names().join(" ")
        };
        assert_eq!(selected("a+in+(x,y),!b").await, "one three");
        assert_eq!(selected("a!%3Dx").await, "five four three two");
        assert_eq!(selected("a+notin+(x,z)").await, "five three two");
        assert_eq!(selected("a%3Dy,b").await, "two");
        assert_eq!(selected("a%3D%3Dx").await, "one");
        for bad in ["a+in", "a+in+(", "a%3D%3D%3Db", "!", "a%3D-"] {
            let refused = suite.get(&format!("{path}?labelSelector={bad}")).await;
            refused.refused(400, "BadRequest", "");
        }
    });
}

#[test]
fn c084_names_select() {
    run(async |suite| {
        let path = secrets(&suite, &["x", "y", "z"]).await;
        let selected = async |selector: &str| suite.get(&format!("{path}?fieldSelector={selector}")).await;
        assert_eq!(selected("metadata.name%3Dx").await.is(200).names(), ["x"]);
        assert_eq!(selected("metadata.name!%3Dx").await.is(200).names(), ["y", "z"]);
        assert_eq!(selected("metadata.name%3D%3Dno").await.is(200).names(), [""; 0]);
        let other = format!("metadata.namespace%3D{},metadata.name!%3Dz", suite.number);
        assert_eq!(selected(&other).await.is(200).names(), ["x", "y"]);
        let refused = suite.get(&suite.core("configmaps?fieldSelector=data.k%3Dv")).await;
        refused.refused(
            400,
            "BadRequest",
            "\"data.k\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        );
        selected("metadata.name").await.refused(400, "BadRequest", "");
    });
}

#[test]
fn c085_pods_are_selected_by_their_node_and_phase() {
    run(async |suite| {
        let pods = suite.core("pods");
        for (name, node) in [("free", json!(null)), ("placed", json!("c085"))] {
            let containers = json!([{"name": "a", "image": "a"}]);
            let pod = json!({"metadata": {"name": name}, "spec": {"nodeName": node, "containers": containers}});
            suite.made(&pods, pod).await;
        }
        let failed = json!({"status": {"phase": "Failed"}});
        suite
            .patch("merge-patch+json", &format!("{pods}/placed/status"), failed)
            .await
            .is(200);
        let selected = async |selector: &str| suite.get(&format!("{pods}?fieldSelector={selector}")).await;
        assert_eq!(selected("spec.nodeName%3D").await.is(200).names(), ["free"]);
        assert_eq!(selected("spec.nodeName%3Dc085").await.is(200).names(), ["placed"]);
        assert_eq!(selected("status.phase!%3DFailed").await.is(200).names(), ["free"]);
        assert_eq!(
            selected("status.phase%3DFailed,spec.nodeName!%3Dx")
                .await
                .is(200)
                .names(),
            ["placed"]
        );
        assert_eq!(
            selected("spec.hostNetwork%3Dfalse").await.is(200).names(),
            ["free", "placed"]
        );
        let refused = selected("spec.foo%3Da").await;
        refused.refused(400, "BadRequest", "field label not supported: spec.foo");
    });
}

#[test]
fn c086_events_and_secrets_are_selected_by_their_own_fields() {
    run(async |suite| {
        let events = suite.core("events");
        for (name, uid) in [("a", "1"), ("b", "2")] {
            let regarding = json!({"kind": "Pod", "namespace": suite.number, "name": "p", "uid": uid});
            let event =
                json!({"metadata": {"name": name}, "involvedObject": regarding, "type": "Normal", "reason": "R"});
            suite.made(&events, event).await;
        }
        let selector = format!(
            "involvedObject.name%3Dp,involvedObject.namespace%3D{},involvedObject.uid%3D2",
            suite.number
        );
        let list = suite.get(&format!("{events}?fieldSelector={selector}")).await.is(200);
        assert_eq!(list.names(), ["b"]);
        let path = secrets(&suite, &["plain"]).await;
        let special = json!({"metadata": {"name": "special"}, "type": "example.test/special"});
        suite.made(&path, special).await;
        let selected = async |selector: &str| suite.get(&format!("{path}?fieldSelector={selector}")).await;
        assert_eq!(selected("type%3DOpaque").await.is(200).names(), ["plain"]);
        assert_eq!(selected("type!%3DOpaque").await.is(200).names(), ["special"]);
    });
}

#[test]
fn c087_custom_objects_are_selected_by_the_fields_that_say_so() {
    run(async |suite| {
        let mut selectable = version("v1");
        selectable["selectableFields"] = json!([{"jsonPath": ".spec.mode"}]);
        let mut definition = suite.definition();
        definition["spec"]["versions"] = json!([selectable]);
        suite.define(definition).await;
        let widgets = suite.widgets();
        for (name, spec) in [
            ("one", json!({"mode": "a"})),
            ("two", json!({"mode": "b"})),
            ("three", json!({})),
        ] {
            suite.made(&widgets, suite.widget(name, spec)).await;
        }
        let selected = async |selector: &str| suite.get(&format!("{widgets}?fieldSelector={selector}")).await;
        assert_eq!(selected("spec.mode%3Db").await.is(200).names(), ["two"]);
        assert_eq!(selected("spec.mode!%3Db").await.is(200).names(), ["one", "three"]);
        assert_eq!(selected("spec.mode%3D").await.is(200).names(), ["three"]);
        selected("spec.note%3Dx").await.refused(400, "BadRequest", "");
    });
}

#[test]
fn c088_initial_events_are_of_watches() {
    run(async |suite| {
        let path = suite.core("secrets?sendInitialEvents=true");
        let refused = suite
            .get(&path)
            .await
            .refused(422, "Invalid", "sendInitialEvents is forbidden for list");
        refused.caused_by("FieldValueForbidden", "sendInitialEvents");
    });
}
