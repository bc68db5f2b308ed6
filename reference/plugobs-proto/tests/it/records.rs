//! Records as protobuf (OBS-GRPC-22 to 26).

use plugobs_core::limits::size;
use plugobs_core::registry::{RejectionCode as Code, mark};
use plugobs_core::{Limits, Record, Scalar, Value};
use plugobs_proto::convert::{decode_record, encode_record};
use plugobs_proto::observability::v1;
use proptest::prelude::*;
use prost::Message;

use crate::arbitrary;

fn attribute(key: &str, kind: Option<v1::value::Kind>) -> v1::Attribute {
    v1::Attribute {
        key: key.to_owned(),
        value: Some(v1::Value { kind }),
    }
}

fn read(proto: v1::Record) -> Record {
    decode_record(&proto.encode_to_vec()).unwrap()
}

fn refused(proto: v1::Record) -> (Code, String) {
    let rejection = decode_record(&proto.encode_to_vec()).unwrap_err();
    (rejection.code, rejection.field)
}

/// A field that no version of the record has: number 1000, a text.
fn unknown_field() -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::string::encode(1000, &"later".to_owned(), &mut bytes);
    bytes
}

#[test]
fn obs_grpc_22_a_severity_above_the_highest_is_the_highest() {
    let severity = |severity_number| {
        let proto = v1::Record {
            severity_number,
            ..v1::Record::default()
        };
        read(proto).severity.number()
    };
    assert_eq!(
        (severity(24), severity(25), severity(u32::MAX)),
        (24, 24, 24)
    );
}

#[test]
fn obs_grpc_23_empty_texts_and_zeros_are_absent() {
    let record = read(v1::Record {
        claimed: Some(v1::Claimed::default()),
        attributes: vec![
            attribute("zero", Some(v1::value::Kind::IntValue(0))),
            attribute("empty", Some(v1::value::Kind::StringValue(String::new()))),
        ],
        marks: vec![String::new()],
        ..v1::Record::default()
    });
    assert_eq!((record.epoch, record.sequence), (None, None));
    assert_eq!(record.plugin_instance_id, None);
    assert_eq!(record.observed_timestamp, None);
    assert_eq!(record.channel, "operational");
    assert_eq!(
        (record.level.as_str(), record.severity.number()),
        ("INFO", 9)
    );
    assert_eq!(record.marks, [mark::UNKNOWN_LEVEL]);
    // Inside of attributes they are values.
    assert_eq!(record.attribute("zero"), Some(&0.into()));
    assert_eq!(record.attribute("empty"), Some(&"".into()));
}

#[test]
fn obs_grpc_24_what_is_no_record_is_refused() {
    let code = |bytes: &[u8]| decode_record(bytes).unwrap_err().code;
    assert_eq!(code(&[0xff]), Code::MalformedProtobuf);
    // Field 12, the message: a length of 5 and one byte.
    assert_eq!(code(&[0x62, 5, b'x']), Code::MalformedProtobuf);
    assert_eq!(code(&[0x62, 1, 0xff]), Code::InvalidUtf8);
    // The message as a number.
    assert_eq!(code(&[0x60, 1]), Code::MalformedProtobuf);
}

#[test]
fn obs_grpc_25_and_26_of_attributes_the_first_with_a_value_stays() {
    use v1::value::Kind;

    let list = v1::ListValue {
        values: vec![
            v1::Scalar { kind: None },
            v1::Scalar {
                kind: Some(v1::scalar::Kind::BoolValue(true)),
            },
        ],
    };
    let record = read(v1::Record {
        attributes: vec![
            attribute("none", None),
            v1::Attribute {
                key: "nothing".to_owned(),
                value: None,
            },
            attribute("k", None),
            attribute("k", Some(Kind::IntValue(1))),
            attribute("k", Some(Kind::IntValue(2))),
            attribute("list", Some(Kind::ListValue(list))),
        ],
        ..v1::Record::default()
    });
    let expected = [
        ("k".to_owned(), 1.into()),
        ("list".to_owned(), Value::List(vec![Scalar::Bool(true)])),
    ];
    assert_eq!(record.attributes, expected);
}

