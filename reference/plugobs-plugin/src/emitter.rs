//! Where every record of this process is numbered and queued.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use plugobs_core::registry::{attribute, channel, event};
use plugobs_core::{Limits, LogPosition, Record, Severity, Text, Timestamp, Value};
use plugobs_proto::convert::{decode_record, encode_record, encode_unnumbered, number_record};
use tokio::sync::{Notify, watch};

use crate::context::Context;
use crate::epoch;
use crate::lines::{write_encoded, write_line};
use crate::queue::{Bounds, Class, Dropped, Queue};
use crate::settings::Settings;

thread_local! {
    /// Where this thread encodes its records, one after the other.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The target of the SDK's own records.
pub(crate) const SDK_TARGET: &str = "plugobs.plugin";

/// Bytes in the queue for which a message is worth while: more of them cost no
/// less each.
pub(crate) const ENOUGH_BYTES: usize = 64 * 1024;

/// For code that holds a handle on the emitter.
pub(crate) type SharedEmitter = Arc<Emitter>;

/// What the plugin's author chose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) level: Severity,
    pub(crate) library_level: Severity,
    pub(crate) bounds: Bounds,
    /// Records that go over the deployed log are written as text, too.
    pub(crate) mirror: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: Severity::INFO,
            library_level: Severity::TRACE,
            bounds: Bounds::default(),
            mirror: false,
        }
    }
}

/// Shared by the layer, the server, the transport and the plugin's own code.
pub(crate) struct Emitter {
    pub(crate) settings: Settings,
    pub(crate) options: Options,
    state: Mutex<State>,
    /// The process in which the transport's thread runs.
    origin: u32,
    /// Told when there is something to send.
    pub(crate) wake: Notify,
    /// Told when there is enough of it to send it at once.
    pub(crate) enough: Notify,
    /// The least severity of operational records.
    level: AtomicU8,
    /// Whether records went, or are to go, where they have no sequence.
    is_unnumbered: AtomicBool,
    /// Whether the `log` crate's level follows this one.
    pub(crate) bridges_log: AtomicBool,
    /// Set once the driver or the system has asked the plugin to stop.
    pub(crate) stop: watch::Sender<bool>,
    /// By when it has to have ended, where the driver said so.
    stop_by: OnceLock<Instant>,
    stopping: AtomicBool,
}

struct State {
    /// Tells the child of a fork, to which the epoch does not belong. It is told
    /// by the system: to ask for the process would be a system call for each
    /// record.
    fork: forkguard::Guard,
    epoch: u64,
    queue: Queue,
    /// Whether records go to standard error at once.
    direct: bool,
    instance_id: Option<Text>,
    limits: Limits,
}

