//! Which kinds a server knows, and by which names: from aggregated discovery, or the older form where that is missing.

use http::Request;
use http::header::ACCEPT;
use kube::Client;
use serde_json::Value;

use crate::failure::{Attempted, Failure, Result};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// A kind that the server serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    pub(crate) listable: bool,
}

/// Everything the server serves, groups in its own order, preferred versions only.
#[derive(Clone, Debug)]
pub(crate) struct Discovery(Vec<Served>);

// === impl Discovery ===

impl Discovery {
    /// Asks the server.
    pub(crate) async fn ask(client: &Client) -> Result<Self> {
        let mut served = Vec::new();
        for root in ["/api", "/apis"] {
            let answer = get(client, root, AGGREGATED)
                .await
                .attempted(format!("could not ask the server what it serves ({root})"))?;
            if answer["kind"] == "APIGroupDiscoveryList" {
                served.extend(aggregated(&answer));
            } else {
                served.extend(one_by_one(client, root, &answer).await?);
            }
        }
        Ok(Self(served))
    }

    /// The kinds that a word means: a plural, singular, short name, kind or category, as `plural.group` too.
    pub(crate) fn find(&self, word: &str) -> Result<Vec<&Served>> {
        let lower = word.to_lowercase();
        if let Some(served) = self.0.iter().find(|served| served.answers_to(&lower)) {
            return Ok(vec![served]);
        }
        let category: Vec<_> = self
            .0
            .iter()
            .filter(|served| served.listable && served.categories.contains(&lower))
            .collect();
        if category.is_empty() {
            let failure = Failure::failed(format!("the server doesn't have a resource type \"{word}\""));
            return Err(failure.hint("a kind of an operator exists once that operator is installed"));
        }
        Ok(category)
    }
}

// === impl Served ===

impl Served {
    /// The path of a collection, or of one object.
    pub(crate) fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        if let (true, Some(namespace)) = (self.namespaced, namespace) {
            path.push_str("/namespaces/");
            path.push_str(namespace);
        }
        path.push('/');
        path.push_str(&self.plural);
        if let Some(name) = name {
            path.push('/');
            path.push_str(name);
        }
        path
    }

    /// The name that tells this kind from all others: `hostedclusters.hypershift.openshift.io`.
    pub(crate) fn full_name(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    fn answers_to(&self, word: &str) -> bool {
        let (name, group) = word.split_once('.').unwrap_or((word, ""));
        let by_name = self.plural == name
            || self.singular == name
            || self.kind.to_lowercase() == name
            || self.short_names.iter().any(|short| short == name);
        by_name && (group.is_empty() || self.group == group || format!("{}.{}", self.version, self.group) == group)
    }
}

/// A GET that answers with JSON.
pub(crate) async fn get(client: &Client, path: &str, accept: &str) -> Result<Value, kube::Error> {
    let request = Request::get(path)
        .header(ACCEPT, accept)
        .body(Vec::new())
        .map_err(kube::Error::HttpError)?;
    client.request(request).await
}

fn aggregated(answer: &Value) -> Vec<Served> {
    let mut served = Vec::new();
    for group in array(&answer["items"]) {
        let Some(version) = array(&group["versions"]).first() else {
            continue;
        };
        for resource in array(&version["resources"]) {
            served.push(Served {
                group: text(&group["metadata"]["name"]),
                version: text(&version["version"]),
                kind: text(&resource["responseKind"]["kind"]),
                plural: text(&resource["resource"]),
                singular: text(&resource["singularResource"]),
                short_names: texts(&resource["shortNames"]),
                categories: texts(&resource["categories"]),
                namespaced: resource["scope"] == "Namespaced",
                listable: array(&resource["verbs"]).iter().any(|verb| verb == "list"),
            });
        }
    }
    served
}

async fn one_by_one(client: &Client, root: &str, answer: &Value) -> Result<Vec<Served>> {
    let versions: Vec<(String, String)> = if root == "/api" {
        texts(&answer["versions"])
            .into_iter()
            .map(|version| (String::new(), version))
            .collect()
    } else {
        let groups = array(&answer["groups"]).iter();
        groups
            .map(|group| (text(&group["name"]), text(&group["preferredVersion"]["version"])))
            .collect()
    };
    let mut served = Vec::new();
    for (group, version) in versions {
        let path = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        // One group whose server is down must not hide all others.
        let Ok(list) = get(client, &path, "application/json").await else {
            continue;
        };
        for resource in array(&list["resources"])
            .iter()
            .filter(|resource| !text(&resource["name"]).contains('/'))
        {
            served.push(Served {
                group: group.clone(),
                version: version.clone(),
                kind: text(&resource["kind"]),
                plural: text(&resource["name"]),
                singular: text(&resource["singularName"]),
                short_names: texts(&resource["shortNames"]),
                categories: texts(&resource["categories"]),
                namespaced: resource["namespaced"] == true,
                listable: array(&resource["verbs"]).iter().any(|verb| verb == "list"),
            });
        }
    }
    Ok(served)
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    array(value).iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn discovery() -> Discovery {
        let resource = json!({
            "resource": "hostedclusters", "singularResource": "hostedcluster", "responseKind": { "kind": "HostedCluster" },
            "scope": "Namespaced", "shortNames": ["hc", "hcs"], "categories": ["cluster-api"], "verbs": ["get", "list"],
        });
        Discovery(aggregated(&json!({ "items": [
            { "metadata": { "name": "hypershift.openshift.io" }, "versions": [{ "version": "v1beta1", "resources": [resource] }] },
        ] })))
    }

    #[test]
    fn a_kind_answers_to_every_name_that_people_use() {
        let discovery = discovery();
        for word in [
            "hostedclusters",
            "hostedcluster",
            "HostedCluster",
            "hc",
            "hostedclusters.hypershift.openshift.io",
            "cluster-api",
        ] {
            let found = discovery.find(word).expect(word);
            assert_eq!(
                found[0].path(Some("hcp"), None),
                "/apis/hypershift.openshift.io/v1beta1/namespaces/hcp/hostedclusters"
            );
        }
        assert!(discovery.find("hostedclusters.other.io").is_err());
        assert!(discovery.find("widgets").is_err());
    }
}
