//! A run with two tests, two plugins, a mismatch and a crash.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plugobs_core::registry::{FailureCode, attribute, channel, event, mark, source};
use plugobs_core::{Claimed, Exception, InstanceId, Record, RunId, Severity, Timestamp};
use plugobs_driver::FailureReport;
use plugobs_driver::failure::{Exit, FailedPlugin};
use plugobs_driver::info::{DriverInfo, InstanceInfo, RunInfo, SessionInfo, TestInfo};
use plugobs_driver::sink::{OutputStream, Sink, SinkEvent};
use plugobs_runfile::{RunFolder, RunFolderSink, RunOptions, RunReader};
use plugobs_view::Look;
use tempfile::TempDir;

pub(crate) const RUN: &str = "019aaf2c-0b1a-7d2e-9c44-5f6e7d8c9b0a";
pub(crate) const CSV: &str = "0b7f3a52-5c1e-4f0a-9d43-6a3f8e1c2b77";
pub(crate) const OLD: &str = "3c8e1f60-77aa-4b7c-8a11-90fd5b1c6e02";
pub(crate) const CALL: &str = "019aaf2c-1d3e-7c55-8f00-2b6d1f4e9a10";
pub(crate) const NESTED: &str = "019aaf2c-1d3e-7c55-8f00-2b6d1f4e9a11";
pub(crate) const OTHER: &str = "019aaf2c-1d3e-7c55-8f00-2b6d1f4e9a12";
pub(crate) const FAILING: &str = "test_orders.py::test_price_column";
pub(crate) const PASSING: &str = "test_orders.py::test_names";

pub(crate) const PLAIN: Look = Look {
    colour: false,
    width: None,
};

pub(crate) const TERMINAL: Look = Look {
    colour: false,
    width: Some(80),
};

pub(crate) fn at(micros: u64) -> Timestamp {
    Timestamp::from_unix_nanos(1_795_408_618_000_000_000 + micros * 1_000)
}

pub(crate) struct Run {
    pub(crate) root: TempDir,
    sink: RunFolderSink,
    sequence: u64,
}

impl Run {
    pub(crate) fn begin() -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut options = RunOptions::default();
        options.manifest_interval = Duration::ZERO;
        let run_id = RunId::parse(RUN).unwrap();
        let mut run = Self {
            sink: RunFolder::create(root.path(), &run_id, options).unwrap(),
            root,
            sequence: 0,
        };
        run.tell(SinkEvent::Run(Arc::new(RunInfo {
            run_id: RUN.to_owned(),
            driver: DriverInfo {
                name: "plugobs".to_owned(),
                version: "0.1.0".to_owned(),
                pid: 4711,
            },
            started_at: at(0),
            session: Some(SessionInfo {
                id: "nightly-381".to_owned(),
            }),
            limits: BTreeMap::new(),
            redaction: None,
        })));
        run
    }

    pub(crate) fn tell(&mut self, event: SinkEvent) {
        self.sink.accept(&event).unwrap();
    }

    pub(crate) fn record(&mut self, mut record: Record) {
        if record.source.as_deref() == Some(source::STREAM) {
            self.sequence += 1;
            (record.epoch, record.sequence) = (Some(4021), Some(self.sequence));
        }
        self.tell(SinkEvent::Records([record].into()));
    }

    pub(crate) fn reader(&self) -> RunReader {
        RunFolder::open(&self.root.path().join(RUN)).unwrap()
    }

    /// As a driver that is killed leaves it.
    pub(crate) fn killed(self) -> TempDir {
        self.root
    }

    /// Text of this run with its path, which is another each time, replaced.
    pub(crate) fn steady(&self, text: &str) -> String {
        text.replace(&self.root.path().display().to_string(), "<root>")
    }
}

pub(crate) fn instance(id: &str, name: &str, exit_code: Option<i32>) -> SinkEvent {
    SinkEvent::Instance(Arc::new(InstanceInfo {
        plugin_instance_id: id.to_owned(),
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        interface_version: 2,
        executable_type: "exec".to_owned(),
        executable: None,
        pid: Some(4720),
        started_at: at(100),
        ended_at: exit_code.map(|_| at(2_000_000)),
        exit_code,
        signal: None,
        token_shown: true,
        epochs: Vec::new(),
    }))
}

