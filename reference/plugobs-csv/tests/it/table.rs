//! Reading and writing CSV text.

use plugobs_csv::settings::{Settings, SettingsError};
use plugobs_csv::table::{Table, TableError};
use serde_json::json;

use crate::support::object;

fn read(text: &str) -> Table {
    Table::read(text.as_bytes(), Settings::default()).unwrap()
}

fn cells(table: &Table) -> Vec<Vec<&str>> {
    let rows = table.rows.iter();
    rows.map(|row| row.cells.iter().map(String::as_str).collect())
        .collect()
}

#[test]
fn quoted_values_may_hold_delimiters_quotes_and_line_breaks() {
    let table = read("Name,Note\n\"Hopper, Grace\",\"said \"\"ship it\"\"\nand left\"\nTuring,\n");
    assert_eq!(
        table.header,
        Some(vec!["Name".to_owned(), "Note".to_owned()])
    );
    assert_eq!(
        cells(&table),
        [
            vec!["Hopper, Grace", "said \"ship it\"\nand left"],
            vec!["Turing", ""]
        ]
    );
    assert_eq!(table.rows[0].line, 2);
    assert_eq!(
        table.rows[1].line, 4,
        "the line break in the quoted value counts"
    );
}

#[test]
fn a_byte_order_mark_and_either_line_end_are_fine() {
    let unix = read("A,B\n1,2\n");
    let windows = read("\u{feff}A,B\r\n1,2\r\n");
    assert_eq!(unix.header, windows.header);
    assert_eq!(cells(&unix), cells(&windows));
    assert!(windows.crlf && !unix.crlf);
    assert_eq!((unix.rows[0].line, windows.rows[0].line), (2, 2));
    assert_eq!(
        windows.write(Settings::default()).unwrap(),
        b"A,B\r\n1,2\r\n"
    );
}

#[test]
fn empty_input_is_an_empty_table() {
    for text in ["", "\n\n", "\u{feff}"] {
        let table = read(text);
        assert_eq!(
            (table.header.as_deref(), table.rows.len()),
            (Some(&[][..]), 0),
            "{text:?}"
        );
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused_with_their_offset() {
    let error = Table::read(b"Name\nJos\xe9\n", Settings::default()).unwrap_err();
    assert!(
        matches!(error, TableError::NotUtf8 { offset: 8 }),
        "{error}"
    );
    let utf16 = Table::read(b"\xff\xfeA\0", Settings::default()).unwrap_err();
    assert!(
        matches!(utf16, TableError::NotUtf8 { offset: 0 }),
        "{utf16}"
    );
}

#[test]
fn a_quote_that_is_never_closed_is_found_where_it_opens() {
    let error = Table::read(b"A,B\n1,2\n3,\"4\n5,6\n", Settings::default()).unwrap_err();
    assert!(
        matches!(error, TableError::UnclosedQuote { line: 3 }),
        "{error}"
    );
    // A quote inside an unquoted value opens nothing.
    assert_eq!(cells(&read("A\n5\" pipe\n")), [["5\" pipe"]]);
}

#[test]
fn ragged_rows_and_repeated_names_are_named() {
    let error = read("A,B\n1,2\n3\n").require_regular().unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 2 (line 3) of the CSV has 1 value where 2 are expected"
    );
    let error = read("A,B,A\n1,2,3\n").require_regular().unwrap_err();
    assert!(
        matches!(&error, TableError::RepeatedName { name } if name == "A"),
        "{error}"
    );
}

#[test]
fn the_delimiter_is_a_setting() {
    let settings =
        Settings::read(&object(json!({"csvDelimiter": ";", "csvHeaders": false}))).unwrap();
    let table = Table::read(b"1;2,5\n", settings).unwrap();
    assert_eq!(
        (table.header.as_ref(), cells(&table)),
        (None, vec![vec!["1", "2,5"]])
    );
    assert_eq!(table.write(settings).unwrap(), b"1;2,5\n");
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let read = |value| Settings::read(&object(value));
    assert!(!read(json!({"csvHeaders": "false"})).unwrap().headers);
    assert_eq!(read(json!({})).unwrap(), Settings::default());
    assert!(matches!(
        read(json!({"csvHeaders": 1})),
        Err(SettingsError::Headers { found }) if found == "1"
    ));
    for bad in [
        json!(""),
        json!(";;"),
        json!("\""),
        json!("\n"),
        json!("a"),
        json!("€"),
        json!(59),
    ] {
        let error = read(json!({"csvDelimiter": bad})).unwrap_err();
        assert!(matches!(error, SettingsError::Delimiter { .. }), "{error}");
    }
}
