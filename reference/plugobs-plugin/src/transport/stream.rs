//! The record stream, on the plugin's side (`spec/binding-grpc.md`, States of
//! the plugin).

use std::time::Duration;

use plugobs_proto::observability::v1::log_service_client::LogServiceClient;
use plugobs_proto::observability::v1::stream_request::Kind as ToDriver;
use plugobs_proto::observability::v1::stream_response::Kind as FromDriver;
use plugobs_proto::observability::v1::{StreamRequest, StreamResponse};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};

use super::close::{End, Turn};
use super::session::{self, Asked, Session};
use super::{Ended, authorization};
use crate::emitter::{ENOUGH_BYTES, SharedEmitter};

/// How long a batch is followed by no other, unless there is enough for one.
const BETWEEN_BATCHES: Duration = Duration::from_millis(1);
/// How long a connection, or a welcome, may take.
const GREETING_WAIT: Duration = Duration::from_secs(5);

/// What is known over all streams of this process.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) welcomes: u32,
}

/// One stream: from the connection to its end.
pub(crate) async fn run(
    emitter: &SharedEmitter,
    endpoint: &str,
    progress: &mut Progress,
    end: &mut End,
    fault_told: &mut bool,
) -> Ended {
    let opening = tokio::time::timeout(GREETING_WAIT, open(emitter, endpoint));
    let opened = tokio::select! {
        opened = opening => opened,
        () = end.greeting_is_over() => return Ended::AtEnd,
    };
    let (outbound, inbound, session, level) = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(ended)) => return before_welcome(emitter, progress, ended),
        Err(_) => {
            let ended = Ended::Broken("no welcome in time".to_owned());
            return before_welcome(emitter, progress, ended);
        }
    };
    progress.welcomes += 1;
    crate::diagnostics::set_level(emitter, level);
    if std::mem::take(fault_told) {
        emitter.record_fault("the record stream is open again");
    }
    converse(emitter, outbound, inbound, session, end).await
}

/// Records that waited for a first welcome which did not come are written to
/// standard error, as those before them; later ones wait for the next attempt
/// again (OBS-NEG-12).
fn before_welcome(emitter: &SharedEmitter, progress: &Progress, ended: Ended) -> Ended {
    let goes_on = matches!(ended, Ended::Broken(_));
    if goes_on && progress.welcomes == 0 {
        emitter.go_direct();
    }
    ended
}

type Opened = (
    mpsc::Sender<StreamRequest>,
    Streaming<StreamResponse>,
    Session,
    u8,
);

async fn open(emitter: &SharedEmitter, endpoint: &str) -> Result<Opened, Ended> {
    let channel = connect(endpoint).await.map_err(Ended::Broken)?;
    let (outbound, messages) = mpsc::channel(4);
    let hello = ToDriver::Hello(session::hello(emitter));
    let first = StreamRequest { kind: Some(hello) };
    // The channel is new and has room.
    let _ = outbound.send(first).await;
    let mut request = Request::new(ReceiverStream::new(messages));
    if let Some(value) = authorization(emitter, endpoint) {
        request.metadata_mut().insert("authorization", value);
    }
    let response = LogServiceClient::new(channel).stream(request).await;
    let mut inbound = response.map_err(|status| ended_by(&status))?.into_inner();
    loop {
        match inbound.message().await {
            Ok(Some(message)) => match message.kind {
                Some(FromDriver::Welcome(welcome)) => {
                    let level = session::level_of(welcome.severity_number);
                    let session = Session::new(emitter.clone(), &welcome);
                    return Ok((outbound, inbound, session, level));
                }
                Some(_) => {
                    let why = "the driver's first message was no welcome";
                    return Err(Ended::Broken(why.to_owned()));
                }
                // A kind of a later version.
                None => {}
            },
            Ok(None) => {
                return Err(Ended::Broken(
                    "the stream ended without a welcome".to_owned(),
                ));
            }
            Err(status) => return Err(ended_by(&status)),
        }
    }
}

pub(crate) async fn connect(address: &str) -> Result<Channel, String> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|error| format!("{address} is no address: {error}"))?;
    endpoint
        .tcp_nodelay(true)
        .connect_timeout(GREETING_WAIT)
        .connect()
        .await
        .map_err(|error| format!("cannot connect to {address}: {error}"))
}

