//! Records of a run, one after the other.

use std::fmt;
use std::sync::Arc;

use plugobs_core::json::from_json;
use plugobs_core::{Record, Rejection};

use super::cursor::Cursor;
use super::filter::{Filter, Selection};
use super::lines::{RawLine, RawText};
use crate::error::ReadError;
use crate::folder::Folder;

/// Where a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The segment's name. The current one is `records.ndjson`, and has
    /// another name once it was rotated.
    pub file: Arc<str>,
    /// From 1.
    pub line: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A line of a run's records.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it is.
    pub at: Position,
    /// The record, or what the line is instead.
    pub record: Result<Record, Damage>,
}

/// What a line is that is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The file ends within it: its writer was killed, or the disk was full.
    #[error("the file ends within the line, after {bytes} bytes of it")]
    Torn {
        /// How many bytes are there.
        bytes: u64,
    },
    /// It is longer than any record.
    #[error("the line has {bytes} bytes and is longer than any record")]
    TooLong {
        /// Its length.
        bytes: u64,
    },
    /// It is not text.
    #[error("the line is not UTF-8 from byte {valid} on")]
    NotUtf8 {
        /// How many bytes of it are valid.
        valid: usize,
    },
    /// It is text and no record.
    #[error("the line is not a record: {0}")]
    NotARecord(#[from] Rejection),
}

/// An iterator over the records of a run, in constant memory. It ends after an
/// error; damaged lines are none.
#[derive(Debug)]
pub struct Records {
    cursor: Cursor,
    selection: Selection,
    failed: bool,
}

impl Records {
    pub(crate) fn new(folder: Arc<Folder>, filters: Vec<Filter>) -> Self {
        Self {
            cursor: Cursor::new(folder, false),
            selection: Selection::new(filters),
            failed: false,
        }
    }
}

impl Iterator for Records {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = next_entry(&mut self.cursor, &self.selection);
        self.failed = next.is_err();
        next.transpose()
    }
}

/// The next line that the selection takes, or that is damaged and may be one.
pub(super) fn next_entry(
    cursor: &mut Cursor,
    selection: &Selection,
) -> Result<Option<Entry>, ReadError> {
    cursor.find_map(|file, line| {
        if let RawText::Whole(bytes) | RawText::Torn(bytes) = line.text
            && !selection.may_take(bytes)
        {
            return None;
        }
        let record = read_line(&line);
        if record.as_ref().is_ok_and(|record| !selection.takes(record)) {
            return None;
        }
        let at = Position {
            file: Arc::clone(file),
            line: line.number,
        };
        Some(Entry { at, record })
    })
}

pub(super) fn read_line(line: &RawLine<'_>) -> Result<Record, Damage> {
    Ok(from_json(whole_text(line)?)?)
}

/// The text of a line that is whole.
pub(crate) fn whole_text<'a>(line: &RawLine<'a>) -> Result<&'a str, Damage> {
    match line.text {
        RawText::Whole(bytes) => std::str::from_utf8(bytes).map_err(|error| Damage::NotUtf8 {
            valid: error.valid_up_to(),
        }),
        RawText::Torn(bytes) => Err(Damage::Torn {
            bytes: bytes.len() as u64,
        }),
        RawText::TooLong(bytes) => Err(Damage::TooLong { bytes }),
    }
}
