//! How a body is laid out: with or without a header row, and what stands between two values.

use serde_json::{Map, Value};

/// The key of the header setting, as deployed.
pub const HEADERS_KEY: &str = "csvHeaders";
/// The key of the delimiter setting.
pub const DELIMITER_KEY: &str = "csvDelimiter";

/// The layout of a CSV body.
///
/// A test author gives it in `contentsConfig`; it is stored in the pact file as the interaction's plugin configuration
/// and comes back with each comparison and each generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The first row names the columns; true unless it was set to false.
    pub headers: bool,
    /// The byte between two values; a comma unless it was set.
    pub delimiter: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            headers: true,
            delimiter: b',',
        }
    }
}

impl Settings {
    /// Reads the settings out of `contentsConfig` or out of the stored configuration; other keys are left alone.
    ///
    /// # Errors
    /// A setting has a value that it cannot have.
    pub fn read(configuration: &Map<String, Value>) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        if let Some(value) = configuration.get(HEADERS_KEY) {
            settings.headers = boolean(value)?;
        }
        if let Some(value) = configuration.get(DELIMITER_KEY) {
            settings.delimiter = delimiter(value)?;
        }
        Ok(settings)
    }

    /// Adds the settings to a configuration that is to be stored; a comma is the default and is not written.
    pub fn write(self, configuration: &mut Map<String, Value>) {
        configuration.insert(HEADERS_KEY.to_owned(), self.headers.into());
        if self.delimiter != Self::default().delimiter {
            let text = char::from(self.delimiter).to_string();
            configuration.insert(DELIMITER_KEY.to_owned(), text.into());
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// `csvHeaders` is neither true nor false.
    #[error("`{HEADERS_KEY}` is {found}; set it to true or false")]
    Headers {
        /// What stands there, as JSON.
        found: String,
    },
    /// `csvDelimiter` is not one usable character.
    #[error(
        "`{DELIMITER_KEY}` is {found}; set it to one ASCII character that is not a quote, a line break, a letter or a digit"
    )]
    Delimiter {
        /// What stands there, as JSON.
        found: String,
    },
}

/// Test authors' tools often make every value a string, so the words count as the values.
fn boolean(value: &Value) -> Result<bool, SettingsError> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        other => Err(SettingsError::Headers {
            found: other.to_string(),
        }),
    }
}

fn delimiter(value: &Value) -> Result<u8, SettingsError> {
    let byte = match value.as_str().map(str::as_bytes) {
        Some([byte]) => *byte,
        _ => 0,
    };
    let usable = byte == b'\t' || byte == b' ' || byte.is_ascii_punctuation();
    if usable && byte != b'"' {
        Ok(byte)
    } else {
        Err(SettingsError::Delimiter {
            found: value.to_string(),
        })
    }
}
