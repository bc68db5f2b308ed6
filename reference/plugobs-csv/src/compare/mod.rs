//! Comparing an actual CSV body with the expected one.
//!
//! The first row of the expected body is the template: every further row of the actual body is held against it, so that a
//! contract with one example row accepts any number of rows like it.
//! A contract with several rows wants at least as many; row by row they are compared with their counterparts.
//! A column's matching rules apply to each of its values; a column without rules must hold the expected value.

mod checks;
mod report;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::column::Column;
use crate::compare::checks::Checks;
use crate::compare::report::Report;
use crate::content::{Body, is_csv, require_utf8};
use crate::error::{Error, Side};
use crate::mismatch::{Mismatch, MismatchKind, Place, Verdict};
use crate::rule::Check;
use crate::settings::Settings;
use crate::spec::Spec;
use crate::table::Table;

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
