//! Where a control plane is reached: its Services and Routes, and the addresses that these get.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::actor::Context;
use crate::client::{Result, name_of, namespace_of};
use crate::kind::{HOSTED_CONTROL_PLANE, ROUTE, SERVICE};
use crate::objects::owner;

/// Port of the API server behind a load balancer.
const API_PORT: u64 = 6443;

/// The addresses of a control plane, or what they wait for.
#[derive(Debug)]
pub(super) struct Infrastructure {
    /// Host and port of the API server.
    endpoint: Option<(String, u64)>,
    /// Host of the OAuth server.
    oauth_host: Option<String>,
    /// Why it is not complete.
    waiting: Option<String>,
}

/// Services of a control plane besides the API server's, with their ports.
const SERVICES: [(&str, u32); 8] = [
    ("etcd-client", 2379),
    ("etcd-discovery", 2380),
    ("ignition-server", 443),
    ("ignition-server-proxy", 443),
    ("konnectivity-server", 8091),
    ("konnectivity-server-local", 8090),
    ("oauth-openshift", 6443),
    ("openshift-apiserver", 443),
];

/// Routes, with the Service behind each and the name of what it publishes.
const ROUTES: [(&str, &str, &str); 3] = [
    ("ignition-server", "ignition-server-proxy", "Ignition"),
    ("konnectivity-server", "konnectivity-server", "Konnectivity"),
    ("oauth", "oauth-openshift", "OAuthServer"),
];

/// Makes the Services and Routes that are missing. What was just made has no address yet; it wakes this controller when it
/// does.
pub(super) async fn ensure(context: &Context, control_plane: &Value) -> Result<()> {
    let client = &context.client;
    let namespace = namespace_of(control_plane);
    // One list each: this runs on every pass, and asking for each by name would be most of what a bring-up asks.
    let services = client.list(SERVICE, namespace, "").await?;
    let routes = client.list(ROUTE, namespace, "").await?;
    let wanted = SERVICES.iter().map(|(name, port)| service(control_plane, name, *port));
    for service in wanted.chain([api_service(control_plane)]) {
        if named(&services, name_of(&service)).is_none() {
            client.create(SERVICE, &service).await?;
        }
    }
    for (name, target, service) in ROUTES {
        let strategy = strategy(control_plane, service);
        if strategy["type"] == "Route" && named(&routes, name).is_none() {
            client
                .create(ROUTE, &route(control_plane, name, target, strategy))
                .await?;
        }
    }
    Ok(())
}

/// Reads the addresses that Services and Routes got.
pub(super) async fn look(context: &Context, control_plane: &Value) -> Result<Infrastructure> {
    let client = &context.client;
    let namespace = namespace_of(control_plane);
    let api = client
        .get(SERVICE, namespace, "kube-apiserver")
        .await?
        .unwrap_or_default();
    let oauth = client.get(ROUTE, namespace, "oauth").await?;
    let endpoint = endpoint(control_plane, &api);
    let oauth_host = match strategy(control_plane, "OAuthServer")["type"].as_str() {
        Some("Route") => oauth.as_ref().and_then(host_of).map(str::to_owned),
        _ => endpoint.as_ref().map(|(host, _)| host.clone()),
    };
    let waiting = match (&endpoint, &oauth_host) {
        (None, _) => Some(waiting_for_api(control_plane, &api, context)),
        (_, None) => Some("Cluster infrastructure is still provisioning".to_owned()),
        _ => None,
    };
    Ok(Infrastructure {
        endpoint,
        oauth_host,
        waiting,
    })
}

fn named<'a>(objects: &'a [Value], name: &str) -> Option<&'a Value> {
    objects.iter().find(|object| name_of(object) == name)
}

/// The publishing strategy of a service.
fn strategy<'a>(control_plane: &'a Value, service: &str) -> &'a Value {
    let services = control_plane["spec"]["services"].as_array();
    let entry = services.and_then(|services| services.iter().find(|entry| entry["service"] == service));
    entry.map_or(&Value::Null, |entry| &entry["servicePublishingStrategy"])
}

fn endpoint(control_plane: &Value, service: &Value) -> Option<(String, u64)> {
    let strategy = strategy(control_plane, "APIServer");
    match strategy["type"].as_str()? {
        "LoadBalancer" => {
            let ingress = &service["status"]["loadBalancer"]["ingress"][0];
            let address = ingress["ip"].as_str().or(ingress["hostname"].as_str())?;
            let host = strategy["loadBalancer"]["hostname"].as_str().unwrap_or(address);
            Some((host.to_owned(), API_PORT))
        }
        "NodePort" => {
            let address = strategy["nodePort"]["address"].as_str()?;
            let assigned = service["spec"]["ports"][0]["nodePort"].as_u64();
            Some((address.to_owned(), strategy["nodePort"]["port"].as_u64().or(assigned)?))
        }
        "Route" => Some((strategy["route"]["hostname"].as_str()?.to_owned(), 443)),
        _ => None,
    }
}

