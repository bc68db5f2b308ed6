//! Which column a rule, a generator or an example belongs to.

use std::fmt;
use std::num::NonZeroUsize;

/// What a path that names a column begins with.
const PREFIX: &str = "column:";

/// A column, by its name in the header row or by its position from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The position, from 1.
    Position(NonZeroUsize),
    /// The name in the header row, compared letter for letter.
    Name(String),
}

impl Column {
    /// Whether a key of `contentsConfig` speaks of a column at all.
    #[must_use]
    pub fn is_column_key(key: &str) -> bool {
        unwrap_path(key).trim_start().starts_with(PREFIX)
    }

    /// Reads `column:Name` or `column:1`.
    ///
    /// A Pact driver may hand the path back as a document path, so `$.column:Name` and `$['column:Name']` are the same.
    ///
    /// # Errors
    /// The path does not name a column.
    pub fn parse(path: &str) -> Result<Self, ColumnError> {
        let unwrapped = unwrap_path(path);
        let Some(rest) = unwrapped.trim().strip_prefix(PREFIX) else {
            return Err(ColumnError::NotAColumn {
                path: path.to_owned(),
            });
        };
        let rest = rest.trim();
        if rest.is_empty() {
            return Err(ColumnError::Nameless {
                path: path.to_owned(),
            });
        }
        if rest.bytes().all(|byte| byte.is_ascii_digit()) {
            let position = rest.parse().map_err(|_| ColumnError::Position {
                path: path.to_owned(),
            })?;
            return Ok(Self::Position(position));
        }
        Ok(Self::Name(rest.to_owned()))
    }

    /// The column at an index from 0.
    #[must_use]
    pub fn at(index: usize) -> Self {
        Self::Position(NonZeroUsize::MIN.saturating_add(index))
    }

    /// The path under which rules and generators of the column are stored.
    ///
    /// It is the deployed form `column:Name`; a name that a document path cannot hold is quoted as `$['column:Unit price']`.
    #[must_use]
    pub fn path(&self) -> String {
        let label = self.label();
        let plain = label
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '#' | '@'));
        if plain {
            format!("{PREFIX}{label}")
        } else {
            let escaped = label.replace('\\', "\\\\").replace('\'', "\\'");
            format!("$['{PREFIX}{escaped}']")
        }
    }

    /// The name or the position, as a person would say it.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Position(position) => position.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.label())
    }
}

/// A path that names no column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// The path is of another kind.
    #[error("`{path}` names no column; write `column:Name`, or `column:1` for the first column")]
    NotAColumn {
        /// The path as it was given.
        path: String,
    },
    /// Nothing follows `column:`.
    #[error("`{path}` lacks the column's name or its position from 1")]
    Nameless {
        /// The path as it was given.
        path: String,
    },
    /// The position is zero or beyond counting.
    #[error("`{path}` is no position; positions begin with `column:1`")]
    Position {
        /// The path as it was given.
        path: String,
    },
}

/// Takes a document path's wrapping off: `$.x`, `$['x']` or `$["x"]` becomes `x`.
fn unwrap_path(path: &str) -> String {
    let Some(rest) = path.strip_prefix('$') else {
        return path.to_owned();
    };
    if let Some(rest) = rest.strip_prefix('.') {
        return rest.to_owned();
    }
    for quote in ['\'', '"'] {
        let inner = rest
            .strip_prefix('[')
            .and_then(|rest| rest.strip_prefix(quote))
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return unescape(inner);
        }
    }
    path.to_owned()
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' {
            chars.next().unwrap_or(c)
        } else {
            c
        });
    }
    plain
}
