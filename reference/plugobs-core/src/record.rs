//! The record: one thing that a plugin or a driver says about itself.

use std::collections::HashSet;

use crate::registry::{channel, mark, source};
use crate::severity::Severity;
use crate::text::Text;
use crate::timestamp::Timestamp;
use crate::value::Value;

/// The one logical record that protobuf, WIT and JSON all encode
/// (`spec/records.md`). It stands alone: whatever batch or stream carried it,
/// everything needed to file it is inside.
///
/// It holds what was said, valid or not, because a driver loses nothing:
/// [`crate::validate`] says whether it keeps the rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The instance that speaks. Absent only on a driver's own records about
    /// the run, and where it was moved to `claimed`.
    pub plugin_instance_id: Option<Text>,
    /// The test run that caused it, verbatim.
    pub test_run_id: Option<Text>,
    /// The driver's call that caused it.
    pub call_id: Option<Text>,
    /// The emitter's epoch.
    pub epoch: Option<u64>,
    /// From 1 in each epoch, in order of emission.
    pub sequence: Option<u64>,
    /// When it happened, by the emitter's clock.
    pub timestamp: Timestamp,
    /// The level's name as the emitter writes it.
    pub level: Text,
    /// What decides about its severity.
    pub severity: Severity,
    /// `lifecycle`, `operational`, `user`, or one that is not known.
    pub channel: Text,
    /// The name of an event with a known shape.
    pub event_name: Option<Text>,
    /// The logger's name.
    pub target: Text,
    /// Text for people; may be empty where an event name is set.
    pub message: Text,
    /// Attributes in the order given, keys distinct.
    pub attributes: Vec<(String, Value)>,
    /// The error that it reports.
    pub exception: Option<Exception>,
    /// The span in which it happened.
    pub trace_context: Option<TraceContext>,
    /// What was noticed about it; registry `marks`.
    pub marks: Vec<String>,
    /// Bytes cut to keep limits.
    pub truncated_bytes: u64,
    /// When the driver took it in. The fields from here on are the driver's.
    pub observed_timestamp: Option<Timestamp>,
    /// The driver run.
    pub run_id: Option<Text>,
    /// The plugin's name by its manifest.
    pub plugin_name: Option<Text>,
    /// The plugin's version by its manifest.
    pub plugin_version: Option<Text>,
    /// The path on which it came; registry `sources`.
    pub source: Option<Text>,
    /// Identities that the driver did not believe.
    pub claimed: Option<Box<Claimed>>,
    /// Protobuf fields that the reader did not know, in their wire form.
    pub unknown_fields: Vec<u8>,
    /// JSON members that the reader did not know.
    pub unknown_members: serde_json::Map<String, serde_json::Value>,
}

/// An error as the emitter's language names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exception {
    /// The type's name.
    pub kind: Option<String>,
    /// What it says.
    pub message: Option<String>,
    /// The stack, in the form usual for the language.
    pub stack_trace: Option<String>,
}

impl Exception {
    /// Itself with its empty texts as absent ones; `None` where it then says
    /// nothing.
    #[must_use]
    pub fn non_empty(self) -> Option<Self> {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let says_nothing = self.is_empty();
        let exception = Self {
            kind: some(self.kind),
            message: some(self.message),
            stack_trace: some(self.stack_trace),
        };
        (!says_nothing).then_some(exception)
    }

    /// Whether it says nothing: each text is absent or empty.
    pub fn is_empty(&self) -> bool {
        [&self.kind, &self.message, &self.stack_trace]
            .into_iter()
            .flatten()
            .all(String::is_empty)
    }
}

/// W3C trace context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Not all zero.
    pub trace_id: [u8; 16],
    /// Not all zero.
    pub span_id: [u8; 8],
    /// 1 is "sampled".
    pub flags: u8,
}

/// Identities that a record bore and the driver did not believe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claimed {
    /// The instance it named.
    pub plugin_instance_id: Option<Text>,
    /// The test run it named.
    pub test_run_id: Option<Text>,
    /// The call it named.
    pub call_id: Option<Text>,
    /// The instance whose endpoint received it.
    pub via: Option<Text>,
}

impl Record {
    /// An operational record with the level's registered name.
    pub fn new(
        timestamp: Timestamp,
        severity: Severity,
        target: impl Into<Text>,
        message: impl Into<Text>,
    ) -> Self {
        Self {
            plugin_instance_id: None,
            test_run_id: None,
            call_id: None,
            epoch: None,
            sequence: None,
            timestamp,
            level: Text::from_static(severity.shown()),
            severity,
            channel: Text::from_static(channel::OPERATIONAL),
            event_name: None,
            target: target.into(),
            message: message.into(),
            attributes: Vec::new(),
            exception: None,
            trace_context: None,
            marks: Vec::new(),
            truncated_bytes: 0,
            observed_timestamp: None,
            run_id: None,
            plugin_name: None,
            plugin_version: None,
            source: None,
            claimed: None,
            unknown_fields: Vec::new(),
            unknown_members: serde_json::Map::new(),
        }
    }

    /// A lifecycle record at INFO; `event` is from the registry
    /// `lifecycle-events`.
    pub fn lifecycle(
        timestamp: Timestamp,
        target: impl Into<Text>,
        event: impl Into<Text>,
        message: impl Into<Text>,
    ) -> Self {
        Self {
            channel: Text::from_static(channel::LIFECYCLE),
            event_name: Some(event.into()),
            ..Self::new(timestamp, Severity::INFO, target, message)
        }
    }

    /// Adds an attribute, builder style.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.attributes.push((key.to_owned(), value.into()));
        self
    }

    /// The attribute's value.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        self.attributes
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v)
    }

    /// Adds a mark once.
    pub fn mark(&mut self, mark: &str) {
        if !self.has_mark(mark) {
            self.marks.push(mark.to_owned());
        }
    }

    /// Adds marks, each once (OBS-REC-23), however many a sender gives.
    pub fn add_marks(&mut self, marks: Vec<String>) {
        if marks.is_empty() {
            return;
        }
        let mut seen: HashSet<String> = self.marks.iter().cloned().collect();
        let new = |mark: &String| !mark.is_empty() && seen.insert(mark.clone());
        self.marks.extend(marks.into_iter().filter(new));
    }

    /// Whether it bears the mark.
    pub fn has_mark(&self, mark: &str) -> bool {
        self.marks.iter().any(|m| m == mark)
    }

    /// Whether its identity was not believed; such a record is shown under no
    /// instance or test.
    pub fn is_quarantined(&self) -> bool {
        self.has_mark(mark::QUARANTINED)
    }

    /// The instance under which its sequence is accounted for: the one that
    /// sent it by what the driver knows, else the one it names.
    pub fn accounted_instance(&self) -> Option<&str> {
        self.claimed
            .as_ref()
            .and_then(|claimed| claimed.via.as_deref())
            .or(self.plugin_instance_id.as_deref())
    }

    /// Whether a plugin's queue keeps a reserve for it: WARN and above,
    /// lifecycle and user records.
    pub fn is_reserved(&self) -> bool {
        self.severity >= Severity::WARN
            || matches!(self.channel.as_str(), channel::LIFECYCLE | channel::USER)
    }

    /// Removes what only a driver may say, before it says it.
    pub fn clear_driver_fields(&mut self) {
        self.observed_timestamp = None;
        self.run_id = None;
        self.plugin_name = None;
        self.plugin_version = None;
        self.source = None;
        self.claimed = None;
    }

    /// Whether it is one of the driver's own.
    pub fn is_from_driver(&self) -> bool {
        self.source.as_deref() == Some(source::DRIVER)
    }
}
