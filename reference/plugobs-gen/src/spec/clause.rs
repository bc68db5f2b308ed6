//! Clauses: a paragraph that begins with a bold id, and its one sentence with its one key word.

use std::sync::LazyLock;

use regex::Regex;

use super::markdown::{Block, BlockKind, blocks, without_code};
use super::problem::{Problem, ProblemKind};

/// One normative sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Its id, such as `OBS-ID-01`.
    pub id: String,
    /// Its key word, such as `MUST NOT`.
    pub keyword: String,
    /// The chapter, from the repository's root.
    pub file: String,
    /// The line in the chapter, from 1.
    pub line: usize,
    /// The heading under which it stands.
    pub heading: String,
    /// The sentence.
    pub text: String,
}

/// What a chapter gives.
#[derive(Debug, Default)]
pub(super) struct Chapter {
    pub(super) clauses: Vec<Clause>,
    pub(super) problems: Vec<Problem>,
}

static ID: LazyLock<Regex> = LazyLock::new(|| pattern("^OBS-[A-Z]+-[0-9]{2}[a-z]?$"));

/// The longer ones first, so that `MUST NOT` is not taken for `MUST`.
static KEYWORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(MUST NOT|MUST|REQUIRED|SHALL NOT|SHALL|SHOULD NOT|SHOULD|NOT RECOMMENDED|RECOMMENDED|MAY|OPTIONAL)\b",
    )
});

/// A sentence's end with something after it.
static SENTENCE_END: LazyLock<Regex> = LazyLock::new(|| pattern(r#"[.!?]["')]*\s+\S"#));

/// Reads the clauses of a chapter. With `strict`, a key word outside of a clause is a problem.
pub(super) fn read(file: &str, text: &str, strict: bool) -> Chapter {
    let mut chapter = Chapter::default();
    let mut heading = String::new();
    for block in blocks(text) {
        match block.kind {
            BlockKind::Code => continue,
            BlockKind::Heading => heading.clone_from(&block.lines[0]),
            BlockKind::Paragraph => {
                if let Some((id, sentence)) = split(&block) {
                    add(&mut chapter, file, &heading, &block, id, sentence);
                    continue;
                }
            }
            BlockKind::Other => {}
        }
        if strict {
            stray_keywords(&mut chapter, file, &block);
        }
    }
    chapter
}

/// The bold text at the beginning of a clause, and what comes after it.
fn split(block: &Block) -> Option<(&str, String)> {
    let first = block.lines[0].strip_prefix("**")?;
    let (id, rest) = first.split_once("**")?;
    if !id.starts_with("OBS") {
        return None;
    }
    let mut sentence = rest.trim().to_owned();
    for line in &block.lines[1..] {
        sentence.push('\n');
        sentence.push_str(line);
    }
    Some((id, sentence))
}

fn add(
    chapter: &mut Chapter,
    file: &str,
    heading: &str,
    block: &Block,
    id: &str,
    sentence: String,
) {
    let mut problem = |kind| {
        chapter.problems.push(Problem {
            file: file.to_owned(),
            line: block.line,
            kind,
        });
    };
    let id = id.to_owned();
    if !ID.is_match(&id) {
        problem(ProblemKind::MalformedId { id });
        return;
    }
    if sentence.trim().is_empty() {
        problem(ProblemKind::NoSentence { id });
        return;
    }
    let plain = without_code(&sentence);
    if sentence.contains('\n') || SENTENCE_END.is_match(&plain) || !plain.ends_with('.') {
        problem(ProblemKind::Sentences { id: id.clone() });
    }
    let mut found: Vec<String> = keywords(&plain).collect();
    let keyword = match found.pop() {
        Some(only) if found.is_empty() => only,
        last => {
            found.extend(last);
            problem(ProblemKind::Keywords { id, found });
            return;
        }
    };
    chapter.clauses.push(Clause {
        id,
        keyword,
        file: file.to_owned(),
        line: block.line,
        heading: heading.to_owned(),
        text: sentence,
    });
}

fn stray_keywords(chapter: &mut Chapter, file: &str, block: &Block) {
    for (index, line) in block.lines.iter().enumerate() {
        for keyword in keywords(&without_code(line)) {
            chapter.problems.push(Problem {
                file: file.to_owned(),
                line: block.line + index,
                kind: ProblemKind::StrayKeyword { keyword },
            });
        }
    }
}

fn keywords(text: &str) -> impl Iterator<Item = String> {
    KEYWORD
        .find_iter(text)
        .map(|found| found.as_str().to_owned())
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant that the tests compile")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let chapter = read("spec/x.md", text, true);
        chapter.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_a_clause_with_its_heading() {
        let text =
            "# X\n\n## Start\n\nWhy.\n\n**OBS-ID-01a** A driver MUST NOT use `e.g. MUST` twice.\n";
        let chapter = read("spec/x.md", text, true);
        assert_eq!(chapter.problems, []);
        assert_eq!(
            chapter.clauses,
            [Clause {
                id: "OBS-ID-01a".into(),
                keyword: "MUST NOT".into(),
                file: "spec/x.md".into(),
                line: 7,
                heading: "Start".into(),
                text: "A driver MUST NOT use `e.g. MUST` twice.".into(),
            }]
        );
    }

    #[test]
    fn names_every_fault_of_a_clause() {
        assert_eq!(
            problems("**OBS-ID-1** A driver MUST run.\n"),
            [
                "spec/x.md:1: \"OBS-ID-1\" is no clause id; it has the form OBS-AREA-00, with a small letter at most after it"
            ]
        );
        assert_eq!(
            problems("**OBS-ID-01**\n"),
            ["spec/x.md:1: OBS-ID-01 has no sentence"]
        );
        let one_sentence = "spec/x.md:1: OBS-ID-01 must be exactly one sentence, on one line and ended by a full stop";
        assert_eq!(
            problems("**OBS-ID-01** A driver MUST run. It stops.\n"),
            [one_sentence]
        );
        assert_eq!(
            problems("**OBS-ID-01** A driver MUST run.\nIt stops.\n"),
            [one_sentence]
        );
        assert_eq!(
            problems("**OBS-ID-01** A driver MUST run\n"),
            [one_sentence]
        );
        assert_eq!(
            problems("**OBS-ID-01** A driver runs.\n"),
            ["spec/x.md:1: OBS-ID-01 must have exactly one key word of BCP 14; it has []"]
        );
        assert_eq!(
            problems("**OBS-ID-01** A driver MUST run and SHOULD NOT stop.\n"),
            [
                "spec/x.md:1: OBS-ID-01 must have exactly one key word of BCP 14; it has [\"MUST\", \"SHOULD NOT\"]"
            ]
        );
    }

    #[test]
    fn key_words_stand_in_clauses_only() {
        assert_eq!(
            problems(
                "# X\n\nA driver runs.\nIt MAY stop.\n\n- a list SHALL NOT\n\n```\nMUST\n```\n\n`MUST` as code.\n"
            ),
            [
                "spec/x.md:4: MAY in capitals stands outside of a clause",
                "spec/x.md:6: SHALL NOT in capitals stands outside of a clause",
            ]
        );
        assert_eq!(
            read("spec/README.md", "MUST is a key word.\n", false).problems,
            []
        );
    }
}
