use std::{fs, io, path::Path};

use berth_api::{GuestCluster, Source, load, resources, yaml};
use insta::assert_snapshot;
use serde_json::json;

use super::{Dialect, Fault, Misfit, hosted_cluster, knows_field, misfits, unknown_fields};
use crate::change::Generate;

const PULL_SECRET: &str = r#"{"auths":{"quay.io":{"auth":"dXNlcjpwYXNz"}}}"#;

/// A guest from a document's `spec`.
fn guest(spec: &str) -> GuestCluster {
    let text = format!(
        "apiVersion: berth.dev/v1alpha1
kind: GuestCluster
metadata: {{name: g, namespace: hcp, labels: {{team: blue}}}}
spec:
  release: {{image: quay.io/ocp:4.17.0-multi}}
  pullSecret: {{file: pull-secret.json}}
{spec}"
    );
    let read = |_: &Path| -> io::Result<Vec<u8>> { Ok(PULL_SECRET.into()) };
    let documents = load(
        vec![Source {
            path: "a.yaml".into(),
            text,
        }],
        &read,
        &|_| None,
    );
    documents.unwrap_or_else(|errors| panic!("{errors:?}")).guests.remove(0)
}

/// Everything but secret values, as YAML.
fn shapes(guest: &GuestCluster, dialect: Dialect) -> String {
    let objects = hosted_cluster(guest, dialect);
    objects
        .iter()
        .map(|object| yaml::to_string(&object.fields))
        .collect::<Vec<_>>()
        .join("---\n")
}

