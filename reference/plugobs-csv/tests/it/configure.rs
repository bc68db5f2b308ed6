//! Turning `contentsConfig` into an interaction.

use plugobs_csv::Error;
use plugobs_csv::configure::{Interaction, configure};
use plugobs_csv::spec::Spec;
use serde_json::{Value, json};

use crate::support::object;

fn interaction(config: Value) -> Interaction {
    configure(&object(config)).unwrap()
}

fn error(config: Value) -> Error {
    configure(&object(config)).unwrap_err()
}

fn body(interaction: &Interaction) -> &str {
    std::str::from_utf8(&interaction.body.content).unwrap()
}

#[test]
fn columns_by_name_make_a_header_row_an_example_and_rules() {
    let interaction = interaction(json!({
        "pact:content-type": "text/csv",
        "csvHeaders": true,
        "column:Name": "matching(type,'Name')",
        "column:Number": "matching(number,100)",
        "column:Date": "matching(datetime, 'yyyy-MM-dd','2000-01-01')",
        "column:Kind": "fixed",
    }));
    assert_eq!(interaction.body.content_type, "text/csv");
    assert_eq!(
        body(&interaction),
        "Name,Number,Date,Kind\nName,100,2000-01-01,fixed\n"
    );
    let date = Spec::new("datetime").with("format", "yyyy-MM-dd");
    assert_eq!(
        interaction.rules.into_iter().collect::<Vec<_>>(),
        [
            ("column:Date".to_owned(), vec![date]),
            ("column:Name".to_owned(), vec![Spec::new("type")]),
            ("column:Number".to_owned(), vec![Spec::new("number")]),
        ]
    );
    let date = Spec::new("DateTime").with("format", "yyyy-MM-dd");
    assert_eq!(
        interaction.generators.into_iter().collect::<Vec<_>>(),
        [("column:Date".to_owned(), date)]
    );
    assert_eq!(
        Value::Object(interaction.configuration),
        json!({"csvHeaders": true, "columns": ["Name", "Number", "Date", "Kind"]})
    );
    assert_eq!(
        interaction.markup,
        "# Data\n\n| Name | Number | Date | Kind |\n| --- | --- | --- | --- |\n| Name | 100 | 2000-01-01 | fixed |\n"
    );
}

#[test]
fn columns_by_position_take_their_places() {
    let interaction = interaction(json!({
        "csvHeaders": false,
        "csvDelimiter": ";",
        "column:3": "matching(regex, 'a|b', 'a')",
        "column:1": true,
    }));
    assert_eq!(body(&interaction), "true;;a\n", "a gap is an empty column");
    assert_eq!(interaction.rules.keys().collect::<Vec<_>>(), ["column:3"]);
    assert_eq!(
        Value::Object(interaction.configuration),
        json!({"csvHeaders": false, "csvDelimiter": ";", "columns": ["1", "2", "3"]})
    );
    assert_eq!(
        interaction.markup,
        "# Data\n\n| 1 | 2 | 3 |\n| --- | --- | --- |\n| true |  | a |\n"
    );
}

#[test]
fn names_that_a_document_path_cannot_hold_are_quoted() {
    let interaction = interaction(json!({"column:Unit 'net' price": "matching(decimal, 1.5)"}));
    assert_eq!(body(&interaction), "Unit 'net' price\n1.5\n");
    assert_eq!(
        interaction.rules.keys().collect::<Vec<_>>(),
        [r"$['column:Unit \'net\' price']"]
    );
}

#[test]
fn a_body_may_be_given_whole_with_rules_beside_it() {
    let text = "Id,Name\n1,Ada\n2,Alan\n";
    let interaction = interaction(json!({"body": text, "column:Id": "matching(integer, 9)"}));
    assert_eq!(body(&interaction), text);
    assert_eq!(interaction.rules["column:Id"], [Spec::new("integer")]);
    let unknown = error(json!({"body": text, "column:3": "x"}));
    assert_eq!(
        unknown.to_string(),
        "`column:3` is no column of the configured body; its columns are Id, Name"
    );
    let ragged = error(json!({"body": "A,B\n1\n"}));
    assert!(ragged.to_string().contains("row 1 (line 2)"), "{ragged}");
}

#[test]
fn several_rules_of_a_column_are_all_kept() {
    let interaction = interaction(json!({"column:A": "notEmpty('x'), matching(include, 'x')"}));
    let include = Spec::new("include").with("value", "x");
    assert_eq!(
        interaction.rules["column:A"],
        [Spec::new("not-empty"), include]
    );
}

#[test]
fn the_markup_keeps_values_in_their_cells() {
    let interaction = interaction(json!({"column:A": "a|b\n<script>*c*"}));
    assert_eq!(
        interaction.markup.lines().last(),
        Some(r"| a\|b \<script\>\*c\* |")
    );
}

#[test]
fn mistakes_name_their_entry() {
    assert!(matches!(error(json!({})), Error::NoContent));
    assert!(matches!(
        error(json!({"csvHeaders": "maybe", "column:1": "x"})),
        Error::Settings(_)
    ));
    assert!(matches!(error(json!({"column:": "x"})), Error::Column(_)));
    assert!(matches!(error(json!({"column:0": "x"})), Error::Column(_)));
    assert!(matches!(
        error(json!({"column:10001": "x"})),
        Error::TooManyColumns { .. }
    ));
    assert!(matches!(error(json!({"body": 5})), Error::Entry { key, .. } if key == "body"));
    for value in [json!(null), json!([1]), json!({"a": 1})] {
        let found = value.to_string();
        let error = error(json!({"column:A": value}));
        assert!(
            matches!(&error, Error::Entry { found: other, .. } if *other == found),
            "{error}"
        );
    }
    let wrong = error(json!({"column:A": "matching(date, 'yyyy-ww', '2000-01')"}));
    assert!(wrong.to_string().starts_with("column:A: "), "{wrong}");
}