pub(crate) fn test(id: &str, outcome: Option<&str>) -> SinkEvent {
    SinkEvent::Test(Arc::new(TestInfo {
        test_run_id: id.to_owned(),
        case_name: Some("test_price_column".to_owned()),
        suite_name: None,
        id_source: "argument".to_owned(),
        began_at: at(500_000),
        ended_at: outcome.map(|_| at(1_704_000)),
        outcome: outcome.map(str::to_owned),
    }))
}

/// A log record of the csv plugin, within the failing test's call.
pub(crate) fn log(micros: u64, severity: Severity, message: &str) -> Record {
    let mut record = Record::new(at(micros), severity, "csv::compare", message);
    record.plugin_instance_id = Some(CSV.into());
    record.test_run_id = Some(FAILING.into());
    record.call_id = Some(CALL.into());
    received(record, source::STREAM)
}

pub(crate) fn user(micros: u64, message: &str) -> Record {
    let mut record = log(micros, Severity::INFO, message);
    record.channel = channel::USER.into();
    record
}

pub(crate) fn driver(micros: u64, event: &str, message: &str) -> Record {
    let mut record = Record::lifecycle(at(micros), "plugobs.driver", event, message);
    record.plugin_instance_id = Some(CSV.into());
    received(record, source::DRIVER)
}

pub(crate) fn call(micros: u64, event: &str, id: &str, test: &str) -> Record {
    let mut record = driver(micros, event, "");
    record.test_run_id = Some(test.into());
    record.call_id = Some(id.into());
    record.with(attribute::CALL_OPERATION, "CompareContents")
}

pub(crate) fn of_test(micros: u64, event: &str, message: &str) -> Record {
    let mut record = driver(micros, event, message);
    record.plugin_instance_id = None;
    (record.plugin_name, record.plugin_version) = (None, None);
    record.test_run_id = Some(FAILING.into());
    record
}

pub(crate) fn stolen(message: &str) -> Record {
    let mut record = log(900_000, Severity::ERROR, message);
    (record.plugin_instance_id, record.test_run_id) = (None, None);
    record.call_id = None;
    record.mark(mark::QUARANTINED);
    record.claimed = Some(Box::new(Claimed {
        test_run_id: Some(FAILING.into()),
        via: Some(CSV.into()),
        ..Claimed::default()
    }));
    record
}

fn received(mut record: Record, source: &str) -> Record {
    record.observed_timestamp = Some(record.timestamp);
    record.run_id = Some(RUN.into());
    record.plugin_name = Some("csv".into());
    record.plugin_version = Some("0.1.0".into());
    record.source = Some(source.into());
    record
}

pub(crate) fn failure() -> FailureReport {
    let plugin = FailedPlugin {
        name: "csv".to_owned(),
        version: Some("0.1.0".to_owned()),
        plugin_instance_id: Some(CSV.to_owned()),
        executable: Some("/home/ann/.pact/plugins/csv-0.1.0/csv-plugin".to_owned()),
    };
    let mut report = FailureReport::new(
        FailureCode::Crashed,
        plugin,
        "the process ended while CompareContents was under way",
        at(1_600_000),
        18_200_311,
    );
    report.exit = Some(Exit {
        code: Some(101),
        signal: None,
    });
    report.test_run_id = Some(FAILING.to_owned());
    report.operation = Some("CompareContents".to_owned());
    report.stderr_tail = vec![
        "thread 'main' panicked at src/compare.rs:41:9:".to_owned(),
        "index out of bounds".to_owned(),
    ];
    let mut last = log(590_000, Severity::WARN, "row 3 is short");
    (last.epoch, last.sequence) = (Some(4021), Some(9));
    report.last_records = vec![last];
    report
}

