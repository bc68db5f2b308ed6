//! Each kind of finding, one test each: what it is given is a sound run with
//! one thing wrong.

mod folder;

use std::fs;
use std::sync::Arc;

use plugobs_core::registry::{attribute, event, mark};
use plugobs_core::{Claimed, Record};
use plugobs_driver::info::EpochInfo;
use plugobs_driver::sink::{SinkEvent, SinkLoss};
use plugobs_runfile::check::{Code, Severity};
use plugobs_runfile::{CheckReport, check};

use crate::support::*;

/// Every finding as `error code` or `note code`.
fn found(report: &CheckReport) -> Vec<String> {
    report
        .findings
        .iter()
        .map(|finding| {
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Note => "note",
            };
            format!("{severity} {}", finding.code.as_str())
        })
        .collect()
}

fn check_records(change: impl FnOnce(&mut Vec<Record>)) -> CheckReport {
    check_exit(0, change)
}

fn check_exit(exit_code: i32, change: impl FnOnce(&mut Vec<Record>)) -> CheckReport {
    let mut records = sound_records();
    change(&mut records);
    check(&finished_with(records, exit_code).reader()).unwrap()
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_sound_run_has_no_findings() {
    let report = check_records(|_| {});
    assert_eq!(found(&report), NOTHING, "{:#?}", report.findings);
    assert!(report.sound);
    let counts = &report.counts;
    assert_eq!((counts.records, counts.sequenced), (12, 5));
    assert_eq!((counts.calls, counts.tests, counts.instances), (1, 1, 1));
    assert_eq!(counts.by_source["driver"], 7);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["sound"], true);
    assert_eq!(json["counts"]["bySource"]["stream"], 5);
}

#[test]
fn a_gap_is_an_error_and_says_what_is_missing() {
    let report = check_records(|records| {
        records.remove(5);
    });
    assert_eq!(found(&report), ["error missing"]);
    assert_eq!(report.counts.missing, 1);
    let message = &report.findings[0].message;
    assert!(message.contains("sequences 3 are neither"), "{message}");
    assert!(message.contains(CSV) && message.contains("4021"));
}

#[test]
fn a_gap_that_was_dropped_and_counted_is_none() {
    let report = check_records(|records| {
        records[5] = dropped(3, 3);
        records.push(dropped(6, 100));
    });
    assert_eq!(found(&report), NOTHING);
    assert_eq!(report.counts.dropped, 96);
}

#[test]
fn records_without_sequence_that_were_turned_away_are_counted() {
    let report = check_records(|records| {
        let mut shed = driver(event::RECORDS_DROPPED, 50)
            .with(attribute::DROPPED_REASON, "driver queue full")
            .with(attribute::DROPPED_COUNT, 7_u64);
        shed.plugin_instance_id = None;
        records.push(shed);
    });
    assert_eq!(found(&report), NOTHING, "{:#?}", report.findings);
    assert_eq!(report.counts.dropped_unsequenced, 7);
}

#[test]
fn a_plugin_cannot_count_as_dropped() {
    let report = check_records(|records| {
        records.remove(5);
        let mut lie = dropped(3, 3);
        lie.source = Some("stderr".into());
        records.push(lie);
    });
    assert!(found(&report).contains(&"error missing".to_owned()));
}

#[test]
fn of_an_instance_that_died_the_rest_is_unknown() {
    for exit_code in [0, 1] {
        let report = check_exit(exit_code, |records| {
            records.remove(5);
            let exited = records.last_mut().unwrap();
            exited.attributes.clear();
            *exited = exited.clone().with(attribute::PROCESS_SIGNAL, 9_i64);
        });
        assert_eq!(found(&report), ["note unknown_after"]);
        let message = &report.findings[0].message;
        assert!(message.contains("after sequence 2 is unknown"), "{message}");
        assert!(message.contains("sequences 3 are not there"), "{message}");
    }
}

#[test]
fn of_an_emitter_that_did_not_end_in_order_the_rest_is_unknown() {
    let mut run = finished_with(sound_records(), 0);
    let mut info = instance(CSV, "csv");
    info.exit_code = Some(0);
    info.ended_at = Some(at(60));
    info.epochs = vec![EpochInfo {
        epoch: EPOCH,
        settled_through: 5,
        clean: false,
    }];
    run.tell(SinkEvent::Instance(Arc::new(info)));
    assert_eq!(
        found(&check(&run.reader()).unwrap()),
        ["note unknown_after"]
    );
}

