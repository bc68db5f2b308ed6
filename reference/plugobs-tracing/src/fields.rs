//! The fields of a `tracing` event as a record's message, attributes and
//! exception.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use plugobs_core::{Exception, Record, Scalar, Value};
use tracing_core::field::{Field, Visit};

thread_local! {
    /// Where this thread makes texts, one after the other.
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
}

/// Fills a record.
pub(crate) struct Fields<'a> {
    pub(crate) record: &'a mut Record,
    /// The bridge from `log` tells its target and place as fields `log.…`.
    pub(crate) of_log_crate: bool,
}

impl Fields<'_> {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        match field.name() {
            name if self.of_log_crate && name.starts_with("log.") => {}
            // Of two fields with one name the first stays.
            name if self.record.attribute(name).is_some() => {}
            name => self.record.attributes.push((name.to_owned(), value.into())),
        }
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(int) => self.add(field, int),
            // What fits no 64-bit integer of the record keeps its digits.
            Err(_) => self.add(field, value.to_string()),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.add(field, value.to_string());
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.add(field, value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.record.message = value.into();
        } else {
            self.add(field, value);
        }
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.add(field, Scalar::Bytes(value.to_vec()));
    }

    fn record_error(&mut self, _field: &Field, error: &(dyn Error + 'static)) {
        let exception = or_panicked(|| exception_of(error));
        self.record.exception = Some(exception.unwrap_or_else(|text| Exception {
            kind: None,
            message: Some(text),
            stack_trace: None,
        }));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Taken, not borrowed: the text of a value may log itself.
        let mut text = BUFFER.take();
        text.clear();
        if let Err(instead) = or_panicked(|| write!(text, "{value:?}")) {
            text = instead;
        }
        if field.name() == "message" {
            self.record.message = text.as_str().into();
        } else {
            self.add(field, text.as_str());
        }
        BUFFER.set(text);
    }
}

/// What a plugin's own `Debug` or `Display` makes; where it panics, what to say
/// instead. A log call harms no call: the panic itself is a record already, of
/// the panic hook.
fn or_panicked<T>(make: impl FnOnce() -> T) -> Result<T, String> {
    // Nothing of what the closure reads is used after a panic of it.
    catch_unwind(AssertUnwindSafe(make)).map_err(|_| "(its text panicked)".to_owned())
}

/// An error and its causes, outermost first (OBS-REC-29). Its type cannot be
/// told from a reference to it.
pub(crate) fn exception_of(error: &dyn Error) -> Exception {
    let mut causes = String::new();
    let mut cause = error.source();
    while let Some(source) = cause {
        causes.push_str(&format!("caused by: {source}\n"));
        cause = source.source();
    }
    let text = error.to_string();
    Exception {
        kind: None,
        message: Some(if text.is_empty() {
            "an error without a text".to_owned()
        } else {
            text
        }),
        stack_trace: Some(causes).filter(|causes| !causes.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read row {0}")]
    struct Outer(u32, #[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("no such column")]
    struct Inner;

    #[test]
    fn an_error_tells_its_causes() {
        let exception = exception_of(&Outer(7, Inner));
        assert_eq!(exception.kind, None);
        assert_eq!(exception.message.as_deref(), Some("cannot read row 7"));
        assert_eq!(
            exception.stack_trace.as_deref(),
            Some("caused by: no such column\n")
        );
    }
}
