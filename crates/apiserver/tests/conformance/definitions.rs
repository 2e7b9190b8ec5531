//! Section 8.9: definitions of custom kinds, and what follows from them. What a schema does to objects is in `schemas.rs`,
//! its CEL rules are in `rules.rs`.

use serde_json::{Value, json};

use crate::{
    Answer, Suite, run,
    suite::{DEFINITIONS, established},
    text,
    widgets::version,
};

/// The schema of a Widget's `spec`, in a definition.
pub(crate) const SPEC: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";

/// Tries to make a Widget of a spec.
pub(crate) async fn make(suite: &Suite, name: &str, spec: Value) -> Answer {
    suite.post(&suite.widgets(), suite.widget(name, spec)).await
}

pub(crate) fn definition_path(suite: &Suite) -> String {
    format!("{DEFINITIONS}/widgets.{}", suite.group())
}

/// Changes the definition of Widgets.
pub(crate) async fn redefine(suite: &Suite, patch: Value) {
    suite
        .patch("json-patch+json", &definition_path(suite), patch)
        .await
        .is(200);
}

/// Tries a definition that is changed in one thing.
async fn try_definition(suite: &Suite, change: impl FnOnce(&mut Value)) -> Answer {
    let mut definition = suite.definition();
    change(&mut definition);
    suite.post(&format!("{DEFINITIONS}?dryRun=All"), definition).await
}

#[test]
fn c165_a_definition_is_checked() {
    run(async |suite| {
        try_definition(&suite, |_| {}).await.is(201);
        let name = try_definition(&suite, |crd| crd["metadata"]["name"] = "others.example.test".into()).await;
        let message = "must be spec.names.plural+\".\"+spec.group";
        name.refused(422, "Invalid", message)
            .caused_by("FieldValueInvalid", "metadata.name");
        let dotless = try_definition(&suite, |crd| {
            crd["metadata"]["name"] = "widgets.example".into();
            crd["spec"]["group"] = "example".into();
        });
        let message = "should be a domain with at least one dot";
        dotless
            .await
            .refused(422, "Invalid", message)
            .caused_by("FieldValueInvalid", "spec.group");
        let protected = try_definition(&suite, |crd| {
            crd["metadata"]["name"] = "widgets.example.k8s.io".into();
            crd["spec"]["group"] = "example.k8s.io".into();
        });
        let message = "protected groups must have approval annotation \"api-approved.kubernetes.io\"";
        protected.await.refused(422, "Invalid", message);
        let twice = try_definition(&suite, |crd| {
            let second = crd["spec"]["versions"][0].clone();
            crd["spec"]["versions"].as_array_mut().unwrap().push(second);
        });
        let message = "must contain unique version names";
        twice
            .await
            .refused(422, "Invalid", message)
            .caused_by("FieldValueInvalid", "spec.versions");
        for (first, second) in [(true, true), (false, false)] {
            let stored = try_definition(&suite, |crd| {
                let mut other = version("v2");
                other["storage"] = second.into();
                crd["spec"]["versions"][0]["storage"] = first.into();
                crd["spec"]["versions"].as_array_mut().unwrap().push(other);
            });
            let message = "must have exactly one version marked as storage version";
            stored
                .await
                .refused(422, "Invalid", message)
                .caused_by("FieldValueInvalid", "spec.versions");
        }
        let schemaless = try_definition(&suite, |crd| crd["spec"]["versions"][0]["schema"] = Value::Null).await;
        schemaless
            .refused(422, "Invalid", "")
            .caused_by("FieldValueRequired", "spec.versions[0].schema.openAPIV3Schema");
        let unpruned = try_definition(&suite, |crd| crd["spec"]["preserveUnknownFields"] = true.into()).await;
        unpruned
            .refused(422, "Invalid", "")
            .caused_by("FieldValueInvalid", "spec.preserveUnknownFields");
        let scope = try_definition(&suite, |crd| crd["spec"]["scope"] = "World".into()).await;
        scope
            .refused(422, "Invalid", "")
            .caused_by("FieldValueNotSupported", "spec.scope");
        suite
            .get("/apis/apiextensions.k8s.io/v1beta1/customresourcedefinitions")
            .await
            .is(404);
        suite.with_widgets().await;
        for (path, value) in [
            ("/spec/scope", "Cluster"),
            ("/spec/group", "other.example.test"),
            ("/spec/names/kind", "Other"),
            ("/spec/names/plural", "others"),
        ] {
            let patch = json!([{"op": "replace", "path": path, "value": value}]);
            let refused = suite.patch("json-patch+json", &definition_path(&suite), patch).await;
            refused
                .refused(422, "Invalid", "field is immutable")
                .caused_by("FieldValueInvalid", &path[1..].replace('/', "."));
        }
    });
}

