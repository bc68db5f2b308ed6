//! The `tracing` layer: every event becomes an operational record, and a span
//! takes the call in which it was created to wherever it is entered.

use std::cell::Cell;

use plugobs_tracing::{record_of_event, severity};
use tracing_core::span::{Attributes, Id};
use tracing_core::{Event, Interest, Metadata, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::bindings::plugobs::observability::logging;
use crate::context::{Context, call_number, enter_span, leave_span};
use crate::emit::{NO_TIME, emit};

/// Severities of the five levels.
const LEVELS: usize = 5;

thread_local! {
    /// The host's answers in the call of that number: it is asked once a call
    /// for each level (OBS-WASM-10).
    static ANSWERS: Cell<(u64, [Option<bool>; LEVELS])> = const { Cell::new((0, [None; LEVELS])) };
}

/// Whether the host wants records of this severity now.
fn is_wanted(severity: u8) -> bool {
    let (call, mut answers) = ANSWERS.get();
    if call != call_number() {
        answers = [None; LEVELS];
    }
    let level = usize::from((severity - 1) / 4).min(LEVELS - 1);
    let answer = answers[level].unwrap_or_else(|| logging::enabled(severity));
    answers[level] = Some(answer);
    ANSWERS.set((call_number(), answers));
    answer
}

/// Emits the events of the program that its host wants. There is no other layer
/// in a component, so it can speak for all.
pub(crate) struct RecordLayer;

impl<S> Layer<S> for RecordLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The level changes from call to call.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: LayerContext<'_, S>) -> bool {
        // Spans carry their call at every level.
        metadata.is_span() || is_wanted(severity(*metadata.level()).number())
    }

    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, spans: LayerContext<'_, S>) {
        if let (Some(context), Some(span)) = (Context::current(), spans.span(id)) {
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
        let named = event.parent().and_then(|span| of_span(&spans, span));
        let context = named.or_else(Context::current);
        emit(&mut record_of_event(event, NO_TIME), context.as_ref());
    }
}

/// The call in which a span was created.
fn of_span<S>(spans: &LayerContext<'_, S>, id: &Id) -> Option<Context>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    spans.span(id)?.extensions().get::<Context>().cloned()
}
