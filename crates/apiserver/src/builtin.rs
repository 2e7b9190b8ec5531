//! The built-in kinds, as data.

use std::sync::{Arc, LazyLock};

use serde_json::json;

use crate::{
    resource::{NameRule, PrinterOf, Resource, Rules, Scale, SchemaOf, Source},
    store::ResourceId,
    table::{self, Printer},
    types,
};

/// Verbs of a resource that is stored.
pub(crate) const ALL_VERBS: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

/// Those of Namespaces: nobody deletes all of them at once.
const NAMESPACE_VERBS: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];

/// One row of the table of built-in kinds.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent traits of a kind, each set by a method of its name"
)]
struct Row {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
    short_names: &'static [&'static str],
    categories: &'static [&'static str],
    status: bool,
    scale: bool,
    review: bool,
    selectable: &'static [&'static str],
    rules: Rules,
}

const PLAIN: Rules = Rules {
    name: NameRule::Subdomain,
    generation: false,
    returns_deleted: false,
    needs_version: false,
    create_on_update: false,
    orphans: false,
};

const fn namespaced(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Row {
    Row {
        group,
        version,
        kind,
        plural,
        namespaced: true,
        short_names: &[],
        categories: &[],
        status: false,
        scale: false,
        review: false,
        selectable: &[],
        rules: PLAIN,
    }
}

const fn cluster(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Row {
    Row {
        namespaced: false,
        ..namespaced(group, version, kind, plural)
    }
}

impl Row {
    const fn short(self, short_names: &'static [&'static str]) -> Self {
        Self { short_names, ..self }
    }

    const fn all(self) -> Self {
        self.categories(&["all"])
    }

    const fn categories(self, categories: &'static [&'static str]) -> Self {
        Self { categories, ..self }
    }

    const fn status(self) -> Self {
        Self { status: true, ..self }
    }

    const fn scale(self) -> Self {
        Self { scale: true, ..self }
    }

    const fn review(self) -> Self {
        Self { review: true, ..self }
    }

    const fn selectable(self, selectable: &'static [&'static str]) -> Self {
        Self { selectable, ..self }
    }

    const fn named(self, name: NameRule) -> Self {
        Self {
            rules: Rules { name, ..self.rules },
            ..self
        }
    }

    const fn generation(self) -> Self {
        Self {
            rules: Rules {
                generation: true,
                ..self.rules
            },
            ..self
        }
    }

    const fn returns_deleted(self) -> Self {
        Self {
            rules: Rules {
                returns_deleted: true,
                ..self.rules
            },
            ..self
        }
    }

    const fn needs_version(self) -> Self {
        Self {
            rules: Rules {
                needs_version: true,
                ..self.rules
            },
            ..self
        }
    }

    const fn create_on_update(self) -> Self {
        Self {
            rules: Rules {
                create_on_update: true,
                ..self.rules
            },
            ..self
        }
    }

    const fn orphans(self) -> Self {
        Self {
            rules: Rules {
                orphans: true,
                ..self.rules
            },
            ..self
        }
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const STORAGE: &str = "storage.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";

/// In the order in which groups and resources are published, which decides whose short name wins.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    vec![
        namespaced("", "v1", "ConfigMap", "configmaps").short(&["cm"]),
        namespaced("", "v1", "Endpoints", "endpoints")
            .short(&["ep"])
            .create_on_update(),
        namespaced("", "v1", "Event", "events")
            .short(&["ev"])
            .create_on_update()
            .named(NameRule::PathSegment)
            .selectable(&[
                "involvedObject.kind",
                "involvedObject.namespace",
                "involvedObject.name",
                "involvedObject.uid",
                "involvedObject.apiVersion",
                "involvedObject.resourceVersion",
                "involvedObject.fieldPath",
                "reason",
                "reportingComponent",
                "source",
                "type",
            ]),
        namespaced("", "v1", "LimitRange", "limitranges")
            .short(&["limits"])
            .create_on_update(),
        cluster("", "v1", "Namespace", "namespaces")
            .short(&["ns"])
            .status()
            .returns_deleted()
            .named(NameRule::Label)
            .selectable(&["status.phase"]),
        cluster("", "v1", "Node", "nodes")
            .short(&["no"])
            .status()
            .selectable(&["spec.unschedulable"]),
        namespaced("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
            .short(&["pvc"])
            .status()
            .returns_deleted(),
        cluster("", "v1", "PersistentVolume", "persistentvolumes")
            .short(&["pv"])
            .status()
            .returns_deleted(),
        namespaced("", "v1", "Pod", "pods")
            .short(&["po"])
            .all()
            .status()
            .returns_deleted()
            .selectable(&[
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "spec.hostNetwork",
                "status.phase",
                "status.podIP",
                "status.podIPs",
                "status.nominatedNodeName",
            ]),
        namespaced("", "v1", "PodTemplate", "podtemplates")
            .returns_deleted()
            .generation(),
        namespaced("", "v1", "ReplicationController", "replicationcontrollers")
            .short(&["rc"])
            .all()
            .status()
            .scale()
            .generation()
            .orphans()
            .selectable(&["status.replicas"]),
        namespaced("", "v1", "ResourceQuota", "resourcequotas")
            .short(&["quota"])
            .status()
            .returns_deleted(),
        namespaced("", "v1", "Secret", "secrets").selectable(&["type"]),
        namespaced("", "v1", "ServiceAccount", "serviceaccounts")
            .short(&["sa"])
            .returns_deleted(),
        namespaced("", "v1", "Service", "services")
            .short(&["svc"])
            .all()
            .status()
            .returns_deleted()
            .create_on_update()
            .named(NameRule::Label1035)
            .selectable(&["spec.clusterIP", "spec.type"]),
        cluster("apiregistration.k8s.io", "v1", "APIService", "apiservices")
            .status()
            .categories(&["api-extensions"]),
        namespaced("apps", "v1", "ControllerRevision", "controllerrevisions"),
        namespaced("apps", "v1", "DaemonSet", "daemonsets")
            .short(&["ds"])
            .all()
            .status()
            .generation(),
        namespaced("apps", "v1", "Deployment", "deployments")
            .short(&["deploy"])
            .all()
            .status()
            .scale()
            .generation(),
        namespaced("apps", "v1", "ReplicaSet", "replicasets")
            .short(&["rs"])
            .all()
            .status()
            .scale()
            .generation()
            .selectable(&["status.replicas"]),
        namespaced("apps", "v1", "StatefulSet", "statefulsets")
            .short(&["sts"])
            .all()
            .status()
            .scale()
            .generation(),
        cluster("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews").review(),
        cluster("authentication.k8s.io", "v1", "TokenReview", "tokenreviews").review(),
        namespaced(
            AUTHORIZATION,
            "v1",
            "LocalSubjectAccessReview",
            "localsubjectaccessreviews",
        )
        .review(),
        cluster(
            AUTHORIZATION,
            "v1",
            "SelfSubjectAccessReview",
            "selfsubjectaccessreviews",
        )
        .review(),
        cluster(AUTHORIZATION, "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews").review(),
        cluster(AUTHORIZATION, "v1", "SubjectAccessReview", "subjectaccessreviews").review(),
        namespaced(
            "autoscaling",
            "v2",
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
        )
        .short(&["hpa"])
        .all()
        .status(),
        namespaced("batch", "v1", "CronJob", "cronjobs")
            .short(&["cj"])
            .all()
            .status()
            .generation(),
        namespaced("batch", "v1", "Job", "jobs")
            .all()
            .status()
            .generation()
            .orphans()
            .selectable(&["status.successful"]),
        cluster(
            "certificates.k8s.io",
            "v1",
            "CertificateSigningRequest",
            "certificatesigningrequests",
        )
        .short(&["csr"])
        .status()
        .selectable(&["spec.signerName"]),
        namespaced("networking.k8s.io", "v1", "Ingress", "ingresses")
            .short(&["ing"])
            .status()
            .generation(),
        cluster("networking.k8s.io", "v1", "IngressClass", "ingressclasses").generation(),
        namespaced("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
            .short(&["netpol"])
            .generation(),
        namespaced("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
            .short(&["pdb"])
            .status()
            .generation()
            .needs_version(),
        cluster(RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings")
            .create_on_update()
            .named(NameRule::PathSegment),
        cluster(RBAC, "v1", "ClusterRole", "clusterroles")
            .create_on_update()
            .named(NameRule::PathSegment),
        namespaced(RBAC, "v1", "RoleBinding", "rolebindings")
            .create_on_update()
            .named(NameRule::PathSegment),
        namespaced(RBAC, "v1", "Role", "roles")
            .create_on_update()
            .named(NameRule::PathSegment),
        cluster(STORAGE, "v1", "CSIDriver", "csidrivers").returns_deleted(),
        cluster(STORAGE, "v1", "CSINode", "csinodes").returns_deleted(),
        namespaced(STORAGE, "v1", "CSIStorageCapacity", "csistoragecapacities").returns_deleted(),
        cluster(STORAGE, "v1", "StorageClass", "storageclasses")
            .short(&["sc"])
            .returns_deleted(),
        cluster(STORAGE, "v1", "VolumeAttachment", "volumeattachments")
            .status()
            .returns_deleted(),
        cluster(
            ADMISSION,
            "v1",
            "MutatingWebhookConfiguration",
            "mutatingwebhookconfigurations",
        )
        .categories(&["api-extensions"])
        .generation()
        .needs_version(),
        cluster(
            ADMISSION,
            "v1",
            "ValidatingWebhookConfiguration",
            "validatingwebhookconfigurations",
        )
        .categories(&["api-extensions"])
        .generation()
        .needs_version(),
        cluster(
            ADMISSION,
            "v1",
            "ValidatingAdmissionPolicy",
            "validatingadmissionpolicies",
        )
        .categories(&["api-extensions"])
        .status()
        .generation()
        .needs_version(),
        cluster(
            ADMISSION,
            "v1",
            "ValidatingAdmissionPolicyBinding",
            "validatingadmissionpolicybindings",
        )
        .categories(&["api-extensions"])
        .generation()
        .needs_version(),
        cluster(
            "apiextensions.k8s.io",
            "v1",
            "CustomResourceDefinition",
            "customresourcedefinitions",
        )
        .short(&["crd", "crds"])
        .categories(&["api-extensions"])
        .status()
        .generation()
        .needs_version(),
        cluster("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses")
            .short(&["pc"])
            .generation(),
        namespaced("coordination.k8s.io", "v1", "Lease", "leases")
            .create_on_update()
            .needs_version(),
        cluster("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses").create_on_update(),
        namespaced("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices").generation(),
    ]
});

/// All built-in kinds, in the order in which they are published: the same for all servers of a process.
pub(crate) fn resources() -> Vec<Arc<Resource>> {
    static RESOURCES: LazyLock<Vec<Arc<Resource>>> =
        LazyLock::new(|| ROWS.iter().map(|row| Arc::new(resource(row))).collect());
    RESOURCES.clone()
}

fn resource(row: &'static Row) -> Resource {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Resource {
        id: ResourceId::new(row.group, row.plural),
        version: row.version.to_owned(),
        kind: row.kind.to_owned(),
        list_kind: format!("{}List", row.kind),
        singular: row.kind.to_lowercase(),
        short_names: texts(row.short_names),
        categories: texts(row.categories),
        namespaced: row.namespaced,
        verbs: match row.kind {
            _ if row.review => &["create"],
            "Namespace" => NAMESPACE_VERBS,
            _ => ALL_VERBS,
        },
        status: row.status,
        scale: row.scale.then(|| Scale {
            spec_replicas: ".spec.replicas".to_owned(),
            status_replicas: ".status.replicas".to_owned(),
            selector: None,
        }),
        source: if row.review { Source::Review } else { Source::BuiltIn },
        schema: SchemaOf::BuiltIn(types::built_in(row.group, row.version, row.kind)),
        conversion: None,
        printer: match table::builtin(row.group, row.kind) {
            Some(printer) => PrinterOf::Static(printer),
            None => PrinterOf::Custom(fallback_printer()),
        },
        selectable: texts(row.selectable),
        rules: row.rules,
        deprecation: None,
    }
}

/// What kinds print without columns of their own.
pub(crate) fn fallback_printer() -> Printer {
    table::from_crd(&json!([{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]))
}
