//! What a check of a run found.

use plugobs_runfile::check::{CheckReport, Severity};

use crate::page::{BAD, BOLD, DIM, GOOD, Line, PLAIN, Page, WARN};
use crate::{Look, units};

/// The result of a check: whether the run is sound, what was found, and what
/// there is.
pub fn check_report(report: &CheckReport, look: &Look) -> String {
    let mut page = Page::new(look);
    let found = format!(
        "{}, {}",
        units::count(report.errors, "error"),
        units::count(report.notes, "note")
    );
    let verdict = if report.sound {
        Line::new().add(GOOD, "sound")
    } else {
        Line::new().add(BAD, "not sound")
    };
    page.line(verdict.add(PLAIN, &format!("  {found}")));
    let run = format!("run {}", report.run_id);
    let state = match report.state {
        "finished" => "  finished",
        "running" => "  goes on: what is written now is not in this report",
        _ => "  was not ended by its driver: what came after is unknown",
    };
    page.line(Line::new().add(BOLD, &run).add(PLAIN, state));
    page.line(Line::new().add(DIM, &report.folder));
    if !report.findings.is_empty() {
        page.heading("Findings");
        findings(&mut page, report);
    }
    page.heading("What there is");
    counts(&mut page, report);
    page.finish()
}

fn findings(page: &mut Page, report: &CheckReport) {
    let columns = report
        .findings
        .iter()
        .map(|finding| finding.code.as_str().len())
        .max()
        .unwrap_or(0);
    for finding in &report.findings {
        let (style, severity) = match finding.severity {
            Severity::Error => (BAD, "error"),
            Severity::Note => (WARN, "note"),
        };
        let mut line = Line::new()
            .add(PLAIN, "  ")
            .padded(style, severity, 5)
            .add(PLAIN, "  ")
            .padded(BOLD, finding.code.as_str(), columns)
            .add(PLAIN, "  ");
        match (&finding.file, finding.line) {
            (Some(file), Some(number)) => line.push(DIM, &format!("{file}:{number}  ")),
            (Some(file), None) => line.push(DIM, &format!("{file}  ")),
            (None, _) => {}
        }
        page.line(line.add(PLAIN, &finding.message));
    }
    for (code, more) in &report.more {
        let text = format!("  … and {more} more of {code}");
        page.line(Line::new().add(DIM, &text));
    }
}

fn counts(page: &mut Page, report: &CheckReport) {
    let counts = &report.counts;
    let sources: Vec<_> = counts
        .by_source
        .iter()
        .map(|(source, number)| format!("{number} {source}"))
        .collect();
    for (number, what) in [
        (counts.tests, "tests"),
        (counts.instances, "plugin instances"),
        (counts.calls, "calls"),
        (counts.failures, "failure reports"),
        (counts.segments, "files of records"),
        (counts.lines, "whole lines"),
        (counts.records, "records"),
        (counts.sequenced, "with a sequence"),
        (counts.unsequenced, "of plugins without one"),
        (counts.dropped, "dropped and counted"),
        (counts.dropped_unsequenced, "without sequence turned away"),
        (counts.evicted, "removed by rotation"),
        (counts.missing, "missing"),
        (counts.quarantined, "not believed"),
        (counts.unverified, "unverified"),
        (counts.malformed, "malformed"),
        (counts.late, "late"),
    ] {
        // What every run has is always said, the rest where there is some.
        if number > 0 || ["tests", "plugin instances", "calls", "records"].contains(&what) {
            let line = Line::new()
                .add(BOLD, &format!("{number:>10}"))
                .add(PLAIN, &format!("  {what}"));
            page.line(if what == "records" && !sources.is_empty() {
                line.add(DIM, &format!("  ({})", sources.join(", ")))
            } else {
                line
            });
        }
    }
}
