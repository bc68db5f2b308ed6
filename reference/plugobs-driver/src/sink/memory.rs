//! A sink that keeps records in memory, for tests and for test frameworks that
//! show them at a test's end.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plugobs_core::Record;

use super::{OutputStream, Sink, SinkError, SinkEvent};
use crate::failure::FailureReport;

/// The sink; its [`MemoryRecords`] read it.
pub struct MemorySink(MemoryRecords);

/// What a memory sink holds. Cheap to clone.
#[derive(Clone)]
pub struct MemoryRecords(Arc<(Mutex<Held>, Condvar)>);

struct Held {
    records: VecDeque<Record>,
    max_records: usize,
    evicted: u64,
    failures: Vec<Arc<FailureReport>>,
    output: Vec<(String, OutputStream, Vec<u8>)>,
    ended: bool,
}

/// Raw output kept per instance and stream; the rest is in the run folder.
const OUTPUT_BYTES: usize = 256 * 1024;

impl MemorySink {
    /// A sink that keeps the last `max_records` records, and its reader.
    pub fn new(max_records: usize) -> (Self, MemoryRecords) {
        let held = Held {
            records: VecDeque::new(),
            max_records,
            evicted: 0,
            failures: Vec::new(),
            output: Vec::new(),
            ended: false,
        };
        let records = MemoryRecords(Arc::new((Mutex::new(held), Condvar::new())));
        (Self(records.clone()), records)
    }
}

impl Sink for MemorySink {
    fn name(&self) -> &str {
        "memory"
    }

    fn accept(&mut self, event: &SinkEvent) -> Result<(), SinkError> {
        let mut held = self.0.lock();
        match event {
            SinkEvent::Records(records) => {
                for record in records.iter() {
                    if held.records.len() == held.max_records {
                        held.records.pop_front();
                        held.evicted += 1;
                    }
                    held.records.push_back(record.clone());
                }
            }
            SinkEvent::Failure(report) => held.failures.push(report.clone()),
            SinkEvent::Output {
                instance,
                stream,
                bytes,
            } => {
                let at = held
                    .output
                    .iter()
                    .position(|(id, s, _)| id == instance.as_str() && s == stream)
                    .unwrap_or_else(|| {
                        let entry = (instance.to_string(), *stream, Vec::new());
                        held.output.push(entry);
                        held.output.len() - 1
                    });
                let kept = &mut held.output[at].2;
                let room = OUTPUT_BYTES.saturating_sub(kept.len());
                kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            SinkEvent::End(_) => held.ended = true,
            SinkEvent::Run(_)
            | SinkEvent::Instance(_)
            | SinkEvent::Test(_)
            | SinkEvent::OutputSkipped { .. }
            | SinkEvent::OutputEnd { .. }
            | SinkEvent::Losses(_) => {}
        }
        drop(held);
        self.0.0.1.notify_all();
        Ok(())
    }
}

impl MemoryRecords {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All records that are still held, in order of arrival.
    pub fn all(&self) -> Vec<Record> {
        self.lock().records.iter().cloned().collect()
    }

    /// The records of one test, quarantined ones excluded.
    pub fn of_test(&self, test_run_id: &str) -> Vec<Record> {
        let mut records = self.all();
        records.retain(|r| r.test_run_id.as_deref() == Some(test_run_id));
        records
    }

    /// Records that were let go because there were too many.
    pub fn evicted(&self) -> u64 {
        self.lock().evicted
    }

    /// Failure reports so far.
    pub fn failures(&self) -> Vec<Arc<FailureReport>> {
        self.lock().failures.clone()
    }

    /// The beginning of an instance's raw output, at most 256 KiB.
    pub fn output(&self, instance: &str, stream: OutputStream) -> Vec<u8> {
        let held = self.lock();
        let mut output = held.output.iter();
        output
            .find(|(id, s, _)| id == instance && *s == stream)
            .map(|(_, _, bytes)| bytes.clone())
            .unwrap_or_default()
    }

    /// Whether the run has ended.
    pub fn ended(&self) -> bool {
        self.lock().ended
    }

    /// Waits until the held records satisfy `condition`; `false` after the
    /// deadline.
    pub fn wait_for(&self, deadline: Duration, condition: impl Fn(&[Record]) -> bool) -> bool {
        let until = Instant::now() + deadline;
        let mut held = self.lock();
        loop {
            if condition(held.records.make_contiguous()) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return false;
            }
            held = self
                .0
                .1
                .wait_timeout(held, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}
