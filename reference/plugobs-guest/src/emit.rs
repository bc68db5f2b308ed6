//! Records on their way to the host: the one conversion from the record to its
//! form in `wit/`, and what the SDK says itself.

use plugobs_core::registry::{attribute, channel, event, mark};
use plugobs_core::{Limits, Record, Scalar, Severity, Text, Timestamp, Value};

use crate::bindings::plugobs::observability::{logging, types as wit};
use crate::context::{Context, with_instance_id};

/// The target of the SDK's own records.
pub(crate) const SDK_TARGET: &str = "plugobs.plugin";

/// A component has no clock: the host takes the time of the call
/// (OBS-WASM-15, OBS-WASM-16).
pub(crate) const NO_TIME: Timestamp = Timestamp::from_unix_nanos(0);

/// Hands a record to the host, as part of `context`. The host has it before
/// this returns (OBS-WASM-26).
pub(crate) fn emit(record: &mut Record, context: Option<&Context>) {
    if let Some(context) = context {
        put_in_context(record, context);
    }
    if record.message.is_empty() && record.event_name.is_none() {
        record.event_name = Some(Text::from_static("message"));
    }
    Limits::default().enforce(record);
    with_instance_id(|id| log(id, record));
}

/// Puts a call's identity on a record (OBS-ID-27, OBS-ID-31).
fn put_in_context(record: &mut Record, context: &Context) {
    let identity = context.identity();
    record.test_run_id.clone_from(&identity.test_run_id);
    record.call_id.clone_from(&identity.call_id);
    record.trace_context = identity.trace_context;
    if let Some(chain) = &identity.call_chain_id {
        // In front, because attributes are cut from the last.
        let attribute = ("callChainId".to_owned(), chain.as_str().into());
        record.attributes.insert(0, attribute);
    }
    if context.has_invalid_test_run_id() {
        record.mark(mark::INVALID_TEST_RUN_ID);
    }
}

/// Hands over the record as it lies in memory. What the host knows without being
/// told is left out (OBS-LEVEL-04, OBS-CHAN-05).
fn log(instance_id: &str, record: &Record) {
    let nanos = record.timestamp.unix_nanos();
    let unless = |known: &str, text| (known != text).then_some(text);
    let items: Vec<Vec<wit::Scalar<'_>>> = record.attributes.iter().map(items_of).collect();
    let attributes = record.attributes.iter().zip(&items);
    let attributes: Vec<_> = attributes
        .map(|((key, value), items)| (key.as_str(), value_of(value, items)))
        .collect();
    let marks: Vec<_> = record.marks.iter().map(String::as_str).collect();
    let entry = wit::LogRecord {
        call_id: record.call_id.as_deref(),
        timestamp_unix_nano: Some(nanos).filter(|nanos| *nanos > 0),
        level: unless(record.severity.shown(), record.level.as_str()),
        severity_number: Some(record.severity.number()),
        channel: unless(channel::OPERATIONAL, record.channel.as_str()),
        event_name: record.event_name.as_deref(),
        target: &record.target,
        message: &record.message,
        attributes: &attributes,
        exception: record.exception.as_ref().map(|exception| wit::Exception {
            kind: exception.kind.as_deref(),
            message: exception.message.as_deref(),
            stack_trace: exception.stack_trace.as_deref(),
        }),
        trace_context: record
            .trace_context
            .as_ref()
            .map(|context| wit::TraceContext {
                trace_id: &context.trace_id,
                span_id: &context.span_id,
                trace_flags: context.flags,
            }),
        marks: &marks,
        truncated_bytes: record.truncated_bytes,
        extra: &[],
    };
    logging::log(instance_id, record.test_run_id.as_deref(), entry);
}

fn value_of<'a>(value: &'a Value, items: &'a [wit::Scalar<'a>]) -> wit::Value<'a> {
    match value {
        Value::Scalar(Scalar::String(text)) => wit::Value::Text(text),
        Value::Scalar(Scalar::Bool(value)) => wit::Value::Boolean(*value),
        Value::Scalar(Scalar::Int(int)) => wit::Value::Int(*int),
        Value::Scalar(Scalar::Double(double)) => wit::Value::Double(*double),
        Value::Scalar(Scalar::Bytes(bytes)) => wit::Value::Bytes(bytes),
        Value::List(_) => wit::Value::Items(items),
    }
}

/// The items of a list; of all else none.
fn items_of((_, value): &(String, Value)) -> Vec<wit::Scalar<'_>> {
    match value {
        Value::List(items) => items.iter().map(scalar_of).collect(),
        Value::Scalar(_) => Vec::new(),
    }
}

fn scalar_of(scalar: &Scalar) -> wit::Scalar<'_> {
    match scalar {
        Scalar::String(text) => wit::Scalar::Text(text),
        Scalar::Bool(value) => wit::Scalar::Boolean(*value),
        Scalar::Int(int) => wit::Scalar::Int(*int),
        Scalar::Double(double) => wit::Scalar::Double(*double),
        Scalar::Bytes(bytes) => wit::Scalar::Bytes(bytes),
    }
}

/// A lifecycle record of the plugin.
pub(crate) fn lifecycle(
    event: &'static str,
    message: &str,
    attributes: Vec<(&str, Value)>,
    context: Option<&Context>,
) {
    let mut record = Record::lifecycle(NO_TIME, SDK_TARGET, event, message);
    for (key, value) in attributes {
        record = record.with(key, value);
    }
    emit(&mut record, context);
}

/// `plugin.started`: the first record of an instance.
pub(crate) fn started() {
    lifecycle(
        event::PLUGIN_STARTED,
        "diagnostics are set up",
        vec![
            (attribute::SDK_NAME, env!("CARGO_PKG_NAME").into()),
            (attribute::SDK_VERSION, env!("CARGO_PKG_VERSION").into()),
            (attribute::SDK_LANGUAGE, "rust".into()),
        ],
        None,
    );
}

/// A message for the person who reads the test result.
pub(crate) fn user_message(text: &str, commonmark: bool) {
    let mut record = Record::new(NO_TIME, Severity::INFO, "", text);
    record.channel = Text::from_static(channel::USER);
    if commonmark {
        record = record.with("message.format", "commonmark");
    }
    emit(&mut record, Context::current().as_ref());
}
