//! Why a generator generated nothing.

use super::regex::RegexTextError;
use crate::datetime::{PatternError, ShiftError};

/// A generator that generates nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GeneratorError {
    /// This plugin does not know the type.
    #[error(
        "the generator `{kind}` is not supported for a CSV value; known are RandomInt, RandomDecimal, RandomHexadecimal, \
         RandomString, RandomBoolean, Uuid, Regex, Date, Time, DateTime and ProviderState"
    )]
    Unsupported {
        /// The type.
        kind: String,
    },
    /// A value of the generator is missing or cannot be used.
    #[error("the generator `{kind}` needs {wanted} as its value `{key}`, not {found}")]
    Value {
        /// The type.
        kind: String,
        /// The value's key.
        key: &'static str,
        /// What it may be.
        wanted: &'static str,
        /// What it is, as JSON, or `nothing`.
        found: String,
    },
    /// The date and time pattern is not supported.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The offset from now is not supported.
    #[error(transparent)]
    Shift(#[from] ShiftError),
    /// No text was made for the regular expression.
    #[error(transparent)]
    Regex(#[from] RegexTextError),
    /// The provider's state lacks a value.
    #[error("the provider's state has no value `{key}`, which `{expression}` asks for")]
    MissingState {
        /// The key.
        key: String,
        /// The generator's expression.
        expression: String,
    },
}
