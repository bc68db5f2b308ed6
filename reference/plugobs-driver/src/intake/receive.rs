//! What becomes of a record between its arrival and the sinks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use plugobs_core::registry::{attribute, event, mark, source};
use plugobs_core::{Record, Severity, Text, Timestamp, limits};

use super::accounts::{Booking, Settle};
use super::attribution::{self, Sender, Verdict};
use super::hub::DRIVER_TARGET;
use super::instance::{InstanceState, lock};
use super::mend::mend;
use super::tests::level_index;
use super::{DroppedRange, Malformed, Path};

impl InstanceState {
    /// Takes in what `received` puts into the empty records it is given, one
    /// after the other: a record is made where it stays.
    pub(crate) fn receive(
        self: &Arc<Self>,
        path: Path,
        received: impl ExactSizeIterator<Item = impl FnOnce(&mut Record) -> Result<(), Malformed>>,
        dropped: &[(u64, DroppedRange)],
    ) {
        let mut settle = Settle::new(self);
        let mut records = self.hub.spare.take(received.len() + dropped.len());
        let mut entry = Entry::new(self, path);
        for received in received {
            records.push(empty());
            let Some(record) = records.last_mut() else {
                continue;
            };
            let malformed = received(record).map_err(|malformed| {
                *record = self.of_malformed(malformed);
            });
            match entry.admit(record, &mut settle) {
                Admitted::Itself if malformed.is_err() => record.mark(mark::MALFORMED),
                Admitted::Itself | Admitted::Counted => {}
                Admitted::Not => drop(records.pop()),
            }
        }
        let mut bytes = entry.end();
        for (epoch, range) in dropped {
            bytes += self.count_dropped(*epoch, range, &mut records, &mut settle);
        }
        self.publish(records, bytes, settle);
    }

    /// As [`InstanceState::receive`], of records that are made already.
    pub(crate) fn receive_made(self: &Arc<Self>, path: Path, mut records: Vec<Record>) {
        let mut settle = Settle::new(self);
        let mut entry = Entry::new(self, path);
        records.retain_mut(|record| entry.admit(record, &mut settle) != Admitted::Not);
        let bytes = entry.end();
        self.publish(records, bytes, settle);
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
        let bytes = self.count_dropped(epoch, &range, &mut records, &mut settle);
        self.publish(records, bytes, settle);
    }

    /// Counts every gap of every epoch: nothing more will come.
    pub(crate) fn close_accounts(self: &Arc<Self>) {
        for (epoch, through) in self.accounts.highest() {
            self.count_missing(epoch, 1, through, "never arrived");
        }
    }

    fn publish(&self, records: Vec<Record>, bytes: usize, settle: Settle) {
        if records.is_empty() {
            settle.done();
            return;
        }
        let records = self.hub.spare.share(records);
        lock(&self.recent).remember(&records, bytes);
        self.hub.publish(records, bytes, Some(settle));
    }

    /// What stands for a record that cannot be decoded.
    fn of_malformed(&self, malformed: Malformed) -> Record {
        let Malformed {
            position,
            bytes,
            rejection,
        } = malformed;
        let text = format!("a record that cannot be decoded: {rejection}");
        let mut record = Record::new(self.hub.now(), Severity::WARN, DRIVER_TARGET, text)
            .with("malformed.bytes", bytes.to_vec())
            .with("malformed.length", bytes.len() as u64)
            .with("malformed.code", rejection.code.as_str());
        record.plugin_instance_id = Some(self.id.as_str().into());
        record.epoch = position.map(|p| p.epoch);
        record.sequence = position.map(|p| p.sequence);
        record
    }

