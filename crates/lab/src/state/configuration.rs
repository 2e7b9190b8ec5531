//! The cluster's configuration: version, infrastructure, networks, pull secret, certificate authorities.

use serde_json::{Value, json};

use super::{Object, Setting};
use crate::kind::{
    CLUSTER_VERSION, CONFIG_MAP, CONSOLE, CONSOLE_CLI_DOWNLOAD, DNS, INFRASTRUCTURE, INGRESS_CONFIG, NETWORK, OAUTH,
    PROXY, SECRET,
};

pub(super) fn objects(setting: &Setting<'_>) -> Vec<Object> {
    vec![
        cluster_version(setting),
        infrastructure(setting),
        Object::new(
            INGRESS_CONFIG,
            named("cluster", &json!({ "domain": setting.apps_domain })),
        ),
        Object::new(DNS, named("cluster", &json!({ "baseDomain": base_domain(setting) }))),
        network(),
        Object::with_status(
            PROXY,
            named("cluster", &json!({ "trustedCA": { "name": "" } })),
            json!({}),
        ),
        Object::new(OAUTH, named("cluster", &json!({}))),
        Object::with_status(
            CONSOLE,
            named("cluster", &json!({})),
            json!({ "consoleURL": format!("https://console-openshift-console.{}", setting.apps_domain) }),
        ),
        console_link(setting),
        pull_secret(),
        config_map(
            "openshift-config-managed",
            "default-ingress-cert",
            "ca-bundle.crt",
            setting.ingress_ca,
        ),
        config_map(
            "openshift-config-managed",
            "console-public",
            "consoleURL",
            &format!("https://console-openshift-console.{}", setting.apps_domain),
        ),
    ]
}

fn named(name: &str, spec: &Value) -> Value {
    json!({ "metadata": { "name": name }, "spec": spec })
}

/// The domain of the cluster, of which routes have the part `apps.`.
fn base_domain<'a>(setting: &Setting<'a>) -> &'a str {
    setting.apps_domain.strip_prefix("apps.").unwrap_or(setting.apps_domain)
}

fn condition(kind: &str, status: &str, message: &str, now: &str) -> Value {
    json!({ "type": kind, "status": status, "message": message, "lastTransitionTime": now })
}

fn cluster_version(setting: &Setting<'_>) -> Object {
    let now = setting.now;
    let versions = setting.generation.versions();
    let version = versions.openshift();
    let image = format!("quay.io/openshift-release-dev/ocp-release:{version}-x86_64");
    let release = json!({ "version": version, "image": image, "channels": versions.update_channels });
    let status = json!({
        "desired": release,
        "history": [{
            "state": "Completed",
            "version": version,
            "image": image,
            "verified": true,
            "startedTime": now,
            "completionTime": now,
        }],
        "observedGeneration": 1,
        "versionHash": "simulated",
        "availableUpdates": [],
        "conditions": [
            condition("RetrievedUpdates", "True", "", now),
            condition("ReleaseAccepted", "True", &format!("Payload loaded version=\"{version}\" image=\"{image}\""), now),
            condition("Upgradeable", "True", "", now),
            condition("Available", "True", &format!("Done applying {version}"), now),
            condition("Failing", "False", "", now),
            condition("Progressing", "False", &format!("Cluster version is {version}"), now),
        ],
        "capabilities": {
            "enabledCapabilities": ["Console", "Ingress", "OperatorLifecycleManager", "Storage", "marketplace"],
            "knownCapabilities": ["Console", "Ingress", "OperatorLifecycleManager", "Storage", "marketplace"],
        },
    });
    let spec = json!({ "clusterID": setting.cluster_id, "channel": format!("stable-{}", versions.minor) });
    Object::with_status(CLUSTER_VERSION, named("version", &spec), status)
}

fn infrastructure(setting: &Setting<'_>) -> Object {
    let spec = json!({ "cloudConfig": { "name": "" }, "platformSpec": { "type": "BareMetal", "baremetal": {} } });
    let status = json!({
        "apiServerURL": setting.api_url,
        "apiServerInternalURI": format!("https://api-int.{}:6443", base_domain(setting)),
        "controlPlaneTopology": "HighlyAvailable",
        "infrastructureTopology": "HighlyAvailable",
        "cpuPartitioning": "None",
        "etcdDiscoveryDomain": "",
        "infrastructureName": "hub-lab",
        "platform": "BareMetal",
        "platformStatus": {
            "type": "BareMetal",
            "baremetal": {
                "apiServerInternalIP": "192.168.111.5",
                "apiServerInternalIPs": ["192.168.111.5"],
                "ingressIP": "192.168.111.4",
                "ingressIPs": ["192.168.111.4"],
            },
        },
    });
    Object::with_status(INFRASTRUCTURE, named("cluster", &spec), status)
}

/// The Network kind has no status subresource: its status is created with it.
fn network() -> Object {
    let ranges = json!({
        "clusterNetwork": [{ "cidr": "10.128.0.0/14", "hostPrefix": 23 }],
        "serviceNetwork": ["172.30.0.0/16"],
        "networkType": "OVNKubernetes",
    });
    let mut status = ranges.clone();
    status["clusterNetworkMTU"] = 9000.into();
    let mut network = named("cluster", &ranges);
    network["status"] = status;
    Object::new(NETWORK, network)
}

/// The console's own link: other operators offer theirs only on a cluster that has a console.
fn console_link(setting: &Setting<'_>) -> Object {
    let downloads = format!("https://downloads-openshift-console.{}", setting.apps_domain);
    let link = |os: &str, arch: &str, file: &str| {
        let href = format!("{downloads}/{arch}/{os}/{file}");
        json!({ "href": href, "text": format!("Download oc for {os} for {arch}") })
    };
    let spec = json!({
        "displayName": "oc - OpenShift Command Line Interface (CLI)",
        "description": "The command line client of OpenShift.",
        "links": [link("linux", "amd64", "oc.tar"), link("linux", "arm64", "oc.tar"), link("mac", "amd64", "oc.zip")],
    });
    Object::new(CONSOLE_CLI_DOWNLOAD, named("oc-cli-downloads", &spec))
}

/// Well formed, and obviously of no use anywhere.
fn pull_secret() -> Object {
    let registries = [
        "cloud.openshift.com",
        "quay.io",
        "registry.connect.redhat.com",
        "registry.redhat.io",
    ];
    // base64 of `lab:simulated`.
    let auths: serde_json::Map<String, Value> = registries
        .iter()
        .map(|registry| ((*registry).to_owned(), json!({ "auth": "bGFiOnNpbXVsYXRlZA==" })))
        .collect();
    let secret = json!({
        "metadata": { "name": "pull-secret", "namespace": "openshift-config" },
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": { ".dockerconfigjson": json!({ "auths": auths }).to_string() },
    });
    Object::new(SECRET, secret)
}

fn config_map(namespace: &str, name: &str, key: &str, value: &str) -> Object {
    Object::new(
        CONFIG_MAP,
        json!({ "metadata": { "name": name, "namespace": namespace }, "data": { key: value } }),
    )
}
