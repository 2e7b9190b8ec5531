//! Section 8.2: in which form bodies come and go.

use http::Method;
use serde_json::{Value, json};

use crate::{
    Suite,
    protobuf::{body, bytes, integer, message},
    run, text,
};

const PROTOBUF: (&str, &str) = ("content-type", "application/vnd.kubernetes.protobuf");
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

#[test]
fn c029_an_object_in_yaml() {
    run(async |suite| {
        let map = suite.map("x").await;
        let yaml = suite.get_as(&map, "application/yaml").await.is(200);
        assert_eq!(yaml.header("content-type"), ["application/yaml"]);
        let text = text(&yaml.body);
        for line in ["apiVersion: v1\n", "kind: ConfigMap\n", "  name: x\n", "  a: \"1\"\n"] {
            assert!(text.contains(line), "{text}");
        }
    });
}

#[test]
fn c031_a_body_in_protobuf() {
    run(async |suite| {
        let object = body(
            "v1",
            "ConfigMap",
            [message(1, [bytes(1, "x")]), message(2, [bytes(1, "k"), bytes(2, "v")])],
        );
        let maps = suite.core("configmaps");
        let made = suite.send(Method::POST, &maps, &[PROTOBUF], object).await.is(201);
        assert_eq!(made.body["data"], json!({"k": "v"}));
        let found = suite.get(&format!("{maps}/x")).await.is(200).body;
        assert_eq!(found["data"], json!({"k": "v"}));
    });
}

/// A Deployment whose fields take every special form of the encoding.
fn deployment() -> Vec<u8> {
    let labels = |field: u8| message(field, [bytes(1, "app"), bytes(2, "web")]);
    let quantity = |name: &str, text: &str| message(1, [bytes(1, name), message(2, [bytes(1, text)])]);
    let port = |field: u8, number: u64| message(field, [integer(1, 0), integer(2, number), bytes(3, "")]);
    let share = |field: u8, text: &str| message(field, [integer(1, 1), integer(2, 0), bytes(3, text)]);
    let probe = message(
        10,
        [
            message(1, [message(2, [bytes(1, "/live"), port(2, 8080), bytes(4, "HTTP")])]),
            integer(2, 7),
        ],
    );
    let container = message(
        2,
        [
            bytes(1, "web"),
            bytes(2, "web:1"),
            message(8, [quantity("cpu", "250m"), quantity("memory", "1Gi")]),
            probe,
        ],
    );
    let template = message(3, [message(1, [labels(11)]), message(2, [container])]);
    let strategy = message(
        4,
        [
            bytes(1, "RollingUpdate"),
            message(2, [share(1, "10%"), share(2, "20%")]),
        ],
    );
    let spec = message(2, [integer(1, 3), message(2, [labels(1)]), template, strategy]);
    let seconds = |field: u8| message(field, [integer(1, 1_767_323_045)]);
    let condition = message(6, [bytes(1, "Available"), bytes(2, "True"), seconds(6), seconds(7)]);
    body(
        "apps/v1",
        "Deployment",
        [message(1, [bytes(1, "web")]), spec, message(3, [condition])],
    )
}

#[test]
fn c032_special_forms_of_protobuf() {
    run(async |suite| {
        let deployments = suite.of("apps/v1", "deployments");
        let plain = json!({"metadata": {"name": "web"}, "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web:0"}]},
            },
        }});
        suite.made(&deployments, plain).await;
        let path = format!("{deployments}/web");
        let put = suite.send(Method::PUT, &path, &[PROTOBUF], deployment()).await.is(200);
        let spec = &put.body["spec"];
        assert_eq!(spec["replicas"], 3);
        assert_eq!(
            spec["strategy"]["rollingUpdate"],
            json!({"maxUnavailable": "10%", "maxSurge": "20%"})
        );
        let container = &spec["template"]["spec"]["containers"][0];
        assert_eq!(
            container["resources"]["limits"],
            json!({"cpu": "250m", "memory": "1Gi"})
        );
        let get = json!({"path": "/live", "port": 8080, "scheme": "HTTP"});
        assert_eq!(container["livenessProbe"]["httpGet"], get);
        assert_eq!(container["livenessProbe"]["initialDelaySeconds"], 7);
        let status = format!("{path}/status");
        let put = suite
            .send(Method::PUT, &status, &[PROTOBUF], deployment())
            .await
            .is(200);
        let condition = &put.body["status"]["conditions"][0];
        assert_eq!(condition["lastTransitionTime"], "2026-01-02T03:04:05Z");
        assert_eq!(suite.get(&path).await.is(200).body["spec"], put.body["spec"]);
    });
}

