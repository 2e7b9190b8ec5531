//! Counts of requests, by verb, resource and user agent, and of work that should be done once: at `/metrics`, and of requests
//! in process, too.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// How often a client did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestCount {
    /// The first product token of the client's `User-Agent`: `kubectl/v1.32.4`.
    pub user_agent: String,
    /// `get`, `list`, `create`, …; the HTTP method in lower case for what is no resource.
    pub verb: String,
    /// Plural name and group, `deployments.apps`, with the subresource after a slash; empty for what is no resource.
    pub resource: String,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// How often.
    pub count: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<Key, u64>>,
    /// Lines made for watches.
    lines: AtomicU64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    user_agent: String,
    verb: String,
    resource: String,
    dry_run: bool,
}

/// Clients choose their user agent: beyond so many combinations the rest are counted together.
const LIMIT: usize = 10_000;

impl Metrics {
    pub(crate) fn count(&self, user_agent: &str, verb: &str, resource: String, dry_run: bool) {
        let mut counts = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let user_agent = if counts.len() < LIMIT { user_agent } else { "other" };
        let key = Key {
            user_agent: user_agent.to_owned(),
            verb: verb.to_owned(),
            resource,
            dry_run,
        };
        *counts.entry(key).or_default() += 1;
    }

    /// A line was made of an object for watches.
    pub(crate) fn made_line(&self) {
        self.lines.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> Vec<RequestCount> {
        let counts = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |(key, count): (&Key, &u64)| {
            let Key {
                user_agent,
                verb,
                resource,
                dry_run,
            } = key.clone();
            RequestCount {
                user_agent,
                verb,
                resource,
                dry_run,
                count: *count,
            }
        };
        counts.iter().map(count).collect()
    }

    /// The counts in Prometheus' text format.
    pub(crate) fn text(&self, revision: u64, encodings: u64) -> String {
        let mut text = String::from(
            "# HELP apiserver_request_total Requests by verb, resource, user agent, and whether they were a dry run.\n\
             # TYPE apiserver_request_total counter\n",
        );
        for count in self.counts() {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "apiserver_request_total{{verb=\"{}\",resource=\"{}\",user_agent=\"{}\",dry_run=\"{}\"}} {}",
                escape(&count.verb),
                escape(&count.resource),
                escape(&count.user_agent),
                count.dry_run,
                count.count
            );
        }
        let _ = write!(
            text,
            "# HELP apiserver_storage_revision Number of the last change.\n# TYPE apiserver_storage_revision gauge\n\
             apiserver_storage_revision {revision}\n\
             # HELP apiserver_object_encodings_total Objects encoded to JSON.\n\
             # TYPE apiserver_object_encodings_total counter\napiserver_object_encodings_total {encodings}\n\
             # HELP apiserver_watch_lines_total Lines made of objects for watches; each is sent to all who want that form.\n\
             # TYPE apiserver_watch_lines_total counter\napiserver_watch_lines_total {}\n",
            self.lines.load(Ordering::Relaxed)
        );
        text
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
