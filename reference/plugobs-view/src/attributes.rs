//! Attributes and marks, compact.

use std::fmt::Write as _;

use plugobs_core::registry::mark;
use plugobs_core::{Record, Scalar, Value, sanitise};

use crate::page::{DIM, Line, WARN};
use crate::units;

/// A value beyond this is cut: the JSON form has the whole.
const SHOWN_BYTES: usize = 200;
const SHOWN_BINARY: usize = 16;

/// ` key=value` for each attribute, and ` [mark]` for each mark.
pub(crate) fn tail(record: &Record) -> Line {
    let mut line = Line::new();
    for (key, value) in &record.attributes {
        // How a text is written is not what it says.
        if key == "message.format" {
            continue;
        }
        line.push(DIM, &format!("  {}=", quoted(key)));
        line.push(DIM, &value_text(value));
    }
    for name in &record.marks {
        let text = match name.as_str() {
            mark::TRUNCATED if record.truncated_bytes > 0 => {
                format!("{name}, {} cut", units::bytes(record.truncated_bytes))
            }
            _ => name.clone(),
        };
        line.push(WARN, &format!("  [{text}]"));
    }
    line
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Scalar(scalar) => scalar_text(scalar),
        Value::List(list) => {
            let items: Vec<_> = list.iter().map(scalar_text).collect();
            shortened(&format!("[{}]", items.join(", ")))
        }
    }
}

fn scalar_text(scalar: &Scalar) -> String {
    match scalar {
        Scalar::String(text) => shortened(&quoted(text)),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Double(value) => format!("{value:?}"),
        Scalar::Bytes(bytes) => {
            let mut text = "0x".to_owned();
            for byte in bytes.iter().take(SHOWN_BINARY) {
                // Writing to a String does not fail.
                let _ = write!(text, "{byte:02x}");
            }
            if bytes.len() > SHOWN_BINARY {
                let _ = write!(text, "… ({})", units::bytes(bytes.len() as u64));
            }
            text
        }
    }
}

/// In quotes, where it could be taken for something else without.
fn quoted(text: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '=' | '[' | ']' | ',');
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

fn shortened(text: &str) -> String {
    let start = sanitise::cut(text, SHOWN_BYTES);
    if start.len() == text.len() {
        return text.to_owned();
    }
    let rest = units::bytes((text.len() - start.len()) as u64);
    format!("{start}… ({rest} more)")
}
