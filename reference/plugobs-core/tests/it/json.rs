//! The JSON form (OBS-JSON-01 to 29).

use plugobs_core::json::{from_json, to_json_line};
use plugobs_core::registry::{RejectionCode as Code, mark};
use plugobs_core::{Exception, Limits, Record, Scalar, Severity, Timestamp, Value};

pub(crate) const TIME: &str = "2026-11-23T04:36:58.123456789Z";

/// The least record, with these members more.
fn with(members: &str) -> String {
    format!(r#"{{"timestamp":"{TIME}","message":"m"{members}}}"#)
}

pub(crate) fn read(members: &str) -> Record {
    from_json(&with(members)).unwrap()
}

#[track_caller]
fn refuses(members: &str, code: Code, field: &str) {
    let rejection = from_json(&with(members)).unwrap_err();
    assert_eq!(
        (rejection.code, rejection.field.as_str()),
        (code, field),
        "{rejection}"
    );
}

fn attribute(json: &str) -> Result<Value, Code> {
    from_json(&with(&format!(r#","attributes":{{"k":{json}}}"#)))
        .map(|record| record.attributes[0].1.clone())
        .map_err(|rejection| rejection.code)
}

#[test]
fn members_are_written_in_their_order_and_absent_ones_are_not() {
    let time = Timestamp::parse(TIME).unwrap();
    let mut record = Record::new(time, Severity::WARN, "", "");
    record.event_name = Some("e".into());
    assert_eq!(
        to_json_line(&record),
        format!(
            r#"{{"timestamp":"{TIME}","level":"WARN","message":"","target":"","channel":"operational","eventName":"e","severityNumber":13}}"#
        )
    );
    let full = "epoch\":9007199254740991,\"sequence\":\"9007199254740992\"";
    let line = to_json_line(&read(&format!(
        r#","{full},"unknown":[1,{{"a":null}}],"source":"rpc""#
    )));
    assert!(line.contains(full), "{line}");
    // Unknown members survive, after the known ones.
    assert!(
        line.ends_with(r#""source":"rpc","unknown":[1,{"a":null}]}"#),
        "{line}"
    );
}

#[test]
fn numbers_of_64_bits_are_read_in_either_form() {
    assert_eq!(read(r#","epoch":"7","sequence":8"#).epoch, Some(7));
    assert_eq!(
        read(r#","epoch":"18446744073709551615""#).epoch,
        Some(u64::MAX)
    );
    assert_eq!(
        read(r#","epoch":18446744073709551615"#).epoch,
        Some(u64::MAX)
    );
    refuses(
        r#","epoch":"18446744073709551616""#,
        Code::OutOfRange,
        "epoch",
    );
    refuses(r#","epoch":-1"#, Code::OutOfRange, "epoch");
    refuses(r#","epoch":1.5"#, Code::OutOfRange, "epoch");
    refuses(r#","epoch":"+1""#, Code::WrongType, "epoch");
    refuses(r#","epoch":true"#, Code::WrongType, "epoch");
    refuses(r#","epoch":1e1000"#, Code::OutOfRange, "$");
    // The numbers of fewer bits have one form (OBS-JSON-07).
    refuses(
        r#","severityNumber":"9""#,
        Code::WrongType,
        "severityNumber",
    );
    let flags = |flags: &str| {
        format!(
            r#","traceContext":{{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","flags":{flags}}}"#
        )
    };
    assert_eq!(
        read(&flags("255")).trace_context.map(|t| t.flags),
        Some(255)
    );
    refuses(&flags("256"), Code::InvalidTraceContext, "traceContext");
    refuses(&flags("\"1\""), Code::WrongType, "flags");
}

#[test]
fn obs_json_18_a_number_without_fraction_is_an_integer() {
    assert_eq!(attribute("-0"), Ok(0.into()));
    assert_eq!(attribute("[-0,\"-0\",-0]"), {
        let text = Scalar::String("-0".into());
        Ok(Value::List(vec![Scalar::Int(0), text, Scalar::Int(0)]))
    });
    assert_eq!(attribute("10"), Ok(10.into()));
    assert_eq!(attribute("-05"), Err(Code::InvalidJson));
    for negative_zero in ["-0.0", "-0e0", "-0E5", r#"{"double":"-0"}"#] {
        let Ok(Value::Scalar(Scalar::Double(double))) = attribute(negative_zero) else {
            panic!("{negative_zero} is no double")
        };
        assert_eq!(double.to_bits(), (-0.0f64).to_bits(), "{negative_zero}");
    }
}

#[test]
fn attribute_values_keep_their_type() {
    let scalar = |s: Scalar| Ok(Value::Scalar(s));
    assert_eq!(attribute("3"), scalar(Scalar::Int(3)));
    assert_eq!(attribute("3.0"), scalar(Scalar::Double(3.0)));
    assert_eq!(attribute("3e0"), scalar(Scalar::Double(3.0)));
    assert_eq!(
        attribute("-9223372036854775808"),
        scalar(Scalar::Int(i64::MIN))
    );
    assert_eq!(attribute(r#"{"int":"-5"}"#), scalar(Scalar::Int(-5)));
    assert_eq!(attribute(r#"{"double":"3"}"#), scalar(Scalar::Double(3.0)));
    assert_eq!(
        attribute(r#"{"double":"Infinity"}"#),
        scalar(Scalar::Double(f64::INFINITY))
    );
    assert_eq!(
        attribute(r#"{"bytes":"3q2+7w=="}"#),
        scalar(Scalar::Bytes(vec![0xde, 0xad, 0xbe, 0xef]))
    );
    assert_eq!(attribute("[]"), Ok(Value::List(vec![])));
    let list = vec![Scalar::String("a".into()), Scalar::Int(1)];
    assert_eq!(attribute(r#"["a",1]"#), Ok(Value::List(list)));
    for (json, code) in [
        ("null", Code::WrongType),
        ("[[1]]", Code::WrongType),
        ("{}", Code::WrongType),
        (r#"{"int":"1","double":"1"}"#, Code::WrongType),
        (r#"{"int":1}"#, Code::WrongType),
        (r#"{"other":"1"}"#, Code::WrongType),
        (r#"{"int":"1.5"}"#, Code::OutOfRange),
        (r#"{"double":"inf"}"#, Code::OutOfRange),
        (r#"{"double":"nan"}"#, Code::OutOfRange),
        (r#"{"double":""}"#, Code::OutOfRange),
        (r#"{"double":"+3"}"#, Code::OutOfRange),
        (r#"{"double":".5"}"#, Code::OutOfRange),
        (r#"{"double":"5."}"#, Code::OutOfRange),
        (r#"{"double":" 5"}"#, Code::OutOfRange),
        (r#"{"double":"1e999"}"#, Code::OutOfRange),
        (r#"{"int":"+5"}"#, Code::OutOfRange),
        (r#"{"int":""}"#, Code::OutOfRange),
        ("1e999", Code::OutOfRange),
        (r#"{"bytes":"3q2+7w"}"#, Code::InvalidBase64),
        (r#"{"bytes":"3q2-7w=="}"#, Code::InvalidBase64),
        ("9223372036854775808", Code::OutOfRange),
        ("-9223372036854775809", Code::OutOfRange),
        ("123456789012345678901234567890", Code::OutOfRange),
    ] {
        assert_eq!(attribute(json), Err(code), "{json}");
    }
}

#[test]
fn doubles_are_written_so_that_they_stay_doubles() {
    let written = |double: f64| {
        let record = read(r#","level":"INFO""#).with("k", double);
        let line = to_json_line(&record);
        let json = line.split(r#""attributes":{"k":"#).nth(1).unwrap();
        json.trim_end_matches('}').to_owned()
    };
    assert_eq!(written(0.5), "0.5");
    assert_eq!(written(3.0), r#"{"double":"3""#);
    assert_eq!(written(-0.0), r#"{"double":"-0""#);
    assert_eq!(
        written(9_007_199_254_740_993.0),
        r#"{"double":"9007199254740992""#
    );
    assert_eq!(written(1e16), r#"{"double":"1e16""#);
    assert_eq!(written(-1.5e300), r#"{"double":"-1.5e300""#);
    assert_eq!(written(f64::NAN), r#"{"double":"NaN""#);
    assert_eq!(written(f64::NEG_INFINITY), r#"{"double":"-Infinity""#);
}

#[test]
fn what_has_the_wrong_form_is_named() {
    for text in ["", "[]", "1", "{", "{} {}", "null"] {
        assert_eq!(
            from_json(text).unwrap_err().code,
            Code::InvalidJson,
            "{text}"
        );
    }
    refuses(r#","message":"n""#, Code::DuplicateKey, "$");
    refuses(r#","attributes":{"a":1,"a":2}"#, Code::DuplicateKey, "$");
    refuses(r#","extra":[{"a":1,"a":2}]"#, Code::DuplicateKey, "$");
    refuses(r#","level":null"#, Code::WrongType, "level");
    refuses(r#","target":1"#, Code::WrongType, "target");
    refuses(r#","attributes":[]"#, Code::WrongType, "attributes");
    refuses(r#","marks":"late""#, Code::WrongType, "marks");
    refuses(r#","marks":[1]"#, Code::WrongType, "marks");
    refuses(r#","exception":{}"#, Code::MissingField, "exception");
    refuses(
        r#","severityNumber":25"#,
        Code::OutOfRange,
        "severityNumber",
    );
    refuses(
        r#","unknownFields":"?""#,
        Code::InvalidBase64,
        "unknownFields",
    );
    refuses(
        r#","observedTimestamp":"2026-11-23T04:36:58+00:00""#,
        Code::InvalidTimestamp,
        "observedTimestamp",
    );
    let zero = r#","traceContext":{"traceId":"00000000000000000000000000000000","spanId":"0102030405060708"}"#;
    refuses(zero, Code::InvalidTraceContext, "traceContext");
    let rejection = from_json(r#"{"message":"m"}"#).unwrap_err();
    assert_eq!(
        (rejection.code, rejection.field.as_str()),
        (Code::MissingField, "timestamp")
    );
    assert_eq!(rejection.stage(), "validate");
}

#[test]
fn an_empty_text_is_an_absent_member() {
    let record = read(r#","testRunId":"","callId":"","channel":"","level":"","eventName":"""#);
    assert_eq!(
        (record.test_run_id, record.call_id, record.event_name),
        (None, None, None)
    );
    assert_eq!(
        (record.channel.as_str(), record.level.as_str()),
        ("operational", "INFO")
    );
}

#[test]
fn obs_json_08_an_empty_text_is_absent_whatever_the_member_is() {
    let record = read(
        r#","target":"","pluginInstanceId":"","epoch":"","sequence":"","severityNumber":"","attributes":"","marks":"","truncatedBytes":"","observedTimestamp":"","runId":"","pluginName":"","pluginVersion":"","source":"","unknownFields":"","traceContext":"","exception":"""#,
    );
    let plain = read("");
    assert_eq!(record, plain);
    // Inside of others too, so that what is left says nothing.
    refuses(
        r#","exception":{"type":"","message":""}"#,
        Code::MissingField,
        "exception",
    );
    let claimed = read(r#","claimed":{"testRunId":"","via":"v"}"#).claimed;
    assert_eq!(claimed.and_then(|claimed| claimed.test_run_id), None);
    let rejection = from_json(r#"{"timestamp":"","message":"m"}"#).unwrap_err();
    assert_eq!(rejection.code, Code::MissingField);
    // But an attribute's text may be empty.
    assert_eq!(attribute("\"\""), Ok("".into()));
}

#[test]
fn obs_json_02_an_empty_text_is_not_written() {
    let mut record = read(r#","level":"INFO""#);
    let plain = to_json_line(&record);
    for text in [
        &mut record.event_name,
        &mut record.test_run_id,
        &mut record.source,
    ] {
        *text = Some("".into());
    }
    // Nor an exception that would be refused.
    record.exception = Some(Exception {
        message: Some(String::new()),
        ..Exception::default()
    });
    assert_eq!(to_json_line(&record), plain);
    Limits::default().enforce(&mut record);
    assert_eq!(record.exception, None);
}

#[test]
fn obs_rec_20_what_is_not_known_is_written_as_it_came() {
    let unknown = r#""later":{"b":[1,-2.5,"\u202e",null],"a":18446744073709551615},"plugobs":2"#;
    let line = to_json_line(&read(&format!(",{unknown}")));
    assert!(line.ends_with(&format!(",{unknown}}}")), "{line}");
}

#[test]
fn obs_rec_23_marks_stand_once_however_many_there_are() {
    // Comparing each with each would not end.
    let marks: Vec<String> = (0..200_000).map(|n| format!("{}", n % 100_000)).collect();
    let marks = serde_json::to_string(&marks).unwrap();
    let record = read(&format!(r#","marks":{marks}"#));
    assert_eq!(
        (record.marks.len(), record.marks[2].as_str()),
        (100_001, "1")
    );
    assert_eq!(record.marks[0], mark::UNKNOWN_LEVEL);
}

#[test]
fn the_number_decides_about_the_level() {
    let level = |members: &str| {
        let record = read(members);
        (
            record.level.clone(),
            record.severity.number(),
            record.has_mark(mark::UNKNOWN_LEVEL),
        )
    };
    assert_eq!(level(r#","level":"warn""#), ("warn".into(), 13, false));
    assert_eq!(
        level(r#","level":"WARN","severityNumber":3"#),
        ("WARN".into(), 3, false)
    );
    assert_eq!(level(r#","level":"banana""#), ("banana".into(), 9, true));
    assert_eq!(
        level(r#","level":"banana","severityNumber":17"#),
        ("banana".into(), 17, false)
    );
    assert_eq!(
        level(r#","severityNumber":20"#),
        ("ERROR".into(), 20, false)
    );
    assert_eq!(
        level(r#","severityNumber":0,"level":"FINE""#),
        ("FINE".into(), 5, false)
    );
    assert_eq!(level(""), ("INFO".into(), 9, true));
}

#[test]
fn nothing_that_a_reader_could_be_deceived_by_is_written_raw() {
    let text = "a\u{1b}[31m\u{202e}b\u{2028}c\u{e0041}\u{85}é😀/";
    let record = Record::new(Timestamp::default(), Severity::INFO, "t", text);
    let line = to_json_line(&record);
    let escaped = "a\\u001b[31m\\u202eb\\u2028c\\udb40\\udc41\\u0085é😀/";
    assert!(line.contains(escaped), "{line}");
    assert_eq!(from_json(&line).unwrap().message, text);
}

#[test]
fn obs_json_06_nesting_without_end_is_refused() {
    for open in ["[", "{\"a\":"] {
        let text = with(&format!(",\"x\":{}", open.repeat(100_000)));
        assert_eq!(from_json(&text).unwrap_err().code, Code::InvalidJson);
    }
}

#[test]
fn obs_json_17_doubles_are_read_exactly_in_every_build() {
    // The library's faster reader is off by one place for one double in eight.
    // A dependency of these tests turns the exact one on, so that no test of a
    // value can see it missing.
    let manifest = include_str!("../../Cargo.toml");
    let line = manifest.lines().find(|line| line.starts_with("serde_json"));
    assert!(line.unwrap().contains("\"float_roundtrip\""), "{line:?}");
}
