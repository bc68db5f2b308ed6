//! What the README promises: its commands do something, and the output that it
//! shows is the demo's.

use std::path::Path;
use std::process::Output;

use regex::Regex;

use crate::support::{program, repository};

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The code blocks of this language.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let readme = readme();
    let blocks = readme.split(&fence).skip(1);
    blocks
        .map(|rest| rest.split("\n```").next().unwrap().to_owned())
        .collect()
}

fn run(folder: &Path, args: &[&str]) -> Output {
    program().args(args).current_dir(folder).output().unwrap()
}

/// The demo's output where what differs each time is the same each time.
fn normalised(text: &str) -> String {
    let patterns = [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
        (r"/[0-9a-f]{8}\b", "/ID"),
        (r"[+-]\d+\.\d{3}\b", "+0.000"),
        (r"\b\d+(\.\d+)? (ns|µs|ms|s)\b", "0 ms"),
        (r"process \d+", "process 0"),
        // A column is as wide as the widest name in it, whichever those are.
        (r" {2,}", "  "),
    ];
    patterns
        .iter()
        .fold(text.to_owned(), |text, (pattern, with)| {
            let pattern = Regex::new(pattern).unwrap();
            pattern.replace_all(&text, *with).into_owned()
        })
}

#[test]
fn the_output_that_it_shows_is_the_demos() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["demo"]);
    assert!(output.status.success(), "{output:?}");
    let out = normalised(&String::from_utf8(output.stdout).unwrap());
    let story = out.split("\norders  failed").nth(1).unwrap();
    let story = format!("orders  failed{story}");
    let [shown] = blocks("text").try_into().unwrap();
    let shown = normalised(&shown);

    // Line by line in the same order; the README leaves some out and says so.
    let mut lines = story.lines();
    let mut left_out = false;
    for wanted in shown.lines() {
        if wanted.trim() == "…" {
            left_out = true;
        } else if left_out {
            assert!(
                lines.any(|line| line == wanted),
                "{wanted:?} is not in\n{story}"
            );
            left_out = false;
        } else {
            assert_eq!(lines.next(), Some(wanted), "in\n{story}");
        }
    }
    assert!(shown.lines().count() > 12, "{shown}");
}

#[test]
fn its_commands_work_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    // The plan that it names, as if this were the repository.
    std::os::unix::fs::symlink(
        repository().join("conformance"),
        folder.path().join("conformance"),
    )
    .unwrap();
    let blocks = blocks("sh").join("\n");
    let commands: Vec<_> = blocks
        .lines()
        .filter_map(|line| line.strip_prefix("cargo run "))
        // Quiet or not: the first run builds, and shows that it does.
        .filter_map(|line| line.trim_start_matches("-q ").strip_prefix("-- "))
        .map(|line| line.split('#').next().unwrap().trim())
        .collect();
    assert_eq!(commands[0], "demo");
    assert!(commands.len() > 4, "{commands:?}");
    for command in commands {
        let words: Vec<_> = command.split_whitespace().collect();
        let output = run(folder.path(), &words);
        assert!(output.status.success(), "{command}: {output:?}");
        assert!(!output.stdout.is_empty(), "{command}");
    }
    assert!(blocks.contains("\ncargo test --workspace"));
}

#[test]
fn the_paths_in_the_documents_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").unwrap();
    let path =
        Regex::new(r"`((?:reference|spec|schemas|proto|wit|conformance|\.ci)/[A-Za-z0-9_./-]+)`")
            .unwrap();
    let mut seen = 0;
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "conformance/README.md",
        "conformance/guests/README.md",
        "conformance/fixtures/plans/README.md",
        "reference/plugobs-cli/README.md",
    ] {
        let document = repository().join(document);
        let folder = document.parent().unwrap();
        let text = std::fs::read_to_string(&document).unwrap();
        let links = link
            .captures_iter(&text)
            .map(|found| folder.join(&found[1]));
        let paths = path
            .captures_iter(&text)
            .map(|found| repository().join(&found[1]));
        for target in links.chain(paths) {
            let planned = target.ends_with("conformance/vectors/");
            assert!(
                target.exists() || planned,
                "{}: {}",
                document.display(),
                target.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
}
