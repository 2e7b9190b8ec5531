use jiff::Timestamp;
use serde_json::{Value, json};

use super::{builtin, from_crd};

fn now() -> Timestamp {
    "2026-01-02T00:00:00Z".parse().expect("a constant")
}

/// An object's row as text, with its headers.
#[track_caller]
fn row(group: &str, kind: &str, object: &Value) -> String {
    let printer = builtin(group, kind).expect("the kind has columns");
    let cells = printer.cells(object, now());
    assert_eq!(cells.len(), printer.columns().len(), "{kind}");
    let shown = printer.columns().iter().zip(&cells).map(|(column, cell)| {
        format!(
            "{}={}",
            column.name,
            cell.as_str().map_or_else(|| cell.to_string(), str::to_owned)
        )
    });
    shown.collect::<Vec<_>>().join(" | ")
}

#[test]
fn every_built_in_row_fills_every_column() {
    for (group, kind, ..) in super::builtin::KINDS {
        row(group, kind, &json!({}));
        row(
            group,
            kind,
            &json!({"metadata": {"name": "x", "creationTimestamp": "2026-01-01T00:00:00Z"}}),
        );
    }
}

#[track_caller]
fn check_pod(spec: &Value, status: &Value, expected: [&str; 3]) {
    let object = json!({"metadata": {"name": "x"}, "spec": spec, "status": status});
    let cells = builtin("", "Pod").expect("pods have columns").cells(&object, now());
    assert_eq!(cells[1..4], expected.map(Value::from));
}

#[test]
fn a_pods_status_is_what_its_containers_add_up_to() {
    let one = || json!({"containers": [{"name": "a"}]});
    check_pod(&one(), &json!({"phase": "Pending"}), ["0/1", "Pending", "0"]);
    check_pod(
        &one(),
        &json!({"phase": "Running", "containerStatuses": [{"ready": true, "restartCount": 0, "state": {"running": {}}}]}),
        ["1/1", "Running", "0"],
    );
    check_pod(
        &one(),
        &json!({"phase": "Running", "containerStatuses": [{
            "ready": false, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"finishedAt": "2026-01-01T23:55:00Z"}},
        }]}),
        ["0/1", "CrashLoopBackOff", "3 (5m ago)"],
    );
    check_pod(
        &one(),
        &json!({"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]}),
        ["0/1", "Completed", "0"],
    );
    check_pod(
        &one(),
        &json!({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 2}}}]}),
        ["0/1", "ExitCode:2", "0"],
    );
    check_pod(
        &json!({"initContainers": [{"name": "i"}, {"name": "j"}], "containers": [{"name": "a"}]}),
        &json!({"phase": "Pending", "initContainerStatuses": [
            {"name": "i", "state": {"terminated": {"exitCode": 0}}}, {"name": "j", "state": {"running": {}}},
        ]}),
        ["0/1", "Init:1/2", "0"],
    );
    check_pod(
        &json!({"initContainers": [{"name": "i"}], "containers": [{"name": "a"}]}),
        &json!({"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"waiting": {"reason": "ErrImagePull"}}}]}),
        ["0/1", "Init:ErrImagePull", "0"],
    );
}

#[test]
fn a_sidecar_counts_among_the_containers() {
    check_pod(
        &json!({"initContainers": [{"name": "s", "restartPolicy": "Always"}], "containers": [{"name": "a"}]}),
        &json!({
            "phase": "Running",
            "initContainerStatuses": [{"name": "s", "started": true, "ready": true, "state": {"running": {}}}],
            "containerStatuses": [{"name": "a", "ready": true, "state": {"running": {}}}],
        }),
        ["2/2", "Running", "0"],
    );
}

#[test]
fn a_pod_on_its_way_out_is_terminating() {
    let pod = json!({
        "metadata": {"name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": [{}]},
        "status": {"phase": "Running"},
    });
    assert_eq!(
        builtin("", "Pod").expect("pods have columns").cells(&pod, now())[2],
        "Terminating"
    );
}

#[test]
fn nodes_services_and_events_read_as_kubectls() {
    let node = json!({
        "metadata": {"name": "n", "creationTimestamp": "2025-12-29T22:00:00Z",
            "labels": {"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/infra": ""}},
        "spec": {"unschedulable": true},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
            "nodeInfo": {"kubeletVersion": "v1.30.4", "osImage": "CoreOS"},
        },
    });
    insta::assert_snapshot!(row("", "Node", &node), @"Name=n | Status=Ready,SchedulingDisabled | Roles=infra,worker | Age=3d2h | Version=v1.30.4 | Internal-IP=10.0.0.1 | External-IP=<none> | OS-Image=CoreOS | Kernel-Version=<unknown> | Container-Runtime=<unknown>");
    let service = json!({
        "metadata": {"name": "s"},
        "spec": {"type": "LoadBalancer", "clusterIP": "172.30.0.1", "selector": {"a": "b"},
            "ports": [{"port": 6443, "nodePort": 30001, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "127.64.0.1"}]}},
    });
    insta::assert_snapshot!(row("", "Service", &service), @"Name=s | Type=LoadBalancer | Cluster-IP=172.30.0.1 | External-IP=127.64.0.1 | Port(s)=6443:30001/TCP,53/UDP | Age=<unknown> | Selector=a=b");
    let pending = json!({"metadata": {"name": "s"}, "spec": {"type": "LoadBalancer"}});
    assert!(row("", "Service", &pending).contains("External-IP=<pending> | Port(s)=<none>"));
    let event = json!({
        "metadata": {"name": "e"}, "type": "Warning", "reason": "Failed", "message": "it broke\n", "count": 4,
        "involvedObject": {"kind": "Pod", "name": "p"}, "source": {"component": "kubelet", "host": "n"},
        "firstTimestamp": "2026-01-01T20:00:00Z", "lastTimestamp": "2026-01-01T23:59:00Z",
    });
    insta::assert_snapshot!(row("", "Event", &event), @"Last Seen=60s | Type=Warning | Reason=Failed | Object=pod/p | Subobject= | Source=kubelet, n | Message=it broke | First Seen=4h | Count=4 | Name=e");
}

