//! The table of built-in types: list keys, patch strategies, defaults.
//!
//! Facts about the Kubernetes API, one line each. A type lists only the fields of which there is something to say.

use Field::{Default, Keyed, List, Map, Metadata, Patched, Raw, RetainKeys, Set, Struct, Whole};

/// What there is to say of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    /// A struct of a listed type.
    Struct(&'static str),
    /// The metadata of an object inside another.
    Metadata,
    /// A list that merges as one value, its items of a listed type (or of none: "").
    List(&'static str),
    /// A list that merges by these keys; strategic merge patches use the first alone.
    Keyed(&'static [&'static str], &'static str),
    /// A list that merges as one value when applied, and by this key when patched strategically.
    Patched(&'static str, &'static str),
    /// A list of plain values that merges as a set.
    Set,
    /// An object that merges as one value.
    Whole,
    /// A map of texts.
    Map,
    /// A strategic merge patch names all keys that stay.
    RetainKeys,
    /// Any JSON, nulls included.
    Raw,
    /// What stands there where nothing was said, as JSON.
    Default(&'static str),
}

/// Group, kind, type.
pub(super) const KINDS: &[(&str, &str, &str)] = &[
    ("", "Pod", "Pod"),
    ("", "PodTemplate", "PodTemplate"),
    ("", "ReplicationController", "ReplicationController"),
    ("", "Service", "Service"),
    ("", "Secret", "Secret"),
    ("", "ConfigMap", "ConfigMap"),
    ("", "ServiceAccount", "ServiceAccount"),
    ("", "Namespace", "Namespace"),
    ("", "Node", "Node"),
    ("", "PersistentVolume", "PersistentVolume"),
    ("", "PersistentVolumeClaim", "PersistentVolumeClaim"),
    ("", "Endpoints", "Endpoints"),
    ("", "Event", "Event"),
    ("", "ResourceQuota", "ResourceQuota"),
    ("events.k8s.io", "Event", "Event"),
    ("apps", "Deployment", "Deployment"),
    ("apps", "ReplicaSet", "ReplicaSet"),
    ("apps", "StatefulSet", "StatefulSet"),
    ("apps", "DaemonSet", "DaemonSet"),
    ("apps", "ControllerRevision", "ControllerRevision"),
    ("batch", "Job", "Job"),
    ("batch", "CronJob", "CronJob"),
    ("coordination.k8s.io", "Lease", ""),
    ("storage.k8s.io", "StorageClass", "StorageClass"),
    ("rbac.authorization.k8s.io", "Role", ""),
    ("rbac.authorization.k8s.io", "ClusterRole", ""),
    ("rbac.authorization.k8s.io", "RoleBinding", "RoleBinding"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "RoleBinding"),
    ("discovery.k8s.io", "EndpointSlice", "EndpointSlice"),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "CustomResourceDefinition",
    ),
    ("apiregistration.k8s.io", "APIService", "WithConditions"),
    ("certificates.k8s.io", "CertificateSigningRequest", "WithConditions"),
    ("networking.k8s.io", "NetworkPolicy", "NetworkPolicy"),
    ("networking.k8s.io", "Ingress", "Ingress"),
    ("policy", "PodDisruptionBudget", "PodDisruptionBudget"),
    ("autoscaling", "HorizontalPodAutoscaler", "HorizontalPodAutoscaler"),
    ("scheduling.k8s.io", "PriorityClass", "PriorityClass"),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
    ),
];

