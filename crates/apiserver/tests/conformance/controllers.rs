//! Section 8.11: what the server's own controllers do, and the kinds that clients take for granted.

use serde_json::{Value, json};

use crate::{Suite, run, text};

#[test]
fn c199_namespaces_are_furnished() {
    run(async |suite| {
        let namespace = suite
            .get(&format!("/api/v1/namespaces/{}", suite.number))
            .await
            .is(200)
            .body;
        assert_eq!(
            namespace["metadata"]["labels"]["kubernetes.io/metadata.name"],
            suite.number.as_str()
        );
        for path in [
            suite.core("serviceaccounts/default"),
            suite.core("configmaps/kube-root-ca.crt"),
        ] {
            let before = suite.until(&path, |answer| answer.code == 200).await.body;
            suite.delete(&path, json!({})).await.is(200);
            let uid = &before["metadata"]["uid"];
            let made_again = |answer: &crate::Answer| answer.code == 200 && answer.body["metadata"]["uid"] != *uid;
            suite.until(&path, made_again).await;
        }
        let authority = suite.get(&suite.core("configmaps/kube-root-ca.crt")).await.is(200).body;
        let pem = text(&authority["data"]["ca.crt"]);
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
    });
}

#[test]
fn c204_one_of_two_leads() {
    run(async |suite| {
        let leases = suite.of("coordination.k8s.io/v1", "leases");
        let lease = |holder: &str, time: &str| {
            json!({"metadata": {"name": "leader"}, "spec": {
                "holderIdentity": holder, "leaseDurationSeconds": 15, "acquireTime": time, "renewTime": time,
            }})
        };
        // Both try; the first wins.
        let time = "2026-01-02T03:04:05.000001Z";
        let held = suite.made(&leases, lease("one", time)).await;
        assert_eq!(held["spec"]["renewTime"], time);
        suite
            .post(&leases, lease("two", time))
            .await
            .refused(409, "AlreadyExists", "");
        // Both saw the lease run out; the first to say so wins again.
        let path = format!("{leases}/leader");
        let seen = suite.get(&path).await.is(200).body;
        let taken_by = |holder: &str| {
            let mut lease = seen.clone();
            lease["spec"]["holderIdentity"] = holder.into();
            lease["spec"]["renewTime"] = "2026-01-02T03:05:05.500000Z".into();
            lease
        };
        let taken = suite.put(&path, taken_by("two")).await.is(200);
        let late = suite.put(&path, taken_by("one")).await;
        late.refused(409, "Conflict", "the object has been modified");
        // It goes on as long as it renews.
        let mut renewed = taken.body.clone();
        renewed["spec"]["renewTime"] = "2026-01-02T03:06:05.500000Z".into();
        let renewed = suite.put(&path, renewed).await.is(200);
        assert!(renewed.version() > taken.version());
        assert_eq!(suite.get(&path).await.is(200).body["spec"]["holderIdentity"], "two");
    });
}

/// A table's columns, those of a wide one with a star.
fn columns(table: &Value) -> String {
    let column = |column: &Value| {
        let wide = if column["priority"] == 0 { "" } else { "*" };
        format!("{}{wide}", text(&column["name"]).replace(' ', "-"))
    };
    let columns: Vec<String> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(column)
        .collect();
    columns.join(" ")
}

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

async fn has_columns(suite: &Suite, path: &str, expected: &str) {
    let table = suite.get_as(path, TABLE).await.is(200).body;
    assert_eq!(
        (&table["kind"], &table["apiVersion"]),
        (&json!("Table"), &json!("meta.k8s.io/v1"))
    );
    assert!(table["metadata"]["resourceVersion"].is_string(), "{path}");
    assert_eq!(columns(&table), expected, "{path}");
    let mut definitions = table["columnDefinitions"].as_array().unwrap().iter();
    assert_eq!(
        definitions.find(|column| column["name"] == "Name").unwrap()["format"],
        "name",
        "{path}"
    );
}

#[test]
fn c206_tables() {
    run(async |suite| {
        for (path, expected) in [
            (
                suite.core("pods"),
                "Name Ready Status Restarts Age IP* Node* Nominated-Node* Readiness-Gates*",
            ),
            (
                suite.of("apps/v1", "deployments"),
                "Name Ready Up-to-date Available Age Containers* Images* Selector*",
            ),
            (
                suite.core("services"),
                "Name Type Cluster-IP External-IP Port(s) Age Selector*",
            ),
            (
                "/api/v1/nodes".to_owned(),
                "Name Status Roles Age Version Internal-IP* External-IP* OS-Image* Kernel-Version* Container-Runtime*",
            ),
            (
                suite.core("events"),
                "Last-Seen Type Reason Object Subobject* Source* Message First-Seen* Count* Name*",
            ),
        ] {
            has_columns(&suite, &path, expected).await;
        }
        let pods = suite.core("pods");
        let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "a"}]}});
        suite.made(&pods, pod).await;
        let list = suite.get_as(&pods, TABLE).await.is(200).body;
        let row = &list["rows"][0];
        assert_eq!(
            row["cells"].as_array().unwrap()[..4],
            ["p".into(), "0/1".into(), "Pending".into(), json!("0")]
        );
        assert_eq!(row["object"]["kind"], "PartialObjectMetadata");
        assert_eq!(row["object"]["metadata"]["name"], "p");
        // What `kubectl get -w` does: on from the table's version.
        let version = text(&list["metadata"]["resourceVersion"]);
        let mut watch = suite
            .watch_as(&format!("{pods}?watch=true&resourceVersion={version}"), TABLE)
            .await;
        let ready = json!({"status": {"phase": "Running"}});
        suite
            .patch("merge-patch+json", &format!("{pods}/p/status"), ready)
            .await
            .is(200);
        let event = watch.next().await.unwrap();
        assert_eq!(
            (&event["type"], &event["object"]["kind"]),
            (&json!("MODIFIED"), &json!("Table"))
        );
        assert_eq!(event["object"]["rows"][0]["cells"][2], "Running");
    });
}