#[test]
fn workloads_and_volumes_read_as_kubectls() {
    let deployment = json!({
        "metadata": {"name": "d"},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}},
        "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 2},
    });
    insta::assert_snapshot!(row("apps", "Deployment", &deployment), @"Name=d | Ready=2/3 | Up-to-date=3 | Available=2 | Age=<unknown> | Containers=c | Images=i | Selector=a=b");
    let claim = json!({
        "metadata": {"name": "c"},
        "spec": {"volumeName": "pv", "storageClassName": "sc", "volumeMode": "Block"},
        "status": {"phase": "Bound", "capacity": {"storage": "8Gi"}, "accessModes": ["ReadWriteMany"]},
    });
    insta::assert_snapshot!(row("", "PersistentVolumeClaim", &claim), @"Name=c | Status=Bound | Volume=pv | Capacity=8Gi | Access Modes=RWX | StorageClass=sc | VolumeAttributesClass=<unset> | Age=<unknown> | VolumeMode=Block");
    let class = json!({"metadata": {"name": "sc", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "p"});
    insta::assert_snapshot!(row("storage.k8s.io", "StorageClass", &class), @"Name=sc (default) | Provisioner=p | ReclaimPolicy=Delete | VolumeBindingMode=Immediate | AllowVolumeExpansion=false | Age=<unknown>");
}

#[test]
fn custom_columns_are_filled_by_their_paths() {
    let printer = from_crd(&json!([
        {"name": "Available", "type": "string", "jsonPath": r#".status.conditions[?(@.type=="Available")].status"#},
        {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1},
        {"name": "Paused", "type": "boolean", "jsonPath": ".spec.paused"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Broken", "type": "string", "jsonPath": ".a["},
    ]));
    let names: Vec<&str> = printer.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["Name", "Available", "Replicas", "Paused", "Age", "Broken"]);
    assert_eq!(printer.columns()[0].format, "name");
    assert_eq!(printer.columns()[2].priority, 1);
    let object = json!({
        "metadata": {"name": "x", "creationTimestamp": "2026-01-01T23:55:00Z"},
        "spec": {"replicas": 3},
        "status": {"conditions": [{"type": "Available", "status": "True"}]},
    });
    assert_eq!(
        printer.cells(&object, now()),
        [
            json!("x"),
            json!("True"),
            json!(3),
            Value::Null,
            json!("5m"),
            Value::Null
        ],
    );
}

#[test]
fn without_columns_there_is_the_age() {
    for columns in [Value::Null, json!([])] {
        let printer = from_crd(&columns);
        assert_eq!(printer.columns().len(), 2);
        let object = json!({"metadata": {"name": "x", "creationTimestamp": "2026-01-01T00:00:00Z"}});
        assert_eq!(printer.cells(&object, now()), [json!("x"), json!("24h")]);
    }
}
