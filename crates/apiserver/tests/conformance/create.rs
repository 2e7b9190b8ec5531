//! Section 8.3: creating objects, and what is refused.

use http::Method;
use serde_json::{Value, json};

use crate::{Suite, run, text};

fn deployment(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web"}]},
            },
        },
    })
}

fn named(name: &str) -> Value {
    json!({"metadata": {"name": name}})
}

#[test]
fn c047_the_server_sets_what_is_its_own() {
    run(async |suite| {
        let map = json!({"metadata": {"name": "x"}, "data": {"k": "v"}});
        let made = suite.post(&suite.core("configmaps"), map).await.is(201);
        assert_eq!(
            (&made.body["kind"], &made.body["apiVersion"]),
            (&json!("ConfigMap"), &json!("v1"))
        );
        assert_eq!(made.body["data"], json!({"k": "v"}));
        let metadata = &made.body["metadata"];
        assert_eq!(metadata["namespace"], suite.number.as_str());
        let uid = text(&metadata["uid"]);
        let parts: Vec<usize> = uid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{uid}");
        let stamp = text(&metadata["creationTimestamp"]);
        assert!(
            stamp.len() == 20 && stamp.ends_with('Z') && stamp.parse::<jiff::Timestamp>().is_ok(),
            "{stamp}"
        );
        assert!(made.version() > 0);
        assert_eq!(metadata.get("generation"), None);
        assert_eq!(suite.get(&suite.core("configmaps/x")).await.is(200).body, made.body);
    });
}

#[test]
fn c048_a_name_is_taken_once() {
    run(async |suite| {
        suite.map("x").await;
        let again = suite.post(&suite.core("configmaps"), named("x")).await;
        let again = again.refused(409, "AlreadyExists", "configmaps \"x\" already exists");
        assert_eq!(
            (&again.body["details"]["kind"], &again.body["details"]["name"]),
            (&json!("configmaps"), &json!("x"))
        );
    });
}

#[test]
fn c049_names_are_made_up() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        let mut names = Vec::new();
        for _ in 0..2 {
            let made = suite.made(&maps, json!({"metadata": {"generateName": "a-"}})).await;
            assert_eq!(made["metadata"]["generateName"], "a-");
            let name = text(&made["metadata"]["name"]);
            let suffix = name.strip_prefix("a-").unwrap();
            let allowed = |character: char| "bcdfghjklmnpqrstvwxz2456789".contains(character);
            assert!(suffix.len() == 5 && suffix.chars().all(allowed), "{name}");
            names.push(name);
        }
        assert_ne!(names[0], names[1]);
    });
}

#[test]
fn c050_an_object_needs_a_name() {
    run(async |suite| {
        let nameless = suite.post(&suite.core("configmaps"), json!({"metadata": {}})).await;
        let text = "metadata.name: Required value: name or generateName is required";
        let refused = nameless.refused(422, "Invalid", text);
        refused.caused_by("FieldValueRequired", "metadata.name");
    });
}

#[test]
fn c051_names_are_of_a_form() {
    run(async |suite| {
        let bad = suite.post(&suite.core("configmaps"), named("Bad_Name")).await;
        let refused = bad.refused(
            422,
            "Invalid",
            "ConfigMap \"Bad_Name\" is invalid: metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain must consist of",
        );
        assert_eq!(refused.body["details"]["kind"], "ConfigMap");
        refused.caused_by("FieldValueInvalid", "metadata.name");
        let refused = suite.post("/api/v1/namespaces", named("c051.x")).await;
        refused
            .refused(422, "Invalid", "must not contain dots")
            .caused_by("FieldValueInvalid", "metadata.name");
        // Names of RBAC's kinds need only fit into a path.
        let roles = suite.of("rbac.authorization.k8s.io/v1", "roles");
        suite.made(&roles, named("system:Some_Role")).await;
    });
}

#[test]
fn c052_a_namespace_is_the_paths() {
    run(async |suite| {
        let elsewhere = json!({"metadata": {"name": "x", "namespace": "other"}});
        let text = "the namespace of the provided object does not match the namespace sent on the request";
        let refused = suite.post(&suite.core("configmaps"), elsewhere).await;
        refused.refused(400, "BadRequest", text);
    });
}

