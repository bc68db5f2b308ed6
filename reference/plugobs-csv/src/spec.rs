//! A matching rule or a generator as Pact writes it: a type and its values.

use serde_json::{Map, Value};

/// The wire form of a matching rule or of a generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The type, such as `regex` or `RandomInt`.
    pub kind: String,
    /// The values that belong to the type, such as the regular expression; empty where there are none.
    pub values: Map<String, Value>,
}

impl Spec {
    /// A type without values.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            values: Map::new(),
        }
    }

    /// The same with one more value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.values.insert(key.to_owned(), value.into());
        self
    }

    /// The value of the first of `keys` that is there, as text: a string without its quotes, anything else as JSON.
    #[must_use]
    pub fn text(&self, keys: &[&str]) -> Option<String> {
        keys.iter()
            .find_map(|key| self.values.get(*key))
            .map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
    }
}
