//! Generators as Pact writes them.

use serde_json::Value;

use super::{Generator, GeneratorError, UuidForm};
use crate::datetime::Shift;
use crate::spec::Spec;

impl Generator {
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
}

fn clock_name(kind: Shift) -> &'static str {
    match kind {
        Shift::Date => "Date",
        Shift::Time => "Time",
        Shift::DateTime => "DateTime",
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