#[test]
fn c053_a_namespace_that_is_not_there() {
    run(async |suite| {
        let nowhere = suite.post("/api/v1/namespaces/c053-no/configmaps", named("x")).await;
        let refused = nowhere.refused(404, "NotFound", "namespaces \"c053-no\" not found");
        assert_eq!(refused.body["details"]["kind"], "namespaces");
    });
}

#[test]
fn c054_a_namespace_that_ends_gets_nothing_more() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        let held = json!({"metadata": {"name": "held", "finalizers": ["example.test/hold"]}});
        suite.made(&maps, held).await;
        let namespace = format!("/api/v1/namespaces/{}", suite.number);
        suite.delete(&namespace, json!({})).await.is(200);
        let mut refused = suite.post(&maps, named("late-0")).await;
        // A real server's admission learns it a moment later.
        for index in 1..100 {
            if refused.code != 201 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            refused = suite.post(&maps, named(&format!("late-{index}"))).await;
        }
        let text = format!(
            "is forbidden: unable to create new content in namespace {} because it is being terminated",
            suite.number
        );
        let refused = refused.refused(403, "Forbidden", &text);
        refused.caused_by("NamespaceTerminating", "metadata.namespace");
        let free = json!({"metadata": {"finalizers": null}});
        suite
            .patch("merge-patch+json", &format!("{maps}/held"), free)
            .await
            .is(200);
    });
}

#[test]
fn c055_a_new_object_has_no_version() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        let versioned = json!({"metadata": {"name": "x", "resourceVersion": "5"}});
        let refused = suite.post(&maps, versioned).await;
        assert!(refused.code >= 400, "{}", refused.body);
        let text = "resourceVersion should not be set on objects to be created";
        assert!(crate::text(&refused.body["message"]).contains(text), "{}", refused.body);
        suite.get(&format!("{maps}/x")).await.is(404);
    });
}

#[test]
fn c056_what_is_the_servers_own_is_not_taken_from_others() {
    run(async |suite| {
        let forged = json!({"metadata": {
            "name": "x",
            "uid": "11111111-1111-1111-1111-111111111111",
            "creationTimestamp": "2000-01-01T00:00:00Z",
            "deletionTimestamp": "2000-01-01T00:00:00Z",
            "deletionGracePeriodSeconds": 5,
            "selfLink": "/x",
        }});
        let made = suite.made(&suite.core("configmaps"), forged).await;
        let metadata = &made["metadata"];
        assert_ne!(metadata["uid"], "11111111-1111-1111-1111-111111111111");
        assert_ne!(metadata["creationTimestamp"], "2000-01-01T00:00:00Z");
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
            assert_eq!(metadata.get(field), None, "{field}");
        }
    });
}

fn with_unknown(name: &str) -> Value {
    let mut deployment = deployment(name);
    deployment["spec"]["foo"] = "x".into();
    deployment
}

#[test]
fn c057_strictly_unknown_fields_are_refused() {
    run(async |suite| {
        let deployments = suite.of("apps/v1", "deployments");
        let path = format!("{deployments}?fieldValidation=Strict");
        let mut twice = with_unknown("x");
        twice["spec"]["template"]["spec"]["bar"] = 1.into();
        let refused = suite.post(&path, with_unknown("x")).await;
        refused.refused(
            400,
            "BadRequest",
            "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown field \"spec.foo\"",
        );
        let refused = suite.post(&path, twice).await;
        refused.refused(400, "BadRequest", "unknown field \"spec.template.spec.bar\"");
        suite.get(&format!("{deployments}/x")).await.is(404);
    });
}

#[test]
fn c058_unknown_fields_are_warned_of_or_passed_over() {
    run(async |suite| {
        let deployments = suite.of("apps/v1", "deployments");
        let warning = "299 - \"unknown field \\\"spec.foo\\\"\"";
        for (name, query, warnings) in [
            ("a", "?fieldValidation=Warn", &[warning][..]),
            ("b", "", &[warning]),
            ("c", "?fieldValidation=Ignore", &[]),
        ] {
            let made = suite
                .post(&format!("{deployments}{query}"), with_unknown(name))
                .await
                .is(201);
            assert_eq!(made.header("warning"), warnings, "{query}");
            assert_eq!(made.body["spec"].get("foo"), None, "{query}");
        }
    });
}

