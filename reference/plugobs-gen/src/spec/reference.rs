//! Whoever names a clause names one that exists; whoever links leads somewhere.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::clause::Clause;
use super::markdown::{BlockKind, blocks, without_code};
use super::problem::{Problem, ProblemKind};
use crate::error::{GenError, Result};

/// Where clauses are named. What is missing is not there yet, and not looked at.
const PLACES: &[&str] = &[
    "spec",
    "proto",
    "wit",
    "schemas",
    "reference",
    "conformance",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];

/// Written by this tool from sources that are looked at, or, for its own tests, made up.
const EXEMPT: &[&str] = &[
    "spec/clauses.json",
    "spec/registries.md",
    "reference/plugobs-core/src/registry.rs",
    "reference/plugobs-proto/src/gen",
    "reference/plugobs-gen",
];

/// Wider than the form of an id, so that a misspelt one is seen as well.
static MENTION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\bOBS-[A-Z]+-[0-9]+[a-z]?(?:[0-9A-Za-z]*)\b"));

static LINK: LazyLock<Regex> = LazyLock::new(|| pattern(r"\]\(([^()\s]+)\)"));

/// Looks through the repository at `root`.
pub(super) fn check(
    root: &Path,
    clauses: &BTreeMap<String, Clause>,
    problems: &mut Vec<Problem>,
) -> Result<()> {
    let mut files = Vec::new();
    for place in PLACES {
        find(root, Path::new(place), &mut files)?;
    }
    for file in files {
        let bytes = fs::read(root.join(&file)).map_err(GenError::io(&file))?;
        // What is not text names no clause.
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        mentions(&file, &text, clauses, problems);
        if file.extension().is_some_and(|extension| extension == "md") {
            links(root, &file, &text, problems);
        }
    }
    Ok(())
}

fn mentions(
    file: &Path,
    text: &str,
    clauses: &BTreeMap<String, Clause>,
    problems: &mut Vec<Problem>,
) {
    for (index, line) in text.lines().enumerate() {
        for found in MENTION.find_iter(line) {
            if !clauses.contains_key(found.as_str()) {
                problems.push(Problem {
                    file: shown(file),
                    line: index + 1,
                    kind: ProblemKind::UnknownReference {
                        id: found.as_str().to_owned(),
                    },
                });
            }
        }
    }
}

/// Links to files of the repository and to their headings.
fn links(root: &Path, file: &Path, text: &str, problems: &mut Vec<Problem>) {
    for block in blocks(text) {
        if block.kind == BlockKind::Code {
            continue;
        }
        for (index, line) in block.lines.iter().enumerate() {
            for found in LINK.captures_iter(&without_code(line)) {
                let target = &found[1];
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                if !leads_somewhere(root, file, text, target) {
                    problems.push(Problem {
                        file: shown(file),
                        line: block.line + index,
                        kind: ProblemKind::DeadLink {
                            target: target.to_owned(),
                        },
                    });
                }
            }
        }
    }
}

fn leads_somewhere(root: &Path, file: &Path, own_text: &str, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    if path.is_empty() {
        return anchors(own_text).contains(anchor);
    }
    let Some(path) = beside(file, path) else {
        return false;
    };
    let path = root.join(path);
    if anchor.is_empty() {
        return path.exists();
    }
    fs::read_to_string(path).is_ok_and(|text| anchors(&text).contains(anchor))
}

/// A link's path from the root; `None` where it leaves the repository.
fn beside(file: &Path, target: &str) -> Option<PathBuf> {
    let mut path = file.parent().unwrap_or(Path::new("")).to_path_buf();
    for part in Path::new(target).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir => path.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// The names that a viewer gives to headings: small letters, hyphens for spaces, no punctuation.
fn anchors(text: &str) -> HashSet<String> {
    let headings = blocks(text)
        .into_iter()
        .filter(|block| block.kind == BlockKind::Heading);
    headings
        .map(|heading| {
            let lower = heading.lines[0].to_lowercase();
            lower
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

fn find(root: &Path, place: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let hidden = |name: &str| name.starts_with('.') || matches!(name, "target" | "node_modules");
    if EXEMPT.iter().any(|exempt| place == Path::new(exempt)) {
        return Ok(());
    }
    let path = root.join(place);
    if path.is_file() {
        files.push(place.to_path_buf());
    } else if path.is_dir() {
        for entry in fs::read_dir(&path).map_err(GenError::io(&path))? {
            let name = entry.map_err(GenError::io(&path))?.file_name();
            if !hidden(&name.to_string_lossy()) {
                find(root, &place.join(name), files)?;
            }
        }
    }
    Ok(())
}

fn shown(file: &Path) -> String {
    file.to_string_lossy().replace('\\', "/")
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant that the tests compile")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Specification;

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let specification = Specification::read(root.path()).unwrap();
        specification
            .problems
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    const CHAPTER: (&str, &str) = (
        "spec/a.md",
        "# A\n\n## Two words!\n\n**OBS-A-01** A driver MUST run.\n",
    );

    #[test]
    fn a_clause_that_is_named_exists() {
        let found = problems(&[
            CHAPTER,
            ("proto/a/a.proto", "// OBS-A-01\n// OBS-A-02\n"),
            ("spec/registries/a.json", "{\"clause\": \"OBS-A-1\"}"),
            ("reference/x/src/lib.rs", "//! OBS-A-01 and OBS-AX-01.\n"),
            ("reference/plugobs-gen/src/lib.rs", "//! OBS-NO-01\n"),
            ("reference/x/target/x.rs", "//! OBS-NO-01\n"),
        ]);
        assert_eq!(
            found,
            [
                "proto/a/a.proto:2: OBS-A-02 is the id of no clause",
                "reference/x/src/lib.rs:1: OBS-AX-01 is the id of no clause",
                "spec/registries/a.json:1: OBS-A-1 is the id of no clause",
            ]
        );
    }

    #[test]
    fn a_link_leads_somewhere() {
        let found = problems(&[
            CHAPTER,
            (
                "spec/b.md",
                "[x](a.md) [x](a.md#two-words) [x](#b) [x](../README.md) [x](https://x.y/z)\n\n\
                 # B\n\n[x](c.md) [x](a.md#three) [x](../../out.md) `[x](code.md)`\n",
            ),
            ("README.md", "[x](spec/a.md)\n"),
        ]);
        assert_eq!(
            found,
            [
                "spec/b.md:5: the link \"../../out.md\" leads nowhere",
                "spec/b.md:5: the link \"a.md#three\" leads nowhere",
                "spec/b.md:5: the link \"c.md\" leads nowhere",
            ]
        );
    }
}
