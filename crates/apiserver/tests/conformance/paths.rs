//! Section 8.1: paths and discovery.

use http::Method;
use serde_json::{Value, json};

use crate::{run, text};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

const VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

/// The entry of a list of which a field is this text; null without one.
fn find<'a>(list: &'a Value, field: &str, wanted: &str) -> &'a Value {
    let entries = list.as_array().into_iter().flatten();
    let mut found = entries.filter(|entry| entry[field] == wanted);
    found.next().unwrap_or(&Value::Null)
}

/// Texts, sorted.
fn sorted(texts: &Value) -> Vec<String> {
    let mut texts: Vec<String> = texts.as_array().into_iter().flatten().map(text).collect();
    texts.sort();
    texts
}

fn is_release(version: &str) -> bool {
    let parts: Vec<&str> = version.strip_prefix('v').unwrap_or_default().splitn(3, '.').collect();
    let starts_with_digit = |part: &&str| part.starts_with(|character: char| character.is_ascii_digit());
    parts.len() == 3
        && parts[..2].iter().all(|part| part.parse::<u32>().is_ok())
        && parts.last().is_some_and(starts_with_digit)
}

#[test]
fn c001_the_version_is_one() {
    run(async |suite| {
        let version = suite.get("/version").await.is(200).body;
        assert!(is_release(&text(&version["gitVersion"])), "{version}");
        for field in [
            "major",
            "minor",
            "gitCommit",
            "gitTreeState",
            "buildDate",
            "goVersion",
            "compiler",
            "platform",
        ] {
            assert!(version[field].is_string(), "{field} in {version}");
        }
        assert_eq!(version.get("kind"), None);
    });
}

#[test]
fn c002_a_slash_after_version_makes_no_difference() {
    run(async |suite| {
        let plain = suite.get("/version").await.is(200).body;
        assert_eq!(suite.get("/version/").await.is(200).body, plain);
    });
}

#[test]
fn c003_health_in_a_word_or_by_check() {
    run(async |suite| {
        for path in ["/healthz", "/livez", "/readyz"] {
            let short = suite.get(path).await.is(200);
            assert_eq!(short.body, "ok");
            assert_eq!(short.header("content-type"), ["text/plain; charset=utf-8"]);
            let long = text(&suite.get(&format!("{path}?verbose")).await.is(200).body);
            assert!(long.contains("[+]ping ok\n"), "{long}");
            assert!(long.trim_end().ends_with("check passed"), "{long}");
            assert_eq!(suite.get(&format!("{path}/ping")).await.is(200).body, "ok");
            let without = text(&suite.get(&format!("{path}?verbose&exclude=ping")).await.is(200).body);
            assert!(without.contains("[+]ping excluded: ok\n"), "{without}");
        }
    });
}

#[test]
fn c004_the_core_versions() {
    run(async |suite| {
        let versions = suite.get("/api").await.is(200);
        assert_eq!(versions.header("content-type"), ["application/json"]);
        assert_eq!(versions.body["kind"], "APIVersions");
        assert_eq!(versions.body.get("apiVersion"), None);
        assert_eq!(versions.body["versions"], json!(["v1"]));
        assert_eq!(
            versions.body["serverAddressByClientCIDRs"][0]["clientCIDR"],
            "0.0.0.0/0"
        );
    });
}

#[test]
fn c005_a_slash_after_the_roots_makes_no_difference() {
    run(async |suite| {
        for path in ["/api", "/apis"] {
            let [plain, slash] = [
                suite.get(path).await.is(200),
                suite.get(&format!("{path}/")).await.is(200),
            ];
            // Other tests make kinds of their own meanwhile.
            assert_eq!(slash.body["kind"], plain.body["kind"]);
            assert_eq!(slash.body["versions"], plain.body["versions"]);
            assert_eq!(slash.body["groups"][0], plain.body["groups"][0]);
        }
    });
}

#[test]
fn c006_the_groups() {
    run(async |suite| {
        let list = suite.get("/apis").await.is(200).body;
        assert_eq!(
            (&list["kind"], &list["apiVersion"]),
            (&json!("APIGroupList"), &json!("v1"))
        );
        for name in ["apps", "batch", "rbac.authorization.k8s.io", "apiextensions.k8s.io"] {
            let group = find(&list["groups"], "name", name);
            let preferred = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
            assert_eq!(group["preferredVersion"], preferred, "{name}");
            assert!(group["versions"].as_array().unwrap().contains(&preferred), "{name}");
        }
    });
}

