//! Runs as a whole, lines for following one, checks and failures.

use plugobs_core::Severity;
use plugobs_core::registry::event;
use plugobs_runfile::read::overview::instance_labels;
use plugobs_runfile::{StoredFailure, check};
use plugobs_view::{check_report, failure, overview, record_line};

use crate::support::*;

#[test]
fn a_run() {
    let run = run();
    let text = overview(&run.reader().overview().unwrap(), &PLAIN);
    insta::assert_snapshot!(run.steady(&text));
}

#[test]
fn a_run_in_which_nothing_happened() {
    let run = Run::begin();
    insta::assert_snapshot!(overview(&run.reader().overview().unwrap(), &PLAIN));
}

#[test]
fn lines_of_a_run_that_goes_on() {
    let run = run();
    let reader = run.reader();
    let labels = instance_labels(reader.manifest());
    let lines: Vec<_> = reader
        .records()
        .map(|entry| record_line(&entry.unwrap().record.unwrap(), &labels, &PLAIN))
        .collect();
    assert!(lines.iter().all(|line| !line.contains('\n')));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_check_with_findings() {
    let mut run = run();
    run.record(log(9_000_000, Severity::INFO, "after the end"));
    let mut twice = log(9_000_000, Severity::INFO, "a copy");
    (twice.epoch, twice.sequence) = (Some(4021), Some(1));
    run.tell(plugobs_driver::sink::SinkEvent::Records([twice].into()));
    let report = check(&run.reader()).unwrap();
    insta::assert_snapshot!(run.steady(&check_report(&report, &PLAIN)));
}

#[test]
fn a_check_of_a_sound_run() {
    let mut run = Run::begin();
    run.record(driver(1_000, event::INSTANCE_SPAWNED, ""));
    let report = check(&run.reader()).unwrap();
    insta::assert_snapshot!(run.steady(&check_report(&report, &PLAIN)));
}

#[test]
fn the_first_three_lines_of_a_failure_say_what_to_do() {
    let text = failure(&StoredFailure::from(&failure_report()), &PLAIN);
    let first: Vec<_> = text.lines().take(3).collect();
    let first = first.join("\n");
    for part in ["csv 0.1.0", "crashed", "exit code 101", "Read the"] {
        assert!(first.contains(part), "{part} is not in {first}");
    }
    insta::assert_snapshot!(text);
}

fn failure_report() -> plugobs_driver::FailureReport {
    crate::support::failure()
}
