//! CSV text as a table, and back.

use csv::{ReaderBuilder, Terminator, WriterBuilder};

use crate::settings::Settings;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A body as rows of text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The names of the columns; absent where the settings say that there is no header row.
    pub header: Option<Vec<String>>,
    /// The rows below the header; blank lines are not rows.
    pub rows: Vec<Row>,
    /// Rows end with a carriage return and a line feed.
    pub crlf: bool,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The line on which the row begins, from 1, as an editor counts.
    pub line: u64,
    /// The values from left to right; rows may differ in length.
    pub cells: Vec<String>,
}

impl Table {
    /// Reads a body; a byte order mark is skipped, and empty input is an empty table.
    ///
    /// # Errors
    /// The bytes are not UTF-8, or a quoted value never ends.
    pub fn read(bytes: &[u8], settings: Settings) -> Result<Self, TableError> {
        let text = std::str::from_utf8(bytes).map_err(|error| TableError::NotUtf8 {
            offset: error.valid_up_to(),
        })?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        require_closed_quotes(text, settings.delimiter)?;

        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(settings.delimiter)
            .from_reader(text.as_bytes());
        let mut rows = Vec::new();
        let mut lines = Lines {
            text,
            counted: 0,
            line: 1,
        };
        for record in reader.records() {
            let record = record.map_err(|source| TableError::Unreadable { source })?;
            rows.push(Row {
                line: lines.of(record.position()),
                cells: record.iter().map(str::to_owned).collect(),
            });
        }
        let header = settings.headers.then(|| {
            if rows.is_empty() {
                Vec::new()
            } else {
                rows.remove(0).cells
            }
        });
        let crlf = text
            .find('\n')
            .is_some_and(|end| text[..end].ends_with('\r'));
        Ok(Self { header, rows, crlf })
    }

    /// How many columns a full row has: those of the header, else those of the first row.
    #[must_use]
    pub fn width(&self) -> usize {
        match &self.header {
            Some(names) => names.len(),
            None => self.rows.first().map_or(0, |row| row.cells.len()),
        }
    }

    /// Refuses a table whose rows differ in length or whose header names a column twice.
    ///
    /// # Errors
    /// The first such row or name.
    pub fn require_regular(&self) -> Result<(), TableError> {
        for (index, name) in self.header.iter().flatten().enumerate() {
            let names = self.header.iter().flatten();
            if names.take(index).any(|earlier| earlier == name) {
                return Err(TableError::RepeatedName { name: name.clone() });
            }
        }
        let width = self.width();
        for (index, row) in self.rows.iter().enumerate() {
            if row.cells.len() != width {
                return Err(TableError::Ragged {
                    row: index + 1,
                    line: row.line,
                    found: row.cells.len(),
                    expected: width,
                });
            }
        }
        Ok(())
    }

    /// Writes the table; values are quoted only where they must be.
    ///
    /// # Errors
    /// The CSV writer failed, which writing to memory does not.
    pub fn write(&self, settings: Settings) -> Result<Vec<u8>, TableError> {
        let mut writer = WriterBuilder::new()
            .flexible(true)
            .delimiter(settings.delimiter)
            .terminator(if self.crlf {
                Terminator::CRLF
            } else {
                Terminator::Any(b'\n')
            })
            .from_writer(Vec::new());
        let rows = self.rows.iter().map(|row| &row.cells);
        for cells in self.header.iter().chain(rows) {
            writer
                .write_record(cells)
                .map_err(|source| TableError::Unwritable { source })?;
        }
        writer.into_inner().map_err(|error| TableError::Unwritable {
            source: error.into_error().into(),
        })
    }
}

/// A body that is not a usable table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The bytes are not UTF-8.
    #[error(
        "the CSV is not UTF-8: the byte at offset {offset} begins no character; send it as UTF-8"
    )]
    NotUtf8 {
        /// The offset of the first bad byte, from 0.
        offset: usize,
    },
    /// A quoted value runs to the end of the body.
    #[error("the quote opened on line {line} of the CSV is never closed")]
    UnclosedQuote {
        /// The line of the opening quote, from 1.
        line: u64,
    },
    /// A row has too few or too many values.
    #[error("row {row} (line {line}) of the CSV has {} where {expected} are expected", plural(*found, "value"))]
    Ragged {
        /// The row below the header, from 1.
        row: usize,
        /// The line on which it begins, from 1.
        line: u64,
        /// How many values it has.
        found: usize,
        /// How many the header or the first row has.
        expected: usize,
    },
    /// Two columns have the same name.
    #[error(
        "two columns of the CSV are named '{name}'; rename one, or set csvHeaders to false and use positions"
    )]
    RepeatedName {
        /// The name.
        name: String,
    },
    /// The CSV reader gave up.
    #[error("the CSV cannot be read")]
    Unreadable {
        /// What it said.
        source: csv::Error,
    },
    /// The CSV writer gave up.
    #[error("the CSV cannot be written")]
    Unwritable {
        /// What it said.
        source: csv::Error,
    },
}

/// Counts lines; the CSV reader's own count stops before blank lines and between the halves of a line end.
struct Lines<'a> {
    text: &'a str,
    counted: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let byte = position.map_or(0, csv::Position::byte);
        let start = usize::try_from(byte).unwrap_or(usize::MAX);
        let rest = self.text.get(start..).unwrap_or_default();
        let begin = self.text.len() - rest.trim_start_matches(['\r', '\n']).len();
        let passed = self.text.get(self.counted..begin).unwrap_or_default();
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.counted = begin;
        self.line
    }
}

/// The CSV reader takes everything behind an unclosed quote for one value, which would blame the wrong row.
fn require_closed_quotes(text: &str, delimiter: u8) -> Result<(), TableError> {
    let mut line = 1;
    let mut opened_on = None;
    let mut at_value_start = true;
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\n' {
            line += 1;
        }
        if opened_on.is_some() {
            if byte == b'"' && bytes.next_if_eq(&b'"').is_none() {
                opened_on = None;
            }
        } else if byte == b'"' && at_value_start {
            opened_on = Some(line);
        }
        at_value_start =
            opened_on.is_none() && (byte == delimiter || byte == b'\n' || byte == b'\r');
    }
    match opened_on {
        Some(line) => Err(TableError::UnclosedQuote { line }),
        None => Ok(()),
    }
}

/// A count with its noun, as a person would say it.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}
