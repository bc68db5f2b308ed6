//! What the queue shed while records go over a path that has no place for
//! ranges: it is told in words, as a fault that begins and ends (OBS-CHAN-22).

use std::time::Duration;

use tokio::time::Instant;

use crate::emitter::{Emitter, shed_in_words};
use crate::queue::{Class, Dropped, Queue};

/// The fault has ended when nothing was shed for so long.
const CALM: Duration = Duration::from_secs(1);
/// More than the record that tells of it takes.
const ROOM: usize = 1024;

/// A fault that begins when a record is shed.
#[derive(Debug, Default)]
pub(super) struct Shedding {
    /// Since it began.
    dropped: Vec<Dropped>,
    last: Option<Instant>,
    has_told_begin: bool,
}

impl Shedding {
    /// Takes what was shed since, and tells when it begins and when it ends.
    /// Tells nothing that would be shed itself, which would never end.
    pub(super) fn watch(&mut self, emitter: &Emitter, plugin_ends: bool) {
        let dropped = emitter.queue(Queue::take_dropped);
        if !dropped.is_empty() {
            self.last = Some(Instant::now());
            self.dropped.extend(dropped);
        }
        if self.last.is_none() || !emitter.queue(|queue| queue.has_room(ROOM, Class::RESERVED)) {
            return;
        }
        if plugin_ends || self.ends_at().is_some_and(|at| at <= Instant::now()) {
            let dropped = std::mem::take(self).dropped;
            emitter.record_fault(&shed_in_words(&dropped));
        } else if !std::mem::replace(&mut self.has_told_begin, true) {
            emitter.record_fault("the queue is full and records are dropped");
        }
    }

    /// Leaves what is not told yet to the path that comes next.
    pub(super) fn hand_over(self, emitter: &Emitter) {
        emitter.queue(|queue| queue.put_back_dropped(self.dropped));
    }

    /// Until then, there is nothing to tell.
    fn ends_at(&self) -> Option<Instant> {
        self.last.map(|last| last + CALM)
    }

    /// Resolves when the fault may have ended. Cancel-safe.
    pub(super) async fn calm(&self) {
        match self.ends_at() {
            Some(at) => tokio::time::sleep_until(at.max(Instant::now() + CALM / 4)).await,
            None => std::future::pending().await,
        }
    }
}
