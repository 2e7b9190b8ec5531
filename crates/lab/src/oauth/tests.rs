//! Logins over real sockets, as clients do them: plain HTTP to the OAuth server, then the token to the API server.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use berth_apiserver::{CertificateAuthority, Tls};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::authorize::fields;
use super::openid::OpenId;
use super::*;
use crate::guests::GuestServers;
use crate::kind::{
    CLUSTER_ROLE, CLUSTER_ROLE_BINDING, GROUP, IDENTITY, OAUTH_ACCESS_TOKEN, OAUTH_CLIENT, SECRET, USER,
};
use crate::site::{Guest, GuestId, Guests};

struct World {
    guest: Guest,
    inside: Client,
    http: HttpClient<hyper_rustls::HttpsConnector<HttpConnector>, Full<Bytes>>,
    _servers: GuestServers,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new(providers: Vec<Provider>) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let servers = GuestServers::on_disk(folder.path().to_owned(), false, Some(3), Arc::new(Timestamp::now));
        let id = GuestId {
            namespace: "hcp".to_owned(),
            name: "guest".to_owned(),
        };
        let guest = servers.ensure(&id, "203.0.113.7").await.unwrap();
        let inside = Client::new(guest.client.clone(), "test");
        let url = guest.oauth.url();
        for (name, redirect, challenges, secret) in [
            ("openshift-challenging-client", "implicit", true, ""),
            ("openshift-browser-client", "display", false, "browser-secret"),
        ] {
            let client = json!({
                "metadata": { "name": name },
                "redirectURIs": [format!("{url}/oauth/token/{redirect}")],
                "respondWithChallenges": challenges,
                "secret": secret,
            });
            inside.create(OAUTH_CLIENT, &client).await.unwrap();
        }
        guest.oauth.configure(Settings {
            providers,
            token_life: 86_400,
        });
        let http = client(&guest.ca);
        Self {
            guest,
            inside,
            http,
            _servers: servers,
            _folder: folder,
        }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> (StatusCode, http::HeaderMap, String) {
        let response = self.http.request(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, String::from_utf8_lossy(&body).into_owned())
    }

    async fn get(&self, url: &str, headers: &[(&str, &str)]) -> (StatusCode, http::HeaderMap, String) {
        let mut request = Request::get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::default()).unwrap()).await
    }

    async fn post(
        &self,
        url: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> (StatusCode, http::HeaderMap, String) {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut request = Request::post(url).header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::new(body.into())).unwrap()).await
    }

    /// What the guest's API server tells a stranger of where to log in.
    async fn metadata(&self) -> Value {
        let url = format!("{}/.well-known/oauth-authorization-server", self.guest.url);
        let (status, _, body) = self.get(&url, &[]).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The steps of a login with a password, in the older form: the token comes in the redirect's fragment.
    async fn log_in(&self, user: &str, password: &str) -> Result<String, String> {
        let endpoint = self.metadata().await["authorization_endpoint"]
            .as_str()
            .unwrap()
            .to_owned();
        let url = format!("{endpoint}?client_id=openshift-challenging-client&response_type=token");
        let (status, headers, _) = self.get(&url, &[("X-CSRF-Token", "1")]).await;
        assert_eq!(status, 401);
        assert_eq!(headers[header::WWW_AUTHENTICATE], "Basic realm=\"openshift\"");
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        let (status, headers, body) = self
            .get(&url, &[("X-CSRF-Token", "1"), ("Authorization", &basic)])
            .await;
        if status != 302 {
            assert_eq!(status, 401);
            return Err(body);
        }
        let location = headers[header::LOCATION].to_str().unwrap();
        let (redirect, fragment) = location.split_once('#').unwrap();
        assert!(redirect.ends_with("/oauth/token/implicit"));
        let fragment = fields(fragment.as_bytes());
        assert_eq!(
            (fragment["token_type"].as_str(), fragment["scope"].as_str()),
            ("Bearer", "user:full")
        );
        Ok(fragment["access_token"].clone())
    }

    async fn api(&self, token: &str, path: &str) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.guest.url);
        let (status, _, body) = self.get(&url, &[("Authorization", &format!("Bearer {token}"))]).await;
        (status, serde_json::from_str(&body).unwrap_or_default())
    }
}