/// The whole of it.
pub(crate) fn run() -> Run {
    let mut run = Run::begin();
    run.tell(instance(CSV, "csv", None));
    run.record(driver(1_000, event::INSTANCE_SPAWNED, "").with(attribute::PROCESS_PID, 4720_u32));
    run.record(driver(
        80_000,
        event::INSTANCE_INITIALISED,
        "initialised after 12 ms",
    ));
    let mut early = log(90_000, Severity::WARN, "no locale is set");
    (early.test_run_id, early.call_id) = (None, None);
    run.record(early);
    run.tell(test(FAILING, None));
    run.record(of_test(
        500_000,
        event::TEST_BEGIN,
        "test_price_column begins",
    ));
    run.record(call(510_000, event::CALL_BEGIN, CALL, FAILING));
    run.record(
        log(511_000, Severity::DEBUG, "comparing 3 rows")
            .with("rows", 3_i64)
            .with("header", vec![0x69_u8, 0x64])
            .with("delimiter", ", ")
            .with("ratio", 0.5),
    );
    run.record(
        call(520_000, event::CALL_BEGIN, NESTED, FAILING).with(attribute::CALL_PARENT_ID, CALL),
    );
    run.record(
        call(523_000, event::CALL_END, NESTED, FAILING)
            .with(attribute::CALL_DURATION_NS, 3_012_000_i64)
            .with(attribute::CALL_OUTCOME, "ok"),
    );
    run.record(
        call(524_000, event::CALL_LOGS_COMPLETE, NESTED, FAILING)
            .with(attribute::CALL_COMPLETENESS, "complete"),
    );
    run.record(user(
        530_000,
        "row 2, column \"price\": expected a decimal, got \"abc\"\n\n| row | price |\n|---|---|\n| 2 | abc |",
    ));
    let mut warning = log(
        540_000,
        Severity::WARN,
        "a row is longer than the header says, so that the fields which have no name are compared by their place only",
    );
    warning.target = "csv".into();
    warning.mark(mark::TRUNCATED);
    warning.truncated_bytes = 70_000;
    run.record(warning);
    let mut error = log(550_000, Severity::ERROR, "cannot parse");
    error.exception = Some(Exception {
        kind: Some("ParseFloatError".to_owned()),
        message: Some("invalid float literal".to_owned()),
        stack_trace: Some("at csv::number\nat csv::compare".to_owned()),
    });
    error.mark(mark::LATE);
    run.record(error);
    run.record(
        call(1_510_000, event::CALL_END, CALL, FAILING)
            .with(attribute::CALL_DURATION_NS, 1_000_000_000_i64)
            .with(attribute::CALL_OUTCOME, "mismatch"),
    );
    run.record(
        call(1_760_000, event::CALL_LOGS_COMPLETE, CALL, FAILING)
            .with(attribute::CALL_COMPLETENESS, "incomplete"),
    );
    run.record(stolen("I am yours"));
    run.tell(SinkEvent::Failure(Arc::new(failure())));
    run.record(of_test(
        1_704_000,
        event::TEST_END,
        "test_price_column: failed",
    ));
    run.tell(test(FAILING, Some("failed")));
    old_plugin(&mut run);
    run.record(
        driver(
            2_000_000,
            event::INSTANCE_EXITED,
            "ended with exit code 101",
        )
        .with(attribute::PROCESS_EXIT_CODE, 101_i64),
    );
    run.tell(instance(CSV, "csv", Some(101)));
    run.tell(SinkEvent::End(at(2_100_000)));
    run
}

/// A deployed plugin that says all it says on standard error.
fn old_plugin(run: &mut Run) {
    run.tell(instance(OLD, "old", Some(0)));
    run.tell(test(PASSING, Some("passed")));
    for record in [
        call(600_000, event::CALL_BEGIN, OTHER, PASSING),
        call(601_000, event::CALL_END, OTHER, PASSING)
            .with(attribute::CALL_DURATION_NS, 812_000_i64)
            .with(attribute::CALL_OUTCOME, "ok"),
        call(602_000, event::CALL_LOGS_COMPLETE, OTHER, PASSING)
            .with(attribute::CALL_COMPLETENESS, "unknown"),
    ] {
        let mut record = record;
        record.plugin_instance_id = Some(OLD.into());
        record.plugin_name = Some("old".into());
        run.record(record);
    }
    run.tell(SinkEvent::Output {
        instance: InstanceId::parse(OLD).unwrap(),
        stream: OutputStream::Stderr,
        bytes: b"listening\n\x1b[31mcompared\x1b[0m \xff\n".to_vec().into(),
    });
}
