//! The matching rules of a comparison, by column.

use std::collections::BTreeMap;

use crate::column::Column;
use crate::error::Error;
use crate::rule::{Check, Rule};
use crate::spec::Spec;
use crate::table::Table;

/// The rules of all columns, ready for use.
pub(super) struct Checks {
    by_column: BTreeMap<Column, Vec<Check>>,
    /// What a column without rules is held against.
    equality: Vec<Check>,
}

impl Checks {
    pub(super) fn read(rules: &BTreeMap<String, Vec<Spec>>) -> Result<Self, Error> {
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
    pub(super) fn of(&self, position: &Column, name: Option<&Column>) -> &[Check] {
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
    pub(super) fn warn_of_unused(&self, expected: &Table) {
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
