//! Redaction: what the user names never reaches a sink (OBS-SEC-31 to 36).

use std::borrow::Cow;

use plugobs_core::registry::mark;
use plugobs_core::{Limits, Record, Scalar, Value};
use regex::Regex;

/// What stands in place of what was redacted.
const REDACTED: &str = "[redacted]";

/// The user's rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redaction {
    pub(crate) keys: Vec<String>,
    pub(crate) patterns: Vec<Regex>,
}

impl Redaction {
    /// Applies the rules to a record, then its limits, and marks it where
    /// something went: the rules come first, because a cut could leave half of
    /// what a pattern matches, and the mark last, because marks are cut too.
    pub(crate) fn apply(&self, limits: &Limits, record: &mut Record) {
        let redacted = self.replace(record);
        limits.enforce(record);
        if redacted {
            record.mark(mark::REDACTED);
        }
    }

    fn replace(&self, record: &mut Record) -> bool {
        if self.keys.is_empty() && self.patterns.is_empty() {
            return false;
        }
        let mut redacted = false;
        for (key, value) in &mut record.attributes {
            if self.keys.iter().any(|k| k.eq_ignore_ascii_case(key)) {
                *value = REDACTED.into();
                redacted = true;
            } else {
                redacted |= self.value(value);
            }
        }
        if !self.patterns.is_empty() {
            let mut message = record.message.to_string();
            if self.text(&mut message) {
                record.message = message.into();
                redacted = true;
            }
        }
        if let Some(exception) = &mut record.exception {
            for text in [
                &mut exception.kind,
                &mut exception.message,
                &mut exception.stack_trace,
            ]
            .into_iter()
            .flatten()
            {
                redacted |= self.text(text);
            }
        }
        redacted
    }

    /// Applies the patterns to a text.
    pub(crate) fn text(&self, text: &mut String) -> bool {
        let mut redacted = false;
        for pattern in &self.patterns {
            if let Cow::Owned(replaced) = pattern.replace_all(text, REDACTED) {
                *text = replaced;
                redacted = true;
            }
        }
        redacted
    }

    fn value(&self, value: &mut Value) -> bool {
        let scalars = match value {
            Value::Scalar(scalar) => std::slice::from_mut(scalar),
            Value::List(list) => list.as_mut_slice(),
        };
        let mut redacted = false;
        for scalar in scalars {
            if let Scalar::String(text) = scalar {
                redacted |= self.text(text);
            }
        }
        redacted
    }
}
