//! How an actual body differs from the expected one.

use crate::column::Column;

/// The outcome of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The body is not CSV, so that nothing was compared.
    ContentType {
        /// The content type of the expected body.
        expected: String,
        /// The content type of the actual body.
        actual: String,
    },
    /// The bodies were compared.
    Compared {
        /// What differs, in the order of the actual body; at most [`MAX_MISMATCHES`].
        mismatches: Vec<Mismatch>,
        /// How many differences there are, those beyond the limit counted too.
        total: usize,
        /// How many rows of the actual body were compared.
        rows: usize,
    },
}

impl Verdict {
    /// Whether the actual body is as expected.
    #[must_use]
    pub fn is_match(&self) -> bool {
        matches!(self, Self::Compared { total: 0, .. })
    }
}

/// How many differences a comparison names; a body that is wrong in every row must still fit into an answer.
pub const MAX_MISMATCHES: usize = 1_000;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What kind of difference it is.
    pub kind: MismatchKind,
    /// Where it is.
    pub place: Place,
    /// The expected value or the expected count; absent where nothing was expected.
    pub expected: Option<String>,
    /// The actual value or count; absent where there is nothing.
    pub actual: Option<String>,
    /// What is wrong, in a sentence.
    pub message: String,
}

/// Kinds of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MismatchKind {
    /// There is a body where none was expected, or none where one was.
    Presence,
    /// An expected column is not there.
    MissingColumn,
    /// There is a column that was not expected.
    UnexpectedColumn,
    /// There are fewer rows than expected, or rows where none was expected.
    RowCount,
    /// A row has fewer or more values than there are columns.
    Ragged,
    /// A value breaks the matching rule of this type; `equality` also stands for a column without rules.
    Value(&'static str),
}

/// A place in the actual body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The row below the header, from 1.
    pub row: Option<usize>,
    /// The line on which the row begins, from 1, as an editor counts.
    pub line: Option<u64>,
    /// The column.
    pub column: Option<Column>,
}

impl std::fmt::Display for Place {
    /// Writes `row:3, column:Amount`, or `$` for the body as a whole.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.row, &self.column) {
            (Some(row), Some(column)) => write!(f, "row:{row}, {column}"),
            (Some(row), None) => write!(f, "row:{row}"),
            (None, Some(column)) => write!(f, "{column}"),
            (None, None) => f.write_str("$"),
        }
    }
}
