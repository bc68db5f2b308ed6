//! Records of every kind, for properties that hold for all of them.

use plugobs_core::{
    Claimed, Exception, Record, Scalar, Severity, Text, Timestamp, TraceContext, Value,
};
use proptest::collection::{hash_map, hash_set, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::Value as Json;

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

/// Doubles of every size; half of them are such as people measure.
pub(crate) fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        -1e6..1e6,
        0.0..1.0,
        prop::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            9_007_199_254_740_993.0,
            1e16,
            1e300,
            5e-324,
            f64::MAX,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ]),
    ]
}

/// Any JSON, such as a later version's members hold.
pub(crate) fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-1e6..1e6).prop_map(Json::from),
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            hash_map(text(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
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
        double()
            .prop_filter("NaN is no equal of itself", |d| !d.is_nan())
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

pub(crate) fn trace_context() -> impl Strategy<Value = TraceContext> {
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

/// Text of a length that no limit takes, of characters that JSON makes longer.
fn long_text(max: usize) -> impl Strategy<Value = String> {
    let c = prop::sample::select(vec!['a', 'é', '😀', '\u{1b}', '"', '\u{e0041}']);
    (text(), c, 0..max).prop_map(|(start, c, n)| {
        let rest = std::iter::repeat_n(c, n);
        format!("x{start}").chars().chain(rest).collect()
    })
}

/// What a hostile sender could send: everything too long and too many.
pub(crate) fn hostile_record() -> impl Strategy<Value = Record> {
    let names = vec(long_text(300), 7);
    let texts = vec(option::of(long_text(12_000)), 4);
    let marks = hash_set(long_text(300), 0..20);
    let attributes = vec((long_text(200), value()), 0..90);
    (record(), names, texts, marks, attributes).prop_map(
        |(record, mut names, mut texts, marks, attributes)| {
            let mut name = || names.pop().unwrap_or_default();
            let mut text = || texts.pop().unwrap_or_default();
            Record {
                level: name().into(),
                channel: name().into(),
                target: name().into(),
                event_name: Some(name().into()),
                plugin_instance_id: Some(name().into()),
                test_run_id: Some(name().into()),
                call_id: Some(name().into()),
                message: text().unwrap_or_default().into(),
                exception: Some(Exception {
                    kind: text().or_else(|| Some(String::new())),
                    message: text(),
                    stack_trace: text(),
                }),
                marks: marks.into_iter().collect(),
                attributes,
                ..record
            }
        },
    )
}

/// A record as it stands in a run: with what the driver adds, and with what
/// neither knows.
pub(crate) fn stored_record() -> impl Strategy<Value = Record> {
    let driver = (any::<u64>(), vec(some_text(), 4), vec(any::<u8>(), 0..20));
    let claimed = option::of((some_text(), vec(option::of(some_text()), 3)));
    let unknown = hash_map("x-[a-z]{1,8}", json(), 0..4);
    (record(), driver, claimed, unknown).prop_map(|(record, driver, claimed, unknown)| {
        let (observed, mut texts, unknown_fields) = driver;
        Record {
            observed_timestamp: Some(Timestamp::from_unix_nanos(observed.max(1))),
            run_id: texts.pop().map(Into::into),
            plugin_name: texts.pop().map(Into::into),
            plugin_version: texts.pop().map(Into::into),
            source: texts.pop().map(Into::into),
            claimed: claimed.map(|(via, mut ids)| {
                Box::new(Claimed {
                    plugin_instance_id: ids.pop().flatten().map(Into::into),
                    test_run_id: ids.pop().flatten().map(Into::into),
                    call_id: ids.pop().flatten().map(Into::into),
                    via: Some(via.into()),
                })
            }),
            unknown_fields,
            unknown_members: unknown.into_iter().collect(),
            ..record
        }
    })
}

/// What a plugin could send, valid or not, as a reader would hold it.
pub(crate) fn record() -> impl Strategy<Value = Record> {
    let identity = (
        option::of(some_text()),
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
        hash_set(some_text(), 0..3),
        any::<u64>(),
    );
    (identity, content, more).prop_map(|(identity, content, more)| {
        let (time, severity, level, target, message, channel, event_name) = content;
        let severity = Severity::from_number(severity).unwrap();
        let time = Timestamp::from_unix_nanos(time);
        let mut record = Record::new(time, severity, &target, &message);
        record.level = level.into();
        record.channel = channel.into();
        record.event_name = event_name.map(Into::into);
        let (instance, test, call, epoch, sequence) = identity;
        record.plugin_instance_id = instance.map(Text::from);
        record.test_run_id = test.map(Text::from);
        record.call_id = call.map(Text::from);
        (record.epoch, record.sequence) = (epoch, sequence);
        record.attributes = more.0.into_iter().collect();
        record.exception = more.1;
        record.trace_context = more.2;
        record.marks = more.3.into_iter().collect();
        record.truncated_bytes = more.4;
        record
    })
}