impl Emitter {
    pub(crate) fn new(settings: Settings, options: Options) -> Self {
        let pid = std::process::id();
        // A deployed driver does not read record lines from standard error:
        // for it, records wait for the connection.
        let direct = settings.endpoint.is_some() || settings.host.is_none();
        let level = settings.level.unwrap_or(options.level);
        let is_unnumbered = settings.endpoint.is_none() && settings.host.is_some();
        Self {
            state: Mutex::new(State {
                fork: forkguard::new(),
                epoch: epoch::take(pid),
                queue: Queue::new(options.bounds),
                direct,
                instance_id: settings.instance_id.as_deref().map(Text::from),
                limits: Limits::default(),
            }),
            settings,
            options,
            origin: pid,
            wake: Notify::new(),
            enough: Notify::new(),
            level: AtomicU8::new(level.number()),
            is_unnumbered: AtomicBool::new(is_unnumbered),
            bridges_log: AtomicBool::new(false),
            stop: watch::Sender::new(false),
            stop_by: OnceLock::new(),
            stopping: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock_here();
        if state.fork.detected_fork() {
            // The child of a fork numbers anew and sends nothing of its
            // parent's; the transport's thread is not in it (OBS-ID-43 to 45).
            state.epoch = epoch::take(std::process::id());
            state.queue = Queue::default();
            state.direct = true;
        }
        state
    }

    /// For what follows soon after [`Emitter::lock`] in the same call.
    fn lock_here(&self) -> MutexGuard<'_, State> {
        // A panic under this lock leaves the queue whole: each change of it is
        // on plain data.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is the child of a fork, which has no transport.
    pub(crate) fn is_forked(&self) -> bool {
        self.origin != std::process::id()
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
    pub(crate) fn set_instance_id(&self, id: &str) {
        // The environment's word came first and stays (OBS-ID-03).
        self.lock().instance_id.get_or_insert_with(|| id.into());
    }

    /// How far this process's log has come.
    pub(crate) fn position(&self) -> LogPosition {
        let state = self.lock();
        LogPosition {
            epoch: state.epoch,
            sequence: state.queue.last_sequence(),
        }
    }

    /// As [`Emitter::position`], where the driver can tell that it has come so
    /// far (OBS-LIFE-24).
    pub(crate) fn numbered_position(&self) -> Option<LogPosition> {
        let numbered = !self.is_unnumbered.load(Ordering::Acquire);
        numbered.then(|| self.position())
    }

    /// From now on records have no sequence on their way.
    pub(crate) fn go_unnumbered(&self) {
        self.is_unnumbered.store(true, Ordering::Release);
    }

    /// The driver asks the plugin to stop by then; `false` where it asked
    /// before.
    pub(crate) fn stop_by(&self, deadline: Instant) -> bool {
        let first = self.stop_by.set(deadline).is_ok();
        self.record_stopping("the driver asked");
        self.stop.send_replace(true);
        first
    }

    /// By when the plugin has to have ended, where the driver asked it to.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.stop_by.get().copied()
    }

    /// Emits a record as part of `context`. Never waits, but for the moment
    /// that another thread takes to queue a record.
    pub(crate) fn emit(&self, record: &mut Record, context: Option<&Context>) {
        let class = Class::of(record);
        let (direct, limits, instance_id) = {
            let mut state = self.lock();
            if !state.direct && !state.queue.has_room(0, class) {
                let sequence = state.queue.number();
                state.queue.count_dropped(sequence, class);
                drop(state);
                self.wake.notify_one();
                return;
            }
            (state.direct, state.limits, state.instance_id.clone())
        };
        record.plugin_instance_id = instance_id;
        if let Some(context) = context {
            put_in_context(record, context);
        }
        if record.message.is_empty() && record.event_name.is_none() {
            record.event_name = Some(Text::from_static("message"));
        }
        limits.enforce(record);
        if direct {
            self.emit_line(record, class);
        } else {
            // Encoded before the lock, so that threads wait for numbers only,
            // and into a buffer that is there already.
            let mut encoded = BUFFER.take();
            encoded.clear();
            encode_unnumbered(record, &mut encoded);
            self.emit_encoded(&mut encoded, class, limits);
            BUFFER.set(encoded);
        }
    }

    /// For standard error, unless the queue has taken its place meanwhile.
    fn emit_line(&self, record: &mut Record, class: Class) {
        let mut state = self.lock_here();
        let sequence = state.queue.number();
        record.epoch = Some(state.epoch);
        record.sequence = Some(sequence);
        if state.direct {
            write_line(record);
            // It is with the driver's pipe: nothing of it can be sent again.
            state.queue.acknowledge(sequence);
            return;
        }
        state.queue.push(sequence, &encode_record(record), class);
        drop(state);
        self.wake.notify_one();
    }

    /// For the queue, unless standard error has taken its place meanwhile.
    fn emit_encoded(&self, encoded: &mut Vec<u8>, class: Class, limits: Limits) {
        let mut state = self.lock_here();
        let sequence = state.queue.number();
        number_record(encoded, state.epoch, sequence);
        if state.limits != limits {
            // A welcome came in between. A record that is longer than a batch
            // would be in the way of all others.
            *encoded = recode(encoded, state.limits);
        }
        if state.direct {
            write_encoded(encoded);
            state.queue.acknowledge(sequence);
            return;
        }
        let before = state.queue.unsent_bytes();
        state.queue.push(sequence, encoded, class);
        let after = state.queue.unsent_bytes();
        drop(state);
        self.wake.notify_one();
        if before < ENOUGH_BYTES && after >= ENOUGH_BYTES {
            self.enough.notify_one();
        }
    }

    /// A lifecycle record of the plugin.
    pub(crate) fn lifecycle(
        &self,
        event: &str,
        message: &str,
        attributes: Vec<(&str, Value)>,
        context: Option<&Context>,
    ) {
        let mut record = Record::lifecycle(now(), SDK_TARGET, event, message);
        for (key, value) in attributes {
            record = record.with(key, value);
        }
        self.emit(&mut record, context);
    }

    /// A message for the person who reads the test result.
    pub(crate) fn user_message(&self, text: &str, commonmark: bool) {
        let mut record = Record::new(now(), Severity::INFO, "", text);
        record.channel = Text::from_static(channel::USER);
        if commonmark {
            record = record.with("message.format", "commonmark");
        }
        self.emit(&mut record, Context::current().as_ref());
    }

    /// `plugin.stopping`, once.
    pub(crate) fn record_stopping(&self, reason: &str) {
        if !self.stopping.swap(true, Ordering::AcqRel) {
            let attributes = vec![(attribute::STOP_REASON, reason.into())];
            self.lifecycle(event::PLUGIN_STOPPING, "stopping", attributes, None);
        }
    }

    /// `plugin.transport_fault`: a fault begins, or ends.
    pub(crate) fn record_fault(&self, description: &str) {
        let attributes = vec![(attribute::FAULT_DESCRIPTION, description.into())];
        self.lifecycle(event::PLUGIN_TRANSPORT_FAULT, description, attributes, None);
    }

    /// From now on records wait in the queue. Tells the key of the next one
    /// that can come.
    pub(crate) fn hold(&self) -> (LogPosition, Option<Text>) {
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
        let dropped = state.queue.take_dropped();
        drop(state);
        if !dropped.is_empty() {
            self.record_fault(&shed_in_words(&dropped));
        }
    }

    /// What the driver takes (OBS-LIM-03). Records that were cut to other
    /// limits are cut again.
    pub(crate) fn set_limits(&self, limits: Limits) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.limits, limits) != limits {
            state.queue.recode(|encoded| recode(encoded, limits).into());
        }
    }

    /// Acts on the queue.
    pub(crate) fn queue<R>(&self, act: impl FnOnce(&mut Queue) -> R) -> R {
        act(&mut self.lock_here().queue)
    }

    /// Whether everything is acknowledged, or was written to standard error.
    pub(crate) fn is_drained(&self) -> bool {
        let state = self.lock();
        state.direct || state.queue.is_empty()
    }

    /// For a process that is about to end without its guard: gives the
    /// transport a moment, and writes what it did not bring away.
    pub(crate) fn flush_before_abort(&self, wait: Duration) {
        let until = Instant::now() + wait;
        while !self.is_drained() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.go_direct();
    }
}