/// Types by name, each with its fields.
pub(super) const TYPES: &[(&str, &[(&str, Field)])] = &[
    // Pods.
    ("Pod", &[("spec", Struct("PodSpec")), ("status", Struct("PodStatus"))]),
    ("PodTemplate", &[("template", Struct("PodTemplateSpec"))]),
    (
        "PodTemplateSpec",
        &[("metadata", Metadata), ("spec", Struct("PodSpec"))],
    ),
    (
        "PodSpec",
        &[
            ("containers", Keyed(&["name"], "Container")),
            ("initContainers", Keyed(&["name"], "Container")),
            ("ephemeralContainers", Keyed(&["name"], "Container")),
            ("volumes", Keyed(&["name"], "Volume")),
            ("volumes", RetainKeys),
            ("imagePullSecrets", Keyed(&["name"], "")),
            ("hostAliases", Keyed(&["ip"], "")),
            (
                "topologySpreadConstraints",
                Keyed(&["topologyKey", "whenUnsatisfiable"], "TopologySpread"),
            ),
            ("schedulingGates", Keyed(&["name"], "")),
            ("resourceClaims", Keyed(&["name"], "")),
            ("resourceClaims", RetainKeys),
            ("affinity", Struct("Affinity")),
            ("nodeSelector", Map),
            ("nodeSelector", Whole),
            ("restartPolicy", Default("\"Always\"")),
            ("dnsPolicy", Default("\"ClusterFirst\"")),
            ("terminationGracePeriodSeconds", Default("30")),
            ("securityContext", Default("{}")),
            ("schedulerName", Default("\"default-scheduler\"")),
        ],
    ),
    (
        "Container",
        &[
            ("ports", Keyed(&["containerPort", "protocol"], "ContainerPort")),
            ("env", Keyed(&["name"], "EnvVar")),
            ("volumeMounts", Keyed(&["mountPath"], "")),
            ("volumeDevices", Keyed(&["devicePath"], "")),
            ("resources", Struct("Resources")),
            ("resources", Default("{}")),
            ("livenessProbe", Struct("Probe")),
            ("readinessProbe", Struct("Probe")),
            ("startupProbe", Struct("Probe")),
            ("terminationMessagePath", Default("\"/dev/termination-log\"")),
            ("terminationMessagePolicy", Default("\"File\"")),
        ],
    ),
    ("ContainerPort", &[("protocol", Default("\"TCP\""))]),
    ("EnvVar", &[("valueFrom", Struct("EnvVarSource"))]),
    (
        "EnvVarSource",
        &[
            ("fieldRef", Struct("FieldRef")),
            ("fieldRef", Whole),
            ("resourceFieldRef", Whole),
            ("configMapKeyRef", Whole),
            ("secretKeyRef", Whole),
        ],
    ),
    ("FieldRef", &[("apiVersion", Default("\"v1\""))]),
    ("Resources", &[("claims", Keyed(&["name"], ""))]),
    (
        "Probe",
        &[
            ("timeoutSeconds", Default("1")),
            ("periodSeconds", Default("10")),
            ("successThreshold", Default("1")),
            ("failureThreshold", Default("3")),
            ("httpGet", Struct("HttpGet")),
        ],
    ),
    (
        "HttpGet",
        &[("scheme", Default("\"HTTP\"")), ("path", Default("\"/\""))],
    ),
    ("TopologySpread", &[("labelSelector", Whole)]),
    ("Affinity", &[("nodeAffinity", Struct("NodeAffinity"))]),
    (
        "NodeAffinity",
        &[("requiredDuringSchedulingIgnoredDuringExecution", Whole)],
    ),
    (
        "Volume",
        &[
            ("secret", Struct("VolumeOfFiles")),
            ("configMap", Struct("VolumeOfFiles")),
            ("downwardAPI", Struct("VolumeOfFiles")),
            ("projected", Struct("ProjectedVolume")),
            ("hostPath", Struct("HostPath")),
            ("ephemeral", Struct("EphemeralVolume")),
        ],
    ),
    ("VolumeOfFiles", &[("defaultMode", Default("420"))]),
    (
        "ProjectedVolume",
        &[("defaultMode", Default("420")), ("sources", List("VolumeProjection"))],
    ),
    (
        "VolumeProjection",
        &[("serviceAccountToken", Struct("TokenProjection"))],
    ),
    ("TokenProjection", &[("expirationSeconds", Default("3600"))]),
    ("HostPath", &[("type", Default("\"\""))]),
    ("EphemeralVolume", &[("volumeClaimTemplate", Struct("ClaimTemplate"))]),
    (
        "PodStatus",
        &[
            ("conditions", Keyed(&["type"], "")),
            ("podIPs", Keyed(&["ip"], "")),
            ("hostIPs", Patched("ip", "")),
            ("resourceClaimStatuses", Keyed(&["name"], "")),
            ("phase", Default("\"Pending\"")),
        ],
    ),
    // Workloads.
    (
        "Deployment",
        &[("spec", Struct("DeploymentSpec")), ("status", Struct("Conditions"))],
    ),
    (
        "DeploymentSpec",
        &[
            ("replicas", Default("1")),
            ("selector", Whole),
            ("template", Struct("PodTemplateSpec")),
            ("strategy", RetainKeys),
            ("revisionHistoryLimit", Default("10")),
            ("progressDeadlineSeconds", Default("600")),
        ],
    ),
    (
        "ReplicaSet",
        &[("spec", Struct("ReplicaSetSpec")), ("status", Struct("Conditions"))],
    ),
    (
        "ReplicaSetSpec",
        &[
            ("replicas", Default("1")),
            ("selector", Whole),
            ("template", Struct("PodTemplateSpec")),
        ],
    ),
    (
        "ReplicationController",
        &[("spec", Struct("ReplicaSetSpec")), ("status", Struct("Conditions"))],
    ),
    (
        "StatefulSet",
        &[("spec", Struct("StatefulSetSpec")), ("status", Struct("Conditions"))],
    ),
    (
        "StatefulSetSpec",
        &[
            ("replicas", Default("1")),
            ("selector", Whole),
            ("template", Struct("PodTemplateSpec")),
            ("volumeClaimTemplates", List("ClaimTemplate")),
            ("podManagementPolicy", Default("\"OrderedReady\"")),
            ("revisionHistoryLimit", Default("10")),
            (
                "persistentVolumeClaimRetentionPolicy",
                Default("{\"whenDeleted\": \"Retain\", \"whenScaled\": \"Retain\"}"),
            ),
        ],
    ),
    (
        "DaemonSet",
        &[("spec", Struct("DaemonSetSpec")), ("status", Struct("Conditions"))],
    ),
    (
        "DaemonSetSpec",
        &[
            ("selector", Whole),
            ("template", Struct("PodTemplateSpec")),
            ("revisionHistoryLimit", Default("10")),
        ],
    ),
    ("ControllerRevision", &[("data", Raw)]),
    ("Job", &[("spec", Struct("JobSpec")), ("status", Struct("JobStatus"))]),
    (
        "JobSpec",
        &[
            ("selector", Whole),
            ("template", Struct("PodTemplateSpec")),
            ("backoffLimit", Default("6")),
            ("completionMode", Default("\"NonIndexed\"")),
            ("suspend", Default("false")),
        ],
    ),
    ("JobStatus", &[("conditions", Patched("type", ""))]),
    ("CronJob", &[("spec", Struct("CronJobSpec"))]),
    (
        "CronJobSpec",
        &[
            ("jobTemplate", Struct("JobTemplate")),
            ("concurrencyPolicy", Default("\"Allow\"")),
            ("suspend", Default("false")),
            ("successfulJobsHistoryLimit", Default("3")),
            ("failedJobsHistoryLimit", Default("1")),
        ],
    ),
    (
        "JobTemplate",
        &[("metadata", Metadata), ("spec", Struct("JobTemplateSpec"))],
    ),
    (
        "JobTemplateSpec",
        &[("selector", Whole), ("template", Struct("PodTemplateSpec"))],
    ),
    (
        "PodDisruptionBudget",
        &[("spec", Struct("DisruptionSpec")), ("status", Struct("Conditions"))],
    ),
    ("DisruptionSpec", &[("selector", Whole)]),
    (
        "HorizontalPodAutoscaler",
        &[("spec", Struct("AutoscalerSpec")), ("status", Struct("Conditions"))],
    ),
    ("AutoscalerSpec", &[("minReplicas", Default("1"))]),
    // Networking.
    (
        "Service",
        &[("spec", Struct("ServiceSpec")), ("status", Struct("ServiceStatus"))],
    ),
    (
        "ServiceSpec",
        &[
            ("ports", Keyed(&["port", "protocol"], "ServicePort")),
            ("selector", Map),
            ("selector", Whole),
            ("type", Default("\"ClusterIP\"")),
            ("sessionAffinity", Default("\"None\"")),
        ],
    ),
    ("ServicePort", &[("protocol", Default("\"TCP\""))]),
    (
        "ServiceStatus",
        &[("conditions", Keyed(&["type"], "")), ("loadBalancer", Default("{}"))],
    ),
    ("Endpoints", &[("subsets", List("EndpointSubset"))]),
    ("EndpointSubset", &[("ports", List("ServicePort"))]),
    ("EndpointSlice", &[("ports", List("EndpointPort"))]),
    (
        "EndpointPort",
        &[("name", Default("\"\"")), ("protocol", Default("\"TCP\""))],
    ),
    ("NetworkPolicy", &[("spec", Struct("NetworkPolicySpec"))]),
    (
        "NetworkPolicySpec",
        &[
            ("podSelector", Whole),
            ("podSelector", Default("{}")),
            ("ingress", List("NetworkPolicyRule")),
            ("egress", List("NetworkPolicyRule")),
        ],
    ),
    ("NetworkPolicyRule", &[("ports", List("ServicePort"))]),
    (
        "Ingress",
        &[("spec", Struct("IngressSpec")), ("status", Struct("IngressStatus"))],
    ),
    ("IngressSpec", &[("defaultBackend", Struct("IngressBackend"))]),
    ("IngressBackend", &[("resource", Whole)]),
    ("IngressStatus", &[("loadBalancer", Default("{}"))]),
    // Configuration and identity.
    (
        "Secret",
        &[("type", Default("\"Opaque\"")), ("data", Map), ("stringData", Map)],
    ),
    ("ConfigMap", &[("data", Map), ("binaryData", Map)]),
    ("ServiceAccount", &[("secrets", Keyed(&["name"], ""))]),
    ("RoleBinding", &[("roleRef", Whole)]),
    (
        "Namespace",
        &[
            ("status", Struct("NamespaceStatus")),
            ("status", Default("{\"phase\": \"Active\"}")),
        ],
    ),
    (
        "NamespaceStatus",
        &[("conditions", Keyed(&["type"], "")), ("phase", Default("\"Active\""))],
    ),
    ("ResourceQuota", &[("spec", Struct("ResourceQuotaSpec"))]),
    ("ResourceQuotaSpec", &[("scopeSelector", Whole)]),
    (
        "PriorityClass",
        &[("preemptionPolicy", Default("\"PreemptLowerPriority\""))],
    ),
    (
        "Event",
        &[("involvedObject", Whole), ("regarding", Whole), ("related", Whole)],
    ),
    // Nodes and storage.
    (
        "Node",
        &[("spec", Struct("NodeSpec")), ("status", Struct("NodeStatus"))],
    ),
    ("NodeSpec", &[("podCIDRs", Set)]),
    (
        "NodeStatus",
        &[
            ("addresses", Keyed(&["type"], "")),
            ("conditions", Keyed(&["type"], "")),
        ],
    ),
    (
        "PersistentVolume",
        &[("spec", Struct("VolumeSpec")), ("status", Struct("PendingPhase"))],
    ),
    (
        "VolumeSpec",
        &[
            ("persistentVolumeReclaimPolicy", Default("\"Retain\"")),
            ("volumeMode", Default("\"Filesystem\"")),
        ],
    ),
    ("PendingPhase", &[("phase", Default("\"Pending\""))]),
    (
        "PersistentVolumeClaim",
        &[("spec", Struct("ClaimSpec")), ("status", Struct("ClaimStatus"))],
    ),
    (
        "ClaimTemplate",
        &[("metadata", Metadata), ("spec", Struct("ClaimSpec"))],
    ),
    (
        "ClaimSpec",
        &[
            ("selector", Whole),
            ("dataSource", Whole),
            ("volumeMode", Default("\"Filesystem\"")),
        ],
    ),
    (
        "ClaimStatus",
        &[("conditions", Keyed(&["type"], "")), ("phase", Default("\"Pending\""))],
    ),
    (
        "StorageClass",
        &[
            ("parameters", Map),
            ("reclaimPolicy", Default("\"Delete\"")),
            ("volumeBindingMode", Default("\"Immediate\"")),
        ],
    ),
    // Extending the API.
    (
        "CustomResourceDefinition",
        &[("spec", Struct("CustomResourceSpec")), ("status", Struct("Conditions"))],
    ),
    ("CustomResourceSpec", &[("versions", List("CustomResourceVersion"))]),
    ("CustomResourceVersion", &[("schema", Struct("CustomResourceSchema"))]),
    // A schema's defaults and allowed values may be null.
    ("CustomResourceSchema", &[("openAPIV3Schema", Raw)]),
    (
        "MutatingWebhookConfiguration",
        &[("webhooks", Keyed(&["name"], "MutatingWebhook"))],
    ),
    (
        "ValidatingWebhookConfiguration",
        &[("webhooks", Keyed(&["name"], "Webhook"))],
    ),
    (
        "MutatingWebhook",
        &[
            ("clientConfig", Struct("WebhookClient")),
            ("rules", List("WebhookRule")),
            ("matchConditions", Keyed(&["name"], "")),
            ("failurePolicy", Default("\"Fail\"")),
            ("matchPolicy", Default("\"Equivalent\"")),
            ("namespaceSelector", Whole),
            ("namespaceSelector", Default("{}")),
            ("objectSelector", Whole),
            ("objectSelector", Default("{}")),
            ("timeoutSeconds", Default("10")),
            ("reinvocationPolicy", Default("\"Never\"")),
        ],
    ),
    (
        "Webhook",
        &[
            ("clientConfig", Struct("WebhookClient")),
            ("rules", List("WebhookRule")),
            ("matchConditions", Keyed(&["name"], "")),
            ("failurePolicy", Default("\"Fail\"")),
            ("matchPolicy", Default("\"Equivalent\"")),
            ("namespaceSelector", Whole),
            ("namespaceSelector", Default("{}")),
            ("objectSelector", Whole),
            ("objectSelector", Default("{}")),
            ("timeoutSeconds", Default("10")),
        ],
    ),
    ("WebhookClient", &[("service", Struct("WebhookService"))]),
    ("WebhookService", &[("port", Default("443"))]),
    ("WebhookRule", &[("scope", Default("\"*\""))]),
    // Shared.
    ("Conditions", &[("conditions", Keyed(&["type"], ""))]),
    ("WithConditions", &[("status", Struct("Conditions"))]),
];