#[test]
fn c033_options_of_a_deletion_in_protobuf() {
    run(async |suite| {
        let map = suite.map("x").await;
        let delete = async |fields: [Vec<u8>; 1]| {
            let options = body("v1", "DeleteOptions", fields);
            suite.send(Method::DELETE, &map, &[PROTOBUF], options).await
        };
        let wrong = delete([message(2, [bytes(1, "another-uid")])]).await;
        wrong.refused(409, "Conflict", "another-uid");
        let uid = text(&suite.get(&map).await.is(200).body["metadata"]["uid"]);
        delete([message(2, [bytes(1, uid)])]).await.is(200);
        suite.get(&map).await.is(404);
    });
}

#[test]
fn c035_a_form_that_there_is_not() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        let html = suite.get_as(&maps, "text/html").await;
        let text = "application/json, application/yaml";
        html.refused(406, "NotAcceptable", text);
        // What could not be answered is not done.
        let map = json!({"metadata": {"name": "x"}}).to_string();
        let made = suite
            .send(Method::POST, &maps, &[("accept", "text/html")], map.into())
            .await;
        made.refused(406, "NotAcceptable", text);
        suite.get(&format!("{maps}/x")).await.is(404);
    });
}

#[test]
fn c036_a_body_of_a_form_that_there_is_not() {
    run(async |suite| {
        let answer = suite.post_text(&suite.core("configmaps"), "text/plain", "{}").await;
        let text = "the body of the request was in an unknown format - accepted media types include: application/json, \
                    application/yaml, application/vnd.kubernetes.protobuf";
        answer.refused(415, "UnsupportedMediaType", text);
    });
}

#[test]
fn c037_a_body_of_no_form_is_json() {
    run(async |suite| {
        let map = json!({"metadata": {"name": "x"}, "data": {"a": "1"}}).to_string();
        let made = suite
            .send(Method::POST, &suite.core("configmaps"), &[], map.into())
            .await;
        assert_eq!(made.is(201).body["data"], json!({"a": "1"}));
    });
}

#[test]
fn c038_a_body_in_yaml() {
    run(async |suite| {
        let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  a: |\n    one\n    two\n";
        let made = suite
            .post_text(&suite.core("configmaps"), "application/yaml", yaml)
            .await;
        assert_eq!(made.is(201).body["data"], json!({"a": "one\ntwo\n"}));
    });
}

#[test]
fn c039_parameters_of_a_form_are_passed_over() {
    run(async |suite| {
        let map = json!({"metadata": {"name": "x"}}).to_string();
        let media = "application/json; charset=utf-8";
        suite.post_text(&suite.core("configmaps"), media, &map).await.is(201);
    });
}

#[test]
fn c040_custom_objects_are_not_had_in_protobuf() {
    run(async |suite| {
        suite.with_widgets().await;
        let widgets = suite.widgets();
        suite.made(&widgets, suite.widget("x", json!({}))).await;
        let protobuf = "application/vnd.kubernetes.protobuf";
        let both = format!("{protobuf},application/json");
        for path in [format!("{widgets}/x"), widgets.clone()] {
            suite.get_as(&path, protobuf).await.is(406);
            let json = suite.get_as(&path, &both).await.is(200);
            assert_eq!(json.header("content-type"), ["application/json"]);
        }
    });
}

