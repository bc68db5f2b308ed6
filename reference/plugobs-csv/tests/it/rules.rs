//! Which values keep which rules.

use plugobs_csv::field::match_field;
use plugobs_csv::rule::{Rule, RuleError};
use plugobs_csv::spec::Spec;

fn keeps(spec: &Spec, value: &str) -> bool {
    match_field("column:1", spec, "example", value)
        .unwrap()
        .is_ok()
}

#[test]
fn values_keep_or_break_their_rule() {
    for (spec, good, bad) in [
        (Spec::new("type"), vec!["", "x", "1"], vec![]),
        (Spec::new("equality"), vec!["example"], vec!["Example", ""]),
        (
            Spec::new("number"),
            vec!["1", "-1", "+1.5", ".5", "5.", "1e5", "1.5E-3", "007"],
            vec![
                "", "-", ".", "1,5", "1e", "e5", "NaN", "inf", " 1", "1 ", "0x10", "1.2.3", "١",
            ],
        ),
        (
            Spec::new("integer"),
            vec!["0", "-12", "+7"],
            vec!["", "1.0", "1e3", "one", "-"],
        ),
        (
            Spec::new("decimal"),
            vec!["1.0", "-.5", "1.5e3"],
            vec!["1", "1.", "1e3", "on request"],
        ),
        (
            Spec::new("boolean"),
            vec!["true", "false"],
            vec!["True", "1", ""],
        ),
        (Spec::new("not-empty"), vec!["x", " "], vec![""]),
        (Spec::new("notEmpty"), vec!["x"], vec![""]),
        (
            Spec::new("semver"),
            vec!["1.2.3", "1.0.0-rc.1+5"],
            vec!["1.2", "v1.2.3"],
        ),
        (
            Spec::new("include").with("value", "ell"),
            vec!["hello"],
            vec!["help", ""],
        ),
        (
            Spec::new("regex").with("regex", "^\\d{3}$"),
            vec!["123"],
            vec!["1234", "abc"],
        ),
        (
            Spec::new("regex").with("regex", "\\d"),
            vec!["a1b"],
            vec!["ab"],
        ),
        (
            Spec::new("date"),
            vec!["2024-02-29"],
            vec!["2023-02-29", "29.02.2024"],
        ),
        (
            Spec::new("date").with("format", "dd.MM.yyyy"),
            vec!["29.02.2024"],
            vec!["2024-02-29"],
        ),
        (
            Spec::new("date").with("date", "yyyy"),
            vec!["2024"],
            vec!["24"],
        ),
        (Spec::new("time"), vec!["23:59:59"], vec!["24:00:00"]),
        (
            Spec::new("timestamp"),
            vec!["2024-02-29T23:59:59Z", "2024-02-29T23:59:59+01:30"],
            vec!["2024-02-29 23:59:59Z", "2024-02-29T23:59:59"],
        ),
        (
            Spec::new("datetime").with("format", ""),
            vec!["2024-02-29T23:59:59-11:00"],
            vec!["2024-02-29"],
        ),
    ] {
        for value in good {
            assert!(keeps(&spec, value), "{spec:?} should hold for {value:?}");
        }
        for value in bad {
            assert!(
                !keeps(&spec, value),
                "{spec:?} should not hold for {value:?}"
            );
        }
    }
}

#[test]
fn rules_are_written_as_they_are_read() {
    for rule in [
        Rule::Equality,
        Rule::Type,
        Rule::Regex("a+".to_owned()),
        Rule::Include("a".to_owned()),
        Rule::Number,
        Rule::Integer,
        Rule::Decimal,
        Rule::Boolean,
        Rule::NotEmpty,
        Rule::Semver,
        Rule::Date("yyyy".to_owned()),
        Rule::Time("HH".to_owned()),
        Rule::DateTime("yyyy HH".to_owned()),
    ] {
        assert_eq!(Rule::from_spec(&rule.spec()), Ok(rule));
    }
}

#[test]
fn rules_that_cannot_be_applied_are_errors_and_not_verdicts() {
    let error = |spec: &Spec| {
        match_field("column:Id", spec, "", "")
            .unwrap_err()
            .to_string()
    };
    assert!(
        error(&Spec::new("array-contains"))
            .starts_with("column:Id: the matching rule `array-contains`")
    );
    assert_eq!(
        Rule::from_spec(&Spec::new("regex")),
        Err(RuleError::MissingValue {
            kind: "regex".to_owned(),
            key: "regex"
        })
    );
    assert!(error(&Spec::new("regex").with("regex", "(")).contains("`(` is not supported"));
    assert!(error(&Spec::new("date").with("format", "YYYY")).contains("`YYYY`"));
}

#[test]
fn long_values_are_cut_in_messages() {
    let value = "ä".repeat(500);
    let violation = match_field("column:1", &Spec::new("number"), "", &value)
        .unwrap()
        .unwrap_err();
    assert_eq!(violation.rule, "number");
    assert_eq!(
        violation.message,
        format!("'{}…' is not a number", "ä".repeat(120))
    );
}
