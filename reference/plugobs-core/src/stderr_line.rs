//! A record as a line on standard error: how a plugin speaks before its stream
//! is up, after it is lost for good, and where there is no host at all.

use std::borrow::Cow;

use crate::error::Rejection;
use crate::json::{LineWriter, strict};
use crate::limits::{Limits, shorten_names};
use crate::record::Record;
use crate::registry::{RejectionCode, limit};

/// What every such line begins with; nothing else does by chance.
pub const PREFIX: &str = "{\"plugobs\":1,";

const VERSION_MEMBER: &str = "plugobs";

/// What a line of any version begins with.
const ANY_VERSION: &[u8] = b"{\"plugobs\":";

/// Where a record is to be smaller than that, it is its names that are too
/// long: two dozen of them, each byte written as six.
const NAMES_BUDGET: usize = 4096;

/// Whether a line claims to be a record.
pub fn is_record_line(line: &[u8]) -> bool {
    line.starts_with(ANY_VERSION)
}

/// The record as one line, without the line feed, cut to 32 KiB
/// (`stderr_record_bytes`) where it is longer.
pub fn to_stderr_line(record: &Record) -> String {
    let record = &*without_version(record);
    let mut line = encode(record);
    let mut budget = limit::STDERR_RECORD_BYTES_DEFAULT;
    let mut cut = None;
    // JSON may write one byte as six; halving ends after a few rounds.
    while line.len() > limit::STDERR_RECORD_BYTES_DEFAULT && budget > 64 {
        let smaller = cut.get_or_insert_with(|| record.clone());
        if budget <= NAMES_BUDGET {
            shorten_names(smaller, 64);
        }
        Limits {
            message_bytes: budget / 4,
            attribute_value_bytes: budget / 8,
            record_bytes: budget,
            ..Limits::default()
        }
        .enforce(smaller);
        line = encode(smaller);
        budget /= 2;
    }
    line
}

/// Reads such a line.
///
/// # Errors
/// `too_long` above 32 KiB, `unknown_version` for a version other than 1,
/// `missing_field` without epoch or sequence, else as
/// [`crate::json::from_json`].
pub fn parse_stderr_line(line: &str) -> Result<Record, Rejection> {
    if line.len() > limit::STDERR_RECORD_BYTES_DEFAULT {
        return Err(Rejection::new(
            RejectionCode::TooLong,
            "$",
            format!(
                "the line has {} bytes, at most 32768 are allowed",
                line.len()
            ),
        ));
    }
    let mut object = strict::object(line)?;
    match object.shift_remove(VERSION_MEMBER) {
        Some(version) if version == 1 => {
            let record = crate::json::from_object(object)?;
            let missing = match (record.epoch, record.sequence) {
                (None, _) => "epoch",
                (_, None) => "sequence",
                _ => return Ok(record),
            };
            let detail = "a record line has its key in it";
            Err(Rejection::new(RejectionCode::MissingField, missing, detail))
        }
        other => Err(Rejection::new(
            RejectionCode::UnknownVersion,
            "plugobs",
            format!("version 1 is expected, {other:?} was found"),
        )),
    }
}

/// A member that a record has from elsewhere would stand beside the line's own.
fn without_version(record: &Record) -> Cow<'_, Record> {
    if !record.unknown_members.contains_key(VERSION_MEMBER) {
        return Cow::Borrowed(record);
    }
    let mut record = record.clone();
    record.unknown_members.shift_remove(VERSION_MEMBER);
    Cow::Owned(record)
}

fn encode(record: &Record) -> String {
    let mut line = Vec::with_capacity(512);
    line.extend_from_slice(PREFIX.as_bytes());
    LineWriter::default().write_members(record, &mut line);
    line.push(b'}');
    String::from_utf8(line).expect("JSON is written as UTF-8")
}
