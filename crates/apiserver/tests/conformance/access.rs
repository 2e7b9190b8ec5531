//! Section 8.10: who one is. What one may do is another matter, and so is admission by others than the server.

use berth_apiserver::Identity;
use serde_json::{Value, json};

use crate::{
    Suite, run, run_with,
    socket::{Credentials, Socket},
};

/// Who the server thinks that a client is.
async fn who(suite: &Suite) -> crate::Answer {
    suite
        .post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({}))
        .await
}

fn has_group(user: &Value, group: &str) -> bool {
    user["groups"].as_array().unwrap().contains(&group.into())
}

#[test]
fn c027_discovery_is_for_all_who_are_somebody() {
    run(async |suite| {
        let jane = suite.user("jane").await;
        jane.get("/apis").await.is(200);
        jane.get("/api").await.is(200);
        let nobody = Socket::of(&suite).await.client(&suite, Credentials::None).await;
        let refused = nobody.get("/apis").await;
        assert!(matches!(refused.code, 401 | 403), "{}", refused.body);
    });
}

#[test]
fn c187_credentials_are_asked_for() {
    run(async |suite| {
        let socket = Socket::of(&suite).await;
        let nobody = socket.client(&suite, Credentials::None).await;
        let refused = nobody.get(&suite.core("configmaps")).await;
        assert!(matches!(refused.code, 401 | 403), "{}", refused.body);
        assert_eq!(
            (&refused.body["kind"], &refused.body["status"]),
            (&json!("Status"), &json!("Failure"))
        );
        let mistaken = socket.client(&suite, Credentials::Token("bad")).await;
        for path in ["/apis", &suite.core("configmaps")] {
            let refused = mistaken.get(path).await.refused(401, "Unauthorized", "");
            assert_eq!(
                (&refused.body["message"], &refused.body["code"]),
                (&json!("Unauthorized"), &json!(401))
            );
        }
    });
}

#[test]
fn c188_a_certificate_says_who_one_is() {
    run(async |suite| {
        let socket = Socket::of(&suite).await;
        let jane = socket
            .client(&suite, Credentials::Certificate("jane", &["readers", "writers"]))
            .await;
        let review = who(&jane).await.is(201).body;
        assert_eq!(review["kind"], "SelfSubjectReview");
        let user = &review["status"]["userInfo"];
        assert_eq!(user["username"], "jane");
        for group in ["readers", "writers", "system:authenticated"] {
            assert!(has_group(user, group), "{user}");
        }
    });
}

#[test]
fn c190_a_token_is_looked_into() {
    let robot = |options: &mut berth_apiserver::Options| {
        options
            .tokens
            .insert("good".to_owned(), Identity::new("robot", ["robots"]));
    };
    run_with(robot, async |suite| {
        let review = async |token: &str| {
            let review = json!({"spec": {"token": token}});
            let answer = suite.post("/apis/authentication.k8s.io/v1/tokenreviews", review).await;
            answer.is(201).body["status"].clone()
        };
        let good = review("good").await;
        assert_eq!(good["authenticated"], true);
        assert_eq!(good["user"]["username"], "robot");
        assert!(has_group(&good["user"], "robots") && has_group(&good["user"], "system:authenticated"));
        let bad = review("bad").await;
        assert_ne!(bad["authenticated"], true);
        assert!(bad["error"].is_string(), "{bad}");
        let robot = Socket::of(&suite)
            .await
            .client(&suite, Credentials::Token("good"))
            .await;
        assert_eq!(
            who(&robot).await.is(201).body["status"]["userInfo"]["username"],
            "robot"
        );
    });
}
