//! Kinds of OpenShift itself: configuration, operators, routes, console links.

use serde_json::{Value, json};

use super::crd::{conditions, crd, list_of, one_of, open, open_with, string};
use crate::generation::Generation;
use crate::kind::{
    CLUSTER_OPERATOR, CLUSTER_VERSION, CONSOLE, CONSOLE_CLI_DOWNLOAD, DNS, INFRASTRUCTURE, INGRESS_CONFIG,
    INGRESS_CONTROLLER, NETWORK, OAUTH, PROXY, ROUTE,
};

/// The definitions of OpenShift's own kinds.
pub(crate) fn crds(generation: Generation) -> Vec<Value> {
    vec![
        cluster_version(),
        cluster_operator(),
        crd(INFRASTRUCTURE)
            .spec(open(json!({ "platformSpec": open(json!({})) })))
            .build(),
        crd(INGRESS_CONFIG)
            .spec(open(json!({ "domain": string(), "appsDomain": string() })))
            .build(),
        crd(DNS).spec(open(json!({ "baseDomain": string() }))).build(),
        crd(NETWORK).without_status().spec(network_spec()).build(),
        crd(PROXY).build(),
        crd(OAUTH).spec(oauth_spec()).build(),
        crd(CONSOLE).build(),
        ingress_controller(),
        route(),
        console_cli_download(generation),
    ]
}

fn cluster_version() -> Value {
    let history = list_of(open_with(
        &["state", "image"],
        json!({ "state": string(), "version": string(), "image": string(), "verified": { "type": "boolean" } }),
    ));
    crd(CLUSTER_VERSION)
        .column(
            "Version",
            "string",
            r#".status.history[?(@.state=="Completed")].version"#,
        )
        .column(
            "Available",
            "string",
            r#".status.conditions[?(@.type=="Available")].status"#,
        )
        .column(
            "Progressing",
            "string",
            r#".status.conditions[?(@.type=="Progressing")].status"#,
        )
        .column(
            "Since",
            "date",
            r#".status.conditions[?(@.type=="Progressing")].lastTransitionTime"#,
        )
        .column(
            "Status",
            "string",
            r#".status.conditions[?(@.type=="Progressing")].message"#,
        )
        .spec(open_with(
            &["clusterID"],
            json!({ "clusterID": string(), "channel": string() }),
        ))
        .status_schema(open(json!({ "history": history, "conditions": conditions() })))
        .build()
}

fn cluster_operator() -> Value {
    crd(CLUSTER_OPERATOR)
        .short(&["co"])
        .column(
            "Version",
            "string",
            r#".status.versions[?(@.name=="operator")].version"#,
        )
        .column(
            "Available",
            "string",
            r#".status.conditions[?(@.type=="Available")].status"#,
        )
        .column(
            "Progressing",
            "string",
            r#".status.conditions[?(@.type=="Progressing")].status"#,
        )
        .column(
            "Degraded",
            "string",
            r#".status.conditions[?(@.type=="Degraded")].status"#,
        )
        .column(
            "Since",
            "date",
            r#".status.conditions[?(@.type=="Available")].lastTransitionTime"#,
        )
        .build()
}

fn network_spec() -> Value {
    let range = open(json!({ "cidr": string(), "hostPrefix": { "type": "integer", "format": "int32", "minimum": 0 } }));
    open(json!({
        "clusterNetwork": list_of(range),
        "serviceNetwork": list_of(string()),
        "networkType": string(),
    }))
}

fn oauth_spec() -> Value {
    let provider = open(json!({ "name": string(), "type": string(), "mappingMethod": string() }));
    open(json!({ "identityProviders": list_of(provider) }))
}

fn ingress_controller() -> Value {
    let admission = open(json!({
        "namespaceOwnership": one_of(&["InterNamespaceAllowed", "Strict"]),
        "wildcardPolicy": one_of(&["WildcardsAllowed", "WildcardsDisallowed"]),
    }));
    crd(INGRESS_CONTROLLER)
        .scale_of(".status.availableReplicas", Some(".status.selector"))
        .spec(open(json!({
            "domain": string(),
            "replicas": { "type": "integer", "format": "int32" },
            "routeAdmission": admission,
        })))
        .build()
}

fn route() -> Value {
    let target = open_with(
        &["kind", "name"],
        json!({
            "kind": { "type": "string", "enum": ["Service", ""], "default": "Service" },
            "name": { "type": "string", "minLength": 1 },
            "weight": { "type": "integer", "format": "int32", "minimum": 0, "maximum": 256, "default": 100 },
        }),
    );
    let tls = open_with(
        &["termination"],
        json!({
            "termination": one_of(&["edge", "reencrypt", "passthrough"]),
            "insecureEdgeTerminationPolicy": one_of(&["Allow", "None", "Redirect", ""]),
        }),
    );
    let policy = json!({ "type": "string", "enum": ["None", "Subdomain", ""], "default": "None" });
    crd(ROUTE)
        // As OpenShift's own API server prints them.
        .column("Host/Port", "string", ".status.ingress[0].host")
        .column("Path", "string", ".spec.path")
        .column("Services", "string", ".spec.to.name")
        .column("Port", "string", ".spec.port.targetPort")
        .column("Termination", "string", ".spec.tls.termination")
        .column("Wildcard", "string", ".spec.wildcardPolicy")
        .spec(open_with(
            &["to"],
            json!({ "host": string(), "path": string(), "to": target, "tls": tls, "wildcardPolicy": policy }),
        ))
        .status_schema(open(json!({ "ingress": list_of(open(json!({ "host": string() }))) })))
        .required(&["spec"])
        .build()
}

fn console_cli_download(generation: Generation) -> Value {
    let age = if generation.is_current() { "date" } else { "string" };
    let link = open_with(
        &["href"],
        json!({ "href": { "type": "string", "pattern": "^https://" }, "text": string() }),
    );
    crd(CONSOLE_CLI_DOWNLOAD)
        .column("Display name", "string", ".spec.displayName")
        .column("Age", age, ".metadata.creationTimestamp")
        .spec(open_with(
            &["description", "displayName", "links"],
            json!({ "description": string(), "displayName": string(), "links": list_of(link) }),
        ))
        .required(&["spec"])
        .build()
}
