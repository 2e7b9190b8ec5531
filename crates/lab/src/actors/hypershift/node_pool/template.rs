//! The machine template: from a NodePool's KubeVirt settings to the VirtualMachine that each of its machines becomes.
//! Pure, for its text is hashed into its name, and a new name is a new rollout.

use serde_json::{Value, json};

use super::super::names::hash8;
use super::super::release::Release;

/// Name of the root disk, and the suffix of its DataVolume.
const ROOT_DISK: &str = "rhcos";

/// The spec of a pool's KubevirtMachineTemplate.
pub(super) fn spec(pool: &Value, hosted_cluster: &Value, release: &Release) -> Value {
    let labels = json!({
        "hypershift.openshift.io/infra-id": hosted_cluster["spec"]["infraID"],
        "hypershift.openshift.io/nodepool-name": pool["metadata"]["name"],
    });
    let mut pod_metadata = json!({ "labels": labels });
    let kubevirt = &pool["spec"]["platform"]["kubevirt"];
    if attaches_default(kubevirt) {
        pod_metadata["annotations"] = json!({ "kubevirt.io/allow-pod-bridge-network-live-migration": "" });
    }
    json!({
        "template": {
            "spec": {
                "virtualMachineBootstrapCheck": { "checkStrategy": "none" },
                "virtualMachineTemplate": {
                    "metadata": { "labels": labels },
                    "spec": {
                        "runStrategy": "Always",
                        "dataVolumeTemplates": [root_disk(kubevirt, release)],
                        "template": { "metadata": pod_metadata, "spec": instance(pool, hosted_cluster) },
                    },
                },
            },
        },
    })
}

/// `<pool>-<hash>`.
pub(super) fn name(pool: &str, spec: &Value) -> String {
    format!("{pool}-{}", hash8(&spec.to_string()))
}

fn attaches_default(kubevirt: &Value) -> bool {
    kubevirt["attachDefaultNetwork"].as_bool().unwrap_or(true)
}

fn root_disk(kubevirt: &Value, release: &Release) -> Value {
    let persistent = &kubevirt["rootVolume"]["persistent"];
    let mut storage = json!({
        "resources": { "requests": { "storage": persistent["size"].as_str().unwrap_or("32Gi") } },
    });
    for (field, target) in [
        ("accessModes", "accessModes"),
        ("volumeMode", "volumeMode"),
        ("storageClass", "storageClassName"),
    ] {
        if !persistent[field].is_null() {
            storage[target] = persistent[field].clone();
        }
    }
    let image = kubevirt["rootVolume"]["diskImage"]["containerDiskImage"].as_str();
    let image = image.map_or_else(|| release.disk_image(), str::to_owned);
    json!({
        "metadata": {
            "name": ROOT_DISK,
            "labels": { "hypershift.openshift.io/is-kubevirt-rhcos": "true" },
        },
        "spec": {
            "source": { "registry": { "url": format!("docker://{image}"), "pullMethod": "node" } },
            "storage": storage,
        },
    })
}

fn instance(pool: &Value, hosted_cluster: &Value) -> Value {
    let kubevirt = &pool["spec"]["platform"]["kubevirt"];
    let mut spec = json!({
        "domain": domain(kubevirt),
        "evictionStrategy": "External",
        "networks": networks(kubevirt),
        "terminationGracePeriodSeconds": 180,
        "topologySpreadConstraints": [{
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {
                "matchLabels": { "hypershift.openshift.io/infra-id": hosted_cluster["spec"]["infraID"] },
            },
        }],
        "volumes": [{ "name": ROOT_DISK, "dataVolume": { "name": ROOT_DISK } }],
    });
    if !kubevirt["nodeSelector"].is_null() {
        spec["nodeSelector"] = kubevirt["nodeSelector"].clone();
    }
    spec
}