#[test]
fn a_tail_that_was_announced_and_is_not_there_is_missing() {
    let report = check_records(|records| {
        records.push(
            driver(event::INSTANCE_STREAM_CLOSED, 55)
                .with(attribute::STREAM_EPOCH, EPOCH)
                .with(attribute::STREAM_LAST_SEQUENCE, 7_u64),
        );
    });
    assert_eq!(found(&report), ["error missing"]);
    assert!(report.findings[0].message.contains("6 to 7"));
}

#[test]
fn losses_that_the_driver_counts_explain_a_gap() {
    let mut records = sound_records();
    records.remove(5);
    let mut run = finished_with(records, 0);
    let loss = SinkLoss {
        name: "run-folder".to_owned(),
        lost_records: 1,
        error: None,
    };
    run.tell(SinkEvent::Losses([loss].into()));
    let report = check(&run.reader()).unwrap();
    assert_eq!(found(&report), ["note lost", "note missing"]);
    assert!(report.sound);
}

#[test]
fn a_key_that_is_stored_twice_is_an_error() {
    let report = check_records(|records| records.push(log(5)));
    assert_eq!(found(&report), ["error duplicate"]);
    assert_eq!(report.findings[0].line, Some(13));
}

#[test]
fn a_quarantined_record_is_accounted_for_by_its_path() {
    let quarantine = |record: &mut Record| {
        record.test_run_id = None;
        record.call_id = None;
        record.mark(mark::QUARANTINED);
        record.claimed = Some(Box::new(Claimed {
            plugin_instance_id: Some(XML.into()),
            test_run_id: Some(OTHER_TEST.into()),
            via: record.plugin_instance_id.take(),
            ..Claimed::default()
        }));
    };
    let report = check_records(|records| quarantine(&mut records[5]));
    assert_eq!(found(&report), NOTHING, "{:#?}", report.findings);
    assert_eq!(report.counts.quarantined, 1);
}

#[test]
fn a_sequence_that_is_stored_and_dropped_is_an_error() {
    let report = check_records(|records| records.push(dropped(5, 6)));
    assert_eq!(found(&report), ["error dropped_and_stored"]);
}

#[test]
fn a_record_of_another_test_in_a_call_is_an_error() {
    let report = check_records(|records| {
        records[4].test_run_id = Some(OTHER_TEST.into());
    });
    assert_eq!(found(&report), ["error other_test"]);
    assert_eq!(report.findings[0].line, Some(5));
}

#[test]
fn a_record_of_a_test_that_its_instance_never_served_is_an_error() {
    let report = check_records(|records| {
        records[4].test_run_id = Some(OTHER_TEST.into());
        records[4].call_id = None;
    });
    assert_eq!(found(&report), ["error foreign_test"]);
}

#[test]
fn a_record_of_a_test_without_a_call_is_fine_where_the_instance_served_it() {
    let report = check_records(|records| {
        records[4].call_id = None;
        // Also before the call that makes it so.
        let early = records.remove(4);
        records.insert(0, early);
    });
    assert_eq!(found(&report), NOTHING);
}

#[test]
fn a_record_in_a_call_to_another_instance_is_an_error() {
    let report = check_records(|records| {
        records[2].plugin_instance_id = Some(XML.into());
        records[8].plugin_instance_id = Some(XML.into());
        records[9].plugin_instance_id = Some(XML.into());
    });
    assert_eq!(found(&report), ["error other_instance"]);
}

#[test]
fn a_call_that_the_driver_did_not_make_is_an_error() {
    let report = check_records(|records| records[4].call_id = Some(OTHER_CALL.into()));
    assert_eq!(found(&report), ["error unknown_call"]);
}

#[test]
fn a_record_in_a_call_that_does_not_name_the_test_is_noted() {
    let report = check_records(|records| records[4].test_run_id = None);
    assert_eq!(found(&report), ["note test_not_named"]);
}