fn client(ca: &str) -> HttpClient<hyper_rustls::HttpsConnector<HttpConnector>, Full<Bytes>> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_http1()
        .build();
    HttpClient::builder(TokioExecutor::new()).build(connector)
}

fn htpasswd(mapping: &str) -> Provider {
    let hash = bcrypt::hash_with_salt("alice's password", 4, [3; 16]).unwrap();
    let file = format!(
        "alice:{}\nbob:{{SHA}}CEo1Ae3vaEXy8eQZjsOiuBz1xrw=\n",
        hash.format_for_version(bcrypt::Version::TwoY)
    );
    Provider {
        name: "local".to_owned(),
        mapping: mapping.to_owned(),
        kind: ProviderKind::Htpasswd(htpasswd::users(&file)),
    }
}

#[tokio::test]
async fn a_password_of_an_htpasswd_file_gives_a_token_that_the_api_server_takes() {
    let world = World::new(vec![htpasswd("claim")]).await;
    assert!(world.log_in("alice", "wrong").await.is_err());
    assert!(world.log_in("nobody", "alice's password").await.is_err());
    let token = world.log_in("alice", "alice's password").await.unwrap();
    assert!(token.starts_with("sha256~"));

    let (status, oneself) = world.api(&token, "/apis/user.openshift.io/v1/users/~").await;
    assert_eq!(
        (status, &oneself["metadata"]["name"]),
        (StatusCode::OK, &json!("alice"))
    );
    assert_eq!(oneself["identities"], json!(["local:alice"]));
    let identity = world.inside.get(IDENTITY, None, "local:alice").await.unwrap().unwrap();
    assert_eq!(identity["user"]["name"], "alice");
    let mapping = crate::kind::USER_IDENTITY_MAPPING;
    let mapping = world.inside.get(mapping, None, "local:alice").await.unwrap().unwrap();
    assert_eq!(
        (&mapping["user"]["name"], &mapping["identity"]["name"]),
        (&json!("alice"), &json!("local:alice"))
    );
    // The objects hold the token's hash, and not the token.
    let tokens = world.inside.list(OAUTH_ACCESS_TOKEN, None, "").await.unwrap();
    assert_eq!(
        (tokens.len(), &tokens[0]["userName"], &tokens[0]["expiresIn"]),
        (1, &json!("alice"), &json!(86_400))
    );
    assert!(!tokens[0].to_string().contains(&token["sha256~".len()..]));

    // Nobody gave her rights yet; then somebody does.
    assert_eq!(world.api(&token, "/api/v1/nodes").await.0, 403);
    let rules = json!([{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }]);
    let role = json!({ "metadata": { "name": "cluster-admin" }, "rules": rules });
    world.inside.create(CLUSTER_ROLE, &role).await.unwrap();
    let binding = json!({
        "metadata": { "name": "alice-admin" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice" }],
    });
    world.inside.create(CLUSTER_ROLE_BINDING, &binding).await.unwrap();
    assert_eq!(world.api(&token, "/api/v1/nodes").await.0, 200);

    // A second login is the same user; a deleted token is none.
    let again = world.log_in("alice", "alice's password").await.unwrap();
    assert_eq!(world.inside.list(USER, None, "").await.unwrap().len(), 1);
    let name = tokens[0]["metadata"]["name"].as_str().unwrap();
    world.inside.delete(OAUTH_ACCESS_TOKEN, None, name).await.unwrap();
    assert_eq!(world.api(&token, "/api/v1/nodes").await.0, 401);
    assert_eq!(world.api(&again, "/api/v1/nodes").await.0, 200);
    world.inside.delete(USER, None, "alice").await.unwrap();
    assert_eq!(world.api(&again, "/api/v1/nodes").await.0, 401);
}

#[tokio::test]
async fn a_code_is_exchanged_once_and_only_by_whoever_asked_for_it() {
    let world = World::new(vec![htpasswd("claim")]).await;
    let url = world.guest.oauth.url().to_owned();
    let verifier = "a verifier that is long enough to be one, and is kept by the client";
    let challenge = tokens::encoded(&<sha2::Sha256 as sha2::Digest>::digest(verifier));
    let implicit = format!("{url}/oauth/token/implicit");
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", "openshift-challenging-client")
        .append_pair("redirect_uri", &implicit)
        .append_pair("response_type", "code")
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", "mine")
        .finish();
    let basic = format!("Basic {}", BASE64_STANDARD.encode("bob:sesame"));
    let code = async || {
        let (status, headers, body) = world
            .get(&format!("{url}/oauth/authorize?{query}"), &[("Authorization", &basic)])
            .await;
        assert_eq!(status, 302, "{body}");
        let location = headers[header::LOCATION].to_str().unwrap().to_owned();
        let answer = fields(location.split_once('?').unwrap().1.as_bytes());
        assert_eq!(answer["state"], "mine");
        answer["code"].clone()
    };
    let exchange = async |code: &str, verifier: &str| {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", implicit.as_str()),
            ("code_verifier", verifier),
        ];
        let client = format!("Basic {}", BASE64_STANDARD.encode("openshift-challenging-client:"));
        let (status, _, body) = world
            .post(&format!("{url}/oauth/token"), &form, &[("Authorization", &client)])
            .await;
        (status.as_u16(), serde_json::from_str::<Value>(&body).unwrap())
    };
    let stolen = code().await;
    assert_eq!(exchange(&stolen, "another").await.1["error"], "invalid_grant");
    let kept = code().await;
    let (status, granted) = exchange(&kept, verifier).await;
    assert_eq!(
        (status, &granted["token_type"], &granted["expires_in"]),
        (200, &json!("Bearer"), &json!(86_400))
    );
    let token = granted["access_token"].as_str().unwrap();
    assert_eq!(
        world.api(token, "/apis/user.openshift.io/v1/users/~").await.1["metadata"]["name"],
        "bob"
    );
    assert_eq!(exchange(&kept, verifier).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn strangers_are_told_what_a_login_needs() {
    let world = World::new(vec![Provider {
        name: "corp".to_owned(),
        mapping: "claim".to_owned(),
        kind: ProviderKind::Other("LDAP".to_owned()),
    }])
    .await;
    let url = format!(
        "{}/oauth/authorize?client_id=openshift-challenging-client&response_type=token",
        world.guest.oauth.url()
    );
    let (status, headers, _) = world.get(&url, &[]).await;
    assert_eq!(status, 401);
    let warning = headers[header::WARNING].to_str().unwrap();
    assert!(
        warning.contains("A non-empty X-CSRF-Token header is required to receive basic-auth challenges"),
        "{warning}"
    );
    assert!(!headers.contains_key(header::WWW_AUTHENTICATE));
    let why = world.log_in("alice", "x").await.unwrap_err();
    assert!(
        why.contains("provider corp is of type LDAP, which this lab sets up but does not play"),
        "{why}"
    );
    let (status, _, body) = world
        .get(&url.replace("openshift-challenging-client", "nobody"), &[])
        .await;
    assert_eq!(
        (status.as_u16(), body.contains("unauthorized_client")),
        (400, true),
        "{body}"
    );
    let (status, _, body) = world
        .get(&format!("{url}&redirect_uri=https://elsewhere.test/"), &[])
        .await;
    assert_eq!((status.as_u16(), body.contains("redirect_uri")), (400, true), "{body}");
}

#[tokio::test]
async fn the_first_password_logs_in_until_its_secret_is_gone() {
    let world = World::new(Vec::new()).await;
    let hash = bcrypt::hash_with_salt("first password", 4, [5; 16])
        .unwrap()
        .format_for_version(bcrypt::Version::TwoA);
    let secret = json!({
        "metadata": { "name": "kubeadmin", "namespace": "kube-system" },
        "data": { "kubeadmin": BASE64_STANDARD.encode(hash) },
    });
    world.inside.create(SECRET, &secret).await.unwrap();
    assert!(world.log_in("kubeadmin", "another").await.is_err());
    let token = world.log_in("kubeadmin", "first password").await.unwrap();
    let (_, oneself) = world.api(&token, "/apis/user.openshift.io/v1/users/~").await;
    assert_eq!(oneself["metadata"]["name"], "kube:admin");
    assert!(
        oneself["groups"]
            .as_array()
            .unwrap()
            .contains(&json!("system:cluster-admins"))
    );
    world
        .inside
        .delete(SECRET, Some("kube-system"), "kubeadmin")
        .await
        .unwrap();
    assert_eq!(world.api(&token, "/apis/user.openshift.io/v1/users/~").await.0, 401);
}

#[tokio::test]
async fn mapping_decides_what_becomes_of_a_name_that_is_taken() {
    for (mapping, expected) in [
        ("claim", None),
        ("lookup", None),
        ("generate", Some("alice2")),
        ("add", Some("alice")),
    ] {
        let world = World::new(vec![htpasswd(mapping)]).await;
        let somebody = json!({ "metadata": { "name": "alice" }, "identities": ["other:alice"] });
        world.inside.create(USER, &somebody).await.unwrap();
        let token = world.log_in("alice", "alice's password").await.ok();
        let name = match &token {
            Some(token) => world.api(token, "/apis/user.openshift.io/v1/users/~").await.1["metadata"]["name"].clone(),
            None => Value::Null,
        };
        assert_eq!(name.as_str(), expected, "{mapping}");
    }
}

/// A small OpenID provider: one person, one code, one password.
async fn issuer() -> (String, String) {
    let authority = CertificateAuthority::new("issuer", Arc::new(Timestamp::now)).unwrap();
    let tls = Tls::new(&authority.issue_server(["127.0.0.1"]).unwrap(), None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let issuer = url.clone();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(tls.config());
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, issuer) = (acceptor.clone(), issuer.clone());
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.unwrap();
                let service = service_fn(move |request| {
                    let issuer = issuer.clone();
                    async move { Ok::<_, Infallible>(as_issuer(&issuer, request).await) }
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    (url, authority.certificate().to_owned())
}

async fn as_issuer(issuer: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let form: BTreeMap<String, String> = fields(&body.collect().await.unwrap().to_bytes());
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let (status, answer) = match head.uri.path() {
        "/.well-known/openid-configuration" => (
            200,
            json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/auth"),
                "token_endpoint": format!("{issuer}/token"),
                "userinfo_endpoint": format!("{issuer}/me"),
            }),
        ),
        "/me" => (200, json!({ "sub": "4711", "email": "carol@example.test" })),
        "/token" if (field("client_id"), field("client_secret")) != ("berth", "client secret") => {
            (401, json!({ "error": "invalid_client" }))
        }
        "/token" if field("code") == "right" || (field("username"), field("password")) == ("carol", "pa55") => {
            let claims = json!({ "iss": issuer, "sub": "4711", "preferred_username": "carol", "name": "Carol", "groups": ["devs"] });
            let token = format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
            (
                200,
                json!({ "access_token": "opaque", "token_type": "Bearer", "id_token": token }),
            )
        }
        "/token" => (400, json!({ "error": "invalid_grant" })),
        _ => (404, json!({})),
    };
    let mut response = Response::new(Full::new(Bytes::from(answer.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

async fn with_issuer() -> (World, String) {
    let (url, ca) = issuer().await;
    let openid =
        json!({ "issuer": url, "clientID": "berth", "claims": { "groups": ["groups"] }, "extraScopes": ["profile"] });
    let openid = OpenId::new(&openid, "client secret".to_owned(), Some(ca));
    let provider = Provider {
        name: "sso".to_owned(),
        mapping: "claim".to_owned(),
        kind: ProviderKind::OpenId(Box::new(openid)),
    };
    (World::new(vec![provider]).await, url)
}

#[tokio::test]
async fn an_openid_provider_that_takes_passwords_is_asked_for_them() {
    let (world, _) = with_issuer().await;
    assert!(world.log_in("carol", "wrong").await.is_err());
    let token = world.log_in("carol", "pa55").await.unwrap();
    let (_, oneself) = world.api(&token, "/apis/user.openshift.io/v1/users/~").await;
    assert_eq!(
        (&oneself["metadata"]["name"], &oneself["fullName"]),
        (&json!("carol"), &json!("Carol"))
    );
    let identity = world.inside.get(IDENTITY, None, "sso:4711").await.unwrap().unwrap();
    assert_eq!(identity["extra"]["email"], "carol@example.test");
    let group = world.inside.get(GROUP, None, "devs").await.unwrap().unwrap();
    assert_eq!(group["users"], json!(["carol"]));
}

#[tokio::test]
async fn a_browser_goes_to_an_openid_provider_and_comes_back_with_a_code() {
    let (world, issuer) = with_issuer().await;
    let oauth = world.guest.oauth.url().to_owned();
    let follow = async |url: &str| {
        let (status, headers, body) = world.get(url, &[]).await;
        assert_eq!(status, 302, "{url}: {body}");
        let to = headers[header::LOCATION].to_str().unwrap().to_owned();
        if to.starts_with('/') {
            format!("{oauth}{to}")
        } else {
            to
        }
    };
    let authorize = follow(&format!("{oauth}/oauth/token/request")).await;
    let form = follow(&authorize).await;
    let away = follow(&form).await;
    assert!(away.starts_with(&format!("{issuer}/auth?")), "{away}");
    let asked = fields(away.split_once('?').unwrap().1.as_bytes());
    assert_eq!(asked["scope"], "openid profile");
    let (back, state) = (&asked["redirect_uri"], &asked["state"]);
    let (status, ..) = world.get(&format!("{back}?code=right&state=forged"), &[]).await;
    assert_eq!(status, 401);
    let display = follow(&format!("{back}?code=right&state={state}")).await;
    assert!(
        display.starts_with(&format!("{oauth}/oauth/token/display?code=")),
        "{display}"
    );
    let code = &fields(display.split_once('?').unwrap().1.as_bytes())["code"];
    let (status, _, page) = world
        .post(&format!("{oauth}/oauth/token/display"), &[("code", code)], &[])
        .await;
    assert_eq!(status, 200);
    let token = page.split("<code>").nth(1).unwrap().split("</code>").next().unwrap();
    assert_eq!(
        world.api(token, "/apis/user.openshift.io/v1/users/~").await.1["metadata"]["name"],
        "carol"
    );
}

#[tokio::test]
async fn a_form_is_taken_only_from_the_page_that_it_was_shown_on() {
    let world = World::new(vec![htpasswd("claim")]).await;
    let oauth = world.guest.oauth.url().to_owned();
    let query = "client_id=openshift-browser-client&response_type=code";
    let (_, headers, _) = world.get(&format!("{oauth}/oauth/authorize?{query}"), &[]).await;
    let form = format!("{oauth}{}", headers[header::LOCATION].to_str().unwrap());
    let (status, headers, page) = world.get(&form, &[]).await;
    assert_eq!(status, 200);
    assert!(page.contains("Log in with local"), "{page}");
    let cookie = headers[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let csrf = cookie.strip_prefix("csrf=").unwrap();
    let mut filled = [
        ("then", query),
        ("username", "alice"),
        ("password", "alice's password"),
        ("csrf", csrf),
    ];
    let (status, ..) = world.post(&form, &filled, &[]).await;
    assert_eq!(status, 401);
    let (status, headers, body) = world.post(&form, &filled, &[("Cookie", &cookie)]).await;
    assert_eq!(status, 302, "{body}");
    assert!(
        headers[header::LOCATION]
            .to_str()
            .unwrap()
            .contains("/oauth/token/display?code=")
    );
    filled[2].1 = "wrong";
    let (status, _, page) = world.post(&form, &filled, &[("Cookie", &cookie)]).await;
    assert_eq!((status.as_u16(), page.contains("Login failed")), (401, true));
}
