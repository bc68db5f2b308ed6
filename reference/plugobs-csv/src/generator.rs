//! Generators of values.

use serde_json::{Map, Value};

use crate::datetime::{Moment, Pattern, PatternError, Shift, ShiftError};
use crate::pattern_text;
use crate::random::Random;
use crate::rule::{DEFAULT_DATE, DEFAULT_DATETIME, DEFAULT_TIME};
use crate::spec::Spec;
use crate::template;

pub use crate::pattern_text::PatternTextError;

const DIGITS: &str = "0123456789";
const DIGITS_BUT_ZERO: &str = "123456789";
const HEXADECIMAL: &str = "0123456789ABCDEF";
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

/// How a UUID is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UuidForm {
    /// 32 lower-case digits.
    Simple,
    /// Lower case with hyphens.
    #[default]
    LowerCaseHyphenated,
    /// Upper case with hyphens.
    UpperCaseHyphenated,
    /// `urn:uuid:` and lower case with hyphens.
    Urn,
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
    Regex(#[from] PatternTextError),
    /// The provider's state lacks a value.
    #[error("the provider's state has no value `{key}`, which `{expression}` asks for")]
    MissingState {
        /// The key.
        key: String,
        /// The generator's expression.
        expression: String,
    },
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

    /// Reads a generator as Pact writes it.
    ///
    /// # Errors
    /// The type is unknown, or one of its values cannot be used.
    pub fn from_spec(spec: &Spec) -> Result<Self, GeneratorError> {
        let clock = |kind| Self::Clock {
            kind,
            format: spec.text(&["format"]).filter(|format| !format.is_empty()),
            expression: spec
                .text(&["expression"])
                .filter(|expression| !expression.is_empty()),
        };
        Ok(match spec.kind.as_str() {
            "RandomInt" => {
                let (min, max) = (integer(spec, "min", 0)?, integer(spec, "max", 10)?);
                if min > max {
                    return Err(unusable(spec, "max", "a number that is not below `min`"));
                }
                Self::RandomInt { min, max }
            }
            "RandomDecimal" => Self::RandomDecimal(count(spec, "digits")?),
            "RandomHexadecimal" => Self::RandomHexadecimal(count(spec, "digits")?),
            // Deployed plugins write the size of a string as `digits`.
            "RandomString" if spec.values.contains_key("digits") => {
                Self::RandomString(count(spec, "digits")?)
            }
            "RandomString" => Self::RandomString(count(spec, "size")?),
            "RandomBoolean" => Self::RandomBoolean,
            "Uuid" => Self::Uuid(match spec.text(&["format"]).as_deref() {
                None => UuidForm::default(),
                Some(name) => UuidForm::from_name(name)
                    .ok_or_else(|| unusable(spec, "format", "the name of a form of UUID"))?,
            }),
            "Regex" => {
                let regex = spec.text(&["regex"]);
                Self::Regex(regex.ok_or_else(|| unusable(spec, "regex", "a regular expression"))?)
            }
            "Date" => clock(Shift::Date),
            "Time" => clock(Shift::Time),
            "DateTime" => clock(Shift::DateTime),
            "ProviderState" => {
                let expression = spec.text(&["expression"]);
                Self::ProviderState {
                    expression: expression
                        .ok_or_else(|| unusable(spec, "expression", "an expression"))?,
                    data_type: spec.text(&["dataType", "data_type"]),
                }
            }
            kind => {
                return Err(GeneratorError::Unsupported {
                    kind: kind.to_owned(),
                });
            }
        })
    }

    /// The generator as Pact writes it.
    #[must_use]
    pub fn spec(&self) -> Spec {
        let with = |spec: Spec, key, value: &Option<String>| match value {
            Some(value) => spec.with(key, value.as_str()),
            None => spec,
        };
        match self {
            Self::RandomInt { min, max } => {
                Spec::new("RandomInt").with("min", *min).with("max", *max)
            }
            Self::RandomDecimal(digits) => Spec::new("RandomDecimal").with("digits", *digits),
            Self::RandomHexadecimal(digits) => {
                Spec::new("RandomHexadecimal").with("digits", *digits)
            }
            Self::RandomString(size) => Spec::new("RandomString").with("size", *size),
            Self::RandomBoolean => Spec::new("RandomBoolean"),
            Self::Uuid(form) => Spec::new("Uuid").with("format", form.name()),
            Self::Regex(regex) => Spec::new("Regex").with("regex", regex.as_str()),
            Self::Clock {
                kind,
                format,
                expression,
            } => {
                let spec = with(Spec::new(clock_name(*kind)), "format", format);
                with(spec, "expression", expression)
            }
            Self::ProviderState {
                expression,
                data_type,
            } => {
                let spec = Spec::new("ProviderState").with("expression", expression.as_str());
                with(spec, "dataType", data_type)
            }
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
            Self::RandomInt { min, max } => random_integer(*min, *max, random).to_string(),
            Self::RandomDecimal(digits) => random_decimal(usize::from(*digits), random),
            Self::RandomHexadecimal(digits) => random.text(usize::from(*digits), HEXADECIMAL),
            Self::RandomString(size) => random.text(usize::from(*size), ALPHANUMERIC),
            Self::RandomBoolean => (random.below(2) == 1).to_string(),
            Self::Uuid(form) => form.write(random.bits(), random.bits()),
            Self::Regex(regex) => pattern_text::generate(regex, random)?,
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
                template::fill(expression, &context.provider_state).map_err(|key| {
                    GeneratorError::MissingState {
                        key,
                        expression: expression.clone(),
                    }
                })?
            }
        })
    }
}

