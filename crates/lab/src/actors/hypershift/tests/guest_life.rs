//! What a guest holds and who gets in; and what becomes of its workers when a node of the management cluster is drained.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, Response, header};
use serde_json::{Value, json};

use super::support::{CONTROL_PLANE, Lab};
use crate::client::{Client, name_of};
use crate::conditions;
use crate::kind::{
    CERTIFICATE_REVOCATION_REQUEST, CERTIFICATE_SIGNING_REQUEST, CERTIFICATE_SIGNING_REQUEST_APPROVAL,
    CLUSTER_OPERATOR, CONFIG_MAP, CONSOLE, HOSTED_CLUSTER, INFRASTRUCTURE, INGRESS_CONFIG, NAMESPACE, NODE, OAUTH, POD,
    POD_DISRUPTION_BUDGET, ROUTE, SECRET, STORAGE_CLASS, VIRTUAL_MACHINE_INSTANCE,
};
use crate::world::Faults;

/// A lab with a guest whose rollout is complete.
async fn with_guest(with: Value) -> Lab {
    let lab = Lab::start(Faults::default()).await;
    lab.allow_wildcards().await;
    lab.create_guest(with).await;
    lab.wait_for(HOSTED_CLUSTER, "guest", "its rollout", |hosted_cluster| {
        hosted_cluster["status"]["version"]["history"][0]["state"] == "Completed"
    })
    .await;
    lab
}

/// Waits until something holds, at most ten minutes.
async fn until(lab: &Lab, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        lab.sleep(std::time::Duration::from_secs(1)).await;
    }
    panic!("not {what} after ten minutes");
}

async fn authorize(lab: &Lab, user: &str, password: &str) -> Response<Bytes> {
    let url = lab.simulation.borrow().guest_url("hcp", "guest").unwrap();
    let host = url.strip_suffix(":6443").unwrap();
    let url = format!("{host}:6444/oauth/authorize?client_id=openshift-challenging-client&response_type=token");
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
    let request = Request::get(url)
        .header(header::AUTHORIZATION, basic)
        .body(Bytes::new())
        .unwrap();
    let answer = lab.simulation.borrow().oauth(request);
    answer.await.unwrap()
}