#[test]
fn c059_a_field_given_twice() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        let twice = r#"{"metadata":{"name":"x"},"data":{"a":"1","a":"2"}}"#;
        let strict = format!("{maps}?fieldValidation=Strict");
        let refused = suite.post_text(&strict, "application/json", twice).await;
        refused.refused(400, "BadRequest", "strict decoding error: duplicate field \"data.a\"");
        let warned = suite.post_text(&maps, "application/json", twice).await.is(201);
        assert_eq!(warned.header("warning"), ["299 - \"duplicate field \\\"data.a\\\"\""]);
        assert_eq!(warned.body["data"], json!({"a": "2"}));
    });
}

#[test]
fn c060_field_validation_is_one_of_three() {
    run(async |suite| {
        let path = suite.core("configmaps?fieldValidation=Foo");
        let refused = suite
            .post(&path, named("x"))
            .await
            .refused(422, "Invalid", "fieldValidation");
        refused.caused_by("FieldValueNotSupported", "fieldValidation");
    });
}

#[test]
fn c061_a_dry_run_stores_nothing() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        let made = suite.made(&format!("{maps}?dryRun=All"), named("x")).await;
        assert!(made["metadata"]["uid"].is_string() && made["metadata"]["creationTimestamp"].is_string());
        assert_eq!(made["metadata"].get("resourceVersion"), None);
        suite.get(&format!("{maps}/x")).await.is(404);
        let refused = suite.post(&format!("{maps}?dryRun=X"), named("x")).await;
        refused
            .refused(422, "Invalid", "dryRun")
            .caused_by("FieldValueNotSupported", "dryRun");
        suite.map("taken").await;
        let taken = suite.post(&format!("{maps}?dryRun=All"), named("taken")).await;
        taken.refused(409, "AlreadyExists", "");
    });
}

#[test]
fn c062_who_wrote_it() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        for (name, query, manager) in [("x", "?fieldManager=me", "me"), ("y", "", "conformance")] {
            let map = json!({"metadata": {"name": name}, "data": {"a": "1"}});
            let made = suite.made(&format!("{maps}{query}"), map).await;
            let entry = &made["metadata"]["managedFields"][0];
            assert_eq!(
                (&entry["manager"], &entry["operation"]),
                (&json!(manager), &json!("Update"))
            );
            assert_eq!(
                (&entry["apiVersion"], &entry["fieldsType"]),
                (&json!("v1"), &json!("FieldsV1"))
            );
            assert_eq!(entry["fieldsV1"], json!({"f:data": {".": {}, "f:a": {}}}));
        }
        // What the server itself sets is nobody's.
        let service = json!({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}});
        let made = suite.made(&suite.core("services"), service).await;
        let owned = made["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]
            .as_object()
            .unwrap();
        let owned: Vec<&str> = owned.keys().map(String::as_str).filter(|key| *key != ".").collect();
        assert_eq!(
            owned,
            ["f:internalTrafficPolicy", "f:ports", "f:sessionAffinity", "f:type"]
        );
        let long = format!("{maps}?fieldManager={}", "m".repeat(129));
        suite
            .post(&long, named("z"))
            .await
            .refused(422, "Invalid", "fieldManager");
    });
}

#[test]
fn c063_a_body_of_another_type() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        let other =
            |api_version: &str, kind: &str| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}});
        let refused = suite.post(&maps, other("apps/v1", "ConfigMap")).await;
        assert_eq!(
            (refused.code, &refused.body["reason"]),
            (400, &json!("BadRequest")),
            "{}",
            refused.body
        );
        let refused = suite.post(&maps, other("v1", "Secret")).await;
        refused.refused(400, "BadRequest", "cannot be handled as a ConfigMap");
        suite.with_widgets().await;
        let mut widget = suite.widget("x", json!({}));
        widget["apiVersion"] = format!("{}/v2", suite.group()).into();
        let refused = suite.post(&suite.widgets(), widget).await;
        let text = format!(
            "the API version in the data ({0}/v2) does not match the expected API version ({0}/v1)",
            suite.group()
        );
        refused.refused(400, "BadRequest", &text);
    });
}

