//! What a comparison has found.

use super::ExpectedColumn;
use crate::column::Column;
use crate::mismatch::{MAX_MISMATCHES, Mismatch, MismatchKind, Place, Verdict};
use crate::rule::Violation;
use crate::table::{Row, Table, plural};

/// The differences found so far.
#[derive(Default)]
pub(super) struct Report {
    mismatches: Vec<Mismatch>,
    pub(super) total: usize,
}

impl Report {
    pub(super) fn add(&mut self, mismatch: Mismatch) {
        self.total += 1;
        if self.mismatches.len() < MAX_MISMATCHES {
            self.mismatches.push(mismatch);
        }
    }

    pub(super) fn verdict(self, rows: usize) -> Verdict {
        Verdict::Compared {
            mismatches: self.mismatches,
            total: self.total,
            rows,
        }
    }

    /// Compares the header rows; without them each row is compared for itself.
    pub(super) fn columns(
        &mut self,
        columns: &[ExpectedColumn<'_>],
        expected: &Table,
        actual: &Table,
        allow_unexpected: bool,
    ) {
        let (Some(expected_names), Some(actual_names)) = (&expected.header, &actual.header) else {
            return;
        };
        for column in columns
            .iter()
            .filter(|column| column.actual_index.is_none())
        {
            self.add(Mismatch {
                kind: MismatchKind::MissingColumn,
                place: Place {
                    column: Some(column.column.clone()),
                    ..Place::default()
                },
                expected: Some(column.column.label()),
                actual: None,
                message: format!(
                    "expected a column '{}' but it is missing",
                    column.column.label()
                ),
            });
        }
        if allow_unexpected {
            return;
        }
        let used = |index| {
            columns
                .iter()
                .any(|column| column.actual_index == Some(index))
        };
        for (index, name) in actual_names
            .iter()
            .enumerate()
            .filter(|(index, _)| !used(*index))
        {
            let twice = expected_names.contains(name);
            self.add(Mismatch {
                kind: MismatchKind::UnexpectedColumn,
                place: Place {
                    column: Some(Column::at(index)),
                    ..Place::default()
                },
                expected: None,
                actual: Some(name.clone()),
                message: if twice {
                    format!("the column '{name}' stands twice")
                } else {
                    format!("the column '{name}' was not expected")
                },
            });
        }
    }

    pub(super) fn rows(
        &mut self,
        columns: &[ExpectedColumn<'_>],
        expected: &Table,
        actual: &Table,
        allow_unexpected: bool,
    ) {
        let (wanted, found) = (expected.rows.len(), actual.rows.len());
        if found < wanted || (wanted == 0 && found > 0) {
            self.add(Mismatch {
                kind: MismatchKind::RowCount,
                place: Place::default(),
                expected: Some(plural(wanted, "row")),
                actual: Some(plural(found, "row")),
                message: format!("expected {} but got {found}", plural(wanted, "row")),
            });
        }
        let Some(template) = expected.rows.first() else {
            return;
        };
        let width = match &actual.header {
            Some(names) => names.len(),
            None => columns.len(),
        };
        for (index, row) in actual.rows.iter().enumerate() {
            let place = Place {
                row: Some(index + 1),
                line: Some(row.line),
                column: None,
            };
            let surplus_is_fine = allow_unexpected && actual.header.is_none();
            if row.cells.len() < width || (row.cells.len() > width && !surplus_is_fine) {
                self.ragged(&place, row, width);
            }
            self.row(
                columns,
                expected.rows.get(index).unwrap_or(template),
                row,
                &place,
            );
        }
    }

    fn ragged(&mut self, place: &Place, row: &Row, width: usize) {
        let found = row.cells.len();
        self.add(Mismatch {
            kind: MismatchKind::Ragged,
            place: place.clone(),
            expected: Some(plural(width, "column")),
            actual: Some(plural(found, "column")),
            message: format!(
                "expected {} in the row but got {found} (line {})",
                plural(width, "value"),
                row.line
            ),
        });
    }

    /// Compares the values that are there; those that are not have been reported.
    fn row(&mut self, columns: &[ExpectedColumn<'_>], expected: &Row, actual: &Row, place: &Place) {
        for column in columns {
            let expected_value = expected.cells.get(column.expected_index);
            let actual_value = column
                .actual_index
                .and_then(|index| actual.cells.get(index));
            let (Some(expected_value), Some(actual_value)) = (expected_value, actual_value) else {
                continue;
            };
            for check in column.checks {
                let Err(Violation { rule, message }) = check.hold(expected_value, actual_value)
                else {
                    continue;
                };
                let place = Place {
                    column: Some(column.column.clone()),
                    ..place.clone()
                };
                tracing::debug!(%place, line = actual.line, rule, value = actual_value.as_str(), "{message}");
                self.add(Mismatch {
                    kind: MismatchKind::Value(rule),
                    place,
                    expected: Some(expected_value.clone()),
                    actual: Some(actual_value.clone()),
                    message,
                });
            }
        }
    }
}
