use berth_api::resources;

use super::*;
use crate::fixtures::{EXAMPLE, documents};

fn options(secret_store: Option<&str>) -> Options {
    Options {
        repository: "https://git.example.com/guests.git".to_owned(),
        path: "clusters/hub".to_owned(),
        namespace: "openshift-gitops".to_owned(),
        secret_store: secret_store.map(str::to_owned),
    }
}

fn file<'t>(tree: &'t Tree, name: &str) -> &'t str {
    let found = tree.files.iter().find(|(path, _)| path == name);
    &found
        .unwrap_or_else(|| {
            panic!(
                "{name} is in {:?}",
                tree.files.iter().map(|(path, _)| path).collect::<Vec<_>>()
            )
        })
        .1
}

#[test]
fn what_others_refer_to_is_of_an_earlier_wave() {
    let tree = tree(&documents(EXAMPLE), &options(None));
    let wave = |name: &str| -> i64 {
        let object = yaml::parse(file(&tree, &format!("hcp/guest-cluster-0/{name}.yaml")))
            .unwrap()
            .remove(0);
        object["metadata"]["annotations"][WAVE]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    let waves = [
        "namespace-hcp",
        "hostedcluster-guest-cluster-0",
        "nodepool-guest-cluster-0-workers",
    ]
    .map(wave);
    assert!(
        waves.is_sorted() && waves[0] < waves[1] && waves[1] < waves[2],
        "{waves:?}"
    );
    assert_eq!(
        tree.needs,
        ["Secret hcp/guest-cluster-0-pull-secret with the key .dockerconfigjson"]
    );
}

#[test]
fn no_file_holds_a_secret_or_a_mark_of_berths() {
    for store in [None, Some("vault")] {
        for (path, text) in tree(&documents(EXAMPLE), &options(store)).files {
            assert!(
                !text.contains("dXNlcjpwYXNz") && !text.contains("kind: Secret\n"),
                "{path}"
            );
            assert!(
                !text.contains("managed-by: berth") && !text.contains("berth.dev"),
                "{path}"
            );
        }
    }
}

/// A store's secret has the name, the keys and the label that the HostedCluster's own would have.
#[test]
fn a_store_gives_what_the_cluster_refers_to() {
    let tree = tree(&documents(EXAMPLE), &options(Some("vault")));
    assert_eq!(tree.needs, Vec::<String>::new());
    let object = yaml::parse(file(
        &tree,
        "hcp/guest-cluster-0/externalsecret-guest-cluster-0-pull-secret.yaml",
    ))
    .unwrap()
    .remove(0);
    assert_eq!(object["spec"]["target"]["name"], "guest-cluster-0-pull-secret");
    assert_eq!(object["spec"]["data"][0]["secretKey"], ".dockerconfigjson");
    let cluster = yaml::parse(file(&tree, "hcp/guest-cluster-0/hostedcluster-guest-cluster-0.yaml"))
        .unwrap()
        .remove(0);
    assert_eq!(cluster["spec"]["pullSecret"]["name"], object["spec"]["target"]["name"]);
    // The key for etcd would be a secret in the repository: the operator makes one where none is named.
    assert_eq!(cluster["spec"].get("secretEncryption"), None);
    assert_eq!(cluster["kind"], resources::HOSTED_CLUSTER.kind);
}

#[test]
fn each_file_is_listed_where_kustomize_looks_for_it() {
    let tree = tree(&documents(EXAMPLE), &options(None));
    let listed = |name: &str| yaml::parse(file(&tree, name)).unwrap().remove(0)["resources"].clone();
    assert_eq!(listed("kustomization.yaml"), json!(["hcp/guest-cluster-0"]));
    for name in listed("hcp/guest-cluster-0/kustomization.yaml").as_array().unwrap() {
        file(&tree, &format!("hcp/guest-cluster-0/{}", name.as_str().unwrap()));
    }
    let health = yaml::parse(file(&tree, "argocd/health.yaml")).unwrap().remove(0);
    assert_eq!(health["data"].as_object().unwrap().len(), 2);
}

#[test]
fn a_login_is_not_a_syncs_to_put_in_place_and_that_is_said() {
    let section = "  identity:
    clusterAdmins: {users: [ada]}
    providers: [{name: hub, github: {clientID: x, clientSecret: {secret: kept}, organizations: [o]}}]
";
    let tree = tree(&documents(&format!("{EXAMPLE}{section}")), &options(None));
    assert_eq!(tree.left_out.len(), 1);
    assert!(
        tree.left_out[0].starts_with("spec.identity of GuestCluster hcp/guest-cluster-0: "),
        "{:?}",
        tree.left_out
    );
    assert!(super::tree(&documents(EXAMPLE), &options(None)).left_out.is_empty());
}
