use serde_json::{Value, json};

use super::{Spelling, Struct, built_in, decode, kind, missing};

fn defaulted(group: &'static str, kind: &'static str, mut object: Value) -> Value {
    built_in(group, "v1", kind).schema().default(&mut object);
    object
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
fn defaults_follow_from_other_fields() {
    let container = json!({"name": "c", "image": "i:1", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}}});
    let pod = defaulted("", "Pod", json!({"spec": {"containers": [container]}}));
    assert_eq!(
        pod["spec"]["containers"][0]["resources"]["requests"],
        json!({"cpu": "100m", "memory": "1Gi"})
    );
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}});
    let controller = defaulted(
        "",
        "ReplicationController",
        json!({"metadata": {}, "spec": {"template": template}}),
    );
    assert_eq!(
        (&controller["spec"]["selector"], &controller["metadata"]["labels"]),
        (&json!({"a": "b"}), &json!({"a": "b"}))
    );
    let range = defaulted(
        "",
        "LimitRange",
        json!({"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}}),
    );
    assert_eq!(
        range["spec"]["limits"][0],
        json!({"type": "Container", "max": {"cpu": "1"}, "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}})
    );
    let job = json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": {}}}}}});
    let job = &defaulted("batch", "CronJob", job)["spec"]["jobTemplate"]["spec"];
    assert_eq!(job.get("backoffLimit"), None, "a job gets its defaults when it is made");
}

fn pod() -> &'static Struct {
    kind("", "v1", "Pod").expect("it is in the table")
}

fn crd() -> &'static Struct {
    kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition").expect("it is in the table")
}

#[track_caller]
fn read(structure: &'static Struct, mut object: Value) -> (Value, Vec<String>) {
    let unknown = decode(structure, &mut object, Spelling::Canonical).expect("its types are right");
    (object, unknown)
}

#[test]
fn unknown_fields_go_and_are_named() {
    let object = json!({
        "kind": "Pod",
        "foo": 1,
        "metadata": {"name": "x", "bar": null, "labels": {"any": "key"}},
        "spec": {"containers": [{"name": "a"}, {"name": "b", "env": [{"name": "c", "vale": "d"}]}], "volumes": [{"name": "v", "emptyDir": {"x": 1}}]},
    });
    let (object, unknown) = read(pod(), object);
    assert_eq!(
        unknown,
        [
            "foo",
            "metadata.bar",
            "spec.containers[1].env[0].vale",
            "spec.volumes[0].emptyDir.x"
        ]
    );
    assert_eq!(object["spec"]["volumes"], json!([{"name": "v", "emptyDir": {}}]));
}

#[test]
fn nulls_go_but_those_that_are_json() {
    let schema = json!({"schema": {"openAPIV3Schema": {"default": null, "enum": [null], "items": null, "properties": {"a": {"foo": 1}}}}});
    let (object, unknown) = read(crd(), json!({"spec": {"group": null, "versions": [schema]}}));
    let schema = json!({"default": null, "enum": [null], "properties": {"a": {}}});
    assert_eq!(
        object,
        json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}})
    );
    assert_eq!(unknown, ["spec.versions[0].schema.openAPIV3Schema.properties.a.foo"]);
}

#[test]
fn what_has_several_spellings_gets_one() {
    let object = json!({
        "metadata": {"labels": {}, "finalizers": [], "managedFields": []},
        "spec": {"containers": [{"name": "a", "image": "", "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}}}], "hostNetwork": false},
        "status": {"startTime": "2026-01-01T02:00:00.5+02:00"},
    });
    let mut written = object.clone();
    assert_eq!(decode(pod(), &mut written, Spelling::AsWritten), Ok(Vec::new()));
    assert_eq!(written, object);
    let (object, _) = read(pod(), object);
    assert_eq!(
        object,
        json!({
            "metadata": {"managedFields": []},
            "spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}}]},
            "status": {"startTime": "2026-01-01T00:00:00Z"},
        })
    );
}

#[test]
fn wrong_types_are_named_as_go_names_them() {
    #[track_caller]
    fn check(structure: &'static Struct, mut object: Value, error: &str) {
        assert_eq!(
            decode(structure, &mut object, Spelling::Canonical),
            Err(error.to_owned())
        );
    }
    let deployment = kind("apps", "v1", "Deployment").expect("it is in the table");
    check(
        deployment,
        json!({"spec": {"replicas": "1"}}),
        "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
    );
    check(
        deployment,
        json!({"spec": {"replicas": 3_000_000_000_u64}}),
        "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32",
    );
    check(
        deployment,
        json!({"spec": {"template": {"spec": {"containers": [{"env": [{"name": "a", "value": 1}]}]}}}}),
        "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string",
    );
    check(
        pod(),
        json!({"spec": {"containers": {}}}),
        "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
    );
    check(
        pod(),
        json!({"spec": {"restartPolicy": true}}),
        "json: cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy",
    );
    check(
        pod(),
        json!({"metadata": {"labels": {"a": 1}}}),
        "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
    );
    let limits = |limits: Value| json!({"spec": {"containers": [{"resources": {"limits": limits}}]}});
    check(
        pod(),
        limits(json!({"cpu": "lots"})),
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
    check(
        pod(),
        limits(json!("1")),
        "json: cannot unmarshal string into Go struct field ResourceRequirements.spec.containers.resources.limits of type \
         v1.ResourceList",
    );
    let secret = kind("", "v1", "Secret").expect("it is in the table");
    check(
        secret,
        json!({"data": {"a": "%"}}),
        "illegal base64 data at input byte 0",
    );
}

#[test]
fn what_must_be_there_is_missed() {
    #[track_caller]
    fn check(structure: &'static Struct, object: &Value, errors: &[&str]) {
        let found = missing(structure, object, None);
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), errors);
    }
    let deployment = kind("apps", "v1", "Deployment").expect("it is in the table");
    check(
        deployment,
        &json!({}),
        &["spec.template.spec.containers: Required value"],
    );
    let container = json!({"name": "", "image": "i", "ports": [{"protocol": "ICMP"}], "imagePullPolicy": "Sometimes"});
    check(
        pod(),
        &json!({"spec": {"containers": [container]}, "status": {"phase": "Odd"}}),
        &[
            "spec.containers[0].name: Required value",
            r#"spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP""#,
            r#"spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never""#,
        ],
    );
    let old = json!({"spec": {"containers": [container]}});
    let mut new = old.clone();
    new["spec"]["nodeName"] = json!("n");
    assert_eq!(missing(pod(), &new, Some(&old)), [], "what was so before may stay so");
}

#[test]
fn a_kind_that_the_table_lacks_keeps_everything() {
    let thing = built_in("example.org", "v1", "Thing");
    let mut object = json!({"metadata": {"name": "x"}, "whatever": {"list": [1, {"a": null}]}});
    let before = object.clone();
    assert_eq!(thing.schema().prune(&mut object), [""; 0]);
    assert_eq!(object, before);
}
