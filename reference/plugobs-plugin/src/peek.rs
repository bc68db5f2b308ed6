//! A look into a request before its handler: which test it is for.
//!
//! It works on the wire form, so that it serves plugins with generated code of
//! their own.

use prost::Message;
use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint, skip_field};

/// What a look into a request found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Peeked {
    /// `testContext.testRunId`, where it is there and not empty.
    pub(crate) test_run_id: Option<String>,
    /// `InitPluginRequest.pluginInstanceId`.
    pub(crate) plugin_instance_id: Option<String>,
    /// `InitPluginRequest.implementation` and `version`.
    pub(crate) host: Option<(String, String)>,
}

/// Operations of the deployed interface whose request is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `InitPlugin`; the flag tells interface 2.
    Init(bool),
    /// One with a `testContext`, by its field number.
    WithContext(u32),
}

/// The operation of a request path; `None` where there is nothing to find.
pub(crate) fn operation(path: &str) -> Option<Operation> {
    let (service, method) = path.trim_start_matches('/').split_once('/')?;
    Some(match (service, method) {
        ("io.pact.plugin.v2.PactPlugin", "InitPlugin") => Operation::Init(true),
        ("io.pact.plugin.PactPlugin", "InitPlugin") => Operation::Init(false),
        ("io.pact.plugin.v2.PactPlugin", method) => Operation::WithContext(match method {
            "ConfigureInteraction" | "PrepareInteractionForVerification" => 3,
            "GenerateContent" | "VerifyInteraction" => 4,
            "StartMockServer" => 5,
            "CompareContents" | "GenerateField" => 6,
            "MatchField" => 8,
            _ => return None,
        }),
        ("io.pact.plugin.PactPlugin", "GenerateContent") => Operation::WithContext(4),
        ("io.pact.plugin.PactPlugin", "StartMockServer") => Operation::WithContext(5),
        _ => return None,
    })
}

/// Looks into the body of a unary request. A broken message is left to its
/// handler.
pub(crate) fn request(operation: Operation, body: &[u8]) -> Peeked {
    let mut peeked = Peeked::default();
    let Some(message) = message_of(body) else {
        return peeked;
    };
    match operation {
        Operation::Init(_) => {
            peeked.plugin_instance_id = field(message, 4).and_then(text);
            let implementation = field(message, 1).and_then(text).unwrap_or_default();
            let version = field(message, 2).and_then(text).unwrap_or_default();
            peeked.host = Some((implementation, version));
        }
        Operation::WithContext(number) => {
            peeked.test_run_id = field(message, number).and_then(test_run_id);
        }
    }
    peeked
}

/// How many catalogue entries a successful answer to `InitPlugin` holds; `None`
/// for a failure.
pub(crate) fn catalogue_entries(v2: bool, body: &[u8]) -> Option<usize> {
    let mut message = message_of(body)?;
    if v2 {
        // success is 1 and failure is 2 of one oneof.
        message = field(message, 1)?;
    }
    let mut entries = 0;
    each_field(message, |number, _| entries += usize::from(number == 1))?;
    Some(entries)
}

/// The one message of a unary body: a flag, a length, the bytes.
fn message_of(body: &[u8]) -> Option<&[u8]> {
    let (prefix, rest) = body.split_at_checked(5)?;
    let length = u32::from_be_bytes(prefix[1..].try_into().ok()?);
    let compressed = prefix[0] != 0;
    rest.get(..usize::try_from(length).ok()?)
        .filter(|_| !compressed)
}

/// The last length-delimited field of that number, as protobuf wants it.
fn field(message: &[u8], wanted: u32) -> Option<&[u8]> {
    let mut found = None;
    each_field(message, |number, bytes| {
        if number == wanted {
            found = Some(bytes);
        }
    })?;
    found
}

/// Each length-delimited field; `None` where the bytes are no message.
fn each_field<'a>(message: &'a [u8], mut each: impl FnMut(u32, &'a [u8])) -> Option<()> {
    let mut rest = message;
    while rest.has_remaining() {
        let (number, wire_type) = decode_key(&mut rest).ok()?;
        if wire_type == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
            let (bytes, after) = rest.split_at_checked(length)?;
            each(number, bytes);
            rest = after;
        } else {
            skip_field(wire_type, number, &mut rest, Default::default()).ok()?;
        }
    }
    Some(())
}