#[test]
fn a_document_becomes_the_objects_that_hcp_makes() {
    let guest = guest("  nodePools: [{name: workers, replicas: 3, cores: 8, memory: 10Gi}]\n");
    assert_snapshot!(shapes(&guest, Dialect::Release4_17), @r#"
    apiVersion: v1
    kind: Namespace
    metadata:
      name: hcp
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      labels:
        hypershift.openshift.io/safe-to-delete-with-cluster: "true"
      name: g-pull-secret
      namespace: hcp
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      labels:
        hypershift.openshift.io/safe-to-delete-with-cluster: "true"
      name: g-etcd-encryption-key
      namespace: hcp
    type: Opaque
    ---
    apiVersion: hypershift.openshift.io/v1beta1
    kind: HostedCluster
    metadata:
      labels:
        team: blue
      name: g
      namespace: hcp
    spec:
      autoscaling: {}
      configuration: {}
      controllerAvailabilityPolicy: HighlyAvailable
      dns:
        baseDomain: ""
      etcd:
        managed:
          storage:
            persistentVolume:
              size: 8Gi
            type: PersistentVolume
        managementType: Managed
      fips: false
      networking:
        clusterNetwork:
        - cidr: 10.132.0.0/14
        networkType: OVNKubernetes
        serviceNetwork:
        - cidr: 172.31.0.0/16
      olmCatalogPlacement: management
      platform:
        kubevirt:
          baseDomainPassthrough: true
        type: KubeVirt
      pullSecret:
        name: g-pull-secret
      release:
        image: quay.io/ocp:4.17.0-multi
      secretEncryption:
        aescbc:
          activeKey:
            name: g-etcd-encryption-key
        type: aescbc
      services:
      - service: APIServer
        servicePublishingStrategy:
          type: LoadBalancer
      - service: Ignition
        servicePublishingStrategy:
          type: Route
      - service: Konnectivity
        servicePublishingStrategy:
          type: Route
      - service: OAuthServer
        servicePublishingStrategy:
          type: Route
      sshKey: {}
    ---
    apiVersion: hypershift.openshift.io/v1beta1
    kind: NodePool
    metadata:
      name: g-workers
      namespace: hcp
    spec:
      arch: amd64
      clusterName: g
      management:
        autoRepair: false
        upgradeType: Replace
      platform:
        kubevirt:
          attachDefaultNetwork: true
          compute:
            cores: 8
            memory: 10Gi
          networkInterfaceMultiqueue: Enable
          rootVolume:
            persistent:
              size: 32Gi
            type: Persistent
        type: KubeVirt
      release:
        image: quay.io/ocp:4.17.0-multi
      replicas: 3
    "#);
}

/// A document that uses every field there is.
fn guest_with_everything() -> GuestCluster {
    guest(
        r#"  sshKey: {value: "ssh-ed25519 AAAA"}
  additionalTrustBundle: {value: "PEM"}
  imageContentSources: [{source: quay.io/a, mirrors: [mirror/a]}]
  infraID: g-12345
  baseDomain: example.com
  fips: true
  featureSet: TechPreviewNoUpgrade
  olmCatalogPlacement: guest
  olmDisableDefaultSources: true
  paused: true
  capabilities: {disabled: [Console, Ingress]}
  controlPlane:
    availability: SingleReplica
    infrastructureAvailability: HighlyAvailable
    etcd: {storageClass: fast, size: 16Gi}
    nodeSelector: {role: cp}
    tolerations: [{key: a, operator: Exists}]
    labels: {cost: "42"}
    kubeAPIServerDNSName: api.example.com
  networking: {clusterNetwork: [10.200.0.0/16], serviceNetwork: [172.29.0.0/16], machineNetwork: [192.168.1.0/24], mtu: 8800}
  services:
    apiServer: {type: Route, hostname: api.g.example.com}
    konnectivity: {type: NodePort, address: 192.168.1.1, port: 30000}
  infraCluster: {kubeconfig: {secret: infra}, namespace: guests}
  storageDriver: {storageClasses: [{infra: a, guest: b, group: c}], volumeSnapshotClasses: [{infra: d, guest: e}]}
  overrides: {hostedCluster: {autoscaling: {maxNodesTotal: 5}, fips: null}, nodePool: {management: {replace: {strategy: OnDelete}}}}
  nodePools:
    - name: w
      autoscaling: {min: 1, max: 5}
      qosClass: Guaranteed
      rootVolume: {storageClass: fast, size: 64Gi, accessModes: [ReadWriteMany], volumeMode: Block, cacheStrategy: PVC}
      additionalNetworks: [net/vlan]
      attachDefaultNetwork: false
      networkMultiqueue: false
      hostDevices: [{name: gpu, count: 2}]
      nodeSelector: {disk: ssd}
      nodeLabels: {zone: a}
      taints: [{key: t, effect: NoSchedule}]
      upgradeType: InPlace
      autoRepair: true
      drainTimeout: 10m
      volumeDetachTimeout: 5m
      release: {image: "quay.io/ocp:4.16.0-multi"}
      config: [machine-config]
      tuningConfig: [tuned]
      paused: "2026-12-31T18:00:00Z"
      overrides: {platform: {kubevirt: {compute: {cores: 4}}}}
"#,
    )
}

#[test]
fn a_documents_every_field_has_a_place() {
    let guest = guest_with_everything();
    assert_snapshot!(shapes(&guest, Dialect::Current), @r#"
    apiVersion: v1
    kind: Namespace
    metadata:
      name: hcp
    ---
    apiVersion: v1
    data:
      ca-bundle.crt: PEM
    kind: ConfigMap
    metadata:
      name: user-ca-bundle
      namespace: hcp
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      labels:
        hypershift.openshift.io/safe-to-delete-with-cluster: "true"
      name: g-pull-secret
      namespace: hcp
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      labels:
        hypershift.openshift.io/safe-to-delete-with-cluster: "true"
      name: g-ssh-key
      namespace: hcp
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      labels:
        hypershift.openshift.io/safe-to-delete-with-cluster: "true"
      name: g-etcd-encryption-key
      namespace: hcp
    type: Opaque
    ---
    apiVersion: hypershift.openshift.io/v1beta1
    kind: HostedCluster
    metadata:
      labels:
        team: blue
      name: g
      namespace: hcp
    spec:
      additionalTrustBundle:
        name: user-ca-bundle
      autoscaling:
        maxNodesTotal: 5
      capabilities:
        disabled:
        - Console
        - Ingress
      configuration:
        featureGate:
          featureSet: TechPreviewNoUpgrade
        operatorhub:
          disableAllDefaultSources: true
      controllerAvailabilityPolicy: SingleReplica
      dns:
        baseDomain: example.com
      etcd:
        managed:
          storage:
            persistentVolume:
              size: 16Gi
              storageClassName: fast
            type: PersistentVolume
        managementType: Managed
      imageContentSources:
      - mirrors:
        - mirror/a
        source: quay.io/a
      infraID: g-12345
      infrastructureAvailabilityPolicy: HighlyAvailable
      kubeAPIServerDNSName: api.example.com
      labels:
        cost: "42"
      networking:
        clusterNetwork:
        - cidr: 10.200.0.0/16
        machineNetwork:
        - cidr: 192.168.1.0/24
        networkType: OVNKubernetes
        serviceNetwork:
        - cidr: 172.29.0.0/16
      nodeSelector:
        role: cp
      olmCatalogPlacement: guest
      operatorConfiguration:
        clusterNetworkOperator:
          ovnKubernetesConfig:
            mtu: 8800
      pausedUntil: "true"
      platform:
        kubevirt:
          credentials:
            infraKubeConfigSecret:
              key: kubeconfig
              name: infra
            infraNamespace: guests
          storageDriver:
            manual:
              storageClassMapping:
              - group: c
                guestStorageClassName: b
                infraStorageClassName: a
              volumeSnapshotClassMapping:
              - guestVolumeSnapshotClassName: e
                infraVolumeSnapshotClassName: d
            type: Manual
        type: KubeVirt
      pullSecret:
        name: g-pull-secret
      release:
        image: quay.io/ocp:4.17.0-multi
      secretEncryption:
        aescbc:
          activeKey:
            name: g-etcd-encryption-key
        type: aescbc
      services:
      - service: APIServer
        servicePublishingStrategy:
          route:
            hostname: api.g.example.com
          type: Route
      - service: Ignition
        servicePublishingStrategy:
          type: Route
      - service: Konnectivity
        servicePublishingStrategy:
          nodePort:
            address: 192.168.1.1
            port: 30000
          type: NodePort
      - service: OAuthServer
        servicePublishingStrategy:
          type: Route
      sshKey:
        name: g-ssh-key
      tolerations:
      - key: a
        operator: Exists
    ---
    apiVersion: hypershift.openshift.io/v1beta1
    kind: NodePool
    metadata:
      name: g-w
      namespace: hcp
    spec:
      arch: amd64
      autoScaling:
        max: 5
        min: 1
      clusterName: g
      config:
      - name: machine-config
      management:
        autoRepair: true
        replace:
          strategy: OnDelete
        upgradeType: InPlace
      nodeDrainTimeout: 10m0s
      nodeLabels:
        zone: a
      nodeVolumeDetachTimeout: 5m0s
      pausedUntil: "2026-12-31T18:00:00Z"
      platform:
        kubevirt:
          additionalNetworks:
          - name: net/vlan
          attachDefaultNetwork: false
          compute:
            cores: 4
            memory: 8Gi
            qosClass: Guaranteed
          hostDevices:
          - count: 2
            deviceName: gpu
          networkInterfaceMultiqueue: Disable
          nodeSelector:
            disk: ssd
          rootVolume:
            cacheStrategy:
              type: PVC
            persistent:
              accessModes:
              - ReadWriteMany
              size: 64Gi
              storageClass: fast
              volumeMode: Block
            type: Persistent
        type: KubeVirt
      release:
        image: quay.io/ocp:4.16.0-multi
      taints:
      - effect: NoSchedule
        key: t
      tuningConfig:
      - name: tuned
    "#);
}

#[test]
fn secret_values_stand_apart_from_shapes() {
    let objects = hosted_cluster(&guest(""), Dialect::Current);
    let encoded = "eyJhdXRocyI6";
    for object in &objects {
        assert!(!object.fields.to_string().contains(encoded));
        assert!(!format!("{:?}", object.values).contains("quay"));
    }
    let secret = objects
        .iter()
        .find(|object| object.object.name == "g-pull-secret")
        .unwrap();
    assert!(secret.complete().to_string().contains(encoded));
    let key = objects
        .iter()
        .find(|object| object.object.name == "g-etcd-encryption-key")
        .unwrap();
    let made_up = Generate::RandomBytes {
        key: "key".to_owned(),
        length: 32,
    };
    assert_eq!(key.generate, [made_up]);
}

#[test]
fn a_secret_that_exists_is_referred_to_and_not_made() {
    let mut guest = guest("");
    guest.pull_secret = berth_api::SecretInput::Existing("mine".to_owned());
    let objects = hosted_cluster(&guest, Dialect::Current);
    assert!(
        objects
            .iter()
            .filter(|object| object.is_secret())
            .all(|object| object.object.name == "g-etcd-encryption-key")
    );
    let cluster = objects
        .iter()
        .find(|object| object.object.resource == resources::HOSTED_CLUSTER)
        .unwrap();
    assert_eq!(cluster.fields["spec"]["pullSecret"], json!({"name": "mine"}));
}

/// A CRD of upstream, if it is there.
fn crd(generation: &str, name: &str) -> Option<serde_json::Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::var_os("BERTH_UPSTREAM_DATA").map_or_else(|| root.join("../shared"), |path| root.join(path));
    let file = data.join(format!("crds/{generation}/hypershift.openshift.io_{name}.yaml"));
    let Ok(text) = fs::read_to_string(file) else {
        eprintln!("skipped: render against upstream's schemas: no ../shared");
        return None;
    };
    Some(yaml::parse(&text).unwrap().remove(0))
}

#[test]
fn the_dialect_is_known_by_the_schema() {
    let (Some(old), Some(new)) = (crd("4.17", "hostedclusters"), crd("current", "hostedclusters")) else {
        return;
    };
    assert_eq!(Dialect::of_crd(&old), Dialect::Release4_17);
    assert_eq!(Dialect::of_crd(&new), Dialect::Current);
}

#[test]
fn fields_that_a_server_lacks_are_named() {
    let (Some(old), Some(new)) = (crd("4.17", "hostedclusters"), crd("current", "hostedclusters")) else {
        return;
    };
    let fields = |spec: &str, crd: &serde_json::Value| {
        let objects = hosted_cluster(&guest(spec), Dialect::of_crd(crd));
        let cluster = objects
            .into_iter()
            .find(|object| object.object.resource == resources::HOSTED_CLUSTER)
            .unwrap();
        unknown_fields(&cluster.fields, crd)
    };
    assert_eq!(fields("", &old), Vec::<String>::new());
    assert_eq!(fields("", &new), Vec::<String>::new());
    let newer = "  networking: {mtu: 8800}\n  controlPlane: {labels: {a: b}}\n";
    assert_eq!(fields(newer, &old), ["spec.labels", "spec.operatorConfiguration"]);
    assert_eq!(fields(newer, &new), Vec::<String>::new());
    assert_eq!(
        fields("  overrides: {hostedCluster: {dns: {publicZone: x}}}\n", &new),
        ["spec.dns.publicZone"]
    );
}

/// The example with every field is what upstream takes; what an older server lacks is what is known to be newer.
#[test]
fn every_field_is_taken_by_upstreams_schemas() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let path = folder.join("every-field.yaml");
    let source = Source {
        text: std::fs::read_to_string(&path).unwrap(),
        path,
    };
    let guest = berth_api::load(vec![source], &|path| std::fs::read(path), &|_| None)
        .unwrap()
        .guests
        .remove(0);
    for generation in ["4.17", "current"] {
        for (name, resource) in [
            ("hostedclusters", resources::HOSTED_CLUSTER),
            ("nodepools", resources::NODE_POOL),
        ] {
            let Some(crd) = crd(generation, name) else { return };
            let objects = hosted_cluster(&guest, Dialect::of_crd(&crd));
            let of_kind = objects.iter().filter(|object| object.object.resource == resource);
            for misfit in of_kind.flat_map(|object| misfits(&object.fields, &crd)) {
                let newer = crate::versions::since(&misfit.field).is_some();
                assert!(generation == "4.17" && newer, "{generation} {name}: {misfit:?}");
                assert!(matches!(misfit.fault, Fault::Unknown(_)), "{misfit:?}");
            }
        }
    }
}

