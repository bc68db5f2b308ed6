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
/// Raw output is emitted at DEBUG under `plugobs.output`. User messages are
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
            plugin.name = $r.plugin_name.as_deref(),
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
                event!(
                    target: "plugobs.output",
                    Level::DEBUG,
                    plugin.instance_id = instance.as_str(),
                    output.stream = stream.name(),
                    "{}",
                    sanitise::block(text.trim_end_matches('\n'))
                );
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
