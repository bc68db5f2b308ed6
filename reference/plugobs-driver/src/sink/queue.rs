//! A sink's thread and the bounded queue before it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Sink, SinkEvent, SinkLoss};
use plugobs_core::registry::limit;

use crate::intake::accounts::Settle;

/// Bytes of records and output that may wait for one sink. Descriptions and
/// failures are few and always wait.
const QUEUE_BYTES: usize = limit::SINK_QUEUE_BYTES_DEFAULT;

/// A sink behind its queue.
pub(crate) struct SinkHandle {
    shared: Arc<Shared>,
    pub(crate) durable: bool,
    pub(crate) run_folder: Option<PathBuf>,
}

/// One event, what it weighs, and whom to tell once a durable sink has it.
pub(crate) struct Item {
    pub(crate) event: SinkEvent,
    pub(crate) bytes: usize,
    pub(crate) settle: Option<Settle>,
    pub(crate) on_cut: Option<OnCut>,
}

/// Called on the sink's thread with the bytes of raw output that it cut.
pub(crate) type OnCut = Box<dyn FnOnce(u64) + Send>;

/// Called on the sink's thread when it first fails: name and reason.
pub(crate) type OnFailure = Box<dyn Fn(&str, &str) + Send>;

struct Shared {
    name: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    bytes: usize,
    closed: bool,
    done: bool,
    lost_records: u64,
    reported_records: u64,
    error: Option<String>,
}

impl Shared {
    // A panic while the lock is held cannot leave half a change behind: each
    // change below is one statement on plain data.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SinkHandle {
    pub(crate) fn start(sink: Box<dyn Sink>, on_failure: OnFailure) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            name: sink.name().to_owned(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let (durable, run_folder) = (sink.is_durable(), sink.run_folder());
        let theirs = shared.clone();
        thread::Builder::new()
            .name(format!("plugobs-sink-{}", shared.name))
            .spawn(move || run(sink, &theirs, &on_failure))?;
        Ok(Self {
            shared,
            durable,
            run_folder,
        })
    }

    /// Whether the queue is over its bound.
    pub(crate) fn is_full(&self) -> bool {
        self.shared.lock().bytes > QUEUE_BYTES
    }

    /// Queues an event. Where the queue is full, output is skipped, and records
    /// are let go and counted, but for a durable sink, whose senders of records
    /// are bounded by their credit or have looked at `is_full`.
    pub(crate) fn push(&self, item: Item) {
        let mut state = self.shared.lock();
        if state.closed {
            return;
        }
        let mut item = item;
        if state.bytes > QUEUE_BYTES {
            match item.event {
                SinkEvent::Records(records) if !self.durable => {
                    state.lost_records += records.len() as u64;
                    return;
                }
                SinkEvent::Output {
                    instance,
                    stream,
                    bytes,
                } => {
                    item.bytes = 0;
                    item.event = SinkEvent::OutputSkipped {
                        instance,
                        stream,
                        bytes: bytes.len() as u64,
                    };
                }
                event => item.event = event,
            }
        }
        state.bytes += item.bytes;
        state.items.push_back(item);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Ends the queue: what is in it is still delivered.
    pub(crate) fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }

    /// Waits until the sink has taken everything; `false` after the deadline.
    pub(crate) fn wait_done(&self, deadline: Instant) -> bool {
        let mut state = self.shared.lock();
        while !state.done {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return false;
            }
            state = self
                .shared
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    /// Gives up what still waits: it counts as lost to this sink (OBS-OUT-07).
    pub(crate) fn abandon(&self) {
        let mut state = self.shared.lock();
        let items = std::mem::take(&mut state.items);
        for item in items {
            state.bytes -= item.bytes;
            if let SinkEvent::Records(records) = item.event {
                state.lost_records += records.len() as u64;
            }
        }
        let error = "it had not taken everything when the run ended";
        state.error.get_or_insert_with(|| error.to_owned());
    }

    pub(crate) fn name(&self) -> &str {
        &self.shared.name
    }

    pub(crate) fn has_unreported_losses(&self) -> bool {
        let state = self.shared.lock();
        state.lost_records != state.reported_records
    }

    /// The losses, which count as reported from now on.
    pub(crate) fn report_losses(&self) -> SinkLoss {
        let mut state = self.shared.lock();
        state.reported_records = state.lost_records;
        drop(state);
        self.loss()
    }

    pub(crate) fn loss(&self) -> SinkLoss {
        let state = self.shared.lock();
        SinkLoss {
            name: self.shared.name.clone(),
            lost_records: state.lost_records,
            error: state.error.clone(),
        }
    }
}

fn run(mut sink: Box<dyn Sink>, shared: &Shared, on_failure: &OnFailure) {
    while let Some(item) = next(shared) {
        let result = catch_unwind(AssertUnwindSafe(|| sink.accept(&item.event)));
        let error = match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the sink panicked".to_owned()),
        };
        let first = settle_item(shared, &item, error.as_deref());
        if let (Some(on_cut), SinkEvent::OutputEnd { instance, stream }) =
            (item.on_cut, &item.event)
        {
            let cut = sink.output_cut(instance, *stream);
            if cut > 0 {
                on_cut(cut);
            }
        }
        // Stored, or counted as lost to the durable sink: either way nobody
        // waits for it any longer.
        if let Some(settle) = item.settle {
            settle.done();
        }
        if let (true, Some(error)) = (first, error) {
            on_failure(&shared.name, &error);
        }
    }
    // The sink closes its files before anyone is told that it is done.
    drop(sink);
    shared.lock().done = true;
    shared.changed.notify_all();
}

fn next(shared: &Shared) -> Option<Item> {
    let mut state = shared.lock();
    loop {
        if let Some(item) = state.items.pop_front() {
            return Some(item);
        }
        if state.closed {
            return None;
        }
        state = shared
            .changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

/// Books the delivery; tells whether this is the sink's first failure.
fn settle_item(shared: &Shared, item: &Item, error: Option<&str>) -> bool {
    let mut state = shared.lock();
    state.bytes -= item.bytes;
    let Some(error) = error else { return false };
    if let SinkEvent::Records(records) = &item.event {
        state.lost_records += records.len() as u64;
    }
    state.error.replace(error.to_owned()).is_none()
}