#[test]
fn c166_a_schema_is_structural() {
    run(async |suite| {
        // The schema of all versions is called so, whatever it was written under.
        let at = |rest: &str| format!("spec.validation.openAPIV3Schema.{rest}");
        let refused = async |schema: Value, reason: &str, field: &str| {
            let answer = try_definition(&suite, |crd| *crd.pointer_mut(SPEC).unwrap() = schema.clone()).await;
            assert_eq!(answer.code, 422, "{schema}: {}", answer.body);
            answer.refused(422, "Invalid", "").caused_by(reason, &at(field));
        };
        refused(json!({"properties": {}}), "FieldValueRequired", "properties[spec].type").await;
        refused(
            json!({"type": "array", "items": {}}),
            "FieldValueRequired",
            "properties[spec].items.type",
        )
        .await;
        refused(json!({"type": "array"}), "FieldValueRequired", "properties[spec].items").await;
        let both = json!({"type": "object", "properties": {}, "additionalProperties": {"type": "string"}});
        let at_additional = "properties[spec].additionalProperties";
        let both = try_definition(&suite, |crd| {
            let mut both = both;
            both["properties"] = json!({"a": {"type": "string"}});
            *crd.pointer_mut(SPEC).unwrap() = both;
        });
        both.await
            .refused(422, "Invalid", "")
            .caused_by("FieldValueForbidden", &at(at_additional));
        let within = json!({"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"properties": {"a": {"type": "string"}}}]});
        refused(
            within,
            "FieldValueForbidden",
            "properties[spec].anyOf[0].properties[a].type",
        )
        .await;
        let unnamed = json!([{"properties": {"other": {"minProperties": 1}}}]);
        let unnamed = try_definition(&suite, |crd| {
            crd.pointer_mut("/spec/versions/0/schema/openAPIV3Schema").unwrap()["anyOf"] = unnamed;
        });
        let unnamed = unnamed.await.refused(422, "Invalid", "because it is defined in ");
        unnamed.caused_by("FieldValueRequired", &at("properties[other]"));
        let unique = json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true});
        refused(unique, "FieldValueForbidden", "properties[spec].uniqueItems").await;
        let keyless = json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"});
        refused(
            keyless,
            "FieldValueRequired",
            "properties[spec].x-kubernetes-list-map-keys",
        )
        .await;
        let wrong = json!({"type": "object", "properties": {"a": {"type": "integer", "default": "one"}}});
        refused(wrong, "FieldValueTypeInvalid", "properties[spec].properties[a].default").await;
        let root = try_definition(&suite, |crd| {
            crd.pointer_mut("/spec/versions/0/schema/openAPIV3Schema").unwrap()["type"] = "string".into();
        });
        root.await
            .refused(422, "Invalid", "")
            .caused_by("FieldValueInvalid", &at("type"));
    });
}

