//! IDs, times, handshakes and what travels as metadata.

use std::collections::HashMap;

use plugobs_core::handshake::Handshake;
use plugobs_core::ids::check_test_run_id;
use plugobs_core::registry::RejectionCode as Code;
use plugobs_core::{CallId, CallIdentity, InstanceId, LogPosition, Timestamp, TraceContext};
use proptest::prelude::*;

use crate::arbitrary;

#[test]
fn obs_id_04_an_instance_is_a_canonical_uuid() {
    let id = "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31";
    assert_eq!(InstanceId::parse(id).unwrap().as_str(), id);
    for broken in [
        "",
        "0B5F2D0E-6C52-4B0E-9D0A-2F5C8A1D7E31",
        "0b5f2d0e6c524b0e9d0a2f5c8a1d7e31",
        "{0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31}",
        "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e3g",
        "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e311",
    ] {
        assert_eq!(
            InstanceId::parse(broken).unwrap_err().code,
            Code::InvalidInstanceId
        );
        assert_eq!(CallId::parse(broken).unwrap_err().code, Code::InvalidCallId);
    }
}

#[test]
fn obs_id_09_a_test_run_is_printable_ascii() {
    let longest = "x".repeat(256);
    for fine in [
        "t",
        "test_toy.py::test_matcher[a-1]",
        "!#$%&'()*+-./:;<=>?@[]^_`{|}~",
        &longest,
    ] {
        check_test_run_id(fine).unwrap();
    }
    let too_long = "x".repeat(257);
    for broken in [
        "", "a b", "a\"b", "a,b", "a\\b", "a\n", "é", "\u{7f}", &too_long,
    ] {
        let rejection = check_test_run_id(broken).unwrap_err();
        assert_eq!(rejection.code, Code::InvalidTestRunId, "{broken:?}");
    }
}

#[test]
fn obs_json_11_and_12_times_are_utc_with_nine_digits() {
    let text = |nanos| Timestamp::from_unix_nanos(nanos).to_string();
    assert_eq!(text(0), "1970-01-01T00:00:00.000000000Z");
    assert_eq!(text(u64::MAX), "2554-07-21T23:34:33.709551615Z");
    for (written, nanos) in [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T00:00:00.5Z", 500_000_000),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("2554-07-21T23:34:33.709551615Z", u64::MAX),
    ] {
        assert_eq!(Timestamp::parse(written).unwrap().unix_nanos(), nanos);
    }
    for broken in [
        "",
        "1969-12-31T23:59:59Z",
        "2554-07-21T23:34:33.709551616Z",
        "2026-11-23T04:36:58+01:00",
        "2026-11-23T04:36:58",
        "2026-11-23 04:36:58Z",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-23T04:36:58.Z",
        "2026-11-23T04:36:58.1234567891Z",
        "2026-11-23T04:36:58ZjunkZ",
        "2026-11-23T04:36:58.5+00:0Z",
        "2026-11-23T04:36:58z",
        "2026-11-23T04:36:58.٣Z",
    ] {
        assert_eq!(
            Timestamp::parse(broken).unwrap_err().code,
            Code::InvalidTimestamp,
            "{broken}"
        );
    }
}