#[test]
fn c007_one_group() {
    run(async |suite| {
        let group = suite.get("/apis/apps").await.is(200).body;
        let version = json!({"groupVersion": "apps/v1", "version": "v1"});
        assert_eq!(
            group,
            json!({"kind": "APIGroup", "apiVersion": "v1", "name": "apps", "versions": [version], "preferredVersion": version})
        );
    });
}

#[test]
fn c009_pods_have_a_short_name() {
    run(async |suite| {
        let list = suite.get("/api/v1").await.is(200).body;
        let pods = find(&list["resources"], "name", "pods");
        assert_eq!((&pods["singularName"], &pods["kind"]), (&json!("pod"), &json!("Pod")));
        assert_eq!(pods["shortNames"], json!(["po"]));
        assert!(sorted(&pods["categories"]).contains(&"all".to_owned()));
        assert_eq!(pods["namespaced"], true);
        assert_eq!(find(&list["resources"], "name", "namespaces")["namespaced"], false);
    });
}

#[test]
fn c010_a_scale_is_of_another_group() {
    run(async |suite| {
        let list = suite.get("/apis/apps/v1").await.is(200).body;
        assert_eq!(list["groupVersion"], "apps/v1");
        let scale = find(&list["resources"], "name", "deployments/scale");
        assert_eq!(
            (&scale["group"], &scale["version"], &scale["kind"]),
            (&json!("autoscaling"), &json!("v1"), &json!("Scale"))
        );
        assert_eq!(sorted(&scale["verbs"]), ["get", "patch", "update"]);
    });
}

#[test]
fn c011_all_groups_at_once() {
    run(async |suite| {
        let all = suite.get_as("/apis", AGGREGATED).await.is(200);
        let media = text(&all.header("content-type")[0].into());
        for part in [
            "application/json",
            "g=apidiscovery.k8s.io",
            "v=v2",
            "as=APIGroupDiscoveryList",
        ] {
            assert!(media.split(';').any(|given| given == part), "{part} in {media}");
        }
        assert_eq!(all.header("vary").first(), Some(&"Accept"));
        assert_eq!(
            (&all.body["kind"], &all.body["apiVersion"]),
            (&json!("APIGroupDiscoveryList"), &json!("apidiscovery.k8s.io/v2"))
        );
        let groups = all.body["items"].as_array().unwrap();
        let apps = groups.iter().find(|group| group["metadata"]["name"] == "apps").unwrap();
        let version = &apps["versions"][0];
        assert_eq!(
            (&version["version"], &version["freshness"]),
            (&json!("v1"), &json!("Current"))
        );
        let deployments = find(&version["resources"], "resource", "deployments");
        // Group and version may be left out where they are those around it.
        let kind = &deployments["responseKind"];
        assert_eq!(kind["kind"], "Deployment");
        assert!(matches!(text(&kind["group"]).as_str(), "" | "apps"), "{kind}");
        assert_eq!(
            (&deployments["scope"], &deployments["singularResource"]),
            (&json!("Namespaced"), &json!("deployment"))
        );
        assert_eq!(deployments["shortNames"], json!(["deploy"]));
        assert_eq!(sorted(&deployments["verbs"]), VERBS);
        let scale = find(&deployments["subresources"], "subresource", "scale");
        assert_eq!(
            scale["responseKind"],
            json!({"group": "autoscaling", "version": "v1", "kind": "Scale"})
        );
    });
}

#[test]
fn c012_the_core_group_at_once() {
    run(async |suite| {
        let core = suite.get_as("/api", AGGREGATED).await.is(200).body;
        let groups = core["items"].as_array().unwrap();
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0]["metadata"].get("name"), None);
        assert_eq!(groups[0]["versions"].as_array().unwrap().len(), 1);
        let version = &groups[0]["versions"][0];
        assert_eq!(version["version"], "v1");
        let pods = find(&version["resources"], "resource", "pods");
        assert_eq!(pods["responseKind"]["kind"], "Pod");
        let status = find(&pods["subresources"], "subresource", "status");
        assert_eq!(sorted(&status["verbs"]), ["get", "patch", "update"]);
        let namespaces = find(&version["resources"], "resource", "namespaces");
        assert_eq!(namespaces["scope"], "Cluster");
        // Nobody deletes all of them at once.
        let verbs = sorted(&namespaces["verbs"]);
        assert_eq!(verbs, ["create", "delete", "get", "list", "patch", "update", "watch"]);
        // Should it be done after all, nothing is selected.
        let all = suite
            .delete("/api/v1/namespaces?labelSelector=c=nothing", json!({}))
            .await;
        all.refused(405, "MethodNotAllowed", "");
    });
}

