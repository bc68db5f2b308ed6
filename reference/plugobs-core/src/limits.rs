//! Limits of a record, and how one that is over them is cut.

use std::collections::HashSet;

use crate::record::{Exception, Record};
use crate::registry::{limit, mark};
use crate::sanitise::cut;
use crate::text::Text;
use crate::value::{Scalar, Value};

/// Marks of a record (OBS-LIM-08): they are short words, and a list of many is
/// noise from a hostile sender.
const MARKS: usize = 16;

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
    /// `truncated` and counts the bytes. A record within them is left alone, but
    /// for an exception's empty texts, which are absent ones. Gives the record's
    /// [`size`] then, or a little more.
    pub fn enforce(&self, record: &mut Record) -> usize {
        let mut cut = self.cut_names(record);
        cut += cut_shared(&mut record.message, self.message_bytes);
        cut += self.cut_attributes(record);
        if let Some(exception) = &mut record.exception {
            cut += cut_exception(exception, self.message_bytes);
        }
        // The mark is part of the whole, and so it comes first.
        let mut whole = size(record);
        if cut > 0 || whole > self.record_bytes {
            cut += mark_truncated(record);
            cut += self.cut_whole(record);
            count(record, cut);
            whole = size(record);
        }
        // A text of which nothing is left is absent, and an exception that says
        // nothing would be refused with the whole record (OBS-REC-27).
        if let Some(exception) = record.exception.take() {
            record.exception = exception.non_empty();
        }
        whole
    }

    fn cut_names(&self, record: &mut Record) -> usize {
        let max = limit::NAME_BYTES_DEFAULT;
        let mut cut = cut_free_names(record, max);
        // An ID of any length is data too; one that was cut breaks its grammar
        // or matches nothing, so it cannot be taken for another.
        for text in [
            &mut record.plugin_instance_id,
            &mut record.test_run_id,
            &mut record.call_id,
        ]
        .into_iter()
        .flatten()
        {
            cut += cut_shared(text, max);
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
        for (key, value) in &mut record.attributes {
            cut += cut_text(key, self.attribute_key_bytes);
            cut += cut_value(value, self.attribute_value_bytes);
        }
        cut + drop_equal_keys(&mut record.attributes)
    }

    /// The whole wins over the parts: attributes go from the last, then unknown
    /// fields, the stack trace, the exception's message and the message; then,
    /// where a sender left nothing else to cut, the exception's type and marks.
    fn cut_whole(&self, record: &mut Record) -> usize {
        let mut cut = 0;
        let over = |record: &Record| size(record).saturating_sub(self.record_bytes);
        let mut excess = over(record);
        while excess > 0
            && let Some(attribute) = record.attributes.pop()
        {
            excess = excess.saturating_sub(attribute_size(&attribute));
            cut += attribute.0.len() + attribute.1.payload_len();
        }
        if over(record) > 0 {
            cut += std::mem::take(&mut record.unknown_fields).len();
            for (name, value) in std::mem::take(&mut record.unknown_members) {
                cut += name.len() + value.to_string().len();
            }
        }
        for part in [Part::StackTrace, Part::Cause, Part::Message, Part::Type] {
            let excess = over(record);
            if part == Part::Message {
                let keep = record.message.len().saturating_sub(excess);
                cut += cut_shared(&mut record.message, keep);
                continue;
            }
            let exception = record.exception.as_mut();
            let text = match part {
                Part::Message => None,
                Part::Cause => exception.and_then(|e| e.message.as_mut()),
                Part::StackTrace => exception.and_then(|e| e.stack_trace.as_mut()),
                Part::Type => exception.and_then(|e| e.kind.as_mut()),
            };
            if let (Some(text), true) = (text, excess > 0) {
                let keep = text.len().saturating_sub(excess);
                cut += cut_text(text, keep);
            }
        }
        while over(record) > 0
            && let Some(last) = record.marks.iter().rposition(|m| m != mark::TRUNCATED)
        {
            cut += record.marks.remove(last).len();
        }
        cut
    }
}

/// A text that goes where the whole is too big.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    StackTrace,
    Cause,
    Message,
    Type,
}

