//! The `tracing` layer: every event becomes an operational record, and a span
//! takes the call in which it was created to wherever it is entered.

use plugobs_tracing::{record_of_event, severity};
use tracing_core::span::{Attributes, Id};
use tracing_core::subscriber::Interest;
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, Filter, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::context::{Context, enter_span, leave_span};
use crate::emitter::{SharedEmitter, now};
use crate::transport::is_transport_thread;

/// Emits the events of the program; see [`crate::Diagnostics::layer`].
pub(crate) struct RecordLayer(pub(crate) SharedEmitter);

/// The level that is set, as a filter of this layer alone: layers beside it
/// keep their own.
pub(crate) struct Threshold(pub(crate) SharedEmitter);

impl Threshold {
    /// Spans carry the context of their call and are wanted at every level, but
    /// for those that the libraries of the transport make by the thousand.
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let of_library = is_of_transport_library(metadata.target());
        if metadata.is_span() && !of_library {
            return true;
        }
        let mut least = self.0.level();
        if of_library {
            least = least.max(self.0.options.library_level.number());
        }
        severity(*metadata.level()).number() >= least
    }
}

/// The libraries that carry gRPC; see [`crate::Builder::library_level`].
fn is_of_transport_library(target: &str) -> bool {
    let library = target.split("::").next().unwrap_or_default();
    matches!(library, "h2" | "hyper" | "hyper_util" | "tonic" | "tower")
}

impl<S> Filter<S> for Threshold {
    fn enabled(&self, metadata: &Metadata<'_>, _context: &LayerContext<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Asked once for each place of the code, and again when the level
        // changes: a level that is off costs one look at a cached answer.
        if self.wants(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }
}

impl<S> Layer<S> for RecordLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, span: &Attributes<'_>, id: &Id, spans: LayerContext<'_, S>) {
        let context = match span.parent() {
            Some(parent) => of_span(&spans, parent).or_else(Context::current),
            None => Context::current(),
        };
        if let (Some(context), Some(span)) = (context, spans.span(id)) {
            span.extensions_mut().insert(context);
        }
    }

    fn on_enter(&self, id: &Id, spans: LayerContext<'_, S>) {
        if let Some(context) = of_span(&spans, id) {
            enter_span(id.into_u64(), context);
        }
    }

    fn on_exit(&self, id: &Id, _: LayerContext<'_, S>) {
        leave_span(id.into_u64());
    }

    fn on_event(&self, event: &Event<'_>, spans: LayerContext<'_, S>) {
        // What the transport's own libraries log while records are carried
        // would come back as records (OBS-CHAN-20).
        if is_transport_thread() {
            return;
        }
        let mut record = record_of_event(event, now());
        // A span that the event names is nearer than what is entered.
        let named = event.parent().and_then(|span| of_span(&spans, span));
        let context = named.or_else(Context::current);
        self.0.emit(&mut record, context.as_ref());
    }
}

/// The call in which a span was created.
fn of_span<S>(spans: &LayerContext<'_, S>, id: &Id) -> Option<Context>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    spans.span(id)?.extensions().get::<Context>().cloned()
}