#[test]
fn c180_scale() {
    run(async |suite| {
        suite.with_widgets().await;
        make(&suite, "w", json!({})).await.is(201);
        let path = format!("{}/w", suite.widgets());
        let status = json!({"status": {"replicas": 1, "selector": "a=b"}});
        let widget = suite
            .patch("merge-patch+json", &format!("{path}/status"), status)
            .await
            .is(200)
            .body;
        let scale_path = format!("{path}/scale");
        let scale = suite.get(&scale_path).await.is(200).body;
        let metadata = &widget["metadata"];
        assert_eq!(
            scale,
            json!({
                "kind": "Scale",
                "apiVersion": "autoscaling/v1",
                "metadata": {
                    "name": "w", "namespace": suite.number, "uid": metadata["uid"],
                    "resourceVersion": metadata["resourceVersion"], "creationTimestamp": metadata["creationTimestamp"],
                },
                "spec": {"replicas": 1},
                "status": {"replicas": 1, "selector": "a=b"},
            })
        );
        let replicas = |count: i64| json!({"spec": {"replicas": count}});
        let patched = suite
            .patch("merge-patch+json", &scale_path, replicas(4))
            .await
            .is(200)
            .body;
        assert_eq!(
            (&patched["kind"], &patched["spec"]["replicas"]),
            (&json!("Scale"), &json!(4))
        );
        let widget = suite.get(&path).await.body;
        assert_eq!(
            (&widget["spec"]["replicas"], &widget["metadata"]["generation"]),
            (&json!(4), &json!(2))
        );
        let mut stale = scale.clone();
        stale["spec"]["replicas"] = 5.into();
        suite
            .put(&scale_path, stale.clone())
            .await
            .refused(409, "Conflict", "the object has been modified");
        stale["metadata"]["resourceVersion"] = Value::Null;
        suite.put(&scale_path, stale.clone()).await.is(200);
        assert_eq!(suite.get(&path).await.body["spec"]["replicas"], 5);
        // Clients whose types leave out what is zero.
        stale["spec"] = json!({});
        suite.put(&scale_path, stale.clone()).await.is(200);
        assert_eq!(suite.get(&path).await.body["spec"]["replicas"], 0);
        stale["spec"]["replicas"] = 99_999_999_999_i64.into();
        // The real server words it in another way.
        suite
            .put(&scale_path, stale.clone())
            .await
            .refused(400, "BadRequest", "Scale");
        suite
            .patch("merge-patch+json", &scale_path, json!({"spec": {"replicas": "3"}}))
            .await
            .refused(422, "Invalid", "patch: Invalid value");
        stale["spec"]["replicas"] = 1.into();
        for (name, message) in [("other", "does not match the name on the URL"), ("", "undeterminable")] {
            stale["metadata"]["name"] = name.into();
            suite
                .put(&scale_path, stale.clone())
                .await
                .refused(400, "BadRequest", message);
        }
        suite
            .patch("merge-patch+json", &scale_path, replicas(-1))
            .await
            .refused(422, "Invalid", "spec.replicas");
        suite
            .post(&scale_path, json!({}))
            .await
            .refused(405, "MethodNotAllowed", "");
        // Nothing says how many there are to be.
        let schema = format!("{SPEC}/properties/replicas/default");
        redefine(&suite, json!([{"op": "remove", "path": schema}])).await;
        let bare = suite
            .patch(
                "json-patch+json",
                &path,
                json!([{"op": "remove", "path": "/spec/replicas"}]),
            )
            .await;
        if bare.is(200).body["spec"].get("replicas").is_none() {
            let message = "Internal error occurred: the spec replicas field \".spec.replicas\" does not exist";
            suite.get(&scale_path).await.refused(500, "InternalError", message);
        }
    });
}

