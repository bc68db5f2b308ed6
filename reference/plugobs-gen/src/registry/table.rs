//! The registries as tables for readers: `spec/registries.md`.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{AttributeType, CodeKind, Entry, Event, Registries, Registry, SetBy, Side, Unit};
use crate::COMMAND;
use crate::artefact::Artefact;
use crate::spec::Clause;

const PATH: &str = "spec/registries.md";

/// A column between the name and the meaning: its heading, and its cell for an entry.
type Column<'a, E> = (&'a str, &'a dyn Fn(&E) -> String);

/// Writes every registry as a table; a clause becomes a link to its chapter.
#[must_use]
pub fn generate(registries: &Registries, clauses: &BTreeMap<String, Clause>) -> Artefact {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<!-- Generated from spec/registries/*.json by `{COMMAND}`. Do not edit. -->\n\n\
         # Registries\n\n\
         These are the names that both code and text need, as [README.md](README.md#registries) \
         describes them.\n\
         Programs read the files in `registries/`; this chapter shows the same to people.\n"
    );
    let mut page = Page { out, clauses };
    page.table("Channels", &registries.channels, &[]);
    page.table("Sources", &registries.sources, &[]);
    page.table(
        "Levels",
        &registries.levels,
        &[
            ("number", &|level| level.severity_number.to_string()),
            ("shown as", &|level| {
                code(level.shown_as.as_deref().unwrap_or(&level.name))
            }),
            ("other spellings", &|level| codes(&level.aliases)),
        ],
    );
    let set_by: Column<'_, SetBy> = ("set by", &|entry| entry.set_by.clone());
    page.table("Marks", &registries.marks, &[set_by]);
    page.table(
        "Lifecycle events",
        &registries.events,
        &[
            ("set by", &|event| side(event.set_by).to_owned()),
            ("attributes", &attributes),
        ],
    );
    page.table(
        "Errors",
        &registries.errors,
        &[
            ("kind", &|entry| match entry.kind {
                CodeKind::Rejection => "rejection".to_owned(),
                CodeKind::Failure => "failure".to_owned(),
            }),
            ("stage", &|entry| entry.stage.clone()),
            ("what to do", &|entry| {
                entry.action.clone().unwrap_or_default()
            }),
        ],
    );
    page.table(
        "Limits",
        &registries.limits,
        &[
            ("default", &|limit| limit.default.to_string()),
            ("unit", &|limit| unit(limit.unit).to_owned()),
        ],
    );
    page.table("Capabilities", &registries.capabilities, &[set_by]);
    page.table("Environment variables", &registries.environment, &[set_by]);
    page.table(
        "Metadata",
        &registries.metadata,
        &[("direction", &|entry| entry.direction.clone())],
    );
    // One line feed ends the file.
    page.out.pop();
    Artefact::text(PATH, page.out)
}

struct Page<'a> {
    out: String,
    clauses: &'a BTreeMap<String, Clause>,
}

impl Page<'_> {
    fn table<E: Entry>(&mut self, title: &str, registry: &Registry<E>, columns: &[Column<'_, E>]) {
        let sentences = registry.description.replace(". ", ".\n");
        let _ = writeln!(self.out, "## {title}\n\n{sentences}\n");

        // A column that would be empty, or the same in every row, is left out.
        let has_clauses = registry
            .entries
            .iter()
            .any(|entry| entry.clause().is_some());
        let has_deployed = registry.entries.iter().any(|entry| entry.deployed());
        let mut heads = vec!["name"];
        heads.extend(columns.iter().map(|(head, _)| *head));
        heads.push("meaning");
        if has_deployed {
            heads.push("deployed");
        }
        if has_clauses {
            heads.push("clause");
        }
        heads.push("since");
        self.row(heads.iter().map(|head| (*head).to_owned()));
        self.row(heads.iter().map(|_| "---".to_owned()));

        for entry in &registry.entries {
            let mut cells = vec![code(entry.name())];
            cells.extend(columns.iter().map(|(_, cell)| cell(entry)));
            cells.push(entry.description().to_owned());
            if has_deployed {
                cells.push(if entry.deployed() { "yes" } else { "" }.to_owned());
            }
            if has_clauses {
                cells.push(self.link(entry.clause().unwrap_or_default()));
            }
            cells.push(entry.since().to_owned());
            self.row(cells.into_iter());
        }
        self.out.push('\n');
    }

    fn row(&mut self, cells: impl Iterator<Item = String>) {
        self.out.push('|');
        for cell in cells {
            match cell.as_str() {
                "---" => self.out.push_str("---|"),
                "" => self.out.push_str(" |"),
                _ => {
                    let _ = write!(self.out, " {} |", cell.replace('|', "\\|"));
                }
            }
        }
        self.out.push('\n');
    }

    fn link(&self, id: &str) -> String {
        match self.clauses.get(id) {
            Some(clause) => {
                let chapter = clause.file.trim_start_matches("spec/");
                format!("[{id}]({chapter})")
            }
            None => id.to_owned(),
        }
    }
}

fn attributes(event: &Event) -> String {
    let attributes = event.attributes.iter().map(|(name, kind)| {
        let kind = match kind {
            AttributeType::String => "string",
            AttributeType::Int => "int",
            AttributeType::Bool => "bool",
        };
        format!("`{name}` {kind}")
    });
    attributes.collect::<Vec<_>>().join(", ")
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Plugin => "plugin",
        Side::Driver => "driver",
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "bytes",
        Unit::Count => "count",
        Unit::Milliseconds => "milliseconds",
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn codes(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| code(text)).collect();
    texts.join(", ")
}