#[test]
fn c064_a_body_that_is_none() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        for text in ["{", "{\"metadata\":{\"name\":\"x\"}} x", "[]", "3"] {
            let refused = suite.post_text(&maps, "application/json", text).await;
            refused.refused(400, "BadRequest", "");
        }
        let empty = suite.post_text(&maps, "application/json", "").await;
        assert!(matches!(empty.code, 400 | 422), "{}", empty.body);
        suite.get(&format!("{maps}/x")).await.is(404);
    });
}

#[test]
fn c065_deployments_are_completed() {
    run(async |suite| {
        let made = suite.made(&suite.of("apps/v1", "deployments"), deployment("web")).await;
        let spec = &made["spec"];
        for (field, value) in [
            ("replicas", 1),
            ("revisionHistoryLimit", 10),
            ("progressDeadlineSeconds", 600),
        ] {
            assert_eq!(spec[field], value, "{field}");
        }
        let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
        assert_eq!(spec["strategy"], strategy);
        let pod = &spec["template"]["spec"];
        assert_eq!(
            (&pod["restartPolicy"], &pod["dnsPolicy"], &pod["schedulerName"]),
            (&json!("Always"), &json!("ClusterFirst"), &json!("default-scheduler"))
        );
        assert_eq!(pod["terminationGracePeriodSeconds"], 30);
        assert_eq!(pod["securityContext"], json!({}));
        let container = &pod["containers"][0];
        assert_eq!(container["imagePullPolicy"], "Always");
        assert_eq!(container["terminationMessagePath"], "/dev/termination-log");
        assert_eq!(container["terminationMessagePolicy"], "File");
        assert_eq!(container["resources"], json!({}));
    });
}