#[test]
fn c181_every_served_version_shows_every_object() {
    run(async |suite| {
        let mut definition = suite.definition();
        definition["spec"]["versions"]
            .as_array_mut()
            .unwrap()
            .push(version("v2"));
        suite.define(definition).await;
        let second = suite.of(&format!("{}/v2", suite.group()), "widgets");
        suite.until(&second, |answer| answer.code == 200).await;
        make(&suite, "one", json!({"note": "1"})).await.is(201);
        let mut other = suite.widget("two", json!({"note": "2"}));
        other["apiVersion"] = format!("{}/v2", suite.group()).into();
        suite.post(&second, other).await.is(201);
        for (collection, version) in [(suite.widgets(), "v1"), (second.clone(), "v2")] {
            let api_version = json!(format!("{}/{version}", suite.group()));
            let listed = suite.get(&collection).await;
            assert_eq!(
                (listed.names(), &listed.body["apiVersion"]),
                (vec!["one".to_owned(), "two".to_owned()], &api_version)
            );
            let mut watch = suite.watch(&format!("{collection}?watch=true")).await;
            for (index, name) in ["one", "two"].iter().enumerate() {
                let object = suite.get(&format!("{collection}/{name}")).await.is(200).body;
                assert_eq!(object["apiVersion"], api_version);
                assert_eq!(object["spec"]["note"], (index + 1).to_string());
                assert_eq!(watch.next().await.unwrap()["object"]["apiVersion"], api_version);
            }
        }
        let switch = json!([
            {"op": "replace", "path": "/spec/versions/0/storage", "value": false},
            {"op": "replace", "path": "/spec/versions/1/storage", "value": true},
        ]);
        redefine(&suite, switch).await;
        let stored = |versions: Value| move |answer: &Answer| answer.body["status"]["storedVersions"] == versions;
        suite.until(&definition_path(&suite), stored(json!(["v1", "v2"]))).await;
        assert_eq!(
            suite.get(&format!("{}/one", suite.widgets())).await.is(200).body["spec"]["note"],
            "1"
        );
        // A version goes only once nothing is stored in it any more.
        let drop = json!([{"op": "remove", "path": "/spec/versions/0"}]);
        let refused = suite
            .patch("json-patch+json", &definition_path(&suite), drop.clone())
            .await;
        refused
            .refused(422, "Invalid", "v1 was previously a storage version")
            .caused_by("FieldValueInvalid", "status.storedVersions[0]");
        for name in ["one", "two"] {
            let path = format!("{second}/{name}");
            let object = suite.get(&path).await.is(200).body;
            suite.put(&path, object).await.is(200);
        }
        let migrated = json!([{"op": "replace", "path": "/status/storedVersions", "value": ["v2"]}]);
        let status = format!("{}/status", definition_path(&suite));
        suite.patch("json-patch+json", &status, migrated).await.is(200);
        redefine(&suite, drop).await;
        suite.until(&suite.widgets(), |answer| answer.code == 404).await;
        assert_eq!(suite.get(&second).await.names(), ["one", "two"]);
    });
}

#[test]
fn c183_versions_end_by_and_by() {
    run(async |suite| {
        let mut definition = suite.definition();
        let (group, second_version) = (suite.group(), version("v2"));
        definition["spec"]["versions"]
            .as_array_mut()
            .unwrap()
            .push(second_version);
        definition["spec"]["versions"][0]["deprecated"] = true.into();
        suite.define(definition).await;
        let warning = format!("299 - \"{group}/v1 Widget is deprecated; use {group}/v2 Widget\"");
        assert_eq!(
            make(&suite, "w", json!({})).await.is(201).header("warning"),
            [warning.as_str()]
        );
        assert_eq!(suite.get(&suite.widgets()).await.header("warning"), [warning.as_str()]);
        let second = suite.of(&format!("{group}/v2"), "widgets");
        assert!(suite.get(&second).await.is(200).header("warning").is_empty());
        redefine(
            &suite,
            json!([{"op": "add", "path": "/spec/versions/0/deprecationWarning", "value": "v1 is old"}]),
        )
        .await;
        let own = |answer: &Answer| answer.header("warning") == ["299 - \"v1 is old\""];
        suite.until(&suite.widgets(), own).await;
        redefine(
            &suite,
            json!([{"op": "replace", "path": "/spec/versions/0/served", "value": false}]),
        )
        .await;
        suite.until(&suite.widgets(), |answer| answer.code == 404).await;
        suite.get(&format!("{}/w", suite.widgets())).await.is(404);
        assert_eq!(suite.get(&second).await.is(200).names(), ["w"]);
        let gone = |answer: &Answer| {
            answer.body["versions"]
                .as_array()
                .is_some_and(|versions| versions.len() == 1)
        };
        suite.until(&format!("/apis/{group}"), gone).await;
    });
}

