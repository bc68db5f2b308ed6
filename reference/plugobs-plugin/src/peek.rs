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
            "CompareContents" => 6,
            "MatchField" | "GenerateField" => 8,
            _ => return None,
        }),
        ("io.pact.plugin.PactPlugin", "GenerateContent") => Operation::WithContext(4),
        ("io.pact.plugin.PactPlugin", "StartMockServer") => Operation::WithContext(5),
        _ => return None,
    })
}

/// Looks into the body of a unary request. A compressed or broken message is
/// left to its handler.
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
