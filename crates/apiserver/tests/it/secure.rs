//! Over a socket: TLS, client certificates, tokens.

use std::sync::Arc;

use berth_apiserver::{ApiServer, CertificateAuthority, Identity, Options, Tls, serve};
use kube::{
    Client, Config,
    config::{AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

fn base64(pem: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(pem)
}

async fn client(url: &str, ca: &str, auth: AuthInfo) -> Client {
    let cluster = Cluster {
        server: Some(url.to_owned()),
        certificate_authority_data: Some(base64(ca)),
        ..Cluster::default()
    };
    let config = Kubeconfig {
        clusters: vec![NamedCluster {
            name: "c".to_owned(),
            cluster: Some(cluster),
            ..NamedCluster::default()
        }],
        auth_infos: vec![NamedAuthInfo {
            name: "u".to_owned(),
            auth_info: Some(auth),
            ..NamedAuthInfo::default()
        }],
        contexts: vec![NamedContext {
            name: "x".to_owned(),
            context: Some(Context {
                cluster: "c".to_owned(),
                user: Some("u".to_owned()),
                ..Context::default()
            }),
            ..NamedContext::default()
        }],
        current_context: Some("x".to_owned()),
        ..Kubeconfig::default()
    };
    Client::try_from(
        Config::from_custom_kubeconfig(config, &KubeConfigOptions::default())
            .await
            .unwrap(),
    )
    .unwrap()
}

async fn who(client: &Client) -> Result<Value, kube::Error> {
    let request = http::Request::post("/apis/authentication.k8s.io/v1/selfsubjectreviews");
    let request = request
        .header("content-type", "application/json")
        .body(b"{}".to_vec())
        .unwrap();
    Ok(client.request::<Value>(request).await?["status"]["userInfo"]["username"].clone())
}

#[tokio::test]
async fn c187_c188_certificates_and_tokens_say_who_one_is() {
    let authority = CertificateAuthority::new("test CA", Arc::new(jiff::Timestamp::now)).unwrap();
    let mut options = Options::in_memory();
    options
        .tokens
        .insert("good".to_owned(), Identity::new("robot", ["robots"]));
    let server = ApiServer::open(options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let tls = Tls::new(
        &authority.issue_server(["127.0.0.1"]).unwrap(),
        Some(authority.certificate()),
    )
    .unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(server, listener, tls, async move {
        let _ = stopped.await;
    }));

    let issued = authority.issue_client("jane", &["readers"]).unwrap();
    let certificate = AuthInfo {
        client_certificate_data: Some(base64(&issued.certificate)),
        client_key_data: Some(base64(&issued.key).into()),
        ..AuthInfo::default()
    };
    let token = |token: &str| AuthInfo {
        token: Some(token.to_owned().into()),
        ..AuthInfo::default()
    };
    let ca = authority.certificate();
    assert_eq!(who(&client(&url, ca, certificate).await).await.unwrap(), "jane");
    assert_eq!(who(&client(&url, ca, token("good")).await).await.unwrap(), "robot");
    for auth in [token("bad"), AuthInfo::default()] {
        let error = who(&client(&url, ca, auth).await).await.unwrap_err();
        assert!(
            matches!(&error, kube::Error::Api(status) if status.code == 401 && status.message == "Unauthorized"),
            "{error}"
        );
    }
    let robot = client(&url, ca, token("good")).await;
    let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> = kube::Api::default_namespaced(robot);
    let map = serde_json::from_value(json!({"metadata": {"name": "x"}})).unwrap();
    maps.create(&kube::api::PostParams::default(), &map).await.unwrap();
    assert!(maps.get_opt("x").await.unwrap().is_some());
    stop.send(()).unwrap();
    serving.await.unwrap();
}
