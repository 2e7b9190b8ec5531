//! Section 8.5: watching. What is watched are Secrets: controllers put ConfigMaps into every namespace.

use std::{sync::Arc, time::Duration};

use berth_apiserver::{Decision, Identity, RequestAttributes};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::{Answer, Suite, run, run_with, socket::Socket, text, watching::Watch};

/// Makes a Secret with labels.
async fn add(suite: &Suite, name: &str, labels: Value) -> Answer {
    let secret = json!({"metadata": {"name": name, "labels": labels}});
    suite.post(&suite.core("secrets"), secret).await.is(201)
}

async fn label(suite: &Suite, name: &str, labels: Value) -> Answer {
    let path = suite.core(&format!("secrets/{name}"));
    let patch = json!({"metadata": {"labels": labels}});
    suite.patch("merge-patch+json", &path, patch).await.is(200)
}

async fn remove(suite: &Suite, name: &str) {
    let path = suite.core(&format!("secrets/{name}"));
    suite.delete(&path, json!({})).await.is(200);
}

/// A watch of the test's Secrets from now on.
async fn from_now(suite: &Suite, query: &str) -> Watch {
    let secrets = suite.core("secrets");
    let now = suite.get(&secrets).await.is(200).version();
    suite
        .watch(&format!("{secrets}?watch=true&resourceVersion={now}&{query}"))
        .await
}

fn revision(event: &Value) -> u64 {
    text(&event["object"]["metadata"]["resourceVersion"]).parse().unwrap()
}

#[test]
fn c089_changes_come_in_order() {
    run(async |suite| {
        let mut watch = from_now(&suite, "").await;
        let made = add(&suite, "x", json!({})).await.version();
        let changed = label(&suite, "x", json!({"a": "1"})).await.version();
        remove(&suite, "x").await;
        let mut versions = Vec::new();
        for kind in ["ADDED", "MODIFIED", "DELETED"] {
            let event = watch.next().await.unwrap();
            assert_eq!(event["type"], kind);
            assert_eq!(
                (&event["object"]["kind"], &event["object"]["apiVersion"]),
                (&json!("Secret"), &json!("v1"))
            );
            assert_eq!(event["object"]["metadata"]["name"], "x");
            versions.push(revision(&event));
        }
        assert_eq!(versions[..2], [made, changed]);
    });
}

#[test]
fn c090_what_counts_as_yes() {
    run(async |suite| {
        let secrets = suite.core("secrets");
        for query in ["watch=True", "watch=1", "watch=true", "watch"] {
            let mut watch = suite
                .watch(&format!("{secrets}?{query}&timeoutSeconds=1&resourceVersion=0"))
                .await;
            assert_eq!(watch.next().await, None, "{query}");
        }
        for query in ["watch=false", "watch=0", "watch=False"] {
            let list = suite.get(&format!("{secrets}?{query}")).await.is(200);
            assert_eq!(list.body["kind"], "SecretList", "{query}");
        }
    });
}

#[test]
fn c091_a_deletion_has_a_version_of_its_own() {
    run(async |suite| {
        let mut watch = from_now(&suite, "").await;
        add(&suite, "x", json!({})).await;
        label(&suite, "x", json!({"a": "1"})).await;
        remove(&suite, "x").await;
        let (_, changed, gone) = (
            watch.next().await,
            watch.next().await.unwrap(),
            watch.next().await.unwrap(),
        );
        assert!(revision(&gone) > revision(&changed));
        // The rest of it is as it was last.
        let mut last = changed["object"].clone();
        last["metadata"]["resourceVersion"] = gone["object"]["metadata"]["resourceVersion"].clone();
        assert_eq!(gone["object"], last);
    });
}

#[test]
fn c092_without_a_version_what_is_there_comes_first() {
    run(async |suite| {
        what_is_there_comes_first(&suite, "watch=true").await;
    });
}

#[test]
fn c093_version_zero_is_no_version() {
    run(async |suite| {
        what_is_there_comes_first(&suite, "watch=true&resourceVersion=0").await;
    });
}

async fn what_is_there_comes_first(suite: &Suite, query: &str) {
    add(suite, "b", json!({})).await;
    add(suite, "a", json!({})).await;
    let mut watch = suite.watch(&format!("{}?{query}", suite.core("secrets"))).await;
    let mut first = watch.names(2).await;
    // A real server begins in the order of its cache.
    first.sort();
    assert_eq!(first, ["ADDED a", "ADDED b"]);
    add(suite, "c", json!({})).await;
    assert_eq!(watch.names(1).await, ["ADDED c"]);
}

