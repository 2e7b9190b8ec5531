//! Simulated bare-metal machines: three for the control plane, and workers that can run virtual machines: three, or as
//! many as a fleet needs.

use serde_json::{Value, json};

use super::{Object, Setting};
use crate::actors::SIMULATED;
use crate::kind::NODE;

/// A kind of machine.
struct Machine {
    role: &'static str,
    cores: u32,
    memory_gib: u32,
    max_pods: u32,
    virtualization: bool,
}

const CONTROL_PLANE: Machine = Machine {
    role: "master",
    cores: 16,
    memory_gib: 64,
    max_pods: 250,
    virtualization: false,
};
const WORKER: Machine = Machine {
    role: "worker",
    cores: 64,
    memory_gib: 256,
    max_pods: 500,
    virtualization: true,
};

pub(super) fn objects(setting: &Setting<'_>) -> Vec<Object> {
    let of = |machine: &'static Machine, first: u32, count: u32| {
        (0..count).map(move |number| (machine, number, first + number))
    };
    of(&CONTROL_PLANE, 0, 3)
        .chain(of(&WORKER, 3, setting.workers.count()))
        .map(|(machine, number, index)| node(machine, number, index, setting))
        .collect()
}

fn node(machine: &Machine, number: u32, index: u32, setting: &Setting<'_>) -> Object {
    let versions = setting.generation.versions();
    let kubelet = format!("v{}", versions.kubernetes);
    let name = format!("{}-{number}", machine.role);
    let address = format!("192.168.111.{}", 20 + index);
    let subnet = format!("10.{}.{}.0/23", 128 + index / 128, index % 128 * 2);
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.openshift.io/os_id": "rhcos",
    });
    labels[format!("node-role.kubernetes.io/{}", machine.role)] = "".into();
    let mut spec = json!({ "podCIDR": subnet, "podCIDRs": [subnet] });
    if machine.role == "master" {
        labels["node-role.kubernetes.io/control-plane"] = "".into();
        spec["taints"] = json!([{ "key": "node-role.kubernetes.io/master", "effect": "NoSchedule" }]);
    } else {
        labels["cluster.ocs.openshift.io/openshift-storage"] = "".into();
    }
    if machine.virtualization {
        labels["kubevirt.io/schedulable"] = "true".into();
        labels["cpu-model.node.kubevirt.io/Cascadelake-Server"] = "true".into();
    }
    let annotations = json!({
        SIMULATED: "true",
        "k8s.ovn.org/node-subnets": format!("{{\"default\":[\"{subnet}\"]}}"),
        "machineconfiguration.openshift.io/state": "Done",
    });
    let metadata = json!({ "name": name, "labels": labels, "annotations": annotations });
    let status = json!({
        "addresses": [
            { "type": "InternalIP", "address": address },
            { "type": "Hostname", "address": name },
        ],
        "capacity": resources(machine, 0),
        "allocatable": resources(machine, 1),
        "conditions": conditions(setting.now),
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": versions.container_runtime,
            "kernelVersion": versions.kernel,
            "kubeProxyVersion": kubelet,
            "kubeletVersion": kubelet,
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": versions.os_image,
            "systemUUID": "",
        },
    });
    Object::with_status(NODE, json!({ "metadata": metadata, "spec": spec }), status)
}

/// Resources of a machine, less what the system keeps for itself (half a core, and memory in GiB).
fn resources(machine: &Machine, reserved_gib: u32) -> Value {
    let cpu = if reserved_gib == 0 {
        machine.cores.to_string()
    } else {
        format!("{}m", machine.cores * 1000 - 500)
    };
    let mut resources = json!({
        "cpu": cpu,
        "memory": format!("{}Ki", (machine.memory_gib - reserved_gib) * 1024 * 1024),
        "ephemeral-storage": "456Gi",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "pods": machine.max_pods.to_string(),
    });
    if machine.virtualization {
        for device in ["kvm", "tun", "vhost-net"] {
            resources[format!("devices.kubevirt.io/{device}")] = "1k".into();
        }
    }
    resources
}

fn conditions(now: &str) -> Value {
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        })
    };
    json!([
        condition(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available"
        ),
        condition(
            "DiskPressure",
            "False",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure"
        ),
        condition(
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available"
        ),
        condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ])
}
