//! One instance as the driver knows it: identity, what it was given, what came
//! from it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use plugobs_core::registry::{attribute, event, source};
use plugobs_core::{InstanceId, LogPosition, Record, Text, Value};
use tokio::sync::watch;

use super::WrongToken;
use super::accounts::Accounts;
use super::attribution::Issued;
use super::hub::{DRIVER_TARGET, Hub};
use super::recent::Recent;
use crate::failure::Exit;
use crate::info::InstanceInfo;
use crate::sink::{OutputStream, Records};

pub(crate) struct InstanceState {
    pub(crate) id: InstanceId,
    pub(crate) token: String,
    pub(crate) hub: Arc<Hub>,
    pub(crate) issued: Mutex<Issued>,
    pub(crate) accounts: Accounts,
    /// Told whenever something more is settled.
    pub(crate) settled: watch::Sender<u64>,
    pub(crate) token_shown: AtomicBool,
    pub(crate) recent: Mutex<Recent>,
    pub(crate) name: String,
    pub(crate) version: String,
    info: Mutex<InstanceInfo>,
    /// Records without a sequence that found no room.
    pub(crate) shed_unsequenced: AtomicU64,
}

/// Locks, whatever happened to the last holder: each change under these locks
/// is of plain data, and a panic leaves at worst a count behind.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl InstanceState {
    pub(crate) fn new(id: InstanceId, token: String, hub: Arc<Hub>, info: InstanceInfo) -> Self {
        Self {
            id,
            token,
            hub,
            issued: Mutex::default(),
            accounts: Accounts::default(),
            settled: watch::Sender::new(0),
            token_shown: AtomicBool::new(false),
            recent: Mutex::default(),
            name: info.name.clone(),
            version: info.version.clone(),
            info: Mutex::new(info),
            shed_unsequenced: AtomicU64::new(0),
        }
    }

    pub(crate) fn authenticate(&self, token: Option<&str>) -> Result<bool, WrongToken> {
        let Some(token) = token else {
            return Ok(false);
        };
        // Every byte is looked at, so that the time tells nothing (OBS-SEC-07).
        let pairs = token.bytes().zip(self.token.bytes());
        let differing = pairs.fold(0, |differing, (a, b)| differing | (a ^ b));
        if token.len() != self.token.len() || differing != 0 {
            return Err(WrongToken);
        }
        if !self.token_shown.swap(true, Ordering::AcqRel) {
            self.describe(|info| info.token_shown = true);
        }
        Ok(true)
    }

    pub(crate) async fn wait_settled(&self, position: LogPosition, deadline: Duration) -> bool {
        let mut changes = self.settled.subscribe();
        let wait = async {
            while self.accounts.settled_through(position.epoch, 1) < position.sequence {
                // The sender lives as long as this instance.
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(deadline, wait).await.is_ok()
    }

    pub(crate) fn output(&self, stream: OutputStream, bytes: Bytes) {
        self.hub.output(&self.id, stream, &bytes);
    }

    pub(crate) fn output_line(&self, stream: OutputStream, line: &[u8]) {
        lock(&self.recent).remember_line(stream, line);
    }

    pub(crate) fn output_end(self: &Arc<Self>, stream: OutputStream) {
        let instance = self.clone();
        self.hub.output_end(
            &self.id,
            stream,
            Box::new(move |bytes| instance.record_cut(stream, bytes)),
        );
    }

    /// OBS-LIM-15.
    fn record_cut(&self, stream: OutputStream, bytes: u64) {
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
        let bytes = self.hub.redaction.apply(&self.hub.limits, &mut record);
        let records = Records::from([record]);
        lock(&self.recent).remember(&records, bytes);
        self.hub.publish(records, bytes, None);
    }

    /// Tells how many records without a sequence were turned away, once there
    /// is room to say so.
    pub(crate) fn report_shed(&self) {
        let shed = self.shed_unsequenced.swap(0, Ordering::Relaxed);
        if shed > 0 {
            let text = format!("{shed} records without a sequence found the queue full");
            self.lifecycle(
                event::RECORDS_DROPPED,
                &text,
                vec![
                    (attribute::DROPPED_REASON, "driver queue full".into()),
                    (attribute::DROPPED_COUNT, shed.into()),
                ],
            );
        }
    }

    /// What every driver record about this instance bears.
    pub(crate) fn stamp(&self, record: &mut Record) {
        record.plugin_instance_id = Some(self.id.as_str().into());
        record.plugin_name = Some(self.name.as_str().into());
        record.plugin_version = Some(self.version.as_str().into());
        record.observed_timestamp = Some(record.timestamp);
        record.run_id = Some(self.hub.run_id.as_str().into());
        record.source = Some(Text::from_static(source::DRIVER));
    }

    /// Writes the end into the timeline and the description. `None`: nothing
    /// was started that could have ended.
    pub(crate) fn record_end(&self, exit: Option<Exit>, uptime: Duration) {
        if let Some(exit) = exit {
            let uptime = u64::try_from(uptime.as_nanos()).unwrap_or(u64::MAX);
            let mut attributes = vec![(attribute::PROCESS_UPTIME_NS, uptime.into())];
            if let Some(code) = exit.code {
                attributes.push((attribute::PROCESS_EXIT_CODE, code.into()));
            }
            if let Some(signal) = exit.signal {
                attributes.push((attribute::PROCESS_SIGNAL, signal.into()));
            }
            let text = match exit {
                Exit {
                    code: None,
                    signal: None,
                } => "ended".to_owned(),
                exit => format!("ended with {exit}"),
            };
            self.lifecycle(event::INSTANCE_EXITED, &text, attributes);
        }
        let at = self.hub.now();
        self.describe(|info| {
            info.ended_at = Some(at);
            info.exit_code = exit.and_then(|exit| exit.code);
            info.signal = exit.and_then(|exit| exit.signal);
        });
    }

    /// Waits until everything that was taken in is with the durable sink.
    pub(crate) async fn wait_all_settled(&self, deadline: Duration) {
        for (epoch, sequence) in self.accounts.highest() {
            self.wait_settled(LogPosition { epoch, sequence }, deadline)
                .await;
        }
    }

    pub(crate) fn describe(&self, change: impl FnOnce(&mut InstanceInfo)) {
        let info = {
            let mut info = lock(&self.info);
            change(&mut info);
            info.epochs = self.accounts.describe();
            info.clone()
        };
        self.hub.describe_instance(info);
    }

    pub(crate) fn info(&self) -> InstanceInfo {
        lock(&self.info).clone()
    }

    pub(crate) fn tails(&self) -> (Vec<String>, Vec<String>) {
        lock(&self.recent).tails()
    }

    /// The last `max` recent records that `wanted` picks, oldest first;
    /// quarantined ones are nobody's.
    pub(crate) fn recent(&self, max: usize, wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
        lock(&self.recent).records(max, |record| !record.is_quarantined() && wanted(record))
    }
}