fn text(secret: &Value, key: &str) -> String {
    let bytes = BASE64_STANDARD.decode(secret["data"][key].as_str().unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_fresh_guest_shows_what_openshift_shows() {
    let mapping = json!([{ "infraStorageClassName": "ocs-storagecluster-ceph-rbd", "guestStorageClassName": "fast" }]);
    let driver = json!({ "type": "Manual", "manual": { "storageClassMapping": mapping } });
    let lab = with_guest(json!({ "platform": { "type": "KubeVirt", "kubevirt": { "storageDriver": driver } } })).await;
    let inside = lab.inside();
    let names = async |kind| {
        let list = inside.list(kind, None, "").await.unwrap();
        list.iter().map(|object| name_of(object).to_owned()).collect::<Vec<_>>()
    };
    let classes = inside.list(STORAGE_CLASS, None, "").await.unwrap();
    assert_eq!(
        (
            name_of(&classes[0]),
            &classes[0]["parameters"]["infraStorageClassName"],
            classes.len()
        ),
        ("fast", &json!("ocs-storagecluster-ceph-rbd"), 1)
    );
    let namespaces = names(NAMESPACE).await;
    for name in [
        "openshift",
        "openshift-console",
        "openshift-monitoring",
        "openshift-ovn-kubernetes",
    ] {
        assert!(namespaces.iter().any(|found| found == name), "{name}");
    }
    assert_eq!(names(CLUSTER_OPERATOR).await.len(), 21);
    let console = inside
        .get(ROUTE, Some("openshift-console"), "console")
        .await
        .unwrap()
        .unwrap();
    let host = "console-openshift-console.apps.guest.apps.hub.lab.test";
    assert_eq!(console["status"]["ingress"][0]["host"], host);
    let public = inside
        .get(CONFIG_MAP, Some("openshift-config-managed"), "console-public")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(public["data"]["consoleURL"], format!("https://{host}"));
    let console = inside.get(CONSOLE, None, "cluster").await.unwrap().unwrap();
    assert_eq!(console["status"]["consoleURL"], format!("https://{host}"));
    let infrastructure = inside.get(INFRASTRUCTURE, None, "cluster").await.unwrap().unwrap();
    assert_eq!(infrastructure["status"]["controlPlaneTopology"], "External");
    let ingress = inside.get(INGRESS_CONFIG, None, "cluster").await.unwrap().unwrap();
    assert_eq!(ingress["spec"]["domain"], "apps.guest.apps.hub.lab.test");
}

#[tokio::test(start_paused = true)]
async fn logins_are_those_that_the_control_plane_rolled_out() {
    let lab = with_guest(json!({})).await;
    let inside = lab.inside();
    let password = lab
        .client
        .get(SECRET, Some(CONTROL_PLANE), "kubeadmin-password")
        .await
        .unwrap()
        .unwrap();
    let password = text(&password, "password");
    assert_eq!(authorize(&lab, "kubeadmin", "wrong").await.status(), 401);
    assert_eq!(authorize(&lab, "kubeadmin", &password).await.status(), 302);

    let file = "alice:{SHA}CEo1Ae3vaEXy8eQZjsOiuBz1xrw=\n";
    for namespace in ["hcp", CONTROL_PLANE] {
        let secret =
            json!({ "metadata": { "name": "people", "namespace": namespace }, "stringData": { "htpasswd": file } });
        lab.client.create(SECRET, &secret).await.unwrap();
    }
    let provider = json!({ "name": "local", "type": "HTPasswd", "mappingMethod": "claim", "htpasswd": { "fileData": { "name": "people" } } });
    let oauth = json!({ "spec": { "configuration": { "oauth": { "identityProviders": [provider] } } } });
    lab.client
        .merge(HOSTED_CLUSTER, Some("hcp"), "guest", &oauth)
        .await
        .unwrap();
    until(&lab, "logged in", async || {
        authorize(&lab, "alice", "sesame").await.status() == 302
    })
    .await;
    until(&lab, "without kubeadmin", async || {
        inside
            .get(SECRET, Some("kube-system"), "kubeadmin")
            .await
            .unwrap()
            .is_none()
    })
    .await;
    assert_eq!(authorize(&lab, "kubeadmin", &password).await.status(), 401);
    let told = inside.get(OAUTH, None, "cluster").await.unwrap().unwrap();
    assert_eq!(told["spec"]["identityProviders"][0]["name"], "local");
}

/// A request (PEM) for a certificate of this user.
fn request(user: &str) -> String {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, user);
    params
        .distinguished_name
        .push(rcgen::DnType::OrganizationName, "system:masters");
    let key = rcgen::KeyPair::generate().unwrap();
    params.serialize_request(&key).unwrap().pem().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_break_glass_certificate_is_signed_once_it_is_approved_and_revoked_with_its_authority() {
    let lab = with_guest(json!({})).await;
    let ask = async |name: &str, user: &str| {
        let object = json!({
            "metadata": { "name": name },
            "spec": {
                "request": BASE64_STANDARD.encode(request(user)),
                "signerName": format!("hypershift.openshift.io/{CONTROL_PLANE}.customer-break-glass"),
                "usages": ["client auth"],
            },
        });
        lab.client.create(CERTIFICATE_SIGNING_REQUEST, &object).await.unwrap();
    };
    let found = async |name: &str| {
        lab.client
            .get(CERTIFICATE_SIGNING_REQUEST, None, name)
            .await
            .unwrap()
            .unwrap()
    };
    let approve = async |name: &str| {
        let approval = json!({ "metadata": { "name": name, "namespace": CONTROL_PLANE }, "spec": {} });
        lab.client
            .create(CERTIFICATE_SIGNING_REQUEST_APPROVAL, &approval)
            .await
            .unwrap();
    };
    ask("mine", "system:customer-break-glass:me").await;
    ask("wrong", "system:admin").await;
    lab.sleep(std::time::Duration::from_mins(1)).await;
    assert_eq!(found("mine").await["status"]["certificate"], Value::Null);
    approve("mine").await;
    approve("wrong").await;
    until(&lab, "signed", async || {
        found("mine").await["status"]["certificate"].is_string()
    })
    .await;
    let mine = found("mine").await;
    assert_eq!(
        conditions::find(&mine, "Approved").unwrap()["reason"],
        "ApprovalPresent"
    );
    let certificate = BASE64_STANDARD
        .decode(mine["status"]["certificate"].as_str().unwrap())
        .unwrap();
    assert!(certificate.starts_with(b"-----BEGIN CERTIFICATE-----"));
    until(&lab, "failed", async || {
        conditions::is_true(&found("wrong").await, "Failed")
    })
    .await;
    let wrong = found("wrong").await;
    assert_eq!(
        conditions::find(&wrong, "Failed").unwrap()["message"],
        "invalid certificate request: subject CommonName must begin with \"system:customer-break-glass:\""
    );

    let bundle = async || {
        let bundle = lab
            .client
            .get(CONFIG_MAP, Some(CONTROL_PLANE), "customer-system-admin-signer-ca")
            .await
            .unwrap();
        bundle.unwrap()["data"]["ca-bundle.crt"].as_str().unwrap().to_owned()
    };
    let before = bundle().await;
    let revocation = json!({ "metadata": { "name": "all", "namespace": CONTROL_PLANE }, "spec": { "signerClass": "customer-break-glass" } });
    lab.client
        .create(CERTIFICATE_REVOCATION_REQUEST, &revocation)
        .await
        .unwrap();
    until(&lab, "revoked", async || {
        let revocation = lab
            .client
            .get(CERTIFICATE_REVOCATION_REQUEST, Some(CONTROL_PLANE), "all")
            .await
            .unwrap();
        conditions::is_true(&revocation.unwrap(), "PreviousCertificatesRevoked")
    })
    .await;
    assert_ne!(bundle().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_drained_node_sends_its_workers_elsewhere_and_their_guests_nodes_come_back() {
    let lab = with_guest(json!({})).await;
    let (client, inside) = (&lab.client, lab.inside());
    let pods = client
        .list(POD, Some(CONTROL_PLANE), "kubevirt.io=virt-launcher")
        .await
        .unwrap();
    let pod = &pods[0];
    let worker = pod["metadata"]["annotations"]["kubevirt.io/domain"]
        .as_str()
        .unwrap()
        .to_owned();
    let node = pod["spec"]["nodeName"].as_str().unwrap().to_owned();
    client
        .merge(NODE, None, &node, &json!({ "spec": { "unschedulable": true } }))
        .await
        .unwrap();
    // As `kubectl drain` does: asked again and again, until the pod is gone.
    assert!(!client.evict(pod).await.unwrap());
    let instance = async || {
        client
            .get(VIRTUAL_MACHINE_INSTANCE, Some(CONTROL_PLANE), &worker)
            .await
            .unwrap()
    };
    let first = instance().await.unwrap();
    assert_eq!(first["status"]["evacuationNodeName"], node.as_str());
    let guest_node = async || inside.get(NODE, None, &worker).await.unwrap().unwrap();
    until(&lab, "cordoned", async || {
        guest_node().await["spec"]["unschedulable"] == true
    })
    .await;
    until(&lab, "evicted", async || client.evict(pod).await.unwrap()).await;
    until(&lab, "NotReady", async || {
        !conditions::is_true(&guest_node().await, "Ready")
    })
    .await;
    until(&lab, "elsewhere", async || {
        let instance = instance().await.unwrap_or_default();
        instance["status"]["phase"] == "Running" && instance["status"]["nodeName"] != node.as_str()
    })
    .await;
    until(&lab, "back", async || {
        let node = guest_node().await;
        conditions::is_true(&node, "Ready") && node["spec"]["unschedulable"] != true
    })
    .await;
    assert_ne!(instance().await.unwrap()["metadata"]["uid"], first["metadata"]["uid"]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_tells_how_many_of_its_pods_may_go() {
    let lab = Lab::start(Faults::default()).await;
    let client: &Client = &lab.client;
    let mut deployment = crate::manifest::deployment("hcp", "web", 2, "web:lab");
    let labels = deployment["spec"]["selector"]["matchLabels"].clone();
    deployment["spec"]["replicas"] = 2.into();
    client.create(crate::kind::DEPLOYMENT, &deployment).await.unwrap();
    let budget = json!({
        "metadata": { "name": "web", "namespace": "hcp" },
        "spec": { "maxUnavailable": "50%", "selector": { "matchLabels": labels } },
    });
    client.create(POD_DISRUPTION_BUDGET, &budget).await.unwrap();
    let status = async || {
        client
            .get(POD_DISRUPTION_BUDGET, Some("hcp"), "web")
            .await
            .unwrap()
            .unwrap()["status"]
            .clone()
    };
    until(&lab, "counted", async || status().await["disruptionsAllowed"] == 1).await;
    let counted = status().await;
    assert_eq!(
        (&counted["currentHealthy"], &counted["desiredHealthy"]),
        (&json!(2), &json!(1))
    );
    let pods = client.list(POD, Some("hcp"), "").await.unwrap();
    assert!(client.evict(&pods[0]).await.unwrap());
    assert!(!client.evict(&pods[1]).await.unwrap());
    until(&lab, "whole again", async || status().await["disruptionsAllowed"] == 1).await;
}
