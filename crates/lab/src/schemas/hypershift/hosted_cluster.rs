//! Fields of HostedCluster and HostedControlPlane: types, defaults and enumerations of those that matter on KubeVirt.

use serde_json::{Value, json};

use crate::schemas::crd::{list_map, list_of, one_of, open, open_with, string};

const IMAGE: &str = r"^(\w+\S+)$";
const UUID: &str = "[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{12}";
const PLATFORMS: [&str; 8] = [
    "AWS",
    "None",
    "IBMCloud",
    "Agent",
    "KubeVirt",
    "Azure",
    "PowerVS",
    "OpenStack",
];

/// An amount as Kubernetes writes it.
pub(super) fn quantity(default: &str) -> Value {
    json!({
        "x-kubernetes-int-or-string": true,
        "anyOf": [{ "type": "integer" }, { "type": "string" }],
        "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$",
        "default": default,
    })
}

/// A string with a default.
pub(super) fn defaulted(mut schema: Value, default: Value) -> Value {
    schema["default"] = default;
    schema
}

/// A release image.
pub(super) fn release() -> Value {
    open_with(&["image"], json!({ "image": { "type": "string", "pattern": IMAGE } }))
}

/// The name of another object, which may be left out.
pub(super) fn local_reference() -> Value {
    open(json!({ "name": { "type": "string", "default": "" } }))
}

/// The platform's name.
pub(super) fn platform_type() -> Value {
    one_of(&PLATFORMS)
}

/// Conditions of these kinds: all fields are there.
pub(super) fn conditions() -> Value {
    let reason = json!({ "type": "string", "minLength": 1, "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$" });
    let condition = open_with(
        &["type", "status", "reason", "message", "lastTransitionTime"],
        json!({
            "type": string(),
            "status": one_of(&["True", "False", "Unknown"]),
            "reason": reason,
            "message": string(),
            "lastTransitionTime": { "type": "string", "format": "date-time" },
            "observedGeneration": { "type": "integer", "format": "int64" },
        }),
    );
    list_map(&["type"], condition)
}

/// `spec` of a HostedCluster.
pub(super) fn spec() -> Value {
    let mut properties = shared();
    properties["release"] = release();
    properties["controlPlaneRelease"] = release();
    properties["clusterID"] = json!({ "type": "string", "pattern": UUID });
    properties["controllerAvailabilityPolicy"] = defaulted(string(), json!("HighlyAvailable"));
    open_with(
        &["networking", "platform", "pullSecret", "release", "services", "sshKey"],
        &properties,
    )
}

/// `spec` of a HostedControlPlane.
pub(super) fn control_plane_spec() -> Value {
    let mut properties = shared();
    properties["releaseImage"] = string();
    properties["clusterID"] = string();
    properties["controllerAvailabilityPolicy"] = defaulted(string(), json!("SingleReplica"));
    let required = [
        "dns",
        "etcd",
        "infraID",
        "issuerURL",
        "platform",
        "pullSecret",
        "releaseImage",
        "services",
        "sshKey",
    ];
    open_with(&required, &properties)
}

/// `status` of a HostedCluster.
pub(super) fn status() -> Value {
    let history = open_with(
        &["completionTime", "image", "startedTime", "state", "verified"],
        json!({
            "state": string(),
            "startedTime": { "type": "string", "format": "date-time", "nullable": true },
            "completionTime": { "type": "string", "format": "date-time", "nullable": true },
            "version": string(),
            "image": string(),
            "verified": { "type": "boolean" },
        }),
    );
    let version = open_with(
        &["availableUpdates", "desired", "observedGeneration"],
        json!({
            "desired": open(json!({ "image": string(), "version": string() })),
            "history": list_of(history),
            "observedGeneration": { "type": "integer", "format": "int64" },
            "availableUpdates": { "type": "array", "nullable": true, "items": open(json!({})) },
        }),
    );
    open(json!({
        "conditions": conditions(),
        "version": version,
        "kubeconfig": local_reference(),
        "kubeadminPassword": local_reference(),
        "ignitionEndpoint": string(),
        "oauthCallbackURLTemplate": string(),
        "payloadArch": one_of(&["Multi", "ARM64", "AMD64", "PPC64LE", "S390X"]),
        "controlPlaneEndpoint": open_with(
            &["host", "port"],
            json!({ "host": string(), "port": { "type": "integer", "format": "int32" } }),
        ),
    }))
}

