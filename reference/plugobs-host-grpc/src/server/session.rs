//! One open record stream: batches in, acknowledgements and the driver's own
//! messages out (`spec/binding-grpc.md`, States of the driver).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use plugobs_core::registry::{attribute, event, source};
use plugobs_core::{LogPosition, Record};
use plugobs_driver::intake::{InstanceIntake, Path};
use plugobs_proto::observability::v1::stream_request::Kind as In;
use plugobs_proto::observability::v1::stream_response::Kind as Out;
use plugobs_proto::observability::v1::{
    Acknowledgement, Batch, Flush, Flushed, Hello, SetLevel, Stop, StreamRequest, StreamResponse,
    Welcome,
};
use tokio::sync::oneshot;
use tonic::{Status, Streaming};

use super::batch::{self, invalid};
use super::hello::{self, VERSION};
use super::log_stream::Ended;
use super::streams::{Control, Opened, Outbound, Streams};

/// A batch that came and is not settled.
struct Waiting {
    /// Its last sequence.
    last: u64,
    /// The credit that it took.
    bytes: usize,
    weight: usize,
}

/// A stream after its hello. It leaves the book when it goes.
pub(super) struct Session {
    streams: Arc<Streams>,
    opened: Opened,
    epoch: u64,
    /// The lowest sequence that can still come on this stream.
    start: u64,
    /// The highest that came on it.
    last: Option<u64>,
    /// The highest that is known of: it came, or was said to be dropped.
    highest: u64,
    /// What was acknowledged last.
    acknowledged: u64,
    /// Batches that wait to be settled.
    waiting: VecDeque<Waiting>,
    /// What they cost together.
    weight: usize,
    flushes: Vec<(u64, oneshot::Sender<LogPosition>)>,
    next_flush: u64,
    /// The plugin has half-closed the stream.
    is_half_closed: bool,
    is_clean: bool,
}

impl Session {
    pub(super) fn new(streams: Arc<Streams>, hello: &Hello, opened: Opened) -> Self {
        let first = opened.first_sequence;
        let settled = streams.intake().settled_through(hello.epoch, first);
        let acknowledged = if settled < first { 0 } else { settled };
        let start = hello
            .first_sequence
            .max(1)
            .max(acknowledged.saturating_add(1));
        Self {
            streams,
            opened,
            epoch: hello.epoch,
            start,
            last: None,
            highest: start - 1,
            acknowledged,
            waiting: VecDeque::new(),
            weight: 0,
            flushes: Vec::new(),
            next_flush: 1,
            is_half_closed: false,
            is_clean: false,
        }
    }

    fn intake(&self) -> &InstanceIntake {
        self.streams.intake()
    }

    /// Serves the stream to its end. An error is what the plugin is told.
    pub(super) async fn run(
        mut self,
        inbound: &mut Streaming<StreamRequest>,
        outbound: &Outbound,
    ) -> Ended {
        let mut superseded = self.opened.superseded.clone();
        tokio::select! {
            end = self.serve(inbound, outbound) => end,
            // The book keeps the sender until it says so.
            _ = superseded.wait_for(|superseded| *superseded) => Err(Box::new(Status::aborted(
                "a newer stream of this epoch has taken the place of this one",
            ))),
        }
    }

    async fn serve(
        &mut self,
        inbound: &mut Streaming<StreamRequest>,
        outbound: &Outbound,
    ) -> Ended {
        let level = *self.opened.level.borrow_and_update();
        let welcome = Welcome {
            version: VERSION,
            limits: Some(hello::limits(&self.intake().limits())),
            severity_number: level.number().into(),
            credit_bytes: self.opened.credit as u64,
            acknowledged_sequence: self.acknowledged,
            features: Vec::new(),
            run_id: self.intake().run_id().to_owned(),
        };
        say(outbound, Out::Welcome(welcome)).await;
        let mut settled = self.intake().settled_changes();
        loop {
            settled.mark_unchanged();
            self.acknowledge(outbound).await;
            if self.is_half_closed && (self.is_settled() || outbound.is_closed()) {
                return Ok(());
            }
            // Beyond its credit a plugin waits: what it sends stays in the
            // connection.
            let may_read = !self.is_half_closed && self.weight <= self.opened.credit;
            tokio::select! {
                biased;
                Some(control) = self.opened.control.recv() => {
                    self.pass_on(control, outbound).await;
                }
                Ok(()) = self.opened.level.changed() => {
                    let level = *self.opened.level.borrow_and_update();
                    let set = SetLevel { severity_number: level.number().into() };
                    say(outbound, Out::SetLevel(set)).await;
                }
                message = inbound.message(), if may_read => match message {
                    Ok(Some(message)) => self.take(message)?,
                    Ok(None) => self.half_close(),
                    // The connection broke; there is nobody to tell.
                    Err(status) => return Err(Box::new(status)),
                },
                _ = settled.changed() => {}
            }
        }
    }

