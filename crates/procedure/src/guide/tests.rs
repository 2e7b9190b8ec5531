use super::*;

/// Rewrites the page with `BERTH_UPDATE=1`, otherwise holds it to what the steps say.
#[test]
fn generated_guide_is_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/procedure.md");
    let page = markdown();
    if std::env::var_os("BERTH_UPDATE").is_some() {
        std::fs::write(path, &page).expect("docs/ can be written");
    }
    let committed = std::fs::read_to_string(path).expect("the guide is committed");
    assert!(
        committed == page,
        "docs/procedure.md is not what the steps say: make update"
    );
}

#[test]
fn every_step_has_a_text_with_a_reason_and_something_to_expect() {
    for step in compile(&example(), &Platform::of_rust("linux", "x86_64")) {
        let (reason, expected) = text_of(step.id().as_str()).unwrap_or_else(|| panic!("{} has no text", step.id()));
        assert!(reason.len() > 100 && expected.len() > 20, "{}", step.id());
        assert!(super::step(step.id().as_str()).is_some_and(|text| !text.contains("<!--")));
    }
    assert_eq!(super::step("guest/x"), None);
    assert_eq!(super::step("nonsense"), None);
}

#[test]
fn the_seeds_slips_are_not_repeated() {
    let page = markdown();
    let (steps, mistakes) = page
        .split_once("## What the original procedure had wrong")
        .expect("they are named");
    for slip in [
        "hpc-",
        "--no-check-certificate",
        "operator.multicluster-engine.io",
        "sudo ",
    ] {
        assert!(!steps.contains(slip), "{slip}");
    }
    assert!(mistakes.contains("hpc-guest-cluster-0"));
    // The channel is solved, not left open.
    assert!(steps.contains("channel: stable-2.7"));
}
