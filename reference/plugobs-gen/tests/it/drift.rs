//! Compares every generated file with what is checked in.

use plugobs_gen::{COMMAND, artefact, cli, generate};

#[test]
fn generated_files_are_what_their_sources_give() {
    let root = cli::default_root();
    let artefacts = generate(&root).unwrap_or_else(|error| panic!("{error}"));
    let drifts = artefact::compare(&root, &artefacts).unwrap();
    let list: Vec<String> = drifts.iter().map(ToString::to_string).collect();
    assert!(drifts.is_empty(), "{}\nrun {COMMAND}", list.join("\n"));
}