#[test]
fn c094_what_came_later_is_told_again() {
    run(async |suite| {
        let secrets = suite.core("secrets");
        add(&suite, "before", json!({})).await;
        let start = suite.get(&secrets).await.is(200).version();
        let mut live = suite
            .watch(&format!("{secrets}?watch=true&resourceVersion={start}"))
            .await;
        add(&suite, "x", json!({})).await;
        label(&suite, "x", json!({"a": "1"})).await;
        label(&suite, "before", json!({"a": "1"})).await;
        remove(&suite, "x").await;
        let mut again = suite
            .watch(&format!("{secrets}?watch=true&resourceVersion={start}"))
            .await;
        for expected in ["ADDED x", "MODIFIED x", "MODIFIED before", "DELETED x"] {
            let (one, two) = (live.next().await.unwrap(), again.next().await.unwrap());
            assert_eq!(one, two);
            let name = text(&one["object"]["metadata"]["name"]);
            assert_eq!(format!("{} {name}", text(&one["type"])), expected);
        }
    });
}

#[test]
fn c095_a_version_that_is_forgotten() {
    run_with(
        |options| options.history = 3,
        async |suite| {
            suite.with_widgets().await;
            let widgets = suite.widgets();
            for name in ["a", "b", "c", "d", "e"] {
                suite.made(&widgets, suite.widget(name, json!({}))).await;
            }
            let mut watch = suite.watch(&format!("{widgets}?watch=true&resourceVersion=1")).await;
            let error = watch.next().await.unwrap();
            assert_eq!(error["type"], "ERROR");
            let status = &error["object"];
            assert_eq!(
                (&status["kind"], &status["apiVersion"]),
                (&json!("Status"), &json!("v1"))
            );
            assert_eq!((&status["code"], &status["reason"]), (&json!(410), &json!("Expired")));
            assert!(
                text(&status["message"]).contains("too old resource version: 1 ("),
                "{status}"
            );
            assert_eq!(watch.next().await, None);
        },
    );
}

#[test]
fn c096_a_version_that_is_none() {
    run(async |suite| {
        let secrets = suite.core("secrets");
        let refused = suite.get(&format!("{secrets}?watch=true&resourceVersion=abc")).await;
        // A real server calls it its own error.
        assert!(matches!(refused.code, 400 | 500), "{}", refused.body);
        assert!(text(&refused.body["message"]).contains("abc"), "{}", refused.body);
        let refused = suite.get(&format!("{secrets}?watch=true&labelSelector=a+in")).await;
        refused.refused(400, "BadRequest", "");
    });
}

