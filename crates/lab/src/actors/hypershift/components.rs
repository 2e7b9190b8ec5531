//! The workloads of a control plane, as a table: who they are, how many of them, after what they come.

use serde_json::{Value, json};

use crate::client::namespace_of;
use crate::kind::HOSTED_CONTROL_PLANE;
use crate::objects::{annotation, owner, replacement};

use super::release::{payload_has, since};

use Count::{Critical, Fixed, Others};
use Stage::{ApiServer, Infrastructure, NetworkOperator};

/// On a HostedCluster and its control plane: names of workloads that are to have no replicas, with commas between.
pub(super) const DEBUGGED: &str = "hypershift.openshift.io/debug-deployments";

/// A Deployment of the control plane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component {
    pub(super) name: &'static str,
    count: Count,
    stage: Stage,
    /// What one pod asks for: millicores and MiB.
    request: (u32, u32),
}

/// How the availability policy turns into replicas.
#[derive(Clone, Copy, Debug)]
enum Count {
    /// 3, or 1 for a single replica: etcd, and what serves the API.
    Critical,
    /// 2, or 1 for a single replica.
    Others,
    /// The same under both policies.
    Fixed(u32),
}

/// What a component is made after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Infrastructure,
    Etcd,
    ApiServer,
    /// The network operator, which makes these itself.
    NetworkOperator,
}

const fn component(name: &'static str, count: Count, stage: Stage, request: (u32, u32)) -> Component {
    Component {
        name,
        count,
        stage,
        request,
    }
}

pub(super) const CONTROL_PLANE_OPERATOR: Component =
    component("control-plane-operator", Fixed(1), Infrastructure, (10, 80));
pub(super) const CLUSTER_API: Component = component("cluster-api", Fixed(1), Infrastructure, (10, 20));
pub(super) const CAPI_PROVIDER: Component = component("capi-provider", Fixed(1), Infrastructure, (10, 150));
pub(super) const API_SERVER: Component = component("kube-apiserver", Critical, Stage::Etcd, (350, 2048));

/// Every Deployment that the control-plane operator makes or lets be made, in the order of making.
pub(super) const COMPONENTS: [Component; 42] = [
    component("control-plane-pki-operator", Fixed(1), Infrastructure, (10, 80)),
    component("ignition-server", Others, Infrastructure, (10, 40)),
    component("ignition-server-proxy", Others, Infrastructure, (10, 20)),
    component("router", Critical, Infrastructure, (10, 40)),
    API_SERVER,
    component("konnectivity-agent", Others, ApiServer, (40, 50)),
    component("kube-controller-manager", Others, ApiServer, (60, 400)),
    component("kube-scheduler", Others, ApiServer, (25, 150)),
    component("openshift-apiserver", Critical, ApiServer, (100, 250)),
    component("openshift-oauth-apiserver", Critical, ApiServer, (80, 80)),
    component("oauth-openshift", Critical, ApiServer, (25, 40)),
    component("openshift-controller-manager", Others, ApiServer, (100, 200)),
    component("openshift-route-controller-manager", Others, ApiServer, (100, 100)),
    component("cluster-policy-controller", Others, ApiServer, (10, 200)),
    component("cluster-autoscaler", Fixed(0), ApiServer, (10, 60)),
    component("machine-approver", Fixed(1), ApiServer, (10, 20)),
    component("cluster-version-operator", Fixed(1), ApiServer, (20, 70)),
    component("hosted-cluster-config-operator", Fixed(1), ApiServer, (60, 80)),
    component("cloud-credential-operator", Fixed(1), ApiServer, (10, 75)),
    component("cluster-network-operator", Fixed(1), ApiServer, (20, 50)),
    component("cluster-node-tuning-operator", Fixed(1), ApiServer, (10, 50)),
    component("cluster-storage-operator", Fixed(1), ApiServer, (10, 50)),
    component("cluster-image-registry-operator", Fixed(1), ApiServer, (10, 50)),
    component("csi-snapshot-controller-operator", Fixed(1), ApiServer, (10, 65)),
    component("dns-operator", Fixed(1), ApiServer, (10, 30)),
    component("ingress-operator", Fixed(1), ApiServer, (20, 80)),
    component("kubevirt-cloud-controller-manager", Others, ApiServer, (75, 60)),
    component("kubevirt-csi-controller", Fixed(1), ApiServer, (50, 200)),
    component("olm-operator", Fixed(1), ApiServer, (10, 160)),
    component("catalog-operator", Fixed(1), ApiServer, (10, 300)),
    component("packageserver", Critical, ApiServer, (10, 50)),
    component("redhat-operators-catalog", Fixed(1), ApiServer, (10, 340)),
    component("certified-operators-catalog", Fixed(1), ApiServer, (10, 340)),
    component("community-operators-catalog", Fixed(1), ApiServer, (10, 340)),
    component("redhat-marketplace-catalog", Fixed(1), ApiServer, (10, 340)),
    component("kube-storage-version-migrator", Fixed(1), ApiServer, (10, 50)),
    component("endpoint-resolver", Others, ApiServer, (5, 20)),
    component("metrics-proxy", Others, ApiServer, (10, 30)),
    component("csi-snapshot-controller", Others, NetworkOperator, (10, 50)),
    component("multus-admission-controller", Others, NetworkOperator, (20, 60)),
    component("network-node-identity", Critical, NetworkOperator, (20, 100)),
    component("ovnkube-control-plane", Critical, NetworkOperator, (30, 500)),
];

