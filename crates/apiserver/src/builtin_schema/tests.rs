use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    schema,
    types::{Field, KINDS, TYPES},
};

fn defaulted(group: &str, kind: &str, mut object: Value) -> Value {
    schema(group, "v1", kind).default(&mut object);
    object
}

#[test]
fn the_table_holds_together() {
    let listed: BTreeSet<&str> = TYPES.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed.len(), TYPES.len(), "a type is listed twice");
    let fields = TYPES.iter().flat_map(|(_, fields)| fields.iter());
    let below = fields.filter_map(|(_, field)| match *field {
        Field::Struct(name) | Field::List(name) | Field::Keyed(_, name) | Field::Patched(_, name) => Some(name),
        _ => None,
    });
    let roots = KINDS.iter().map(|(_, _, root)| *root);
    let referred: BTreeSet<&str> = below.chain(roots).filter(|name| !name.is_empty()).collect();
    assert_eq!(
        referred, listed,
        "types that are referred to, and types that are listed"
    );
    for (group, kind, _) in KINDS {
        assert!(
            schema(group, "v1", kind).root().properties.contains("metadata"),
            "{kind}"
        );
    }
}

#[test]
fn a_minimal_deployment_gets_its_defaults() {
    let deployment = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "a", "image": "example.org:5000/a:1", "ports": [{"containerPort": 80}], "livenessProbe": {"httpGet": {"port": 80}}},
    ]}}}});
    let spec = &defaulted("apps", "Deployment", deployment)["spec"];
    insta::assert_json_snapshot!(spec, @r#"
    {
      "progressDeadlineSeconds": 600,
      "replicas": 1,
      "revisionHistoryLimit": 10,
      "strategy": {
        "rollingUpdate": {
          "maxSurge": "25%",
          "maxUnavailable": "25%"
        },
        "type": "RollingUpdate"
      },
      "template": {
        "spec": {
          "containers": [
            {
              "image": "example.org:5000/a:1",
              "imagePullPolicy": "IfNotPresent",
              "livenessProbe": {
                "failureThreshold": 3,
                "httpGet": {
                  "path": "/",
                  "port": 80,
                  "scheme": "HTTP"
                },
                "periodSeconds": 10,
                "successThreshold": 1,
                "timeoutSeconds": 1
              },
              "name": "a",
              "ports": [
                {
                  "containerPort": 80,
                  "protocol": "TCP"
                }
              ],
              "resources": {},
              "terminationMessagePath": "/dev/termination-log",
              "terminationMessagePolicy": "File"
            }
          ],
          "dnsPolicy": "ClusterFirst",
          "restartPolicy": "Always",
          "schedulerName": "default-scheduler",
          "securityContext": {},
          "terminationGracePeriodSeconds": 30
        }
      }
    }
    "#);
}

#[test]
fn a_recreated_deployment_rolls_nothing() {
    let deployment = json!({"spec": {"strategy": {"type": "Recreate"}}});
    assert_eq!(
        defaulted("apps", "Deployment", deployment)["spec"]["strategy"],
        json!({"type": "Recreate"})
    );
}

#[test]
fn a_service_gets_its_defaults() {
    let service = json!({"spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}});
    assert_eq!(
        defaulted("", "Service", service)["spec"],
        json!({
            "type": "LoadBalancer",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
            "sessionAffinity": "None",
            "internalTrafficPolicy": "Cluster",
            "externalTrafficPolicy": "Cluster",
            "allocateLoadBalancerNodePorts": true,
        }),
    );
}

#[test]
fn pull_policies_follow_the_tag() {
    #[track_caller]
    fn check(image: &str, policy: &str) {
        let pod = json!({"spec": {"containers": [{"name": "a", "image": image}]}});
        assert_eq!(
            defaulted("", "Pod", pod)["spec"]["containers"][0]["imagePullPolicy"],
            policy,
            "{image}"
        );
    }
    check("a", "Always");
    check("example.org:5000/a", "Always");
    check("a:latest", "Always");
    check("a:1.2", "IfNotPresent");
    check("a@sha256:00", "IfNotPresent");
}

#[test]
fn jobs_run_once_unless_they_say_otherwise() {
    assert_eq!(defaulted("batch", "Job", json!({"spec": {}}))["spec"]["completions"], 1);
    assert_eq!(
        defaulted("batch", "Job", json!({"spec": {"parallelism": 3}}))["spec"]["completions"],
        Value::Null
    );
}

#[test]
fn nulls_of_built_in_kinds_vanish_but_in_raw_json() {
    let object = json!({"spec": {"a": null, "versions": [{"schema": {"openAPIV3Schema": {"default": null}}}]}});
    assert_eq!(
        defaulted("apiextensions.k8s.io", "CustomResourceDefinition", object)["spec"],
        json!({"versions": [{"schema": {"openAPIV3Schema": {"default": null}}}]}),
    );
}

#[test]
fn unlisted_fields_and_kinds_are_kept() {
    let mut object = json!({"metadata": {"name": "x"}, "whatever": {"list": [1, {"a": 2}]}});
    let before = object.clone();
    assert_eq!(
        schema("example.org", "v1", "Thing").prune(&mut object),
        Vec::<String>::new()
    );
    assert_eq!(object, before);
}