#[test]
fn c185_columns_are_the_definitions_own() {
    run(async |suite| {
        let mut definition = suite.definition();
        let column = |name: &str, kind: &str, path: &str, priority: i64| json!({"name": name, "type": kind, "jsonPath": path, "priority": priority, "description": format!("The {name}.")});
        definition["spec"]["versions"][0]["additionalPrinterColumns"] = json!([
            column("Mode", "string", ".spec.mode", 0),
            column("Replicas", "integer", ".spec.replicas", 0),
            column("Note", "string", ".spec.note", 1),
            column("Age", "date", ".metadata.creationTimestamp", 0),
        ]);
        suite.define(definition).await;
        make(&suite, "a", json!({"mode": "a", "note": "n"})).await.is(201);
        make(&suite, "b", json!({})).await.is(201);
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        let table = suite.get_as(&suite.widgets(), table).await.is(200).body;
        assert_eq!(
            (&table["kind"], &table["apiVersion"]),
            (&json!("Table"), &json!("meta.k8s.io/v1"))
        );
        let described: Vec<String> = table["columnDefinitions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| {
                let [name, kind, format] = ["name", "type", "format"].map(|field| text(&column[field]));
                format!("{name} {kind} {format} {}", column["priority"])
            })
            .collect();
        let expected = [
            "Name string name 0",
            "Mode string  0",
            "Replicas integer  0",
            "Note string  1",
            "Age date  0",
        ];
        assert_eq!(described, expected);
        assert_eq!(table["columnDefinitions"][1]["description"], "The Mode.");
        let rows = table["rows"].as_array().unwrap();
        let cells = |row: &Value| row["cells"].as_array().unwrap()[..4].to_vec();
        assert_eq!(cells(&rows[0]), [json!("a"), json!("a"), json!(1), json!("n")]);
        assert_eq!(cells(&rows[1]), [json!("b"), Value::Null, json!(1), Value::Null]);
        let age = text(&rows[0]["cells"][4]);
        assert!(
            age.ends_with('s') && age[..age.len() - 1].parse::<u32>().is_ok(),
            "{age}"
        );
        assert_eq!(rows[0]["object"]["kind"], "PartialObjectMetadata");
        assert_eq!(rows[0]["object"]["metadata"]["name"], "a");
        redefine(
            &suite,
            json!([{"op": "remove", "path": "/spec/versions/0/additionalPrinterColumns"}]),
        )
        .await;
        let names = |table: &Value| -> Vec<String> {
            table["columnDefinitions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|column| text(&column["name"]))
                .collect()
        };
        for _ in 0..100 {
            let table = suite
                .get_as(&suite.widgets(), "application/json;as=Table;v=v1;g=meta.k8s.io")
                .await
                .is(200)
                .body;
            if names(&table) == ["Name", "Age"] {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("a definition without columns has Name and Age");
    });
}

#[test]
fn c186_a_definition_takes_its_objects_along() {
    run(async |suite| {
        suite.with_widgets().await;
        make(&suite, "free", json!({})).await.is(201);
        let mut held = suite.widget("held", json!({}));
        held["metadata"]["finalizers"] = json!(["example.test/hold"]);
        let now = suite.post(&suite.widgets(), held).await.is(201).version();
        let mut watch = suite
            .watch(&format!("{}?watch=true&resourceVersion={now}", suite.widgets()))
            .await;
        let (path, widgets) = (definition_path(&suite), suite.widgets());
        let marked = suite.delete(&path, json!({})).await.is(200).body;
        assert_eq!(
            marked["metadata"]["finalizers"],
            json!(["customresourcecleanup.apiextensions.k8s.io"])
        );
        suite
            .until(&format!("{widgets}/free"), |answer| answer.code == 404)
            .await;
        let late = make(&suite, "late", json!({})).await;
        late.refused(
            403,
            "Forbidden",
            "create not allowed while custom resource definition is terminating",
        );
        let terminating = |answer: &Answer| {
            let conditions = answer.body["status"]["conditions"].as_array().into_iter().flatten();
            let mut terminating = conditions.filter(|condition| condition["type"] == "Terminating");
            terminating.any(|condition| condition["status"] == "True")
        };
        suite.until(&path, terminating).await;
        let patch = json!({"metadata": {"finalizers": null}});
        suite
            .patch("merge-patch+json", &format!("{widgets}/held"), patch)
            .await
            .is(200);
        suite.until(&path, |answer| answer.code == 404).await;
        suite.until(&widgets, |answer| answer.code == 404).await;
        let mut events = watch.names(3).await;
        events.sort_unstable();
        assert_eq!(events, ["DELETED free", "DELETED held", "MODIFIED held"]);
        assert_eq!(watch.next().await, None, "the watch ends with its kind");
        let named = format!("\"{}\"", suite.group());
        suite
            .until("/apis", |answer| !answer.body.to_string().contains(&named))
            .await;
        suite.define(suite.definition()).await;
        assert!(suite.get(&widgets).await.names().is_empty());
        assert!(established(&suite.get(&path).await));
    });
}