/// What a pod with this annotation takes to start, in modelled seconds, as `workloads` plays it.
const STARTS_IN: &str = "lab.berth.dev/starts-in-seconds";

/// Components whose pods take longer than a few seconds to start.
const SLOW: [(&str, u32); 4] = [
    ("etcd", 25),
    ("kube-apiserver", 35),
    ("openshift-apiserver", 20),
    ("hosted-cluster-config-operator", 10),
];

impl Component {
    /// How many pods the control plane's availability policy asks for.
    pub(super) fn replicas(&self, control_plane: &Value) -> u32 {
        // 4.17 takes any text: what is not this one is the other.
        let single = control_plane["spec"]["controllerAvailabilityPolicy"] != "HighlyAvailable";
        match self.count {
            Fixed(count) => count,
            Critical | Others if single => 1,
            Critical => 3,
            Others => 2,
        }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether the control-plane operator makes it, and not an operator that it made.
    pub(super) fn is_own(&self) -> bool {
        self.stage != NetworkOperator
    }
}

/// The replicas of a workload: none of one that a cluster's or its control plane's annotation names, which somebody runs
/// elsewhere to debug it.
pub(super) fn unless_debugged(name: &str, replicas: u32, object: &Value) -> u32 {
    let debugged = annotation(object, DEBUGGED).unwrap_or_default();
    if debugged.split(',').any(|debugged| debugged == name) {
        0
    } else {
        replicas
    }
}

/// Replicas of etcd.
pub(super) fn etcd_replicas(control_plane: &Value) -> u32 {
    component("etcd", Critical, Infrastructure, (0, 0)).replicas(control_plane)
}

/// A component's Deployment in the control plane's namespace.
pub(super) fn deployment(component: &Component, control_plane: &Value, replicas: u32) -> Value {
    json!({
        "metadata": {
            "name": component.name,
            "namespace": namespace_of(control_plane),
            "ownerReferences": [owner(HOSTED_CONTROL_PLANE, control_plane)],
            "labels": { "hypershift.openshift.io/control-plane-component": component.name },
        },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": app_of(component.name) } },
            "template": pod_template(component.name, control_plane, component.request),
        },
    })
}

/// The pod template of a component.
pub(super) fn pod_template(name: &str, control_plane: &Value, (millicores, mebibytes): (u32, u32)) -> Value {
    let version = image(control_plane);
    let mut containers = vec![json!({
        "name": name,
        "image": version,
        "resources": { "requests": { "cpu": format!("{millicores}m"), "memory": format!("{mebibytes}Mi") } },
    })];
    if name == API_SERVER.name {
        containers.push(json!({
            "name": "konnectivity-server",
            "image": version,
            "resources": { "requests": { "cpu": "40m", "memory": "50Mi" } },
        }));
    }
    let mut labels = json!({
        "app": app_of(name),
        "hypershift.openshift.io/control-plane-component": name,
        "hypershift.openshift.io/hosted-control-plane": namespace_of(control_plane),
    });
    if name == CONTROL_PLANE_OPERATOR.name {
        labels["name"] = name.into();
    }
    let mut spec = json!({ "containers": containers });
    for field in ["nodeSelector", "tolerations"] {
        if !control_plane["spec"][field].is_null() {
            spec[field] = control_plane["spec"][field].clone();
        }
    }
    let mut metadata = json!({ "labels": labels });
    if let Some((_, seconds)) = SLOW.iter().find(|(slow, _)| *slow == name) {
        metadata["annotations"] = json!({ STARTS_IN: seconds.to_string() });
    }
    json!({ "metadata": metadata, "spec": spec })
}

