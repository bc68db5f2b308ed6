//! Everything about one test, gathered in one pass over a run.

mod kept;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use plugobs_core::registry::{attribute, channel, event, source};
use plugobs_core::{InstanceId, Record, Severity, Timestamp};
use plugobs_driver::info::TestInfo;
use plugobs_driver::sink::OutputStream;

use super::filter::Filter;
use super::overview::instance_labels;
use super::{Life, RunReader};
use crate::error::ReadError;
use crate::failure::StoredFailure;
use crate::manifest::InstanceEntry;
pub use kept::Kept;

/// How much raw output is shown of an instance that left no records.
const RAW_TAIL_BYTES: usize = 4096;

/// One call that was made for the test.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Its ID.
    pub call_id: String,
    /// The call in which it was made.
    pub parent_id: Option<String>,
    /// The instance that was called.
    pub plugin_instance_id: Option<String>,
    /// What was called.
    pub operation: Option<String>,
    /// When it began; absent where the record of it is no longer there.
    pub began: Option<Timestamp>,
    /// How long it took; absent where it did not end.
    pub duration_ns: Option<u64>,
    /// How it ended, such as `ok`.
    pub outcome: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Whether all of its records are in.
    pub completeness: Option<String>,
}

/// Raw output of an instance, shown because it left no records.
#[derive(Debug, Clone)]
pub struct RawTail {
    /// Whose.
    pub plugin_instance_id: String,
    /// Which.
    pub stream: OutputStream,
    /// The last bytes of it.
    pub bytes: Vec<u8>,
    /// How many came before these.
    pub earlier_bytes: u64,
}

/// A test and what it caused in its plugins. Records are in the order of their
/// arrival.
#[derive(Debug)]
pub struct Story {
    /// The test.
    pub test_run_id: String,
    /// What the manifest says of it.
    pub test: Option<TestInfo>,
    /// Whether the run goes on.
    pub life: Life,
    /// The instances that took part.
    pub instances: BTreeMap<String, Option<InstanceEntry>>,
    /// Short names of the run's instances, for people.
    pub labels: BTreeMap<String, String>,
    /// Messages for the user.
    pub user: Kept,
    /// Log records.
    pub log: Kept,
    /// Calls in the order of their beginning.
    pub calls: Vec<Call>,
    /// Lifecycle records of the test and of the instances that took part,
    /// those of calls left out.
    pub events: Kept,
    /// Warnings and errors of the instances that took part, outside any test.
    pub outside: Kept,
    /// Failures that hit the test, or instances that took part.
    pub failures: Vec<StoredFailure>,
    /// Raw output of instances that left no log or user record of this test.
    pub raw: Vec<RawTail>,
    /// Records that named the test and were not believed. They are shown
    /// under no test.
    pub not_believed: u64,
    /// Lines that named the test and are no records.
    pub damaged: u64,
}

impl Story {
    pub(super) fn read(reader: &RunReader, test_run_id: &str) -> Result<Self, ReadError> {
        let filters = vec![
            Filter::new().test(test_run_id),
            Filter::new().driver_events("instance."),
            Filter::new().claiming_test(test_run_id),
            Filter::new()
                .outside_tests()
                .min_severity(Severity::WARN)
                .channel(channel::OPERATIONAL),
        ];
        let mut gatherer = Gatherer::default();
        for entry in reader.select(filters) {
            match entry?.record {
                Ok(record) => gatherer.add(record, test_run_id),
                Err(_) => gatherer.damaged += 1,
            }
        }
        gatherer.finish(reader, test_run_id)
    }

    /// Whether the run knows nothing of the test.
    pub fn is_empty(&self) -> bool {
        self.test.is_none()
            && self.user.is_empty()
            && self.log.is_empty()
            && self.calls.is_empty()
            && self.failures.is_empty()
    }

    /// When the test began, by the manifest or by what is known of it.
    pub fn began(&self) -> Option<Timestamp> {
        let by_manifest = self.test.as_ref().map(|test| test.began_at);
        by_manifest.or_else(|| {
            let calls = self.calls.iter().filter_map(|call| call.began);
            let of_test = |record: &&Record| record.test_run_id.is_some();
            let records = [&self.user, &self.log, &self.events];
            let records = records.into_iter().flat_map(Kept::iter).filter(of_test);
            calls.chain(records.map(|record| record.timestamp)).min()
        })
    }
}

#[derive(Default)]
struct Gatherer {
    user: Kept,
    log: Kept,
    events: Kept,
    outside: Kept,
    calls: Vec<Call>,
    call_places: HashMap<String, usize>,
    took_part: BTreeSet<String>,
    spoke: BTreeSet<String>,
    not_believed: u64,
    damaged: u64,
}

impl Gatherer {
    fn add(&mut self, record: Record, test_run_id: &str) {
        if record.is_quarantined() {
            let claimed = record.claimed.and_then(|claimed| claimed.test_run_id);
            self.not_believed += u64::from(claimed.as_deref() == Some(test_run_id));
            return;
        }
        let ours = record.test_run_id.as_deref() == Some(test_run_id);
        if ours {
            self.took_part
                .extend(record.plugin_instance_id.clone().map(String::from));
        }
        match (record.channel.as_str(), ours) {
            (channel::LIFECYCLE, _) if may_have_happened(&record) => self.add_lifecycle(record),
            (_, false) => self.outside.push(record),
            (kind, true) => {
                // What the driver heard in a response is not in the raw output.
                if record.source.as_deref() != Some(source::DRIVER) {
                    self.spoke
                        .extend(record.plugin_instance_id.clone().map(String::from));
                }
                if kind == channel::USER {
                    self.user.push(record);
                } else {
                    self.log.push(record);
                }
            }
        }
    }

