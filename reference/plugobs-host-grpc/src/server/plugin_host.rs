//! The deployed host service: the unary log, and a plugin's calls back.

use std::sync::Arc;
use std::time::SystemTime;

use plugobs_core::registry::{metadata, source};
use plugobs_core::{CallIdentity, Timestamp};
use plugobs_driver::intake::{InstanceIntake, Path, Received};
use plugobs_driver::interface::Response as Answer;
use plugobs_driver::transport::{CallError, CallbackError, HostCallbacks};
use plugobs_proto::log_message::from_log_message;
use plugobs_proto::pact::v2 as pact;
use plugobs_proto::pact::v2::plugin_host_server::PluginHost;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};

use super::Streams;
use super::auth::authenticate;
use crate::client::code_name;
use crate::convert::v2::callback;

/// Serves one instance.
pub(super) struct HostService {
    intake: InstanceIntake,
    callbacks: Arc<dyn HostCallbacks>,
    streams: Arc<Streams>,
}

impl HostService {
    pub(super) fn new(
        intake: InstanceIntake,
        callbacks: Arc<dyn HostCallbacks>,
        streams: Arc<Streams>,
    ) -> Self {
        Self {
            intake,
            callbacks,
            streams,
        }
    }

    /// Whether the caller showed the token.
    fn admit(&self, map: &MetadataMap) -> Result<bool, Status> {
        let verified = authenticate(&self.intake, map)?;
        if self.streams.is_closed() {
            return Err(Status::unavailable("the instance of this port has ended"));
        }
        Ok(verified)
    }

    /// Makes the nested call, for the identity that the metadata names.
    async fn call_back(
        &self,
        map: &MetadataMap,
        entry_key: &str,
        (request, test_context): callback::Asked,
    ) -> Result<Answer, Status> {
        self.admit(map)?;
        let identity = CallIdentity::from_metadata(|key| text(map, key));
        let caller = self.intake.instance_id();
        self.callbacks
            .call_entry(caller, identity, test_context, entry_key, request)
            .await
            .map_err(|error| status_of(&error))
    }
}

#[tonic::async_trait]
impl PluginHost for HostService {
    /// OK whatever the message holds (OBS-GRPC-28).
    async fn log(&self, request: Request<pact::LogMessage>) -> Result<Response<()>, Status> {
        let verified = self.admit(request.metadata())?;
        let call_id = CallIdentity::from_metadata(|key| {
            (key == metadata::PLUGIN_CALL_ID)
                .then(|| text(request.metadata(), key))
                .flatten()
        })
        .call_id;
        let arrived = Timestamp::try_from(SystemTime::now()).unwrap_or_default();
        let mut record = from_log_message(request.into_inner(), arrived);
        record.call_id = call_id;
        let path = Path {
            source: source::RPC,
            verified,
        };
        let received = vec![Received::Record(Box::new(record))];
        self.intake.receive(path, received, &[]);
        Ok(Response::new(()))
    }

    async fn compare_contents(
        &self,
        request: Request<pact::HostCompareContentsRequest>,
    ) -> Result<Response<pact::CompareContentsResponse>, Status> {
        let (map, _, message) = request.into_parts();
        let asked = callback::compare(message.request.ok_or_else(no_request)?);
        match self.call_back(&map, &message.entry_key, asked).await? {
            Answer::Compared(answer) => Ok(Response::new(callback::compared(answer))),
            other => Err(unexpected(&other)),
        }
    }

    async fn generate_content(
        &self,
        request: Request<pact::HostGenerateContentRequest>,
    ) -> Result<Response<pact::GenerateContentResponse>, Status> {
        let (map, _, message) = request.into_parts();
        let asked = callback::generate(message.request.ok_or_else(no_request)?);
        match self.call_back(&map, &message.entry_key, asked).await? {
            Answer::Generated(answer) => Ok(Response::new(callback::generated(answer))),
            other => Err(unexpected(&other)),
        }
    }

    async fn match_field(
        &self,
        request: Request<pact::HostMatchFieldRequest>,
    ) -> Result<Response<pact::MatchFieldResponse>, Status> {
        let (map, _, message) = request.into_parts();
        let asked = callback::match_field(message.request.ok_or_else(no_request)?);
        match self.call_back(&map, &message.entry_key, asked).await? {
            Answer::FieldMatched { error, mismatches } => {
                Ok(Response::new(callback::field_matched(error, mismatches)))
            }
            other => Err(unexpected(&other)),
        }
    }

    async fn generate_field(
        &self,
        request: Request<pact::HostGenerateFieldRequest>,
    ) -> Result<Response<pact::GenerateFieldResponse>, Status> {
        let (map, _, message) = request.into_parts();
        let asked = callback::generate_field(message.request.ok_or_else(no_request)?);
        match self.call_back(&map, &message.entry_key, asked).await? {
            Answer::FieldGenerated { error, value } => {
                Ok(Response::new(callback::field_generated(error, value)))
            }
            other => Err(unexpected(&other)),
        }
    }
}

fn text<'a>(map: &'a MetadataMap, key: &str) -> Option<&'a str> {
    map.get(key)?.to_str().ok()
}

fn no_request() -> Status {
    Status::invalid_argument("the field request is missing; it holds what to ask the entry")
}

fn unexpected(answer: &Answer) -> Status {
    Status::internal(format!(
        "the entry's plugin gave an answer to another operation ({})",
        answer.outcome()
    ))
}

/// The caller sees what went wrong as if it had called the entry's plugin
/// itself.
fn status_of(error: &CallbackError) -> Status {
    let code = match error {
        CallbackError::UnknownEntry { .. } => Code::NotFound,
        CallbackError::UnknownCall { .. } => Code::PermissionDenied,
        CallbackError::Call(CallError::Status { code, .. }) => (1..=16)
            .map(Code::from_i32)
            .find(|known| code_name(*known) == code)
            .unwrap_or(Code::Unknown),
        CallbackError::Call(CallError::Timeout(_)) => Code::DeadlineExceeded,
        CallbackError::Call(CallError::Connection(_)) => Code::Unavailable,
        CallbackError::Call(CallError::NotInInterface { .. }) => Code::Unimplemented,
        _ => Code::Internal,
    };
    Status::new(code, error.to_string())
}
