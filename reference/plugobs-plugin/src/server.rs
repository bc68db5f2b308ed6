//! The `tower` layer of a plugin's gRPC server: each call runs in its context,
//! and each answer says how far the log had come.

use std::future::Future;
use std::pin::Pin;
use std::task;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use plugobs_core::registry::{attribute, event, mark, metadata};
use plugobs_core::{CallId, CallIdentity, Text, ids};
use tonic::body::Body;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Instrument;

use crate::body::first_message;
use crate::context::Context;
use crate::emitter::{Emitter, SharedEmitter};
use crate::peek::{self, Operation, Peeked};

/// What a client says it can decompress.
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";

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

impl<S, B> Service<Request<Body>> for InContext<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
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
        Box::pin(async move {
            let operation = peek::operation(request.uri().path());
            let (peeked, request) = look(operation, request).await;
            let call = Call::new(&emitter, operation, peeked, request.headers());
            let response = call.serve(inner, request).await?;
            Ok(call.finish(response.map(Body::new)).await)
        })
    }
}

/// Reads the message of an operation that tells something, and puts it back.
async fn look(operation: Option<Operation>, request: Request<Body>) -> (Peeked, Request<Body>) {
    let Some(operation) = operation else {
        return (Peeked::default(), request);
    };
    let (mut parts, body) = request.into_parts();
    if let Operation::Init(_) = operation {
        // The answer is looked into as well, and for that has to be plain.
        parts.headers.remove(ACCEPT_ENCODING);
    }
    let (message, body) = first_message(body).await;
    let peeked = message.map(|message| peek::request(operation, &message));
    let request = Request::from_parts(parts, body);
    (peeked.unwrap_or_default(), request)
}

/// One call that is being served.
struct Call<'a> {
    emitter: &'a Emitter,
    operation: Option<Operation>,
    context: Context,
}

impl<'a> Call<'a> {
    fn new(
        emitter: &'a Emitter,
        operation: Option<Operation>,
        peeked: Peeked,
        headers: &HeaderMap,
    ) -> Self {
        let call = Self {
            emitter,
            operation,
            context: context_of(headers, peeked.test_run_id.as_deref()),
        };
        if let Some(Operation::Init(_)) = operation {
            call.init_received(peeked);
        }
        call
    }

    async fn serve<S, B>(
        &self,
        mut inner: S,
        request: Request<Body>,
    ) -> Result<Response<B>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<B>>,
    {
        // An error span is on at every level, so that work which takes only
        // the current span along takes the call along, whatever is filtered.
        let span = {
            let _entered = self.context.clone().enter();
            tracing::error_span!(target: "plugobs", "call", path = request.uri().path())
        };
        let work = async move { inner.call(request).await };
        self.context.clone().scope(work.instrument(span)).await
    }

    async fn finish(&self, mut response: Response<Body>) -> Response<Body> {
        if let Some(Operation::Init(interface_2)) = self.operation {
            response = self.after_init(interface_2, response).await;
        }
        // After the handler, so that every record of it is counted
        // (OBS-GRPC-36).
        let position = self.emitter.numbered_position();
        let value = position.map(|position| HeaderValue::from_str(&position.to_string()));
        if let Some(Ok(value)) = value {
            response
                .headers_mut()
                .insert(metadata::PLUGIN_LOG_SEQUENCE, value);
        }
        response
    }

    fn init_received(&self, peeked: Peeked) {
        if let Some(id) = &peeked.plugin_instance_id {
            self.emitter.set_instance_id(id);
        }
        let (implementation, version) = peeked.host.unwrap_or_default();
        self.emitter.lifecycle(
            event::PLUGIN_INIT_RECEIVED,
            &format!("InitPlugin from {implementation} {version}"),
            vec![
                (
                    attribute::HOST_IMPLEMENTATION,
                    implementation.as_str().into(),
                ),
                (attribute::HOST_VERSION, version.as_str().into()),
            ],
            Some(&self.context),
        );
    }

