use std::{fs, io, path::Path};

use insta::assert_snapshot;

use super::{Documents, Source, load};
use crate::{AvailabilityPolicy, Channel, GuestCluster, SecretInput};

const PULL_SECRET: &str = r#"{"auths":{"quay.io":{"auth":"dXNlcjpwYXNz"}}}"#;

/// A guest with nothing but what is needed, and what a test adds to its `spec`.
fn guest(spec: &str) -> String {
    format!(
        "apiVersion: berth.dev/v1alpha1
kind: GuestCluster
metadata: {{name: g, namespace: hcp}}
spec:
  release: {{image: quay.io/ocp:4.17.0-multi}}
  pullSecret: {{file: pull-secret.json}}
{spec}"
    )
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    match path.to_str() {
        Some("docs/pull-secret.json") => Ok(PULL_SECRET.into()),
        Some("docs/broken.json") => Ok(br#"{"auths":"hunter2"#.into()),
        Some("docs/id.pub") => Ok(b"ssh-ed25519 AAAA ops@example.com\n".into()),
        Some("docs/id") => Ok(b"-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n".into()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
    }
}

fn parse(texts: &[&str]) -> Result<Documents, String> {
    let sources = texts.iter().enumerate().map(|(index, text)| {
        let name = if texts.len() == 1 {
            "docs/a.yaml".to_owned()
        } else {
            format!("docs/{index}.yaml")
        };
        Source {
            path: name.into(),
            text: (*text).to_owned(),
        }
    });
    let env = |name: &str| (name == "PULL_SECRET").then(|| PULL_SECRET.to_owned());
    load(sources.collect(), &read, &env).map_err(|errors| {
        let lines: Vec<String> = errors
            .iter()
            .map(|error| format!("{error}\n  {}: {}\n", error.field, error.fix))
            .collect();
        lines.concat()
    })
}

#[track_caller]
fn one(text: &str) -> GuestCluster {
    let mut documents = parse(&[text]).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(documents.guests.len(), 1);
    documents.guests.remove(0)
}

#[track_caller]
fn refused(text: &str) -> String {
    parse(&[text]).expect_err("the document was accepted")
}

#[test]
fn the_example_is_accepted_as_it_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let path = folder.join("guest-cluster-0.yaml");
    let source = Source {
        text: fs::read_to_string(&path).unwrap(),
        path,
    };
    let documents = load(vec![source], &|path| fs::read(path), &|_| None).unwrap();
    assert_eq!(
        documents.management.spec.storage.default_class.as_deref(),
        Some("ocs-storagecluster-ceph-rbd")
    );
    assert_eq!(documents.management.spec.multicluster_engine.channel, Channel::Auto);
    let guest = &documents.guests[0];
    assert_eq!(guest.control_plane_namespace(), "hcp-guest-cluster-0");
    assert_eq!(
        guest.node_pool_name(&guest.spec.node_pools[0]),
        "guest-cluster-0-workers"
    );
    assert_eq!(guest.spec.node_pools[0].wanted(), 3);
    assert_eq!(guest.spec.node_pools[0].memory.to_string(), "10Gi");
}

#[test]
fn defaults_are_resolved() {
    let guest = one(&guest("  nodePools: [{name: w}]\n"));
    assert_eq!(
        guest.spec.control_plane.availability,
        AvailabilityPolicy::HighlyAvailable
    );
    assert_eq!(guest.spec.control_plane.etcd.size.to_string(), "8Gi");
    assert_eq!(guest.spec.networking.cluster_network[0].to_string(), "10.132.0.0/14");
    let pool = &guest.spec.node_pools[0];
    assert_eq!(
        (pool.wanted(), pool.cores, pool.memory.to_string().as_str()),
        (2, 2, "8Gi")
    );
    assert_eq!(pool.root_volume.size.to_string(), "32Gi");
}

#[test]
fn no_management_document_means_the_defaults() {
    let documents = parse(&[&guest("")]).unwrap();
    assert_eq!(
        documents.management.spec.multicluster_engine.namespace,
        "multicluster-engine"
    );
    assert_eq!(documents.management.positions.at("spec"), None);
}

#[test]
fn secrets_come_from_files_variables_and_secrets() {
    let from = |source: &str| one(&guest("").replace("{file: pull-secret.json}", source)).pull_secret;
    assert!(matches!(from("{file: pull-secret.json}"), SecretInput::Content(text) if text.reveal() == PULL_SECRET));
    assert!(matches!(from("{env: PULL_SECRET}"), SecretInput::Content(text) if text.reveal() == PULL_SECRET));
    assert_eq!(from("{secret: existing}"), SecretInput::Existing("existing".to_owned()));
}

#[test]
fn paths_are_relative_to_the_file() {
    let guest = one(&guest(
        "  sshKey: {file: id.pub}\n  access: {kubeconfigFile: out/g.kubeconfig}\n",
    ));
    assert_eq!(guest.ssh_key.as_deref(), Some("ssh-ed25519 AAAA ops@example.com\n"));
    assert_eq!(
        guest.spec.access.kubeconfig_file.as_deref(),
        Some(Path::new("docs/out/g.kubeconfig"))
    );
}

#[test]
fn positions_point_at_fields_and_at_what_surrounds_those_left_out() {
    let guest = one(&guest("  networking:\n    clusterNetwork:\n      - 10.200.0.0/16\n"));
    let at = |path: &str| guest.positions.at(path).unwrap().to_string();
    assert_eq!(at("spec.networking.clusterNetwork[0]"), "docs/a.yaml:9:9");
    assert_eq!(at("spec.networking.serviceNetwork[0]"), "docs/a.yaml:8:5");
    assert_eq!(at("spec.pullSecret.file"), "docs/a.yaml:6:22");
}

#[test]
fn all_errors_of_a_document_come_at_once() {
    let text = guest(
        "  nodePols: []
  networking: {clusterNetwork: [10.132.0.1/14, ten], mtu: 100}
  controlPlane: {availability: HighAvailable, etcd: {size: 10Gb, storageclass: x}}
  nodePools:
    - {name: Workers, replicas: three, memory: 10, cores: 0}
    - {replicas: 2, autoscaling: {min: 3, max: 2}, storageClass: x}
    - {name: w, rootVolume: {size: 8Gi}, attachDefaultNetwork: 1}
  fips: 1.5
  olmCatalogPlacement: nowhere
",
    )
    .replace("pull-secret.json", "broken.json");
    assert_snapshot!(refused(&text), @r"
    docs/a.yaml:6:22: the pull secret can't be used: it is not JSON (line 1, column 17)
      spec.pullSecret.file: take the file as it is from https://console.redhat.com/openshift/install/pull-secret
    docs/a.yaml:7:3: unknown field `nodePols`
      spec.nodePols: did you mean `nodePools`?
    docs/a.yaml:8:33: `10.132.0.1/14` has host bits set
      spec.networking.clusterNetwork[0]: write `10.132.0.0/14`
    docs/a.yaml:8:48: `ten` is not a network in CIDR notation
      spec.networking.clusterNetwork[1]: write an address and a prefix length, as in `10.132.0.0/14`
    docs/a.yaml:8:59: `100` is too small
      spec.networking.mtu: write at least 576
    docs/a.yaml:9:32: `HighAvailable` is none of `HighlyAvailable`, `SingleReplica`
      spec.controlPlane.availability: did you mean `HighlyAvailable`?
    docs/a.yaml:9:60: unknown unit `Gb` in `10Gb`
      spec.controlPlane.etcd.size: did you mean `10Gi` or `10G`?
    docs/a.yaml:9:66: unknown field `storageclass`
      spec.controlPlane.etcd.storageclass: did you mean `storageClass`?
    docs/a.yaml:11:14: `Workers` has capital letters
      spec.nodePools[0].name: write `workers`
    docs/a.yaml:11:33: a text where a whole number is needed
      spec.nodePools[0].replicas: write a whole number
    docs/a.yaml:11:48: no worker starts with less than 1Gi of memory
      spec.nodePools[0].memory: write at least `4Gi`
    docs/a.yaml:11:59: `0` is too small
      spec.nodePools[0].cores: write at least 1
    docs/a.yaml:12:7: `name` is missing
      spec.nodePools[1].name: add `name`: The pool's name; the NodePool is called `<guest>-<pool>`
    docs/a.yaml:12:34: `replicas` and `autoscaling` exclude each other
      spec.nodePools[1].autoscaling: leave one of them out
    docs/a.yaml:12:40: `min` (3) is larger than `max` (2)
      spec.nodePools[1].autoscaling.min: write a `max` of at least `min`
    docs/a.yaml:12:52: unknown field `storageClass`
      spec.nodePools[1].storageClass: it belongs to `spec.nodePools[].rootVolume`
    docs/a.yaml:13:36: the root volume is smaller than 16Gi
      spec.nodePools[2].rootVolume.size: write at least `16Gi`
    docs/a.yaml:13:64: the number `1` where `true` or `false` is needed
      spec.nodePools[2].attachDefaultNetwork: write `true` or `false`
    docs/a.yaml:14:9: the number `1.5` where `true` or `false` is needed
      spec.fips: write `true` or `false`
    docs/a.yaml:15:24: `nowhere` is none of `management`, `guest`
      spec.olmCatalogPlacement: write one of `management`, `guest`
    ");
}

#[test]
fn names_are_refused_with_their_reason() {
    let name = |name: &str| refused(&guest("").replace("name: g,", &format!("name: {name},")));
    assert_snapshot!(name("Guest-0"), @r"
    docs/a.yaml:3:18: `Guest-0` has capital letters
      metadata.name: write `guest-0`
    ");
    assert_snapshot!(name(&"g".repeat(64)), @r"
    docs/a.yaml:3:18: `gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg` has 64 characters, 63 are allowed
      metadata.name: choose a name of at most 63 characters
    ");
    assert_snapshot!(name(&"g".repeat(60)), @r"
    docs/a.yaml:3:18: the control-plane namespace `hcp-gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg` would have 64 characters, 63 are allowed
      metadata.name: shorten the name or the namespace: together they may have 62
    ");
    assert_snapshot!(name("local-cluster"), @r"
    docs/a.yaml:3:18: `local-cluster` is the management cluster's own name in the multicluster engine
      metadata.name: choose another name
    ");
    assert_snapshot!(name("4.17"), @r"
    docs/a.yaml:3:18: the number `4.17` where a text is needed
      metadata.name: put it in quotes
    ");
}

#[test]
fn a_guests_own_networks_may_not_overlap() {
    let errors = refused(&guest(
        "  networking: {clusterNetwork: [10.0.0.0/8], machineNetwork: [172.31.4.0/24]}\n",
    ));
    assert_snapshot!(errors, @r"
    docs/a.yaml:7:63: `172.31.4.0/24` overlaps `172.31.0.0/16` of `spec.networking.serviceNetwork`
      spec.networking.machineNetwork[0]: give each network its own range
    ");
    let apart =
        "  networking: {clusterNetwork: [10.0.0.0/8, fd01::/48], serviceNetwork: [172.30.0.0/16, fd02::/112]}\n";
    assert_eq!(one(&guest(apart)).spec.networking.cluster_network.len(), 2);
}

#[test]
fn duplicate_documents_are_refused_over_all_files() {
    let management = "apiVersion: berth.dev/v1alpha1\nkind: ManagementCluster\nmetadata: {name: m}\n";
    let other = guest("").replace("namespace: hcp", "namespace: other");
    let errors = parse(&[
        &format!("{management}---\n{}", guest("")),
        &other,
        &guest(""),
        management,
    ])
    .unwrap_err();
    assert_snapshot!(errors, @r"
    docs/1.yaml:3:18: a second guest `g`; the first, in the namespace `hcp`, is at docs/0.yaml:7:18
      metadata.name: give each guest its own name: the multicluster engine knows it by that alone
    docs/2.yaml:3:18: a second guest `hcp/g`; the first is at docs/0.yaml:7:18
      metadata.name: give each guest its own name: the multicluster engine knows it by that alone
    docs/3.yaml:3:18: a second ManagementCluster; the first is at docs/0.yaml:3:18
      metadata.name: leave one of them out: a run is about one management cluster
    ");
}

#[test]
fn what_is_no_document_of_berths_is_said() {
    assert_snapshot!(refused("apiVersion: v1\nkind: Secret\n"), @r"
    docs/a.yaml:2:7: `Secret` is no kind of Berth's
      kind: write `apiVersion: berth.dev/v1alpha1` and the kind GuestCluster or ManagementCluster
    ");
    assert_snapshot!(refused("apiVersion: berth.dev/v1\nkind: GestCluster\n"), @r"
    docs/a.yaml:2:7: `GestCluster` is no kind of Berth's
      kind: did you mean `GuestCluster`?
    ");
    assert_snapshot!(refused("# nothing\n"), @r"
    docs/a.yaml:1:1: there is no document in this file
      : write a GuestCluster; see `berth schema`, or the examples
    ");
    assert_snapshot!(refused("a: [1\nb: 2\n"), @r"
    docs/a.yaml:2:2: this is not YAML: illegal placement of ':' indicator
      : mend the YAML; what follows was not looked at
    ");
    assert_snapshot!(refused("- a\n"), @r"
    docs/a.yaml:1:1: `kind` is missing
      kind: write `apiVersion: berth.dev/v1alpha1` and the kind GuestCluster or ManagementCluster
    ");
}

#[test]
fn no_error_repeats_a_secret() {
    let inline = guest("").replace("{file: pull-secret.json}", "'{\"auths\":\"hunter2\"}'");
    let named = guest("").replace("{file: pull-secret.json}", "{secret: '{\"auths\":\"hunter2\"}'}");
    let broken = guest("").replace("pull-secret.json", "broken.json");
    let key = guest("  sshKey: {file: id}\n");
    for text in [inline, named, broken, key] {
        let errors = refused(&text);
        assert!(!errors.contains("hunter2"), "{errors}");
    }
}

#[test]
fn a_source_has_exactly_one_field() {
    let both = guest("").replace("{file: pull-secret.json}", "{file: a, env: B}");
    assert_snapshot!(refused(&both), @r"
    docs/a.yaml:6:15: exactly one of `env`, `file`, `secret` is needed here
      spec.pullSecret: write one of them
    ");
    let none = guest("").replace("{file: pull-secret.json}", "{}");
    assert_snapshot!(refused(&none), @r"
    docs/a.yaml:6:15: exactly one of `env`, `file`, `secret` is needed here
      spec.pullSecret: write one of them
    ");
}

#[test]
fn overrides_keep_upstreams_fields_and_nulls() {
    let guest = one(&guest(
        "  overrides: {hostedCluster: {autoscaling: {maxNodesTotal: 5}, channel: null}}\n",
    ));
    let overrides = serde_json::Value::Object(guest.spec.overrides.hosted_cluster);
    assert_eq!(
        overrides,
        serde_json::json!({"autoscaling": {"maxNodesTotal": 5}, "channel": null})
    );
}

#[test]
fn what_excludes_or_needs_another_field_is_refused_at_its_place() {
    let errors = refused(&guest(
        "  services:
    apiServer: {type: LoadBalancer, hostname: api.example.com}
    ignition: {type: Route, hostname: x.example.com}
    konnectivity: {type: Route, hostname: x.example.com}
  networking: {hostPrefix: 14, clusterNetwork: [10.132.0.0/14], ovn: {joinSubnet: 10.9.0.0/16, transitSubnet: 10.9.0.0/16}}
  controlPlane:
    etcd: {size: 8Gi, unmanaged: {endpoint: 'https://etcd:2379', tlsSecret: etcd}}
    encryption: {activeKey: a, backupKey: a}
    serviceAccountSigningKey: key
    nodeSelector: {'a b': c}
    apiServer: {advertiseAddress: 172.31.0.9, servingCerts: [{secret: s, names: [api.example.com]}]}
  proxy: {noProxy: [.svc]}
  images: {allowedRegistries: [a], blockedRegistries: [b]}
  autoscaling: {scaling: ScaleUpOnly, scaleDown: {delayAfterAddSeconds: 5}, expanders: [Random, Random]}
  storageDriver: {type: None, storageClasses: [{infra: a, guest: c}, {infra: b, guest: c}]}
  machinePatches: [{op: add, path: /spec}, {op: remove, path: spec, value: 1}]
  nodePools:
    - {name: a, upgradeType: InPlace, replace: {maxSurge: 1}, inPlace: {maxUnavailable: 0}, arch: ppc64le}
    - {name: b, replace: {maxSurge: 0}, healthCheck: {timeout: 5m}, nodeLabels: {x: '-'}}
    - {name: c, replace: {strategy: OnDelete, maxSurge: 1}, nodePoolName: g-b}
    - {name: d, replace: {maxSurge: 101%}}
",
    ));
    assert_snapshot!(errors, @r"
    docs/a.yaml:10:43: `x.example.com` is `ignition`'s name already
      spec.services.konnectivity.hostname: give each service its own name
    docs/a.yaml:11:28: a node's part (/14) would be no smaller than the whole (10.132.0.0/14)
      spec.networking.hostPrefix: write a longer prefix
    docs/a.yaml:11:111: `transitSubnet` is `joinSubnet` as well
      spec.networking.ovn.transitSubnet: give each network its own range
    docs/a.yaml:13:18: `size` is about a store of the guest's own, this one is unmanaged
      spec.controlPlane.etcd.size: leave `size` out
    docs/a.yaml:14:43: the former key is the active one
      spec.controlPlane.encryption.backupKey: leave `backupKey` out
    docs/a.yaml:15:31: a signing key of one's own needs an `issuerURL`
      spec.controlPlane.serviceAccountSigningKey: add `issuerURL`
    docs/a.yaml:16:27: `a b` is not the key of a label
      spec.controlPlane.nodeSelector.a b: use letters, digits, `-`, `_` and `.`, at most 63, with a letter or digit at both ends; a key may have a domain and `/` before it
    docs/a.yaml:17:35: `172.31.0.9` is within `172.31.0.0/16` of `spec.networking.serviceNetwork`
      spec.controlPlane.apiServer.advertiseAddress: choose an address outside the guest's networks
    docs/a.yaml:17:82: `api.example.com` is the name of the API server's own load balancer
      spec.controlPlane.apiServer.servingCerts[0].names[0]: take the name out of the certificate's `names`
    docs/a.yaml:18:10: a proxy without an address does nothing
      spec.proxy: add `httpProxy` or `httpsProxy`, or leave `proxy` out
    docs/a.yaml:19:55: `allowedRegistries` and `blockedRegistries` exclude each other
      spec.images.blockedRegistries: leave one of them out
    docs/a.yaml:20:50: nothing is taken away with `ScaleUpOnly`
      spec.autoscaling.scaleDown: leave `scaleDown` out
    docs/a.yaml:20:97: `Random` stands here twice
      spec.autoscaling.expanders[1]: name each once
    docs/a.yaml:21:47: mappings are for the type Manual, this is None
      spec.storageDriver.storageClasses: leave the mappings or the type out
    docs/a.yaml:21:88: a second class is called `c` in the guest
      spec.storageDriver.storageClasses[1].guest: choose another name
    docs/a.yaml:22:20: `value` is missing
      spec.machinePatches[0]: add `value`
    docs/a.yaml:22:63: `spec` is not a path of a JSON patch
      spec.machinePatches[1].path: write one as in `/spec/template/spec/domain/cpu/model`
    docs/a.yaml:22:76: a removal has no value
      spec.machinePatches[1].value: leave `value` out
    docs/a.yaml:24:48: `replace` is for the upgrade type Replace
      spec.nodePools[0].replace: leave it out, or write `upgradeType: Replace`
    docs/a.yaml:24:89: with none missing, no worker can be updated
      spec.nodePools[0].inPlace.maxUnavailable: write at least 1
    docs/a.yaml:24:99: ppc64le workers are not to be had on KubeVirt
      spec.nodePools[0].arch: leave `arch` out, or write `amd64`
    docs/a.yaml:25:37: with no worker besides and none missing, none can be replaced
      spec.nodePools[1].replace.maxSurge: write at least 1 for one of them
    docs/a.yaml:25:54: `healthCheck` does nothing without `autoRepair`
      spec.nodePools[1].healthCheck: add `autoRepair: true`
    docs/a.yaml:25:85: `-` is not the value of a label
      spec.nodePools[1].nodeLabels.x: use letters, digits, `-`, `_` and `.`, at most 63, with a letter or digit at both ends; a key may have a domain and `/` before it
    docs/a.yaml:26:57: `maxSurge` is for the strategy RollingUpdate
      spec.nodePools[2].replace.maxSurge: leave `maxSurge` out
    docs/a.yaml:26:75: a second NodePool is called `g-b`
      spec.nodePools[2].nodePoolName: give each pool its own name
    docs/a.yaml:27:37: `101%` is not an amount
      spec.nodePools[3].replace.maxSurge: write a number, or a part as in `25%`
    ");
}

#[test]
fn an_adopted_guest_names_secrets_that_exist() {
    let adopted = guest("  adopt: true\n  sshKey: {file: id.pub}\n");
    assert_snapshot!(refused(&adopted), @r"
    docs/a.yaml:6:22: nothing is made for a guest that is adopted
      spec.pullSecret.file: name what exists: `secret: NAME`
    docs/a.yaml:8:18: nothing is made for a guest that is adopted
      spec.sshKey.file: name what exists: `secret: NAME`
    ");
    let named = adopted
        .replace("{file: pull-secret.json}", "{secret: pull}")
        .replace("{file: id.pub}", "{secret: key}");
    assert_eq!(one(&named).pull_secret, SecretInput::Existing("pull".to_owned()));
}

/// The example with every field has every field, but for those that exclude others. Who may log in is tried kind by kind
/// (`identity_rules`): no guest has them all.
#[test]
fn the_example_with_every_field_has_every_field() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let path = folder.join("every-field.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let source = Source {
        path,
        text: text.clone(),
    };
    let documents =
        load(vec![source], &|path| fs::read(path), &|_| None).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(documents.guests.len(), 1);
    let value = crate::yaml::parse(&text).unwrap().remove(0);
    let (_, fields) = crate::fields_of_kind("guestcluster").unwrap();
    let missing: Vec<String> = fields
        .into_iter()
        .filter(|field| !field.path.starts_with("spec.identity."))
        .filter(|field| field.is_leaf && !has(&value, &field.path))
        .map(|field| field.path)
        .collect();
    assert_eq!(
        missing,
        [
            "spec.additionalTrustBundle.env",
            "spec.additionalTrustBundle.file",
            "spec.additionalTrustBundle.value",
            "spec.controlPlane.etcd.unmanaged.endpoint",
            "spec.controlPlane.etcd.unmanaged.tlsSecret",
            "spec.images.allowedRegistries",
            "spec.infraCluster.kubeconfig.env",
            "spec.infraCluster.kubeconfig.file",
            "spec.pullSecret.env",
            "spec.pullSecret.secret",
            "spec.services.apiServer.address",
            "spec.services.apiServer.port",
            "spec.services.ignition.address",
            "spec.services.ignition.port",
            "spec.services.konnectivity.hostname",
            "spec.services.oauthServer.address",
            "spec.services.oauthServer.port",
            "spec.sshKey.env",
            "spec.sshKey.file",
            "spec.sshKey.value",
        ]
    );
}

/// Whether some entry of each list on the way has the field.
fn has(value: &serde_json::Value, path: &str) -> bool {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let inner = value.get(name.trim_end_matches("[]"));
    match (inner, rest) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(serde_json::Value::Array(entries)), Some(rest)) => entries.iter().any(|entry| has(entry, rest)),
        (Some(inner), Some(rest)) => has(inner, rest),
    }
}
