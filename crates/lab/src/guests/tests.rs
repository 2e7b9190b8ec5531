//! Guests on real sockets and in a folder.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use jiff::Timestamp;
use kube::config::{KubeConfigOptions, Kubeconfig};

use super::*;

fn guest() -> GuestId {
    GuestId {
        namespace: "hcp".to_owned(),
        name: "guest".to_owned(),
    }
}

fn servers(folder: &std::path::Path) -> GuestServers {
    GuestServers::on_disk(folder.to_owned(), false, Some(3), Arc::new(Timestamp::now))
}

async fn client(kubeconfig: &str) -> kube::Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    kube::Client::try_from(config).unwrap()
}

async fn namespaces(client: kube::Client) -> usize {
    let request = http::Request::get("/api/v1/namespaces").body(Vec::new()).unwrap();
    client.request::<serde_json::Value>(request).await.unwrap()["items"]
        .as_array()
        .unwrap()
        .len()
}

/// Two crypto providers may be compiled in; a client has to be told which.
fn install_provider() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

#[tokio::test]
async fn kubeconfig_works_over_https_and_stays_good_over_a_restart() {
    install_provider();
    let folder = tempfile::tempdir().unwrap();
    // No machine has this address, so the guest gets a port of its own.
    let servers_before = servers(folder.path());
    let started = servers_before.ensure(&guest(), "203.0.113.7").await.unwrap();
    assert!(started.url.starts_with("https://127.0.0.1:"), "{}", started.url);
    assert!(namespaces(client(&started.kubeconfig).await).await >= 4);
    let create = http::Request::post("/api/v1/namespaces")
        .body(br#"{"metadata":{"name":"kept"}}"#.to_vec())
        .unwrap();
    let created: serde_json::Value = client(&started.kubeconfig).await.request(create).await.unwrap();
    assert_eq!(created["metadata"]["name"], "kept");
    assert_eq!(servers_before.at(&started.url).unwrap().url, started.url);
    let Guest {
        client: in_process,
        url,
        kubeconfig,
        ca,
        oauth,
    } = started;
    drop((in_process, oauth));
    servers_before.stop().await;
    // Connections that were open end when their aborted tasks are next looked at; they hold the store until then.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }

    let servers_after = servers(folder.path());
    let again = servers_after.ensure(&guest(), "203.0.113.7").await.unwrap();
    assert_eq!((&again.url, &again.kubeconfig, &again.ca), (&url, &kubeconfig, &ca));
    let get = http::Request::get("/api/v1/namespaces/kept").body(Vec::new()).unwrap();
    let kept: serde_json::Value = client(&kubeconfig).await.request(get).await.unwrap();
    assert_eq!(kept["metadata"]["uid"], created["metadata"]["uid"]);

    servers_after.remove(&guest()).await;
    assert!(servers_after.find(&guest()).is_none());
    assert!(!kept::folder(folder.path(), &guest()).exists());
}

#[tokio::test]
async fn guests_trust_only_their_own_authority() {
    install_provider();
    let folder = tempfile::tempdir().unwrap();
    let servers = servers(folder.path());
    let other = GuestId {
        namespace: "hcp".to_owned(),
        name: "other".to_owned(),
    };
    let one = servers.ensure(&guest(), "203.0.113.7").await.unwrap();
    let two = servers.ensure(&other, "203.0.113.8").await.unwrap();
    assert_ne!(one.url, two.url);
    let crossed = one.kubeconfig.replace(&one.url, &two.url);
    let request = http::Request::get("/api/v1/namespaces").body(Vec::new()).unwrap();
    assert!(
        client(&crossed)
            .await
            .request::<serde_json::Value>(request)
            .await
            .is_err()
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn address_of_the_pool_is_served_where_it_can_be_bound() {
    install_provider();
    let folder = tempfile::tempdir().unwrap();
    let servers = servers(folder.path());
    let started = servers.ensure(&guest(), "127.93.71.3").await.unwrap();
    assert_eq!(started.url, "https://127.93.71.3:6443");
    assert!(namespaces(client(&started.kubeconfig).await).await >= 4);
    let mode = std::fs::metadata(kept::folder(folder.path(), &guest()))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn addresses_of_another_labs_network_are_left_to_it() {
    install_provider();
    let folder = tempfile::tempdir().unwrap();
    let started = servers(folder.path()).ensure(&guest(), "127.64.4.1").await.unwrap();
    assert!(started.url.starts_with("https://127.0.0.1:"), "{}", started.url);
}

#[tokio::test]
async fn simulated_guests_listen_nowhere_and_survive_a_kill() {
    let disks = GuestDisks::default();
    let start = || GuestServers::in_memory(disks.clone(), Arc::new(Timestamp::now), 7);
    let first = start().ensure(&guest(), "127.64.0.1").await.unwrap();
    assert_eq!(first.url, "https://127.64.0.1:6443");
    let create = http::Request::post("/api/v1/namespaces")
        .body(br#"{"metadata":{"name":"kept"}}"#.to_vec())
        .unwrap();
    first.client.request::<serde_json::Value>(create).await.unwrap();
    let before = namespaces(first.client).await;
    let second = start().ensure(&guest(), "127.64.0.1").await.unwrap();
    assert_eq!(second.kubeconfig, first.kubeconfig);
    assert_eq!(namespaces(second.client).await, before);
    Kubeconfig::from_yaml(&second.kubeconfig).unwrap();
}

#[tokio::test]
async fn clients_of_a_further_authority_are_trusted_until_it_is_taken_back() {
    install_provider();
    let folder = tempfile::tempdir().unwrap();
    let servers = servers(folder.path());
    let started = servers.ensure(&guest(), "203.0.113.7").await.unwrap();
    let further = berth_apiserver::CertificateAuthority::new("further", Arc::new(Timestamp::now)).unwrap();
    let client_of = further
        .issue_client("system:customer-break-glass:me", &["system:masters"])
        .unwrap();
    let kubeconfig = crate::kubeconfig::Kubeconfig {
        cluster: "guest",
        server: &started.url,
        ca: &started.ca,
        users: &[crate::kubeconfig::User {
            name: "me",
            context: "guest",
            client: &client_of,
        }],
    }
    .text();
    let list = async || {
        let request = http::Request::get("/api/v1/namespaces").body(Vec::new()).unwrap();
        client(&kubeconfig)
            .await
            .request::<serde_json::Value>(request)
            .await
            .is_ok()
    };
    assert!(!list().await);
    servers.trust(&guest(), further.certificate()).unwrap();
    assert!(list().await);
    assert!(namespaces(client(&started.kubeconfig).await).await >= 4);
    servers.trust(&guest(), "").unwrap();
    assert!(!list().await);
}