    fn take(&mut self, message: StreamRequest) -> Ended {
        match message.kind {
            // Of a kind that this driver does not know (OBS-STR-11).
            None => Ok(()),
            Some(In::Batch(batch)) => self.take_batch(batch),
            Some(In::Flushed(flushed)) => {
                self.take_flushed(&flushed);
                Ok(())
            }
            Some(In::Hello(_)) => Err(invalid("a hello is the first message of a stream only")),
        }
    }

    fn take_batch(&mut self, batch: Batch) -> Ended {
        batch::check(&batch, self.last)?;
        let (bytes, weight) = (batch::record_bytes(&batch), batch::weight(&batch));
        let last = batch.sequences.last().copied();
        let dropped: Vec<_> = batch
            .dropped
            .into_iter()
            .map(|range| (self.epoch, batch::dropped_range(range)))
            .collect();
        for (_, range) in &dropped {
            self.highest = self.highest.max(range.last);
        }
        let epoch = self.epoch;
        let received = batch.records.into_iter().zip(batch.sequences);
        let received = received.map(|(bytes, sequence)| {
            move |record: &mut Record| batch::decode(record, epoch, sequence, bytes)
        });
        let path = Path {
            source: source::STREAM,
            verified: true,
        };
        self.intake().receive_each(path, received, &dropped);
        if let Some(last) = last {
            // Every range below comes no later than this batch (OBS-STR-18), so
            // what is still missing will not come.
            self.count_missing(self.next(), last);
            self.last = Some(last);
            self.highest = self.highest.max(last);
            self.weight += weight;
            self.waiting.push_back(Waiting {
                last,
                bytes,
                weight,
            });
        }
        Ok(())
    }

    /// The lowest sequence of which this stream has not told yet.
    fn next(&self) -> u64 {
        let after_last = self.last.map_or(self.start, |last| last.saturating_add(1));
        after_last.max(self.start)
    }

    fn count_missing(&self, first: u64, through: u64) {
        if first <= through {
            let reason = "missing in the record stream";
            self.intake()
                .count_missing(self.epoch, first, through, reason);
        }
    }

    fn take_flushed(&mut self, flushed: &Flushed) {
        let at = self
            .flushes
            .iter()
            .position(|(id, _)| *id == flushed.flush_id);
        if let Some(at) = at {
            let (_, done) = self.flushes.swap_remove(at);
            // Whoever asked may have given up.
            let _ = done.send(LogPosition {
                epoch: self.epoch,
                sequence: flushed.through_sequence,
            });
        }
    }

    /// Nothing more comes: the emitter ended its path in order.
    fn half_close(&mut self) {
        self.is_half_closed = true;
        self.is_clean = true;
        self.count_missing(self.next(), self.highest);
        self.intake().end_clean(self.epoch);
    }

    async fn pass_on(&mut self, control: Control, outbound: &Outbound) {
        let kind = match control {
            Control::Stop { deadline } => Out::Stop(Stop {
                deadline_ms: milliseconds(deadline),
            }),
            Control::Flush { deadline, done } => {
                self.flushes.retain(|(_, done)| !done.is_closed());
                let flush_id = self.next_flush;
                self.next_flush += 1;
                self.flushes.push((flush_id, done));
                Out::Flush(Flush {
                    flush_id,
                    deadline_ms: milliseconds(deadline),
                })
            }
        };
        say(outbound, kind).await;
    }

    /// Whether everything that came on this stream is stored or counted.
    fn is_settled(&self) -> bool {
        self.intake().settled_through(self.epoch, self.start) >= self.highest
    }

    /// Acknowledges what is settled, and gives its credit back.
    async fn acknowledge(&mut self, outbound: &Outbound) {
        // Credit follows this stream's own records, be it that something below
        // them is still missing.
        let own = self.intake().settled_through(self.epoch, self.start);
        let mut credit = 0;
        while let Some(batch) = self.waiting.pop_front_if(|batch| batch.last <= own) {
            credit += batch.bytes;
            self.weight -= batch.weight;
        }
        let first = self.opened.first_sequence;
        let through = self.intake().settled_through(self.epoch, first);
        let through = if through < first { 0 } else { through };
        if credit == 0 && through <= self.acknowledged {
            return;
        }
        self.acknowledged = self.acknowledged.max(through);
        let acknowledgement = Acknowledgement {
            through_sequence: self.acknowledged,
            credit_bytes: credit as u64,
        };
        say(outbound, Out::Acknowledgement(acknowledgement)).await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let text = match self.is_clean {
            true => "record stream ended in order",
            false => "record stream broke off",
        };
        self.intake().lifecycle(
            event::INSTANCE_STREAM_CLOSED,
            text,
            vec![
                (attribute::STREAM_EPOCH, self.epoch.into()),
                (attribute::STREAM_LAST_SEQUENCE, self.highest.into()),
                (attribute::STREAM_CLEAN, self.is_clean.into()),
            ],
        );
        self.streams.leave(self.opened.id);
    }
}

/// Says something to the plugin, once it reads. One that has gone hears
/// nothing; what it sent before is still read, to the last.
async fn say(outbound: &Outbound, kind: Out) {
    let _ = outbound.send(Ok(StreamResponse { kind: Some(kind) })).await;
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
