//! The specification's prose: its clauses, made into a list, and the rules that its text keeps.

mod clause;
mod list;
mod markdown;
mod problem;
mod reference;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::artefact::Artefact;
use crate::error::{GenError, Result};

pub use clause::Clause;
pub use problem::{Problem, ProblemKind};

/// The chapters that are generated, and so bear no clauses.
const GENERATED: &[&str] = &["registries.md"];

/// The chapter that explains the key words, and so may name them.
const EXPLAINS_KEYWORDS: &str = "README.md";

/// All clauses, and what is wrong with the text.
#[derive(Debug, Default)]
pub struct Specification {
    /// The clauses by id.
    pub clauses: BTreeMap<String, Clause>,
    /// What breaks a rule, by file and line.
    pub problems: Vec<Problem>,
}

impl Specification {
    /// Reads every chapter under `spec/`, and every file of the repository that names a clause.
    ///
    /// # Errors
    /// A file or folder that cannot be read. What is wrong with a text is in
    /// [`problems`](Self::problems).
    pub fn read(root: &Path) -> Result<Self> {
        let mut specification = Self::default();
        for name in chapters(root)? {
            let path = root.join("spec").join(&name);
            let text = fs::read_to_string(&path).map_err(GenError::io(path))?;
            specification.add_chapter(&name, &text);
        }
        reference::check(root, &specification.clauses, &mut specification.problems)?;
        specification.problems.sort();
        Ok(specification)
    }

    /// The list of clauses, for programs: `spec/clauses.json`.
    ///
    /// # Errors
    /// None is known; the list is plain text.
    pub fn list(&self) -> Result<Artefact> {
        list::generate(&self.clauses)
    }

    fn add_chapter(&mut self, name: &str, text: &str) {
        let file = format!("spec/{name}");
        let chapter = clause::read(&file, text, name != EXPLAINS_KEYWORDS);
        self.problems.extend(chapter.problems);
        for clause in chapter.clauses {
            if let Some(first) = self.clauses.get(&clause.id) {
                self.problems.push(Problem {
                    file: file.clone(),
                    line: clause.line,
                    kind: ProblemKind::DuplicateId {
                        id: clause.id,
                        first: format!("{}:{}", first.file, first.line),
                    },
                });
            } else {
                self.clauses.insert(clause.id.clone(), clause);
            }
        }
    }
}

fn chapters(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("spec");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(GenError::io(&folder))? {
        let name = entry.map_err(GenError::io(&folder))?.file_name();
        let name = name.to_string_lossy().into_owned();
        if name.ends_with(".md") && !GENERATED.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_one_requirement_in_all_chapters() {
        let mut specification = Specification::default();
        specification.add_chapter("a.md", "**OBS-A-01** A driver MUST run.\n");
        specification.add_chapter("b.md", "# B\n\n**OBS-A-01** A plugin MUST stop.\n");
        assert_eq!(specification.clauses["OBS-A-01"].text, "A driver MUST run.");
        assert_eq!(
            specification.problems[0].to_string(),
            "spec/b.md:3: OBS-A-01 is already the id of the clause at spec/a.md:1"
        );
        assert_eq!(specification.problems.len(), 1);
    }
}
