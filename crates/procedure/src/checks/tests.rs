use berth_api::resources;
use serde_json::json;

use super::*;
use crate::fixtures::{EXAMPLE, World, documents, object};

fn run_on(world: &World, text: &str) -> Vec<CheckResult> {
    let documents = documents(text);
    run(&documents, &world.facts(&watches(&documents)))
}

fn result<'a>(results: &'a [CheckResult], id: &str) -> &'a CheckResult {
    // The worst of the rules that share an ID.
    let rank = |result: &&CheckResult| match result.verdict {
        Verdict::Refused => 0,
        Verdict::Warn => 1,
        Verdict::MendedBy(_) => 2,
        Verdict::Unknown => 3,
        Verdict::Pass => 4,
    };
    results
        .iter()
        .filter(|result| result.id == id)
        .min_by_key(rank)
        .expect("there is such a rule")
}

fn guest_with(field: &str) -> String {
    EXAMPLE.replace("  pullSecret:", &format!("  {field}\n  pullSecret:"))
}

#[test]
fn a_bare_hub_is_fit_for_the_example() {
    let lines: Vec<_> = run_on(&World::bare(), EXAMPLE)
        .iter()
        .map(|result| {
            format!(
                "{} {:?}: {}: {}",
                result.id, result.verdict, result.title, result.evidence
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    P08 Pass: OpenShift is 4.14 or newer and settled: 4.17.9
    P11 Pass: the management cluster is highly available: controlPlaneTopology HighlyAvailable
    P11 Pass: three nodes take control planes and workers: 3 schedulable nodes
    cluster-operators Pass: the cluster's own operators are healthy: none that hosting stands on is degraded
    P08 Pass: OpenShift Virtualization is installed and healthy: KubeVirt v1.3.1 is Deployed
    P02 MendedBy(StepId("storage")): one storage class is the default: none is
    P03 Pass: etcd of guest-cluster-0 gets its volumes: provisioner openshift-storage.rbd.csi.ceph.com
    P04 Pass: workers of guest-cluster-0/workers can be moved between nodes: ReadWriteMany with Block volumes
    P09 Pass: the catalog offers a multicluster engine for this OpenShift: stable-2.7 on OpenShift 4.17.9
    P13 MendedBy(StepId("multicluster-engine-operator")): OLM can install into the namespace: no OperatorGroup yet
    P06 Pass: the network plug-in is OVN-Kubernetes: OVNKubernetes
    P07 Pass: the pod network's MTU leaves room for guests: 9000
    P01 MendedBy(StepId("ingress")): wildcard routes are admitted: wildcardPolicy not set, which refuses them
    P05 Pass: services of type LoadBalancer get an address: 256 free addresses in pools
    guest-name Pass: nothing else is called guest-cluster-0: the name is free, or this guest's own
    C01 Pass: networks of guest-cluster-0 overlap no other: 10.132.0.0/14, 172.31.0.0/16
    P10 Pass: HyperShift creates guest-cluster-0's release: stable-2.7 makes guests of 4.17
    P16 Pass: the nodes have room for the control planes: room for 10 highly available control planes, bound by pods; 0 exist, 1 more planned
    "#);
}

#[test]
fn a_pinned_document_is_refused_elsewhere_with_its_place() {
    let text = EXAMPLE.replace(
        "  storage:",
        "  clusterID: 11111111-2222-4333-8444-555555555555\n  storage:",
    );
    let results = run_on(&World::bare(), &text);
    let found = result(&results, "cluster-id");
    assert!(found.is_refused());
    assert_eq!(
        found.at.as_ref().map(ToString::to_string).as_deref(),
        Some("documents.yaml:6:14")
    );

    let text = text.replace(
        "11111111-2222-4333-8444-555555555555",
        "c0ffee00-0000-4000-8000-000000000000",
    );
    assert_eq!(
        result(&run_on(&World::bare(), &text), "cluster-id").verdict,
        Verdict::Pass
    );
    // A pin that cannot be compared protects nobody.
    assert!(result(&run_on(World::bare().unreadable("ClusterVersion"), &text), "cluster-id").is_refused());
}

#[test]
fn a_network_that_overlaps_the_management_clusters_is_refused_with_its_place() {
    let text = guest_with("networking: {clusterNetwork: [10.128.0.0/14]}");
    let results = run_on(&World::bare(), &text);
    let found = result(&results, "C01");
    assert!(found.is_refused());
    assert!(
        found
            .evidence
            .contains("10.128.0.0/14, the management cluster's cluster network"),
        "{}",
        found.evidence
    );
    let at = found.at.as_ref().expect("the document is at fault");
    assert!(
        text.lines()
            .nth(at.line as usize - 1)
            .is_some_and(|line| line.contains("clusterNetwork")),
        "{at}"
    );
}

#[test]
fn networks_are_held_against_nodes_services_and_what_ovn_keeps() {
    for (field, whose) in [
        ("networking: {machineNetwork: [192.168.10.0/24]}", "node worker-0"),
        ("networking: {serviceNetwork: [172.30.128.0/24]}", "service network"),
        ("networking: {clusterNetwork: [100.64.0.0/16]}", "join network"),
    ] {
        let results = run_on(&World::bare(), &guest_with(field));
        let found = result(&results, "C01");
        assert!(
            found.is_refused() && found.evidence.contains(whose),
            "{field}: {found:?}"
        );
    }
}

#[test]
fn unfit_hubs_are_refused() {
    let refused = |id: &str, change: &dyn Fn(&mut World)| {
        let mut world = World::bare();
        change(&mut world);
        let results = run_on(&world, EXAMPLE);
        let found = result(&results, id);
        assert!(found.is_refused(), "{found:?}");
        assert!(!found.fix.is_empty(), "{found:?}");
    };
    refused("P06", &|world| {
        world.change("Network", "cluster", |network| {
            network["status"]["networkType"] = json!("Calico");
        });
    });
    refused("P11", &|world| {
        world.change("Node", "worker-0", |node| node["spec"]["unschedulable"] = json!(true));
    });
    refused("P11", &|world| {
        world.change("Infrastructure", "cluster", |object| {
            object["status"]["controlPlaneTopology"] = json!("SingleReplica");
        });
    });
    refused("P08", &|world| {
        world.remove("HyperConverged");
    });
    refused("P05", &|world| {
        world.remove("IPAddressPool");
    });
    refused("P03", &|world| {
        world.remove("StorageClass");
    });
    refused("P09", &|world| {
        world.remove("PackageManifest");
    });
    refused("P13", &|world| {
        for name in ["one", "two"] {
            world.put(object(
                resources::OPERATOR_GROUP,
                "multicluster-engine",
                name,
                &json!({}),
            ));
        }
    });
    refused("P10", &|world| {
        world.put(object(
            resources::CONFIG_MAP,
            "hypershift",
            "supported-versions",
            &json!({ "data": { "supported-versions": r#"{"versions":["4.16","4.15"]}"# } }),
        ));
    });
    refused("guest-name", &|world| {
        world.put(object(
            resources::HOSTED_CLUSTER,
            "elsewhere",
            "guest-cluster-0",
            &json!({}),
        ));
    });
    refused("guest-name", &|world| {
        world.put(object(resources::MANAGED_CLUSTER, "", "guest-cluster-0", &json!({})));
    });
}

#[test]
fn a_guests_own_import_is_no_collision() {
    let mut world = World::bare();
    world.put(object(
        resources::MANAGED_CLUSTER,
        "",
        "guest-cluster-0",
        &json!({ "metadata": { "annotations": { "open-cluster-management/created-via": "hypershift" } } }),
    ));
    assert_eq!(result(&run_on(&world, EXAMPLE), "guest-name").verdict, Verdict::Pass);
}

#[test]
fn a_guest_that_has_its_address_needs_no_other() {
    let mut world = World::bare();
    world.remove("IPAddressPool").put(object(
        resources::HOSTED_CLUSTER,
        "hcp",
        "guest-cluster-0",
        &json!({ "status": { "controlPlaneEndpoint": { "host": "192.168.20.1", "port": 6443 } } }),
    ));
    assert!(run_on(&world, EXAMPLE).iter().all(|result| result.id != "P05"));
}

#[test]
fn a_channel_by_name_must_fit() {
    for (channel, refused) in [("stable-2.7", false), ("stable-2.5", true), ("stable-9.9", true)] {
        let text = EXAMPLE.replace("channel: auto", &format!("channel: {channel}"));
        assert_eq!(
            result(&run_on(&World::bare(), &text), "P09").is_refused(),
            refused,
            "{channel}"
        );
    }
}

#[test]
fn a_release_that_the_engine_to_come_does_not_make_is_refused() {
    let text = EXAMPLE.replace(":4.17.0-multi", ":4.18.0-multi");
    let results = run_on(&World::bare(), &text);
    let found = result(&results, "P10");
    assert!(
        found.is_refused() && found.evidence.contains("4.14 to 4.17"),
        "{found:?}"
    );
    assert!(found.at.is_some());
}

#[test]
fn a_namespace_called_as_the_guest_is_refused() {
    let text = EXAMPLE.replace("namespace: hcp", "namespace: guest-cluster-0");
    assert!(result(&run_on(&World::bare(), &text), "P23").is_refused());
}

#[test]
fn what_may_not_be_read_is_unknown_and_not_refused() {
    let mut world = World::bare();
    for kind in [
        "Node",
        "StorageClass",
        "IPAddressPool",
        "PackageManifest",
        "HyperConverged",
        "Network",
    ] {
        world.unreadable(kind);
    }
    let results = run_on(&world, EXAMPLE);
    assert!(results.iter().all(|result| !result.is_refused()), "{results:#?}");
    assert_eq!(result(&results, "P11").verdict, Verdict::Unknown);
}

/// A hub whose engine runs and that has the example's guest.
fn with_guest() -> World {
    let mut world = World::bare();
    let spec = json!({
        "release": { "image": "quay.io/openshift-release-dev/ocp-release:4.17.0-multi" },
        "networking": { "clusterNetwork": [{ "cidr": "10.132.0.0/14", "hostPrefix": 23 }] },
        "etcd": { "managed": { "storage": { "persistentVolume": { "size": "8192Mi" } } } },
        "fips": false,
        "olmCatalogPlacement": "management",
        "services": [{ "service": "Ignition", "servicePublishingStrategy": { "type": "Route" } }],
        "platform": { "type": "KubeVirt", "kubevirt": { "baseDomainPassthrough": true } },
        "dns": { "baseDomain": "apps.example.com" },
    });
    world
        .put(object(
            resources::MULTI_CLUSTER_ENGINE,
            "",
            "multiclusterengine",
            &json!({}),
        ))
        .put(object(
            resources::HOSTED_CLUSTER,
            "hcp",
            "guest-cluster-0",
            &json!({ "spec": spec }),
        ))
        .put(object(
            resources::NODE_POOL,
            "hcp",
            "guest-cluster-0-workers",
            &json!({ "spec": { "management": { "upgradeType": "Replace" } } }),
        ));
    world
}

#[test]
fn what_is_there_is_not_refused_for_what_would_keep_it_from_being_made() {
    let mut world = with_guest();
    world
        .change("Node", "worker-0", |node| node["spec"]["unschedulable"] = json!(true))
        .remove("HyperConverged")
        .remove("IPAddressPool")
        .put(object(
            resources::CONFIG_MAP,
            "hypershift",
            "supported-versions",
            &json!({ "data": { "supported-versions": r#"{"versions":["4.19"]}"# } }),
        ));
    let results = run_on(&world, EXAMPLE);
    let refused: Vec<_> = results.iter().filter(|result| result.is_refused()).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    for id in ["P05", "P08", "P10", "P11"] {
        assert_eq!(result(&results, id).verdict, Verdict::Warn, "{id}");
    }
    // A second guest, another pool and another release are to be made, and are refused.
    let other = EXAMPLE
        .split("---")
        .nth(1)
        .expect("the guest")
        .replace("guest-cluster-0", "guest-cluster-1");
    assert!(result(&run_on(&world, &format!("{EXAMPLE}---{other}")), "P11").is_refused());
    let pool = EXAMPLE.replace("{name: workers,", "{name: more, rootVolume: {storageClass: none},");
    assert!(result(&run_on(&world, &pool), "P04").is_refused());
    let release = EXAMPLE.replace(":4.17.0-multi", ":4.17.1-multi");
    assert!(result(&run_on(&world, &release), "P10").is_refused());
}

#[test]
fn what_a_guest_was_made_with_stays() {
    let world = with_guest();
    assert!(run_on(&world, EXAMPLE).iter().all(|result| result.id != "fixed-field"));
    let text = guest_with("networking: {clusterNetwork: [10.140.0.0/14]}");
    let results = run_on(&world, &text);
    let found = result(&results, "fixed-field");
    assert!(
        found.is_refused() && found.evidence.contains("spec.networking.clusterNetwork"),
        "{found:?}"
    );
    let at = found.at.as_ref().expect("the document is at fault");
    assert!(
        text.lines()
            .nth(at.line as usize - 1)
            .is_some_and(|line| line.contains("clusterNetwork"))
    );
}

/// Each fixed field of the document, with the value it was made with and another one.
#[test]
fn fixed_fields_of_both_objects_are_refused_with_what_they_are() {
    let world = with_guest();
    for (spec, field) in [
        ("olmCatalogPlacement: guest", "spec.olmCatalogPlacement"),
        ("fips: true", "spec.fips"),
        (
            "services: {ignition: {type: NodePort, address: 192.0.2.7}}",
            "spec.services.ignition.type",
        ),
        ("controlPlane: {etcd: {size: 16Gi}}", "spec.controlPlane.etcd.size"),
        ("storageDriver: {type: None}", "spec.storageDriver.type"),
    ] {
        let text = guest_with(spec).replace(
            "  controlPlane: {etcd: {storageClass: ocs-storagecluster-ceph-rbd}}\n",
            "",
        );
        let results = run_on(&world, &text);
        let found = result(&results, "fixed-field");
        assert!(
            found.evidence.starts_with(&format!("`{field}` was made as")),
            "{found:?}"
        );
    }
    let text = EXAMPLE.replace("memory: 10Gi", "memory: 10Gi, upgradeType: InPlace");
    let results = run_on(&world, &text);
    let found = result(&results, "fixed-field");
    assert_eq!(
        found.evidence,
        "`spec.nodePools[0].upgradeType` was made as \"Replace\" and can't become \"InPlace\""
    );
}

#[test]
fn a_guest_that_is_published_by_a_route_needs_no_address() {
    let mut world = World::bare();
    world.remove("IPAddressPool");
    let text = guest_with("services: {apiServer: {type: Route, hostname: api.guest.example.com}}");
    assert!(run_on(&world, &text).iter().all(|result| result.id != "P05"));
}

#[test]
fn another_load_balancer_serves_where_metal_lb_has_no_pool() {
    let mut world = World::bare();
    let more = json!({
        "spec": { "type": "LoadBalancer" }, "status": { "loadBalancer": { "ingress": [{ "ip": "192.168.30.1" }] } },
    });
    world
        .remove("IPAddressPool")
        .put(object(resources::SERVICE, "openshift-ingress", "router", &more));
    assert_eq!(result(&run_on(&world, EXAMPLE), "P05").verdict, Verdict::Pass);
}