    /// Looks into the answer to `InitPlugin`, and puts it back.
    async fn after_init(&self, interface_2: bool, response: Response<Body>) -> Response<Body> {
        let (parts, body) = response.into_parts();
        let collected = match body.collect().await {
            Ok(collected) => collected,
            // The handler's own error is the answer.
            Err(status) => return status.into_http(),
        };
        let trailers = collected.trailers().cloned();
        let bytes = collected.to_bytes();
        let has_failed = |headers: &HeaderMap| headers.get("grpc-status").is_some_and(|s| s != "0");
        if let Some(entries) = peek::catalogue_entries(interface_2, &bytes)
            && !has_failed(&parts.headers)
            && !trailers.as_ref().is_some_and(has_failed)
        {
            self.emitter.lifecycle(
                event::PLUGIN_CATALOGUE_REGISTERED,
                &format!("{entries} catalogue entries"),
                vec![(attribute::CATALOGUE_ENTRIES, (entries as u64).into())],
                Some(&self.context),
            );
            let context = Some(&self.context);
            self.emitter
                .lifecycle(event::PLUGIN_READY, "ready", Vec::new(), context);
        }
        let body = Full::new(bytes).with_trailers(async move { trailers.map(Ok) });
        Response::from_parts(parts, Body::new(body))
    }
}

fn context_of(headers: &HeaderMap, field: Option<&str>) -> Context {
    let get = |key: &str| headers.get(key)?.to_str().ok();
    // Baggage may come in several values, which are one list.
    let baggage = headers.get_all(metadata::BAGGAGE).into_iter();
    let baggage: Vec<_> = baggage.filter_map(|value| value.to_str().ok()).collect();
    let baggage = baggage.join(",");
    let mut identity = CallIdentity::from_metadata(|key| match key {
        metadata::BAGGAGE => Some(baggage.as_str()),
        other => get(other),
    });
    // What breaks its form is absent (OBS-GRPC-14).
    for id in [&mut identity.call_id, &mut identity.parent_call_id] {
        *id = id.take().filter(|id| CallId::parse(id).is_ok());
    }
    let is_chain = |id: &Text| ids::check_test_run_id(id).is_ok();
    identity.call_chain_id = identity.call_chain_id.filter(is_chain);

    let mut marks = Vec::new();
    // The field wins over the metadata (OBS-ID-35).
    if let Some(field) = field {
        let told = identity.test_run_id.replace(field.into());
        if told.is_some_and(|told| told != field) {
            marks.push(mark::ID_CONFLICT);
        }
    }
    if identity.test_run_id.is_some() && identity.valid_test_run_id().is_none() {
        marks.push(mark::INVALID_TEST_RUN_ID);
    }
    let deadline = get(metadata::PACT_DEADLINE_MS).map(str::to_owned);
    Context::new(identity, marks, deadline)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(headers: &[(&'static str, &str)], field: Option<&str>) -> Context {
        let headers = headers
            .iter()
            .map(|(key, value)| ((*key).parse().unwrap(), value.parse().unwrap()));
        context_of(&headers.collect(), field)
    }

    #[test]
    fn the_field_wins_and_what_is_wrong_is_marked() {
        let metadata = [("plugin-test-run-id", "m")];
        let both = context(&metadata, Some("f"));
        assert_eq!(both.identity().test_run_id.as_deref(), Some("f"));
        assert_eq!(both.marks(), [mark::ID_CONFLICT]);
        assert!(context(&metadata, Some("m")).marks().is_empty());
        let alone = context(&metadata, None);
        assert_eq!(alone.identity().test_run_id.as_deref(), Some("m"));
        assert!(alone.marks().is_empty());
        let wrong = context(&metadata, Some("two words"));
        assert_eq!(
            wrong.marks(),
            [mark::ID_CONFLICT, mark::INVALID_TEST_RUN_ID]
        );
        assert!(context(&[], None).marks().is_empty());
    }

    #[test]
    fn baggage_stands_in_and_a_broken_call_id_is_none() {
        let pairs = [
            ("baggage", "a=b, test.run.id=t%25;p=1"),
            ("plugin-call-id", "seven"),
            ("pact-call-chain-id", "chain"),
        ];
        let context = context(&pairs, None);
        let identity = context.identity();
        assert_eq!(identity.test_run_id.as_deref(), Some("t%"));
        assert_eq!(identity.call_id, None);
        assert_eq!(identity.call_chain_id.as_deref(), Some("chain"));
    }
}
