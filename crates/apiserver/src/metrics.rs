//! Counts of requests: by verb, resource and user agent, at `/metrics` and in process.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, PoisonError},
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
pub(crate) struct Metrics(Mutex<BTreeMap<Key, u64>>);

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
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let user_agent = if counts.len() < LIMIT { user_agent } else { "other" };
        let key = Key {
            user_agent: user_agent.to_owned(),
            verb: verb.to_owned(),
            resource,
            dry_run,
        };
        *counts.entry(key).or_default() += 1;
    }

    pub(crate) fn counts(&self) -> Vec<RequestCount> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
             # TYPE apiserver_object_encodings_total counter\napiserver_object_encodings_total {encodings}\n"
        );
        text
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
