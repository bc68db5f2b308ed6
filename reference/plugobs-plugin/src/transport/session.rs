//! What a plugin says and hears on one open stream, without its I/O.

use std::collections::VecDeque;
use std::time::Duration;

use plugobs_core::registry::limit;
use plugobs_core::{Limits, LogPosition};
use plugobs_proto::observability::v1 as proto;
use plugobs_proto::observability::v1::stream_request::Kind as ToDriver;
use plugobs_proto::observability::v1::stream_response::Kind as FromDriver;

use crate::emitter::{Emitter, SharedEmitter};
use crate::queue::Batch;

/// Bytes of records from which on a larger batch costs more for each of them:
/// it is no longer near the processor when the driver gets to its end.
pub(crate) const BATCH_BYTES: usize = 120 * 1024;

/// The state of one welcomed stream.
pub(crate) struct Session {
    emitter: SharedEmitter,
    credit: u64,
    batch_bytes: usize,
    /// Flushes that wait until everything up to the sequence is sent.
    flushes: VecDeque<(u64, u64)>,
    sent_through: u64,
}

/// What a message of the driver's asks for beside its effect on the queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    Level(u8),
    /// Within so long.
    Stop(Duration),
}

impl Session {
    /// A stream that was welcomed: what is acknowledged is forgotten, the rest
    /// has to be sent (again).
    pub(crate) fn new(emitter: SharedEmitter, welcome: &proto::Welcome) -> Self {
        let limits = limits_of(welcome.limits.unwrap_or_default());
        emitter.set_limits(limits);
        emitter.queue(|queue| {
            queue.acknowledge(welcome.acknowledged_sequence);
            queue.rewind();
        });
        Self {
            emitter,
            credit: welcome.credit_bytes,
            batch_bytes: limits.batch_bytes,
            flushes: VecDeque::new(),
            sent_through: 0,
        }
    }

    /// The next message to send; `None` where there is nothing to say, or no
    /// credit to say it.
    pub(crate) fn next(&mut self) -> Option<ToDriver> {
        let room = usize::try_from(self.credit).unwrap_or(usize::MAX);
        let batch = self.emitter.queue(|queue| {
            let batch = queue.next_batch(room.min(self.batch_bytes), BATCH_BYTES);
            if !queue.has_unsent() {
                self.sent_through = queue.last_sequence();
            }
            batch
        });
        if let Some(batch) = batch {
            self.credit -= batch.bytes as u64;
            if let Some((sequence, _)) = batch.records.last() {
                self.sent_through = self.sent_through.max(*sequence);
            }
            return Some(ToDriver::Batch(to_proto(batch)));
        }
        let sent = self.sent_through;
        let flushed = self.flushes.pop_front_if(|(_, through)| *through <= sent);
        flushed.map(|(flush_id, through_sequence)| {
            ToDriver::Flushed(proto::Flushed {
                flush_id,
                through_sequence,
            })
        })
    }

    /// Whether a flush waits for what is not sent yet.
    pub(crate) fn is_asked_to_flush(&self) -> bool {
        !self.flushes.is_empty()
    }

    /// Takes a message of the driver's.
    pub(crate) fn take(&mut self, message: FromDriver) -> Asked {
        match message {
            FromDriver::Acknowledgement(ack) => {
                self.credit = self.credit.saturating_add(ack.credit_bytes);
                self.emitter.queue(|q| q.acknowledge(ack.through_sequence));
                Asked::Nothing
            }
            FromDriver::SetLevel(set) => Asked::Level(level_of(set.severity_number)),
            FromDriver::Flush(flush) => {
                let LogPosition { sequence, .. } = self.emitter.position();
                self.flushes.push_back((flush.flush_id, sequence));
                Asked::Nothing
            }
            FromDriver::Stop(stop) => Asked::Stop(match stop.deadline_ms {
                0 => limit::STOP_WAIT_DEFAULT,
                ms => Duration::from_millis(ms.into()),
            }),
            // A second welcome says nothing new.
            FromDriver::Welcome(_) => Asked::Nothing,
        }
    }
}

/// 0 means all.
pub(crate) fn level_of(severity_number: u32) -> u8 {
    u8::try_from(severity_number.clamp(1, 24)).unwrap_or(24)
}

/// The first message of a stream.
pub(crate) fn hello(emitter: &Emitter) -> proto::Hello {
    let (position, instance_id) = emitter.hold();
    proto::Hello {
        plugin_instance_id: instance_id.as_deref().unwrap_or_default().to_owned(),
        epoch: position.epoch,
        versions: vec![1],
        sdk_name: env!("CARGO_PKG_NAME").to_owned(),
        sdk_version: env!("CARGO_PKG_VERSION").to_owned(),
        sdk_language: "rust".to_owned(),
        first_sequence: position.sequence,
        features: Vec::new(),
    }
}

/// A 0 stands for the default.
fn limits_of(limits: proto::Limits) -> Limits {
    let default = Limits::default();
    let or = |announced: u32, default: usize| match usize::try_from(announced) {
        Ok(0) | Err(_) => default,
        Ok(n) => n,
    };
    let batch_bytes = or(limits.batch_bytes, limit::BATCH_BYTES_DEFAULT);
    Limits {
        message_bytes: or(limits.message_bytes, default.message_bytes),
        attributes: or(limits.attributes, default.attributes),
        attribute_key_bytes: or(limits.attribute_key_bytes, default.attribute_key_bytes),
        attribute_value_bytes: or(limits.attribute_value_bytes, default.attribute_value_bytes),
        // One that fits no batch could never be sent.
        record_bytes: or(limits.record_bytes, default.record_bytes).min(batch_bytes),
        batch_bytes,
    }
}

fn to_proto(batch: Batch) -> proto::Batch {
    let (sequences, records) = batch.records.into_iter().unzip();
    let dropped = batch.dropped.into_iter().map(|range| {
        let [trace, debug, info, warn, error] = range.by_level;
        proto::Dropped {
            first: range.first,
            last: range.last,
            trace,
            debug,
            info,
            warn,
            error,
            reason: "plugin queue full".to_owned(),
        }
    });
    proto::Batch {
        records,
        sequences,
        dropped: dropped.collect(),
    }
}
