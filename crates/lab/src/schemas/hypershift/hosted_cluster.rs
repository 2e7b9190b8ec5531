//! Fields of HostedCluster and HostedControlPlane: types, defaults and enumerations of those that matter on KubeVirt.

use serde_json::{Value, json};

use crate::generation::Generation;
use crate::schemas::crd::{immutable, list_map, list_of, one_of, open, open_with, rule, string};

const IMAGE: &str = r"^(\w+\S+)$";
const UUID: &str = "[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{4}-[a-fA-F0-9]{12}";
const PLATFORMS: [&str; 7] = ["AWS", "None", "IBMCloud", "Agent", "KubeVirt", "Azure", "PowerVS"];
const AVAILABILITY: [&str; 2] = ["HighlyAvailable", "SingleReplica"];
const CAPABILITIES: [&str; 7] = [
    "ImageRegistry",
    "openshift-samples",
    "Insights",
    "baremetal",
    "Console",
    "NodeTuning",
    "Ingress",
];
/// No two of the lists may hold the same network; that they overlap is for the operator to find.
const DISTINCT_NETWORKS: &str = "self.clusterNetwork.all(c, self.serviceNetwork.all(s, c.cidr != s.cidr)) && \
     (!has(self.machineNetwork) || self.machineNetwork.all(m, self.clusterNetwork.all(c, m.cidr != c.cidr) && \
     self.serviceNetwork.all(s, m.cidr != s.cidr)))";

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
pub(super) fn release(generation: Generation) -> Value {
    let mut image = json!({ "type": "string", "pattern": IMAGE });
    if generation.is_current() {
        image["minLength"] = 1.into();
        image["maxLength"] = 253.into();
    }
    open_with(&["image"], json!({ "image": image }))
}

/// The name of another object, which may be left out.
pub(super) fn local_reference() -> Value {
    open(json!({ "name": { "type": "string", "default": "" } }))
}

/// The platform's name. Newer servers have `OpenStack` behind a feature gate.
pub(super) fn platform_type(generation: Generation) -> Value {
    if generation.is_current() {
        return one_of(&PLATFORMS);
    }
    let names: Vec<&str> = PLATFORMS.into_iter().chain(["OpenStack"]).collect();
    one_of(&names)
}