/// What was shed, for a path that has no place for ranges (OBS-LIM-28).
pub(crate) fn shed_in_words(dropped: &[Dropped]) -> String {
    let count = |level: usize| {
        dropped
            .iter()
            .map(|range| range.by_level[level])
            .sum::<u64>()
    };
    let [trace, debug, info, warn, error] = [0, 1, 2, 3, 4].map(count);
    format!(
        "the queue was full and records were dropped: {trace} TRACE, {debug} DEBUG, {info} INFO, {warn} WARN, {error} ERROR"
    )
}

/// Cuts a record that was encoded to other limits.
fn recode(encoded: &[u8], limits: Limits) -> Vec<u8> {
    match decode_record(encoded) {
        Ok(mut record) => {
            limits.enforce(&mut record);
            encode_record(&record)
        }
        // What this process encoded decodes.
        Err(_) => encoded.to_vec(),
    }
}

/// Puts a call's identity on a record (OBS-ID-27, OBS-ID-31).
fn put_in_context(record: &mut Record, context: &Context) {
    let identity = context.identity();
    record.test_run_id.clone_from(&identity.test_run_id);
    record.call_id.clone_from(&identity.call_id);
    record.trace_context = identity.trace_context;
    if let Some(chain) = &identity.call_chain_id {
        // In front, because attributes are cut from the last.
        let attribute = ("callChainId".to_owned(), chain.as_str().into());
        record.attributes.insert(0, attribute);
    }
    for mark in context.marks() {
        record.mark(mark);
    }
}

/// The time by this process's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or_default()
}
