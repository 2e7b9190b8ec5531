use serde_json::json;

use super::*;
use crate::catalog;
use crate::generation::Generation;

fn subscription(name: &str, channel: &str, status: &Value) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "engine" },
        "spec": {
            "name": "multicluster-engine",
            "channel": channel,
            "source": "redhat-operators",
            "sourceNamespace": "openshift-marketplace",
        },
        "status": status,
    })
}

fn catalog(state: &str) -> Value {
    json!({
        "metadata": { "name": "redhat-operators", "namespace": "openshift-marketplace" },
        "status": { "connectionState": { "lastObservedState": state } },
    })
}

fn version(name: &str) -> Value {
    json!({ "metadata": { "name": name, "namespace": "engine" } })
}

/// Names of the versions that are wanted, or OLM's complaint.
fn check(subscriptions: &[Value], service_versions: &[Value], catalogs: &[Value]) -> Result<Vec<String>, String> {
    let packages = catalog::packages(Generation::V4_17);
    let wanted = resolve(&Input {
        subscriptions,
        service_versions,
        catalogs,
        packages: &packages,
    });
    wanted
        .map(|all| all.into_iter().map(|it| it.bundle.name).collect())
        .map_err(|Unsatisfiable(message)| message)
}

#[test]
fn a_new_subscription_gets_the_head_of_its_channel() {
    let wanted = check(
        &[subscription("mce", "stable-2.6", &json!({}))],
        &[],
        &[catalog("READY")],
    );
    assert_eq!(wanted, Ok(vec!["multicluster-engine.v2.6.7".to_owned()]));
}

#[test]
fn without_a_channel_the_default_one_is_meant() {
    let mut nameless = subscription("mce", "", &json!({}));
    nameless["spec"].as_object_mut().unwrap().remove("channel");
    assert_eq!(
        check(&[nameless], &[], &[catalog("READY")]),
        Ok(vec!["multicluster-engine.v2.7.4".to_owned()])
    );
}

#[test]
fn the_start_that_is_named_comes_before_the_head() {
    let mut pinned = subscription("mce", "stable-2.7", &json!({}));
    pinned["spec"]["startingCSV"] = "multicluster-engine.v2.7.1".into();
    assert_eq!(
        check(&[pinned.clone()], &[], &[catalog("READY")]),
        Ok(vec!["multicluster-engine.v2.7.1".to_owned()])
    );

    let installed = "multicluster-engine.v2.7.1";
    pinned["status"] = json!({ "installedCSV": installed, "currentCSV": installed });
    let wanted = check(&[pinned], &[version(installed)], &[catalog("READY")]);
    assert_eq!(wanted, Ok(vec!["multicluster-engine.v2.7.4".to_owned()]));
}

#[test]
fn what_is_newest_or_newer_than_the_channel_stays() {
    for channel in ["stable-2.7", "stable-2.6"] {
        let newest =
            json!({ "installedCSV": "multicluster-engine.v2.7.4", "currentCSV": "multicluster-engine.v2.7.4" });
        assert_eq!(
            check(&[subscription("mce", channel, &newest)], &[], &[catalog("READY")]),
            Ok(vec![]),
            "{channel}"
        );
    }
}

#[test]
fn a_channel_that_does_not_exist_is_named_in_the_complaint() {
    assert_eq!(
        check(&[subscription("mce", "stable-9.9", &json!({}))], &[], &[catalog("READY")]),
        Err("constraints not satisfiable: no operators found in channel stable-9.9 of package multicluster-engine in the \
             catalog referenced by subscription mce, subscription mce exists"
            .to_owned())
    );
}

#[test]
fn one_bad_subscription_holds_up_the_good_one() {
    let good = subscription("a-good", "stable-2.7", &json!({}));
    let mut bad = subscription("b-bad", "stable-2.7", &json!({}));
    bad["spec"]["name"] = "no-such-package".into();
    let complaint = check(&[good, bad], &[], &[catalog("READY")]).unwrap_err();
    assert!(
        complaint.contains("no operators found in package no-such-package"),
        "{complaint}"
    );
}

#[test]
fn a_catalog_that_does_not_answer_offers_nothing() {
    for catalogs in [vec![], vec![catalog("TRANSIENT_FAILURE")]] {
        let complaint = check(&[subscription("mce", "stable-2.7", &json!({}))], &[], &catalogs).unwrap_err();
        assert!(
            complaint.contains("from catalog redhat-operators in namespace openshift-marketplace"),
            "{complaint}"
        );
    }
}

#[test]
fn a_version_that_no_subscription_speaks_for_is_in_the_way() {
    let left_over = [version("multicluster-engine.v2.7.4")];
    let complaint = check(
        &[subscription("mce", "stable-2.7", &json!({}))],
        &left_over,
        &[catalog("READY")],
    )
    .unwrap_err();
    assert!(
        complaint.ends_with("multicluster-engine.v2.7.4 exists and is not referenced by a subscription"),
        "{complaint}"
    );
}
