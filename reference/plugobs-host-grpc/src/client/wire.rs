//! One unary call over gRPC: metadata out, answer, position and error in.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::stream;
use http::uri::PathAndQuery;
use plugobs_core::LogPosition;
use plugobs_core::registry::metadata;
use plugobs_driver::transport::{CallError, OutgoingCall};
use plugobs_proto::codec::FrameCodec;
use tonic::client::Grpc;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::Answer;

/// The largest answer that is read: one can carry a whole body.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The connection, and the key that the plugin wants to see.
pub(super) struct Wire {
    channel: Channel,
    authorization: AsciiMetadataValue,
}

impl Wire {
    pub(super) fn new(channel: Channel, authorization: AsciiMetadataValue) -> Self {
        Self {
            channel,
            authorization,
        }
    }

    /// What goes along with the call, whatever the call is.
    pub(super) fn metadata(&self, call: &OutgoingCall) -> MetadataMap {
        let mut map = MetadataMap::new();
        let key = AsciiMetadataKey::from_static;
        map.insert(key(metadata::AUTHORIZATION), self.authorization.clone());
        for (name, value) in call.identity.to_metadata() {
            // What cannot be sent is left out: metadata cannot fail a call.
            if let Ok(value) = AsciiMetadataValue::try_from(value) {
                map.insert(key(name), value);
            }
        }
        let deadline = unix_milliseconds(call.timeout);
        if let Ok(value) = AsciiMetadataValue::try_from(deadline.to_string()) {
            map.insert(key(metadata::PACT_DEADLINE_MS), value);
        }
        map
    }

    /// Calls `service/operation`.
    pub(super) async fn unary<Q, A>(
        &self,
        path: &'static str,
        metadata: MetadataMap,
        message: Q,
    ) -> Answer<A>
    where
        Q: prost::Message + 'static,
        A: prost::Message + Default + 'static,
    {
        // Not `unary` of the library: it does not tell initial metadata from
        // trailing metadata (OBS-GRPC-37).
        let mut position = None;
        let result = self
            .answer(path, metadata, message, &mut position)
            .await
            .map_err(|failed| match failed {
                Failed::NotReady(text) => CallError::Connection(text),
                Failed::Status(status) => {
                    position = position_in(status.metadata()).or(position);
                    error_of(&status)
                }
            });
        Answer { result, position }
    }

    async fn answer<Q, A>(
        &self,
        path: &'static str,
        metadata: MetadataMap,
        message: Q,
        position: &mut Option<LogPosition>,
    ) -> Result<A, Failed>
    where
        Q: prost::Message + 'static,
        A: prost::Message + Default + 'static,
    {
        let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES);
        grpc.ready()
            .await
            .map_err(|error| Failed::NotReady(error.to_string()))?;
        let once = Box::pin(stream::once(async move { message }));
        let request = Request::from_parts(metadata, tonic::Extensions::new(), once);
        let codec = FrameCodec::<Q, A>::default();
        let response = grpc
            .streaming(request, PathAndQuery::from_static(path), codec)
            .await?;
        *position = position_in(response.metadata());
        let mut body = response.into_inner();
        let answer = body
            .message()
            .await?
            .ok_or_else(|| Box::new(Status::internal("the answer holds no message")))?;
        if let Some(trailers) = body.trailers().await? {
            *position = position_in(&trailers).or(*position);
        }
        Ok(answer)
    }
}

enum Failed {
    NotReady(String),
    Status(Box<Status>),
}

impl From<Status> for Failed {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

impl From<Box<Status>> for Failed {
    fn from(status: Box<Status>) -> Self {
        Self::Status(status)
    }
}

fn position_in(map: &MetadataMap) -> Option<LogPosition> {
    let value = map.get(metadata::PLUGIN_LOG_SEQUENCE)?;
    LogPosition::parse(value.to_str().ok()?)
}

/// A status with a source was made on this side, of an error of the
/// connection, unless only this call's stream was reset.
fn error_of(status: &Status) -> CallError {
    let mut source = status.source();
    let is_local = source.is_some();
    let mut is_reset = false;
    while let Some(error) = source {
        let h2 = error.downcast_ref::<h2::Error>();
        is_reset |= h2.is_some_and(|error| error.is_reset() && error.is_remote());
        source = error.source();
    }
    if is_local && !is_reset {
        return CallError::Connection(innermost(status));
    }
    CallError::Status {
        code: code_name(status.code()).to_owned(),
        message: status.message().to_owned(),
    }
}

fn innermost(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut source = status.source();
    while let Some(error) = source {
        text = error.to_string();
        source = error.source();
    }
    text
}

/// The code as the gRPC specification writes it.
pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// `after` from now, as the deployed deadline is written.
fn unix_milliseconds(after: Duration) -> u128 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    now.saturating_add(after).as_millis()
}