/// How many replicas there are: any text, until it became one of two.
fn availability(generation: Generation, default: &str) -> Value {
    let schema = if generation.is_current() {
        one_of(&AVAILABILITY)
    } else {
        string()
    };
    defaulted(schema, json!(default))
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
pub(super) fn spec(generation: Generation) -> Value {
    let mut properties = shared(generation);
    properties["release"] = release(generation);
    properties["controlPlaneRelease"] = release(generation);
    properties["clusterID"] = json!({ "type": "string", "pattern": UUID });
    properties["controllerAvailabilityPolicy"] = availability(generation, AVAILABILITY[0]);
    let only = if generation.is_current() { "etcd" } else { "sshKey" };
    if generation.is_current() {
        for (name, schema) in current_fields() {
            properties[name] = schema;
        }
        properties["services"]["maxItems"] = 6.into();
        fix_fields(&mut properties);
    }
    let mut schema = open_with(
        &["networking", "platform", "pullSecret", "release", "services", only],
        &properties,
    );
    let message = "Services is immutable. Changes might result in unpredictable and disruptive behavior.";
    rule(
        &mut schema,
        "self.platform.type != 'IBMCloud' ? self.services == oldSelf.services : true",
        message,
    );
    if generation.is_current() {
        rule(
            &mut schema,
            "self.platform.type == 'IBMCloud' ? size(self.services) >= 3 : size(self.services) >= 4",
            "spec.services in body should have at least 4 items or 3 for IBMCloud",
        );
        for (field, message) in [
            ("secretEncryption", "secretEncryption cannot be removed once configured"),
            ("clusterID", "clusterID cannot be removed once set"),
            ("infraID", "infraID cannot be removed once set"),
        ] {
            keep(&mut schema, field, message);
        }
    }
    schema
}

/// What keeps its value on newer servers only.
fn fix_fields(properties: &mut Value) {
    let fixed = |properties: &mut Value, field: &str, name: &str| {
        let schema = &mut properties[field];
        *schema = immutable(schema.take(), name);
    };
    for name in ["clusterID", "infraID"] {
        let message = format!("{name} is immutable");
        rule(&mut properties[name], "oldSelf == '' || self == oldSelf", &message);
    }
    let dns = &mut properties["dns"]["properties"];
    rule(
        &mut dns["baseDomain"],
        "oldSelf == '' || self == oldSelf",
        "baseDomain is immutable",
    );
    fixed(dns, "baseDomainPrefix", "baseDomainPrefix");
    fixed(
        properties,
        "controllerAvailabilityPolicy",
        "ControllerAvailabilityPolicy",
    );
    fixed(properties, "fips", "fips");
    fixed(properties, "issuerURL", "issuerURL");
    fixed(&mut properties["platform"]["properties"], "type", "Type");
    let etcd = &mut properties["etcd"]["properties"];
    fixed(etcd, "managementType", "managementType");
    let storage = &mut etcd["managed"]["properties"]["storage"];
    let volume = &mut storage["properties"]["persistentVolume"]["properties"];
    fixed(volume, "storageClassName", "storageClassName");
    fixed(&mut storage["properties"], "restoreSnapshotURL", "restoreSnapshotURL");
    rule(
        storage,
        "has(self.restoreSnapshotURL) == has(oldSelf.restoreSnapshotURL)",
        "restoreSnapshotURL cannot be added or removed after creation",
    );
}

/// A field of an object that can't be taken away again.
fn keep(schema: &mut Value, field: &str, message: &str) {
    rule(schema, &format!("!has(oldSelf.{field}) || has(self.{field})"), message);
}

/// Fields that 4.17 does not know. Its schema keeps unknown fields in a lab; upstream's would drop them.
fn current_fields() -> Vec<(&'static str, Value)> {
    let capabilities = || json!({ "type": "array", "maxItems": 25, "items": one_of(&CAPABILITIES), "x-kubernetes-list-type": "atomic" });
    let mut both = open(json!({ "enabled": capabilities(), "disabled": capabilities() }));
    both["default"] = json!({});
    rule(
        &mut both,
        "!has(self.enabled) || !has(self.disabled) || self.enabled.all(e, !(e in self.disabled))",
        "Capabilities can not be both enabled and disabled at once.",
    );
    vec![
        ("capabilities", fixed_for_good(both, "Capabilities")),
        ("kubeAPIServerDNSName", json!({ "type": "string", "maxLength": 253 })),
        (
            "labels",
            json!({ "type": "object", "maxProperties": 20, "additionalProperties": { "type": "string" } }),
        ),
        ("operatorConfiguration", operators()),
        (
            "pausedUntil",
            json!({ "type": "string", "minLength": 4, "maxLength": 35 }),
        ),
    ]
}

/// The network operator's part, which is settled when a cluster is made.
fn operators() -> Value {
    let fixed = |schema: Value, name: &str| {
        let mut schema = schema;
        rule(&mut schema, "self == oldSelf", &format!("{name} is immutable once set"));
        schema
    };
    let mtu = json!({ "type": "integer", "format": "int32", "minimum": 576, "maximum": 9216 });
    let mut ovn = open(json!({
        "mtu": fixed(mtu, "mtu"),
        "v4InternalSubnet": fixed(string(), "v4InternalSubnet"),
        "v6InternalSubnet": fixed(string(), "v6InternalSubnet"),
    }));
    for field in ["mtu", "v4InternalSubnet", "v6InternalSubnet"] {
        let message = format!("{field} is immutable once set and cannot be removed");
        keep(&mut ovn, field, &message);
    }
    let mut network = open(json!({
        "disableMultiNetwork": immutable(json!({ "type": "boolean" }), "disableMultiNetwork"),
        "ovnKubernetesConfig": ovn,
    }));
    let message = "ovnKubernetesConfig is immutable once set and cannot be removed";
    keep(&mut network, "ovnKubernetesConfig", message);
    open(json!({ "clusterNetworkOperator": network }))
}

/// As [`immutable`], in other words.
fn fixed_for_good(mut schema: Value, name: &str) -> Value {
    let message = format!("{name} is immutable. Changes might result in unpredictable and disruptive behavior.");
    rule(&mut schema, "self == oldSelf", &message);
    schema
}

/// `spec` of a HostedControlPlane.
pub(super) fn control_plane_spec(generation: Generation) -> Value {
    let mut properties = shared(generation);
    properties["releaseImage"] = string();
    properties["clusterID"] = string();
    properties["controllerAvailabilityPolicy"] = availability(generation, AVAILABILITY[1]);
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
pub(super) fn status(generation: Generation) -> Value {
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
    let mut status = open(json!({
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
    }));
    if generation.is_current() {
        status["properties"]["controlPlaneVersion"] = control_plane_version();
    }
    status
}

/// The version of what runs on the management cluster, apart from what runs in the guest.
pub(super) fn control_plane_version() -> Value {
    let history = open_with(
        &["image", "startedTime", "state", "version"],
        json!({
            "state": one_of(&["Completed", "Partial"]),
            "startedTime": { "type": "string", "format": "date-time" },
            "completionTime": { "type": "string", "format": "date-time" },
            "version": string(),
            "image": string(),
        }),
    );
    open_with(
        &["desired"],
        json!({
            "desired": open_with(&["image", "version"], json!({ "image": string(), "version": string() })),
            "history": list_of(history),
            "observedGeneration": { "type": "integer", "format": "int64" },
        }),
    )
}

fn shared(generation: Generation) -> Value {
    json!({
        "dns": open_with(&["baseDomain"], json!({ "baseDomain": string(), "baseDomainPrefix": string() })),
        "etcd": etcd(),
        "fips": { "type": "boolean" },
        "infraID": string(),
        "infrastructureAvailabilityPolicy": availability(generation, AVAILABILITY[1]),
        "issuerURL": { "type": "string", "format": "uri", "default": "https://kubernetes.default.svc" },
        "networking": networking(generation),
        "nodeSelector": { "type": "object", "additionalProperties": { "type": "string" } },
        "olmCatalogPlacement": immutable(
            defaulted(one_of(&["management", "guest"]), json!("management")),
            "OLMCatalogPlacement",
        ),
        "pausedUntil": string(),
        "platform": open_with(&["type"], json!({ "type": platform_type(generation), "kubevirt": kubevirt() })),
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
        "configuration": configuration(generation),
        "channel": string(),
        "updateService": string(),
    })
}

fn configuration(generation: Generation) -> Value {
    let mut features = string();
    for name in ["CustomNoUpgrade", "TechPreviewNoUpgrade", "DevPreviewNoUpgrade"] {
        let is_kept = format!("oldSelf == '{name}' ? self == '{name}' : true");
        rule(&mut features, &is_kept, &format!("{name} may not be changed"));
    }
    let mut domain = string();
    if generation.is_current() {
        rule(&mut domain, "self == oldSelf", "domain is immutable once set");
    }
    open(json!({
        "featureGate": open(json!({ "featureSet": features })),
        "ingress": open(json!({ "domain": domain })),
    }))
}

fn etcd() -> Value {
    let volume = open(json!({
        "size": immutable(quantity("8Gi"), "Etcd PV storage size"),
        "storageClassName": string(),
    }));
    let storage = open_with(
        &["type"],
        json!({
            "type": one_of(&["PersistentVolume"]),
            "persistentVolume": volume,
            "restoreSnapshotURL": list_of(string()),
        }),
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

fn networking(generation: Generation) -> Value {
    let current = generation.is_current();
    let once = |name: &str| format!("{name} is immutable and cannot be modified once set.");
    let list = |name: &str| {
        let mut network = open_with(&["cidr"], json!({ "cidr": string() }));
        if !current {
            return list_of(network);
        }
        network["properties"]["cidr"]["maxLength"] = 43.into();
        let mut list = list_of(network);
        list["minItems"] = 1.into();
        list["maxItems"] = 2.into();
        rule(&mut list, "self == oldSelf", &once(name));
        list
    };
    let cluster = json!([{ "cidr": "10.132.0.0/14" }]);
    let service = json!([{ "cidr": "172.31.0.0/16" }]);
    let kind = defaulted(
        one_of(&["OpenShiftSDN", "Calico", "OVNKubernetes", "Other"]),
        json!("OVNKubernetes"),
    );
    let mut schema = open(json!({
        "clusterNetwork": defaulted(list("clusterNetwork"), cluster.clone()),
        "serviceNetwork": defaulted(list("serviceNetwork"), service.clone()),
        "machineNetwork": list("machineNetwork"),
        "networkType": kind,
    }));
    if current {
        let message =
            "CIDR ranges in machineNetwork, clusterNetwork, and serviceNetwork must be unique and non-overlapping";
        rule(&mut schema, DISTINCT_NETWORKS, message);
        let mut allocate = one_of(&["Enabled", "Disabled"]);
        rule(&mut allocate, "self == oldSelf", &once("allocateNodeCIDRs"));
        schema["properties"]["allocateNodeCIDRs"] = allocate;
        schema["properties"]["apiServer"] = open(json!({
            "advertiseAddress": immutable(string(), "advertiseAddress"),
            "port": immutable(json!({ "type": "integer", "format": "int32" }), "port"),
        }));
        rule(
            &mut schema,
            "has(self.allocateNodeCIDRs) && self.allocateNodeCIDRs == 'Enabled' ? self.networkType == 'Other' : true",
            "allocateNodeCIDRs can only be set to Enabled when networkType is 'Other'",
        );
    } else {
        schema["required"] = json!(["clusterNetwork", "networkType"]);
    }
    defaulted(
        schema,
        json!({ "clusterNetwork": cluster, "serviceNetwork": service, "networkType": "OVNKubernetes" }),
    )
}

fn kubevirt() -> Value {
    let mapping = |name: &str| immutable(list_of(open(json!({}))), name);
    let manual = open(json!({
        "storageClassMapping": mapping("storageClassMapping"),
        "volumeSnapshotClassMapping": mapping("volumeSnapshotClassMapping"),
    }));
    let kind = defaulted(one_of(&["None", "Default", "Manual"]), json!("Default"));
    let driver = open(json!({
        "type": immutable(kind, "storageDriver.Type"),
        "manual": immutable(manual, "storageDriver.Manual"),
    }));
    let credentials = open_with(
        &["infraNamespace"],
        json!({
            "infraNamespace": immutable(string(), "infraNamespace"),
            "infraKubeConfigSecret": immutable(open(json!({})), "infraKubeConfigSecret"),
        }),
    );
    let mut generated = json!({ "type": "string", "maxLength": 11 });
    rule(
        &mut generated,
        "self == oldSelf",
        "Kubevirt GenerateID is immutable once set",
    );
    let mut schema = open(json!({
        "baseDomainPassthrough": immutable(json!({ "type": "boolean" }), "baseDomainPassthrough"),
        "generateID": generated,
        "credentials": credentials,
        "storageDriver": immutable(driver, "storageDriver"),
    }));
    keep(&mut schema, "generateID", "Kubevirt GenerateID is required once set");
    schema
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