#[test]
fn a_test_whose_id_could_not_be_sent_need_not_be_named() {
    let report = check_records(|records| {
        let id = "no, not an ID";
        for record in records.iter_mut() {
            match (&record.test_run_id, record.is_from_driver()) {
                (Some(_), true) => {
                    record.test_run_id = Some(id.into());
                    record.mark(mark::INVALID_TEST_RUN_ID);
                }
                _ => record.test_run_id = None,
            }
        }
    });
    // The manifest of this run names the test by its other ID.
    assert_eq!(
        found(&report),
        ["error not_in_manifest"],
        "{:#?}",
        report.findings
    );
}

#[test]
fn a_call_without_an_end_is_an_error_in_a_finished_run() {
    let report = check_records(|records| {
        records.remove(8);
    });
    assert_eq!(found(&report), ["error unpaired_call"]);
    let report = check_records(|records| {
        records.remove(2);
    });
    assert_eq!(
        found(&report),
        ["error unknown_call", "error unpaired_call"],
        "{:#?}",
        report.findings
    );
}

#[test]
fn a_call_that_begins_twice_is_an_error() {
    let report = check_records(|records| records.insert(3, of_call(event::CALL_BEGIN, 21)));
    assert_eq!(found(&report), ["error repeated_call"]);
}

#[test]
fn a_record_of_another_run_is_an_error() {
    let report = check_records(|records| {
        records[4].run_id = Some("019aaf2c-0b1a-7d2e-9c44-5f6e7d8c9b0b".into());
    });
    assert_eq!(found(&report), ["error wrong_run"]);
}

#[test]
fn a_record_that_breaks_its_schema_is_an_error() {
    let report = check_records(|records| records[4].source = Some("carrier pigeon".into()));
    assert_eq!(found(&report), ["error record_schema"]);
    assert!(report.findings[0].message.starts_with("/source: "));
}

#[test]
fn a_record_that_breaks_a_rule_is_an_error() {
    // Found by the schema and by the rules: two readers that agree.
    let report = check_records(|records| {
        let mut wrong = outside(6);
        wrong.call_id = Some("the first".into());
        records.push(wrong);
    });
    assert_eq!(
        found(&report),
        [
            "error record_schema",
            "error invalid_record",
            "error unknown_call"
        ]
    );
}

#[test]
fn unary_records_are_exempt_and_noted() {
    let report = check_records(|records| records.extend([unary("a"), unary("b")]));
    assert_eq!(found(&report), ["note unsequenced"]);
    assert_eq!(report.counts.unsequenced, 2);
}

#[test]
fn a_run_that_was_not_ended_has_unknowns_and_no_errors() {
    let mut run = Run::begin(options());
    let mut records = sound_records();
    records.truncate(7);
    run.records(records);
    let report = check(&run.reader()).unwrap();
    assert_eq!(found(&report), ["note unknown_after", "note unpaired_call"]);
    assert_eq!(report.state, "running");
    assert!(report.findings[0].message.contains("after sequence 4"));
}

#[test]
fn lines_that_are_no_records_are_errors() {
    let run = finished_with(sound_records(), 0);
    let path = run.folder().join("records.ndjson");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("nonsense\nmore");
    fs::write(&path, text).unwrap();
    let report = check(&run.reader()).unwrap();
    assert_eq!(
        found(&report),
        [
            "error damaged_line",
            "error torn_line",
            "error segment_mismatch"
        ]
    );
}

#[test]
fn a_thousand_findings_of_one_kind_are_counted_and_not_all_kept() {
    let report = check_records(|records| records.extend((0..1_000).map(|_| log(5))));
    assert_eq!(report.errors, 1_000);
    assert_eq!(report.findings.len(), 50);
    assert_eq!(report.more["duplicate"], 950);
}

#[test]
fn every_code_has_a_test() {
    let tests = include_str!("checking.rs");
    let elsewhere = [
        include_str!("checking/folder.rs"),
        include_str!("damage.rs"),
        include_str!("full_disk.rs"),
    ]
    .concat();
    for code in Code::ALL {
        let (name, variant) = (code.as_str(), format!("Code::{code:?}"));
        let tested = [tests, &elsewhere]
            .iter()
            .any(|text| text.contains(&format!(" {name}\"")) || text.contains(&variant));
        assert!(tested, "no test for {name}");
    }
}