#[test]
fn c097_a_watch_ends_when_it_was_told_to() {
    run(async |suite| {
        let start = Instant::now();
        let mut watch = from_now(&suite, "timeoutSeconds=2").await;
        assert_eq!(watch.next().await, None);
        // On a clock that stands still but for waiting; a real server's is not looked at so closely.
        assert!((1..10).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    });
}

const INITIAL: &str = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

#[test]
fn c098_the_end_of_what_was_there() {
    run(async |suite| {
        let secrets = suite.core("secrets");
        let ends = |event: &Value| {
            assert_eq!(event["type"], "BOOKMARK", "{event}");
            assert_eq!(
                event["object"]["metadata"]["annotations"],
                json!({"k8s.io/initial-events-end": "true"})
            );
            assert!(revision(event) > 0);
        };
        let mut empty = suite.watch(&format!("{secrets}?{INITIAL}")).await;
        ends(&empty.next().await.unwrap());
        add(&suite, "x", json!({})).await;
        assert_eq!(empty.names(1).await, ["ADDED x"]);
        let made = add(&suite, "y", json!({})).await.version();
        for start in ["", "&resourceVersion=0", &format!("&resourceVersion={made}")] {
            let mut watch = suite.watch(&format!("{secrets}?{INITIAL}{start}")).await;
            let mut first = watch.names(2).await;
            first.sort();
            assert_eq!(first, ["ADDED x", "ADDED y"], "{start}");
            let end = watch.next().await.unwrap();
            ends(&end);
            assert!(revision(&end) >= made);
        }
        // Those who neither ask for the end nor say where to begin are told of it if they want bookmarks.
        let mut unasked = suite
            .watch(&format!("{secrets}?watch=true&allowWatchBookmarks=true"))
            .await;
        unasked.names(2).await;
        ends(&unasked.next().await.unwrap());
    });
}

#[test]
fn c099_initial_events_are_not_older_than() {
    run(async |suite| {
        let secrets = suite.core("secrets");
        let refused = suite.get(&format!("{secrets}?watch=true&sendInitialEvents=true")).await;
        let text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        let refused = refused.refused(422, "Invalid", text);
        refused.caused_by("FieldValueForbidden", "resourceVersionMatch");
        let refused = suite
            .get(&format!("{secrets}?watch=true&resourceVersionMatch=NotOlderThan"))
            .await;
        let text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
        refused.refused(422, "Invalid", text);
    });
}

#[test]
fn c100_an_idle_client_hears_where_it_is() {
    run(async |suite| {
        let mut watch = from_now(&suite, "allowWatchBookmarks=true").await;
        let last = add(&suite, "x", json!({})).await.version();
        assert_eq!(watch.names(1).await, ["ADDED x"]);
        let mark = timeout(Duration::from_secs(70), watch.next())
            .await
            .expect("within 70 s")
            .unwrap();
        assert_eq!(mark["type"], "BOOKMARK");
        assert_eq!(
            (&mark["object"]["kind"], &mark["object"]["apiVersion"]),
            (&json!("Secret"), &json!("v1"))
        );
        assert!(revision(&mark) >= last);
    });
}

#[test]
fn c101_what_leaves_a_selection_is_gone() {
    run(async |suite| {
        let mut watch = from_now(&suite, "labelSelector=a").await;
        add(&suite, "x", json!({})).await;
        label(&suite, "x", json!({"a": "1"})).await;
        label(&suite, "x", json!({"b": "1"})).await;
        let left = label(&suite, "x", json!({"a": null})).await.version();
        label(&suite, "x", json!({"c": "1"})).await;
        label(&suite, "x", json!({"a": "2"})).await;
        remove(&suite, "x").await;
        let mut events = Vec::new();
        for kind in ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"] {
            let event = watch.next().await.unwrap();
            assert_eq!(event["type"], kind);
            events.push(event);
        }
        // The state that was selected last, at the version at which it no longer was.
        assert_eq!(events[2]["object"]["metadata"]["labels"], json!({"a": "1", "b": "1"}));
        assert_eq!(revision(&events[2]), left);
    });
}

#[test]
fn c102_one_object_is_watched_by_its_name() {
    run(async |suite| {
        let mut watch = from_now(&suite, "fieldSelector=metadata.name%3Dy").await;
        add(&suite, "x", json!({})).await;
        add(&suite, "y", json!({})).await;
        label(&suite, "x", json!({"a": "1"})).await;
        remove(&suite, "y").await;
        assert_eq!(watch.names(2).await, ["ADDED y", "DELETED y"]);
    });
}

#[test]
fn c103_tables_of_one_row() {
    run(async |suite| {
        add(&suite, "x", json!({})).await;
        let secrets = suite.core("secrets");
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        let mut watch = suite.watch_as(&format!("{secrets}?watch=true"), table).await;
        let first = watch.next().await.unwrap();
        add(&suite, "y", json!({})).await;
        let second = watch.next().await.unwrap();
        for (event, name) in [(&first, "x"), (&second, "y")] {
            let table = &event["object"];
            assert_eq!(event["type"], "ADDED");
            assert_eq!(
                (&table["kind"], &table["apiVersion"]),
                (&json!("Table"), &json!("meta.k8s.io/v1"))
            );
            assert_eq!(table["rows"].as_array().unwrap().len(), 1);
            assert_eq!(table["rows"][0]["cells"][0], name);
            assert_eq!(table["rows"][0]["object"]["metadata"]["name"], name);
        }
        assert_eq!(first["object"]["columnDefinitions"][0]["name"], "Name");
        let later = &second["object"]["columnDefinitions"];
        assert!(later.as_array().is_none_or(Vec::is_empty), "{later}");
    });
}

#[test]
fn c104_nothing_but_the_metadata_of_changes() {
    run(async |suite| {
        add(&suite, "x", json!({"a": "1"})).await;
        let secrets = suite.core("secrets");
        let metadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        let mut watch = suite.watch_as(&format!("{secrets}?watch=true"), metadata).await;
        let mut events = vec![watch.next().await.unwrap()];
        remove(&suite, "x").await;
        events.push(watch.next().await.unwrap());
        for (event, kind) in events.iter().zip(["ADDED", "DELETED"]) {
            assert_eq!(event["type"], kind);
            let object = &event["object"];
            assert_eq!(
                (&object["kind"], &object["apiVersion"]),
                (&json!("PartialObjectMetadata"), &json!("meta.k8s.io/v1"))
            );
            assert_eq!(object["metadata"]["labels"], json!({"a": "1"}));
            assert_eq!(object.get("type"), None);
        }
    });
}

