//! Filling bodies with generated values.

use std::collections::BTreeMap;

use plugobs_csv::Error;
use plugobs_csv::content::Body;
use plugobs_csv::datetime::Moment;
use plugobs_csv::field::{generate_field, match_field};
use plugobs_csv::generate::{Generation, generate};
use plugobs_csv::generator::{Context, Generator, GeneratorError, TestMode};
use plugobs_csv::random::Random;
use plugobs_csv::spec::Spec;
use serde_json::json;

use crate::support::{object, random_source};

fn context(mode: TestMode) -> Context {
    Context {
        now: Moment::from_unix(1_709_993_106, 0),
        mode,
        provider_state: object(json!({"id": 42, "user": {"name": "x"}, "name": "Ada"})),
    }
}

fn one(spec: &Spec, seed: u64) -> Result<String, Error> {
    let mut source = random_source(seed);
    let context = context(TestMode::Provider);
    generate_field(
        "column:1",
        spec,
        "example",
        &context,
        &mut Random::new(&mut source),
    )
}

fn generated(
    body: &str,
    generators: &[(&str, Spec)],
    configuration: serde_json::Value,
) -> Result<String, Error> {
    let generators: BTreeMap<_, _> = generators
        .iter()
        .map(|(path, spec)| ((*path).to_owned(), spec.clone()))
        .collect();
    let mut source = random_source(1);
    let generation = Generation {
        contents: &Body::csv(body),
        generators: &generators,
        configuration: &object(configuration),
        context: &context(TestMode::Provider),
    };
    let body = generate(&generation, &mut Random::new(&mut source))?;
    assert_eq!(body.content_type, "text/csv");
    Ok(String::from_utf8(body.content).unwrap())
}

#[test]
fn each_row_of_a_column_gets_a_value() {
    let body = generated(
        "Id,Name,Day\r\n1,\"a,b\",x\r\n2,c,y\r\n",
        &[
            (
                "column:Id",
                Spec::new("ProviderState").with("expression", "${id}"),
            ),
            ("column:3", Spec::new("Date")),
        ],
        json!({}),
    );
    assert_eq!(
        body.unwrap(),
        "Id,Name,Day\r\n42,\"a,b\",2024-03-09\r\n42,c,2024-03-09\r\n"
    );
}

#[test]
fn positions_count_from_one() {
    let boolean = Spec::new("RandomInt").with("min", 5).with("max", 5);
    let body = generated(
        "a;b\n",
        &[("column:1", boolean)],
        json!({"csvHeaders": false, "csvDelimiter": ";"}),
    );
    assert_eq!(body.unwrap(), "5;b\n");
}

#[test]
fn a_column_that_is_not_there_is_left_out() {
    let body = generated(
        "A\n1\n",
        &[("column:B", Spec::new("RandomBoolean"))],
        json!({}),
    );
    assert_eq!(body.unwrap(), "A\n1\n");
}

#[test]
fn generated_values_keep_the_rules_they_are_for() {
    let regex = |regex: &str| Spec::new("regex").with("regex", regex);
    for (generator, rule) in [
        (
            Spec::new("RandomInt").with("min", -3).with("max", 3.0),
            regex("^(-[123]|[0123])$"),
        ),
        (Spec::new("RandomInt"), regex("^([0-9]|10)$")),
        (
            Spec::new("RandomDecimal").with("digits", 2),
            regex("^[0-9]\\.[0-9]$"),
        ),
        (
            Spec::new("RandomDecimal").with("digits", 9),
            Spec::new("decimal"),
        ),
        (
            Spec::new("RandomDecimal").with("digits", 9),
            regex("^(0|[1-9][0-9]*)\\."),
        ),
        (
            Spec::new("RandomDecimal").with("digits", 1),
            regex("^[0-9]$"),
        ),
        (
            Spec::new("RandomHexadecimal").with("digits", 40),
            regex("^[0-9A-F]{40}$"),
        ),
        (
            Spec::new("RandomString").with("size", "12"),
            regex("^[0-9A-Za-z]{12}$"),
        ),
        (
            Spec::new("RandomString").with("digits", 3),
            regex("^[0-9A-Za-z]{3}$"),
        ),
        (Spec::new("RandomBoolean"), Spec::new("boolean")),
        (
            Spec::new("Uuid"),
            regex("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"),
        ),
        (
            Spec::new("Uuid").with("format", "simple"),
            regex("^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$"),
        ),
        (
            Spec::new("Uuid").with("format", "upper-case-hyphenated"),
            regex("^[0-9A-F]{8}-[0-9A-F]{4}-4"),
        ),
        (
            Spec::new("Uuid").with("format", "URN"),
            regex("^urn:uuid:[0-9a-f-]{36}$"),
        ),
        (
            Spec::new("Regex").with("regex", "\\w{3,5}-(a|b+)\\d?"),
            regex("^\\w{3,5}-(a|b+)\\d?$"),
        ),
        (
            Spec::new("Regex").with("regex", "^[A-Z]{2}[^a-z]*\\bend$"),
            regex("^[A-Z]{2}[^a-z]*\\bend$"),
        ),
        (
            Spec::new("Regex").with("regex", "\\p{Greek}+"),
            regex("^\\p{Greek}+$"),
        ),
        (Spec::new("Date"), Spec::new("date")),
        (
            Spec::new("Time").with("format", "HH:mm"),
            Spec::new("time").with("format", "HH:mm"),
        ),
        (
            Spec::new("DateTime").with("expression", "tomorrow @ noon"),
            Spec::new("datetime"),
        ),
    ] {
        for seed in 0..20 {
            match one(&generator, seed) {
                // A word boundary may be asked for where the text happens to have none, which is said.
                Err(error) => assert!(
                    generator.text(&["regex"]).unwrap().contains("\\b"),
                    "{error}"
                ),
                Ok(value) => {
                    let kept = match_field("column:1", &rule, "", &value).unwrap();
                    assert_eq!(kept, Ok(()), "{generator:?}");
                }
            }
        }
    }
}

