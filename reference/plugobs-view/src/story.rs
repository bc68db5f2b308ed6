//! The story of one test: what its plugins said to the user, what they logged,
//! what they did when, and how they failed.

use std::collections::BTreeMap;

use plugobs_core::{Record, Timestamp, sanitise};
use plugobs_runfile::read::story::{Kept, RawTail};
use plugobs_runfile::{Life, Story};

use crate::page::{BAD, BOLD, DIM, GOOD, Line, PLAIN, Page, WARN, of_severity, width};
use crate::record::{instance_name, log_record, short_id};
use crate::timeline::timeline;
use crate::{Look, failure, units};

/// Columns that a plugin's name or a target may take before it disturbs.
const MAX_COLUMN: usize = 24;

/// The story of a test. It says so where the run knows nothing of the test.
pub fn story(story: &Story, look: &Look) -> String {
    let mut page = Page::new(look);
    let from = story.began().unwrap_or_default();
    title(&mut page, story);
    if !story.user.is_empty() {
        page.heading("Messages for you");
        user_messages(&mut page, story);
    }
    if !story.log.is_empty() {
        page.heading("Log");
        log(&mut page, story, &story.log, from);
    }
    for raw in &story.raw {
        raw_output(&mut page, story, raw);
    }
    if !story.calls.is_empty() || !story.events.is_empty() {
        page.heading("What the plugins did, in seconds from the test's beginning");
        timeline(&mut page, story, from);
    }
    if !story.outside.is_empty() {
        page.heading("Warnings and errors of these plugins outside of any test");
        log(&mut page, story, &story.outside, from);
    }
    for failed in &story.failures {
        page.heading("Failure");
        failure::write(&mut page, failed);
    }
    notes(&mut page, story);
    page.finish()
}

fn title(page: &mut Page, story: &Story) {
    let mut line = Line::new().add(BOLD, &story.test_run_id);
    if story.is_empty() {
        line.push(WARN, "  is not in this run");
        page.line(line);
        return;
    }
    let Some(test) = &story.test else {
        page.line(line);
        return;
    };
    match test.outcome.as_deref() {
        Some("passed") => line.push(GOOD, "  passed"),
        Some("failed") => line.push(BAD, "  failed"),
        Some(other) => line.push(WARN, &format!("  {other}")),
        None => line.push(WARN, "  unfinished"),
    }
    if let Some(ended) = test.ended_at {
        let took = units::duration(units::between(test.began_at, ended));
        line.push(PLAIN, &format!(" after {took}"));
    }
    page.line(line);
    let names = [("test", &test.case_name), ("suite", &test.suite_name)];
    for (what, name) in names {
        if let Some(name) = name.as_ref().filter(|name| **name != test.test_run_id) {
            page.line(
                Line::new()
                    .add(DIM, &format!("  {what:<8}"))
                    .add(PLAIN, name),
            );
        }
    }
    for (id, entry) in &story.instances {
        let mut line = Line::new().add(DIM, "  plugin  ");
        if let Some(entry) = entry {
            let info = &entry.info;
            line.push(PLAIN, &format!("{} {}, ", info.name, info.version));
        }
        page.line(line.add(DIM, &format!("instance {id}")));
    }
}

fn user_messages(page: &mut Page, story: &Story) {
    let columns = name_columns(story, &story.user);
    each(page, &story.user, |page, record| {
        let head = Line::new()
            .add(PLAIN, "  ")
            .padded(BOLD, &instance_name(record, &story.labels), columns)
            .add(PLAIN, "  ");
        log_record(page, head, record);
    });
}

