//! Turning a test's `contentsConfig` into an example body, matching rules and generators.
//!
//! | key | value |
//! |---|---|
//! | `csvHeaders` | whether the body has a header row; true unless given |
//! | `csvDelimiter` | the character between two values; a comma unless given |
//! | `column:Name`, `column:1` | a matching rule expression, or a plain value that must be met as it is |
//! | `body` | a CSV text; it is the example then, and `column:` entries only add rules to its columns |
//!
//! Without `body`, columns given by position take their places, and columns given by name follow in the order in which
//! they are given.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::column::Column;
use crate::content::{Body, CSV_CONTENT_TYPE};
use crate::error::{Error, Side};
use crate::expression::{self, Definition};
use crate::markup;
use crate::settings::{DELIMITER_KEY, HEADERS_KEY, Settings};
use crate::spec::Spec;
use crate::table::{Row, Table};

/// The key of a whole CSV text.
pub const BODY_KEY: &str = "body";
/// The key under which the columns are stored for those who read the pact file.
pub const COLUMNS_KEY: &str = "columns";
/// How many columns a body may have; a `column:1000000` is a slip.
pub const MAX_COLUMNS: usize = 10_000;

/// What an interaction consists of.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    /// The example body.
    pub body: Body,
    /// Matching rules by path, all of which must hold.
    pub rules: BTreeMap<String, Vec<Spec>>,
    /// Generators by path.
    pub generators: BTreeMap<String, Spec>,
    /// What is stored in the pact file and comes back with each comparison.
    pub configuration: Map<String, Value>,
    /// The example as a CommonMark table.
    pub markup: String,
}

/// Configures an interaction.
///
/// # Errors
/// An entry is wrong, or nothing defines the content.
pub fn configure(config: &Map<String, Value>) -> Result<Interaction, Error> {
    let settings = Settings::read(config)?;
    let entries = entries(config)?;
    let (table, defined) = match config.get(BODY_KEY) {
        Some(body) => with_body(body, entries, settings)?,
        None => from_entries(entries, settings)?,
    };

    let mut rules = BTreeMap::new();
    let mut generators = BTreeMap::new();
    for (column, definition) in &defined {
        if !definition.rules.is_empty() {
            let specs = definition.rules.iter().map(|rule| rule.spec()).collect();
            rules.insert(column.path(), specs);
        }
        if let Some(generator) = &definition.generator {
            generators.insert(column.path(), generator.spec());
        }
    }
    let content = table.write(settings).map_err(|source| Error::Table {
        side: Side::Configured,
        source,
    })?;
    tracing::info!(
        columns = table.width(),
        rows = table.rows.len(),
        rules = rules.len(),
        generators = generators.len(),
        "configured a CSV interaction"
    );
    Ok(Interaction {
        body: Body {
            content_type: CSV_CONTENT_TYPE.to_owned(),
            content,
        },
        rules,
        generators,
        configuration: configuration(&table, settings),
        markup: markup::table(&table),
    })
}

/// A column's key as it was written, the column, and what was said of it.
struct Entry<'a> {
    key: &'a str,
    column: Column,
    definition: Definition,
}

fn entries(config: &Map<String, Value>) -> Result<Vec<Entry<'_>>, Error> {
    let mut entries = Vec::new();
    for (key, value) in config {
        if Column::is_column_key(key) {
            let column = Column::parse(key)?;
            let definition = definition(key, value)?;
            warn_of_bad_example(&column, &definition);
            entries.push(Entry {
                key,
                column,
                definition,
            });
        } else if ![HEADERS_KEY, DELIMITER_KEY, BODY_KEY].contains(&key.as_str())
            && !key.starts_with("pact:")
        {
            tracing::warn!(
                key,
                "this entry of the contents configuration means nothing to the CSV plugin"
            );
        }
    }
    Ok(entries)
}

