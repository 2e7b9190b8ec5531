//! The components of the multicluster engine, as data: names, defaults, Deployments.

use crate::generation::Generation;

/// A component that can be switched on and off.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) name: &'static str,
    pub(super) on_by_default: bool,
    /// Whether it came with the current generation.
    is_new: bool,
    /// An addon of the hub: not deployed before the hub knows ClusterManagementAddOns.
    pub(super) is_addon: bool,
    pub(super) deployments: &'static [Workload],
}

/// A Deployment of a component.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    /// Image's name in the registry.
    pub(super) image: &'static str,
    /// Replicas where availability is High; one where it is Basic.
    pub(super) replicas: u32,
}

const fn workload(name: &'static str, image: &'static str, replicas: u32) -> Workload {
    Workload { name, image, replicas }
}

const fn component(name: &'static str, deployments: &'static [Workload]) -> Component {
    Component {
        name,
        on_by_default: true,
        is_new: false,
        is_addon: false,
        deployments,
    }
}

/// One that only the current generation has.
const fn new(name: &'static str, on_by_default: bool, deployments: &'static [Workload]) -> Component {
    Component {
        on_by_default,
        is_new: true,
        ..component(name, deployments)
    }
}

const fn addon(name: &'static str, deployments: &'static [Workload]) -> Component {
    Component {
        name,
        on_by_default: true,
        is_new: false,
        is_addon: true,
        deployments,
    }
}

/// The components of a generation, in the order in which they are deployed: that of their names.
pub(super) fn all(generation: Generation) -> impl Iterator<Item = &'static Component> {
    ALL.iter()
        .filter(move |component| generation.is_current() || !component.is_new)
}

const ALL: [Component; 21] = [
    component(
        "assisted-service",
        &[workload("infrastructure-operator", "assisted-service-9-rhel9", 1)],
    ),
    new("cluster-api", false, &[]),
    new("cluster-api-provider-aws", false, &[]),
    new("cluster-api-provider-azure-preview", false, &[]),
    new("cluster-api-provider-metal3", false, &[]),
    new("cluster-api-provider-openshift-assisted", false, &[]),
    component(
        "cluster-lifecycle",
        &[
            workload("cluster-curator-controller", "cluster-curator-controller-rhel9", 2),
            workload("cluster-image-set-controller", "cluster-image-set-controller-rhel9", 1),
            workload("clusterclaims-controller", "clusterclaims-controller-rhel9", 2),
            workload(
                "clusterlifecycle-state-metrics-v2",
                "clusterlifecycle-state-metrics-rhel9",
                1,
            ),
            workload(
                "provider-credential-controller",
                "provider-credential-controller-rhel9",
                2,
            ),
        ],
    ),
    component(
        "cluster-manager",
        &[workload("cluster-manager", "registration-operator-rhel9", 3)],
    ),
    new(
        "cluster-permission",
        true,
        &[workload("cluster-permission", "cluster-permission-rhel9", 2)],
    ),
    addon(
        "cluster-proxy-addon",
        &[
            workload("cluster-proxy-addon-manager", "cluster-proxy-addon-rhel9", 2),
            workload("cluster-proxy-addon-user", "cluster-proxy-addon-rhel9", 2),
        ],
    ),
    component(
        "console-mce",
        &[workload("console-mce-console", "console-mce-rhel9", 2)],
    ),
    component("discovery", &[workload("discovery-operator", "discovery-rhel9", 1)]),
    new("fleet-navigation", true, &[]),
    component("hive", &[workload("hive-operator", "hive-rhel9", 1)]),
    addon(
        "hypershift",
        &[workload(
            "hypershift-addon-manager",
            "hypershift-addon-rhel9-operator",
            1,
        )],
    ),
    component("hypershift-local-hosting", &[]),
    Component {
        name: "image-based-install-operator",
        on_by_default: false,
        is_new: false,
        is_addon: false,
        deployments: &[],
    },
    component("local-cluster", &[]),
    new("maestro-preview", false, &[]),
    addon("managedserviceaccount", &[]),
    component(
        "server-foundation",
        &[
            workload(
                "managedcluster-import-controller-v2",
                "managedcluster-import-controller-rhel9",
                2,
            ),
            workload("ocm-controller", "multicloud-manager-rhel9", 2),
            workload("ocm-proxyserver", "multicloud-manager-rhel9", 2),
            workload("ocm-webhook", "multicloud-manager-rhel9", 2),
        ],
    ),
];