    fn add_lifecycle(&mut self, record: Record) {
        let name = record.event_name.clone().unwrap_or_default();
        let text = |key| Some(record.attribute(key)?.as_str()?.to_owned());
        match (name.as_str(), &record.call_id) {
            (event::CALL_BEGIN, Some(id)) if record.is_from_driver() => {
                let call = Call {
                    parent_id: text(attribute::CALL_PARENT_ID),
                    operation: text(attribute::CALL_OPERATION),
                    began: Some(record.timestamp),
                    plugin_instance_id: record.plugin_instance_id.clone().map(String::from),
                    ..self.call(id).clone()
                };
                *self.call(id) = call;
            }
            (event::CALL_END, Some(id)) if record.is_from_driver() => {
                let duration = record.attribute(attribute::CALL_DURATION_NS);
                let call = Call {
                    duration_ns: duration.and_then(|value| u64::try_from(value.as_int()?).ok()),
                    operation: text(attribute::CALL_OPERATION),
                    outcome: text(attribute::CALL_OUTCOME),
                    error: text(attribute::CALL_ERROR),
                    plugin_instance_id: record.plugin_instance_id.clone().map(String::from),
                    ..self.call(id).clone()
                };
                *self.call(id) = call;
            }
            (event::CALL_LOGS_COMPLETE, Some(id)) if record.is_from_driver() => {
                self.call(id).completeness = text(attribute::CALL_COMPLETENESS);
            }
            _ => self.events.push(record),
        }
    }

    fn call(&mut self, id: &str) -> &mut Call {
        let calls = &mut self.calls;
        let at = *self.call_places.entry(id.to_owned()).or_insert_with(|| {
            calls.push(Call {
                call_id: id.to_owned(),
                ..Call::default()
            });
            calls.len() - 1
        });
        &mut self.calls[at]
    }

    fn finish(mut self, reader: &RunReader, test_run_id: &str) -> Result<Story, ReadError> {
        let manifest = reader.manifest();
        let took_part = self.took_part;
        // Events and warnings of all instances came by: only now is it known
        // which of them matter. An instance serves several tests, so its event
        // can be about another one (`OBS-OUT-15`).
        let matters = |record: &Record| match &record.test_run_id {
            Some(test) => *test == *test_run_id,
            None => record
                .plugin_instance_id
                .as_ref()
                .is_some_and(|id| took_part.contains(id.as_str())),
        };
        self.events.retain(matters);
        self.outside.retain(matters);
        let hit = |failure: &StoredFailure| match &failure.test_run_id {
            Some(test) => test == test_run_id,
            None => failure
                .plugin_instance_id
                .as_ref()
                .is_some_and(|id| took_part.contains(id)),
        };
        let failures: Vec<_> = reader
            .failures()?
            .into_iter()
            .flatten()
            .filter(hit)
            .collect();
        let silent = took_part.iter().filter(|id| !self.spoke.contains(*id));
        let mut raw = Vec::new();
        for id in silent {
            raw.extend(raw_tail(reader, id)?);
        }
        Ok(Story {
            test_run_id: test_run_id.to_owned(),
            test: manifest.test(test_run_id).cloned(),
            life: reader.life(),
            instances: took_part
                .iter()
                .map(|id| (id.clone(), manifest.instance(id).cloned()))
                .collect(),
            labels: instance_labels(manifest),
            user: self.user,
            log: self.log,
            calls: self.calls,
            events: self.events,
            outside: self.outside,
            failures,
            raw,
            not_believed: self.not_believed,
            damaged: self.damaged,
        })
    }
}

/// Whether a lifecycle record is the word of the side whose event it is. What a
/// plugin says in a driver's name is a record like any other (`OBS-LIFE-03`).
fn may_have_happened(record: &Record) -> bool {
    let name = record.event_name.as_deref().unwrap_or_default();
    let is_of_driver = event::ALL
        .iter()
        .any(|event| event.name == name && event.set_by == event::Side::Driver);
    record.is_from_driver() || !is_of_driver
}

fn raw_tail(reader: &RunReader, id: &str) -> Result<Option<RawTail>, ReadError> {
    let Ok(instance) = InstanceId::parse(id) else {
        return Ok(None);
    };
    let stream = OutputStream::Stderr;
    let Some(output) = reader.output(&instance, stream)? else {
        return Ok(None);
    };
    let total = output.total_bytes();
    let bytes = output
        .tail(RAW_TAIL_BYTES)
        .map_err(|e| reader.folder().failed("read", stream.name(), e))?;
    let kept = bytes.len() as u64;
    Ok((kept > 0).then(|| RawTail {
        plugin_instance_id: id.to_owned(),
        stream,
        earlier_bytes: total.saturating_sub(kept),
        bytes,
    }))
}
