//! Every generated file is what its sources give, and the specification keeps its own rules.

use plugobs_gen::{COMMAND, artefact, cli, generate};

#[test]
fn generated_files_are_what_their_sources_give() {
    let root = cli::default_root();
    let generated = generate(&root).unwrap_or_else(|error| panic!("{error}"));
    let drifts = artefact::compare(&root, &generated.artefacts).unwrap();
    let list: Vec<String> = drifts.iter().map(ToString::to_string).collect();
    assert!(drifts.is_empty(), "{}\nrun {COMMAND}", list.join("\n"));
}

#[test]
fn the_specification_keeps_its_own_rules() {
    let root = cli::default_root();
    let generated = generate(&root).unwrap_or_else(|error| panic!("{error}"));
    let list: Vec<String> = generated.problems.iter().map(ToString::to_string).collect();
    assert!(list.is_empty(), "{}", list.join("\n"));
}