fn shared() -> Value {
    json!({
        "dns": open_with(&["baseDomain"], json!({ "baseDomain": string(), "baseDomainPrefix": string() })),
        "etcd": etcd(),
        "fips": { "type": "boolean" },
        "infraID": string(),
        "infrastructureAvailabilityPolicy": defaulted(string(), json!("SingleReplica")),
        "issuerURL": { "type": "string", "format": "uri", "default": "https://kubernetes.default.svc" },
        "networking": networking(),
        "nodeSelector": { "type": "object", "additionalProperties": { "type": "string" } },
        "olmCatalogPlacement": defaulted(one_of(&["management", "guest"]), json!("management")),
        "pausedUntil": string(),
        "platform": open_with(&["type"], json!({ "type": platform_type(), "kubevirt": kubevirt() })),
        "pullSecret": local_reference(),
        "sshKey": local_reference(),
        "additionalTrustBundle": local_reference(),
        "secretEncryption": open_with(
            &["type"],
            json!({ "type": one_of(&["kms", "aescbc"]), "aescbc": open(json!({ "activeKey": local_reference() })) }),
        ),
        "services": services(),
        "imageContentSources": list_of(open_with(
            &["source"],
            json!({ "source": string(), "mirrors": list_of(string()) }),
        )),
        "tolerations": list_of(open(json!({}))),
        "autoscaling": open(json!({})),
        "configuration": open(json!({})),
        "channel": string(),
        "updateService": string(),
    })
}

fn etcd() -> Value {
    let volume = open(json!({ "size": quantity("8Gi"), "storageClassName": string() }));
    let storage = open_with(
        &["type"],
        json!({ "type": one_of(&["PersistentVolume"]), "persistentVolume": volume }),
    );
    let schema = open_with(
        &["managementType"],
        json!({
            "managementType": one_of(&["Managed", "Unmanaged"]),
            "managed": open_with(&["storage"], json!({ "storage": storage })),
            "unmanaged": open(json!({})),
        }),
    );
    let default = json!({
        "managementType": "Managed",
        "managed": { "storage": { "type": "PersistentVolume", "persistentVolume": { "size": "8Gi" } } },
    });
    defaulted(schema, default)
}

fn networking() -> Value {
    let network = list_of(open_with(&["cidr"], json!({ "cidr": string() })));
    let cluster = json!([{ "cidr": "10.132.0.0/14" }]);
    let service = json!([{ "cidr": "172.31.0.0/16" }]);
    let kind = defaulted(
        one_of(&["OpenShiftSDN", "Calico", "OVNKubernetes", "Other"]),
        json!("OVNKubernetes"),
    );
    let schema = open_with(
        &["clusterNetwork", "networkType"],
        json!({
            "clusterNetwork": defaulted(network.clone(), cluster.clone()),
            "serviceNetwork": defaulted(network.clone(), service.clone()),
            "machineNetwork": network,
            "networkType": kind,
        }),
    );
    defaulted(
        schema,
        json!({ "clusterNetwork": cluster, "serviceNetwork": service, "networkType": "OVNKubernetes" }),
    )
}

fn kubevirt() -> Value {
    let driver = open(json!({
        "type": defaulted(one_of(&["None", "Default", "Manual"]), json!("Default")),
        "manual": open(json!({})),
    }));
    open(json!({
        "baseDomainPassthrough": { "type": "boolean" },
        "generateID": { "type": "string", "maxLength": 11 },
        "credentials": open_with(&["infraNamespace"], json!({ "infraNamespace": string() })),
        "storageDriver": driver,
    }))
}

fn services() -> Value {
    let strategy = open_with(
        &["type"],
        json!({
            "type": one_of(&["LoadBalancer", "NodePort", "Route", "None", "S3"]),
            "nodePort": open_with(
                &["address"],
                json!({ "address": string(), "port": { "type": "integer", "format": "int32" } }),
            ),
            "route": open(json!({ "hostname": string() })),
            "loadBalancer": open(json!({ "hostname": string() })),
        }),
    );
    let names = one_of(&[
        "APIServer",
        "OAuthServer",
        "OIDC",
        "Konnectivity",
        "Ignition",
        "OVNSbDb",
    ]);
    list_of(open_with(
        &["service", "servicePublishingStrategy"],
        json!({ "service": names, "servicePublishingStrategy": strategy }),
    ))
}
