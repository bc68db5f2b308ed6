//! Filling a CSV body with generated values.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::column::Column;
use crate::content::{Body, CSV_CONTENT_TYPE, require_utf8};
use crate::error::{Error, Side};
use crate::generator::{Context, Generator};
use crate::random::Random;
use crate::settings::Settings;
use crate::spec::Spec;
use crate::table::Table;

/// What is to be filled.
#[derive(Debug, Clone, Copy)]
pub struct Generation<'a> {
    /// The body with its example values.
    pub contents: &'a Body,
    /// Generators by path; see [`Column::parse`].
    pub generators: &'a BTreeMap<String, Spec>,
    /// The interaction's stored configuration; see [`Settings`].
    pub configuration: &'a Map<String, Value>,
    /// What the generators may look at.
    pub context: &'a Context,
}

/// Gives the body with a new value in each row of each column that has a generator.
///
/// # Errors
/// The body cannot be read as CSV, or a generator cannot be applied.
pub fn generate(generation: &Generation<'_>, random: &mut Random<'_>) -> Result<Body, Error> {
    let settings = Settings::read(generation.configuration)?;
    require_utf8(&generation.contents.content_type)?;
    let on_table = |source| Error::Table {
        side: Side::Generated,
        source,
    };
    let mut table = Table::read(&generation.contents.content, settings).map_err(on_table)?;
    table.require_regular().map_err(on_table)?;

    let mut generated = 0_usize;
    for (path, spec) in generation.generators {
        let on_generator = |source| Error::Generator {
            path: path.clone(),
            source,
        };
        let column = Column::parse(path)?;
        let generator = Generator::from_spec(spec).map_err(on_generator)?;
        if !generator.applies(generation.context.mode) {
            tracing::debug!(%column, generator = spec.kind, "this generator does not apply here; the example stands");
            continue;
        }
        let Some(index) = index(&table, &column) else {
            tracing::warn!(%column, "a generator is for a column that the body does not have");
            continue;
        };
        for cell in table
            .rows
            .iter_mut()
            .filter_map(|row| row.cells.get_mut(index))
        {
            *cell = generator
                .generate(generation.context, random)
                .map_err(on_generator)?;
            generated += 1;
            tracing::trace!(%column, value = cell.as_str(), "generated a value");
        }
    }
    tracing::info!(
        rows = table.rows.len(),
        values = generated,
        "generated CSV content"
    );
    Ok(Body {
        content_type: CSV_CONTENT_TYPE.to_owned(),
        content: table.write(settings).map_err(on_table)?,
    })
}

fn index(table: &Table, column: &Column) -> Option<usize> {
    match column {
        Column::Position(position) => {
            Some(position.get() - 1).filter(|index| *index < table.width())
        }
        Column::Name(name) => table
            .header
            .iter()
            .flatten()
            .position(|other| other == name),
    }
}
