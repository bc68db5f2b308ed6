//! A failure report: its first three lines tell a person what to do.

use plugobs_core::{Record, sanitise};
use plugobs_runfile::StoredFailure;
use std::collections::BTreeMap;

use crate::page::{BAD, BOLD, DIM, Line, PLAIN, Page};
use crate::record::record_line;
use crate::{Look, units};

/// A failure report (`OBS-FAIL-21`): who failed and how, what to do, and what
/// happened; then where, and what the plugin last said.
pub fn failure(failure: &StoredFailure, look: &Look) -> String {
    let mut page = Page::new(look);
    write(&mut page, failure);
    page.finish()
}

pub(crate) fn write(page: &mut Page, failure: &StoredFailure) {
    let mut who = format!("plugin {}", short(&failure.plugin_name));
    if let Some(version) = &failure.plugin_version {
        who.push_str(&format!(" {}", short(version)));
    }
    let mut line = Line::new()
        .add(BOLD, &who)
        .add(BAD, &format!(" failed: {}", short(&failure.code)))
        .add(PLAIN, &format!(" at {}", short(&failure.stage)));
    match (failure.exit_code, failure.signal) {
        (Some(code), _) => line.push(BAD, &format!(", exit code {code}")),
        (None, Some(signal)) => line.push(BAD, &format!(", signal {signal}")),
        (None, None) => {}
    }
    line.push(
        PLAIN,
        &format!(" after {}", units::duration(failure.elapsed_ns)),
    );
    page.line(line);
    field(page, "do", BOLD, &failure.action);
    field(page, "because", PLAIN, &failure.message);
    details(page, failure);
    tail(page, "last lines of standard error", &failure.stderr_tail);
    tail(page, "last lines of standard output", &failure.stdout_tail);
    records(page, "last records of the plugin", &failure.last_records);
    records(page, "last records of the test", &failure.test_records);
}

fn details(page: &mut Page, failure: &StoredFailure) {
    let missing = failure.missing_capabilities.join(", ");
    let fields = [
        ("status", failure.status.as_deref()),
        ("member", failure.field.as_deref()),
        (
            "missing",
            Some(missing.as_str()).filter(|text| !text.is_empty()),
        ),
        ("call", failure.operation.as_deref()),
        ("test", failure.test_run_id.as_deref()),
        ("program", failure.executable.as_deref()),
        ("folder", failure.run_folder.as_deref()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            field(page, name, PLAIN, value);
        }
    }
}

fn field(page: &mut Page, name: &str, style: anstyle::Style, text: &str) {
    let head = Line::new().add(DIM, &format!("  {name:<8}"));
    page.text(head, style, text, Line::new());
}

fn tail(page: &mut Page, what: &str, lines: &[String]) {
    if !lines.is_empty() {
        page.line(Line::new().add(DIM, &format!("  {what}")));
        for line in lines {
            page.block(4, PLAIN, line);
        }
    }
}

fn records(page: &mut Page, what: &str, records: &[Record]) {
    if !records.is_empty() {
        page.line(Line::new().add(DIM, &format!("  {what}")));
        for record in records {
            let text = record_line(record, &BTreeMap::new(), &Look::default());
            page.line(Line::new().add(PLAIN, &format!("    {text}")));
        }
    }
}

/// Names that stand in the first line, which is not to run over three.
fn short(text: &str) -> &str {
    sanitise::cut(text, 64)
}