#[test]
fn c041_long_answers_are_compressed_for_those_who_ask() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        let short = suite.map("short").await;
        let long = json!({"metadata": {"name": "long"}, "data": {"a": "x".repeat(200 << 10)}});
        suite.made(&maps, long).await;
        let asked = [("accept-encoding", "gzip")];
        let list = suite.send(Method::GET, &maps, &asked, Vec::new()).await.is(200);
        assert_eq!(list.header("content-encoding"), ["gzip"]);
        assert!(list.header("vary").contains(&"Accept-Encoding"), "{:?}", list.headers);
        let short = suite.send(Method::GET, &short, &asked, Vec::new()).await.is(200);
        assert!(short.header("content-encoding").is_empty());
        let plain = suite.get(&maps).await.is(200);
        assert!(plain.header("content-encoding").is_empty());
    });
}

fn is_nothing_but_metadata(object: &Value) {
    assert_eq!(
        (&object["kind"], &object["apiVersion"]),
        (&json!("PartialObjectMetadata"), &json!("meta.k8s.io/v1"))
    );
    assert_eq!(object["metadata"]["name"], "x");
    assert_eq!(object.get("data"), None);
}

#[test]
fn c042_nothing_but_the_metadata() {
    run(async |suite| {
        let map = suite.map("x").await;
        is_nothing_but_metadata(&suite.get_as(&map, METADATA).await.is(200).body);
    });
}

async fn listed_as(suite: &Suite, accept: &str) -> Value {
    let path = suite.core("configmaps?fieldSelector=metadata.name%3Dx");
    suite.get_as(&path, accept).await.is(200).body
}

#[test]
fn c043_nothing_but_the_metadata_of_a_list() {
    run(async |suite| {
        suite.map("x").await;
        let json = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        let list = listed_as(&suite, json).await;
        assert_eq!(
            (&list["kind"], &list["apiVersion"]),
            (&json!("PartialObjectMetadataList"), &json!("meta.k8s.io/v1"))
        );
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        is_nothing_but_metadata(&list["items"][0]);
        // Clients that list protobuf first read what the answer says that it is.
        let protobuf = format!(
            "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{json},application/json"
        );
        let list = listed_as(&suite, &protobuf).await;
        match list.as_str() {
            None => is_nothing_but_metadata(&list["items"][0]),
            Some(binary) => assert!(binary.starts_with("k8s\0"), "{binary}"),
        }
    });
}

#[test]
fn c044_the_metadata_of_one_object_is_no_list() {
    run(async |suite| {
        let map = suite.map("x").await;
        let list = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        suite
            .get_as(&suite.core("configmaps"), METADATA)
            .await
            .refused(406, "NotAcceptable", "");
        suite.get_as(&map, list).await.refused(406, "NotAcceptable", "");
    });
}

#[test]
fn c045_people_get_lines() {
    run(async |suite| {
        let map = suite.map("x").await;
        let text = async |query: &str, agent: &str| {
            let request = http::Request::get(format!("{map}{query}")).header("user-agent", agent);
            suite
                .client
                .request_text(request.body(Vec::new()).unwrap())
                .await
                .unwrap()
        };
        let lines = |text: &str| text.trim_end().lines().count();
        assert!(lines(&text("", "curl/8.0").await) > 5);
        assert!(lines(&text("?pretty=true", "conformance/1").await) > 5);
        assert_eq!(lines(&text("", "conformance/1").await), 1);
        assert_eq!(lines(&text("?pretty=false", "curl/8.0").await), 1);
    });
}

#[test]
fn c046_a_body_that_is_too_long() {
    run(async |suite| {
        let large = json!({"metadata": {"name": "x"}, "data": {"a": "x".repeat(3 << 20)}});
        let refused = suite.post(&suite.core("configmaps"), large).await;
        refused.refused(413, "RequestEntityTooLarge", "limit is 3145728");
    });
}