fn text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn test_run_id(context: &[u8]) -> Option<String> {
    let context = prost_types::Struct::decode(context).ok()?;
    match context.fields.get("testRunId")?.kind.as_ref()? {
        prost_types::value::Kind::StringValue(id) => text(id.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use plugobs_proto::pact::{v1, v2};
    use prost_types::value::Kind;

    use super::*;

    fn framed(message: &impl Message) -> Vec<u8> {
        let message = message.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap();
        [&[0][..], &length.to_be_bytes(), &message].concat()
    }

    fn context(id: Kind) -> Option<prost_types::Struct> {
        let other = Kind::StringValue("other".to_owned());
        let fields = [("testRunId", id), ("other", other)];
        Some(prost_types::Struct {
            fields: fields
                .map(|(key, kind)| (key.to_owned(), prost_types::Value { kind: Some(kind) }))
                .into_iter()
                .collect::<BTreeMap<_, _>>()
                .into_iter()
                .collect(),
        })
    }

    fn peek(path: &str, message: &impl Message) -> Option<String> {
        request(operation(path)?, &framed(message)).test_run_id
    }

    #[test]
    fn every_operation_with_a_test_context_is_looked_into() {
        let id = || context(Kind::StringValue("t".to_owned()));
        macro_rules! operations {
            ($version:ident, $service:literal, $($method:literal $request:ident),+ $(,)?) => {$(
                let request = $version::$request {
                    test_context: id(),
                    ..Default::default()
                };
                let path = concat!("/", $service, "/", $method);
                assert_eq!(peek(path, &request).as_deref(), Some("t"), "{path}");
            )+};
        }
        operations!(v2, "io.pact.plugin.v2.PactPlugin",
            "ConfigureInteraction" ConfigureInteractionRequest,
            "CompareContents" CompareContentsRequest,
            "GenerateContent" GenerateContentRequest,
            "MatchField" MatchFieldRequest,
            "GenerateField" GenerateFieldRequest,
            "StartMockServer" StartMockServerRequest,
            "PrepareInteractionForVerification" VerificationPreparationRequest,
            "VerifyInteraction" VerifyInteractionRequest,
        );
        operations!(v1, "io.pact.plugin.PactPlugin",
            "GenerateContent" GenerateContentRequest,
            "StartMockServer" StartMockServerRequest,
        );
        for other in ["UpdateCatalogue", "ShutdownMockServer", "Unheard"] {
            let path = format!("/io.pact.plugin.v2.PactPlugin/{other}");
            assert_eq!(operation(&path), None);
        }
    }

    #[test]
    fn an_id_that_is_no_text_or_empty_is_absent() {
        let path = "/io.pact.plugin.v2.PactPlugin/CompareContents";
        for id in [Kind::NumberValue(7.0), Kind::StringValue(String::new())] {
            let request = v2::CompareContentsRequest {
                test_context: context(id),
                ..Default::default()
            };
            assert_eq!(peek(path, &request), None);
        }
        // Field 6, of a wrong type, and cut off.
        for broken in [&[0x30, 1][..], &[0x32, 200, 1]] {
            let length = u8::try_from(broken.len()).unwrap();
            let body = [&[0, 0, 0, 0, length][..], broken].concat();
            let peeked = request(Operation::WithContext(6), &body);
            assert_eq!(peeked, Peeked::default());
        }
    }

    #[test]
    fn init_tells_the_instance_and_its_answer_the_catalogue() {
        let init = v2::InitPluginRequest {
            implementation: "a driver".to_owned(),
            version: "1.2".to_owned(),
            host_capabilities: vec!["x".to_owned()],
            plugin_instance_id: "i".to_owned(),
        };
        let peeked = request(Operation::Init(true), &framed(&init));
        assert_eq!(peeked.plugin_instance_id.as_deref(), Some("i"));
        let host = ("a driver".to_owned(), "1.2".to_owned());
        assert_eq!(peeked.host, Some(host));

        use v2::init_plugin_response::Response;
        let answer = |response| {
            framed(&v2::InitPluginResponse {
                response: Some(response),
            })
        };
        let success = answer(Response::Success(v2::InitPluginSuccess {
            catalogue: vec![v2::CatalogueEntry::default(); 3],
            plugin_capabilities: vec!["x".to_owned()],
        }));
        assert_eq!(catalogue_entries(true, &success), Some(3));
        let failure = answer(Response::Failure(v2::InitPluginFailure::default()));
        assert_eq!(catalogue_entries(true, &failure), None);
        assert_eq!(catalogue_entries(true, &[]), None);
        let interface_1 = v1::InitPluginResponse {
            catalogue: vec![v1::CatalogueEntry::default()],
        };
        assert_eq!(catalogue_entries(false, &framed(&interface_1)), Some(1));
    }
}
