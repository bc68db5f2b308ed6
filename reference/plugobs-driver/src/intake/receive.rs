//! What becomes of a record between its arrival and the sinks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use plugobs_core::registry::{attribute, event, mark, source};
use plugobs_core::{Record, Severity};

use super::accounts::Settle;
use super::attribution::{self, Sender};
use super::hub::DRIVER_TARGET;
use super::instance::{InstanceState, lock};
use super::mend::mend;
use super::tests::level_index;
use super::{DroppedRange, Path, Received};

impl InstanceState {
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
        let mut settle = Settle::new(self);
        let mut records = Vec::with_capacity(received.len() + dropped.len());
        for received in received {
            let malformed = matches!(received, Received::Malformed { .. });
            let mut record = self.to_record(received);
            if !self.is_first(&mut record, &mut settle) {
                continue;
            }
            if shed {
                records.extend(self.turn_away(&record));
                continue;
            }
            self.finish(&mut record, path);
            if malformed {
                record.mark(mark::MALFORMED);
            }
            records.push(record);
        }
        for (epoch, range) in dropped {
            self.count_dropped(*epoch, range, &mut records, &mut settle);
        }
        self.publish(records, settle);
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
        let (mut records, mut settle) = (Vec::new(), Settle::new(self));
        self.count_dropped(epoch, &range, &mut records, &mut settle);
        self.publish(records, settle);
    }

    /// Counts every gap of every epoch: nothing more will come.
    pub(crate) fn close_accounts(self: &Arc<Self>) {
        for (epoch, through) in self.accounts.highest() {
            self.count_missing(epoch, 1, through, "never arrived");
        }
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
                rejection,
            } => {
                let text = format!("a record that cannot be decoded: {rejection}");
                let mut record = Record::new(self.hub.now(), Severity::WARN, DRIVER_TARGET, &text)
                    .with("malformed.bytes", bytes.to_vec())
                    .with("malformed.length", bytes.len() as u64)
                    .with("malformed.code", rejection.code.as_str());
                record.plugin_instance_id = Some(self.id.to_string());
                record.epoch = position.map(|p| p.epoch);
                record.sequence = position.map(|p| p.sequence);
                record
            }
        }
    }

    /// Books the record's key; `false` where it was booked before.
    fn is_first(&self, record: &mut Record, settle: &mut Settle) -> bool {
        match (record.epoch, record.sequence) {
            (Some(epoch @ 1..), Some(sequence @ 1..)) => {
                let first = self.accounts.take_in(epoch, sequence);
                if first {
                    settle.add(epoch, sequence, sequence);
                }
                first
            }
            _ => {
                // Half a key is none.
                (record.epoch, record.sequence) = (None, None);
                true
            }
        }
    }

    /// There is no room: a record with a sequence is counted by a record of the
    /// driver's own, others by their number.
    fn turn_away(&self, record: &Record) -> Option<Record> {
        let (Some(epoch), Some(sequence)) = (record.epoch, record.sequence) else {
            self.hub.shed_unsequenced.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let mut by_level = [0; 5];
        by_level[level_index(record)] = 1;
        let range = DroppedRange {
            first: sequence,
            last: sequence,
            by_level,
            reason: "driver queue full".to_owned(),
        };
        Some(self.dropped_record(epoch, &range))
    }

    /// Everything that the driver knows and the plugin may not say.
    fn finish(&self, record: &mut Record, path: Path) {
        let sender = Sender {
            instance: self.id.as_str(),
            verified: path.verified,
            token_shown: self.token_shown.load(Ordering::Acquire),
            may_omit_instance: path.source != source::STREAM,
        };
        // Before attribution: an ID that was cut is none that was issued.
        self.hub.redaction.apply(&self.hub.limits, record);
        attribution::attribute(record, &sender, &lock(&self.issued));
        let test = record.test_run_id.as_deref();
        if test.is_some_and(|id| self.hub.tests.has_ended(id)) {
            record.mark(mark::LATE);
        }
        mend(record);
        record.observed_timestamp = Some(self.hub.now());
        record.run_id = Some(self.hub.run_id.to_string());
        record.plugin_name = Some(self.name.clone());
        record.plugin_version = Some(self.version.clone());
        record.source = Some(path.source.to_owned());
    }

    /// Counts what of the range was not seen, a record for each run of it.
    fn count_dropped(
        &self,
        epoch: u64,
        range: &DroppedRange,
        records: &mut Vec<Record>,
        settle: &mut Settle,
    ) {
        for (first, last) in self.accounts.take_in_missing(epoch, range) {
            let whole = (first, last) == (range.first, range.last);
            let part = DroppedRange {
                first,
                last,
                by_level: if whole { range.by_level } else { [0; 5] },
                reason: range.reason.clone(),
            };
            records.push(self.dropped_record(epoch, &part));
            settle.add(epoch, first, last);
        }
    }

    fn dropped_record(&self, epoch: u64, range: &DroppedRange) -> Record {
        let count = range.last - range.first + 1;
        let text = format!("{count} records will never arrive: {}", range.reason);
        let mut record =
            Record::lifecycle(self.hub.now(), DRIVER_TARGET, event::RECORDS_DROPPED, &text)
                .with(attribute::DROPPED_FIRST, range.first)
                .with(attribute::DROPPED_LAST, range.last)
                .with(attribute::DROPPED_REASON, range.reason.as_str());
        // Counts that do not add up say nothing (OBS-LIM-30).
        let sum = range
            .by_level
            .iter()
            .fold(0u64, |sum, n| sum.saturating_add(*n));
        if sum == count {
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
                record = record.with(key, n);
            }
        }
        record.set_level("WARN", Some(Severity::WARN));
        record.epoch = Some(epoch);
        self.stamp(&mut record);
        record
    }
}
