//! Why the engine gave no answer.

use crate::column::ColumnError;
use crate::expression::ExpressionError;
use crate::generator::GeneratorError;
use crate::rule::RuleError;
use crate::settings::SettingsError;
use crate::table::TableError;

/// Whose CSV a message speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The body of the contract.
    Expected,
    /// The body that was sent or received.
    Actual,
    /// The body given in `contentsConfig`.
    Configured,
    /// The body that values are generated for.
    Generated,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Expected => "expected",
            Self::Actual => "actual",
            Self::Configured => "configured",
            Self::Generated => "given",
        })
    }
}

/// Why the engine gave no answer.
///
/// A body that does not match is an answer, not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A path or key names no column.
    #[error(transparent)]
    Column(#[from] ColumnError),
    /// A body cannot be read as a table.
    #[error("the {side} body cannot be used: {source}")]
    Table {
        /// Whose body.
        side: Side,
        /// What is wrong with it.
        source: TableError,
    },
    /// A body is in a charset other than UTF-8.
    #[error("the charset `{charset}` is not supported; send CSV as UTF-8")]
    Charset {
        /// The charset's name.
        charset: String,
    },
    /// A column's expression is wrong.
    #[error("{column}: {source}")]
    Expression {
        /// The column, as `column:Name`.
        column: String,
        /// What is wrong.
        source: ExpressionError,
    },
    /// A column's matching rule cannot be applied.
    #[error("{path}: {source}")]
    Rule {
        /// The path of the rule.
        path: String,
        /// Why.
        source: RuleError,
    },
    /// A column's generator cannot be applied.
    #[error("{path}: {source}")]
    Generator {
        /// The path of the generator.
        path: String,
        /// Why.
        source: GeneratorError,
    },
    /// `contentsConfig` defines no content.
    #[error("nothing defines the CSV content; give `column:Name` entries, or a CSV text as `body`")]
    NoContent,
    /// An entry of `contentsConfig` has a value of the wrong type.
    #[error("`{key}` is {found}; give a matching rule expression, a text, a number, true or false")]
    Entry {
        /// The entry's key.
        key: String,
        /// What stands there, as JSON.
        found: String,
    },
    /// An entry names a column that the configured body does not have.
    #[error("`{key}` is no column of the configured body; its columns are {columns}")]
    UnknownColumn {
        /// The entry's key.
        key: String,
        /// The columns there are, separated by commas.
        columns: String,
    },
    /// An entry puts a column so far to the right that the gap cannot be meant.
    #[error("`{key}` is beyond the {limit} columns that this plugin builds")]
    TooManyColumns {
        /// The entry's key.
        key: String,
        /// How many columns there may be.
        limit: usize,
    },
}
