//! A run, told to the sink event by event.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plugobs_core::registry::{attribute, event, source};
use plugobs_core::{InstanceId, Record, RunId, Severity, Timestamp};
use plugobs_driver::info::{DriverInfo, InstanceInfo, RunInfo, TestInfo};
use plugobs_driver::sink::{OutputStream, Records, Sink, SinkEvent};
use plugobs_runfile::{RunFolder, RunFolderSink, RunOptions, RunReader};
use tempfile::TempDir;

pub(crate) const RUN: &str = "019aaf2c-0b1a-7d2e-9c44-5f6e7d8c9b0a";
pub(crate) const CSV: &str = "0b7f3a52-5c1e-4f0a-9d43-6a3f8e1c2b77";
pub(crate) const XML: &str = "3c8e1f60-77aa-4b7c-8a11-90fd5b1c6e02";
pub(crate) const CALL: &str = "019aaf2c-1d3e-7c55-8f00-2b6d1f4e9a10";
pub(crate) const OTHER_CALL: &str = "019aaf2c-1d3e-7c55-8f00-2b6d1f4e9a11";
pub(crate) const TEST: &str = "test_orders.py::test_price";
pub(crate) const OTHER_TEST: &str = "test_orders.py::test_name";
pub(crate) const EPOCH: u64 = 4021;

pub(crate) fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_nanos(1_795_408_618_000_000_000 + millis * 1_000_000)
}

/// Options under which the manifest is always up to date.
pub(crate) fn options() -> RunOptions {
    let mut options = RunOptions::default();
    options.manifest_interval = Duration::ZERO;
    options
}

pub(crate) struct Run {
    pub(crate) root: TempDir,
    pub(crate) sink: RunFolderSink,
}

impl Run {
    pub(crate) fn create(options: RunOptions) -> Self {
        let root = tempfile::tempdir().unwrap();
        let run_id = RunId::parse(RUN).unwrap();
        let sink = RunFolder::create(root.path(), &run_id, options).unwrap();
        Self { root, sink }
    }

    pub(crate) fn begin(options: RunOptions) -> Self {
        let mut run = Self::create(options);
        run.tell(SinkEvent::Run(Arc::new(run_info())));
        run.tell(SinkEvent::Instance(Arc::new(instance(CSV, "csv"))));
        run
    }

    pub(crate) fn tell(&mut self, event: SinkEvent) {
        self.sink.accept(&event).unwrap();
    }

    pub(crate) fn records(&mut self, records: impl Into<Records>) {
        self.tell(SinkEvent::Records(records.into()));
    }

    pub(crate) fn output(&mut self, stream: OutputStream, bytes: &[u8]) {
        self.tell(SinkEvent::Output {
            instance: InstanceId::parse(CSV).unwrap(),
            stream,
            bytes: bytes.to_vec().into(),
        });
    }

    pub(crate) fn end(&mut self) {
        self.tell(SinkEvent::End(at(10_000)));
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join(RUN)
    }

    pub(crate) fn reader(&self) -> RunReader {
        RunFolder::open(&self.folder()).unwrap()
    }

    /// As a driver that is killed leaves it.
    pub(crate) fn killed(self) -> TempDir {
        self.root
    }
}

pub(crate) fn run_info() -> RunInfo {
    RunInfo {
        run_id: RUN.to_owned(),
        driver: DriverInfo {
            name: "plugobs".to_owned(),
            version: "0.1.0".to_owned(),
            pid: 4711,
        },
        started_at: at(0),
        session: None,
        limits: BTreeMap::new(),
        redaction: None,
    }
}

pub(crate) fn instance(id: &str, name: &str) -> InstanceInfo {
    InstanceInfo {
        plugin_instance_id: id.to_owned(),
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        interface_version: 2,
        executable_type: "exec".to_owned(),
        executable: None,
        pid: Some(4720),
        started_at: at(1),
        ended_at: None,
        exit_code: None,
        signal: None,
        token_shown: true,
        epochs: Vec::new(),
    }
}

pub(crate) fn test(id: &str) -> TestInfo {
    TestInfo {
        test_run_id: id.to_owned(),
        case_name: None,
        suite_name: None,
        id_source: "argument".to_owned(),
        began_at: at(10),
        ended_at: None,
        outcome: None,
    }
}

