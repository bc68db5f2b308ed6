//! The way in for everything that a plugin says: checks, marks and counts it,
//! and hands it to the sinks.

pub(crate) mod accounts;
pub(crate) mod attribution;
pub(crate) mod hub;
pub(crate) mod instance;
mod mend;
mod receive;
mod recent;
pub(crate) mod redact;
pub(crate) mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use plugobs_core::{InstanceId, Limits, LogPosition, Record, Rejection, Value};

use tokio::sync::watch;

use crate::info::InstanceInfo;
use crate::intake::instance::InstanceState;
use crate::sink::OutputStream;

/// What arrived in place of one record.
#[derive(Debug, Clone)]
pub enum Received {
    /// A record.
    Record(Box<Record>),
    /// Bytes that are none.
    Malformed(Malformed),
}

/// Bytes that are no record.
#[derive(Debug, Clone)]
pub struct Malformed {
    /// The key that the batch gave them.
    pub position: Option<LogPosition>,
    /// The bytes.
    pub bytes: Bytes,
    /// Why they are none.
    pub rejection: Rejection,
}

/// A range of sequences that will not come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DroppedRange {
    /// The first.
    pub first: u64,
    /// The last, included.
    pub last: u64,
    /// How many of TRACE, DEBUG, INFO, WARN, ERROR, where that is known.
    pub by_level: [u64; 5],
    /// Why.
    pub reason: String,
}

/// The path on which records came, and what it proves about the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// From the registry `sources`.
    pub source: &'static str,
    /// Whether the sender is known: by its token, or because the pipe is its own.
    pub verified: bool,
}

/// A token that is not the instance's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is not the one that this instance was given in PLUGOBS_TOKEN")]
pub struct WrongToken;

/// One instance's way into the driver. Cheap to clone; every method returns at
/// once, whatever the sinks do, but for those that say they wait.
#[derive(Clone)]
pub struct InstanceIntake(pub(crate) Arc<InstanceState>);

impl InstanceIntake {
    /// The instance.
    pub fn instance_id(&self) -> &InstanceId {
        &self.0.id
    }

    /// The instance's token, 64 hexadecimal digits: for its environment only.
    pub fn token(&self) -> &str {
        &self.0.token
    }

    /// The driver run, for the welcome.
    pub fn run_id(&self) -> &str {
        self.0.hub.run_id.as_str()
    }

    /// Limits of records and batches.
    pub fn limits(&self) -> Limits {
        self.0.hub.limits
    }

    /// Checks a token in constant time. `Ok(true)`: it is the instance's.
    /// `Ok(false)`: there was none, which deployed plugins do.
    ///
    /// # Errors
    /// Where there is one and it is wrong.
    pub fn authenticate(&self, token: Option<&str>) -> Result<bool, WrongToken> {
        self.0.authenticate(token)
    }

    /// Takes records of one epoch in order of arrival. One whose sequence was
    /// seen before is a resend and is let go.
    pub fn receive(&self, path: Path, received: Vec<Received>, dropped: &[(u64, DroppedRange)]) {
        let received = received.into_iter().map(|received| {
            move |record: &mut Record| match received {
                Received::Record(received) => {
                    *record = *received;
                    Ok(())
                }
                Received::Malformed(malformed) => Err(malformed),
            }
        });
        self.0.receive(path, received, dropped);
    }

    /// As [`InstanceIntake::receive`], for a path that decodes very many: each
    /// item fills in one empty record, where the record stays.
    pub fn receive_each(
        &self,
        path: Path,
        received: impl ExactSizeIterator<Item = impl FnOnce(&mut Record) -> Result<(), Malformed>>,
        dropped: &[(u64, DroppedRange)],
    ) {
        self.0.receive(path, received, dropped);
    }

    /// As [`InstanceIntake::receive`], for a path that makes records itself and
    /// loses none: in a vector of [`InstanceIntake::vector`].
    pub fn receive_made(&self, path: Path, records: Vec<Record>) {
        self.0.receive_made(path, records);
    }

    /// An empty vector with room for so many records, of memory that is used
    /// again and again.
    pub fn vector(&self, room: usize) -> Vec<Record> {
        self.0.hub.spare.take(room)
    }

    /// Counts what is missing between `first` and `through` as dropped: on an
    /// ordered path it will not come any more.
    pub fn count_missing(&self, epoch: u64, first: u64, through: u64, reason: &str) {
        self.0.count_missing(epoch, first, through, reason);
    }

    /// The highest n such that everything from `first` to n is stored or
    /// counted; `first - 1` for none.
    pub fn settled_through(&self, epoch: u64, first: u64) -> u64 {
        self.0.accounts.settled_through(epoch, first)
    }

    /// The emitter of an epoch ended its path in order: nothing came after.
    pub fn end_clean(&self, epoch: u64) {
        self.0.accounts.end_clean(epoch);
    }

    /// Changes whenever something more is stored or counted.
    pub fn settled_changes(&self) -> watch::Receiver<u64> {
        self.0.settled.subscribe()
    }

    /// Waits until everything up to the position is stored or counted; `false`
    /// after the deadline.
    pub async fn wait_settled(&self, position: LogPosition, deadline: Duration) -> bool {
        self.0.wait_settled(position, deadline).await
    }

    /// Waits, at most a second, until the run folder has room for more raw
    /// output. A pipe holds its writer back for so long; after it, output is
    /// skipped and counted.
    pub async fn output_room(&self) {
        let until = Instant::now() + Duration::from_secs(1);
        while self.0.hub.is_durable_full() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Raw output of this stream has ended: what the run folder cut of it is
    /// told in one record.
    pub fn output_end(&self, stream: OutputStream) {
        self.0.output_end(stream);
    }

    /// Takes raw output as it was read.
    pub fn output(&self, stream: OutputStream, bytes: Bytes) {
        self.0.output(stream, bytes);
    }

    /// Remembers a line of raw output for failure reports. The last 16 KiB
    /// (`report_output_bytes`) of each stream are kept.
    pub fn output_line(&self, stream: OutputStream, line: &[u8]) {
        self.0.output_line(stream, line);
    }

    /// A lifecycle record of the driver's about this instance.
    pub fn lifecycle(&self, event: &str, message: &str, attributes: Vec<(&str, Value)>) {
        self.0.lifecycle(event, message, attributes);
    }

    /// Changes the instance's description and tells the sinks.
    pub fn describe(&self, change: impl FnOnce(&mut InstanceInfo)) {
        self.0.describe(change);
    }
}
