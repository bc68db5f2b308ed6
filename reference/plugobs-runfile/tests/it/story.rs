//! One test's story and a run's overview, gathered from the records.

use std::sync::Arc;

use plugobs_core::registry::{attribute, channel, event, mark};
use plugobs_core::{Claimed, Record, Severity};
use plugobs_driver::sink::{OutputStream, SinkEvent};
use plugobs_runfile::{Life, Story};

use crate::support::*;

fn messages<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<&'a str> {
    records.map(|record| record.message.as_str()).collect()
}

fn stolen() -> Record {
    let mut record = outside(9);
    record.plugin_instance_id = None;
    record.mark(mark::QUARANTINED);
    record.claimed = Some(Box::new(Claimed {
        test_run_id: Some(TEST.into()),
        via: Some(CSV.into()),
        ..Claimed::default()
    }));
    record
}

fn story() -> Story {
    let mut records = sound_records();
    let mut user = log(6);
    user.channel = channel::USER.into();
    user.message = "look at row 2".into();
    let mut other = log(7);
    other.test_run_id = Some(OTHER_TEST.into());
    other.call_id = Some(OTHER_CALL.into());
    let mut warning = outside(8);
    warning.severity = Severity::WARN;
    warning.message = "low on memory".into();
    let mut elsewhere = driver(event::INSTANCE_SPAWNED, 2);
    elsewhere.plugin_instance_id = Some(XML.into());
    let mut elsewhere_warning = warning.clone();
    elsewhere_warning.plugin_instance_id = Some(XML.into());
    records.extend([
        user,
        other,
        stolen(),
        warning,
        outside(10),
        elsewhere,
        elsewhere_warning,
    ]);
    finished_with(records, 0).reader().story(TEST).unwrap()
}

#[test]
fn a_story_has_all_of_one_test_and_nothing_of_another() {
    let story = story();
    assert_eq!(messages(story.user.iter()), ["look at row 2"]);
    let log = ["record 1", "record 2", "record 3", "record 4", "record 5"];
    assert_eq!(messages(story.log.iter()), log);
    assert_eq!(story.calls.len(), 1);
    let call = &story.calls[0];
    assert_eq!(call.operation.as_deref(), Some("CompareContents"));
    assert_eq!(call.duration_ns, Some(10_000_000));
    assert_eq!(call.outcome.as_deref(), Some("ok"));
    assert_eq!(call.completeness.as_deref(), Some("complete"));
    let events: Vec<_> = story
        .events
        .iter()
        .map(|record| record.event_name.as_deref().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "instance.spawned",
            "test.begin",
            "test.end",
            "instance.exited"
        ]
    );
    assert_eq!(messages(story.outside.iter()), ["low on memory"]);
    assert_eq!(story.instances.keys().collect::<Vec<_>>(), [CSV]);
    assert_eq!(story.not_believed, 1);
    assert_eq!(story.life, Life::Finished);
    assert_eq!(story.began(), Some(at(10)));
    assert!(story.raw.is_empty());
}

#[test]
fn an_instance_that_left_no_records_shows_its_raw_output() {
    let records = sound_records();
    let records: Vec<_> = records.into_iter().filter(Record::is_from_driver).collect();
    let mut run = finished_with(records, 0);
    run.output(OutputStream::Stderr, b"more");
    let story = run.reader().story(TEST).unwrap();
    assert_eq!(story.raw.len(), 1);
    assert_eq!(story.raw[0].bytes, b"raw\xff\nmore");
    assert_eq!(story.raw[0].earlier_bytes, 0);
}

#[test]
fn a_test_that_the_run_does_not_know_has_an_empty_story() {
    let run = finished_with(sound_records(), 0);
    assert!(run.reader().story("another").unwrap().is_empty());
    assert!(!run.reader().story(TEST).unwrap().is_empty());
}

