//! Redaction: what the user names never reaches a sink (OBS-SEC-31 to 36).

use std::borrow::Cow;

use plugobs_core::registry::mark;
use plugobs_core::{Limits, Record, Scalar, Value};
use regex::Regex;
use serde_json::Value as Json;

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
    pub(crate) fn apply(&self, limits: &Limits, record: &mut Record) -> usize {
        let redacted = self.replace(record);
        let size = limits.enforce(record);
        if redacted {
            record.mark(mark::REDACTED);
        }
        size
    }

    fn replace(&self, record: &mut Record) -> bool {
        if self.keys.is_empty() && self.patterns.is_empty() {
            return false;
        }
        let mut redacted = false;
        for (key, value) in &mut record.attributes {
            // Bytes that are no record cannot be searched.
            if key == "malformed.bytes" || self.keys.iter().any(|k| k.eq_ignore_ascii_case(key)) {
                *value = REDACTED.into();
                redacted = true;
            } else {
                redacted |= self.value(value);
            }
        }
        for member in record.unknown_members.values_mut() {
            redacted |= self.member(member);
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

    /// A member of a later version, whatever its form.
    fn member(&self, member: &mut Json) -> bool {
        match member {
            Json::String(text) => self.text(text),
            Json::Array(list) => list
                .iter_mut()
                .fold(false, |any, one| any | self.member(one)),
            Json::Object(map) => map
                .values_mut()
                .fold(false, |any, one| any | self.member(one)),
            Json::Null | Json::Bool(_) | Json::Number(_) => false,
        }
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