fn domain(kubevirt: &Value) -> Value {
    let compute = &kubevirt["compute"];
    let cores = compute["cores"].as_u64().unwrap_or(2);
    let memory = compute["memory"].as_str().unwrap_or("8Gi");
    let mut devices = json!({
        "disks": [{ "name": ROOT_DISK, "disk": { "bus": "virtio" } }],
        "interfaces": interfaces(kubevirt),
    });
    if kubevirt["networkInterfaceMultiqueue"] == "Enable" {
        devices["networkInterfaceMultiqueue"] = true.into();
    }
    let host_devices = host_devices(kubevirt);
    if !host_devices.is_empty() {
        devices["hostDevices"] = host_devices.into();
    }
    if compute["qosClass"] == "Guaranteed" {
        let amounts = json!({ "cpu": cores.to_string(), "memory": memory });
        return json!({ "devices": devices, "resources": { "requests": amounts, "limits": amounts } });
    }
    json!({ "cpu": { "cores": cores }, "memory": { "guest": memory }, "devices": devices })
}

fn interfaces(kubevirt: &Value) -> Vec<Value> {
    let default = attaches_default(kubevirt).then(|| json!({ "name": "default", "bridge": {} }));
    let others = additional(kubevirt).map(|(name, _)| json!({ "name": name, "bridge": {} }));
    default.into_iter().chain(others).collect()
}

fn networks(kubevirt: &Value) -> Vec<Value> {
    let default = attaches_default(kubevirt).then(|| json!({ "name": "default", "pod": {} }));
    let others =
        additional(kubevirt).map(|(name, network)| json!({ "name": name, "multus": { "networkName": network } }));
    default.into_iter().chain(others).collect()
}

/// Name of the interface and of the network, for each additional network.
fn additional(kubevirt: &Value) -> impl Iterator<Item = (String, &str)> {
    let networks = kubevirt["additionalNetworks"].as_array().into_iter().flatten();
    networks.enumerate().filter_map(|(index, network)| {
        let name = network["name"].as_str()?;
        Some((format!("iface{}_{}", index + 1, name.replace('/', "-")), name))
    })
}

fn host_devices(kubevirt: &Value) -> Vec<Value> {
    let asked = kubevirt["hostDevices"].as_array().into_iter().flatten();
    let each = asked.flat_map(|device| {
        let count = usize::try_from(device["count"].as_u64().unwrap_or(1)).unwrap_or(1);
        std::iter::repeat_n(&device["deviceName"], count)
    });
    each.enumerate()
        .map(|(index, device)| json!({ "name": format!("hostdevice-{}", index + 1), "deviceName": device }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec_of(kubevirt: &Value) -> Value {
        let release = Release::of_image("quay.io/o/r:4.17.0-multi", crate::generation::Generation::V4_17).unwrap();
        let pool = json!({ "metadata": { "name": "workers" }, "spec": { "platform": { "kubevirt": kubevirt } } });
        spec(&pool, &json!({ "spec": { "infraID": "guest-abcde" } }), &release)
    }

    #[test]
    fn any_setting_of_the_platform_gives_another_name() {
        let one = spec_of(&json!({ "compute": { "cores": 4 } }));
        let other = spec_of(&json!({ "compute": { "cores": 8 } }));
        assert_eq!(name("workers", &one), name("workers", &one.clone()));
        assert_ne!(name("workers", &one), name("workers", &other));
    }

    #[test]
    fn guaranteed_machines_ask_for_what_they_are_limited_to() {
        let spec = spec_of(&json!({ "compute": { "cores": 4, "memory": "16Gi", "qosClass": "Guaranteed" } }));
        let machine = &spec["template"]["spec"]["virtualMachineTemplate"]["spec"];
        let domain = &machine["template"]["spec"]["domain"];
        assert_eq!(domain["resources"]["requests"], json!({ "cpu": "4", "memory": "16Gi" }));
        assert_eq!(domain["resources"]["requests"], domain["resources"]["limits"]);
        assert!(domain["memory"].is_null());
    }

    #[test]
    fn additional_networks_and_devices_get_their_generated_names() {
        let spec = spec_of(&json!({
            "attachDefaultNetwork": false,
            "additionalNetworks": [{ "name": "ns/one" }, { "name": "ns/two" }],
            "hostDevices": [{ "deviceName": "vendor/gpu", "count": 2 }],
        }));
        let machine = &spec["template"]["spec"]["virtualMachineTemplate"]["spec"]["template"]["spec"];
        assert_eq!(
            machine["networks"][1],
            json!({ "name": "iface2_ns-two", "multus": { "networkName": "ns/two" } })
        );
        assert_eq!(machine["networks"].as_array().unwrap().len(), 2);
        assert_eq!(machine["domain"]["devices"]["hostDevices"][1]["name"], "hostdevice-2");
    }
}
