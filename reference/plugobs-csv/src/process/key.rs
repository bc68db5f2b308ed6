//! The key of the handshake: only who has read the plugin's standard output may call it.

use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Refuses calls that do not bear the key as their `authorization`.
#[derive(Debug, Clone)]
pub(super) struct Check {
    key: String,
}

impl Check {
    pub(super) fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
        }
    }
}

impl Interceptor for Check {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let shown = request.metadata().get("authorization");
        if shown.is_some_and(|shown| shown.as_bytes() == self.key.as_bytes()) {
            return Ok(request);
        }
        tracing::warn!(
            key_shown = shown.is_some(),
            "a call without the key of the handshake was refused"
        );
        Err(Status::unauthenticated(
            "send the serverKey of the handshake line as the metadata `authorization`",
        ))
    }
}
