//! Matching rule definition expressions: `matching(regex, '\d+', '42')`, `notEmpty('x')` and their like.
//!
//! The notation is Pact's own for plugins.
//! Strings stand between single quotes, with the escapes `\'` `\\` `\b` `\f` `\n` `\r` `\t` `\uXXXX` `\u{X…}`;
//! a backslash before anything else stays, so that `'\d+'` is a regular expression.
//! Expressions joined by commas are all applied.

mod lexer;
mod parser;

use crate::generator::Generator;
use crate::rule::{Rule, RuleError};

pub use crate::expression::parser::parse;

/// What an expression defines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Definition {
    /// The example value.
    pub example: String,
    /// The rules, all of which must hold; none means that the value must equal the example.
    pub rules: Vec<Rule>,
    /// What may replace the example.
    pub generator: Option<Generator>,
}

/// An expression that defines nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// Something else is due.
    #[error("`{expression}`: {wanted} is due at character {at}, not {found}")]
    Due {
        /// The expression.
        expression: String,
        /// What is due.
        wanted: &'static str,
        /// What stands there.
        found: String,
        /// The place, in characters from 1.
        at: usize,
    },
    /// A string has no closing quote.
    #[error("`{expression}`: the string that begins at character {at} has no closing single quote")]
    UnclosedString {
        /// The expression.
        expression: String,
        /// The place of the opening quote, in characters from 1.
        at: usize,
    },
    /// A `\u` escape names no character.
    #[error(
        "`{expression}`: the escape in the string that begins at character {at} is not \\uXXXX or \\u{{X…}}"
    )]
    Escape {
        /// The expression.
        expression: String,
        /// The place of the opening quote, in characters from 1.
        at: usize,
    },
    /// The keyword is one for lists and maps.
    #[error("`{expression}`: `{keyword}` is for lists and maps; a CSV value is text")]
    Collection {
        /// The expression.
        expression: String,
        /// The keyword.
        keyword: String,
    },
    /// The expression refers to an example elsewhere.
    #[error(
        "`{expression}`: there is nothing that the reference '{name}' could refer to in a CSV body"
    )]
    Reference {
        /// The expression.
        expression: String,
        /// The name referred to.
        name: String,
    },
    /// The rule cannot be applied.
    #[error("`{expression}`: {source}")]
    Rule {
        /// The expression.
        expression: String,
        /// Why.
        source: RuleError,
    },
}

const COLLECTION_KEYWORDS: [&str; 5] =
    ["eachKey", "eachValue", "atLeast", "atMost", "arrayContains"];

/// Whether a text is meant as an expression: it begins with a keyword and a bracket.
#[must_use]
pub fn is_expression(text: &str) -> bool {
    let text = text.trim_start();
    ["matching", "notEmpty"]
        .iter()
        .chain(&COLLECTION_KEYWORDS)
        .filter_map(|keyword| text.strip_prefix(keyword))
        .any(|rest| rest.trim_start().starts_with('('))
}
