//! The kinds that Berth reads or writes, as addresses on an API server.

/// A kind's address. Versions are those that both generations serve (`versions.md` of the facts; upstream's CRDs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// Kind, as in an object's `kind`.
    pub kind: &'static str,
    /// Plural name, as in a path.
    pub plural: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
}

impl Resource {
    const fn namespaced(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Self {
        Self {
            group,
            version,
            kind,
            plural,
            namespaced: true,
        }
    }

    const fn cluster(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Self {
        Self {
            group,
            version,
            kind,
            plural,
            namespaced: false,
        }
    }

    /// `apiVersion` of an object of this kind.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident = $scope:ident($group:literal, $version:literal, $kind:literal, $plural:literal);)*) => {
        $(
            $(#[$doc])*
            #[doc = concat!("`", $plural, ".", $group, "/", $version, "`")]
            pub const $name: &Resource = &Resource::$scope($group, $version, $kind, $plural);
        )*
        /// All of them.
        pub const ALL: &[&Resource] = &[$($name),*];
    };
}

resources! {
    NAMESPACE = cluster("", "v1", "Namespace", "namespaces");
    NODE = cluster("", "v1", "Node", "nodes");
    POD = namespaced("", "v1", "Pod", "pods");
    SECRET = namespaced("", "v1", "Secret", "secrets");
    CONFIG_MAP = namespaced("", "v1", "ConfigMap", "configmaps");
    SERVICE = namespaced("", "v1", "Service", "services");
    PERSISTENT_VOLUME_CLAIM = namespaced("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");
    EVENT = namespaced("", "v1", "Event", "events");
    DEPLOYMENT = namespaced("apps", "v1", "Deployment", "deployments");
    STATEFUL_SET = namespaced("apps", "v1", "StatefulSet", "statefulsets");
    LEASE = namespaced("coordination.k8s.io", "v1", "Lease", "leases");
    POD_DISRUPTION_BUDGET = namespaced("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets");
    STORAGE_CLASS = cluster("storage.k8s.io", "v1", "StorageClass", "storageclasses");
    CUSTOM_RESOURCE_DEFINITION = cluster("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");
    API_SERVICE = cluster("apiregistration.k8s.io", "v1", "APIService", "apiservices");
    CLUSTER_ROLE_BINDING = cluster("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings");
    CERTIFICATE_SIGNING_REQUEST = cluster("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests");
    CERTIFICATE_SIGNING_REQUEST_APPROVAL = namespaced("certificates.hypershift.openshift.io", "v1alpha1", "CertificateSigningRequestApproval", "certificatesigningrequestapprovals");
    CLUSTER_VERSION = cluster("config.openshift.io", "v1", "ClusterVersion", "clusterversions");
    CLUSTER_OPERATOR = cluster("config.openshift.io", "v1", "ClusterOperator", "clusteroperators");
    INFRASTRUCTURE = cluster("config.openshift.io", "v1", "Infrastructure", "infrastructures");
    NETWORK_CONFIG = cluster("config.openshift.io", "v1", "Network", "networks");
    INGRESS_CONFIG = cluster("config.openshift.io", "v1", "Ingress", "ingresses");
    INGRESS_CONTROLLER = namespaced("operator.openshift.io", "v1", "IngressController", "ingresscontrollers");
    ROUTE = namespaced("route.openshift.io", "v1", "Route", "routes");
    CONSOLE_CLI_DOWNLOAD = cluster("console.openshift.io", "v1", "ConsoleCLIDownload", "consoleclidownloads");
    PACKAGE_MANIFEST = namespaced("packages.operators.coreos.com", "v1", "PackageManifest", "packagemanifests");
    CATALOG_SOURCE = namespaced("operators.coreos.com", "v1alpha1", "CatalogSource", "catalogsources");
    OPERATOR_GROUP = namespaced("operators.coreos.com", "v1", "OperatorGroup", "operatorgroups");
    SUBSCRIPTION = namespaced("operators.coreos.com", "v1alpha1", "Subscription", "subscriptions");
    INSTALL_PLAN = namespaced("operators.coreos.com", "v1alpha1", "InstallPlan", "installplans");
    CLUSTER_SERVICE_VERSION = namespaced("operators.coreos.com", "v1alpha1", "ClusterServiceVersion", "clusterserviceversions");
    MULTI_CLUSTER_ENGINE = cluster("multicluster.openshift.io", "v1", "MultiClusterEngine", "multiclusterengines");
    MULTI_CLUSTER_HUB = namespaced("operator.open-cluster-management.io", "v1", "MultiClusterHub", "multiclusterhubs");
    MANAGED_CLUSTER = cluster("cluster.open-cluster-management.io", "v1", "ManagedCluster", "managedclusters");
    MANAGED_CLUSTER_ADD_ON = namespaced("addon.open-cluster-management.io", "v1alpha1", "ManagedClusterAddOn", "managedclusteraddons");
    HOSTED_CLUSTER = namespaced("hypershift.openshift.io", "v1beta1", "HostedCluster", "hostedclusters");
    NODE_POOL = namespaced("hypershift.openshift.io", "v1beta1", "NodePool", "nodepools");
    HOSTED_CONTROL_PLANE = namespaced("hypershift.openshift.io", "v1beta1", "HostedControlPlane", "hostedcontrolplanes");
    CONTROL_PLANE_COMPONENT = namespaced("hypershift.openshift.io", "v1beta1", "ControlPlaneComponent", "controlplanecomponents");
    MACHINE = namespaced("cluster.x-k8s.io", "v1beta1", "Machine", "machines");
    CAPI_CLUSTER = namespaced("cluster.x-k8s.io", "v1beta1", "Cluster", "clusters");
    KUBEVIRT_MACHINE = namespaced("infrastructure.cluster.x-k8s.io", "v1alpha1", "KubevirtMachine", "kubevirtmachines");
    VIRTUAL_MACHINE = namespaced("kubevirt.io", "v1", "VirtualMachine", "virtualmachines");
    VIRTUAL_MACHINE_INSTANCE = namespaced("kubevirt.io", "v1", "VirtualMachineInstance", "virtualmachineinstances");
    KUBE_VIRT = namespaced("kubevirt.io", "v1", "KubeVirt", "kubevirts");
    HYPER_CONVERGED = namespaced("hco.kubevirt.io", "v1beta1", "HyperConverged", "hyperconvergeds");
    DATA_VOLUME = namespaced("cdi.kubevirt.io", "v1beta1", "DataVolume", "datavolumes");
    STORAGE_PROFILE = cluster("cdi.kubevirt.io", "v1beta1", "StorageProfile", "storageprofiles");
    STORAGE_CLUSTER = namespaced("ocs.openshift.io", "v1", "StorageCluster", "storageclusters");
    METAL_LB = namespaced("metallb.io", "v1beta1", "MetalLB", "metallbs");
    IP_ADDRESS_POOL = namespaced("metallb.io", "v1beta1", "IPAddressPool", "ipaddresspools");
    BACKUP = namespaced("velero.io", "v1", "Backup", "backups");
    RESTORE = namespaced("velero.io", "v1", "Restore", "restores");
    BACKUP_STORAGE_LOCATION = namespaced("velero.io", "v1", "BackupStorageLocation", "backupstoragelocations");
    DATA_PROTECTION_APPLICATION = namespaced("oadp.openshift.io", "v1alpha1", "DataProtectionApplication", "dataprotectionapplications");
    L2_ADVERTISEMENT = namespaced("metallb.io", "v1beta1", "L2Advertisement", "l2advertisements");
}