fn definition(key: &str, value: &Value) -> Result<Definition, Error> {
    let plain = |example: String| Definition {
        example,
        ..Definition::default()
    };
    match value {
        Value::String(text) if expression::is_expression(text) => {
            expression::parse(text).map_err(|source| Error::Expression {
                column: key.to_owned(),
                source,
            })
        }
        Value::String(text) => Ok(plain(text.clone())),
        Value::Bool(_) | Value::Number(_) => Ok(plain(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(Error::Entry {
            key: key.to_owned(),
            found: value.to_string(),
        }),
    }
}

/// A contract whose own example breaks its rules fails in the first test, where the cause is hard to see.
fn warn_of_bad_example(column: &Column, definition: &Definition) {
    let checks = definition
        .rules
        .iter()
        .filter_map(|rule| rule.compile().ok());
    for check in checks {
        if let Err(violation) = check.hold(&definition.example, &definition.example) {
            tracing::warn!(%column, rule = violation.rule, "the example breaks its own rule: {}", violation.message);
        }
    }
}

type Defined = Vec<(Column, Definition)>;

/// Builds a body of one row.
fn from_entries(entries: Vec<Entry<'_>>, settings: Settings) -> Result<(Table, Defined), Error> {
    if entries.is_empty() {
        return Err(Error::NoContent);
    }
    let mut places: Vec<Option<(Column, Definition)>> = Vec::new();
    let (positions, names): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|entry| matches!(entry.column, Column::Position(_)));
    for entry in positions {
        let Column::Position(position) = entry.column else {
            continue;
        };
        if position.get() > MAX_COLUMNS {
            return Err(Error::TooManyColumns {
                key: entry.key.to_owned(),
                limit: MAX_COLUMNS,
            });
        }
        if places.len() < position.get() {
            places.resize_with(position.get(), || None);
        }
        places[position.get() - 1] = Some((entry.column, entry.definition));
    }
    places.extend(
        names
            .into_iter()
            .map(|entry| Some((entry.column, entry.definition))),
    );

    for (index, place) in places.iter().enumerate() {
        if place.is_none() {
            tracing::warn!(column = %Column::at(index), "nothing defines this column, so it must be empty");
        }
    }
    let name = |place: &Option<(Column, Definition)>| {
        let column = place.as_ref().map(|(column, _)| column.label());
        column.unwrap_or_default()
    };
    let example = |place: &Option<(Column, Definition)>| {
        let definition = place
            .as_ref()
            .map(|(_, definition)| definition.example.clone());
        definition.unwrap_or_default()
    };
    let table = Table {
        header: settings.headers.then(|| places.iter().map(name).collect()),
        rows: vec![Row {
            line: if settings.headers { 2 } else { 1 },
            cells: places.iter().map(example).collect(),
        }],
        crlf: false,
    };
    Ok((table, places.into_iter().flatten().collect()))
}

/// Takes the body as it was given; the entries add rules to its columns.
fn with_body(
    body: &Value,
    entries: Vec<Entry<'_>>,
    settings: Settings,
) -> Result<(Table, Defined), Error> {
    let Value::String(text) = body else {
        return Err(Error::Entry {
            key: BODY_KEY.to_owned(),
            found: body.to_string(),
        });
    };
    let on_table = |source| Error::Table {
        side: Side::Configured,
        source,
    };
    let table = Table::read(text.as_bytes(), settings).map_err(on_table)?;
    table.require_regular().map_err(on_table)?;
    for entry in &entries {
        let known = match &entry.column {
            Column::Position(position) => position.get() <= table.width(),
            Column::Name(name) => table.header.iter().flatten().any(|known| known == name),
        };
        if !known {
            return Err(Error::UnknownColumn {
                key: entry.key.to_owned(),
                columns: labels(&table).join(", "),
            });
        }
    }
    let defined = entries
        .into_iter()
        .map(|entry| (entry.column, entry.definition));
    Ok((table, defined.collect()))
}

fn configuration(table: &Table, settings: Settings) -> Map<String, Value> {
    let mut configuration = Map::new();
    settings.write(&mut configuration);
    configuration.insert(COLUMNS_KEY.to_owned(), labels(table).into());
    configuration
}

fn labels(table: &Table) -> Vec<String> {
    match &table.header {
        Some(names) => names.clone(),
        None => (0..table.width())
            .map(|index| Column::at(index).label())
            .collect(),
    }
}
