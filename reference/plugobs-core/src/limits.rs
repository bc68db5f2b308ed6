//! Limits of a record, and how one that is over them is cut.

use std::collections::HashSet;

use crate::record::{Exception, Record};
use crate::registry::{limit, mark};
use crate::sanitise::cut;
use crate::value::{Scalar, Value};

/// Limits of records and batches (`spec/limits.md`). All are bytes but for
/// `attributes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A record's message.
    pub message_bytes: usize,
    /// Attributes of a record.
    pub attributes: usize,
    /// An attribute's key.
    pub attribute_key_bytes: usize,
    /// An attribute's value.
    pub attribute_value_bytes: usize,
    /// A whole record; wins over the others.
    pub record_bytes: usize,
    /// The records of one batch.
    pub batch_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: limit::MESSAGE_BYTES_DEFAULT,
            attributes: limit::ATTRIBUTES_DEFAULT,
            attribute_key_bytes: limit::ATTRIBUTE_KEY_BYTES_DEFAULT,
            attribute_value_bytes: limit::ATTRIBUTE_VALUE_BYTES_DEFAULT,
            record_bytes: limit::RECORD_BYTES_DEFAULT,
            batch_bytes: limit::BATCH_BYTES_DEFAULT,
        }
    }
}

impl Limits {
    /// Cuts the record to the limits at character boundaries, marks it
    /// `truncated` and counts the bytes. A record within them is left alone.
    pub fn enforce(&self, record: &mut Record) {
        let mut cut = self.cut_names(record);
        cut += cut_text(&mut record.message, self.message_bytes);
        cut += self.cut_attributes(record);
        if let Some(exception) = &mut record.exception {
            cut += cut_exception(exception, self.message_bytes);
        }
        cut += self.cut_whole(record);
        if cut > 0 {
            record.mark(mark::TRUNCATED);
            record.truncated_bytes = record.truncated_bytes.saturating_add(cut as u64);
        }
    }

    fn cut_names(&self, record: &mut Record) -> usize {
        let max = limit::NAME_BYTES_DEFAULT;
        let mut cut = cut_text(&mut record.level, max)
            + cut_text(&mut record.channel, max)
            + cut_text(&mut record.target, max);
        // An ID of any length is data too; one that was cut breaks its grammar
        // or matches nothing, so it cannot be taken for another.
        for text in [
            &mut record.event_name,
            &mut record.plugin_instance_id,
            &mut record.test_run_id,
            &mut record.call_id,
        ]
        .into_iter()
        .flatten()
        {
            cut += cut_text(text, max);
        }
        // Marks are short words; a list of many is noise from a hostile sender.
        for mark in record.marks.split_off(record.marks.len().min(16)) {
            cut += mark.len();
        }
        for mark in &mut record.marks {
            cut += cut_text(mark, max);
        }
        cut
    }

    fn cut_attributes(&self, record: &mut Record) -> usize {
        let mut cut = 0;
        if record.attributes.len() > self.attributes {
            for (key, value) in record.attributes.split_off(self.attributes) {
                cut += key.len() + value.payload_len();
            }
        }
        let mut any_key_cut = false;
        for (key, value) in &mut record.attributes {
            let lost = cut_text(key, self.attribute_key_bytes);
            any_key_cut |= lost > 0;
            cut += lost + cut_value(value, self.attribute_value_bytes);
        }
        if any_key_cut {
            cut += drop_equal_keys(&mut record.attributes);
        }
        cut
    }