#[test]
fn obs_chan_25_a_handshake_has_a_port_and_a_key() {
    let handshake = Handshake::parse(" {\"port\": 35517, \"serverKey\": \"k\", \"more\": [1]}\r\n");
    let handshake = handshake.unwrap();
    assert_eq!(
        (handshake.port, handshake.server_key.as_str()),
        (35517, "k")
    );
    assert_eq!(Handshake::parse(&handshake.to_line()).unwrap(), handshake);
    for (line, code, field) in [
        ("{", Code::InvalidJson, "$"),
        ("[1]", Code::InvalidJson, "$"),
        (r#"{"serverKey":"k"}"#, Code::InvalidHandshake, "port"),
        (
            r#"{"port":0,"serverKey":"k"}"#,
            Code::InvalidHandshake,
            "port",
        ),
        (
            r#"{"port":65536,"serverKey":"k"}"#,
            Code::InvalidHandshake,
            "port",
        ),
        (
            r#"{"port":"1","serverKey":"k"}"#,
            Code::InvalidHandshake,
            "port",
        ),
        (r#"{"port":1}"#, Code::InvalidHandshake, "serverKey"),
        (
            r#"{"port":1,"serverKey":1}"#,
            Code::InvalidHandshake,
            "serverKey",
        ),
    ] {
        let rejection = Handshake::parse(line).unwrap_err();
        assert_eq!(
            (rejection.code, rejection.field.as_str()),
            (code, field),
            "{line}"
        );
    }
}

fn read(pairs: &[(&str, &str)]) -> CallIdentity {
    let map: HashMap<_, _> = pairs.iter().copied().collect();
    CallIdentity::from_metadata(|key| map.get(key).copied())
}

#[test]
fn obs_grpc_13_the_test_run_is_in_the_metadata_or_in_the_baggage() {
    let baggage = ("baggage", "a=1, test.run.id = test_toy.py%3A%3Ax ;p=q,b=2");
    assert_eq!(
        read(&[baggage]).test_run_id.as_deref(),
        Some("test_toy.py::x")
    );
    let both = read(&[("plugin-test-run-id", "t"), baggage]);
    assert_eq!(both.test_run_id.as_deref(), Some("t"));
    for broken in [
        "test.run.id=a%20b",
        "test.run.id=",
        "test.run.id=%ff",
        "other=1",
        "test.run.id",
    ] {
        assert_eq!(read(&[("baggage", broken)]).test_run_id, None, "{broken}");
    }
    // What breaks its form is absent (OBS-GRPC-14).
    let broken = ("plugin-test-run-id", "a b");
    assert_eq!(read(&[broken]).test_run_id, None);
    assert_eq!(
        read(&[broken, baggage]).test_run_id.as_deref(),
        Some("test_toy.py::x")
    );
    assert_eq!(read(&[("traceparent", "00-zz-1-01")]).trace_context, None);
}

#[test]
fn obs_id_10_an_id_against_the_grammar_is_no_metadata() {
    let identity = CallIdentity {
        test_run_id: Some("a b".into()),
        call_id: Some("c".into()),
        ..CallIdentity::default()
    };
    assert_eq!(identity.to_metadata(), [("plugin-call-id", "c".to_owned())]);
}

#[test]
fn traceparent_is_read_as_w3c_says() {
    let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let context = TraceContext::from_traceparent(text).unwrap();
    assert_eq!(context.to_traceparent(), text);
    // A later version may have more.
    let later = text.replacen("00", "cc", 1) + "-more";
    assert_eq!(TraceContext::from_traceparent(&later).unwrap(), context);
    for broken in [
        text.replacen("00", "ff", 1),
        format!("{text}-more"),
        text.to_uppercase(),
        text.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
        text.replace("b7ad6b7169203331", &"0".repeat(16)),
        text.replace("-01", "-1"),
        text.replace("-01", "-+1"),
        text.replace("-01", "-0A"),
        String::new(),
    ] {
        let rejection = TraceContext::from_traceparent(&broken).unwrap_err();
        assert_eq!(rejection.code, Code::InvalidTraceContext, "{broken}");
    }
}

#[test]
fn obs_grpc_37_a_position_is_two_numbers() {
    let position = LogPosition {
        epoch: 7,
        sequence: 0,
    };
    assert_eq!(position.to_string(), "7:0");
    assert_eq!(LogPosition::parse("7:0"), Some(position));
    for broken in [
        "",
        "7",
        "0:1",
        "7:",
        ":1",
        "7:-1",
        "7:+1",
        "7:1:2",
        " 7:1",
        "7:18446744073709551616",
    ] {
        assert_eq!(LogPosition::parse(broken), None, "{broken}");
    }
}

proptest! {
    #[test]
    fn metadata_carries_an_identity_unchanged(
        test in "[!#-+\\--\\[\\]-~]{1,256}",
        call in proptest::option::of("[0-9a-f-]{36}"),
        chain in proptest::option::of("[!-~]{1,40}"),
        trace in proptest::option::of(arbitrary::trace_context()),
    ) {
        let identity = CallIdentity {
            test_run_id: Some(test.clone().into()),
            call_id: call.clone().map(Into::into),
            parent_call_id: call.map(Into::into),
            call_chain_id: chain.map(Into::into),
            trace_context: trace,
        };
        let pairs = identity.to_metadata();
        let map: HashMap<_, _> = pairs.iter().map(|(k, v)| (*k, v.as_str())).collect();
        prop_assert_eq!(&CallIdentity::from_metadata(|key| map.get(key).copied()), &identity);
        // The baggage alone is enough.
        let baggage = CallIdentity::from_metadata(|key| map.get(key).copied().filter(|_| key == "baggage"));
        prop_assert_eq!(baggage.test_run_id.as_deref(), Some(test.as_str()));
    }

    #[test]
    fn no_metadata_makes_the_reader_panic(value in ".{0,100}") {
        let _ = CallIdentity::from_metadata(|_| Some(&value));
        let _ = LogPosition::parse(&value);
        let _ = Handshake::parse(&value);
        let _ = Timestamp::parse(&value);
    }
}