    /// There is no room: a record with a sequence is counted by a record of the
    /// driver's own, others by their number.
    fn turn_away(&self, record: &Record) -> Option<Record> {
        let (Some(epoch), Some(sequence)) = (record.epoch, record.sequence) else {
            self.shed_unsequenced.fetch_add(1, Ordering::Relaxed);
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

    /// Counts what of the range was not seen, a record for each run of it, and
    /// gives their size.
    fn count_dropped(
        &self,
        epoch: u64,
        range: &DroppedRange,
        records: &mut Vec<Record>,
        settle: &mut Settle,
    ) -> usize {
        let mut bytes = 0;
        for (first, last) in self.accounts.take_in_missing(epoch, range) {
            let whole = (first, last) == (range.first, range.last);
            let part = DroppedRange {
                first,
                last,
                by_level: if whole { range.by_level } else { [0; 5] },
                reason: range.reason.clone(),
            };
            let record = self.dropped_record(epoch, &part);
            bytes += limits::size(&record);
            records.push(record);
            settle.add(epoch, first, last);
        }
        bytes
    }

    fn dropped_record(&self, epoch: u64, range: &DroppedRange) -> Record {
        let count = range.last - range.first + 1;
        let text = format!("{count} records will never arrive: {}", range.reason);
        let mut record =
            Record::lifecycle(self.hub.now(), DRIVER_TARGET, event::RECORDS_DROPPED, text)
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
        // The reason is the plugin's word.
        self.hub.redaction.apply(&self.hub.limits, &mut record);
        record
    }
}

/// Room for a record.
fn empty() -> Record {
    Record::new(
        Timestamp::default(),
        Severity::INFO,
        Text::default(),
        Text::default(),
    )
}

/// Books the record's key; `false` where it was booked before.
fn is_first(record: &mut Record, booking: &mut Booking<'_>, settle: &mut Settle) -> bool {
    match (record.epoch, record.sequence) {
        (Some(epoch @ 1..), Some(sequence @ 1..)) => {
            let first = booking.take_in(epoch, sequence);
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

/// What became of a record on its way in.
#[derive(PartialEq, Eq)]
enum Admitted {
    Itself,
    /// A record that counts it stands in its place.
    Counted,
    /// It was there before, or is counted elsewhere.
    Not,
}

/// The way in, for the records of one batch.
struct Entry<'a> {
    state: &'a Arc<InstanceState>,
    batch: Batch<'a>,
    booking: Booking<'a>,
    /// There is no room.
    shed: bool,
    bytes: usize,
}

impl<'a> Entry<'a> {
    fn new(state: &'a Arc<InstanceState>, path: Path) -> Self {
        // A stream is bounded by its credit; others are turned away when full.
        let shed = path.source != source::STREAM && state.hub.is_durable_full();
        if !shed {
            state.report_shed();
        }
        Self {
            state,
            batch: Batch::new(state, path),
            booking: state.accounts.book(),
            shed,
            bytes: 0,
        }
    }

    fn admit(&mut self, record: &mut Record, settle: &mut Settle) -> Admitted {
        record.clear_driver_fields();
        if !is_first(record, &mut self.booking, settle) {
            return Admitted::Not;
        }
        if !self.shed {
            self.bytes += self.batch.finish(record);
            return Admitted::Itself;
        }
        let Some(instead) = self.state.turn_away(record) else {
            return Admitted::Not;
        };
        self.bytes += limits::size(&instead);
        *record = instead;
        Admitted::Counted
    }

    /// The bytes of what was admitted.
    fn end(self) -> usize {
        self.bytes
    }
}

/// What the driver says of every record of one batch.
struct Batch<'a> {
    state: &'a InstanceState,
    path: Path,
    token_shown: bool,
    /// What was found of the record before.
    verdict: Option<Verdict>,
    observed: Timestamp,
    instance: Text,
    run_id: Text,
    name: Text,
    version: Text,
}

impl<'a> Batch<'a> {
    // The texts are made anew for each batch: shared with all others they would
    // be counted by every thread at once.
    fn new(state: &'a InstanceState, path: Path) -> Self {
        Self {
            path,
            token_shown: state.token_shown.load(Ordering::Acquire),
            verdict: None,
            observed: state.hub.now(),
            instance: state.id.as_str().into(),
            run_id: state.hub.run_id.as_str().into(),
            name: state.name.as_str().into(),
            version: state.version.as_str().into(),
            state,
        }
    }

    /// Everything that the driver knows and the plugin may not say. Gives the
    /// record's size.
    fn finish(&mut self, record: &mut Record) -> usize {
        let hub = &self.state.hub;
        // Before attribution: an ID that was cut is none that was issued.
        let size = hub.redaction.apply(&hub.limits, record);
        let sender = Sender {
            instance: &self.instance,
            verified: self.path.verified,
            token_shown: self.token_shown,
            may_omit_instance: self.path.source != source::STREAM,
        };
        let known = self.verdict.take().filter(|verdict| verdict.is_of(record));
        let verdict = known.unwrap_or_else(|| {
            Verdict::of(record, &lock(&self.state.issued), |id| {
                hub.tests.has_ended(id)
            })
        });
        attribution::attribute(record, &sender, &verdict);
        self.verdict = Some(verdict);
        mend(record);
        record.observed_timestamp = Some(self.observed);
        record.run_id = Some(self.run_id.clone());
        record.plugin_name = Some(self.name.clone());
        record.plugin_version = Some(self.version.clone());
        record.source = Some(Text::from_static(self.path.source));
        size
    }
}