fn clock_name(kind: Shift) -> &'static str {
    match kind {
        Shift::Date => "Date",
        Shift::Time => "Time",
        Shift::DateTime => "DateTime",
    }
}

fn random_integer(min: i64, max: i64, random: &mut Random<'_>) -> i64 {
    match max.abs_diff(min).checked_add(1) {
        Some(count) => min.wrapping_add_unsigned(random.below(count)),
        // The whole range of 64 bits.
        None => random.bits().cast_signed(),
    }
}

/// No zero leads unless the point follows it, so that the value is a number as people write it.
fn random_decimal(digits: usize, random: &mut Random<'_>) -> String {
    if digits < 2 {
        return random.text(digits, DIGITS);
    }
    let whole = 1 + usize::try_from(random.below(digits as u64 - 1)).unwrap_or_default();
    let first = random.text(1, if whole == 1 { DIGITS } else { DIGITS_BUT_ZERO });
    let (rest, fraction) = (
        random.text(whole - 1, DIGITS),
        random.text(digits - whole, DIGITS),
    );
    format!("{first}{rest}.{fraction}")
}

impl UuidForm {
    const ALL: [Self; 4] = [
        Self::Simple,
        Self::LowerCaseHyphenated,
        Self::UpperCaseHyphenated,
        Self::Urn,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::LowerCaseHyphenated => "lower-case-hyphenated",
            Self::UpperCaseHyphenated => "upper-case-hyphenated",
            Self::Urn => "URN",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Writes 128 random bits as a UUID of version 4.
    fn write(self, high: u64, low: u64) -> String {
        let high = high & !0xf000 | 0x4000;
        let low = low & !(0b11 << 62) | (0b10 << 62);
        let digits = format!("{high:016x}{low:016x}");
        if self == Self::Simple {
            return digits;
        }
        let groups = [
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        ];
        let hyphenated = groups.join("-");
        match self {
            Self::UpperCaseHyphenated => hyphenated.to_uppercase(),
            Self::Urn => format!("urn:uuid:{hyphenated}"),
            _ => hyphenated,
        }
    }
}

/// Numbers reach a plugin as doubles and, from some tools, as text.
fn integer(spec: &Spec, key: &'static str, default: i64) -> Result<i64, GeneratorError> {
    let Some(value) = spec.values.get(key) else {
        return Ok(default);
    };
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    digits
        .parse()
        .map_err(|_| unusable(spec, key, "a whole number"))
}

/// How many digits or characters; at least one, since a generator of nothing is a mistake.
fn count(spec: &Spec, key: &'static str) -> Result<u16, GeneratorError> {
    let count = integer(spec, key, 10)?;
    let count = u16::try_from(count).ok().filter(|count| *count > 0);
    count.ok_or_else(|| unusable(spec, key, "a number from 1 to 65535"))
}

fn unusable(spec: &Spec, key: &'static str, wanted: &'static str) -> GeneratorError {
    GeneratorError::Value {
        kind: spec.kind.clone(),
        key,
        wanted,
        found: spec
            .values
            .get(key)
            .map_or_else(|| "nothing".to_owned(), Value::to_string),
    }
}