fn waiting_for_api(control_plane: &Value, service: &Value, context: &Context) -> String {
    match strategy(control_plane, "APIServer")["type"].as_str() {
        Some("Route") => "route hostname is required for service APIServer".to_owned(),
        Some("LoadBalancer") => {
            let created: Option<jiff::Timestamp> = service["metadata"]["creationTimestamp"]
                .as_str()
                .and_then(|created| created.parse().ok());
            let age = created.map_or(0, |created| context.time.now().as_second() - created.as_second());
            // In whole minutes: a text that changed each second would be written each second.
            format!(
                "kube-apiserver load balancer is not provisioned; {}m0s since creation.",
                age.max(0) / 60
            )
        }
        _ => "Cluster infrastructure is still provisioning".to_owned(),
    }
}

fn host_of(route: &Value) -> Option<&str> {
    route["status"]["ingress"][0]["host"]
        .as_str()
        .or(route["spec"]["host"].as_str())
}

fn metadata(control_plane: &Value, name: &str) -> Value {
    json!({
        "name": name,
        "namespace": namespace_of(control_plane),
        "ownerReferences": [owner(HOSTED_CONTROL_PLANE, control_plane)],
    })
}

fn service(control_plane: &Value, name: &str, port: u32) -> Value {
    let selector = match name {
        "konnectivity-server" | "konnectivity-server-local" => "kube-apiserver",
        "etcd-client" | "etcd-discovery" => "etcd",
        other => other,
    };
    let mut spec = json!({
        "type": "ClusterIP",
        "selector": { "app": selector },
        "ports": [{ "name": "https", "port": port, "protocol": "TCP", "targetPort": port }],
    });
    if name == "etcd-discovery" {
        spec["clusterIP"] = "None".into();
    }
    json!({ "metadata": metadata(control_plane, name), "spec": spec })
}

fn api_service(control_plane: &Value) -> Value {
    let strategy = strategy(control_plane, "APIServer");
    let kind = match strategy["type"].as_str() {
        Some("LoadBalancer") => "LoadBalancer",
        Some("NodePort") => "NodePort",
        _ => "ClusterIP",
    };
    let mut port = json!({ "name": "client", "port": API_PORT, "protocol": "TCP", "targetPort": "client" });
    if let ("NodePort", Some(number)) = (kind, strategy["nodePort"]["port"].as_u64()) {
        port["nodePort"] = number.into();
    }
    let mut metadata = metadata(control_plane, "kube-apiserver");
    if let Some(hostname) = strategy["loadBalancer"]["hostname"].as_str() {
        metadata["annotations"] = json!({ "external-dns.alpha.kubernetes.io/hostname": hostname });
    }
    json!({
        "metadata": metadata,
        "spec": { "type": kind, "selector": { "app": "kube-apiserver" }, "ports": [port] },
    })
}

fn route(control_plane: &Value, name: &str, target: &str, strategy: &Value) -> Value {
    let mut metadata = metadata(control_plane, name);
    // The HostedCluster's status shows the host of the ignition server, so its controller must hear of the Route.
    metadata["annotations"] = control_plane["metadata"]["annotations"].clone();
    metadata["labels"] = json!({ "hypershift.openshift.io/hosted-control-plane": name_of(control_plane) });
    let mut spec = json!({
        "to": { "kind": "Service", "name": target, "weight": 100 },
        "tls": { "termination": "passthrough", "insecureEdgeTerminationPolicy": "None" },
        "wildcardPolicy": "None",
    });
    if let Some(hostname) = strategy["route"]["hostname"].as_str() {
        spec["host"] = hostname.into();
    }
    json!({ "metadata": metadata, "spec": spec })
}

// === impl Infrastructure ===

impl Infrastructure {
    /// The API server's host, once everything has an address.
    pub(super) fn address(&self) -> Option<&str> {
        if self.waiting.is_some() {
            return None;
        }
        self.endpoint.as_ref().map(|(host, _)| host.as_str())
    }

    /// Tells where the API server really listens, where that is not the address that its Service got.
    pub(super) fn reached_at(&mut self, url: &str) {
        let Some((host, port)) = url.strip_prefix("https://").and_then(|rest| rest.rsplit_once(':')) else {
            return;
        };
        // A name that a person chose stays: it is theirs to point somewhere.
        if let (Some(endpoint), Ok(port)) = (&mut self.endpoint, port.parse())
            && endpoint.0.parse::<IpAddr>().is_ok()
        {
            *endpoint = (host.to_owned(), port);
        }
    }

    /// What is waited for.
    pub(super) fn waiting(&self) -> Option<&str> {
        self.waiting.as_deref()
    }

    /// As `status.controlPlaneEndpoint`.
    pub(super) fn endpoint(&self) -> Option<Value> {
        self.endpoint
            .as_ref()
            .map(|(host, port)| json!({ "host": host, "port": port }))
    }

    /// As `status.oauthCallbackURLTemplate`.
    pub(super) fn oauth_callback(&self) -> Option<String> {
        let host = self.oauth_host.as_ref()?;
        Some(format!("https://{host}:443/oauth2callback/[identity-provider-name]"))
    }
}
