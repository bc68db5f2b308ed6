//! The notation of matching rule definitions.

use plugobs_csv::expression::{Definition, ExpressionError, is_expression, parse};
use plugobs_csv::generator::Generator;
use plugobs_csv::rule::{Rule, RuleError};

fn single(expression: &str) -> (String, Rule) {
    let Definition {
        example, mut rules, ..
    } = parse(expression).unwrap();
    assert_eq!(rules.len(), 1, "{expression}");
    (example, rules.remove(0))
}

#[test]
fn each_rule_is_read_with_its_example() {
    let text = |text: &str| text.to_owned();
    for (expression, example, rule) in [
        ("matching(type,'Name')", "Name", Rule::Type),
        ("matching(type, 100)", "100", Rule::Type),
        ("matching( equalTo , 'x' )", "x", Rule::Equality),
        ("matching(number,100.09)", "100.09", Rule::Number),
        ("matching(number, -1)", "-1", Rule::Number),
        ("matching(integer, 1)", "1", Rule::Integer),
        ("matching(decimal, 1.5)", "1.5", Rule::Decimal),
        ("matching(boolean,true)", "true", Rule::Boolean),
        ("matching(semver,'1.0.0')", "1.0.0", Rule::Semver),
        ("matching(include,'x')", "x", Rule::Include(text("x"))),
        (
            "matching(regex,'\\w+','abc')",
            "abc",
            Rule::Regex(text("\\w+")),
        ),
        (
            "matching(regex,'\\\\w+','abc')",
            "abc",
            Rule::Regex(text("\\w+")),
        ),
        (
            "matching(date,'yyyy-MM-dd','2000-01-01')",
            "2000-01-01",
            Rule::Date(text("yyyy-MM-dd")),
        ),
        (
            "matching(time,'HH:mm','22:04')",
            "22:04",
            Rule::Time(text("HH:mm")),
        ),
        ("notEmpty('x')", "x", Rule::NotEmpty),
        ("notEmpty(3)", "3", Rule::NotEmpty),
        ("matching(type, null)", "", Rule::Type),
    ] {
        assert_eq!(single(expression), (text(example), rule), "{expression}");
    }
}

#[test]
fn dates_bring_a_generator_and_an_empty_format_is_the_default() {
    let definition = parse("matching(datetime, 'yyyy-MM-dd','2000-01-01')").unwrap();
    assert_eq!(definition.rules, [Rule::DateTime("yyyy-MM-dd".to_owned())]);
    assert_eq!(
        definition.generator,
        Some(Generator::datetime(Some("yyyy-MM-dd".to_owned())))
    );
    let definition = parse("matching(date, '','2000-01-01')").unwrap();
    assert_eq!(definition.rules, [Rule::Date("yyyy-MM-dd".to_owned())]);
    assert_eq!(definition.generator, Some(Generator::date(None)));
}

#[test]
fn provider_states_replace_the_example() {
    let definition = parse("matching(integer, fromProviderState('${id}', 100))").unwrap();
    assert_eq!(
        (definition.example.as_str(), &definition.rules[..]),
        ("100", &[Rule::Integer][..])
    );
    let generator = |data_type: &str| {
        Some(Generator::ProviderState {
            expression: "${id}".to_owned(),
            data_type: Some(data_type.to_owned()),
        })
    };
    assert_eq!(definition.generator, generator("INTEGER"));
    let regex = parse("matching(regex, '\\d+', fromProviderState('${id}', 100))").unwrap();
    assert_eq!(regex.generator, generator("INTEGER"));
    let date = parse("matching(date, 'yyyy', fromProviderState('${id}', '2000'))").unwrap();
    assert_eq!(
        date.generator,
        generator("STRING"),
        "the state wins over the clock"
    );
}

#[test]
fn expressions_joined_by_commas_all_apply() {
    let definition = parse("notEmpty('a'), matching(regex, '^[a-z]+$', 'b')").unwrap();
    assert_eq!(definition.example, "a");
    assert_eq!(
        definition.rules,
        [Rule::NotEmpty, Rule::Regex("^[a-z]+$".to_owned())]
    );
}

#[test]
fn escapes_are_resolved() {
    let example = |expression: &str| single(expression).0;
    assert_eq!(example(r"matching(type, 'it\'s')"), "it's");
    assert_eq!(example(r"matching(type, 'a\tb\nc\\d')"), "a\tb\nc\\d");
    assert_eq!(example(r"matching(type, '\u0041\u{1F600}')"), "A😀");
}

#[test]
fn only_a_keyword_and_a_bracket_make_an_expression() {
    for expression in ["matching(type,'x')", " notEmpty ('x')", "eachValue(1)"] {
        assert!(is_expression(expression), "{expression}");
    }
    for text in [
        "",
        "matching some other text",
        "Matching(type)",
        "x matching(type,'x')",
        "100",
    ] {
        assert!(!is_expression(text), "{text}");
    }
}

#[test]
fn mistakes_are_placed() {
    for (expression, message) in [
        (
            "matching(type 'x')",
            "a comma is due at character 15, not 'x'",
        ),
        (
            "matching(type,'x'",
            "a closing bracket is due at character 18, not the end",
        ),
        (
            "matching(integer, 1.5)",
            "a number without a fraction is due at character 19, not `1.5`",
        ),
        (
            "matching(integer, 1.2.3)",
            "a number without a fraction is due at character 19, not `1.2.3`",
        ),
        (
            "matching(boolean, 'true')",
            "true or false is due at character 19, not 'true'",
        ),
        (
            "matching(regex, 5, 'x')",
            "a string between single quotes is due at character 17, not `5`",
        ),
        (
            "matching(type, 'x') 'y'",
            "a comma or the end is due at character 21, not 'y'",
        ),
        (
            "matching[type]",
            "an opening bracket is due at character 9, not `[`",
        ),
        (
            "matching(type, 'x",
            "the string that begins at character 16 has no closing single quote",
        ),
        (
            r"matching(type, '\u00')",
            "the escape in the string that begins at character 16 is not",
        ),
        (
            "eachValue(matching(type, 1))",
            "`eachValue` is for lists and maps; a CSV value is text",
        ),
        ("matching($'person')", "the reference 'person'"),
        (
            "matching(creditcard, 'x')",
            "the matching rule `creditcard` is not supported",
        ),
        (
            "matching(regex, '(?=x)', 'x')",
            "the regular expression `(?=x)` is not supported",
        ),
        (
            "matching(date, 'yyyy-ww', '2000-01')",
            "`ww` in the date and time pattern `yyyy-ww` is not supported",
        ),
    ] {
        let error = parse(expression).unwrap_err().to_string();
        assert!(error.contains(message), "{expression}: {error}");
        assert!(error.starts_with(&format!("`{expression}`")), "{error}");
    }
}

#[test]
fn errors_are_typed() {
    assert!(matches!(
        parse("matching(contentType, 'a/b', 'x')"),
        Err(ExpressionError::Rule { source: RuleError::Unsupported { kind }, .. }) if kind == "contentType"
    ));
    assert!(matches!(
        parse("atLeast(1)"),
        Err(ExpressionError::Collection { .. })
    ));
}
