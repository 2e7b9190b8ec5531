//! How a lab is, as far as it says so itself.

use std::io;
use std::time::Duration;

use berth_apiserver::RequestCount;

use super::{Home, LabName, Running, StopError, find};
use crate::home::read_if_there;

/// How a running lab is.
#[derive(Clone, Debug)]
pub struct LabStatus {
    /// The lab.
    pub lab: Running,
    /// How often who asked its API for what since it was started.
    pub requests: Vec<RequestCount>,
    /// Number of the last change of an object.
    pub revision: u64,
}

/// Why a lab's status is not known.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// It cannot be found out about.
    #[error(transparent)]
    Find(#[from] StopError),
    /// Its kubeconfig cannot be used.
    #[error("failed to use the lab's kubeconfig")]
    Kubeconfig(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It does not answer.
    #[error("the lab's API does not answer")]
    Ask(#[from] kube::Error),
}

/// How long a lab that is ready may take to say so.
const ANSWER: Duration = Duration::from_secs(2);

/// Whether a lab's API answers that it is ready. A process that was killed holds its lock a little longer than it answers.
pub(super) async fn answers(lab: &Running) -> bool {
    let ask = async {
        let request = http::Request::get("/readyz").body(Vec::new()).ok()?;
        client(lab).await.ok()?.request_text(request).await.ok()
    };
    matches!(tokio::time::timeout(ANSWER, ask).await, Ok(Some(_)))
}

/// Asks a lab how it is; `None` where it does not run.
pub async fn status(home: &Home, name: &LabName) -> Result<Option<LabStatus>, StatusError> {
    let Some(lab) = find(home, name)? else { return Ok(None) };
    let client = client(&lab).await?;
    let request = http::Request::get("/metrics")
        .body(Vec::new())
        .map_err(kube::Error::HttpError)?;
    let text = client.request_text(request).await?;
    let requests = text.lines().filter_map(request_count).collect();
    let revision = text
        .lines()
        .find_map(|line| line.strip_prefix("apiserver_storage_revision ")?.parse().ok());
    Ok(Some(LabStatus {
        lab,
        requests,
        revision: revision.unwrap_or(0),
    }))
}

async fn client(lab: &Running) -> Result<kube::Client, StatusError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| StatusError::Kubeconfig(error);
    let text = read_if_there(&lab.kubeconfig).map_err(|error| failed(error.into()))?;
    let text = text.ok_or_else(|| failed(io::Error::from(io::ErrorKind::NotFound).into()))?;
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&text).map_err(|error| failed(error.into()))?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default()).await;
    Ok(kube::Client::try_from(config.map_err(|error| failed(error.into()))?)?)
}

/// One line of the request counter, in Prometheus' text format.
fn request_count(line: &str) -> Option<RequestCount> {
    let (labels, count) = line.strip_prefix("apiserver_request_total{")?.rsplit_once("} ")?;
    let mut request = RequestCount {
        user_agent: String::new(),
        verb: String::new(),
        resource: String::new(),
        dry_run: false,
        count: count.parse().ok()?,
    };
    let mut rest = labels;
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = quoted(after)?;
        match name {
            "user_agent" => request.user_agent = value,
            "verb" => request.verb = value,
            "resource" => request.resource = value,
            "dry_run" => request.dry_run = value == "true",
            _ => {}
        }
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    Some(request)
}

/// A quoted value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_counter_and_nothing_else() {
        let line = r#"apiserver_request_total{verb="list",resource="pods",user_agent="a\"b,c/1",dry_run="true"} 7"#;
        let count = request_count(line).unwrap();
        assert_eq!(
            (count.verb.as_str(), count.resource.as_str(), count.count),
            ("list", "pods", 7)
        );
        assert_eq!((count.user_agent.as_str(), count.dry_run), ("a\"b,c/1", true));
        assert_eq!(request_count("# HELP apiserver_request_total x"), None);
        assert_eq!(request_count("apiserver_storage_revision 5"), None);
    }
}