    /// The whole wins over the parts: attributes go from the last, then the
    /// stack trace, the exception's message, unknown fields and the message.
    fn cut_whole(&self, record: &mut Record) -> usize {
        let mut cut = 0;
        while size(record) > self.record_bytes
            && let Some((key, value)) = record.attributes.pop()
        {
            cut += key.len() + value.payload_len();
        }
        let over = |record: &Record| size(record).saturating_sub(self.record_bytes);
        if over(record) > 0 {
            cut += std::mem::take(&mut record.unknown_fields).len();
            for (name, value) in std::mem::take(&mut record.unknown_members) {
                cut += name.len() + value.to_string().len();
            }
        }
        for part in [2, 1, 0] {
            let excess = over(record);
            let text = match (part, &mut record.exception) {
                (0, _) => Some(&mut record.message),
                (1, Some(exception)) => exception.message.as_mut(),
                (2, Some(exception)) => exception.stack_trace.as_mut(),
                _ => None,
            };
            if let (Some(text), true) = (text, excess > 0) {
                let keep = text.len().saturating_sub(excess);
                cut += cut_text(text, keep);
            }
        }
        cut
    }
}

/// Keys that differed may be equal once they are cut; the first stays
/// (OBS-LIM-12).
fn drop_equal_keys(attributes: &mut Vec<(String, Value)>) -> usize {
    let (mut seen, mut lost) = (HashSet::new(), 0);
    attributes.retain(|(key, value)| {
        let first = seen.insert(key.clone());
        if !first {
            lost += key.len() + value.payload_len();
        }
        first
    });
    lost
}

fn cut_text(text: &mut String, max: usize) -> usize {
    if text.len() <= max {
        return 0;
    }
    let keep = cut(text, max).len();
    let lost = text.len() - keep;
    text.truncate(keep);
    text.shrink_to_fit();
    lost
}

fn cut_exception(exception: &mut Exception, max: usize) -> usize {
    [
        &mut exception.kind,
        &mut exception.message,
        &mut exception.stack_trace,
    ]
    .into_iter()
    .flatten()
    .map(|text| cut_text(text, max))
    .sum()
}

fn cut_scalar(scalar: &mut Scalar, max: usize) -> usize {
    match scalar {
        Scalar::String(text) => cut_text(text, max),
        Scalar::Bytes(bytes) => {
            let lost = bytes.len().saturating_sub(max);
            bytes.truncate(max);
            lost
        }
        Scalar::Bool(_) | Scalar::Int(_) | Scalar::Double(_) => 0,
    }
}

fn cut_value(value: &mut Value, max: usize) -> usize {
    let list = match value {
        Value::Scalar(scalar) => return cut_scalar(scalar, max),
        Value::List(list) => list,
    };
    let (mut kept, mut room, mut lost) = (0, max, 0);
    for scalar in list.iter_mut() {
        if room == 0 {
            break;
        }
        lost += cut_scalar(scalar, room);
        // An empty text costs something too, or a list of them has no bound.
        room = room.saturating_sub(scalar.payload_len().max(8));
        kept += 1;
    }
    lost += list[kept..]
        .iter()
        .map(|s| s.payload_len().max(1))
        .sum::<usize>();
    list.truncate(kept);
    lost
}

/// An upper bound of the record's size in protobuf: each text, value and
/// number with its tag and length.
pub fn size(record: &Record) -> usize {
    const FIELD: usize = 8; // tag, length and nesting, rounded up
    let optional = |text: &Option<String>| text.as_ref().map_or(0, |t| t.len() + FIELD);
    let mut size = 96 + record.level.len() + record.channel.len();
    size += record.target.len() + record.message.len() + record.unknown_fields.len();
    size += optional(&record.event_name)
        + optional(&record.plugin_instance_id)
        + optional(&record.test_run_id)
        + optional(&record.call_id);
    for (key, value) in &record.attributes {
        let items = match value {
            Value::Scalar(_) => 1,
            Value::List(list) => list.len() + 1,
        };
        size += key.len() + value.payload_len() + FIELD * (items + 1);
    }
    if let Some(e) = &record.exception {
        size += FIELD + optional(&e.kind) + optional(&e.message) + optional(&e.stack_trace);
    }
    size += record.trace_context.map_or(0, |_| 48);
    size += record.marks.iter().map(|m| m.len() + FIELD).sum::<usize>();
    size += record
        .unknown_members
        .iter()
        .map(|(name, value)| name.len() + value.to_string().len() + FIELD)
        .sum::<usize>();
    size
}
