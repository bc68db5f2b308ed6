//! Matching rules, and whether a value keeps them.
//!
//! A CSV value is text, so a rule tells what the text must look like.
//! `type` holds for every text: a test author who means more writes `number`, `date` or another rule.

use regex::Regex;

use crate::datetime::{Pattern, PatternError};
use crate::spec::Spec;

/// The pattern of a `date` rule or generator that gives none.
pub const DEFAULT_DATE: &str = "yyyy-MM-dd";
/// The pattern of a `time` rule or generator that gives none.
pub const DEFAULT_TIME: &str = "HH:mm:ss";
/// The pattern of a `datetime` rule or generator that gives none.
pub const DEFAULT_DATETIME: &str = "yyyy-MM-dd'T'HH:mm:ssXXX";

/// A matching rule that this plugin knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// The same text as the example.
    Equality,
    /// Any text.
    Type,
    /// A part of the value matches the regular expression; anchors make it the whole value.
    Regex(String),
    /// The value holds this text.
    Include(String),
    /// A number, with or without a fraction or an exponent.
    Number,
    /// Digits, perhaps signed.
    Integer,
    /// A number with at least one digit behind its decimal point.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// At least one character.
    NotEmpty,
    /// A semantic version.
    Semver,
    /// A date of this pattern.
    Date(String),
    /// A time of this pattern.
    Time(String),
    /// A date and time of this pattern.
    DateTime(String),
}

impl Rule {
    /// Reads a rule as Pact writes it.
    ///
    /// # Errors
    /// The type is unknown or has no meaning for a CSV value, or a value that it needs is missing.
    pub fn from_spec(spec: &Spec) -> Result<Self, RuleError> {
        let kind = spec.kind.as_str();
        let need = |key: &'static str| {
            spec.text(&[key]).ok_or_else(|| RuleError::MissingValue {
                kind: kind.to_owned(),
                key,
            })
        };
        let format = |default: &str| {
            spec.text(&["format", kind])
                .filter(|format| !format.is_empty())
                .unwrap_or_else(|| default.to_owned())
        };
        Ok(match kind {
            "equality" | "equalTo" => Self::Equality,
            "type" => Self::Type,
            "regex" => Self::Regex(need("regex")?),
            "include" => Self::Include(need("value")?),
            "number" => Self::Number,
            "integer" => Self::Integer,
            "decimal" | "real" => Self::Decimal,
            "boolean" => Self::Boolean,
            "not-empty" | "notEmpty" => Self::NotEmpty,
            "semver" => Self::Semver,
            "date" => Self::Date(format(DEFAULT_DATE)),
            "time" => Self::Time(format(DEFAULT_TIME)),
            "datetime" | "timestamp" => Self::DateTime(format(DEFAULT_DATETIME)),
            _ => {
                return Err(RuleError::Unsupported {
                    kind: kind.to_owned(),
                });
            }
        })
    }

    /// The rule as Pact writes it.
    #[must_use]
    pub fn spec(&self) -> Spec {
        let spec = Spec::new(self.kind());
        match self {
            Self::Regex(regex) => spec.with("regex", regex.as_str()),
            Self::Include(text) => spec.with("value", text.as_str()),
            Self::Date(format) | Self::Time(format) | Self::DateTime(format) => {
                spec.with("format", format.as_str())
            }
            _ => spec,
        }
    }

    /// The type that Pact files name the rule by.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Equality => "equality",
            Self::Type => "type",
            Self::Regex(_) => "regex",
            Self::Include(_) => "include",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::NotEmpty => "not-empty",
            Self::Semver => "semver",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(_) => "datetime",
        }
    }

    /// Makes the rule ready for use: its regular expression or pattern is read once, not for each value.
    ///
    /// # Errors
    /// The regular expression or the pattern is not supported.
    pub fn compile(&self) -> Result<Check, RuleError> {
        let test = match self {
            Self::Regex(regex) => {
                Test::Regex(Regex::new(regex).map_err(|source| RuleError::Regex {
                    regex: regex.clone(),
                    source,
                })?)
            }
            Self::Date(format) | Self::Time(format) | Self::DateTime(format) => {
                Test::Pattern(Pattern::parse(format)?)
            }
            _ => Test::Plain,
        };
        Ok(Check {
            rule: self.clone(),
            test,
        })
    }
}

