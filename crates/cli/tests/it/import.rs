//! What exists becomes documents, and the documents change nothing: against both generations of upstream's schemas, with the
//! lab's operator writing into what others made.

use std::time::Duration;

use berth_api::yaml;
use berth_engine::Verb;
use berth_lab::SimulationOptions;
use berth_procedure::import::{self, Found};
use serde_json::{Value, json};

use crate::hub::{Hub, example, example_pull_secret, steps_of, up};
use crate::simulation::{upstream, upstream_crds};

const HYPERSHIFT: &str = "/apis/hypershift.openshift.io/v1beta1";
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// The HostedClusters and NodePools that the real `hcp` rendered, each case under a name of its own.
fn renderings(generation: &str) -> Option<Vec<Value>> {
    let folder = upstream(&format!("golden/hcp-render/{generation}"))?;
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("an entry can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let mut objects = Vec::new();
    for path in files {
        let case = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read_to_string(&path).expect("a rendering can be read");
        for mut object in yaml::parse(&text).expect("a rendering is YAML") {
            match object["kind"].as_str() {
                Some("HostedCluster") => {}
                Some("NodePool") => object["spec"]["clusterName"] = case.clone().into(),
                _ => continue,
            }
            object["metadata"]["name"] = case.clone().into();
            object["metadata"]["namespace"] = "clusters".into();
            let fields = object.as_object_mut().expect("an object has fields");
            fields.remove("status");
            // Each guest is its own infrastructure.
            if object["spec"].get("infraID").is_some() {
                object["spec"]["infraID"] = case.clone().into();
            }
            objects.push(object);
        }
    }
    Some(objects)
}

async fn imported(hub: &Hub) -> String {
    let pools = hub.list(&format!("{HYPERSHIFT}/nodepools")).await;
    let schema = async |plural: &str| hub.get(&format!("{CRDS}/{plural}.hypershift.openshift.io")).await;
    let (clusters, of_pools) = (schema("hostedclusters").await, schema("nodepools").await);
    assert!(clusters.is_some() && of_pools.is_some());
    // The management cluster stays as the example has it.
    let mut text = example().split("\n---\n").next().unwrap_or_default().to_owned() + "\n";
    for cluster in hub.list(&format!("{HYPERSHIFT}/hostedclusters")).await {
        let own: Vec<Value> = pools
            .iter()
            .filter(|pool| import::belongs(pool, &cluster))
            .cloned()
            .collect();
        let found = Found {
            cluster: &cluster,
            pools: &own,
            schemas: (clusters.as_ref(), of_pools.as_ref()),
        };
        let document =
            import::document(&found).unwrap_or_else(|error| panic!("{}: {error}", cluster["metadata"]["name"]));
        text.push_str("---\n");
        text.push_str(&document);
    }
    text
}

#[tokio::test(start_paused = true)]
async fn what_is_imported_changes_nothing() {
    for generation in ["4.17", "current"] {
        let (Some(crds), Some(objects)) = (upstream_crds(generation), renderings(generation)) else {
            println!("skipped: what_is_imported_changes_nothing ({generation}): no ../shared");
            continue;
        };
        let hub = Hub::start(SimulationOptions {
            crds,
            generation: generation.parse().expect("a set has the name of its generation"),
            ..SimulationOptions::default()
        })
        .await;
        up(&hub.engine(1).await).await;
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "clusters"}});
        hub.apply("/api/v1/namespaces/clusters", &namespace).await;
        // Workers of arm64 are refused by upstream's own rules, so they can't be there to be imported.
        for object in objects
            .iter()
            .filter(|object| object["metadata"]["name"] != "paused" || object["kind"] != "NodePool")
        {
            let kind = if object["kind"] == "NodePool" {
                "nodepools"
            } else {
                "hostedclusters"
            };
            let name = object["metadata"]["name"].as_str().expect("an object has a name");
            hub.apply(&format!("{HYPERSHIFT}/namespaces/clusters/{kind}/{name}"), object)
                .await;
        }
        // The operator has the time to write its own into them.
        tokio::time::sleep(Duration::from_mins(3)).await;
        let text = imported(&hub).await;
        let count = text.matches("kind: GuestCluster").count();
        assert!(count > 15, "{generation}: {count} guests");
        let plan = hub
            .engine(2)
            .await
            .plan(&steps_of(&text, &example_pull_secret()))
            .await
            .expect("a plan can be made");
        let writes: Vec<_> = plan
            .steps
            .iter()
            .flat_map(|step| step.writes.iter().map(move |write| (&step.id, write)))
            .filter(|(_, write)| write.verb != Verb::Unchanged)
            .collect();
        assert!(writes.is_empty(), "{generation}: {writes:#?}\n{text}");
        assert!(plan.is_empty(), "{generation}");
    }
}
