//! How the identity of a call travels as metadata, and back as a position in
//! the log. No transport is named: keys and values are text.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::Rejection;
use crate::ids::check_test_run_id;
use crate::record::TraceContext;
use crate::registry::{RejectionCode as Code, metadata};
use crate::text::Text;

/// The member of W3C baggage that carries the test run ID.
const BAGGAGE_MEMBER: &str = "test.run.id";

/// Characters of a test run ID that baggage takes as they are.
const BAGGAGE_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'/');

/// Which test and call some work belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallIdentity {
    /// Verbatim; may break the grammar, and is then kept as data only.
    pub test_run_id: Option<Text>,
    /// The call.
    pub call_id: Option<Text>,
    /// The call in which it is nested.
    pub parent_call_id: Option<Text>,
    /// A deployed driver's chain of calls.
    pub call_chain_id: Option<Text>,
    /// The span of the caller.
    pub trace_context: Option<TraceContext>,
}

impl CallIdentity {
    /// The metadata of a call, in registry terms. A test run ID that breaks its
    /// grammar is left out (OBS-ID-10).
    pub fn to_metadata(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::with_capacity(5);
        if let Some(id) = self.valid_test_run_id() {
            pairs.push((metadata::PLUGIN_TEST_RUN_ID, id.to_owned()));
            let value = utf8_percent_encode(id, BAGGAGE_VALUE);
            pairs.push((metadata::BAGGAGE, format!("{BAGGAGE_MEMBER}={value}")));
        }
        for (key, id) in [
            (metadata::PLUGIN_CALL_ID, &self.call_id),
            (metadata::PLUGIN_PARENT_CALL_ID, &self.parent_call_id),
            (metadata::PACT_CALL_CHAIN_ID, &self.call_chain_id),
        ] {
            if let Some(id) = id {
                pairs.push((key, id.to_string()));
            }
        }
        if let Some(context) = &self.trace_context {
            pairs.push((metadata::TRACEPARENT, context.to_traceparent()));
        }
        pairs
    }

    /// Reads the identity from metadata; `get` gives the value of a key. A test
    /// run or trace context that breaks its form is taken as absent
    /// (OBS-GRPC-14): metadata cannot fail a call. IDs of calls stay as they
    /// came, so that a driver can tell one that it never sent (OBS-SEC-20).
    pub fn from_metadata<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Self {
        let text = |key: &str| get(key).filter(|v| !v.is_empty()).map(Text::from);
        Self {
            test_run_id: text(metadata::PLUGIN_TEST_RUN_ID)
                .filter(|id| check_test_run_id(id).is_ok())
                .or_else(|| get(metadata::BAGGAGE).and_then(test_run_id_of_baggage)),
            call_id: text(metadata::PLUGIN_CALL_ID),
            parent_call_id: text(metadata::PLUGIN_PARENT_CALL_ID),
            call_chain_id: text(metadata::PACT_CALL_CHAIN_ID),
            trace_context: get(metadata::TRACEPARENT)
                .and_then(|text| TraceContext::from_traceparent(text).ok()),
        }
    }

    /// The test run ID, where it keeps its grammar.
    pub fn valid_test_run_id(&self) -> Option<&str> {
        self.test_run_id
            .as_deref()
            .filter(|id| check_test_run_id(id).is_ok())
    }
}

fn test_run_id_of_baggage(baggage: &str) -> Option<Text> {
    baggage.split(',').find_map(|member| {
        let (key, value) = member.split(';').next()?.split_once('=')?;
        if key.trim() != BAGGAGE_MEMBER {
            return None;
        }
        let id = percent_decode_str(value.trim()).decode_utf8().ok()?;
        check_test_run_id(&id).is_ok().then(|| id.into())
    })
}

/// How far an emitter had come: the value of `plugin-log-sequence`, written
/// `epoch:sequence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPosition {
    /// The emitter's epoch.
    pub epoch: u64,
    /// The highest sequence emitted; 0 for none.
    pub sequence: u64,
}

impl LogPosition {
    /// Reads `epoch:sequence`; `None` where the form is another.
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, sequence) = text.split_once(':')?;
        let digits = |t: &str| -> Option<u64> {
            t.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| t.parse().ok())?
        };
        Some(Self {
            epoch: digits(epoch).filter(|e| *e > 0)?,
            sequence: digits(sequence)?,
        })
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.sequence)
    }
}

impl TraceContext {
    /// Reads `traceparent`: `00-<32 hex>-<16 hex>-<2 hex>`.
    ///
    /// # Errors
    /// `invalid_trace_context`.
    pub fn from_traceparent(text: &str) -> Result<Self, Rejection> {
        let invalid = || invalid(text);
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (
            parts.next().ok_or_else(invalid)?,
            parts.next().ok_or_else(invalid)?,
            parts.next().ok_or_else(invalid)?,
            parts.next().ok_or_else(invalid)?,
        );
        // Version ff is forbidden; later versions may append parts.
        let known = version.len() == 2 && version != "ff" && is_lower_hex(version);
        if !known || (version == "00" && parts.next().is_some()) || flags.len() != 2
            // The number's own reader takes a plus sign and upper case.
            || !is_lower_hex(flags)
        {
            return Err(invalid());
        }
        let flags = u64::from_str_radix(flags, 16).map_err(|_| invalid())?;
        Self::from_hex(trace, span, flags)
    }

    /// From hexadecimal IDs.
    ///
    /// # Errors
    /// `invalid_trace_context` where an ID has another length, is not
    /// lower-case hexadecimal or all zero, or the flags are over 255.
    pub fn from_hex(trace_id: &str, span_id: &str, flags: u64) -> Result<Self, Rejection> {
        let (mut trace, mut span) = ([0; 16], [0; 8]);
        unhex(trace_id, &mut trace)
            .and_then(|()| unhex(span_id, &mut span))
            .and_then(|()| u8::try_from(flags).ok())
            .filter(|_| trace != [0; 16] && span != [0; 8])
            .map(|flags| Self {
                trace_id: trace,
                span_id: span,
                flags,
            })
            .ok_or_else(|| invalid(&format!("{trace_id}-{span_id}-{flags}")))
    }

    /// The `traceparent` form.
    pub fn to_traceparent(&self) -> String {
        let (trace, span) = (self.trace_id_hex(), self.span_id_hex());
        format!("00-{trace}-{span}-{:02x}", self.flags)
    }

    /// The trace ID, 32 lower-case hexadecimal digits.
    pub fn trace_id_hex(&self) -> String {
        hex(&self.trace_id)
    }

    /// The span ID, 16 lower-case hexadecimal digits.
    pub fn span_id_hex(&self) -> String {
        hex(&self.span_id)
    }
}

fn invalid(text: &str) -> Rejection {
    Rejection::new(
        Code::InvalidTraceContext,
        "traceContext",
        format!(
            "{text:?}: IDs of 32 and 16 lower-case hexadecimal digits, not all zero, and flags up to 255 are expected"
        ),
    )
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn unhex(text: &str, into: &mut [u8]) -> Option<()> {
    if text.len() != into.len() * 2 || !is_lower_hex(text) {
        return None;
    }
    for (i, byte) in into.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(())
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