/// What the end of a stream means (OBS-STR-08).
fn ended_by(status: &Status) -> Ended {
    let why = super::words(status);
    match status.code() {
        Code::Unimplemented | Code::FailedPrecondition => Ended::NotThere(Some(why)),
        Code::Unauthenticated | Code::PermissionDenied | Code::InvalidArgument => {
            Ended::Refused(why)
        }
        _ => Ended::Broken(why),
    }
}

/// Sends what there is and hears what the driver says, until the end.
async fn converse(
    emitter: &SharedEmitter,
    outbound: mpsc::Sender<StreamRequest>,
    mut inbound: Streaming<StreamResponse>,
    mut session: Session,
    end: &mut End,
) -> Ended {
    let mut outbound = Some(outbound);
    let mut pace = Pace::default();
    loop {
        let is_paced = pace.is_held()
            && !end.has_begun()
            && !session.is_asked_to_flush()
            && emitter.queue(|queue| queue.unsent_bytes() < ENOUGH_BYTES);
        let is_full = match say_next(&mut session, outbound.as_ref(), is_paced) {
            Said::Batch => {
                pace.sent();
                continue;
            }
            Said::Something => continue,
            Said::Full => true,
            Said::Nothing => false,
        };
        if !is_full && end.has_begun() && emitter.queue(|queue| !queue.has_unsent()) {
            // Everything is said: half-close, and wait for the driver's end.
            outbound = None;
        }
        tokio::select! {
            () = emitter.wake.notified(), if !is_full && !is_paced => {}
            () = pace.over(), if is_paced => {}
            () = emitter.enough.notified(), if is_paced => {}
            () = has_capacity(outbound.as_ref()), if is_full => {}
            heard = inbound.message() => {
                if let Some(ended) = hear(emitter, &mut session, heard) {
                    // However a stream ends while the plugin does, that is it.
                    return if end.has_begun() { Ended::AtEnd } else { ended };
                }
            }
            turn = end.turn() => {
                if turn == Turn::Overdue {
                    return Ended::AtEnd;
                }
            }
        }
    }
}

/// Between two small batches there is a moment, so that a plugin which logs all
/// the time costs few messages, and one that logs now and then does not wait.
#[derive(Default)]
struct Pace(Option<Instant>);

impl Pace {
    fn sent(&mut self) {
        self.0 = Some(Instant::now() + BETWEEN_BATCHES);
    }

    fn is_held(&self) -> bool {
        self.0.is_some_and(|until| Instant::now() < until)
    }

    async fn over(&self) {
        if let Some(until) = self.0 {
            tokio::time::sleep_until(until).await;
        }
    }
}

enum Said {
    Batch,
    Something,
    Nothing,
    Full,
}

/// Hands over the next message where there is one, and room for it.
fn say_next(
    session: &mut Session,
    outbound: Option<&mpsc::Sender<StreamRequest>>,
    is_paced: bool,
) -> Said {
    if is_paced {
        return Said::Nothing;
    }
    // Where the receiver has gone, the driver ended the stream and says why.
    let Some(sender) = outbound.filter(|sender| !sender.is_closed()) else {
        return Said::Nothing;
    };
    let Ok(permit) = sender.try_reserve() else {
        return Said::Full;
    };
    let Some(kind) = session.next() else {
        return Said::Nothing;
    };
    let said = match &kind {
        ToDriver::Batch(_) => Said::Batch,
        _ => Said::Something,
    };
    permit.send(StreamRequest { kind: Some(kind) });
    said
}

/// Resolves when there is room again, or nobody to make any.
async fn has_capacity(sender: Option<&mpsc::Sender<StreamRequest>>) {
    if let Some(sender) = sender {
        // The permit is given back, and taken again when there is a message.
        drop(sender.reserve().await);
    }
}

/// Takes what was heard; tells the end where that was it.
fn hear(
    emitter: &SharedEmitter,
    session: &mut Session,
    heard: Result<Option<StreamResponse>, Status>,
) -> Option<Ended> {
    match heard {
        Ok(Some(StreamResponse { kind: Some(kind) })) => {
            match session.take(kind) {
                Asked::Nothing => {}
                Asked::Level(level) => crate::diagnostics::set_level(emitter, level),
                Asked::Stop(wait) => {
                    let deadline = std::time::Instant::now() + wait;
                    if emitter.stop_by(deadline) {
                        super::overdue::end_by(emitter, deadline);
                    }
                }
            }
            None
        }
        // A kind of a later version.
        Ok(Some(StreamResponse { kind: None })) => None,
        Ok(None) => Some(Ended::Broken("the driver ended the stream".to_owned())),
        Err(status) => Some(ended_by(&status)),
    }
}