#[test]
fn generators_reach_every_value() {
    let spec = Spec::new("RandomInt").with("min", 1).with("max", 3);
    let mut seen: Vec<_> = (0..100).map(|seed| one(&spec, seed).unwrap()).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["1", "2", "3"]);
    let whole = Spec::new("RandomInt")
        .with("min", i64::MIN)
        .with("max", i64::MAX);
    assert!(one(&whole, 1).unwrap().parse::<i64>().is_ok());
}

#[test]
fn provider_states_count_only_when_a_provider_is_verified() {
    let spec = Spec::new("ProviderState").with("expression", "user-${id}-${name}");
    assert_eq!(one(&spec, 0).unwrap(), "user-42-Ada");
    let key = Spec::new("ProviderState").with("expression", "name");
    assert_eq!(one(&key, 0).unwrap(), "Ada");
    for mode in [TestMode::Consumer, TestMode::Unknown] {
        let mut source = random_source(0);
        let value = generate_field(
            "p",
            &spec,
            "example",
            &context(mode),
            &mut Random::new(&mut source),
        );
        assert_eq!(value.unwrap(), "example");
    }
    let missing = one(
        &Spec::new("ProviderState").with("expression", "${nobody}"),
        0,
    )
    .unwrap_err();
    assert_eq!(
        missing.to_string(),
        "column:1: the provider's state has no value `nobody`, which `${nobody}` asks for"
    );
}

#[test]
fn generators_that_cannot_be_applied_are_errors() {
    for (spec, wanted) in [
        (
            Spec::new("MockServerURL"),
            "the generator `MockServerURL` is not supported",
        ),
        (
            Spec::new("RandomInt").with("min", 5).with("max", 4),
            "`max`, not 4",
        ),
        (
            Spec::new("RandomInt").with("min", "x"),
            "a whole number as its value `min`, not \"x\"",
        ),
        (
            Spec::new("RandomString").with("size", 0),
            "a number from 1 to 65535 as its value `size`, not 0",
        ),
        (Spec::new("RandomString").with("size", 70_000), "not 70000"),
        (Spec::new("Uuid").with("format", "short"), "not \"short\""),
        (
            Spec::new("Regex"),
            "a regular expression as its value `regex`, not nothing",
        ),
        (
            Spec::new("Regex").with("regex", "("),
            "`(` is not supported",
        ),
        (
            Spec::new("Regex").with("regex", "a^b"),
            "no text could be made",
        ),
        (
            Spec::new("Regex").with("regex", "((a{1000}){1000})"),
            "`((a{1000}){1000})`",
        ),
        (
            Spec::new("Regex").with("regex", "(?:a{300}){300}"),
            "longer than 65536 bytes",
        ),
        (Spec::new("Date").with("format", "ww"), "`ww`"),
        (
            Spec::new("Date").with("expression", "next monday"),
            "`monday` in `next monday` is not supported",
        ),
        (
            Spec::new("ProviderState"),
            "an expression as its value `expression`",
        ),
    ] {
        let error = one(&spec, 0).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
        assert!(error.starts_with("column:1: "), "{error}");
    }
    let error = Generator::from_spec(&Spec::new("ArrayContains")).unwrap_err();
    assert!(matches!(error, GeneratorError::Unsupported { kind } if kind == "ArrayContains"));
}

#[test]
fn generators_are_written_as_they_are_read() {
    for spec in [
        Spec::new("RandomInt").with("min", 1).with("max", 2),
        Spec::new("RandomDecimal").with("digits", 4),
        Spec::new("RandomHexadecimal").with("digits", 4),
        Spec::new("RandomString").with("size", 4),
        Spec::new("RandomBoolean"),
        Spec::new("Uuid").with("format", "simple"),
        Spec::new("Regex").with("regex", "a"),
        Spec::new("Date")
            .with("format", "yyyy")
            .with("expression", "tomorrow"),
        Spec::new("Time"),
        Spec::new("DateTime").with("format", "HH"),
        Spec::new("ProviderState")
            .with("expression", "x")
            .with("dataType", "STRING"),
    ] {
        assert_eq!(Generator::from_spec(&spec).unwrap().spec(), spec);
    }
}

#[test]
fn a_body_that_is_no_table_is_refused() {
    let error = generated("A,B\n1\n", &[], json!({})).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the given body cannot be used"),
        "{error}"
    );
}
