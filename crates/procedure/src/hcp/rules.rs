//! The rules of `create cluster kubevirt`, written down a second time as data: what each flag must do to what is rendered, or
//! the words it must be refused with. Any combination of them must hold.

use std::{collections::BTreeMap, io, path::Path};

use proptest::{prelude::*, sample::subsequence};
use serde_json::{Value, json};

use super::{HcpCommand, HcpError, Outside, parse, to_stdout};
use crate::render::{Dialect, objects};

/// Arguments, and what must then stand where: a document's kind, a path in it, a value.
struct Rule(
    &'static [&'static str],
    &'static [(&'static str, &'static str, &'static str)],
);

/// Flags that go with each other in any combination. No two of them write the same place.
#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule(&["--additional-network", "name:ns/one", "--attach-default-network=false"], &[("NodePool", "/spec/platform/kubevirt/additionalNetworks", r#"[{"name":"ns/one"}]"#), ("NodePool", "/spec/platform/kubevirt/attachDefaultNetwork", "false")]),
    Rule(&["--additional-trust-bundle", "ca.pem"], &[("ConfigMap", "/data/ca-bundle.crt", r#""text of ca.pem""#), ("HostedCluster", "/spec/additionalTrustBundle/name", r#""user-ca-bundle""#)]),
    Rule(&["--annotations", "a/b=c=d", "--annotations", "e="], &[("HostedCluster", "/metadata/annotations", r#"{"a/b":"c=d","e":""}"#)]),
    Rule(&["--arch", "S390X"], &[("NodePool", "/spec/arch", r#""S390X""#)]),
    Rule(&["--auto-repair"], &[("NodePool", "/spec/management/autoRepair", "true")]),
    Rule(&["--base-domain", "example.com"], &[("HostedCluster", "/spec/dns/baseDomain", r#""example.com""#), ("HostedCluster", "/spec/platform/kubevirt/baseDomainPassthrough", "null")]),
    Rule(&["--base-domain-prefix", "none"], &[]),
    Rule(&["--cluster-cidr", "10.200.0.0/16", "--cluster-cidr", "fd02::/48"], &[("HostedCluster", "/spec/networking/clusterNetwork", r#"[{"cidr":"10.200.0.0/16"},{"cidr":"fd02::/48"}]"#)]),
    Rule(&["--control-plane-availability-policy", "SingleReplica"], &[("HostedCluster", "/spec/controllerAvailabilityPolicy", r#""SingleReplica""#)]),
    Rule(&["--cores", "0x10"], &[("NodePool", "/spec/platform/kubevirt/compute/cores", "16")]),
    Rule(&["--disable-cluster-capabilities", "Ingress,Console", "--disable-cluster-capabilities", "baremetal"], &[("HostedCluster", "/spec/capabilities/disabled", r#"["Ingress","Console","baremetal"]"#)]),
    Rule(&["--enable-cluster-capabilities", "openshift-samples"], &[("HostedCluster", "/spec/capabilities/enabled", r#"["openshift-samples"]"#)]),
    Rule(&["--etcd-storage-class", "fast"], &[("HostedCluster", "/spec/etcd/managed/storage/persistentVolume/storageClassName", r#""fast""#)]),
    Rule(&["--etcd-storage-size", "16384Mi"], &[("HostedCluster", "/spec/etcd/managed/storage/persistentVolume/size", r#""16Gi""#)]),
    Rule(&["--external-dns-domain", "e.example.com"], &[("HostedCluster", "/spec/services/0/servicePublishingStrategy/type", r#""Route""#)]),
    Rule(&["--feature-set", "DevPreviewNoUpgrade"], &[("HostedCluster", "/spec/configuration/featureGate/featureSet", r#""DevPreviewNoUpgrade""#)]),
    Rule(&["--fips=T"], &[("HostedCluster", "/spec/fips", "true")]),
    Rule(&["--host-device-name", "gpu,count:3", "--host-device-name", "bare"], &[("NodePool", "/spec/platform/kubevirt/hostDevices", r#"[{"deviceName":"gpu","count":3}]"#)]),
    Rule(&["--image-content-sources", "icsp.yaml"], &[("HostedCluster", "/spec/imageContentSources", r#"[{"source":"q/o","mirrors":["m/o"]}]"#)]),
    Rule(&["--infra-availability-policy", "HighlyAvailable"], &[("HostedCluster", "/spec/infrastructureAvailabilityPolicy", r#""HighlyAvailable""#)]),
    Rule(&["--infra-kubeconfig-file", "infra", "--infra-namespace", "guests"], &[("HostedCluster", "/spec/platform/kubevirt/credentials", r#"{"infraNamespace":"guests","infraKubeConfigSecret":{"name":"g-infra-credentials","key":"kubeconfig"}}"#)]),
    Rule(&["--infra-storage-class-mapping", "a/b,x=y, Group =one"], &[("HostedCluster", "/spec/platform/kubevirt/storageDriver/manual/storageClassMapping", r#"[{"infraStorageClassName":"a","guestStorageClassName":"b","group":"one"}]"#), ("HostedCluster", "/spec/platform/kubevirt/storageDriver/type", r#""Manual""#)]),
    Rule(&["--infra-volumesnapshot-class-mapping", "c/d"], &[("HostedCluster", "/spec/platform/kubevirt/storageDriver/manual/volumeSnapshotClassMapping", r#"[{"infraVolumeSnapshotClassName":"c","guestVolumeSnapshotClassName":"d"}]"#), ("HostedCluster", "/spec/platform/kubevirt/storageDriver/type", r#""Manual""#)]),
    Rule(&["--kas-dns-name", "api.example.com"], &[("HostedCluster", "/spec/kubeAPIServerDNSName", r#""api.example.com""#)]),
    Rule(&["--labels", "team=blue"], &[("HostedCluster", "/metadata/labels/team", r#""blue""#)]),
    Rule(&["--machine-cidr", "192.168.0.0/24"], &[("HostedCluster", "/spec/networking/machineNetwork", r#"[{"cidr":"192.168.0.0/24"}]"#)]),
    Rule(&["--memory", "1.5Gi"], &[("NodePool", "/spec/platform/kubevirt/compute/memory", r#""1536Mi""#)]),
    Rule(&["--network-multiqueue", "Disable"], &[("NodePool", "/spec/platform/kubevirt/networkInterfaceMultiqueue", "null")]),
    Rule(&["--node-drain-timeout", "90m"], &[("NodePool", "/spec/nodeDrainTimeout", r#""1h30m0s""#)]),
    Rule(&["--node-selector", "role=cp,zone=a"], &[("HostedCluster", "/spec/nodeSelector", r#"{"role":"cp","zone":"a"}"#)]),
    Rule(&["--node-upgrade-type", "inplace"], &[("NodePool", "/spec/management/upgradeType", r#""InPlace""#)]),
    Rule(&["--node-volume-detach-timeout=-5m"], &[("NodePool", "/spec/nodeVolumeDetachTimeout", r#""-5m0s""#)]),
    Rule(&["--olm-catalog-placement", "Guest"], &[("HostedCluster", "/spec/olmCatalogPlacement", r#""guest""#)]),
    Rule(&["--olm-disable-default-sources"], &[("HostedCluster", "/spec/configuration/operatorhub/disableAllDefaultSources", "true")]),
    Rule(&["--ovn-kubernetes-mtu", "1400"], &[("HostedCluster", "/spec/operatorConfiguration/clusterNetworkOperator/ovnKubernetesConfig/mtu", "1400")]),
    Rule(&["--pausedUntil", "2030-01-02T03:04:05+01:00"], &[("HostedCluster", "/spec/pausedUntil", r#""2030-01-02T03:04:05+01:00""#), ("NodePool", "/spec/pausedUntil", r#""2030-01-02T03:04:05+01:00""#)]),
    Rule(&["--pods-labels", "cost=4,2"], &[("HostedCluster", "/spec/labels", r#"{"cost":"4,2"}"#)]),
    Rule(&["--qos-class", "Guaranteed"], &[("NodePool", "/spec/platform/kubevirt/compute/qosClass", r#""Guaranteed""#)]),
    Rule(&["--root-volume-access-modes", "ReadWriteMany, x"], &[("NodePool", "/spec/platform/kubevirt/rootVolume/persistent/accessModes", r#"["ReadWriteMany"," x"]"#)]),
    Rule(&["--root-volume-cache-strategy", "PVC"], &[("NodePool", "/spec/platform/kubevirt/rootVolume/cacheStrategy/type", r#""PVC""#)]),
    Rule(&["--root-volume-size", "64"], &[("NodePool", "/spec/platform/kubevirt/rootVolume/persistent/size", r#""64Gi""#)]),
    Rule(&["--root-volume-storage-class", "fast"], &[("NodePool", "/spec/platform/kubevirt/rootVolume/persistent/storageClass", r#""fast""#)]),
    Rule(&["--root-volume-volume-mode", "Block"], &[("NodePool", "/spec/platform/kubevirt/rootVolume/persistent/volumeMode", r#""Block""#)]),
    Rule(&["--service-cidr", "172.30.0.7/16"], &[("HostedCluster", "/spec/networking/serviceNetwork", r#"[{"cidr":"172.30.0.7/16"}]"#)]),
    Rule(&["--ssh-key", "id.pub"], &[("HostedCluster", "/spec/sshKey/name", r#""g-ssh-key""#)]),
    Rule(&["--toleration", "Key=k, effect=noschedule,operator=", "--toleration", "key=x,tolerationSeconds=60"], &[("HostedCluster", "/spec/tolerations", r#"[{"key":"k","effect":"NoSchedule"},{"key":"x","tolerationSeconds":60}]"#)]),
    Rule(&["--vm-node-selector", "zone=a"], &[("NodePool", "/spec/platform/kubevirt/nodeSelector", r#"{"zone":"a"}"#)]),
    Rule(&["--node-pool-replicas", "3"], &[("NodePool", "/spec/replicas", "3")]),
    Rule(&["--infra-id", "some-id"], &[("HostedCluster", "/spec/infraID", r#""some-id""#)]),
];

/// What is refused, in the order in which it is found, and the words for it.
#[rustfmt::skip]
const REFUSALS: &[(&[&str], &str)] = &[
    (&["--wait", "--node-pool-replicas", "0"], "--wait requires --node-pool-replicas > 0"),
    (&["--arch", "mips"], "specified arch \"mips\" is not supported"),
    (&["--feature-set", "CustomNoUpgrade"], "only a predefined feature set"),
    (&["--enable-cluster-capabilities", "x"], "unknown enabled capability: x, accepted values are: [Console ImageRegistry Ingress Insights NodeTuning baremetal openshift-samples]"),
    (&["--disable-cluster-capabilities", "Ingress"], "ingress capability can only be disabled"),
    (&["--kas-dns-name", "a_b"], "KubeAPIServerDNSName failed DNS validation"),
    (&["--disable-multi-network"], "disableMultiNetwork is only allowed when networkType is 'Other' (got 'OVNKubernetes')"),
    (&["--ovn-kubernetes-mtu", "9217"], "--ovn-kubernetes-mtu must be between 576 and 9216 (got 9217)"),
    (&["--allocate-node-cidrs"], "allocateNodeCIDRs is only allowed when networkType is 'Other'"),
    (&["--infra-storage-class-mapping", "a/b/c"], "invalid infra storageclass mapping [a/b/c]"),
    (&["--infra-volumesnapshot-class-mapping", "a"], "invalid infra volume snapshot class mapping [a]"),
    (&["--infra-kubeconfig-file", "infra", "--infra-namespace", ""], "external infra cluster kubeconfig was provided"),
    (&["--root-volume-cache-strategy", "x"], "--root-volume-cache-strategy"),
    (&["--root-volume-volume-mode", "x"], "--root-volume-volume-mode"),
    (&["--cores", "0"], "the number of cores inside the machine"),
    (&["--root-volume-size", "15"], "the root volume size [15]"),
    (&["--memory", "10Gb"], "invalid memory quantity \"10Gb\": quantities must match"),
    (&["--network-multiqueue", "x"], "could not complete platform specific options: wrong value for the --network-multiqueue"),
    (&["--qos-class", "x"], "could not complete platform specific options: wrong value for the --qos-class"),
    (&["--additional-network", "x:y"], "could not complete platform specific options: failed to parse \"--additional-network\" flag: unknown param(s): x:y"),
    (&["--host-device-name", "d,count:x"], "could not complete platform specific options: could not parse host device count: [d,count:x]"),
    (&["--annotations", "x"], "invalid annotation: x"),
    (&["--labels", "=x"], "invalid label: key must not be empty in \"=x\""),
    (&["--etcd-storage-size", "1Gii"], "failed parse ectd storage size: unable to parse quantity's suffix"),
    (&["--ssh-key", "missing"], "failed to read ssh key file: open missing: no such file or directory"),
    (&["--pausedUntil", "2030-01-02 03:04:05Z"], "invalid pausedUntil value"),
    (&["--cluster-cidr", "10.0.0.0"], "parsing ClusterCIDR (10.0.0.0): invalid CIDR address: 10.0.0.0"),
    (&["--service-cidr", "x"], "parsing ServiceCIDR (x)"),
    (&["--machine-cidr", "x"], "parsing MachineCIDR (x)"),
    (&["--additional-trust-bundle", "missing"], "failed to read additional trust bundle file"),
    (&["--image-content-sources", "missing"], "failed to read image content sources file"),
    (&["--toleration", "key=a,color=b"], "invalid toleration cli argument. unknown field [color]"),
];

fn read(path: &Path) -> io::Result<Vec<u8>> {
    Ok(match path.to_str().unwrap_or_default() {
        "missing" => return Err(io::ErrorKind::NotFound.into()),
        "pull-secret.json" => b"{}".into(),
        "icsp.yaml" => b"- source: q/o\n  mirrors: [m/o]\n".into(),
        other => format!("text of {other}").into_bytes(),
    })
}

/// The documents that arguments render, by kind.
fn rendered(args: &[&str]) -> Result<BTreeMap<String, Value>, HcpError> {
    let base = [
        "create",
        "cluster",
        "kubevirt",
        "--name=g",
        "--pull-secret=pull-secret.json",
        "--render",
    ];
    let args: Vec<String> = base.iter().chain(args).map(|arg| (*arg).to_owned()).collect();
    let HcpCommand::CreateCluster(command) = parse(&args)? else {
        panic!("another command")
    };
    let mut outside = Outside {
        read: &read,
        random: &mut |bytes| bytes.fill(0),
        rsa_key: &|| Err("no keys here".to_owned()),
    };
    let request = command.request(&mut outside, Dialect::Current)?;
    let text = to_stdout(
        &objects(&request, Dialect::Current),
        false,
        &mut outside,
        Dialect::Current,
    );
    let documents = berth_api::yaml::parse(&text).expect("what is printed is YAML");
    let documents = documents.into_iter().filter(|document| !document.is_null());
    Ok(documents
        .map(|document| (document["kind"].as_str().unwrap().to_owned(), document))
        .collect())
}

#[track_caller]
fn check_all(chosen: &[&Rule]) {
    let args: Vec<&str> = chosen.iter().flat_map(|Rule(args, _)| args.iter().copied()).collect();
    let documents = rendered(&args).unwrap_or_else(|error| panic!("{args:?}: {error}"));
    let defaults = rendered(&[]).expect("no flag is needed");
    let at = |documents: &BTreeMap<String, Value>, kind: &str, path: &str| {
        documents
            .get(kind)
            .and_then(|document| document.pointer(path))
            .cloned()
            .unwrap_or_default()
    };
    let mut written = Vec::new();
    for Rule(_, places) in chosen {
        for (kind, path, value) in *places {
            let expected: Value = serde_json::from_str(value).expect("a rule's value is JSON");
            assert_eq!(at(&documents, kind, path), expected, "{args:?}: {kind} {path}");
            written.push((*kind, *path));
        }
    }
    // What no chosen flag writes is as without any flag.
    let untouched = RULES.iter().flat_map(|Rule(_, places)| places.iter());
    for (kind, path, _) in untouched.filter(|(kind, path, _)| !written.contains(&(*kind, *path))) {
        // A random part, and lists that stand or fall with a place below them.
        if *path != "/spec/infraID" {
            assert_eq!(
                at(&documents, kind, path),
                at(&defaults, kind, path),
                "{args:?}: {kind} {path}"
            );
        }
    }
}

#[test]
fn each_flag_does_what_its_rule_says_and_nothing_else() {
    for rule in RULES {
        check_all(&[rule]);
    }
}

#[test]
fn each_refusal_has_its_words_and_the_first_one_wins() {
    for (index, (args, words)) in REFUSALS.iter().enumerate() {
        let error = rendered(args).expect_err(words).to_string();
        assert!(error.contains(words), "{args:?}: {error}");
        for (later, _) in &REFUSALS[index + 1..] {
            let flag = |args: &[&'static str]| args[0];
            if flag(args) != flag(later) && !later.contains(&"--network-type") {
                let both = [*args, *later].concat();
                let error = rendered(&both).expect_err(words).to_string();
                assert!(error.contains(words), "{both:?}: {error}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_flags_together_do_what_each_does_alone(chosen in subsequence((0..RULES.len()).collect::<Vec<_>>(), 0..RULES.len())) {
        let chosen: Vec<&Rule> = chosen.into_iter().map(|index| &RULES[index]).collect();
        check_all(&chosen);
    }

    #[test]
    fn what_is_refused_alone_is_refused_in_any_company(
        chosen in subsequence((0..RULES.len()).collect::<Vec<_>>(), 0..12),
        wrong in 0..REFUSALS.len(),
    ) {
        let (args, words) = REFUSALS[wrong];
        let others = chosen.into_iter().flat_map(|index| RULES[index].0.iter().copied());
        // The wrong flag comes last, and must not be there in its right form: a list would have both.
        let others: Vec<&str> = others.collect();
        let name = args[0];
        prop_assume!(!others.contains(&name));
        let both: Vec<&str> = others.iter().chain(args).copied().collect();
        let error = rendered(&both).expect_err(words).to_string();
        prop_assert!(error.contains(words), "{both:?}: {error}");
    }
}

#[test]
fn without_flags_the_defaults_stand() {
    let documents = rendered(&[]).unwrap();
    assert_eq!(
        documents.keys().collect::<Vec<_>>(),
        ["HostedCluster", "Namespace", "NodePool"]
    );
    assert_eq!(
        documents["NodePool"]["spec"]["platform"]["kubevirt"]["compute"],
        json!({"cores": 2, "memory": "4Gi"})
    );
    assert_eq!(documents["NodePool"]["spec"]["replicas"], 0);
    assert_eq!(
        documents["HostedCluster"]["spec"]["services"][0]["servicePublishingStrategy"]["type"],
        "LoadBalancer"
    );
}
