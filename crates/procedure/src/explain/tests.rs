use insta::assert_snapshot;

use super::*;

/// Rewrites the page with `BERTH_UPDATE=1`, otherwise holds it to what the schemas say.
#[test]
fn the_page_is_what_the_schemas_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let page = configuration();
    if std::env::var_os("BERTH_UPDATE").is_some() {
        std::fs::write(path, &page).expect("docs/ can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/configuration.md is not what the schemas say: make update"
    );
}

#[test]
fn a_field_is_explained_with_what_it_becomes_and_what_an_edit_does() {
    assert_snapshot!(explain("guestcluster.spec.controlplane.etcd").unwrap(), @r"
    GuestCluster: spec.controlPlane.etcd

      The control plane's store.

      type      fields
      becomes   HostedCluster spec.etcd

    Fields:
      restoreSnapshotURL  A snapshot to begin from: an address that starts with `https:` or `s3:`. It can't be given later.
      size                The size of each volume; can't be changed later.
      storageClass        The storage class of its volumes; left out, the default class.
      unmanaged           A store that somebody else runs, in place of one of the guest's own.
    ");
    assert_snapshot!(explain("GuestCluster.spec.nodePools.cores").unwrap(), @r"
    GuestCluster: spec.nodePools[].cores

      Each worker's cores.

      type      number: at least 1
      default   2
      later     rolls the workers: new machines take the place of old ones; with InPlace only new ones have it
      becomes   NodePool spec.platform.kubevirt.compute.cores
    ");
    assert_snapshot!(explain("guestcluster.spec.networking.mtu").unwrap(), @r"
    GuestCluster: spec.networking.mtu

      The pods' MTU, with OVNKubernetes only; left out, the plugin chooses.

      type      number: 576 to 9216
      later     can't be changed
      becomes   HostedCluster spec.operatorConfiguration.clusterNetworkOperator.ovnKubernetesConfig.mtu
      needs     a server that has it: HyperShift 5.1 (multicluster engine 5.0) does, 4.17's has not; `berth check` asks it
    ");
    assert_snapshot!(explain("guestcluster.spec.nodePools[].upgradeType").unwrap(), @r"
    GuestCluster: spec.nodePools[].upgradeType

      How workers are brought to another release; can't be changed later.

      type      choice
                Replace              By new machines.
                InPlace              On the same machines.
      default   Replace
      later     can't be changed
      becomes   NodePool spec.management.upgradeType
    ");
}

#[test]
fn each_field_can_be_explained() {
    for kind in ["GuestCluster", "ManagementCluster"] {
        let (_, fields) = fields_of_kind(kind).unwrap();
        for field in fields {
            let text = explain(&format!("{kind}.{}", field.path)).unwrap();
            assert!(
                !field.description.is_empty() && text.contains(&field.description),
                "{}",
                field.path
            );
        }
    }
}

#[test]
fn what_there_is_not_is_said_with_what_there_is() {
    assert_eq!(explain("pod.spec"), Err(ExplainError::Kind("pod".to_owned())));
    let Err(ExplainError::Field { known, .. }) = explain("guestcluster.spec.controlPlane.etcd.sise") else {
        panic!("there is no such field")
    };
    assert!(known.contains(&"size".to_owned()), "{known:?}");
}
