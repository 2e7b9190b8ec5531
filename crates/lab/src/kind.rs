//! The kinds that actors speak of, as addresses. Spelled here and not shared with anything under test.

/// A kind's address on an API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::struct_field_names, reason = "`kind` is the API's own name for it")]
pub(crate) struct Kind {
    /// API group, empty for the core group.
    pub(crate) group: &'static str,
    /// API version.
    pub(crate) version: &'static str,
    /// Kind, as in an object's `kind`.
    pub(crate) kind: &'static str,
    /// Plural name, as in a path.
    pub(crate) plural: &'static str,
    /// Whether objects live in a namespace.
    pub(crate) namespaced: bool,
}

const fn namespaced(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Kind {
    Kind {
        group,
        version,
        kind,
        plural,
        namespaced: true,
    }
}

const fn cluster(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Kind {
    Kind {
        group,
        version,
        kind,
        plural,
        namespaced: false,
    }
}

impl Kind {
    /// `apiVersion` of an object of this kind.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The path of a collection, or of one object.
    pub(crate) fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        if let (true, Some(namespace)) = (self.namespaced, namespace) {
            path.push_str("/namespaces/");
            path.push_str(namespace);
        }
        path.push('/');
        path.push_str(self.plural);
        if let Some(name) = name {
            path.push('/');
            path.push_str(name);
        }
        path
    }
}

pub(crate) const NAMESPACE: Kind = cluster("", "v1", "Namespace", "namespaces");
pub(crate) const NODE: Kind = cluster("", "v1", "Node", "nodes");
pub(crate) const POD: Kind = namespaced("", "v1", "Pod", "pods");
pub(crate) const SECRET: Kind = namespaced("", "v1", "Secret", "secrets");
pub(crate) const CONFIG_MAP: Kind = namespaced("", "v1", "ConfigMap", "configmaps");
pub(crate) const SERVICE: Kind = namespaced("", "v1", "Service", "services");
pub(crate) const SERVICE_ACCOUNT: Kind = namespaced("", "v1", "ServiceAccount", "serviceaccounts");
pub(crate) const PERSISTENT_VOLUME_CLAIM: Kind =
    namespaced("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");
pub(crate) const PERSISTENT_VOLUME: Kind = cluster("", "v1", "PersistentVolume", "persistentvolumes");
pub(crate) const EVENT: Kind = namespaced("", "v1", "Event", "events");
pub(crate) const DEPLOYMENT: Kind = namespaced("apps", "v1", "Deployment", "deployments");
pub(crate) const REPLICA_SET: Kind = namespaced("apps", "v1", "ReplicaSet", "replicasets");
pub(crate) const STATEFUL_SET: Kind = namespaced("apps", "v1", "StatefulSet", "statefulsets");
pub(crate) const DAEMON_SET: Kind = namespaced("apps", "v1", "DaemonSet", "daemonsets");
pub(crate) const CONTROLLER_REVISION: Kind = namespaced("apps", "v1", "ControllerRevision", "controllerrevisions");
pub(crate) const JOB: Kind = namespaced("batch", "v1", "Job", "jobs");
pub(crate) const CRON_JOB: Kind = namespaced("batch", "v1", "CronJob", "cronjobs");
pub(crate) const LEASE: Kind = namespaced("coordination.k8s.io", "v1", "Lease", "leases");
pub(crate) const STORAGE_CLASS: Kind = cluster("storage.k8s.io", "v1", "StorageClass", "storageclasses");
pub(crate) const CUSTOM_RESOURCE_DEFINITION: Kind = cluster(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
);

pub(crate) const CLUSTER_VERSION: Kind = cluster("config.openshift.io", "v1", "ClusterVersion", "clusterversions");
pub(crate) const CLUSTER_OPERATOR: Kind = cluster("config.openshift.io", "v1", "ClusterOperator", "clusteroperators");
pub(crate) const INFRASTRUCTURE: Kind = cluster("config.openshift.io", "v1", "Infrastructure", "infrastructures");
pub(crate) const INGRESS_CONFIG: Kind = cluster("config.openshift.io", "v1", "Ingress", "ingresses");
pub(crate) const DNS: Kind = cluster("config.openshift.io", "v1", "DNS", "dnses");
pub(crate) const NETWORK: Kind = cluster("config.openshift.io", "v1", "Network", "networks");
pub(crate) const PROXY: Kind = cluster("config.openshift.io", "v1", "Proxy", "proxies");
pub(crate) const OAUTH: Kind = cluster("config.openshift.io", "v1", "OAuth", "oauths");
pub(crate) const CONSOLE: Kind = cluster("config.openshift.io", "v1", "Console", "consoles");
pub(crate) const INGRESS_CONTROLLER: Kind =
    namespaced("operator.openshift.io", "v1", "IngressController", "ingresscontrollers");
pub(crate) const ROUTE: Kind = namespaced("route.openshift.io", "v1", "Route", "routes");
pub(crate) const CONSOLE_CLI_DOWNLOAD: Kind = cluster(
    "console.openshift.io",
    "v1",
    "ConsoleCLIDownload",
    "consoleclidownloads",
);

pub(crate) const USER: Kind = cluster("user.openshift.io", "v1", "User", "users");
pub(crate) const GROUP: Kind = cluster("user.openshift.io", "v1", "Group", "groups");
pub(crate) const IDENTITY: Kind = cluster("user.openshift.io", "v1", "Identity", "identities");
pub(crate) const USER_IDENTITY_MAPPING: Kind =
    cluster("user.openshift.io", "v1", "UserIdentityMapping", "useridentitymappings");
pub(crate) const OAUTH_CLIENT: Kind = cluster("oauth.openshift.io", "v1", "OAuthClient", "oauthclients");
pub(crate) const OAUTH_CLIENT_AUTHORIZATION: Kind = cluster(
    "oauth.openshift.io",
    "v1",
    "OAuthClientAuthorization",
    "oauthclientauthorizations",
);
pub(crate) const OAUTH_ACCESS_TOKEN: Kind =
    cluster("oauth.openshift.io", "v1", "OAuthAccessToken", "oauthaccesstokens");
pub(crate) const OAUTH_AUTHORIZE_TOKEN: Kind = cluster(
    "oauth.openshift.io",
    "v1",
    "OAuthAuthorizeToken",
    "oauthauthorizetokens",
);
pub(crate) const CLUSTER_ROLE: Kind = cluster("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles");
pub(crate) const CLUSTER_ROLE_BINDING: Kind = cluster(
    "rbac.authorization.k8s.io",
    "v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
);
pub(crate) const CERTIFICATE_SIGNING_REQUEST: Kind = cluster(
    "certificates.k8s.io",
    "v1",
    "CertificateSigningRequest",
    "certificatesigningrequests",
);
pub(crate) const CERTIFICATE_SIGNING_REQUEST_APPROVAL: Kind = namespaced(
    "certificates.hypershift.openshift.io",
    "v1alpha1",
    "CertificateSigningRequestApproval",
    "certificatesigningrequestapprovals",
);
pub(crate) const CERTIFICATE_REVOCATION_REQUEST: Kind = namespaced(
    "certificates.hypershift.openshift.io",
    "v1alpha1",
    "CertificateRevocationRequest",
    "certificaterevocationrequests",
);
pub(crate) const POD_DISRUPTION_BUDGET: Kind =
    namespaced("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets");

pub(crate) const CATALOG_SOURCE: Kind =
    namespaced("operators.coreos.com", "v1alpha1", "CatalogSource", "catalogsources");
pub(crate) const OPERATOR_GROUP: Kind = namespaced("operators.coreos.com", "v1", "OperatorGroup", "operatorgroups");
pub(crate) const SUBSCRIPTION: Kind = namespaced("operators.coreos.com", "v1alpha1", "Subscription", "subscriptions");
pub(crate) const INSTALL_PLAN: Kind = namespaced("operators.coreos.com", "v1alpha1", "InstallPlan", "installplans");
pub(crate) const CLUSTER_SERVICE_VERSION: Kind = namespaced(
    "operators.coreos.com",
    "v1alpha1",
    "ClusterServiceVersion",
    "clusterserviceversions",
);
pub(crate) const OPERATOR: Kind = cluster("operators.coreos.com", "v1", "Operator", "operators");

pub(crate) const MULTI_CLUSTER_ENGINE: Kind = cluster(
    "multicluster.openshift.io",
    "v1",
    "MultiClusterEngine",
    "multiclusterengines",
);
pub(crate) const CLUSTER_MANAGER: Kind = cluster(
    "operator.open-cluster-management.io",
    "v1",
    "ClusterManager",
    "clustermanagers",
);
pub(crate) const MANAGED_CLUSTER: Kind = cluster(
    "cluster.open-cluster-management.io",
    "v1",
    "ManagedCluster",
    "managedclusters",
);
pub(crate) const MANAGED_CLUSTER_ADD_ON: Kind = namespaced(
    "addon.open-cluster-management.io",
    "v1alpha1",
    "ManagedClusterAddOn",
    "managedclusteraddons",
);
pub(crate) const CLUSTER_MANAGEMENT_ADD_ON: Kind = cluster(
    "addon.open-cluster-management.io",
    "v1alpha1",
    "ClusterManagementAddOn",
    "clustermanagementaddons",
);

pub(crate) const MUTATING_WEBHOOK_CONFIGURATION: Kind = cluster(
    "admissionregistration.k8s.io",
    "v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
);
pub(crate) const VALIDATING_WEBHOOK_CONFIGURATION: Kind = cluster(
    "admissionregistration.k8s.io",
    "v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
);

pub(crate) const HOSTED_CLUSTER: Kind =
    namespaced("hypershift.openshift.io", "v1beta1", "HostedCluster", "hostedclusters");
pub(crate) const NODE_POOL: Kind = namespaced("hypershift.openshift.io", "v1beta1", "NodePool", "nodepools");
pub(crate) const HOSTED_CONTROL_PLANE: Kind = namespaced(
    "hypershift.openshift.io",
    "v1beta1",
    "HostedControlPlane",
    "hostedcontrolplanes",
);
pub(crate) const CONTROL_PLANE_COMPONENT: Kind = namespaced(
    "hypershift.openshift.io",
    "v1beta1",
    "ControlPlaneComponent",
    "controlplanecomponents",
);
pub(crate) const CLUSTER: Kind = namespaced("cluster.x-k8s.io", "v1beta1", "Cluster", "clusters");
pub(crate) const MACHINE_DEPLOYMENT: Kind =
    namespaced("cluster.x-k8s.io", "v1beta1", "MachineDeployment", "machinedeployments");
pub(crate) const MACHINE_SET: Kind = namespaced("cluster.x-k8s.io", "v1beta1", "MachineSet", "machinesets");
pub(crate) const MACHINE: Kind = namespaced("cluster.x-k8s.io", "v1beta1", "Machine", "machines");
pub(crate) const MACHINE_HEALTH_CHECK: Kind = namespaced(
    "cluster.x-k8s.io",
    "v1beta1",
    "MachineHealthCheck",
    "machinehealthchecks",
);
pub(crate) const KUBEVIRT_CLUSTER: Kind = namespaced(
    "infrastructure.cluster.x-k8s.io",
    "v1alpha1",
    "KubevirtCluster",
    "kubevirtclusters",
);
pub(crate) const KUBEVIRT_MACHINE: Kind = namespaced(
    "infrastructure.cluster.x-k8s.io",
    "v1alpha1",
    "KubevirtMachine",
    "kubevirtmachines",
);
pub(crate) const KUBEVIRT_MACHINE_TEMPLATE: Kind = namespaced(
    "infrastructure.cluster.x-k8s.io",
    "v1alpha1",
    "KubevirtMachineTemplate",
    "kubevirtmachinetemplates",
);

pub(crate) const VIRTUAL_MACHINE: Kind = namespaced("kubevirt.io", "v1", "VirtualMachine", "virtualmachines");
pub(crate) const VIRTUAL_MACHINE_INSTANCE: Kind =
    namespaced("kubevirt.io", "v1", "VirtualMachineInstance", "virtualmachineinstances");
pub(crate) const VIRTUAL_MACHINE_INSTANCE_MIGRATION: Kind = namespaced(
    "kubevirt.io",
    "v1",
    "VirtualMachineInstanceMigration",
    "virtualmachineinstancemigrations",
);
pub(crate) const HYPER_CONVERGED: Kind = namespaced("hco.kubevirt.io", "v1beta1", "HyperConverged", "hyperconvergeds");
pub(crate) const CDI: Kind = cluster("cdi.kubevirt.io", "v1beta1", "CDI", "cdis");
pub(crate) const STORAGE_PROFILE: Kind = cluster("cdi.kubevirt.io", "v1beta1", "StorageProfile", "storageprofiles");
pub(crate) const KUBEVIRT: Kind = namespaced("kubevirt.io", "v1", "KubeVirt", "kubevirts");
pub(crate) const DATA_VOLUME: Kind = namespaced("cdi.kubevirt.io", "v1beta1", "DataVolume", "datavolumes");
pub(crate) const METAL_LB: Kind = namespaced("metallb.io", "v1beta1", "MetalLB", "metallbs");
pub(crate) const STORAGE_CLUSTER: Kind = namespaced("ocs.openshift.io", "v1", "StorageCluster", "storageclusters");
pub(crate) const CEPH_CLUSTER: Kind = namespaced("ceph.rook.io", "v1", "CephCluster", "cephclusters");
pub(crate) const VOLUME_SNAPSHOT_CLASS: Kind = cluster(
    "snapshot.storage.k8s.io",
    "v1",
    "VolumeSnapshotClass",
    "volumesnapshotclasses",
);
pub(crate) const IP_ADDRESS_POOL: Kind = namespaced("metallb.io", "v1beta1", "IPAddressPool", "ipaddresspools");
pub(crate) const L2_ADVERTISEMENT: Kind = namespaced("metallb.io", "v1beta1", "L2Advertisement", "l2advertisements");

pub(crate) const HCP_ETCD_BACKUP: Kind =
    namespaced("hypershift.openshift.io", "v1beta1", "HCPEtcdBackup", "hcpetcdbackups");
pub(crate) const BACKUP: Kind = namespaced("velero.io", "v1", "Backup", "backups");
pub(crate) const RESTORE: Kind = namespaced("velero.io", "v1", "Restore", "restores");
pub(crate) const BACKUP_STORAGE_LOCATION: Kind =
    namespaced("velero.io", "v1", "BackupStorageLocation", "backupstoragelocations");
pub(crate) const DATA_PROTECTION_APPLICATION: Kind = namespaced(
    "oadp.openshift.io",
    "v1alpha1",
    "DataProtectionApplication",
    "dataprotectionapplications",
);