#[test]
fn c105_all_who_watch_see_the_same() {
    run(async |suite| {
        let (mut one, mut two) = (from_now(&suite, "").await, from_now(&suite, "").await);
        for index in 0..5 {
            let name = format!("x{index}");
            add(&suite, &name, json!({})).await;
            label(&suite, &name, json!({"a": "1"})).await;
            remove(&suite, &name).await;
        }
        let mut last = 0;
        for _ in 0..15 {
            let event = one.next().await.unwrap();
            assert_eq!(two.next().await.unwrap(), event);
            assert!(revision(&event) > last);
            last = revision(&event);
        }
    });
}

#[test]
fn c106_a_namespace_or_all_of_them() {
    run(async |suite| {
        let other = format!("{}-b", suite.number);
        suite
            .made("/api/v1/namespaces", json!({"metadata": {"name": other}}))
            .await;
        let labels = json!({"of": suite.number});
        let mut here = from_now(&suite, "").await;
        let now = suite.get("/api/v1/secrets").await.is(200).version();
        let everywhere = format!(
            "/api/v1/secrets?watch=true&resourceVersion={now}&labelSelector=of%3D{}",
            suite.number
        );
        let mut everywhere = suite.watch(&everywhere).await;
        let secret = json!({"metadata": {"name": "there", "labels": labels}});
        suite.made(&format!("/api/v1/namespaces/{other}/secrets"), secret).await;
        add(&suite, "here", labels).await;
        assert_eq!(here.names(1).await, ["ADDED here"]);
        assert_eq!(everywhere.names(2).await, ["ADDED there", "ADDED here"]);
    });
}

#[test]
fn c107_a_write_that_changes_nothing_is_no_event() {
    run(async |suite| {
        let before = add(&suite, "x", json!({"a": "1"})).await;
        let mut watch = from_now(&suite, "").await;
        let path = suite.core("secrets/x");
        let after = suite.put(&path, before.body.clone()).await.is(200);
        assert_eq!(after.version(), before.version());
        let same = label(&suite, "x", json!({"a": "1"})).await;
        assert_eq!(same.version(), before.version());
        add(&suite, "y", json!({})).await;
        assert_eq!(watch.names(1).await, ["ADDED y"]);
    });
}

#[test]
fn c108_a_watch_that_is_forbidden() {
    let nobody = |identity: &Identity, _: &RequestAttributes| {
        if identity.user == "jane" {
            Decision::Deny(String::new())
        } else {
            Decision::Allow
        }
    };
    run_with(
        |options| options.authorizer = Some(Arc::new(nobody)),
        async |suite| {
            let jane = suite.user("jane").await;
            let path = suite.core("secrets?watch=true");
            let request = http::Request::get(&path).body(Body::empty()).unwrap();
            let response = jane.client.send(request).await.unwrap();
            assert_eq!(response.status(), 403);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let lines = body.trim_ascii().split(|byte| *byte == b'\n').count();
            assert_eq!(lines, 1, "{body:?}");
            let text = format!(
                "secrets is forbidden: User \"jane\" cannot watch resource \"secrets\" in API group \"\" in the namespace \"{}\"",
                suite.number
            );
            jane.get(&path).await.refused(403, "Forbidden", &text);
        },
    );
}

#[test]
fn c109_a_hundred_watches_of_one_connection() {
    run(async |suite| {
        let socket = Socket::of(&suite).await;
        let connection = socket.http2().await;
        let url = socket.url(&suite.core("secrets?watch=true&resourceVersion=0"));
        let open = (0..100).map(|_| {
            let request = http::Request::get(&url).body(Body::empty()).unwrap();
            let mut connection = connection.clone();
            async move { connection.send_request(request).await.unwrap() }
        });
        let mut watches = Vec::new();
        for response in futures::future::join_all(open).await {
            assert_eq!(
                (response.status(), response.version()),
                (http::StatusCode::OK, http::Version::HTTP_2)
            );
            watches.push(Watch::new(response.into_body()));
        }
        add(&suite, "x", json!({})).await;
        for watch in &mut watches {
            assert_eq!(watch.names(1).await, ["ADDED x"]);
        }
    });
}
