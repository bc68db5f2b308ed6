//! Where every record of this process is numbered and queued.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use plugobs_core::registry::{attribute, channel, event, mark};
use plugobs_core::{Limits, LogPosition, Record, Severity, Timestamp, stderr_line};
use plugobs_proto::convert::{decode_record, encode_record};
use tokio::sync::{Notify, watch};

use crate::context::Context;
use crate::queue::{Bounds, Class, Queue};
use crate::settings::Settings;

/// The target of the SDK's own records.
pub(crate) const SDK_TARGET: &str = "plugobs.plugin";

/// Shared by the layer, the server, the transport and the plugin's own code.
pub(crate) struct Emitter {
    pub(crate) settings: Settings,
    state: Mutex<State>,
    /// Told when there is something to send.
    pub(crate) wake: Notify,
    /// The least severity of operational records.
    level: AtomicU8,
    /// Set once the driver or the system has asked the plugin to stop.
    pub(crate) stop: watch::Sender<bool>,
    stopping: AtomicBool,
}

struct State {
    /// The process that the epoch belongs to: a child of a fork is another.
    pid: u32,
    epoch: u64,
    queue: Queue,
    /// Whether records go to standard error at once.
    direct: bool,
    instance_id: Option<String>,
    limits: Limits,
}

impl Emitter {
    pub(crate) fn new(settings: Settings, level: Severity, bounds: Bounds) -> Self {
        let pid = std::process::id();
        // A deployed driver does not read record lines from standard error:
        // for it, records wait for the connection.
        let direct = settings.endpoint.is_some() || settings.host.is_none();
        Self {
            state: Mutex::new(State {
                pid,
                epoch: new_epoch(pid),
                queue: Queue::new(bounds),
                direct,
                instance_id: settings.instance_id.clone(),
                limits: Limits::default(),
            }),
            settings,
            wake: Notify::new(),
            level: AtomicU8::new(level.number()),
            stop: watch::Sender::new(false),
            stopping: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under this lock leaves the queue whole: each change of it is
        // on plain data.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = std::process::id();
        if state.pid != pid {
            // The child of a fork numbers anew and sends nothing of its
            // parent's; the transport's thread is not in it (OBS-ID-43 to 45).
            state.pid = pid;
            state.epoch = new_epoch(pid);
            state.queue = Queue::default();
            state.direct = true;
        }
        state
    }

    /// The least severity that operational records are wanted from.
    pub(crate) fn level(&self) -> u8 {
        self.level.load(Ordering::Relaxed)
    }

    /// Sets it; tells whether it changed.
    pub(crate) fn set_level(&self, severity: u8) -> bool {
        self.level.swap(severity, Ordering::Relaxed) != severity
    }

    /// The instance, once it is known.
    pub(crate) fn set_instance_id(&self, id: String) {
        // The environment's word came first and stays (OBS-ID-03).
        self.lock().instance_id.get_or_insert(id);
    }

    /// How far this process's log has come.
    pub(crate) fn position(&self) -> LogPosition {
        let state = self.lock();
        LogPosition {
            epoch: state.epoch,
            sequence: state.queue.last_sequence(),
        }
    }

    /// Emits a record as part of `context`. Never waits, but for the moment
    /// that another thread takes to queue a record.
    pub(crate) fn emit(&self, mut record: Record, context: Option<&Context>) {
        if let Some(context) = context {
            let identity = context.identity();
            record.test_run_id.clone_from(&identity.test_run_id);
            record.call_id.clone_from(&identity.call_id);
            record.trace_context = identity.trace_context;
            if let Some(chain) = &identity.call_chain_id {
                record = record.with("callChainId", chain.as_str());
            }
            for mark in context.marks() {
                record.mark(mark);
            }
        }
        if record.message.is_empty() && record.event_name.is_none() {
            record.event_name = Some("log".to_owned());
        }
        let mut state = self.lock();
        record.plugin_instance_id.clone_from(&state.instance_id);
        state.limits.enforce(&mut record);
        record.epoch = Some(state.epoch);
        let sequence = state.queue.number();
        record.sequence = Some(sequence);
        if state.direct {
            write_line(&record);
            // It is with the driver's pipe: nothing of it can be sent again.
            state.queue.acknowledge(sequence);
            return;
        }
        let class = Class {
            level: usize::from((record.severity.number() - 1) / 4).min(4),
            reserved: record.is_reserved(),
        };
        let encoded = Bytes::from(encode_record(&record));
        state.queue.push(sequence, encoded, class);
        drop(state);
        self.wake.notify_one();
    }

    /// A lifecycle record of the plugin.
    pub(crate) fn lifecycle(
        &self,
        event: &str,
        message: &str,
        attributes: Vec<(&str, plugobs_core::Value)>,
    ) {
        let mut record = Record::lifecycle(now(), SDK_TARGET, event, message);
        for (key, value) in attributes {
            record = record.with(key, value);
        }
        self.emit(record, None);
    }

    /// A message for the person who reads the test result.
    pub(crate) fn user_message(&self, text: &str, commonmark: bool) {
        let mut record = Record::new(now(), Severity::INFO, "", text);
        record.channel = channel::USER.to_owned();
        if commonmark {
            record = record.with("message.format", "commonmark");
        }
        self.emit(record, Context::current().as_ref());
    }

    /// `plugin.stopping`, once.
    pub(crate) fn record_stopping(&self, reason: &str) {
        if !self.stopping.swap(true, Ordering::AcqRel) {
            let attributes = vec![(attribute::STOP_REASON, reason.into())];
            self.lifecycle(event::PLUGIN_STOPPING, "stopping", attributes);
        }
    }

    /// `plugin.transport_fault`: a fault begins, or ends.
    pub(crate) fn record_fault(&self, description: &str) {
        self.lifecycle(
            event::PLUGIN_TRANSPORT_FAULT,
            description,
            vec![(attribute::FAULT_DESCRIPTION, description.into())],
        );
    }

    /// From now on records wait in the queue. Tells the key of the next one
    /// that can come.
    pub(crate) fn hold(&self) -> (LogPosition, Option<String>) {
        let mut state = self.lock();
        state.direct = false;
        state.queue.rewind();
        let position = LogPosition {
            epoch: state.epoch,
            sequence: state.queue.first_sequence(),
        };
        (position, state.instance_id.clone())
    }

    /// From now on records go to standard error, those that wait included
    /// (OBS-NEG-14).
    pub(crate) fn go_direct(&self) {
        let mut state = self.lock();
        if state.direct {
            return;
        }
        state.direct = true;
        for encoded in state.queue.drain() {
            write_encoded(&encoded);
        }
    }

    pub(crate) fn set_limits(&self, limits: Limits) {
        self.lock().limits = limits;
    }

    /// Acts on the queue.
    pub(crate) fn queue<R>(&self, act: impl FnOnce(&mut Queue) -> R) -> R {
        act(&mut self.lock().queue)
    }
}

/// Writes a record that was encoded for another path.
pub(crate) fn write_encoded(encoded: &[u8]) {
    // What this process encoded decodes.
    if let Ok(record) = decode_record(encoded) {
        write_line(&record);
    }
}

/// One line, in one write, under the lock of standard error (OBS-JSON-25).
fn write_line(record: &Record) {
    let mut line = stderr_line::to_stderr_line(record);
    line.push('\n');
    // Nobody is left to tell where this fails.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// A number that no other emitter of this instance takes: milliseconds, and
/// the process where two begin within one.
fn new_epoch(pid: u32) -> u64 {
    (now().unix_nanos() / 1_000_000) << 12 | u64::from(pid & 0xfff)
}

/// The time by this process's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or_default()
}

/// Marks of a call's records, by what its metadata and its field said.
pub(crate) fn marks_of(field: Option<&str>, metadata: Option<&str>) -> Vec<&'static str> {
    let mut marks = Vec::new();
    if let (Some(field), Some(metadata)) = (field, metadata)
        && field != metadata
    {
        marks.push(mark::ID_CONFLICT);
    }
    let id = field.or(metadata);
    if id.is_some_and(|id| plugobs_core::ids::check_test_run_id(id).is_err()) {
        marks.push(mark::INVALID_TEST_RUN_ID);
    }
    marks
}

/// For code that holds a handle on the emitter.
pub(crate) type SharedEmitter = Arc<Emitter>;
