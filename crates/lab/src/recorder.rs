//! The event log of a world: one line for each change of each object, as watches show it. Two runs of the same seed are
//! compared by it, byte for byte.
//!
//! It sees what any client sees. Kinds are found by discovery at first, and by their CRDs from then on.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use serde_json::Value;

use crate::hash;

/// The lines so far. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventLog(Arc<Mutex<Vec<Line>>>);

/// One change. Changes are numbered by the server over all kinds, so that the order of lines is that of the changes, not
/// that in which watches were heard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    /// Which server this is of: one more after each restart.
    era: u32,
    revision: u64,
    text: String,
}

/// A collection that can be watched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Collection(String);

type Changes = BoxStream<'static, (String, Value)>;

impl EventLog {
    /// All lines, in the order of the changes.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = self.lock().clone();
        lines.sort();
        lines.into_iter().map(|line| line.text).collect()
    }

    /// Records until it is dropped. Each server has an era of its own, for its numbers may begin anew.
    pub(crate) async fn record(self, client: kube::Client, era: u32) {
        let mut known = BTreeSet::new();
        let mut changes: SelectAll<Changes> = SelectAll::new();
        for collection in discovered(&client).await {
            if known.insert(collection.clone()) {
                changes.push(watch(&client, &collection).await);
            }
        }
        while let Some((change, object)) = changes.next().await {
            if let Some(collection) = established(&object)
                && known.insert(collection.clone())
            {
                changes.push(watch(&client, &collection).await);
            }
            self.lock().push(line(era, &change, &object));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line(era: u32, change: &str, object: &Value) -> Line {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    let revision = text(&metadata["resourceVersion"]);
    let mut name = text(&metadata["namespace"]);
    if !name.is_empty() {
        name.push('/');
    }
    name.push_str(&text(&metadata["name"]));
    let mut line = String::new();
    let digest = hash::hex(&[&object.to_string()], 16);
    // Writing to a string does not fail.
    let _ = write!(
        line,
        "{revision:>7} {change:<8} {} {name} {digest}",
        text(&object["kind"])
    );
    Line {
        era,
        revision: revision.parse().unwrap_or(0),
        text: line,
    }
}

/// The collection of a CRD that is served, by its stored version.
fn established(object: &Value) -> Option<Collection> {
    if object["kind"] != "CustomResourceDefinition" || !crate::conditions::is_true(object, "Established") {
        return None;
    }
    let spec = &object["spec"];
    let version = spec["versions"]
        .as_array()?
        .iter()
        .find(|version| version["storage"] == true)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(Collection(format!(
        "/apis/{}/{}/{}",
        text(&spec["group"]),
        text(&version["name"]),
        text(&spec["names"]["plural"])
    )))
}

/// Everything that discovery says can be watched, each group in its preferred version.
async fn discovered(client: &kube::Client) -> Vec<Collection> {
    let mut roots = vec!["/api/v1".to_owned()];
    if let Some(groups) = get(client, "/apis").await {
        let preferred = |group: &Value| {
            group["preferredVersion"]["groupVersion"]
                .as_str()
                .map(|version| format!("/apis/{version}"))
        };
        roots.extend(groups["groups"].as_array().into_iter().flatten().filter_map(preferred));
    }
    let mut collections = Vec::new();
    for root in roots {
        let Some(list) = get(client, &root).await else { continue };
        for resource in list["resources"].as_array().into_iter().flatten() {
            let watchable = resource["verbs"]
                .as_array()
                .is_some_and(|verbs| verbs.iter().any(|verb| verb == "watch"));
            // Events of both groups are the same objects.
            if let (true, Some(name), false) = (watchable, resource["name"].as_str(), root.contains("events.k8s.io")) {
                collections.push(Collection(format!("{root}/{name}")));
            }
        }
    }
    collections
}

async fn get(client: &kube::Client, path: &str) -> Option<Value> {
    client
        .request(http::Request::get(path).body(Vec::new()).ok()?)
        .await
        .ok()
}

async fn watch(client: &kube::Client, collection: &Collection) -> Changes {
    let path = format!("{}?watch=true&allowWatchBookmarks=false", collection.0);
    let Ok(request) = http::Request::get(path).body(Vec::new()) else {
        return futures::stream::empty().boxed();
    };
    let events = client.request_events::<Value>(request).await;
    let Ok(events) = events else {
        return futures::stream::empty().boxed();
    };
    let change = |event| match event {
        Ok(kube::core::WatchEvent::Added(object)) => Some(("ADDED".to_owned(), object)),
        Ok(kube::core::WatchEvent::Modified(object)) => Some(("MODIFIED".to_owned(), object)),
        Ok(kube::core::WatchEvent::Deleted(object)) => Some(("DELETED".to_owned(), object)),
        _ => None,
    };
    events
        .filter_map(move |event| std::future::ready(change(event)))
        .boxed()
}