fn log(page: &mut Page, story: &Story, records: &Kept, from: Timestamp) {
    let several = story.instances.len() > 1;
    let names = name_columns(story, records);
    let targets = records
        .iter()
        .map(|record| width(&sanitise::line(&record.target)))
        .max()
        .unwrap_or(0)
        .min(MAX_COLUMN);
    each(page, records, |page, record| {
        let mut head = Line::new()
            .add(
                DIM,
                &format!("{:>10}", units::offset(record.timestamp, from)),
            )
            .add(PLAIN, "  ")
            .padded(of_severity(record.severity), record.severity.shown(), 5)
            .add(PLAIN, "  ");
        if several {
            head = head
                .padded(BOLD, &instance_name(record, &story.labels), names)
                .add(PLAIN, "  ");
        }
        if targets > 0 {
            head = head.padded(DIM, &record.target, targets).add(PLAIN, "  ");
        }
        log_record(page, head, record);
    });
}

fn name_columns(story: &Story, records: &Kept) -> usize {
    let names = records
        .iter()
        .map(|record| width(&sanitise::line(&instance_name(record, &story.labels))));
    names.max().unwrap_or(0).min(MAX_COLUMN)
}

/// Each record, and in the middle how many were left out there.
fn each(page: &mut Page, records: &Kept, mut show: impl FnMut(&mut Page, &Record)) {
    for record in in_sequence(records.first()) {
        show(page, record);
    }
    if records.left_out() > 0 {
        let text = format!(
            "  … {} left out here; the JSON output has them",
            units::count(records.left_out(), "record")
        );
        page.line(Line::new().add(WARN, &text));
    }
    for record in in_sequence(records.last()) {
        show(page, record);
    }
}

/// The records in their order, but those of one instance and epoch in the
/// order of their sequence, in the places that they have together
/// (`OBS-OUT-16`).
pub(crate) fn in_sequence<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<&'a Record> {
    let mut records: Vec<&Record> = records.collect();
    let mut places: BTreeMap<(&str, u64), Vec<usize>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        if let (Some(instance), Some(epoch), Some(_)) =
            (record.accounted_instance(), record.epoch, record.sequence)
        {
            places.entry((instance, epoch)).or_default().push(at);
        }
    }
    for places in places.values() {
        let mut group: Vec<&Record> = places.iter().map(|at| records[*at]).collect();
        group.sort_by_key(|record| record.sequence);
        for (at, record) in places.iter().zip(group) {
            records[*at] = record;
        }
    }
    records
}

fn raw_output(page: &mut Page, story: &Story, raw: &RawTail) {
    let id = &raw.plugin_instance_id;
    let name = story
        .labels
        .get(id)
        .map_or_else(|| short_id(id), String::as_str);
    page.heading(&format!(
        "Raw {} of {name}, which belongs to no test for certain",
        raw.stream.name()
    ));
    if raw.earlier_bytes > 0 {
        let text = format!("  … {} before this", units::bytes(raw.earlier_bytes));
        page.line(Line::new().add(DIM, &text));
    }
    let (text, _) = sanitise::from_bytes(&raw.bytes);
    page.block(2, PLAIN, &text);
}

fn notes(page: &mut Page, story: &Story) {
    let mut notes = Vec::new();
    match story.life {
        Life::Finished => {}
        Life::Running => notes.push("The run goes on: more may come.".to_owned()),
        Life::Left => notes.push(
            "The driver died before it ended the run: what came after is unknown.".to_owned(),
        ),
    }
    let calls = story.calls.len();
    let not_complete = story
        .calls
        .iter()
        .filter(|call| call.completeness.as_deref() != Some("complete"))
        .count();
    if not_complete > 0 {
        notes.push(format!(
            "Records can be missing: of {}, {not_complete} did not tell that all records are in.",
            units::count(calls as u64, "call"),
        ));
    }
    if story.not_believed > 0 {
        notes.push(format!(
            "{} named this test and {} not believed; see the run's list of them.",
            units::count(story.not_believed, "record"),
            if story.not_believed == 1 {
                "was"
            } else {
                "were"
            },
        ));
    }
    if story.damaged > 0 {
        let lines = units::count(story.damaged, "line");
        notes.push(format!(
            "{lines} of this test cannot be read; check the run."
        ));
    }
    if notes.is_empty() {
        return;
    }
    page.heading("Note");
    for note in notes {
        page.line(Line::new().add(WARN, &format!("  {note}")));
    }
}
