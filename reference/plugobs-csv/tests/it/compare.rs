//! Comparing bodies.

use std::collections::BTreeMap;

use plugobs_csv::Error;
use plugobs_csv::compare::{Comparison, compare};
use plugobs_csv::content::Body;
use plugobs_csv::error::Side;
use plugobs_csv::mismatch::{MAX_MISMATCHES, MismatchKind, Verdict};
use plugobs_csv::spec::Spec;
use plugobs_csv::table::TableError;
use serde_json::{Map, json};

use crate::support::{Case, mismatches, object};

#[test]
fn equal_bodies_match_whatever_their_line_ends_and_quotes() {
    let case = Case::new("A,B\n1,x\n", "\u{feff}A,B\r\n\"1\",\"x\"\r\n");
    assert!(case.run().unwrap().is_match());
}

#[test]
fn columns_with_a_header_may_stand_in_any_order() {
    let case = Case::new("A,B\n1,x\n", "B,A\nx,1\n");
    assert_eq!(case.lines(), [""; 0]);
}

#[test]
fn a_rule_applies_to_every_row_and_the_first_row_is_the_template() {
    let case = Case::new("Id,Kind\n1,tea\n", "Id,Kind\n7,tea\nx,tea\n9,coffee\n")
        .rules([("column:Id", Spec::new("integer"))]);
    assert_eq!(
        case.lines(),
        [
            "row:2, column:Id: 'x' is not an integer (digits, perhaps signed)",
            "row:3, column:Kind: expected 'tea' but got 'coffee'",
        ]
    );
    let found = mismatches(case.run().unwrap());
    assert_eq!(found[0].kind, MismatchKind::Value("integer"));
    assert_eq!(
        (found[0].expected.as_deref(), found[0].actual.as_deref()),
        (Some("1"), Some("x"))
    );
    assert_eq!(found[1].kind, MismatchKind::Value("equality"));
    assert_eq!(found[1].place.line, Some(4));
}

#[test]
fn several_expected_rows_are_compared_with_their_counterparts() {
    let expected = "A\n1\n2\n";
    assert!(Case::new(expected, "A\n1\n2\n").run().unwrap().is_match());
    assert!(
        Case::new(expected, "A\n1\n2\n1\n")
            .run()
            .unwrap()
            .is_match()
    );
    assert_eq!(
        Case::new(expected, "A\n1\n2\n2\n").lines(),
        ["row:3, column:A: expected '1' but got '2'"]
    );
    assert_eq!(
        Case::new(expected, "A\n1\n").lines(),
        ["$: expected 2 rows but got 1"]
    );
    assert_eq!(
        Case::new(expected, "A\n").lines(),
        ["$: expected 2 rows but got 0"]
    );
    assert_eq!(
        Case::new("A\n", "A\n1\n").lines(),
        ["$: expected 0 rows but got 1"]
    );
}

#[test]
fn an_empty_body_lacks_its_columns_and_rows() {
    assert_eq!(
        Case::new("A\n1\n", "").lines(),
        [
            "column:A: expected a column 'A' but it is missing",
            "$: expected 1 row but got 0"
        ]
    );
    assert!(Case::new("", "").run().unwrap().is_match());
}

#[test]
fn missing_and_unexpected_columns_are_told_once() {
    let mut case = Case::new("A,B\n1,2\n", "A,C\n1,2\n1,2\n");
    assert_eq!(
        case.lines(),
        [
            "column:B: expected a column 'B' but it is missing",
            "column:2: the column 'C' was not expected",
        ]
    );
    case.allow_unexpected_keys = true;
    assert_eq!(
        case.lines(),
        ["column:B: expected a column 'B' but it is missing"]
    );
    assert_eq!(
        Case::new("A\n1\n", "A,A\n1,2\n").lines(),
        ["column:2: the column 'A' stands twice"]
    );
}

#[test]
fn without_headers_columns_are_counted() {
    let rules = [("column:2", Spec::new("number"))];
    let case = Case::new("x,1\n", "x,5\ny,z\n")
        .rules(rules)
        .without_headers();
    assert_eq!(
        case.lines(),
        [
            "row:2, column:1: expected 'x' but got 'y'",
            "row:2, column:2: 'z' is not a number",
        ]
    );
    let mut surplus = Case::new("x,1\n", "x,1,9\n").without_headers();
    assert_eq!(
        surplus.lines(),
        ["row:1: expected 2 values in the row but got 3 (line 1)"]
    );
    surplus.allow_unexpected_keys = true;
    assert!(surplus.run().unwrap().is_match());
}

#[test]
fn ragged_rows_are_told_with_row_and_line() {
    let case = Case::new("A,B\n1,2\n", "A,B\n1,2\n\n1\n1,2,3\n");
    assert_eq!(
        case.lines(),
        [
            "row:2: expected 2 values in the row but got 1 (line 4)",
            "row:3: expected 2 values in the row but got 3 (line 5)",
        ]
    );
    let kinds: Vec<_> = mismatches(case.run().unwrap())
        .iter()
        .map(|found| found.kind)
        .collect();
    assert_eq!(kinds, [MismatchKind::Ragged; 2]);
}

