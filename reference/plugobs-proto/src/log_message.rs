//! Records over the deployed unary log (`spec/binding-grpc.md`, Level 1): a
//! message without sequence, channel, attributes or exception.

use std::fmt::Write as _;

use plugobs_core::registry::{channel, event};
use plugobs_core::{Record, Scalar, Severity, Text, Timestamp, Value};

use crate::pact::v2::LogMessage;

/// Before the logger's name of a user message.
const USER: &str = "plugobs.user";
/// Before the event of a lifecycle record.
const LIFECYCLE: &str = "plugobs.lifecycle.";

/// To a deployed driver: attributes and exception go behind the text, for
/// people, because the message has no other place for them (OBS-GRPC-30).
pub fn to_log_message(record: &Record) -> LogMessage {
    LogMessage {
        plugin_instance_id: text(record.plugin_instance_id.as_ref()),
        test_run_id: text(record.test_run_id.as_ref()),
        level: record.severity.shown().to_owned(),
        message: text_with_details(record),
        target: target_of(record),
        timestamp_ms: i64::try_from(record.timestamp.unix_nanos() / 1_000_000).unwrap_or(i64::MAX),
    }
}

/// From a deployed plugin, or one of ours that fell back: no epoch and no
/// sequence. `arrived` stands for a time that is missing.
pub fn from_log_message(message: LogMessage, arrived: Timestamp) -> Record {
    let timestamp = u64::try_from(message.timestamp_ms)
        .ok()
        .filter(|ms| *ms > 0)
        .and_then(|ms| ms.checked_mul(1_000_000))
        .map_or(arrived, Timestamp::from_unix_nanos);
    let mut record = Record::new(timestamp, Severity::INFO, "", message.message);
    record.set_level(&message.level, None);
    record.plugin_instance_id = some(message.plugin_instance_id);
    record.test_run_id = some(message.test_run_id);
    set_channel(&mut record, message.target);
    record
}

fn text(optional: Option<&Text>) -> String {
    optional.map(Text::to_string).unwrap_or_default()
}

fn some(text: String) -> Option<Text> {
    Some(text).filter(|text| !text.is_empty()).map(Text::from)
}

fn target_of(record: &Record) -> String {
    match (record.channel.as_str(), &record.event_name) {
        (channel::USER, _) if record.target.is_empty() => USER.to_owned(),
        (channel::USER, _) => format!("{USER}.{}", record.target),
        (channel::LIFECYCLE, Some(name)) => format!("{LIFECYCLE}{name}"),
        _ => record.target.to_string(),
    }
}

/// The one place where a target tells a channel (OBS-GRPC-32, OBS-GRPC-34).
fn set_channel(record: &mut Record, target: String) {
    let plugins_event = |name: &str| {
        event::ALL
            .iter()
            .any(|e| e.name == name && e.set_by == event::Side::Plugin)
    };
    if let Some(rest) = target.strip_prefix(USER)
        && (rest.is_empty() || rest.starts_with('.'))
    {
        record.channel = Text::from_static(channel::USER);
        record.target = rest.trim_start_matches('.').into();
    } else if let Some(name) = target.strip_prefix(LIFECYCLE).filter(|n| plugins_event(n)) {
        record.channel = Text::from_static(channel::LIFECYCLE);
        record.event_name = Some(name.into());
    } else {
        record.target = target.into();
    }
}

fn text_with_details(record: &Record) -> String {
    let mut text = match record.message.as_str() {
        "" => text(record.event_name.as_ref()),
        message => message.to_owned(),
    };
    for (key, value) in &record.attributes {
        // Writing to a String does not fail.
        let _ = write!(text, " {key}={}", ValueText(value));
    }
    if let Some(exception) = &record.exception {
        for part in [&exception.kind, &exception.message, &exception.stack_trace]
            .into_iter()
            .flatten()
        {
            let _ = write!(text, "\n{part}");
        }
    }
    text
}

struct ValueText<'a>(&'a Value);

impl std::fmt::Display for ValueText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scalar = |f: &mut std::fmt::Formatter<'_>, scalar: &Scalar| match scalar {
            Scalar::String(text) => write!(f, "{text:?}"),
            Scalar::Bool(value) => write!(f, "{value}"),
            Scalar::Int(int) => write!(f, "{int}"),
            Scalar::Double(double) => write!(f, "{double}"),
            Scalar::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        };
        match self.0 {
            Value::Scalar(one) => scalar(f, one),
            Value::List(list) => {
                f.write_str("[")?;
                for (at, one) in list.iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    scalar(f, one)?;
                }
                f.write_str("]")
            }
        }
    }
}