/// A rule that cannot be applied.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// This plugin does not know the type, or it is one for collections.
    #[error(
        "the matching rule `{kind}` is not supported for a CSV value; known are type, equality, regex, include, number, \
         integer, decimal, boolean, not-empty, semver, date, time and datetime"
    )]
    Unsupported {
        /// The type.
        kind: String,
    },
    /// A value that the rule needs is not there.
    #[error("the matching rule `{kind}` lacks its value `{key}`")]
    MissingValue {
        /// The type.
        kind: String,
        /// The value's key.
        key: &'static str,
    },
    /// The regular expression is wrong, or uses what this plugin's engine lacks: look-around and back-references.
    #[error("the regular expression `{regex}` is not supported: {source}")]
    Regex {
        /// The regular expression.
        regex: String,
        /// What is wrong.
        source: regex::Error,
    },
    /// The date and time pattern is not supported.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

/// A rule that is ready for use.
#[derive(Debug, Clone)]
pub struct Check {
    rule: Rule,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Regex(Regex),
    Pattern(Pattern),
    Plain,
}

/// How a value breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule's type, as in [`Rule::kind`].
    pub rule: &'static str,
    /// What is wrong, in a sentence for the person who reads the test result.
    pub message: String,
}

impl Check {
    /// Reads and compiles a list of rules as Pact writes them.
    ///
    /// # Errors
    /// One of them cannot be applied.
    pub fn from_specs(specs: &[Spec]) -> Result<Vec<Self>, RuleError> {
        specs
            .iter()
            .map(|spec| Rule::from_spec(spec)?.compile())
            .collect()
    }

    /// The rule.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Holds an actual value against the rule; the expected one matters to `equality` alone.
    ///
    /// # Errors
    /// The value breaks the rule.
    pub fn hold(&self, expected: &str, actual: &str) -> Result<(), Violation> {
        let broken = match (&self.rule, &self.test) {
            (Rule::Type, _) => None,
            (Rule::Equality, _) if actual == expected => None,
            (Rule::Equality, _) => Some(format!(
                "expected {} but got {}",
                quoted(expected),
                quoted(actual)
            )),
            (Rule::Regex(text), Test::Regex(regex)) => (!regex.is_match(actual)).then(|| {
                format!(
                    "{} does not match the regular expression `{text}`",
                    quoted(actual)
                )
            }),
            (Rule::Include(part), _) => (!actual.contains(part.as_str()))
                .then(|| format!("{} does not include {}", quoted(actual), quoted(part))),
            (_, Test::Pattern(pattern)) => pattern.check(actual).err().map(|misfit| {
                let (value, form) = (quoted(actual), pattern.text());
                format!("{value} is not of the form `{form}`: {misfit}")
            }),
            (rule, _) => {
                wanted(rule, actual).map(|wanted| format!("{} is not {wanted}", quoted(actual)))
            }
        };
        match broken {
            None => Ok(()),
            Some(message) => Err(Violation {
                rule: self.rule.kind(),
                message,
            }),
        }
    }
}

/// What a value of a rule without parameters should be, unless it is.
fn wanted(rule: &Rule, actual: &str) -> Option<&'static str> {
    let shape = NumberShape::of(actual);
    let (kept, wanted) = match rule {
        Rule::Number => (shape.is_some(), "a number"),
        Rule::Integer => (
            shape.is_some_and(|shape| shape.integer),
            "an integer (digits, perhaps signed)",
        ),
        Rule::Decimal => (
            shape.is_some_and(|shape| shape.fraction_digits > 0),
            "a decimal number (at least one digit behind a decimal point)",
        ),
        Rule::Boolean => (matches!(actual, "true" | "false"), "true or false"),
        Rule::NotEmpty => (!actual.is_empty(), "a value with at least one character"),
        Rule::Semver => (
            semver::Version::parse(actual).is_ok(),
            "a semantic version such as 1.2.3",
        ),
        _ => (true, ""),
    };
    (!kept).then_some(wanted)
}

struct NumberShape {
    integer: bool,
    fraction_digits: usize,
}

impl NumberShape {
    /// Reads an optional sign, digits with at most one point among them, and an optional exponent.
    fn of(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (
                mantissa,
                Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
            ),
            None => (unsigned, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fraction_digits = fraction.map_or(0, str::len);
        let well_formed = digits(whole)
            && digits(fraction.unwrap_or_default())
            && whole.len() + fraction_digits > 0
            && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
        well_formed.then_some(Self {
            integer: fraction.is_none() && exponent.is_none(),
            fraction_digits,
        })
    }
}

/// Quotes a value for a message; a long one is cut, since the mismatch carries the whole.
pub(crate) fn quoted(value: &str) -> String {
    const SHOWN: usize = 120;
    match value.char_indices().nth(SHOWN) {
        None => format!("'{value}'"),
        Some((end, _)) => format!("'{}…'", &value[..end]),
    }
}
