//! The built-in kinds' columns. A star marks what `-o wide` alone shows; a colon, a type that isn't text.

use jiff::Timestamp;
use serde_json::Value;

use super::{cluster, network, pod, storage, workload};

type Row = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Value, Timestamp) -> Vec<Value>,
);

const WORKLOAD: &str = "Name, Desired:integer, Current:integer, Ready:integer, Age, *Containers, *Images, *Selector";
const BINDING: &str = "Name, Role, Age, *Users, *Groups, *ServiceAccounts";

/// Group, kind, headers, and what makes an object's cells.
pub(super) const KINDS: &[Row] = &[
    (
        "",
        "Pod",
        "Name, Ready, Status, Restarts, Age, *IP, *Node, *Nominated Node, *Readiness Gates",
        pod::cells,
    ),
    ("", "ReplicationController", WORKLOAD, workload::replication_controller),
    ("apps", "ReplicaSet", WORKLOAD, workload::replica_set),
    (
        "apps",
        "Deployment",
        "Name, Ready, Up-to-date:integer, Available:integer, Age, *Containers, *Images, *Selector",
        workload::deployment,
    ),
    (
        "apps",
        "StatefulSet",
        "Name, Ready, Age, *Containers, *Images",
        workload::stateful_set,
    ),
    (
        "apps",
        "DaemonSet",
        "Name, Desired:integer, Current:integer, Ready:integer, Up-to-date:integer, Available:integer, Node Selector, \
         Age, *Containers, *Images, *Selector",
        workload::daemon_set,
    ),
    (
        "apps",
        "ControllerRevision",
        "Name, Controller, Revision:integer, Age",
        workload::controller_revision,
    ),
    (
        "batch",
        "Job",
        "Name, Status, Completions, Duration, Age, *Containers, *Images, *Selector",
        workload::job,
    ),
    (
        "batch",
        "CronJob",
        "Name, Schedule, Timezone, Suspend:boolean, Active:integer, Last Schedule, Age, *Containers, *Images, *Selector",
        workload::cron_job,
    ),
    (
        "autoscaling",
        "HorizontalPodAutoscaler",
        "Name, Reference, Targets, MinPods, MaxPods:integer, Replicas:integer, Age",
        workload::autoscaler,
    ),
    (
        "autoscaling",
        "Scale",
        "Name, Desired:integer, Available:integer, Age",
        workload::scale,
    ),
    (
        "policy",
        "PodDisruptionBudget",
        "Name, Min Available, Max Unavailable, Allowed Disruptions:integer, Age",
        workload::disruption_budget,
    ),
    (
        "",
        "Service",
        "Name, Type, Cluster-IP, External-IP, Port(s), Age, *Selector",
        network::service,
    ),
    ("", "Endpoints", "Name, Endpoints, Age", network::endpoints),
    (
        "discovery.k8s.io",
        "EndpointSlice",
        "Name, AddressType, Ports, Endpoints, Age",
        network::endpoint_slice,
    ),
    (
        "networking.k8s.io",
        "Ingress",
        "Name, Class, Hosts, Address, Ports, Age",
        network::ingress,
    ),
    (
        "networking.k8s.io",
        "NetworkPolicy",
        "Name, Pod-Selector, Age",
        network::network_policy,
    ),
    (
        "",
        "Node",
        "Name, Status, Roles, Age, Version, *Internal-IP, *External-IP, *OS-Image, *Kernel-Version, *Container-Runtime",
        cluster::node,
    ),
    ("", "Namespace", "Name, Status, Age", cluster::namespace),
    ("", "ConfigMap", "Name, Data:integer, Age", cluster::config_map),
    ("", "Secret", "Name, Type, Data:integer, Age", cluster::secret),
    ("", "ServiceAccount", "Name, Age", cluster::name_and_age),
    (
        "",
        "Event",
        "Last Seen, Type, Reason, Object, *Subobject, *Source, Message, *First Seen, *Count:integer, *Name",
        cluster::event,
    ),
    (
        "events.k8s.io",
        "Event",
        "Last Seen, Type, Reason, Object, *Subobject, *Source, Message, *First Seen, *Count:integer, *Name",
        cluster::event,
    ),
    (
        "",
        "ResourceQuota",
        "Name, Request, Limit, Age",
        cluster::resource_quota,
    ),
    ("coordination.k8s.io", "Lease", "Name, Holder, Age", cluster::lease),
    (
        "rbac.authorization.k8s.io",
        "Role",
        "Name, Created At:date",
        cluster::name_and_creation,
    ),
    (
        "rbac.authorization.k8s.io",
        "ClusterRole",
        "Name, Created At:date",
        cluster::name_and_creation,
    ),
    (
        "rbac.authorization.k8s.io",
        "RoleBinding",
        BINDING,
        cluster::role_binding,
    ),
    (
        "rbac.authorization.k8s.io",
        "ClusterRoleBinding",
        BINDING,
        cluster::role_binding,
    ),
    (
        "certificates.k8s.io",
        "CertificateSigningRequest",
        "Name, Age, SignerName, Requestor, RequestedDuration, Condition",
        cluster::signing_request,
    ),
    (
        "scheduling.k8s.io",
        "PriorityClass",
        "Name, Value:integer, Global-Default:boolean, Age, PreemptionPolicy",
        cluster::priority_class,
    ),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        "Name, Webhooks:integer, Age",
        cluster::webhook_configuration,
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        "Name, Webhooks:integer, Age",
        cluster::webhook_configuration,
    ),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "Name, Created At:date",
        cluster::name_and_creation,
    ),
    (
        "apiregistration.k8s.io",
        "APIService",
        "Name, Service, Available, Age",
        cluster::api_service,
    ),
    (
        "",
        "PersistentVolume",
        "Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, Reason, Age, \
         *VolumeMode",
        storage::volume,
    ),
    (
        "",
        "PersistentVolumeClaim",
        "Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, *VolumeMode",
        storage::claim,
    ),
    (
        "storage.k8s.io",
        "StorageClass",
        "Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion:boolean, Age",
        storage::class,
    ),
];