/// A log record of the csv plugin, within the call of the test.
pub(crate) fn log(sequence: u64) -> Record {
    let mut record = outside(sequence);
    record.test_run_id = Some(TEST.into());
    record.call_id = Some(CALL.into());
    record
}

/// A log record of the csv plugin, outside any test.
pub(crate) fn outside(sequence: u64) -> Record {
    let message = format!("record {sequence}");
    let mut record = Record::new(at(20 + sequence), Severity::INFO, "csv::compare", &message);
    record.plugin_instance_id = Some(CSV.into());
    record.epoch = Some(EPOCH);
    record.sequence = Some(sequence);
    received(&mut record, source::STREAM);
    record
}

/// A record of the deployed unary call: no sequence, no call.
pub(crate) fn unary(message: &str) -> Record {
    let mut record = outside(1);
    record.message = message.into();
    (record.epoch, record.sequence) = (None, None);
    record.source = Some(source::RPC.into());
    record
}

/// What the driver says of the csv plugin.
pub(crate) fn driver(event: &str, millis: u64) -> Record {
    let mut record = Record::lifecycle(at(millis), "plugobs.driver", event, "");
    record.plugin_instance_id = Some(CSV.into());
    received(&mut record, source::DRIVER);
    record
}

pub(crate) fn of_test(event: &str, millis: u64) -> Record {
    let mut record = driver(event, millis);
    record.plugin_instance_id = None;
    (record.plugin_name, record.plugin_version) = (None, None);
    record.test_run_id = Some(TEST.into());
    record
}

pub(crate) fn of_call(event: &str, millis: u64) -> Record {
    let mut record = driver(event, millis).with(attribute::CALL_OPERATION, "CompareContents");
    record.test_run_id = Some(TEST.into());
    record.call_id = Some(CALL.into());
    record
}

pub(crate) fn dropped(first: u64, last: u64) -> Record {
    let mut record = driver(event::RECORDS_DROPPED, 50)
        .with(attribute::DROPPED_FIRST, first)
        .with(attribute::DROPPED_LAST, last);
    record.epoch = Some(EPOCH);
    record
}

fn received(record: &mut Record, source: &str) {
    record.observed_timestamp = Some(record.timestamp);
    record.run_id = Some(RUN.into());
    record.plugin_name = Some("csv".into());
    record.plugin_version = Some("0.1.0".into());
    record.source = Some(source.into());
}

/// All records of a run with one test, one call and five log records.
pub(crate) fn sound_records() -> Vec<Record> {
    let mut records = vec![
        driver(event::INSTANCE_SPAWNED, 1),
        of_test(event::TEST_BEGIN, 10),
        of_call(event::CALL_BEGIN, 20),
    ];
    records.extend((1..=5).map(log));
    records.push(
        of_call(event::CALL_END, 30)
            .with(attribute::CALL_DURATION_NS, 10_000_000_u64)
            .with(attribute::CALL_OUTCOME, "ok"),
    );
    records.push(
        of_call(event::CALL_LOGS_COMPLETE, 31).with(attribute::CALL_COMPLETENESS, "complete"),
    );
    records.push(of_test(event::TEST_END, 40).with(attribute::TEST_OUTCOME, "passed"));
    records.push(driver(event::INSTANCE_EXITED, 60).with(attribute::PROCESS_EXIT_CODE, 0));
    records
}

/// A run whose instance ended with this exit code, finished, with these
/// records.
pub(crate) fn finished_with(records: Vec<Record>, exit_code: i32) -> Run {
    let mut run = Run::begin(options());
    run.tell(SinkEvent::Test(Arc::new(test(TEST))));
    run.records(records);
    run.output(OutputStream::Stderr, b"raw\xff\n");
    let mut ended = instance(CSV, "csv");
    ended.ended_at = Some(at(60));
    ended.exit_code = Some(exit_code);
    run.tell(SinkEvent::Instance(Arc::new(ended)));
    let mut ended = test(TEST);
    ended.ended_at = Some(at(40));
    ended.outcome = Some("passed".to_owned());
    run.tell(SinkEvent::Test(Arc::new(ended)));
    run.end();
    run
}
