//! The record stream as a gRPC service: who may open one, and what its end
//! says.

use std::sync::Arc;
use std::time::Duration;

use plugobs_proto::observability::v1::log_service_server::LogService;
use plugobs_proto::observability::v1::{StreamRequest, StreamResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::auth::authenticate;
use super::hello;
use super::streams::{Outbound, Streams};

/// Messages to the plugin that wait for it to read.
const OUTBOUND_MESSAGES: usize = 16;
/// How long a plugin that does not read is waited for with the last word.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Serves one instance.
pub(super) struct LogStreams(Arc<Streams>);

impl LogStreams {
    pub(super) fn new(streams: Arc<Streams>) -> Self {
        Self(streams)
    }
}

#[tonic::async_trait]
impl LogService for LogStreams {
    type StreamStream = ReceiverStream<Result<StreamResponse, Status>>;

    async fn stream(
        &self,
        request: Request<Streaming<StreamRequest>>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        if !authenticate(self.0.intake(), request.metadata())? {
            return Err(Status::unauthenticated(
                "a record stream needs the token of PLUGOBS_TOKEN as the metadata authorization: Bearer <token>",
            ));
        }
        let (outbound, responses) = mpsc::channel(OUTBOUND_MESSAGES);
        // Beside this call, because a client may wait for the answer's headers
        // before it says hello.
        tokio::spawn(serve(self.0.clone(), request.into_inner(), outbound));
        Ok(Response::new(ReceiverStream::new(responses)))
    }
}

async fn serve(streams: Arc<Streams>, mut inbound: Streaming<StreamRequest>, outbound: Outbound) {
    let end = tokio::select! {
        end = converse(&streams, &mut inbound, &outbound) => end,
        () = streams.closed() => Err(Box::new(Status::unavailable("the instance has ended"))),
    };
    if let Err(status) = end {
        // Nobody may be there to read it.
        let _ = outbound.send_timeout(Err(*status), LAST_WORD).await;
    }
}

/// The status is boxed, because it is big and rare.
pub(super) type Ended = Result<(), Box<Status>>;

async fn converse(
    streams: &Arc<Streams>,
    inbound: &mut Streaming<StreamRequest>,
    outbound: &Outbound,
) -> Ended {
    let greeted = hello::receive(inbound, streams.intake()).await?;
    let session = streams.open(greeted)?;
    session.run(inbound, outbound).await
}