/// The table of newer fields against upstream's schemas.
#[test]
fn newer_fields_are_those_that_the_old_schema_lacks() {
    let (Some(old), Some(new)) = (crd("4.17", "hostedclusters"), crd("current", "hostedclusters")) else {
        return;
    };
    for (field, _) in crate::versions::NEWER_FIELDS {
        assert!(knows_field(&new, field) && !knows_field(&old, field), "{field}");
    }
}

#[test]
fn what_an_override_says_is_held_against_the_servers_schema() {
    let Some(crd) = crd("current", "hostedclusters") else {
        return;
    };
    let found = |overrides: &str| {
        let guest = guest(&format!("  overrides: {{hostedCluster: {overrides}}}\n"));
        let objects = hosted_cluster(&guest, Dialect::Current);
        let cluster = objects
            .iter()
            .find(|object| object.object.resource == resources::HOSTED_CLUSTER);
        misfits(&cluster.unwrap().fields, &crd)
    };
    let refused = |field: &str, why: &str| {
        vec![Misfit {
            field: field.to_owned(),
            fault: Fault::Refused(why.to_owned()),
        }]
    };
    assert_eq!(found("{channel: stable-4.17}"), []);
    assert_eq!(
        found("{channel: 4.17}"),
        refused("spec.channel", "a text is needed here")
    );
    assert_eq!(
        found("{olmCatalogPlacement: here}"),
        refused("spec.olmCatalogPlacement", "`here` is none of management, guest")
    );
    assert_eq!(
        found("{updateServise: x}"),
        [Misfit {
            field: "spec.updateServise".to_owned(),
            fault: Fault::Unknown(Some("updateService".to_owned())),
        }]
    );
    assert_eq!(
        found("{autoscaling: {scaleDown: {utilizationThresholdPercent: 101}}}"),
        refused(
            "spec.autoscaling.scaleDown.utilizationThresholdPercent",
            "101, at most 100 are allowed"
        )
    );
}
