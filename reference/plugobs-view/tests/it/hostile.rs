//! Text that would deceive: nothing of it reaches the terminal as it came, and
//! no line of it looks like one of ours.

use plugobs_core::registry::{channel, mark};
use plugobs_core::{Exception, InstanceId, Record, Severity, sanitise};
use plugobs_driver::sink::{OutputStream, SinkEvent};
use plugobs_runfile::read::overview::instance_labels;
use plugobs_runfile::{StoredFailure, check};
use plugobs_view::{Look, check_report, failure, overview, record_line, story};

use crate::support::*;

/// ANSI, carriage return, line feed, bidi override, NUL, C1, zero width, tags.
const HOSTILE: &str = "a\u{1b}[2J\u{1b}[31mred\rover\nforged: +0.001  ERROR\u{202e}txt\0\u{9b}31m\u{200b}\u{e0041}\t.";

fn hostile_run() -> Run {
    let mut run = Run::begin();
    run.tell(instance(CSV, HOSTILE, Some(0)));
    run.tell(test(FAILING, Some(HOSTILE)));
    let mut record = log(511_000, Severity::WARN, HOSTILE)
        .with(HOSTILE, HOSTILE)
        .with(
            "list",
            plugobs_core::Value::List(vec![HOSTILE.to_owned().into()]),
        );
    record.target = HOSTILE.into();
    record.level = HOSTILE.into();
    record.mark(HOSTILE);
    record.plugin_name = Some(HOSTILE.into());
    record.exception = Some(Exception {
        kind: Some(HOSTILE.to_owned()),
        message: Some(HOSTILE.to_owned()),
        stack_trace: Some(HOSTILE.to_owned()),
    });
    run.record(record.clone());
    record.channel = channel::USER.into();
    run.record(record.clone());
    record.channel = channel::LIFECYCLE.into();
    record.event_name = Some(HOSTILE.into());
    run.record(record);
    run.record(call(512_000, "call.begin", CALL, FAILING));
    run.record(
        call(513_000, "call.end", CALL, FAILING)
            .with("call.outcome", HOSTILE)
            .with("call.error", HOSTILE)
            .with("call.duration_ns", 1_i64),
    );
    run.record(stolen(HOSTILE));
    let mut invalid = log(514_000, Severity::INFO, "of a test with a bad ID");
    invalid.test_run_id = Some(HOSTILE.into());
    invalid.call_id = None;
    invalid.mark(mark::INVALID_TEST_RUN_ID);
    run.record(invalid);
    let mut report = crate::support::failure();
    report.message = HOSTILE.to_owned();
    report.plugin.name = HOSTILE.to_owned();
    report.stderr_tail = vec![HOSTILE.to_owned()];
    report.last_records[0].message = HOSTILE.into();
    run.tell(SinkEvent::Failure(report.into()));
    run.tell(SinkEvent::Output {
        instance: InstanceId::parse(CSV).unwrap(),
        stream: OutputStream::Stderr,
        bytes: HOSTILE.as_bytes().to_vec().into(),
    });
    run
}

/// Everything that is rendered of the run.
fn everything(run: &Run, look: &Look) -> Vec<(&'static str, String)> {
    let reader = run.reader();
    let labels = instance_labels(reader.manifest());
    let lines: Vec<_> = reader
        .records()
        .map(|entry| record_line(&entry.unwrap().record.unwrap(), &labels, look))
        .collect();
    let stored: StoredFailure = reader.failures().unwrap().remove(0).unwrap();
    vec![
        ("story", story(&reader.story(FAILING).unwrap(), look)),
        ("odd_test", story(&reader.story(HOSTILE).unwrap(), look)),
        ("overview", overview(&reader.overview().unwrap(), look)),
        ("check", check_report(&check(&reader).unwrap(), look)),
        ("failure", failure(&stored, look)),
        ("lines", lines.join("\n")),
    ]
}

#[test]
fn no_deceptive_character_reaches_the_terminal() {
    let run = hostile_run();
    for width in [None, Some(80), Some(10)] {
        let look = Look {
            colour: false,
            width,
        };
        for (what, text) in everything(&run, &look) {
            let deceptive = text
                .chars()
                .find(|c| sanitise::is_deceptive(*c) && *c != '\n');
            assert_eq!(deceptive, None, "{what}:\n{text}");
            assert!(text.contains("\\u{1b}"), "{what} shows no escape:\n{text}");
        }
    }
}

#[test]
fn no_line_can_be_forged() {
    let run = hostile_run();
    for look in [PLAIN, TERMINAL] {
        for (what, text) in everything(&run, &look) {
            for line in text.lines().filter(|line| line.contains("forged:")) {
                let start = line.find("forged:").unwrap();
                let before = line[..start].trim();
                // On a line of its own it is behind a bar; elsewhere the line
                // break before it is shown.
                let shown = before.ends_with("\\n") || before.ends_with('│');
                assert!(shown, "{what}: {line}");
            }
        }
    }
}

#[test]
fn padding_cannot_forge_a_line_where_the_terminal_wraps() {
    let padded = format!("fine{}+0.001  ERROR  forged", " ".repeat(200));
    let mut run = Run::begin();
    run.tell(instance(CSV, "csv", None));
    run.record(log(511_000, Severity::INFO, &padded));
    let text = story(&run.reader().story(FAILING).unwrap(), &TERMINAL);
    let line = text.lines().find(|line| line.contains("forged")).unwrap();
    assert!(line.trim_start().starts_with('│'), "{line}");
}

#[test]
fn hostile_text_is_shown_escaped() {
    let run = hostile_run();
    for (what, text) in everything(&run, &PLAIN) {
        insta::assert_snapshot!(format!("hostile_{what}"), run.steady(&text));
    }
}

#[test]
fn wide_and_combining_characters_keep_lines_within_the_width() {
    let text = format!("{} {}", "漢".repeat(200), "e\u{301}".repeat(200));
    let mut run = Run::begin();
    run.tell(instance(CSV, "csv", None));
    run.record(log(511_000, Severity::INFO, &text));
    let shown = story(&run.reader().story(FAILING).unwrap(), &TERMINAL);
    let columns = |line: &str| -> usize {
        line.chars()
            .map(|c| match c {
                '漢' => 2,
                '\u{301}' => 0,
                _ => 1,
            })
            .sum()
    };
    assert!(shown.lines().all(|line| columns(line) <= 80), "{shown}");
    assert_eq!(shown.matches('漢').count(), 200);
    assert_eq!(shown.matches('\u{301}').count(), 200);
}

#[test]
fn a_record_of_nothing_is_shown() {
    let nothing = Record::new(at(1), Severity::INFO, "", "");
    let line = record_line(&nothing, &Default::default(), &PLAIN);
    insta::assert_snapshot!(line, @"04:36:58.000  INFO   driver");
}
