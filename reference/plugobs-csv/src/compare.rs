//! Comparing an actual CSV body with the expected one.
//!
//! The first row of the expected body is the template: every further row of the actual body is held against it, so that a
//! contract with one example row accepts any number of rows like it.
//! A contract with several rows wants at least as many; row by row they are compared with their counterparts.
//! A column's matching rules apply to each of its values; a column without rules must hold the expected value.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::column::Column;
use crate::content::{Body, is_csv, require_utf8};
use crate::error::{Error, Side};
use crate::mismatch::{MAX_MISMATCHES, Mismatch, MismatchKind, Place, Verdict};
use crate::rule::{Check, Rule, Violation};
use crate::settings::Settings;
use crate::spec::Spec;
use crate::table::{Row, Table, plural};

/// What is to be compared.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// The body of the contract; absent where the contract has none.
    pub expected: Option<&'a Body>,
    /// The body that was sent or received; absent where there was none.
    pub actual: Option<&'a Body>,
    /// Columns that the contract does not name are fine.
    pub allow_unexpected_keys: bool,
    /// Matching rules by path, all of which must hold; see [`Column::parse`].
    pub rules: &'a BTreeMap<String, Vec<Spec>>,
    /// The interaction's stored configuration; see [`Settings`].
    pub configuration: &'a Map<String, Value>,
}

/// Compares two bodies.
///
/// # Errors
/// A body cannot be read as CSV, or a rule or setting cannot be applied.
pub fn compare(comparison: &Comparison<'_>) -> Result<Verdict, Error> {
    let settings = Settings::read(comparison.configuration)?;
    let (expected, actual) = match (comparison.expected, comparison.actual) {
        (Some(expected), Some(actual)) => (expected, actual),
        (expected, actual) => return Ok(presence(expected, actual)),
    };
    for body in [expected, actual] {
        // Nothing said about the content type is no reason to refuse a body.
        if !body.content_type.is_empty() && !is_csv(&body.content_type) {
            return Ok(Verdict::ContentType {
                expected: expected.content_type.clone(),
                actual: actual.content_type.clone(),
            });
        }
        require_utf8(&body.content_type)?;
    }

    let on = |side| move |source| Error::Table { side, source };
    let expected = Table::read(&expected.content, settings).map_err(on(Side::Expected))?;
    expected.require_regular().map_err(on(Side::Expected))?;
    let actual = Table::read(&actual.content, settings).map_err(on(Side::Actual))?;

    let checks = Checks::read(comparison.rules)?;
    checks.warn_of_unused(&expected);
    let columns = columns(&expected, &actual, &checks);
    let mut report = Report::default();
    report.columns(
        &columns,
        &expected,
        &actual,
        comparison.allow_unexpected_keys,
    );
    report.rows(
        &columns,
        &expected,
        &actual,
        comparison.allow_unexpected_keys,
    );
    tracing::debug!(
        rows = actual.rows.len(),
        columns = columns.len(),
        rules = comparison.rules.len(),
        mismatches = report.total,
        "compared the CSV bodies"
    );
    Ok(report.verdict(actual.rows.len()))
}

/// The verdict where a body is missing; an absent body and none expected are the same.
fn presence(expected: Option<&Body>, actual: Option<&Body>) -> Verdict {
    let mut report = Report::default();
    let text = |body: &Body| String::from_utf8_lossy(&body.content).into_owned();
    let message = match (expected, actual) {
        (Some(expected), None) => format!(
            "expected a CSV body of {} bytes but got none",
            expected.content.len()
        ),
        (None, Some(actual)) => format!(
            "expected no CSV body but got one of {} bytes",
            actual.content.len()
        ),
        _ => return report.verdict(0),
    };
    report.add(Mismatch {
        kind: MismatchKind::Presence,
        place: Place::default(),
        expected: expected.map(text),
        actual: actual.map(text),
        message,
    });
    report.verdict(0)
}

/// The rules of all columns, ready for use.
struct Checks {
    by_column: BTreeMap<Column, Vec<Check>>,
    /// What a column without rules is held against.
    equality: Vec<Check>,
}

impl Checks {
    fn read(rules: &BTreeMap<String, Vec<Spec>>) -> Result<Self, Error> {
        let on = |path: &str| {
            let path = path.to_owned();
            move |source| Error::Rule { path, source }
        };
        let mut by_column: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (path, specs) in rules {
            let checks = Check::from_specs(specs).map_err(on(path))?;
            by_column
                .entry(Column::parse(path)?)
                .or_default()
                .extend(checks);
        }
        let equality = Rule::Equality.compile().map_err(on("$"))?;
        Ok(Self {
            by_column,
            equality: vec![equality],
        })
    }

    /// The rules for a position win over those for a name, as deployed.
    fn of(&self, position: &Column, name: Option<&Column>) -> &[Check] {
        let by = |column| {
            self.by_column
                .get(column)
                .filter(|checks: &&Vec<_>| !checks.is_empty())
        };
        by(position)
            .or_else(|| name.and_then(by))
            .unwrap_or(&self.equality)
    }

    /// A rule for a column that is not there checks nothing, which its author should hear of.
    fn warn_of_unused(&self, expected: &Table) {
        for column in self.by_column.keys() {
            let known = match column {
                Column::Position(position) => position.get() <= expected.width(),
                Column::Name(name) => expected.header.iter().flatten().any(|known| known == name),
            };
            if !known {
                tracing::warn!(%column, "a matching rule is for a column that the expected body does not have");
            }
        }
    }
}

/// A column of the expected body.
struct ExpectedColumn<'a> {
    /// What people call it.
    column: Column,
    /// Where it stands in the expected body, from 0.
    expected_index: usize,
    /// Where it stands in the actual body, from 0; absent where the header does not name it.
    actual_index: Option<usize>,
    checks: &'a [Check],
}

fn columns<'a>(expected: &Table, actual: &Table, checks: &'a Checks) -> Vec<ExpectedColumn<'a>> {
    (0..expected.width())
        .map(|index| {
            let position = Column::at(index);
            let name = expected.header.as_ref().and_then(|names| names.get(index));
            let actual_index = match (name, &actual.header) {
                (Some(name), Some(names)) => names.iter().position(|other| other == name),
                _ => Some(index),
            };
            let name = name.map(|name| Column::Name(name.clone()));
            ExpectedColumn {
                checks: checks.of(&position, name.as_ref()),
                column: name.unwrap_or(position),
                expected_index: index,
                actual_index,
            }
        })
        .collect()
}

#[derive(Default)]
struct Report {
    mismatches: Vec<Mismatch>,
    total: usize,
}

impl Report {
    fn add(&mut self, mismatch: Mismatch) {
        self.total += 1;
        if self.mismatches.len() < MAX_MISMATCHES {
            self.mismatches.push(mismatch);
        }
    }

    fn verdict(self, rows: usize) -> Verdict {
        Verdict::Compared {
            mismatches: self.mismatches,
            total: self.total,
            rows,
        }
    }

    /// Compares the header rows; without them each row is compared for itself.
    fn columns(
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

    fn rows(
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