#[test]
fn c066_services_are_completed() {
    run(async |suite| {
        let services = suite.core("services");
        let service = |name: &str| json!({"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}});
        let [one, two] = [
            suite.made(&services, service("one")).await,
            suite.made(&services, service("two")).await,
        ];
        let port = json!({"port": 80, "protocol": "TCP", "targetPort": 80});
        assert_eq!(one["spec"]["ports"], json!([port]));
        assert_eq!(
            (&one["spec"]["type"], &one["spec"]["sessionAffinity"]),
            (&json!("ClusterIP"), &json!("None"))
        );
        let address = text(&one["spec"]["clusterIP"]);
        assert!(address.parse::<std::net::Ipv4Addr>().is_ok(), "{address}");
        assert_eq!(one["spec"]["clusterIPs"], json!([address]));
        assert_ne!(one["spec"]["clusterIP"], two["spec"]["clusterIP"]);
        let mut headless = service("headless");
        headless["spec"]["clusterIP"] = "None".into();
        assert_eq!(suite.made(&services, headless).await["spec"]["clusterIP"], "None");
        let mut taken = service("taken");
        taken["spec"]["clusterIP"] = address.into();
        let refused = suite.post(&services, taken).await.refused(422, "Invalid", "");
        refused.caused_by("FieldValueInvalid", "spec.clusterIPs");
        let open = |name: &str| {
            let mut service = service(name);
            service["spec"]["type"] = "NodePort".into();
            service
        };
        let [one, two] = [
            suite.made(&services, open("open-one")).await,
            suite.made(&services, open("open-two")).await,
        ];
        let node_port = |service: &Value| service["spec"]["ports"][0]["nodePort"].as_u64().unwrap();
        assert!(node_port(&one) >= 30_000 && node_port(&one) != node_port(&two));
    });
}

#[test]
fn c067_a_deployment_selects_its_own_pods() {
    run(async |suite| {
        let deployments = suite.of("apps/v1", "deployments");
        let mut other = deployment("web");
        other["spec"]["template"]["metadata"]["labels"]["app"] = "other".into();
        let refused = suite.post(&deployments, other).await;
        let refused = refused.refused(422, "Invalid", "`selector` does not match template `labels`");
        refused.caused_by("FieldValueInvalid", "spec.template.metadata.labels");
        suite.made(&deployments, deployment("web")).await;
        // Of no version: a real server's controller writes its status meanwhile.
        let mut changed = deployment("web");
        changed["spec"]["selector"]["matchLabels"]["app"] = "else".into();
        changed["spec"]["template"]["metadata"]["labels"]["app"] = "else".into();
        let refused = suite.put(&format!("{deployments}/web"), changed).await;
        let refused = refused.refused(422, "Invalid", "field is immutable");
        refused.caused_by("FieldValueInvalid", "spec.selector");
    });
}

#[test]
fn c068_secrets_are_completed_and_kept() {
    run(async |suite| {
        let secrets = suite.core("secrets");
        let secret =
            json!({"metadata": {"name": "s"}, "data": {"b": "eA=="}, "stringData": {"a": "text"}, "immutable": true});
        let made = suite.made(&secrets, secret).await;
        assert_eq!(made["data"], json!({"a": "dGV4dA==", "b": "eA=="}));
        assert_eq!(made.get("stringData"), None);
        assert_eq!(made["type"], "Opaque");
        let path = format!("{secrets}/s");
        for patch in [json!({"data": {"a": "eA=="}}), json!({"stringData": {"a": "x"}})] {
            let refused = suite.patch("merge-patch+json", &path, patch).await;
            refused
                .refused(422, "Invalid", "immutable")
                .caused_by("FieldValueForbidden", "data");
        }
        let refused = suite
            .patch("merge-patch+json", &path, json!({"immutable": false}))
            .await;
        refused
            .refused(422, "Invalid", "")
            .caused_by("FieldValueForbidden", "immutable");
        let labels = json!({"metadata": {"labels": {"a": "b"}}});
        suite.patch("merge-patch+json", &path, labels).await.is(200);
    });
}

#[test]
fn c069_a_new_deployment_has_no_status() {
    run(async |suite| {
        let mut deployment = deployment("web");
        deployment["status"] = json!({"replicas": 5, "observedGeneration": 7});
        let made = suite.made(&suite.of("apps/v1", "deployments"), deployment).await;
        assert_eq!(made["status"].get("replicas"), None);
        assert_eq!(made["status"].get("observedGeneration"), None);
        assert_eq!(made["metadata"]["generation"], 1);
    });
}

#[test]
fn c070_annotations_have_a_limit() {
    run(async |suite| {
        let maps = suite.core("configmaps");
        let with = |size: usize| json!({"metadata": {"name": "x", "annotations": {"a": "x".repeat(size)}}});
        let refused = suite.post(&maps, with(256 << 10)).await;
        let refused = refused.refused(
            422,
            "Invalid",
            "metadata.annotations: Too long: may not be more than 262144 bytes",
        );
        refused.caused_by("FieldValueTooLong", "metadata.annotations");
        suite.made(&maps, with((256 << 10) - 1)).await;
    });
}

async fn owned(suite: &Suite, name: &str, owners: Value) -> crate::Answer {
    let map = json!({"metadata": {"name": name, "ownerReferences": owners}});
    suite.post(&suite.core("configmaps"), map).await
}

#[test]
fn c071_owners_are_told_apart() {
    run(async |suite| {
        let owner = |uid: &str, controls: bool| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": uid, "uid": uid, "controller": controls});
        let mut nobody = owner("a", false);
        nobody.as_object_mut().unwrap().remove("uid");
        let refused = owned(&suite, "x", json!([nobody]))
            .await
            .refused(422, "Invalid", "must not be empty");
        refused.caused_by("FieldValueInvalid", "metadata.ownerReferences.uid");
        let refused = owned(&suite, "x", json!([owner("a", true), owner("b", true)])).await;
        let text = "Only one reference can have Controller set to true. Found \"true\" in references for ConfigMap/a and ConfigMap/b";
        let refused = refused.refused(422, "Invalid", text);
        refused.caused_by("FieldValueInvalid", "metadata.ownerReferences");
        let path = suite.core("configmaps?dryRun=All");
        let twice = json!({"metadata": {"name": "x", "ownerReferences": [owner("a", true), owner("a", true)]}});
        let made = suite
            .send(Method::POST, &path, &[], twice.to_string().into())
            .await
            .is(201);
        assert_eq!(made.body["metadata"]["ownerReferences"].as_array().unwrap().len(), 1);
        assert_eq!(made.header("warning").len(), 1);
    });
}