#[test]
fn a_record_that_claimed_another_test_is_none_of_this_story() {
    let mut records = sound_records();
    let mut grave = stolen();
    grave.severity = Severity::ERROR;
    records.push(grave);
    let run = finished_with(records, 0);
    assert_eq!(run.reader().story(TEST).unwrap().not_believed, 1);
    assert_eq!(run.reader().story(OTHER_TEST).unwrap().not_believed, 0);
}

#[test]
fn an_overview_counts_everything_once() {
    let mut records = sound_records();
    records.extend([dropped(6, 8), stolen(), outside(10), unary("hello")]);
    let mut run = finished_with(records.clone(), 3);
    run.tell(SinkEvent::Instance(Arc::new(instance(XML, "xml"))));
    let overview = run.reader().overview().unwrap();
    assert_eq!(overview.counts.records, records.len() as u64);
    assert_eq!(overview.counts.log_records(), 8);
    assert_eq!(overview.counts.dropped, 3);
    assert_eq!(overview.quarantined, 1);
    assert_eq!(overview.quarantined_examples, [stolen()]);
    assert_eq!(overview.outside_tests.records, 2);
    let test = &overview.tests[0];
    assert_eq!(test.test_run_id, TEST);
    assert_eq!((test.calls, test.counts.log_records()), (1, 5));
    assert_eq!(test.instances.iter().collect::<Vec<_>>(), [CSV]);
    assert_eq!(overview.instances.len(), 2);
    assert!(overview.instances[0].entry.as_ref().unwrap().died());
}

#[test]
fn a_call_that_did_not_end_is_part_of_the_story() {
    let mut run = Run::begin(options());
    run.records([
        of_call(event::CALL_BEGIN, 20).with(attribute::CALL_PARENT_ID, OTHER_CALL),
        log(1),
    ]);
    let story = run.reader().story(TEST).unwrap();
    assert_eq!(story.calls[0].parent_id.as_deref(), Some(OTHER_CALL));
    assert_eq!(story.calls[0].duration_ns, None);
    assert_eq!(story.life, Life::Running);
    assert_eq!(story.began(), Some(at(20)));
}

#[test]
fn an_event_of_the_same_instance_about_another_test_is_none_of_the_story() {
    let mut records = sound_records();
    let mut failed = driver(event::INSTANCE_FAILED, 25);
    failed.test_run_id = Some(OTHER_TEST.into());
    failed.call_id = Some(OTHER_CALL.into());
    records.push(failed);
    let run = finished_with(records, 0);
    let has_failed = |test: &str| {
        let story = run.reader().story(test).unwrap();
        let failed = Some(event::INSTANCE_FAILED);
        story
            .events
            .iter()
            .any(|e| e.event_name.as_deref() == failed)
    };
    assert!(!has_failed(TEST));
    assert!(has_failed(OTHER_TEST));
}

#[test]
fn a_drivers_event_that_a_plugin_emits_has_not_happened() {
    let mut records = sound_records();
    let names = [event::INSTANCE_EXITED, event::TEST_END, event::CALL_BEGIN];
    for (name, sequence) in names.into_iter().zip(6..) {
        let mut forged = log(sequence);
        forged.channel = channel::LIFECYCLE.into();
        forged.event_name = Some(name.into());
        forged.message = format!("forged {name}").into();
        records.push(forged);
    }
    let mut own = log(9);
    own.channel = channel::LIFECYCLE.into();
    own.event_name = Some(event::PLUGIN_STOPPING.into());
    records.push(own);
    let story = finished_with(records, 0).reader().story(TEST).unwrap();
    assert_eq!(story.calls.len(), 1);
    let of_plugin: Vec<_> = story
        .events
        .iter()
        .filter(|event| !event.is_from_driver())
        .map(|event| event.event_name.as_deref().unwrap())
        .collect();
    assert_eq!(of_plugin, [event::PLUGIN_STOPPING]);
    let shown = messages(story.log.iter());
    for name in names {
        assert!(shown.contains(&format!("forged {name}").as_str()), "{name}");
    }
}