#[test]
fn what_breaks_a_rule_is_named() {
    let with = |attributes| v1::Record {
        attributes,
        ..v1::Record::default()
    };
    let keyless = with(vec![attribute("", Some(v1::value::Kind::IntValue(1)))]);
    assert_eq!(
        refused(keyless),
        (Code::MissingField, "attributes".to_owned())
    );
    let empty = v1::Record {
        exception: Some(v1::Exception::default()),
        ..v1::Record::default()
    };
    assert_eq!(refused(empty), (Code::MissingField, "exception".to_owned()));
    let fine = v1::TraceContext {
        trace_id: vec![1; 16],
        span_id: vec![1; 8],
        flags: 255,
    };
    let traced = |trace_context: v1::TraceContext| v1::Record {
        trace_context: Some(trace_context),
        ..v1::Record::default()
    };
    assert_eq!(read(traced(fine.clone())).trace_context.unwrap().flags, 255);
    for broken in [
        v1::TraceContext {
            trace_id: vec![1; 15],
            ..fine.clone()
        },
        v1::TraceContext {
            trace_id: vec![0; 16],
            ..fine.clone()
        },
        v1::TraceContext {
            span_id: vec![1; 9],
            ..fine.clone()
        },
        v1::TraceContext {
            span_id: vec![0; 8],
            ..fine.clone()
        },
        v1::TraceContext { flags: 256, ..fine },
    ] {
        let expected = (Code::InvalidTraceContext, "traceContext".to_owned());
        assert_eq!(refused(traced(broken)), expected);
    }
}

#[test]
fn obs_rec_20_fields_that_are_not_known_are_kept_in_their_wire_form() {
    let mut bytes = unknown_field();
    let known = v1::Record {
        message: "m".to_owned(),
        run_id: "r".to_owned(),
        ..v1::Record::default()
    };
    bytes.extend(known.encode_to_vec());
    // Field 999 as a group that holds field 1, a number.
    let group = [0xbb, 0x3e, 0x08, 0x07, 0xbc, 0x3e];
    bytes.extend(group);
    let record = decode_record(&bytes).unwrap();
    assert_eq!(
        (record.message.as_str(), record.run_id.as_deref()),
        ("m", Some("r"))
    );
    assert_eq!(
        record.unknown_fields,
        [unknown_field(), group.to_vec()].concat()
    );
}

#[test]
fn a_flood_of_marks_is_read() {
    // Comparing each with each would not end.
    let marks = (0..200_000).map(|n| format!("{}", n % 100_000)).collect();
    let record = read(v1::Record {
        marks,
        level: "INFO".to_owned(),
        ..v1::Record::default()
    });
    assert_eq!(record.marks.len(), 100_000);
}

proptest! {
    #[test]
    fn a_record_survives_protobuf(record in arbitrary::stored_record()) {
        // Unknown members are JSON's alone.
        let record = Record { unknown_members: serde_json::Map::new(), ..record };
        let encoded = encode_record(&record);
        prop_assert_eq!(&decode_record(&encoded).unwrap(), &record);
        // The generated message is of one mind with the fields that are written
        // and read one by one.
        let generated = v1::Record::decode(encoded.as_slice()).unwrap();
        prop_assert_eq!(&decode_record(&generated.encode_to_vec()).unwrap(), &record);
    }

    #[test]
    fn the_size_is_an_upper_bound(record in arbitrary::record(), epoch in any::<u64>()) {
        let record = Record { epoch: Some(epoch), sequence: Some(u64::MAX), ..record };
        let encoded = encode_record(&record).len();
        prop_assert!(encoded <= size(&record), "{} > {}", encoded, size(&record));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_record(&bytes);
    }

    #[test]
    fn no_broken_record_makes_the_reader_panic(
        record in arbitrary::record(), at in any::<proptest::sample::Index>(), put in any::<u8>(),
    ) {
        let mut bytes = encode_record(&record);
        let at = at.index(bytes.len());
        let _ = decode_record(&bytes[..at]);
        bytes[at] = put;
        let _ = decode_record(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_record_within_its_limits_is_so_on_the_wire(
        record in arbitrary::hostile_record(), record_bytes in 4_096..40_000usize,
    ) {
        let mut record = Record { epoch: Some(u64::MAX), sequence: Some(u64::MAX), ..record };
        prop_assert!(encode_record(&record).len() <= size(&record));
        Limits { record_bytes, ..Limits::default() }.enforce(&mut record);
        prop_assert!(encode_record(&record).len() <= record_bytes);
        prop_assert_eq!(decode_record(&encode_record(&record)).unwrap(), record);
    }
}