/// Cuts what names something and is no identity: level, channel, target, event
/// and marks. The bytes that went.
fn cut_free_names(record: &mut Record, max: usize) -> usize {
    let mut cut = cut_shared(&mut record.level, max)
        + cut_shared(&mut record.channel, max)
        + cut_shared(&mut record.target, max);
    if let Some(name) = &mut record.event_name {
        cut += cut_shared(name, max);
    }
    if record.marks.is_empty() {
        return cut;
    }
    for mark in record.marks.split_off(record.marks.len().min(MARKS)) {
        cut += mark.len();
    }
    for mark in &mut record.marks {
        cut += cut_text(mark, max);
    }
    // Marks that differed may be equal once they are cut (OBS-REC-23).
    let (mut seen, mut lost) = (HashSet::new(), 0);
    record.marks.retain(|mark| {
        let first = seen.insert(mark.clone());
        lost += if first { 0 } else { mark.len() };
        first
    });
    cut + lost
}

/// As [`Limits::enforce`], but for names alone, which no limit of a record
/// makes smaller.
pub(crate) fn shorten_names(record: &mut Record, max: usize) {
    let cut = cut_free_names(record, max);
    if cut > 0 {
        let marks = mark_truncated(record);
        count(record, cut + marks);
    }
}

/// Marks a record that was cut or will be; the bytes of marks that went for it.
fn mark_truncated(record: &mut Record) -> usize {
    if record.has_mark(mark::TRUNCATED) {
        return 0;
    }
    let gone = record.marks.split_off(record.marks.len().min(MARKS - 1));
    record.mark(mark::TRUNCATED);
    gone.iter().map(String::len).sum()
}

fn count(record: &mut Record, cut: usize) {
    record.truncated_bytes = record.truncated_bytes.saturating_add(cut as u64);
}

/// Of two attributes with one key, which they may have only since keys were
/// cut, the first stays (OBS-LIM-12). One without a key has no place.
fn drop_equal_keys(attributes: &mut Vec<(String, Value)>) -> usize {
    if attributes.is_empty() {
        return 0;
    }
    let mut seen = HashSet::with_capacity(attributes.len());
    if attributes
        .iter()
        .all(|(key, _)| !key.is_empty() && seen.insert(key.as_str()))
    {
        return 0;
    }
    let (mut seen, mut lost) = (HashSet::new(), 0);
    attributes.retain(|(key, value)| {
        let stays = !key.is_empty() && seen.insert(key.clone());
        if !stays {
            lost += key.len() + value.payload_len();
        }
        stays
    });
    lost
}

/// What is left is a copy: the whole would stay in memory with it.
fn cut_shared(text: &mut Text, max: usize) -> usize {
    if text.len() <= max {
        return 0;
    }
    let keep = Text::from(cut(text, max));
    let lost = text.len() - keep.len();
    *text = keep;
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
        lost += cut_scalar(scalar, max);
        // An empty text costs something too, or a list of them has no bound.
        match room.checked_sub(scalar.payload_len().max(8)) {
            Some(rest) => room = rest,
            None => break,
        }
        kept += 1;
    }
    lost += list[kept..]
        .iter()
        .map(|s| s.payload_len().max(1))
        .sum::<usize>();
    list.truncate(kept);
    lost
}

/// Tag, length and nesting of a text below 2 MiB, rounded up.
const FIELD: usize = 8;

fn attribute_size((key, value): &(String, Value)) -> usize {
    let items = match value {
        Value::Scalar(_) => 1,
        Value::List(list) => list.len() + 1,
    };
    key.len() + value.payload_len() + FIELD * (items + 1)
}

/// An upper bound of the record's size in protobuf, as a plugin sends it and
/// with texts below 2 MiB: each text, value and number with its tag and length.
pub fn size(record: &Record) -> usize {
    let optional = |text: Option<&str>| text.map_or(0, |t| t.len() + FIELD);
    let mut size = 96 + record.level.len() + record.channel.len();
    size += record.target.len() + record.message.len() + record.unknown_fields.len();
    size += optional(record.event_name.as_deref())
        + optional(record.plugin_instance_id.as_deref())
        + optional(record.test_run_id.as_deref())
        + optional(record.call_id.as_deref());
    size += record.attributes.iter().map(attribute_size).sum::<usize>();
    if let Some(e) = &record.exception {
        size += FIELD
            + optional(e.kind.as_deref())
            + optional(e.message.as_deref())
            + optional(e.stack_trace.as_deref());
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
