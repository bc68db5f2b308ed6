//! The record stream, as the test's driver serves it.

use std::pin::Pin;
use std::sync::Arc;

use plugobs_proto::observability::v1 as proto;
use plugobs_proto::observability::v1::log_service_server::LogService;
use plugobs_proto::observability::v1::stream_request::Kind as FromPlugin;
use plugobs_proto::observability::v1::stream_response::Kind as FromDriver;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::seen::Stream;
use super::{Shared, TOKEN};

pub(super) type Reply = mpsc::Sender<Result<proto::StreamResponse, Status>>;

pub(super) struct Service(pub(super) Arc<Shared>);

#[tonic::async_trait]
impl LogService for Service {
    type StreamStream =
        Pin<Box<dyn tokio_stream::Stream<Item = Result<proto::StreamResponse, Status>> + Send>>;

    async fn stream(
        &self,
        request: Request<Streaming<proto::StreamRequest>>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        let authorization = request.metadata().get("authorization");
        let is_ours = authorization.is_some_and(|value| value == &format!("Bearer {TOKEN}"));
        if !is_ours {
            return Err(Status::unauthenticated("no token, or a wrong one"));
        }
        let (reply, replies) = mpsc::channel(64);
        let mut number = 0;
        self.0.note(|seen| {
            number = seen.streams.len();
            seen.streams.push(Stream::default());
        });
        let shared = self.0.clone();
        tokio::spawn(async move {
            let ended = talk(&shared, number, request.into_inner(), &reply).await;
            shared.replies().remove(&number);
            shared.note(|seen| seen.streams[number].end = Some(ended));
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(replies))))
    }
}

/// Tells whether the plugin half-closed.
async fn talk(
    shared: &Shared,
    number: usize,
    mut inbound: Streaming<proto::StreamRequest>,
    reply: &Reply,
) -> bool {
    let Ok(Some(first)) = inbound.message().await else {
        return false;
    };
    let Some(FromPlugin::Hello(hello)) = first.kind else {
        panic!("the first message is {first:?}");
    };
    let epoch = hello.epoch;
    shared.note(|seen| seen.streams[number].hello = Some(hello));
    let ways = shared.ways();
    if let Some((code, why)) = ways.refuse {
        // The plugin may have gone.
        let _ = reply.send(Err(Status::new(code, why))).await;
        return false;
    }
    if ways.mute {
        return std::future::pending().await;
    }
    let acknowledged_sequence = shared.seen.borrow().account_of(epoch).through();
    shared.replies().insert(number, reply.clone());
    let welcome = proto::Welcome {
        version: 1,
        limits: Some(ways.limits),
        severity_number: ways.severity,
        credit_bytes: ways.credit,
        acknowledged_sequence: if ways.acknowledge {
            acknowledged_sequence
        } else {
            0
        },
        features: Vec::new(),
        run_id: String::new(),
    };
    shared.note(|seen| seen.streams[number].welcome = Some(welcome.clone()));
    if !say(reply, FromDriver::Welcome(welcome)).await {
        return false;
    }
    if ways.deaf {
        return std::future::pending().await;
    }
    loop {
        match inbound.message().await {
            Ok(Some(message)) => match message.kind {
                Some(FromPlugin::Batch(batch)) => {
                    let bytes: usize = batch.records.iter().map(|r| r.len()).sum();
                    shared.note(|seen| seen.streams[number].batches.push(batch));
                    if shared.ways().acknowledge {
                        let through_sequence = shared.seen.borrow().account_of(epoch).through();
                        let ack = proto::Acknowledgement {
                            through_sequence,
                            credit_bytes: bytes as u64,
                        };
                        if !say(reply, FromDriver::Acknowledgement(ack)).await {
                            return false;
                        }
                    }
                }
                Some(FromPlugin::Flushed(flushed)) => {
                    shared.note(|seen| seen.streams[number].flushed.push(flushed));
                }
                other => panic!("heard {other:?}"),
            },
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Tells whether the plugin still listens.
async fn say(reply: &Reply, kind: FromDriver) -> bool {
    let message = proto::StreamResponse { kind: Some(kind) };
    reply.send(Ok(message)).await.is_ok()
}