#[test]
fn all_rules_of_a_column_must_hold_and_positions_win_over_names() {
    let mut case =
        Case::new("Id\nA1\n", "Id\n\n\"\"\n").rules([("column:Id", Spec::new("not-empty"))]);
    let regex = Spec::new("regex").with("regex", "^A");
    case.rules.get_mut("column:Id").unwrap().push(regex);
    assert_eq!(
        case.lines(),
        [
            "row:1, column:Id: '' is not a value with at least one character",
            "row:1, column:Id: '' does not match the regular expression `^A`",
        ]
    );
    case.rules
        .insert("column:1".to_owned(), vec![Spec::new("type")]);
    assert!(case.run().unwrap().is_match());
}

#[test]
fn drivers_may_write_paths_as_document_paths() {
    for path in [
        "column:Unit price",
        "$['column:Unit price']",
        "$[\"column:Unit price\"]",
    ] {
        let case =
            Case::new("Unit price\n1\n", "Unit price\n2\n").rules([(path, Spec::new("number"))]);
        assert!(case.run().unwrap().is_match(), "{path}");
    }
    let case = Case::new("Id\n1\n", "Id\n2\n").rules([("$.column:Id", Spec::new("number"))]);
    assert!(case.run().unwrap().is_match());
}

#[test]
fn another_content_type_is_a_mismatch_of_its_own() {
    let mut case = Case::new("A\n1\n", "{}");
    case.actual.content_type = "application/json".to_owned();
    assert_eq!(
        case.run().unwrap(),
        Verdict::ContentType {
            expected: "text/csv".to_owned(),
            actual: "application/json".to_owned(),
        }
    );
    assert!(!case.run().unwrap().is_match());
    for csv in [
        "TEXT/CSV",
        "text/csv; header=present",
        "application/csv",
        "",
    ] {
        let mut case = Case::new("A\n1\n", "A\n1\n");
        case.actual.content_type = csv.to_owned();
        assert!(case.run().unwrap().is_match(), "{csv}");
    }
}

#[test]
fn a_body_that_is_missing_is_a_mismatch_unless_both_are() {
    let body = Body::csv("A\n1\n");
    let verdict = |expected, actual| {
        compare(&Comparison {
            expected,
            actual,
            allow_unexpected_keys: false,
            rules: &BTreeMap::new(),
            configuration: &Map::new(),
        })
        .unwrap()
    };
    assert!(verdict(None, None).is_match());
    let missing = mismatches(verdict(Some(&body), None));
    assert_eq!(
        missing[0].message,
        "expected a CSV body of 4 bytes but got none"
    );
    assert_eq!(
        (missing[0].kind, missing[0].actual.as_ref()),
        (MismatchKind::Presence, None)
    );
    let surplus = mismatches(verdict(None, Some(&body)));
    assert_eq!(surplus[0].actual.as_deref(), Some("A\n1\n"));
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let error = Case::new("A\n1\n", b"A\n\xff\n").run().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Table {
                side: Side::Actual,
                source: TableError::NotUtf8 { offset: 2 }
            }
        ),
        "{error}"
    );
    let error = Case::new("A,B\n1\n", "A,B\n1,2\n").run().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the expected body cannot be used: row 1 (line 2) of the CSV has 1 value where 2 are expected"
    );

    let mut latin = Case::new("A\n1\n", "A\n1\n");
    latin.actual.content_type = "text/csv; charset=\"ISO-8859-1\"".to_owned();
    assert!(matches!(latin.run(), Err(Error::Charset { charset }) if charset == "ISO-8859-1"));

    let rule = |path, spec| {
        Case::new("A\n1\n", "A\n1\n")
            .rules([(path, spec)])
            .run()
            .unwrap_err()
    };
    assert!(matches!(
        rule("$.body", Spec::new("type")),
        Error::Column(_)
    ));
    assert!(matches!(
        rule("column:0", Spec::new("type")),
        Error::Column(_)
    ));
    assert!(
        matches!(rule("column:A", Spec::new("each-value")), Error::Rule { path, .. } if path == "column:A")
    );
}

#[test]
fn the_stored_settings_are_used() {
    let mut case = Case::new("A;B\n1;2\n", "A;B\n1;3\n");
    case.configuration =
        object(json!({"csvHeaders": true, "csvDelimiter": ";", "columns": ["A", "B"]}));
    assert_eq!(case.lines(), ["row:1, column:B: expected '2' but got '3'"]);
}

#[test]
fn beyond_a_limit_mismatches_are_only_counted() {
    let rows = MAX_MISMATCHES + 50;
    let case = Case::new("A\n1\n", format!("A\n{}", "2\n".repeat(rows)));
    let Verdict::Compared {
        mismatches,
        total,
        rows: compared,
    } = case.run().unwrap()
    else {
        panic!("nothing was compared");
    };
    assert_eq!(
        (mismatches.len(), total, compared),
        (MAX_MISMATCHES, rows, rows)
    );
}
