//! The open record streams of one instance, and what the driver says on all of
//! them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugobs_core::registry::limit;
use plugobs_core::{LogPosition, Severity};
use plugobs_driver::intake::InstanceIntake;
use plugobs_proto::observability::v1::{Hello, StreamResponse};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tonic::Status;

use super::hello;
use super::session::Session;

/// The way to the plugin.
pub(super) type Outbound = mpsc::Sender<Result<StreamResponse, Status>>;

/// Credit of all streams of an instance together, in bytes: what of it can wait
/// in the driver (OBS-LIM-25).
const CREDIT_OF_ALL: usize = limit::DRIVER_QUEUE_BYTES_DEFAULT;

/// What the driver says on a stream of its own accord.
pub(super) enum Control {
    /// Send everything, then say how far it went.
    Flush {
        deadline: Duration,
        done: oneshot::Sender<LogPosition>,
    },
    /// End the process.
    Stop { deadline: Duration },
}

/// The streams of one instance.
pub(crate) struct Streams {
    intake: InstanceIntake,
    level: watch::Sender<Severity>,
    closed: watch::Sender<bool>,
    /// How many are open.
    count: watch::Sender<usize>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    next_id: u64,
    open: Vec<Open>,
    /// The `first_sequence` of each epoch's first hello (OBS-STR-19).
    first_sequences: HashMap<u64, u64>,
}

struct Open {
    id: u64,
    epoch: u64,
    credit: usize,
    control: mpsc::UnboundedSender<Control>,
    superseded: watch::Sender<bool>,
}

/// What a session is given when it opens.
pub(super) struct Opened {
    pub(super) id: u64,
    /// Of the epoch's first hello.
    pub(super) first_sequence: u64,
    pub(super) credit: usize,
    pub(super) control: mpsc::UnboundedReceiver<Control>,
    pub(super) superseded: watch::Receiver<bool>,
    pub(super) level: watch::Receiver<Severity>,
}

impl Streams {
    pub(super) fn new(intake: InstanceIntake, level: Severity) -> Self {
        Self {
            intake,
            level: watch::Sender::new(level),
            closed: watch::Sender::new(false),
            count: watch::Sender::new(0),
            book: Mutex::default(),
        }
    }

    pub(super) fn intake(&self) -> &InstanceIntake {
        &self.intake
    }

    /// Opens a stream; an older one of the same epoch ends (OBS-STR-12).
    pub(super) fn open(self: &Arc<Self>, hello: Hello) -> Result<Session, Box<Status>> {
        let (control_tx, control) = mpsc::unbounded_channel();
        let (superseded_tx, superseded) = watch::channel(false);
        let mut book = self.book();
        book.open.retain(|older| {
            let stays = older.epoch != hello.epoch;
            if !stays {
                older.superseded.send_replace(true);
            }
            stays
        });
        // A quarter of what is left, so that a plugin which forks finds some
        // for its children; each gets a batch at least (OBS-STR-30).
        let given: usize = book.open.iter().map(|open| open.credit).sum();
        let left = CREDIT_OF_ALL.saturating_sub(given);
        let batch = self.intake.limits().batch_bytes;
        if !book.open.is_empty() && left < batch {
            return Err(Box::new(Status::resource_exhausted(
                "the other streams of this instance have all of its credit; try again later",
            )));
        }
        let credit = limit::CREDIT_BYTES_DEFAULT.min(left / 4).max(batch);
        let first = *book
            .first_sequences
            .entry(hello.epoch)
            .or_insert(hello.first_sequence.max(1));
        let id = book.next_id;
        book.next_id += 1;
        book.open.push(Open {
            id,
            epoch: hello.epoch,
            credit,
            control: control_tx,
            superseded: superseded_tx,
        });
        self.count.send_modify(|count| *count += 1);
        drop(book);
        hello::record_opened(&self.intake, &hello);
        let opened = Opened {
            id,
            first_sequence: first,
            credit,
            control,
            superseded,
            level: self.level.subscribe(),
        };
        Ok(Session::new(self.clone(), &hello, opened))
    }

    /// The session of that ID has ended.
    pub(super) fn leave(&self, id: u64) {
        self.book().open.retain(|open| open.id != id);
        self.count.send_modify(|count| *count -= 1);
    }

    pub(crate) fn set_level(&self, level: Severity) {
        self.level.send_replace(level);
    }

    /// Tells every open stream to stop the plugin; `false` where there is none.
    pub(crate) fn stop(&self, deadline: Duration) -> bool {
        let book = self.book();
        let told = book
            .open
            .iter()
            .filter(|open| open.control.send(Control::Stop { deadline }).is_ok());
        told.count() > 0
    }

    /// Asks every open stream for what was emitted so far, and waits until it
    /// is stored or counted. `false` where it was not by the deadline, or there
    /// is no stream to ask.
    pub(crate) async fn flush(&self, deadline: Duration) -> bool {
        let until = Instant::now() + deadline;
        let asked: Vec<_> = {
            let book = self.book();
            let ask = |open: &Open| {
                let (done, flushed) = oneshot::channel();
                let flush = Control::Flush { deadline, done };
                open.control.send(flush).ok().map(|()| flushed)
            };
            book.open.iter().filter_map(ask).collect()
        };
        let mut all = !asked.is_empty();
        for flushed in asked {
            let Ok(Ok(position)) = tokio::time::timeout_at(until, flushed).await else {
                return false;
            };
            let left = until.saturating_duration_since(Instant::now());
            all &= self.intake.wait_settled(position, left).await;
        }
        all
    }

    /// Waits until no stream is open.
    pub(crate) async fn all_closed(&self) {
        // The sender is this.
        let _ = self.count.subscribe().wait_for(|open| *open == 0).await;
    }

    /// Ends every stream; nothing more is taken in.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Waits until they are closed.
    pub(super) async fn closed(&self) {
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    // Each change under this lock is of plain data.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
