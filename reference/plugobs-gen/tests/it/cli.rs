//! The tool end to end, on a copy of the sources.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use plugobs_gen::cli;

#[test]
fn writes_then_finds_nothing_then_names_what_drifted() {
    let root = tempfile::tempdir().unwrap();
    copy(
        &cli::default_root().join("spec/registries"),
        &root.path().join("spec/registries"),
    );
    copy(
        &cli::default_root().join("proto"),
        &root.path().join("proto"),
    );
    let chapter = root.path().join("spec/a.md");
    // Every clause that registries and definitions name, so that nothing else is wrong.
    fs::write(&chapter, clauses_named_in(root.path())).unwrap();

    let (status, out, err) = run(&["--root", root.path().to_str().unwrap()]);
    let registries = root.path().join("spec/registries.md");
    assert!(registries.exists(), "{err}");
    assert_eq!(status, ExitCode::SUCCESS, "{err}");
    assert!(out.contains("wrote spec/clauses.json\n"), "{out}");
    assert!(
        out.contains("wrote reference/plugobs-proto/src/gen/io_pact_plugin_v2.rs\n"),
        "{out}"
    );

    let check = ["--check", "--root", root.path().to_str().unwrap()];
    let (status, _, err) = run(&check);
    assert_eq!((status, err.as_str()), (ExitCode::SUCCESS, ""));

    let text = fs::read_to_string(&registries).unwrap();
    fs::write(&registries, text.replacen("lifecycle", "lifecircle", 1)).unwrap();
    let (status, _, err) = run(&check);
    assert_eq!(status, ExitCode::FAILURE);
    assert!(
        err.starts_with("spec/registries.md differs from its sources, first in line "),
        "{err}"
    );
    assert!(err.ends_with("run cargo run -p plugobs-gen\n"), "{err}");

    fs::write(&chapter, "**OBS-A-01** A driver runs.\n").unwrap();
    let (status, _, err) = run(&check);
    assert_eq!(status, ExitCode::FAILURE);
    assert!(
        err.contains("spec/a.md:1: OBS-A-01 must have exactly one key word"),
        "{err}"
    );
}

#[test]
fn says_how_it_is_used() {
    let (status, _, err) = run(&["--frobnicate"]);
    assert_eq!(status, ExitCode::from(2));
    assert_eq!(
        err,
        "plugobs-gen: unknown argument --frobnicate\nusage: plugobs-gen [--check] [--root DIR]\n"
    );
}

fn run(args: &[&str]) -> (ExitCode, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = cli::run(args.iter().map(Into::into), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("the tool writes UTF-8");
    (status, text(out), text(err))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a new folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// A chapter that defines each id that the copied sources name.
fn clauses_named_in(root: &Path) -> String {
    let mut text = String::new();
    read_all(root, &mut text);
    let mut ids: Vec<&str> = text
        .match_indices("OBS-")
        .map(|(start, _)| {
            let rest = &text[start..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            rest[..end.unwrap_or(rest.len())].trim_end_matches('-')
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.iter()
        .map(|id| format!("**{id}** A driver MUST keep it.\n\n"))
        .collect()
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(&path, text);
        } else if let Ok(content) = fs::read_to_string(&path) {
            text.push_str(&content);
        }
    }
}
