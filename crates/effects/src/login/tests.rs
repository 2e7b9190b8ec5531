use std::sync::Arc;

use http::Response;
use serde_json::json;

use super::*;
use crate::guest::{Asked, Guest};

const QUICK: Patience = Patience {
    unreached: Duration::ZERO,
    refused: Duration::ZERO,
    pause: Duration::from_millis(1),
};

/// What differs between guests.
#[derive(Clone, Copy)]
struct World {
    metadata: bool,
    challenges: bool,
    provider: &'static str,
    is_admin: bool,
}

const USUAL: World = World {
    metadata: true,
    challenges: true,
    provider: "staff",
    is_admin: true,
};

fn status(code: u16) -> Response<String> {
    Response::builder()
        .status(code)
        .body(String::new())
        .expect("a response")
}

fn body(value: &serde_json::Value) -> Response<String> {
    Response::new(value.to_string())
}

/// A guest's API server and OAuth server in one, as OpenShift's answer.
fn answer(world: World, asked: &Asked) -> Response<String> {
    let header = |name: &str| asked.request.headers().get(name).and_then(|value| value.to_str().ok());
    let is_known = header("authorization") == Some("Bearer sha256~random");
    match asked.request.uri().path() {
        "/.well-known/oauth-authorization-server" if world.metadata => {
            body(&json!({ "authorization_endpoint": format!("{}/oauth/authorize", asked.url) }))
        }
        "/oauth/authorize" => {
            assert!(header("x-csrf-token").is_some_and(|value| !value.is_empty()));
            let query = asked.request.uri().query().unwrap_or_default();
            assert!(query.contains("client_id=openshift-challenging-client") && query.contains("response_type=token"));
            match header("authorization") {
                None if world.challenges => Response::builder()
                    .status(401)
                    .header("www-authenticate", "Basic realm=\"openshift\"")
                    .body(String::new())
                    .expect("a response"),
                Some(given) if given == format!("Basic {}", STANDARD.encode("ada:hunter2")) => {
                    let location = format!(
                        "{}/oauth/token/implicit#access_token=sha256%7Erandom&expires_in=86400",
                        asked.url
                    );
                    Response::builder()
                        .status(302)
                        .header("location", location)
                        .body(String::new())
                        .expect("a response")
                }
                Some(_) | None => status(401),
            }
        }
        "/apis/user.openshift.io/v1/users/~" if is_known => {
            body(&json!({ "metadata": { "name": "ada" }, "identities": [format!("{}:ada", world.provider)] }))
        }
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" if is_known => {
            body(&json!({ "status": { "allowed": world.is_admin } }))
        }
        path if path.starts_with("/apis/oauth.openshift.io/v1/useroauthaccesstokens/") && is_known => status(200),
        _ => status(404),
    }
}

async fn tried(world: World, password: &str) -> (Login, Vec<String>) {
    let guest = Guest::start(Arc::new(move |asked: &Asked| answer(world, asked))).await;
    let password = Secret::new(password);
    let attempt = Attempt {
        server: &guest.server,
        provider: "staff",
        user: "ada",
        password: &password,
        is_admin: true,
    };
    let ended = login(attempt, QUICK).await;
    assert!(!format!("{ended:?}").contains("hunter") && !format!("{ended:?}").contains("random"));
    (ended, guest.asked())
}

#[track_caller]
fn refused(ended: &Login, expected: &str) {
    assert_eq!(
        *ended,
        Login::Refused {
            why: expected.to_owned()
        }
    );
}

#[tokio::test]
async fn a_password_brings_a_token_that_the_api_server_knows_and_that_is_deleted() {
    let (ended, asked) = tried(USUAL, "hunter2").await;
    assert_eq!(ended, Login::Granted { user: "ada".to_owned() });
    let name = URL_SAFE_NO_PAD.encode(Sha256::digest("random"));
    assert_eq!(
        asked,
        [
            "GET /.well-known/oauth-authorization-server",
            "GET /oauth/authorize",
            "GET /oauth/authorize",
            "GET /apis/user.openshift.io/v1/users/~",
            "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            &format!("DELETE /apis/oauth.openshift.io/v1/useroauthaccesstokens/sha256~{name}"),
        ]
    );
}

#[tokio::test]
async fn each_no_has_its_words() {
    refused(&tried(USUAL, "hunter3").await.0, "the password was not taken");
    let world = World {
        challenges: false,
        ..USUAL
    };
    refused(
        &tried(world, "hunter2").await.0,
        "the OAuth server asks for no password (401 Unauthorized)",
    );
    let world = World {
        provider: "other",
        ..USUAL
    };
    refused(
        &tried(world, "hunter2").await.0,
        "`ada` was let in by another provider than staff",
    );
    let world = World {
        is_admin: false,
        ..USUAL
    };
    refused(
        &tried(world, "hunter2").await.0,
        "`ada` logs in, and is no cluster admin",
    );
}

#[tokio::test]
async fn what_can_not_be_reached_is_no_refusal() {
    let world = World {
        metadata: false,
        ..USUAL
    };
    let (ended, _) = tried(world, "hunter2").await;
    assert!(
        matches!(&ended, Login::NotReached { why } if why.contains("names no OAuth server")),
        "{ended:?}"
    );

    let guest = Guest::start(Arc::new(|_: &Asked| status(404))).await;
    let server = GuestServer {
        url: "https://localhost:1".to_owned(),
        ca: guest.server.ca.clone(),
    };
    let attempt = Attempt {
        server: &server,
        provider: "staff",
        user: "ada",
        password: &Secret::new("hunter2"),
        is_admin: false,
    };
    let ended = login(attempt, QUICK).await;
    assert!(
        matches!(&ended, Login::NotReached { why } if why.contains("localhost:1")),
        "{ended:?}"
    );
}

#[test]
fn parameters_are_found_behind_their_mark() {
    let location = "https://x/y?error=access_denied&error_description=no+way#access_token=a%7Eb";
    assert_eq!(parameter(location, '#', "access_token").as_deref(), Some("a~b"));
    assert_eq!(parameter(location, '?', "error_description").as_deref(), Some("no way"));
    assert_eq!(parameter(location, '?', "access_token"), None);
    assert_eq!(decoded("%zz%4"), "%zz%4");
}
