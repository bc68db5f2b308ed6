//! One instance as the driver knows it: identity, what it was given, what came
//! from it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use plugobs_core::registry::{attribute, event, mark, source};
use plugobs_core::{
    InstanceId, LogPosition, Record, SequenceSet, Severity, Value, limits, validate,
};
use tokio::sync::Notify;

use super::attribution::{self, Issued, Sender};
use super::hub::{DRIVER_TARGET, Hub};
use super::{DroppedRange, Path, Received, WrongToken};
use crate::info::InstanceInfo;
use crate::intake::tests::level_index;
use crate::sink::OutputStream;

/// Lines of raw output kept for failure reports.
const TAIL_LINES: usize = 20;
/// Bytes of each of those lines.
const TAIL_LINE_BYTES: usize = 2048;
/// Bytes of records kept for failure reports, beyond the newest batch.
const RECENT_BYTES: usize = 512 * 1024;

pub(crate) struct InstanceState {
    pub(crate) id: InstanceId,
    pub(crate) token: String,
    pub(crate) hub: Arc<Hub>,
    pub(crate) issued: Mutex<Issued>,
    pub(crate) settled: Notify,
    token_shown: AtomicBool,
    info: Mutex<InstanceInfo>,
    name: String,
    version: String,
    epochs: Mutex<BTreeMap<u64, Epoch>>,
    recent: Mutex<Recent>,
}

/// Sequences of one epoch.
#[derive(Default)]
struct Epoch {
    /// Taken in, or counted.
    seen: SequenceSet,
    /// Of these, with the durable sink.
    settled: SequenceSet,
}

#[derive(Default)]
struct Recent {
    batches: VecDeque<(usize, Arc<[Record]>)>,
    bytes: usize,
    stderr: VecDeque<String>,
    stdout: VecDeque<String>,
}

/// Sequences that wait for the durable sink.
pub(crate) struct Settle {
    instance: Arc<InstanceState>,
    /// Epoch, first, last.
    ranges: Vec<(u64, u64, u64)>,
}