/// What has to change of a Deployment's pods: images, annotations, and where they may run. Null fields go.
pub(super) fn template_patch(found: &Value, wanted: &Value) -> Value {
    let (found, wanted) = (&found["spec"]["template"], &wanted["spec"]["template"]);
    let mut template = json!({ "spec": {} });
    // The server filled in the rest of each container, so their images stand for them.
    let image = |template: &Value| template["spec"]["containers"][0]["image"].clone();
    if image(found) != image(wanted) {
        template["spec"]["containers"] = wanted["spec"]["containers"].clone();
    }
    for field in ["nodeSelector", "tolerations"] {
        if let Some(change) = replacement(&found["spec"][field], &wanted["spec"][field]) {
            template["spec"][field] = change;
        }
    }
    if let Some(change) = replacement(&found["metadata"]["annotations"], &wanted["metadata"]["annotations"]) {
        template["metadata"]["annotations"] = change;
    }
    json!({ "spec": { "template": template } })
}

/// The image that a control plane's own components have.
pub(super) fn image(control_plane: &Value) -> &Value {
    let spec = &control_plane["spec"];
    if spec["controlPlaneReleaseImage"].is_string() {
        &spec["controlPlaneReleaseImage"]
    } else {
        &spec["releaseImage"]
    }
}

/// The `app` label, which is the name but for one.
fn app_of(name: &str) -> &str {
    if name == "kubevirt-cloud-controller-manager" {
        "cloud-controller-manager"
    } else {
        name
    }
}

/// Whether a capability was switched off.
fn is_disabled(control_plane: &Value, capability: &str) -> bool {
    let disabled = control_plane["spec"]["capabilities"]["disabled"].as_array();
    disabled.is_some_and(|disabled| disabled.iter().any(|entry| entry == capability))
}

/// Whether the guest is to have the metrics of its control plane.
fn forwards_metrics(control_plane: &Value) -> bool {
    control_plane["spec"]["monitoring"]["metricsForwarding"]["mode"] == "Forward"
        || annotation(control_plane, "hypershift.openshift.io/enable-metrics-forwarding") == Some("true")
}

/// Whether the API server is published by a Route of a name that was chosen for it.
fn is_routed(control_plane: &Value) -> bool {
    let services = control_plane["spec"]["services"].as_array();
    services.into_iter().flatten().any(|entry| {
        let strategy = &entry["servicePublishingStrategy"];
        entry["service"] == "APIServer" && strategy["type"] == "Route" && strategy["route"]["hostname"].is_string()
    })
}

/// The components that a control plane of this name and settings leaves out.
pub(super) fn is_left_out(component: &Component, control_plane: &Value) -> bool {
    let spec = &control_plane["spec"];
    let newer = |since: u32| payload_has(control_plane, since);
    match component.name {
        "router" => !is_routed(control_plane),
        // Since then it is for clouds only.
        "cloud-credential-operator" => newer(since::COMPONENTS),
        "redhat-marketplace-catalog" if newer(since::CONTROL_PLANE_CONNECTION) => true,
        "kube-storage-version-migrator" => {
            !newer(since::CONTROL_PLANE_CONNECTION) || !spec["secretEncryption"].is_object()
        }
        "endpoint-resolver" | "metrics-proxy" => {
            !newer(since::CONTROL_PLANE_CONNECTION) || !forwards_metrics(control_plane)
        }
        "cluster-node-tuning-operator" => is_disabled(control_plane, "NodeTuning"),
        "ingress-operator" => is_disabled(control_plane, "Ingress"),
        "cluster-image-registry-operator" => is_disabled(control_plane, "ImageRegistry"),
        "kubevirt-csi-controller" => spec["platform"]["kubevirt"]["storageDriver"]["type"] == "None",
        "openshift-oauth-apiserver" | "oauth-openshift" => spec["configuration"]["authentication"]["type"] == "OIDC",
        name if name.ends_with("-catalog") => {
            spec["olmCatalogPlacement"] == "guest"
                || spec["configuration"]["operatorhub"]["disableAllDefaultSources"] == true
        }
        _ => false,
    }
}