#[test]
fn c013_what_is_known_is_not_sent_again() {
    run(async |suite| {
        for path in ["/api", "/apis"] {
            // Where other tests make kinds meanwhile, what was known may be old when it is asked for.
            let mut codes = Vec::new();
            for _ in 0..100 {
                let etag = text(&suite.get_as(path, AGGREGATED).await.is(200).header("etag")[0].into());
                assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
                let headers = [("accept", AGGREGATED), ("if-none-match", etag.as_str())];
                let again = suite.send(Method::GET, path, &headers, Vec::new()).await;
                codes.push(again.code);
                if again.code == 304 {
                    assert_eq!(again.body, "");
                    break;
                }
            }
            assert_eq!(codes.last(), Some(&304), "{path}: {codes:?}");
        }
    });
}

#[test]
fn c014_plain_json_is_the_older_form() {
    run(async |suite| {
        let list = suite.get_as("/apis", "application/json").await.is(200);
        assert_eq!(list.body["kind"], "APIGroupList");
        assert_eq!(list.header("content-type"), ["application/json"]);
        assert_eq!(
            suite.get_as("/api", "application/json").await.is(200).body["kind"],
            "APIVersions"
        );
    });
}

#[test]
fn c015_a_custom_kind_is_published() {
    run(async |suite| {
        suite.with_widgets().await;
        let group = suite.group();
        suite
            .until("/apis", |answer| {
                find(&answer.body["groups"], "name", &group).is_object()
            })
            .await;
        let list = suite.get(&format!("/apis/{group}/v1")).await.is(200).body;
        let widgets = find(&list["resources"], "name", "widgets");
        assert_eq!(sorted(&widgets["verbs"]), VERBS);
        assert_eq!(
            (&widgets["kind"], &widgets["singularName"]),
            (&json!("Widget"), &json!("widget"))
        );
        assert_eq!(
            (&widgets["shortNames"], &widgets["categories"]),
            (&json!(["wi"]), &json!(["all"]))
        );
        for name in ["widgets/status", "widgets/scale"] {
            let subresource = find(&list["resources"], "name", name);
            assert_eq!(sorted(&subresource["verbs"]), ["get", "patch", "update"], "{name}");
        }
        let mut all = Value::Null;
        for _ in 0..600 {
            all = suite.get_as("/apis", AGGREGATED).await.is(200).body;
            let mut groups = all["items"].as_array().into_iter().flatten();
            if let Some(found) = groups.find(|item| item["metadata"]["name"] == group.as_str()) {
                let widgets = find(&found["versions"][0]["resources"], "resource", "widgets");
                assert_eq!(sorted(&widgets["verbs"]), VERBS);
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{group} isn't in {all}");
    });
}

#[test]
fn c016_what_is_not_there_is_not_found() {
    run(async |suite| {
        suite.get("/apis/nope/v1").await.is(404);
        suite.get("/apis/nope/v1/things").await.is(404);
        let missing = suite.get("/api/v1/nopes").await;
        missing.refused(404, "NotFound", "the server could not find the requested resource");
    });
}

#[test]
fn c017_the_older_document_of_all_kinds() {
    run(async |suite| {
        let document = suite.get_as("/openapi/v2", "application/json").await.is(200);
        assert_eq!(document.header("content-type"), ["application/json"]);
        assert_eq!(document.body["swagger"], "2.0");
        let pod = &document.body["definitions"]["io.k8s.api.core.v1.Pod"];
        assert!(pod["properties"]["spec"].is_object(), "{pod}");
        assert_eq!(
            pod["x-kubernetes-group-version-kind"],
            json!([{"group": "", "version": "v1", "kind": "Pod"}])
        );
        let any = suite.get_as("/openapi/v2", "*/*").await.is(200);
        assert_eq!(any.header("content-type"), ["application/json"]);
    });
}

#[test]
fn c018_the_older_document_for_go_clients() {
    run(async |suite| {
        let answered_as = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
        for accept in [
            "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
            answered_as,
        ] {
            let document = suite.get_as("/openapi/v2", accept).await.is(200);
            assert_eq!(document.header("content-type"), [answered_as]);
            assert!(document.body.is_string(), "it is no JSON");
            assert_eq!(document.header("etag").len(), 1);
        }
        suite.get_as("/openapi/v2", "text/html").await.is(406);
    });
}

#[test]
fn c019_the_index_of_documents() {
    run(async |suite| {
        let index = suite.get("/openapi/v3").await.is(200).body;
        for path in ["api/v1", "apis/apps/v1"] {
            let url = text(&index["paths"][path]["serverRelativeURL"]);
            assert!(url.starts_with(&format!("/openapi/v3/{path}?hash=")), "{url}");
        }
    });
}

#[test]
fn c020_a_document_is_kept_for_as_long_as_its_hash_is_right() {
    run(async |suite| {
        let index = suite.get("/openapi/v3").await.is(200).body;
        let url = text(&index["paths"]["apis/apps/v1"]["serverRelativeURL"]);
        let document = suite.get(&url).await.is(200);
        assert_eq!(document.header("cache-control"), ["public, immutable"]);
        assert_eq!(document.header("expires").len(), 1);
        assert!(text(&document.body["openapi"]).starts_with("3.0"));
        let plain = suite.get("/openapi/v3/apis/apps/v1").await.is(200);
        assert_eq!(plain.header("etag").len(), 1);
        assert_eq!(plain.body, document.body);
        let wrong = suite.get("/openapi/v3/apis/apps/v1?hash=wrong").await.is(301);
        assert_eq!(wrong.header("location"), [url]);
    });
}

#[test]
fn c021_the_documents_say_that_fields_are_validated() {
    run(async |suite| {
        let document = suite.get("/openapi/v3/api/v1").await.is(200).body;
        let patch = &document["paths"]["/api/v1/namespaces/{name}"]["patch"];
        assert_eq!(
            patch["x-kubernetes-group-version-kind"],
            json!({"group": "", "version": "v1", "kind": "Namespace"})
        );
        let parameter = find(&patch["parameters"], "name", "fieldValidation");
        assert_eq!(parameter["in"], "query");
    });
}

#[test]
fn c022_only_built_in_kinds_are_patched_strategically() {
    run(async |suite| {
        suite.with_widgets().await;
        let strategic = "application/strategic-merge-patch+json";
        let apps = suite.get("/openapi/v3/apis/apps/v1").await.is(200).body;
        let path = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}";
        assert!(apps["paths"][path]["patch"]["requestBody"]["content"][strategic].is_object());
        let group = suite.group();
        let path = format!("/apis/{group}/v1/namespaces/{{namespace}}/widgets/{{name}}");
        let document = format!("/openapi/v3/apis/{group}/v1");
        let widgets = suite
            .until(&document, |answer| answer.body["paths"][&path]["patch"].is_object())
            .await
            .body;
        let content = &widgets["paths"][&path]["patch"]["requestBody"]["content"];
        assert!(content["application/merge-patch+json"].is_object(), "{content}");
        assert_eq!(content.get(strategic), None);
    });
}

#[test]
fn c024_the_root_is_a_list_of_paths() {
    run(async |suite| {
        let root = suite.get("/").await.is(200);
        assert_eq!(root.header("content-type"), ["application/json"]);
        let paths = sorted(&root.body["paths"]);
        for path in ["/api/v1", "/apis/apps/v1", "/healthz", "/openapi/v2", "/version"] {
            assert!(paths.contains(&path.to_owned()), "{path}");
        }
        let head = suite.send(Method::HEAD, "/", &[], Vec::new()).await.is(200);
        assert!(
            head.header("content-type")
                .iter()
                .all(|media| !media.starts_with("text/html"))
        );
    });
}

/// The list has 200 here; a real server knows of no HEAD for resources.
#[test]
fn c025_a_head_has_no_body() {
    run(async |suite| {
        for (path, code) in [("/api/v1/namespaces/default", 405), ("/apis", 200)] {
            let head = suite.send(Method::HEAD, path, &[], Vec::new()).await;
            assert_eq!(head.is(code).body, "", "{path}");
        }
    });
}

#[test]
fn c026_an_object_is_not_posted_to() {
    run(async |suite| {
        let path = suite.core("configmaps/x");
        let body = json!({"metadata": {"name": "x"}});
        suite.post(&path, body).await.refused(405, "MethodNotAllowed", "");
    });
}
