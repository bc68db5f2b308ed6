//! The `tower` layer of a plugin's gRPC server: each call runs in its context,
//! and each answer says how far the log had come.

use std::future::Future;
use std::pin::Pin;
use std::task;

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Collected, Full};
use plugobs_core::CallIdentity;
use plugobs_core::registry::{attribute, event, metadata};
use prost::bytes::Bytes;
use tonic::body::Body;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Instrument;

use crate::context::Context;
use crate::emitter::{SharedEmitter, marks_of};
use crate::peek::{self, Operation, Peeked};

/// Puts every call of a server into its context; see
/// [`crate::Diagnostics::server_layer`].
#[derive(Clone)]
pub struct ServerLayer(pub(crate) SharedEmitter);

/// A server whose calls are in their context.
#[derive(Clone)]
pub struct InContext<S> {
    inner: S,
    emitter: SharedEmitter,
}

impl<S> Layer<S> for ServerLayer {
    type Service = InContext<S>;

    fn layer(&self, inner: S) -> InContext<S> {
        InContext {
            inner,
            emitter: self.0.clone(),
        }
    }
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<S> Service<Request<Body>> for InContext<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> task::Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone takes the place of the one that is ready.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        let emitter = self.emitter.clone();
        Box::pin(serve(inner, emitter, request))
    }
}

async fn serve<S>(
    mut inner: S,
    emitter: SharedEmitter,
    request: Request<Body>,
) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    let operation = peek::operation(request.uri().path());
    let (peeked, request) = look(operation, request).await;
    let context = context_of(request.headers(), peeked.test_run_id.as_deref());
    if let Some(Operation::Init(_)) = operation {
        init_received(&emitter, peeked);
    }
    // An error span is on at every level, so that a span of the handler's own
    // is inside of it whatever is filtered.
    let span = {
        let _entered = context.clone().enter();
        tracing::error_span!(target: "plugobs", "call", path = request.uri().path())
    };
    let work = inner.call(request).instrument(span);
    let mut response = context.scope(work).await?;
    if let Some(Operation::Init(v2)) = operation {
        response = after_init(&emitter, v2, response).await;
    }
    // After the handler, so that every record of it is counted (OBS-GRPC-36).
    if let Ok(value) = HeaderValue::from_str(&emitter.position().to_string()) {
        response
            .headers_mut()
            .insert(metadata::PLUGIN_LOG_SEQUENCE, value);
    }
    Ok(response)
}

/// Reads the body of an operation that tells something, and puts it back.
async fn look(operation: Option<Operation>, request: Request<Body>) -> (Peeked, Request<Body>) {
    let Some(operation) = operation else {
        return (Peeked::default(), request);
    };
    let (parts, body) = request.into_parts();
    // A body that broke off is no message; the server says so to the caller.
    let bytes = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let peeked = peek::request(operation, &bytes);
    let body = Body::new(Full::new(bytes));
    (peeked, Request::from_parts(parts, body))
}

fn context_of(headers: &HeaderMap, field: Option<&str>) -> Context {
    let get = |key: &str| headers.get(key)?.to_str().ok();
    let mut identity = CallIdentity::from_metadata(get);
    let marks = marks_of(field, identity.test_run_id.as_deref());
    // The field wins over the metadata (OBS-ID-35).
    if let Some(field) = field {
        identity.test_run_id = Some(field.to_owned());
    }
    let deadline = get(metadata::PACT_DEADLINE_MS).map(str::to_owned);
    Context::new(identity, marks, deadline)
}

fn init_received(emitter: &SharedEmitter, peeked: Peeked) {
    if let Some(id) = peeked.plugin_instance_id {
        emitter.set_instance_id(id);
    }
    let (implementation, version) = peeked.host.unwrap_or_default();
    emitter.lifecycle(
        event::PLUGIN_INIT_RECEIVED,
        &format!("InitPlugin from {implementation} {version}"),
        vec![
            (
                attribute::HOST_IMPLEMENTATION,
                implementation.as_str().into(),
            ),
            (attribute::HOST_VERSION, version.as_str().into()),
        ],
    );
}

/// Looks into the answer to `InitPlugin`, and puts it back.
async fn after_init(emitter: &SharedEmitter, v2: bool, response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let collected: Collected<Bytes> = match body.collect().await {
        Ok(collected) => collected,
        // The handler's own error is the answer.
        Err(status) => return status.into_http(),
    };
    let trailers = collected.trailers().cloned();
    let bytes = collected.to_bytes();
    if let Some(entries) = peek::catalogue_entries(v2, &bytes) {
        emitter.lifecycle(
            event::PLUGIN_CATALOGUE_REGISTERED,
            &format!("{entries} catalogue entries"),
            vec![(attribute::CATALOGUE_ENTRIES, (entries as u64).into())],
        );
        emitter.lifecycle(event::PLUGIN_READY, "ready", Vec::new());
    }
    let body = Full::new(bytes).with_trailers(async move { trailers.map(Ok) });
    Response::from_parts(parts, Body::new(body))
}
