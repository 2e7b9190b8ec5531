//! Every command of the seed, in order, on a fresh lab, as processes: `tests/seed/procedure.md`.

use crate::lab::{Home, root};
use crate::{script, skip};

#[test]
fn every_command_of_the_seed_does_what_it_should() {
    if skip::need("seed", &["kubectl", "jq", "wget", "bash"]).is_none() {
        return;
    }
    let home = Home::new();
    home.ok(&["lab", "start", "--speed", "max"]);
    let shell = home.shell(&home.ok(&["lab", "kubeconfig"]));
    std::fs::copy(
        root().join("examples/pull-secret.json"),
        shell.folder.join("pull-secret.json"),
    )
    .expect("the example's pull secret can be copied");
    script::run(&root().join("tests/seed/procedure.md"), &shell);
}
