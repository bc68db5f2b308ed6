//! A sink that hands records to the framework's own logging through `tracing`.

use plugobs_core::registry::channel;
use plugobs_core::{Record, sanitise};
use tracing::dispatcher::{self, Dispatch};
use tracing::{Level, event};

use super::{Sink, SinkError, SinkEvent};

/// Emits each record as an event at its level. `tracing` wants an event's
/// target to be constant: it is `plugobs.plugin`, `plugobs.user` or
/// `plugobs.lifecycle` by the record's channel, and the plugin's own target is
/// the field `plugin.target`. Both IDs are fields.
///
/// Raw output is emitted at DEBUG under `plugobs.output`, an event a line: a
/// line feed within an event would let a plugin begin a line of its own in a
/// log that is plain text (OBS-SEC-25). User messages are
/// left out, so that they are never mixed into the log, unless asked for
/// (OBS-OUT-12).
pub struct TracingSink {
    dispatch: Dispatch,
    with_user_messages: bool,
}

impl TracingSink {
    /// Emits to the dispatcher that is the default where this is called: a
    /// sink has a thread of its own, where a scoped default would not be seen.
    pub fn new() -> Self {
        Self {
            dispatch: dispatcher::get_default(Clone::clone),
            with_user_messages: false,
        }
    }

    /// Emits user messages too, under `plugobs.user`.
    #[must_use]
    pub fn with_user_messages(mut self) -> Self {
        self.with_user_messages = true;
        self
    }
}

impl Default for TracingSink {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! emit {
    ($target:literal, $record:expr) => {{
        let r: &Record = $record;
        match r.severity.shown() {
            "TRACE" => emit!(@ $target, Level::TRACE, r),
            "DEBUG" => emit!(@ $target, Level::DEBUG, r),
            "INFO" => emit!(@ $target, Level::INFO, r),
            "WARN" => emit!(@ $target, Level::WARN, r),
            _ => emit!(@ $target, Level::ERROR, r),
        }
    }};
    (@ $target:literal, $level:expr, $r:expr) => {
        event!(
            target: $target,
            $level,
            plugin.instance_id = $r.plugin_instance_id.as_deref(),
            plugin.name = $r.plugin_name.as_deref().map(sanitise::line).as_deref(),
            timestamp = %$r.timestamp,
            channel = %sanitise::line(&$r.channel),
            plugin.target = %sanitise::line(&$r.target),
            test.run_id = $r.test_run_id.as_deref().map(sanitise::line).as_deref(),
            call.id = $r.call_id.as_deref(),
            event.name = $r.event_name.as_deref().map(sanitise::line).as_deref(),
            marks = (!$r.marks.is_empty()).then(|| tracing::field::debug(&$r.marks)),
            "{}",
            sanitise::line(&$r.message)
        )
    };
}

impl Sink for TracingSink {
    fn name(&self) -> &str {
        "tracing"
    }

    fn accept(&mut self, event: &SinkEvent) -> Result<(), SinkError> {
        dispatcher::with_default(&self.dispatch, || match event {
            SinkEvent::Records(records) => {
                for record in records.iter() {
                    match record.channel.as_str() {
                        channel::USER if !self.with_user_messages => {}
                        channel::USER => emit!("plugobs.user", record),
                        channel::LIFECYCLE => emit!("plugobs.lifecycle", record),
                        _ => emit!("plugobs.plugin", record),
                    }
                }
            }
            SinkEvent::Output {
                instance,
                stream,
                bytes,
            } => {
                let text = String::from_utf8_lossy(bytes);
                // `lines` takes the carriage return of a line's end along.
                for line in text.lines() {
                    event!(
                        target: "plugobs.output",
                        Level::DEBUG,
                        plugin.instance_id = instance.as_str(),
                        output.stream = stream.name(),
                        "{}",
                        sanitise::line(line)
                    );
                }
            }
            SinkEvent::Failure(report) => {
                event!(target: "plugobs.failure", Level::ERROR, "{report}");
            }
            SinkEvent::Run(_)
            | SinkEvent::Instance(_)
            | SinkEvent::Test(_)
            | SinkEvent::OutputSkipped { .. }
            | SinkEvent::OutputEnd { .. }
            | SinkEvent::Losses(_)
            | SinkEvent::End(_) => {}
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Write as _};
    use std::sync::{Arc, Mutex};

    use plugobs_core::{InstanceId, Severity, Timestamp};
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record as Values};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::sink::OutputStream;

    /// Writes events as a plain-text subscriber does: one after the other,
    /// each as its values come.
    #[derive(Clone, Default)]
    struct PlainText(Arc<Mutex<Vec<String>>>);

    struct Written<'a>(&'a mut String);

    impl Visit for Written<'_> {
        fn record_str(&mut self, field: &Field, value: &str) {
            let _ = write!(self.0, "{}={value} ", field.name());
        }

        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            let _ = write!(self.0, "{}={value:?} ", field.name());
        }
    }

    impl Subscriber for PlainText {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Values<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            let mut text = String::new();
            event.record(&mut Written(&mut text));
            self.0.lock().unwrap().push(text);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    fn shown(event: &SinkEvent) -> Vec<String> {
        let plain = PlainText::default();
        let dispatch = Dispatch::new(plain.clone());
        let mut sink = dispatcher::with_default(&dispatch, TracingSink::new);
        sink.accept(event).unwrap();
        let lines = plain.0.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn raw_output_is_an_event_a_line() {
        let lines = shown(&SinkEvent::Output {
            instance: InstanceId::parse("0b7f3a52-5c1e-4f0a-9d43-6a3f8e1c2b77").unwrap(),
            stream: OutputStream::Stderr,
            bytes: b"one\n\x1b[2J forged\n".to_vec().into(),
        });
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("message=one "), "{lines:?}");
        assert!(lines[1].contains(r"\u{1b}[2J forged"), "{lines:?}");
        assert!(lines.iter().all(|line| !line.contains(['\n', '\x1b'])));
    }

    #[test]
    fn a_plugins_name_is_escaped() {
        let now = Timestamp::from_unix_nanos(1);
        let mut record = Record::new(now, Severity::INFO, "t", "hello");
        record.plugin_name = Some("csv\nforged".into());
        let lines = shown(&SinkEvent::Records(vec![record].into()));
        assert!(lines[0].contains(r"csv\nforged"), "{lines:?}");
        assert!(!lines[0].contains('\n'));
    }
}
