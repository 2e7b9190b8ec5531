use super::*;
use crate::fixtures::{EXAMPLE, documents};

fn platform() -> Platform {
    Platform::of_rust("linux", "x86_64")
}

#[test]
fn the_example_is_the_whole_journey_in_order() {
    let steps = compile(&documents(EXAMPLE), &platform());
    let lines: Vec<_> = steps
        .iter()
        .map(|step| {
            let after: Vec<_> = step
                .after()
                .into_iter()
                .map(|dependency| dependency.step.to_string())
                .collect();
            format!("{} <- {}", step.id(), after.join(", "))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    prerequisites <- 
    ingress <- prerequisites
    storage <- prerequisites
    multicluster-engine-operator <- prerequisites
    multicluster-engine <- multicluster-engine-operator, ingress, storage
    cli <- multicluster-engine
    guest/guest-cluster-0/cluster <- multicluster-engine
    guest/guest-cluster-0/pool/workers <- multicluster-engine
    guest/guest-cluster-0/rollout <- guest/guest-cluster-0/pool/workers
    guest/guest-cluster-0/access <- guest/guest-cluster-0/cluster
    ");
}

#[test]
fn every_step_stands_after_those_that_it_needs() {
    let steps = compile(&documents(EXAMPLE), &platform());
    for (index, step) in steps.iter().enumerate() {
        for dependency in step.after() {
            assert!(
                steps[..index].iter().any(|before| *before.id() == dependency.step),
                "{}",
                step.id()
            );
        }
    }
}

#[test]
fn what_a_document_leaves_alone_has_no_step() {
    let text = EXAMPLE
        .replace(
            "storage: {defaultClass: ocs-storagecluster-ceph-rbd}",
            "ingress: {wildcardPolicy: Keep}",
        )
        .replace("{channel: auto}", "{channel: auto}\n  cli: {fetch: false}");
    let steps = compile(&documents(&text), &platform());
    let ids: Vec<_> = steps.iter().map(|step| step.id().as_str()).collect();
    for left_out in [ids::INGRESS, ids::STORAGE, ids::CLI] {
        assert!(!ids.contains(&left_out), "{ids:?}");
    }
}

#[test]
fn a_link_is_chosen_by_whole_words_in_either_layout() {
    let of = |os: &str, arch: &str| Platform {
        os: os.to_owned(),
        arch: arch.to_owned(),
    };
    let (old, new) = (
        "https://hcp-cli.apps.linux.example/darwin/arm64/hcp.tar.gz",
        "https://host.example/hcp-linux-amd64.tar.gz",
    );
    assert!(of("darwin", "arm64").is_meant_by(old));
    // The host's name is no part of the choice.
    assert!(!of("linux", "arm64").is_meant_by(old));
    assert!(of("linux", "amd64").is_meant_by(new));
    assert!(!of("linux", "ppc64").is_meant_by("https://host.example/linux/ppc64le/hcp.tar.gz"));
}

/// Upstream's schema of a kind in a generation, where upstream's files are at hand.
fn upstream(generation: &str, resource: &berth_api::Resource) -> Option<serde_json::Value> {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let data = std::env::var_os("BERTH_UPSTREAM_DATA").map_or_else(|| root.join("../shared"), |path| root.join(path));
    let file = data
        .join("crds")
        .join(generation)
        .join(format!("{}_{}.yaml", resource.group, resource.plural));
    let text = std::fs::read_to_string(file).ok()?;
    berth_api::yaml::parse(&text)
        .expect("upstream's file is YAML")
        .into_iter()
        .next()
}

#[test]
fn every_field_that_is_written_is_in_upstreams_schemas() {
    use crate::change::Change;
    let world = crate::fixtures::World::bare();
    let mut held = 0;
    for step in compile(&documents(EXAMPLE), &platform()) {
        for change in world.changes(step.as_ref()) {
            let (Change::Apply { object, fields } | Change::CreateOnce { object, fields, .. }) = change else {
                continue;
            };
            for generation in ["4.17", "current"] {
                let Some(crd) = upstream(generation, object.resource) else {
                    continue;
                };
                assert_eq!(
                    crate::render::unknown_fields(&fields, &crd),
                    [""; 0],
                    "{object} in {generation}"
                );
                held += 1;
            }
        }
    }
    if held == 0 {
        println!("skipped: compile against upstream's schemas: no ../shared");
    }
}
