//! Namespaces, owners and dependents: the parts of sections 8.8 and 8.11 that happen in the server's own time.

use std::{sync::Arc, time::Duration};

use berth_apiserver::{MemoryStorage, Options, Storage};
use serde_json::{Value, json};
use tokio::time::{self, Instant};

use crate::Cluster;

const MAPS: &str = "/api/v1/namespaces/t/configmaps";

async fn add(cluster: &Cluster, name: &str, owners: Value) -> String {
    let map = json!({"metadata": {"name": name, "ownerReferences": owners}});
    cluster.post(MAPS, map).await.is(201).body["metadata"]["uid"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn owner(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid, "blockOwnerDeletion": true})
}

#[tokio::test(start_paused = true)]
async fn the_same_requests_lead_to_the_same_log() {
    let run = async || {
        let cluster = Cluster::with_namespace().await;
        let uid = add(&cluster, "owner", json!([])).await;
        for name in ["a", "b", "c"] {
            add(&cluster, name, json!([owner("owner", &uid)])).await;
        }
        cluster.delete(&format!("{MAPS}/owner"), json!({})).await.is(200);
        cluster.until(&format!("{MAPS}/c"), |answer| answer.code == 404).await;
        cluster.delete("/api/v1/namespaces/t", json!({})).await.is(200);
        cluster.until("/api/v1/namespaces/t", |answer| answer.code == 404).await;
        cluster.storage.fork().open().unwrap()
    };
    assert_eq!(run().await, run().await);
}

/// Wall time that goes with the paused clock.
fn with_passing_time(options: &mut Options) {
    let (started, at) = (Instant::now(), (options.clock)());
    options.clock = Arc::new(move || at + started.elapsed());
}

const EVENTS: &str = "/api/v1/namespaces/default/events";

fn event(name: &str) -> Value {
    let about = json!({"kind": "Pod", "namespace": "default", "name": "p"});
    json!({"metadata": {"name": name, "namespace": "default"}, "involvedObject": about, "reason": "Tested"})
}