impl Settle {
    /// The sink has them, or they count as lost to it.
    pub(crate) fn done(self) {
        let mut epochs = lock(&self.instance.epochs);
        for (epoch, first, last) in self.ranges {
            epochs
                .entry(epoch)
                .or_default()
                .settled
                .insert_range(first, last);
        }
        drop(epochs);
        self.instance.settled.notify_waiters();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under one of these locks leaves at worst a count behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl InstanceState {
    pub(crate) fn new(id: InstanceId, token: String, hub: Arc<Hub>, info: InstanceInfo) -> Self {
        Self {
            id,
            token,
            hub,
            issued: Mutex::default(),
            settled: Notify::new(),
            token_shown: AtomicBool::new(false),
            name: info.name.clone(),
            version: info.version.clone(),
            info: Mutex::new(info),
            epochs: Mutex::default(),
            recent: Mutex::default(),
        }
    }

    pub(crate) fn authenticate(&self, token: Option<&str>) -> Result<bool, WrongToken> {
        let Some(token) = token else {
            return Ok(false);
        };
        // Every byte is looked at, so that the time tells nothing.
        let differs = token.len() != self.token.len()
            || token
                .bytes()
                .zip(self.token.bytes())
                .fold(0, |acc, (a, b)| acc | (a ^ b))
                != 0;
        if differs {
            return Err(WrongToken);
        }
        if !self.token_shown.swap(true, Ordering::AcqRel) {
            self.describe(|info| info.token_shown = true);
        }
        Ok(true)
    }

    pub(crate) fn receive(
        self: &Arc<Self>,
        path: Path,
        received: Vec<Received>,
        dropped: &[(u64, DroppedRange)],
    ) {
        // A stream is bounded by its credit; others are turned away when full.
        let shed = path.source != source::STREAM && self.hub.is_durable_full();
        if !shed {
            self.hub.report_shed();
        }
        let mut settle = Settle {
            instance: self.clone(),
            ranges: Vec::new(),
        };
        let mut records = Vec::with_capacity(received.len() + dropped.len());
        for received in received {
            let malformed = matches!(received, Received::Malformed { .. });
            let record = self.to_record(received);
            let Some(mut record) = self.first_time(record, &mut settle) else {
                continue;
            };
            if !shed {
                self.finish(&mut record, path);
                if malformed {
                    record.mark(mark::MALFORMED);
                }
                records.push(record);
            } else if let (Some(epoch), Some(sequence)) = (record.epoch, record.sequence) {
                let mut by_level = [0; 5];
                by_level[level_index(&record)] = 1;
                let range = DroppedRange {
                    first: sequence,
                    last: sequence,
                    by_level,
                    reason: "driver queue full".to_owned(),
                };
                records.push(self.dropped_record(epoch, &range));
            } else {
                self.hub.shed_unsequenced.fetch_add(1, Ordering::Relaxed);
            }
        }
        for (epoch, range) in dropped {
            self.count_dropped(*epoch, range, &mut records, &mut settle);
        }
        self.publish(records, settle);
    }

    fn publish(&self, records: Vec<Record>, settle: Settle) {
        if records.is_empty() {
            settle.done();
            return;
        }
        let records: Arc<[Record]> = records.into();
        lock(&self.recent).remember(&records);
        self.hub.publish(records, Some(settle));
    }

    fn to_record(&self, received: Received) -> Record {
        match received {
            Received::Record(mut record) => {
                record.clear_driver_fields();
                *record
            }
            Received::Malformed {
                position,
                bytes,
                reason,
            } => {
                let text = format!("a record that cannot be decoded: {reason}");
                let mut record = Record::new(self.hub.now(), Severity::WARN, DRIVER_TARGET, &text)
                    .with("malformed.bytes", bytes.to_vec())
                    .with("malformed.length", bytes.len() as u64);
                record.plugin_instance_id = Some(self.id.to_string());
                record.epoch = position.map(|p| p.epoch);
                record.sequence = position.map(|p| p.sequence);
                record
            }
        }
    }

    /// The record, unless its key was seen before.
    fn first_time(&self, mut record: Record, settle: &mut Settle) -> Option<Record> {
        match (
            record.epoch.filter(|e| *e > 0),
            record.sequence.filter(|s| *s > 0),
        ) {
            (Some(epoch), Some(sequence)) => {
                if !lock(&self.epochs)
                    .entry(epoch)
                    .or_default()
                    .seen
                    .insert(sequence)
                {
                    return None;
                }
                settle.ranges.push((epoch, sequence, sequence));
            }
            // Half a key is none.
            _ => (record.epoch, record.sequence) = (None, None),
        }
        Some(record)
    }

    /// Everything that the driver knows and the plugin may not say.
    fn finish(&self, record: &mut Record, path: Path) {
        let sender = Sender {
            instance: self.id.as_str(),
            verified: path.verified,
            token_shown: self.token_shown.load(Ordering::Acquire),
            may_omit_instance: path.source != source::STREAM,
        };
        attribution::attribute(record, &sender, &lock(&self.issued));
        if record
            .test_run_id
            .as_deref()
            .is_some_and(|id| self.hub.tests.has_ended(id))
        {
            record.mark(mark::LATE);
        }
        make_valid(record);
        self.hub.limits.enforce(record);
        record.observed_timestamp = Some(self.hub.now());
        record.run_id = Some(self.hub.run_id.to_string());
        record.plugin_name = Some(self.name.clone());
        record.plugin_version = Some(self.version.clone());
        record.source = Some(path.source.to_owned());
    }

    fn dropped_record(&self, epoch: u64, range: &DroppedRange) -> Record {
        let count = range.last - range.first + 1;
        let text = format!("{count} records will never arrive: {}", range.reason);
        let mut record =
            Record::lifecycle(self.hub.now(), DRIVER_TARGET, event::RECORDS_DROPPED, &text)
                .with(attribute::DROPPED_FIRST, range.first)
                .with(attribute::DROPPED_LAST, range.last)
                .with(attribute::DROPPED_REASON, range.reason.as_str());
        if range.by_level.iter().sum::<u64>() == count {
            for (key, n) in [
                attribute::DROPPED_TRACE,
                attribute::DROPPED_DEBUG,
                attribute::DROPPED_INFO,
                attribute::DROPPED_WARN,
                attribute::DROPPED_ERROR,
            ]
            .into_iter()
            .zip(range.by_level)
            {
                record.attributes.push((key.to_owned(), n.into()));
            }
        }
        record.set_level("WARN", Some(Severity::WARN));
        record.epoch = Some(epoch);
        self.stamp(&mut record);
        record
    }

    /// What every driver record about this instance bears.
    fn stamp(&self, record: &mut Record) {
        record.plugin_instance_id = Some(self.id.to_string());
        record.plugin_name = Some(self.name.clone());
        record.plugin_version = Some(self.version.clone());
        record.observed_timestamp = Some(record.timestamp);
        record.run_id = Some(self.hub.run_id.to_string());
        record.source = Some(source::DRIVER.to_owned());
    }

    /// Counts what of the range was not seen, a record for each run of it.
    fn count_dropped(
        &self,
        epoch: u64,
        range: &DroppedRange,
        records: &mut Vec<Record>,
        settle: &mut Settle,
    ) {
        if epoch == 0 || range.first == 0 || range.first > range.last {
            return;
        }
        let missing = {
            let mut epochs = lock(&self.epochs);
            let seen = &mut epochs.entry(epoch).or_default().seen;
            let missing: Vec<_> = seen
                .missing(range.last)
                .into_iter()
                .map(|(first, last)| (first.max(range.first), last))
                .filter(|(first, last)| first <= last)
                .collect();
            seen.insert_range(range.first, range.last);
            missing
        };
        for (first, last) in missing {
            let whole = (first, last) == (range.first, range.last);
            let part = DroppedRange {
                first,
                last,
                by_level: if whole { range.by_level } else { [0; 5] },
                reason: range.reason.clone(),
            };
            records.push(self.dropped_record(epoch, &part));
            settle.ranges.push((epoch, first, last));
        }
    }

    pub(crate) fn count_missing(
        self: &Arc<Self>,
        epoch: u64,
        first: u64,
        through: u64,
        reason: &str,
    ) {
        let range = DroppedRange {
            first: first.max(1),
            last: through,
            by_level: [0; 5],
            reason: reason.to_owned(),
        };
        let mut settle = Settle {
            instance: self.clone(),
            ranges: Vec::new(),
        };
        let mut records = Vec::new();
        self.count_dropped(epoch, &range, &mut records, &mut settle);
        self.publish(records, settle);
    }

    /// Counts every gap of every epoch: nothing more will come.
    pub(crate) fn close_accounts(self: &Arc<Self>) {
        let highest: Vec<_> = lock(&self.epochs)
            .iter()
            .map(|(epoch, state)| (*epoch, state.seen.highest()))
            .collect();
        for (epoch, through) in highest {
            self.count_missing(epoch, 1, through, "never arrived");
        }
    }

    pub(crate) fn settled_through(&self, epoch: u64, first: u64) -> u64 {
        lock(&self.epochs)
            .get(&epoch)
            .and_then(|state| state.settled.range_of(first))
            .map_or(first.saturating_sub(1), |(_, last)| last)
    }

    pub(crate) async fn wait_settled(&self, position: LogPosition, deadline: Duration) -> bool {
        let reached = || self.settled_through(position.epoch, 1) >= position.sequence;
        let wait = async {
            loop {
                let changed = self.settled.notified();
                tokio::pin!(changed);
                // Registered before the look, so that no change is missed.
                changed.as_mut().enable();
                if reached() {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(deadline, wait).await.is_ok()
    }

    pub(crate) fn output(&self, stream: OutputStream, bytes: Bytes) {
        self.hub.output(&self.id, stream, &bytes);
    }

    pub(crate) fn output_line(&self, stream: OutputStream, line: &[u8]) {
        let cut = &line[..line.len().min(TAIL_LINE_BYTES)];
        let text = String::from_utf8_lossy(cut).into_owned();
        let mut recent = lock(&self.recent);
        let tail = match stream {
            OutputStream::Stderr => &mut recent.stderr,
            OutputStream::Stdout => &mut recent.stdout,
        };
        if tail.len() == TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(text);
    }

    pub(crate) fn output_cut(&self, stream: OutputStream, bytes: u64) {
        let text = format!("{bytes} bytes of {} were cut", stream.name());
        self.lifecycle(
            event::OUTPUT_TRUNCATED,
            &text,
            vec![
                (attribute::OUTPUT_STREAM, stream.name().into()),
                (attribute::OUTPUT_BYTES, bytes.into()),
            ],
        );
    }

    pub(crate) fn lifecycle(&self, event: &str, message: &str, attributes: Vec<(&str, Value)>) {
        let mut record = Record::lifecycle(self.hub.now(), DRIVER_TARGET, event, message);
        record.attributes = attributes
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        self.driver_record(record);
    }

    /// A driver's record about this instance; test and call are set by the
    /// caller.
    pub(crate) fn driver_record(&self, mut record: Record) {
        self.stamp(&mut record);
        self.hub.limits.enforce(&mut record);
        let records: Arc<[Record]> = Arc::from([record]);
        lock(&self.recent).remember(&records);
        self.hub.publish(records, None);
    }

    pub(crate) fn describe(&self, change: impl FnOnce(&mut InstanceInfo)) {
        let info = {
            let mut info = lock(&self.info);
            change(&mut info);
            info.clone()
        };
        self.hub.describe_instance(info);
    }

    pub(crate) fn info(&self) -> InstanceInfo {
        lock(&self.info).clone()
    }

    pub(crate) fn tails(&self) -> (Vec<String>, Vec<String>) {
        let recent = lock(&self.recent);
        (
            recent.stderr.iter().cloned().collect(),
            recent.stdout.iter().cloned().collect(),
        )
    }

    /// The last `max` recent records that `wanted` picks, oldest first.
    pub(crate) fn recent(&self, max: usize, wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
        let recent = lock(&self.recent);
        let newest_first = recent.batches.iter().rev();
        let mut picked: Vec<_> = newest_first
            .flat_map(|(_, batch)| batch.iter().rev())
            .filter(|record| wanted(record))
            .take(max)
            .cloned()
            .collect();
        picked.reverse();
        picked
    }
}

impl Recent {
    fn remember(&mut self, batch: &Arc<[Record]>) {
        let bytes = batch.iter().map(limits::size).sum();
        self.bytes += bytes;
        self.batches.push_back((bytes, batch.clone()));
        while self.bytes > RECENT_BYTES && self.batches.len() > 1 {
            if let Some((bytes, _)) = self.batches.pop_front() {
                self.bytes -= bytes;
            }
        }
    }
}

/// Mends what would break the file's schema, so that nothing is lost: an ID
/// that is none goes to `claimed`, an event that is not registered leaves the
/// lifecycle channel, and a record without any text says so.
fn make_valid(record: &mut Record) {
    use plugobs_core::registry::{RejectionCode as Code, channel};

    // Each rule that can break is mended once; there are fewer than eight.
    for _ in 0..8 {
        let Err(rejection) = validate::fields(record) else {
            return;
        };
        let claimed = record.claimed.get_or_insert_default();
        match rejection.code {
            Code::InvalidCallId => claimed.call_id = record.call_id.take(),
            Code::InvalidInstanceId => {
                claimed.plugin_instance_id = record.plugin_instance_id.take()
            }
            Code::DuplicateKey => {
                let mut keys = std::collections::HashSet::new();
                record
                    .attributes
                    .retain(|(key, _)| keys.insert(key.clone()));
            }
            Code::UnknownEvent => record.channel = channel::OPERATIONAL.to_owned(),
            _ if rejection.field == "eventName" => record.channel = channel::OPERATIONAL.to_owned(),
            _ if rejection.field == "attributes" => {
                record.attributes.retain(|(key, _)| !key.is_empty())
            }
            _ => record.message = "(no message)".to_owned(),
        }
        if record.claimed.as_ref() == Some(&plugobs_core::Claimed::default()) {
            record.claimed = None;
        }
    }
}
