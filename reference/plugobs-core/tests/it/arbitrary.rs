//! Records of every kind, for properties that hold for all of them.

use plugobs_core::{Exception, Record, Scalar, Severity, Timestamp, TraceContext, Value};
use proptest::collection::{hash_map, vec};
use proptest::option;
use proptest::prelude::*;

/// Text with everything that can go wrong in it.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let c = prop_oneof![
        4 => any::<char>(),
        4 => prop::char::range(' ', '~'),
        1 => prop::sample::select(vec![
            '\0', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{85}', '"', '\\', '/',
            '\u{200b}', '\u{2028}', '\u{202e}', '\u{feff}', '\u{e0041}', '\u{10ffff}',
        ]),
    ];
    vec(c, 0..40).prop_map(String::from_iter)
}

fn some_text() -> impl Strategy<Value = String> {
    text().prop_map(|text| format!("x{text}"))
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        text().prop_map(Scalar::String),
        any::<bool>().prop_map(Scalar::Bool),
        prop_oneof![
            any::<i64>(),
            prop::sample::select(vec![i64::MIN, i64::MAX, 0, (1 << 53) - 1, 1 << 53])
        ]
        .prop_map(Scalar::Int),
        prop_oneof![
            any::<f64>().prop_filter("NaN is no equal of itself", |d| !d.is_nan()),
            prop::sample::select(vec![
                0.0,
                -0.0,
                1.0,
                1e300,
                5e-324,
                f64::INFINITY,
                f64::NEG_INFINITY
            ])
        ]
        .prop_map(Scalar::Double),
        vec(any::<u8>(), 0..40).prop_map(Scalar::Bytes),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar().prop_map(Value::Scalar),
        1 => vec(scalar(), 0..6).prop_map(Value::List),
    ]
}

fn exception() -> impl Strategy<Value = Exception> {
    (
        some_text(),
        option::of(some_text()),
        option::of(some_text()),
    )
        .prop_map(|(kind, message, stack_trace)| Exception {
            kind: Some(kind),
            message,
            stack_trace,
        })
}

fn trace_context() -> impl Strategy<Value = TraceContext> {
    (any::<[u8; 15]>(), any::<[u8; 7]>(), any::<u8>()).prop_map(|(trace, span, flags)| {
        // Not all zero.
        let (mut trace_id, mut span_id) = ([1; 16], [1; 8]);
        trace_id[1..].copy_from_slice(&trace);
        span_id[1..].copy_from_slice(&span);
        TraceContext {
            trace_id,
            span_id,
            flags,
        }
    })
}

/// What a plugin could send, valid or not, as a reader would hold it.
pub(crate) fn record() -> impl Strategy<Value = Record> {
    let identity = (
        option::of(some_text()),
        option::of(some_text()),
        option::of(1..=u64::MAX),
        option::of(1..=u64::MAX),
    );
    let content = (
        any::<u64>(),
        1..=24u32,
        some_text(),
        text(),
        text(),
        some_text(),
        option::of(some_text()),
    );
    let more = (
        hash_map(some_text(), value(), 0..6),
        option::of(exception()),
        option::of(trace_context()),
        option::of(some_text()),
        any::<u64>(),
    );
    (identity, content, more).prop_map(|(identity, content, more)| {
        let (time, severity, level, target, message, channel, event_name) = content;
        let severity = Severity::from_number(severity).unwrap();
        let time = Timestamp::from_unix_nanos(time);
        let mut record = Record::new(time, severity, &target, &message);
        record.level = level;
        record.channel = channel;
        record.event_name = event_name;
        (
            record.plugin_instance_id,
            record.test_run_id,
            record.epoch,
            record.sequence,
        ) = identity;
        record.attributes = more.0.into_iter().collect();
        record.exception = more.1;
        record.trace_context = more.2;
        record.marks = more.3.into_iter().collect();
        record.truncated_bytes = more.4;
        record
    })
}