#[tokio::test(start_paused = true)]
async fn events_end_after_a_while_and_watchers_see_it() {
    let cluster = Cluster::with(|options| {
        with_passing_time(options);
        options.event_ttl = Duration::from_mins(10);
    });
    let mut held = event("held");
    held["metadata"]["finalizers"] = json!(["example.test/hold"]);
    for event in [event("old"), event("renewed"), held] {
        cluster.post(EVENTS, event).await.is(201);
    }
    let mut watch = cluster.watch(&format!("{EVENTS}?watch=true")).await;
    watch.names(3).await;
    time::sleep(Duration::from_mins(6)).await;
    let path = format!("{EVENTS}/renewed");
    let renewal = json!({"count": 2});
    let renewed = cluster.patch("merge-patch+json", &path, renewal).await.is(200);
    assert_eq!(watch.names(1).await, ["MODIFIED renewed"]);
    let started = Instant::now();
    let mut gone = Vec::new();
    for _ in 0..2 {
        let event = watch.next().await.unwrap();
        assert_eq!(event["type"], "DELETED");
        assert!(
            event["object"]["metadata"]["resourceVersion"]
                .as_str()
                .unwrap()
                .parse::<u64>()
                .unwrap()
                > renewed.version()
        );
        gone.push(event["object"]["metadata"]["name"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        (gone, started.elapsed().as_secs() / 60),
        (vec!["old".to_owned(), "held".to_owned()], 4)
    );
    cluster.get(&path).await.is(200);
    assert_eq!(watch.names(1).await, ["DELETED renewed"]);
    assert_eq!(started.elapsed().as_secs() / 60, 10);
    // One hour, if nothing else is said.
    assert_eq!(Options::in_memory().event_ttl, Duration::from_hours(1));
}

#[tokio::test(start_paused = true)]
async fn events_end_in_time_though_the_server_was_away() {
    let storage = MemoryStorage::new();
    let first = Cluster::on(storage.clone(), with_passing_time);
    first.post(EVENTS, event("e")).await.is(201);
    let later = |minutes: u64| {
        Cluster::on(storage.fork(), move |options| {
            let at = (options.clock)() + Duration::from_mins(minutes);
            options.clock = Arc::new(move || at);
            with_passing_time(options);
        })
    };
    let path = format!("{EVENTS}/e");
    let young = later(50);
    young.get(&path).await.is(200);
    time::sleep(Duration::from_mins(9)).await;
    young.get(&path).await.is(200);
    time::sleep(Duration::from_mins(2)).await;
    young.get(&path).await.is(404);
    let old = later(61);
    old.until(&path, |answer| answer.code == 404).await;
}

/// The events about an object of that name: reason and message.
async fn warnings(cluster: &Cluster, namespace: &str, name: &str) -> Vec<String> {
    let path = format!("/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.name%3D{name}");
    let list = cluster.get(&path).await.is(200).body;
    let text = |event: &Value| {
        format!(
            "{} {}",
            event["reason"].as_str().unwrap(),
            event["message"].as_str().unwrap()
        )
    };
    list["items"].as_array().unwrap().iter().map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn an_owner_in_another_namespace_is_none_and_people_are_told() {
    let cluster = Cluster::with_namespace().await;
    let uid = add(&cluster, "owner", json!([])).await;
    let child = json!({"metadata": {"name": "child", "ownerReferences": [owner("owner", &uid)]}});
    cluster
        .post("/api/v1/namespaces/default/configmaps", child)
        .await
        .is(201);
    let path = "/api/v1/namespaces/default/configmaps/child";
    cluster.until(path, |answer| answer.code == 404).await;
    let told = format!(
        "OwnerRefInvalidNamespace ownerRef [v1/ConfigMap, namespace: default, name: owner, uid: {uid}] does not exist in \
         namespace \"default\""
    );
    assert_eq!(warnings(&cluster, "default", "child").await, [told]);
    // What is in no namespace can't be owned by what is in one: it stays.
    let node = json!({"metadata": {"name": "n", "ownerReferences": [owner("owner", &uid)]}});
    cluster.post("/api/v1/nodes", node).await.is(201);
    let told = format!(
        "OwnerRefInvalidNamespace ownerRef [v1/ConfigMap, namespace: , name: owner, uid: {uid}] does not exist in namespace \"\""
    );
    while warnings(&cluster, "default", "n").await.is_empty() {
        time::sleep(Duration::from_secs(1)).await;
    }
    cluster.delete(&format!("{MAPS}/owner"), json!({})).await.is(200);
    time::sleep(Duration::from_mins(5)).await;
    cluster.get("/api/v1/nodes/n").await.is(200);
    assert_eq!(warnings(&cluster, "default", "n").await, [told]);
}

#[tokio::test(start_paused = true)]
async fn a_reference_means_kind_name_and_uid() {
    let cluster = Cluster::with_namespace().await;
    let uid = add(&cluster, "owner", json!([])).await;
    let mut kind = owner("owner", &uid);
    kind["kind"] = "Secret".into();
    let mut unknown = owner("owner", &uid);
    (unknown["apiVersion"], unknown["kind"]) = ("example.test/v9".into(), "Gadget".into());
    for (name, reference) in [("name", owner("other", &uid)), ("kind", kind)] {
        add(&cluster, name, json!([reference])).await;
        cluster
            .until(&format!("{MAPS}/{name}"), |answer| answer.code == 404)
            .await;
    }
    // Of a kind that isn't served nobody can say that it is not there.
    add(&cluster, "unknown", json!([unknown])).await;
    time::sleep(Duration::from_mins(5)).await;
    cluster.get(&format!("{MAPS}/unknown")).await.is(200);
}

#[tokio::test(start_paused = true)]
async fn dependents_go_though_the_kind_of_their_owner_went_too() {
    let cluster = Cluster::with_namespace().await;
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    cluster.post(crds, crate::widgets()).await.is(201);
    let widget = json!({"metadata": {"name": "w"}});
    let widget = cluster
        .post("/apis/example.test/v1/namespaces/t/widgets", widget)
        .await
        .is(201)
        .body;
    let reference =
        json!({"apiVersion": "example.test/v1", "kind": "Widget", "name": "w", "uid": widget["metadata"]["uid"]});
    add(&cluster, "child", json!([reference])).await;
    cluster
        .delete(&format!("{crds}/widgets.example.test"), json!({}))
        .await
        .is(200);
    cluster
        .until(&format!("{MAPS}/child"), |answer| answer.code == 404)
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_waits_lets_go_of_what_another_one_keeps() {
    let cluster = Cluster::with_namespace().await;
    let (going, staying) = (
        add(&cluster, "going", json!([])).await,
        add(&cluster, "staying", json!([])).await,
    );
    add(
        &cluster,
        "both",
        json!([owner("going", &going), owner("staying", &staying)]),
    )
    .await;
    let options = json!({"propagationPolicy": "Foreground"});
    cluster.delete(&format!("{MAPS}/going"), options).await.is(200);
    cluster
        .until(&format!("{MAPS}/going"), |answer| answer.code == 404)
        .await;
    let both = cluster.get(&format!("{MAPS}/both")).await.is(200).body;
    assert_eq!(both["metadata"]["ownerReferences"], json!([owner("staying", &staying)]));
    assert_eq!(both["metadata"].get("deletionTimestamp"), None);
}

#[tokio::test(start_paused = true)]
async fn owners_that_wait_for_each_other_go_all_the_same() {
    let cluster = Cluster::with_namespace().await;
    let one = add(&cluster, "one", json!([])).await;
    let two = add(&cluster, "two", json!([owner("one", &one)])).await;
    let three = add(&cluster, "three", json!([owner("two", &two)])).await;
    let circle = json!({"metadata": {"ownerReferences": [owner("three", &three)]}});
    cluster
        .patch("merge-patch+json", &format!("{MAPS}/one"), circle)
        .await
        .is(200);
    let options = json!({"propagationPolicy": "Foreground"});
    cluster.delete(&format!("{MAPS}/one"), options).await.is(200);
    for name in ["one", "two", "three"] {
        cluster
            .until(&format!("{MAPS}/{name}"), |answer| answer.code == 404)
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dependent_that_is_set_free_frees_its_owner() {
    let cluster = Cluster::with_namespace().await;
    let uid = add(&cluster, "owner", json!([])).await;
    let held = json!({"metadata": {
        "name": "held",
        "ownerReferences": [owner("owner", &uid)],
        "finalizers": ["example.test/hold"],
    }});
    cluster.post(MAPS, held).await.is(201);
    let options = json!({"propagationPolicy": "Foreground"});
    cluster.delete(&format!("{MAPS}/owner"), options).await.is(200);
    let ends = |answer: &crate::answer::Answer| answer.body["metadata"]["deletionTimestamp"].is_string();
    cluster.until(&format!("{MAPS}/held"), ends).await;
    cluster.get(&format!("{MAPS}/owner")).await.is(200);
    let free = json!({"metadata": {"ownerReferences": null}});
    cluster
        .patch("merge-patch+json", &format!("{MAPS}/held"), free)
        .await
        .is(200);
    cluster
        .until(&format!("{MAPS}/owner"), |answer| answer.code == 404)
        .await;
    cluster.get(&format!("{MAPS}/held")).await.is(200);
}

#[tokio::test(start_paused = true)]
async fn what_every_cluster_has_comes_back_and_is_put_right() {
    let cluster = Cluster::with(|options| options.root_ca = Some("PEM".to_owned()));
    let lease = "/api/v1/namespaces/kube-node-lease";
    let before = cluster.get(lease).await.is(200).body;
    cluster.delete(lease, json!({})).await.is(200);
    let anew = |answer: &crate::answer::Answer| {
        answer.code == 200 && answer.body["metadata"]["uid"] != before["metadata"]["uid"]
    };
    cluster.until(lease, anew).await;
    let account = format!("{lease}/serviceaccounts/default");
    cluster.until(&account, |answer| answer.code == 200).await;
    let ca = "/api/v1/namespaces/default/configmaps/kube-root-ca.crt";
    cluster.until(ca, |answer| answer.code == 200).await;
    let wrong = json!({"data": {"ca.crt": "OTHER", "more": "x"}});
    cluster.patch("merge-patch+json", ca, wrong).await.is(200);
    cluster
        .until(ca, |answer| answer.body["data"] == json!({"ca.crt": "PEM"}))
        .await;
}

#[tokio::test(start_paused = true)]
async fn pods_leave_a_namespace_before_what_they_use() {
    let cluster = Cluster::with_namespace().await;
    add(&cluster, "used", json!([])).await;
    let pods = "/api/v1/namespaces/t/pods";
    let pod = json!({"metadata": {"name": "p", "finalizers": ["example.test/hold"]}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    cluster.post(pods, pod).await.is(201);
    cluster.delete("/api/v1/namespaces/t", json!({})).await.is(200);
    let path = format!("{pods}/p");
    cluster
        .until(&path, |answer| answer.body["metadata"]["deletionTimestamp"].is_string())
        .await;
    time::sleep(Duration::from_secs(1)).await;
    cluster.get(&format!("{MAPS}/used")).await.is(200);
    let free = json!({"metadata": {"finalizers": null}});
    cluster.patch("merge-patch+json", &path, free).await.is(200);
    cluster.until("/api/v1/namespaces/t", |answer| answer.code == 404).await;
}

const API_SERVICE: &str = "/apis/apiregistration.k8s.io/v1/apiservices/v1.dead.test";

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions
        .into_iter()
        .find(|condition| condition["type"] == kind)
        .unwrap_or(&Value::Null)
}

#[tokio::test(start_paused = true)]
async fn no_namespace_ends_while_an_aggregated_api_does_not_answer() {
    let cluster = Cluster::with_namespace().await;
    let service = json!({
        "metadata": {"name": "v1.dead.test"},
        "spec": {
            "group": "dead.test", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
            "service": {"namespace": "t", "name": "server"},
        },
    });
    cluster
        .post("/apis/apiregistration.k8s.io/v1/apiservices", service)
        .await
        .is(201);
    let missing = |answer: &crate::answer::Answer| condition(&answer.body, "Available")["reason"] == "ServiceNotFound";
    let judged = cluster.until(API_SERVICE, missing).await.body;
    assert_eq!(condition(&judged, "Available")["status"], "False");
    // A Service alone does not make it answer: this server forwards nothing.
    let server = json!({"metadata": {"name": "server"}, "spec": {"ports": [{"port": 443}]}});
    cluster.post("/api/v1/namespaces/t/services", server).await.is(201);
    let silent =
        |answer: &crate::answer::Answer| condition(&answer.body, "Available")["reason"] == "FailedDiscoveryCheck";
    cluster.until(API_SERVICE, silent).await;

    add(&cluster, "content", json!([])).await;
    cluster.delete("/api/v1/namespaces/t", json!({})).await.is(200);
    let stuck = |answer: &crate::answer::Answer| {
        condition(&answer.body, "NamespaceDeletionDiscoveryFailure")["status"] == "True"
            && condition(&answer.body, "NamespaceContentRemaining")["status"] == "False"
    };
    let waiting = cluster.until("/api/v1/namespaces/t", stuck).await.body;
    let failure = condition(&waiting, "NamespaceDeletionDiscoveryFailure");
    assert_eq!(failure["reason"], "DiscoveryFailed");
    assert_eq!(
        failure["message"],
        "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: dead.test/v1: \
         stale GroupVersion discovery: dead.test/v1"
    );
    cluster.get(&format!("{MAPS}/content")).await.is(404);

    cluster.delete(API_SERVICE, json!({})).await.is(200);
    // It is looked at again now and then.
    time::sleep(Duration::from_secs(10)).await;
    cluster.until("/api/v1/namespaces/t", |answer| answer.code == 404).await;
}
