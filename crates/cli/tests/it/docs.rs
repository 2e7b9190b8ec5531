//! `docs/cli.md`: each example in it is run, and prints what it shows.

use crate::lab::{Home, root};
use crate::{script, skip};

#[test]
fn every_example_of_the_command_lines_reference_holds() {
    if skip::need("docs/cli.md", &["kubectl", "bash"]).is_none() {
        return;
    }
    let home = Home::new();
    let mut shell = home.shell("");
    shell.variables.remove("KUBECONFIG");
    std::os::unix::fs::symlink(root().join("examples"), shell.folder.join("examples")).expect("a link can be made");
    script::run(&root().join("docs/cli.md"), &shell);
}
