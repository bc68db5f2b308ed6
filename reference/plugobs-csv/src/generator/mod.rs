//! Generators of values.

mod error;
mod number;
mod regex;
mod state;
mod uuid;
mod wire;

use serde_json::{Map, Value};

use crate::datetime::{Moment, Pattern, Shift};
use crate::random::Random;
use crate::rule::{DEFAULT_DATE, DEFAULT_DATETIME, DEFAULT_TIME};

pub use crate::generator::error::GeneratorError;
pub use crate::generator::regex::RegexTextError;
pub use crate::generator::uuid::UuidForm;

const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A generator that this plugin knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Generator {
    /// An integer from `min` to `max`, both included.
    RandomInt {
        /// The smallest value; 0 unless given.
        min: i64,
        /// The largest value; 10 unless given.
        max: i64,
    },
    /// So many digits, with a decimal point among them where there are two or more.
    RandomDecimal(u16),
    /// So many hexadecimal digits, in capitals.
    RandomHexadecimal(u16),
    /// So many letters and digits.
    RandomString(u16),
    /// `true` or `false`.
    RandomBoolean,
    /// A random UUID.
    Uuid(UuidForm),
    /// A text that matches the regular expression.
    Regex(String),
    /// A date, a time or both: now, or as far from now as the expression says.
    Clock {
        /// Which of the three.
        kind: Shift,
        /// The pattern; the default one of the kind unless given.
        format: Option<String>,
        /// How far from now; see [`Shift`].
        expression: Option<String>,
    },
    /// A value of the provider's state; applied only when a provider is verified.
    ProviderState {
        /// A key, or a text with keys in it as `${key}`.
        expression: String,
        /// The type the value has elsewhere; a CSV value is text whatever it says.
        data_type: Option<String>,
    },
}

/// On whose side values are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TestMode {
    /// The driver did not say.
    #[default]
    Unknown,
    /// In a consumer's test.
    Consumer,
    /// In the verification of a provider.
    Provider,
}

/// What generators may look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// The point in time that dates and times start from.
    pub now: Moment,
    /// On whose side values are generated.
    pub mode: TestMode,
    /// The values of the provider's state.
    pub provider_state: Map<String, Value>,
}

impl Generator {
    /// A date generator without an offset.
    #[must_use]
    pub fn date(format: Option<String>) -> Self {
        Self::clock(Shift::Date, format)
    }

    /// A time generator without an offset.
    #[must_use]
    pub fn time(format: Option<String>) -> Self {
        Self::clock(Shift::Time, format)
    }

    /// A date and time generator without an offset.
    #[must_use]
    pub fn datetime(format: Option<String>) -> Self {
        Self::clock(Shift::DateTime, format)
    }

    fn clock(kind: Shift, format: Option<String>) -> Self {
        Self::Clock {
            kind,
            format,
            expression: None,
        }
    }

    /// Whether the generator applies on this side; where it does not, the example stands.
    #[must_use]
    pub fn applies(&self, mode: TestMode) -> bool {
        !matches!(self, Self::ProviderState { .. }) || mode == TestMode::Provider
    }

    /// Generates a value.
    ///
    /// # Errors
    /// The generator asks for something that is not supported or not there.
    pub fn generate(
        &self,
        context: &Context,
        random: &mut Random<'_>,
    ) -> Result<String, GeneratorError> {
        Ok(match self {
            Self::RandomInt { min, max } => number::integer(*min, *max, random).to_string(),
            Self::RandomDecimal(digits) => number::decimal(usize::from(*digits), random),
            Self::RandomHexadecimal(digits) => {
                random.text(usize::from(*digits), number::HEXADECIMAL)
            }
            Self::RandomString(size) => random.text(usize::from(*size), ALPHANUMERIC),
            Self::RandomBoolean => (random.below(2) == 1).to_string(),
            Self::Uuid(form) => form.write(random.bits(), random.bits()),
            Self::Regex(regex) => regex::generate(regex, random)?,
            Self::Clock {
                kind,
                format,
                expression,
            } => {
                let default = match kind {
                    Shift::Date => DEFAULT_DATE,
                    Shift::Time => DEFAULT_TIME,
                    Shift::DateTime => DEFAULT_DATETIME,
                };
                let pattern = Pattern::parse(format.as_deref().unwrap_or(default))?;
                pattern.write(kind.apply(context.now, expression.as_deref().unwrap_or_default())?)
            }
            Self::ProviderState { expression, .. } => {
                state::fill(expression, &context.provider_state).map_err(|key| {
                    GeneratorError::MissingState {
                        key,
                        expression: expression.clone(),
                    }
                })?
            }
        })
    }
}
