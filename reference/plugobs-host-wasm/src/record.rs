//! The one conversion between the record and its form in `wit/`
//! (`spec/binding-wasm.md`, Records).

use std::borrow::Cow;

use plugobs_core::registry::{RejectionCode, channel, mark};
use plugobs_core::value::Scalar;
use plugobs_core::{Exception, Record, Rejection, Severity, Text, Timestamp, TraceContext, Value};
use serde_json::{Map, Value as Json};
use wasmtime::component::{WasmList, WasmStr};
use wasmtime::{Result, StoreContextMut};

use crate::entry::{self, Entry};
use crate::log::Speaker;

/// Names of members that this version of the package has a place for, or that
/// only a driver sets: such an entry of `extra` is ignored (OBS-WASM-14).
const PLACES: [&str; 23] = [
    "pluginInstanceId",
    "testRunId",
    "callId",
    "epoch",
    "sequence",
    "timestamp",
    "level",
    "severityNumber",
    "channel",
    "eventName",
    "target",
    "message",
    "attributes",
    "exception",
    "traceContext",
    "marks",
    "truncatedBytes",
    "observedTimestamp",
    "runId",
    "pluginName",
    "pluginVersion",
    "source",
    "claimed",
];

/// Texts that a record mostly shares with the one before it in the same call.
#[derive(Default)]
pub(crate) struct Shared {
    plugin_instance_id: Text,
    test_run_id: Text,
    call_id: Text,
    target: Text,
}

/// A guest's memory, with what it logged at one time.
pub(crate) struct Memory<'a> {
    store: StoreContextMut<'a, Speaker>,
}

impl<'a> Memory<'a> {
    pub(crate) fn new(store: StoreContextMut<'a, Speaker>) -> Self {
        Self { store }
    }

    /// The store again.
    pub(crate) fn speaker(&mut self) -> &mut Speaker {
        self.store.data_mut()
    }

    /// Fills in an empty record, whose time is right for a guest without a clock
    /// (OBS-WASM-15). A part that is none is told in its marks, and nothing is
    /// refused.
    ///
    /// # Errors
    /// Text that is no UTF-8, which the rules of components forbid.
    pub(crate) fn fill(
        &mut self,
        record: &mut Record,
        plugin_instance_id: &WasmStr,
        test_run_id: Option<&WasmStr>,
        entry: &Entry,
    ) -> Result<()> {
        if let Some(nanos) = entry.timestamp_unix_nano {
            record.timestamp = Timestamp::from_unix_nanos(nanos);
        }
        let target = self.shared(Some(&entry.target), |shared| &mut shared.target)?;
        record.target = target.unwrap_or_default();
        record.message = self.text(&entry.message)?.into();
        record.plugin_instance_id = self.shared(Some(plugin_instance_id), |shared| {
            &mut shared.plugin_instance_id
        })?;
        record.test_run_id = self.shared(test_run_id, |shared| &mut shared.test_run_id)?;
        record.call_id = self.shared(entry.call_id.as_ref(), |shared| &mut shared.call_id)?;
        record.set_level(&self.level(entry)?, number_of(entry));
        record.channel = self.channel(entry.channel.as_ref())?;
        record.event_name = self.some(entry.event_name.as_ref())?.map(Text::from);
        record.attributes = self.attributes(&entry.attributes)?;
        record.exception = self.exception(entry.exception.as_ref())?;
        record.add_marks(self.texts(&entry.marks)?);
        record.truncated_bytes = entry.truncated_bytes;
        record.unknown_members = unknown(self.attributes(&entry.extra)?);
        match entry.trace_context.as_ref().map(|trace| self.trace(trace)) {
            Some(Err(rejection)) => {
                record.mark(mark::MALFORMED);
                let told = ("malformed.code".to_owned(), rejection.code.as_str().into());
                record.attributes.push(told);
            }
            trace => record.trace_context = trace.transpose().unwrap_or_default(),
        }
        Ok(())
    }

    /// How severe it is, of one that is given up.
    pub(crate) fn severity(&self, entry: &Entry) -> Result<Severity> {
        let mut record = Record::new(Timestamp::default(), Severity::INFO, "", "");
        record.set_level(&self.level(entry)?, number_of(entry));
        Ok(record.severity)
    }

    fn level(&self, entry: &Entry) -> Result<Cow<'_, str>> {
        match &entry.level {
            Some(level) => level.to_str(&self.store),
            None => Ok(Cow::Borrowed("")),
        }
    }

    fn text(&self, text: &WasmStr) -> Result<String> {
        Ok(text.to_str(&self.store)?.into_owned())
    }

    /// An empty text is an absent one (OBS-WASM-12).
    fn some(&self, text: Option<&WasmStr>) -> Result<Option<String>> {
        let text = text.map(|text| self.text(text)).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// The text of the record before, where it is the same.
    fn shared(
        &mut self,
        text: Option<&WasmStr>,
        place: fn(&mut Shared) -> &mut Text,
    ) -> Result<Option<Text>> {
        let Some(text) = text else { return Ok(None) };
        let mut known = std::mem::take(place(&mut self.store.data_mut().shared));
        let said = text.to_str(&self.store)?;
        if *said != *known {
            known = Text::from(&*said);
        }
        place(&mut self.store.data_mut().shared).clone_from(&known);
        Ok(Some(known).filter(|text| !text.is_empty()))
    }

    fn channel(&self, name: Option<&WasmStr>) -> Result<Text> {
        let name = match name {
            Some(name) => name.to_str(&self.store)?,
            None => Cow::Borrowed(""),
        };
        Ok(match channel::ALL.iter().find(|known| name == **known) {
            Some(known) => Text::from_static(known),
            None if name.is_empty() => Text::from_static(channel::OPERATIONAL),
            None => Text::from(&*name),
        })
    }

    fn attributes(
        &mut self,
        list: &WasmList<(WasmStr, entry::Value)>,
    ) -> Result<Vec<(String, Value)>> {
        let mut attributes = Vec::with_capacity(list.len());
        for at in 0..list.len() {
            if let Some(attribute) = list.get(&mut self.store, at) {
                let (key, value) = attribute?;
                attributes.push((self.text(&key)?, self.value(value)?));
            }
        }
        Ok(attributes)
    }

    fn value(&mut self, value: entry::Value) -> Result<Value> {
        use entry::{Scalar as Single, Value as Any};

        let scalar = match value {
            Any::Text(text) => Single::Text(text),
            Any::Boolean(value) => Single::Boolean(value),
            Any::Int(int) => Single::Int(int),
            Any::Double(double) => Single::Double(double),
            Any::Bytes(bytes) => Single::Bytes(bytes),
            Any::Items(list) => {
                let mut items = Vec::with_capacity(list.len());
                for at in 0..list.len() {
                    if let Some(item) = list.get(&mut self.store, at) {
                        items.push(self.scalar(&item?)?);
                    }
                }
                return Ok(Value::List(items));
            }
        };
        Ok(Value::Scalar(self.scalar(&scalar)?))
    }

    fn scalar(&self, scalar: &entry::Scalar) -> Result<Scalar> {
        use entry::Scalar as Single;

        Ok(match scalar {
            Single::Text(text) => Scalar::String(self.text(text)?),
            Single::Boolean(value) => Scalar::Bool(*value),
            Single::Int(int) => Scalar::Int(*int),
            Single::Double(double) => Scalar::Double(*double),
            Single::Bytes(bytes) => Scalar::Bytes(bytes.as_le_slice(&self.store).to_vec()),
        })
    }

    fn exception(&self, exception: Option<&entry::Exception>) -> Result<Option<Exception>> {
        let Some(exception) = exception else {
            return Ok(None);
        };
        let text = |text: &Option<WasmStr>| self.some(text.as_ref());
        let exception = Exception {
            kind: text(&exception.kind)?,
            message: text(&exception.message)?,
            stack_trace: text(&exception.stack_trace)?,
        };
        Ok(exception.non_empty())
    }

    fn texts(&mut self, list: &WasmList<WasmStr>) -> Result<Vec<String>> {
        let mut texts = Vec::with_capacity(list.len());
        for at in 0..list.len() {
            if let Some(text) = list.get(&mut self.store, at) {
                texts.push(self.text(&text?)?);
            }
        }
        Ok(texts)
    }

    fn trace(&self, context: &entry::TraceContext) -> std::result::Result<TraceContext, Rejection> {
        let ids = (
            <[u8; 16]>::try_from(context.trace_id.as_le_slice(&self.store)),
            <[u8; 8]>::try_from(context.span_id.as_le_slice(&self.store)),
        );
        match ids {
            (Ok(trace_id), Ok(span_id)) if trace_id != [0; 16] && span_id != [0; 8] => {
                Ok(TraceContext {
                    trace_id,
                    span_id,
                    flags: context.trace_flags,
                })
            }
            _ => Err(Rejection::new(
                RejectionCode::InvalidTraceContext,
                "traceContext",
                "IDs of 16 and 8 bytes, not all zero, are expected",
            )),
        }
    }
}

fn number_of(entry: &Entry) -> Option<Severity> {
    let number = entry.severity_number.map(u32::from);
    number.and_then(Severity::from_number)
}

/// Members that this version has no place for, of the first of each name.
fn unknown(extra: Vec<(String, Value)>) -> Map<String, Json> {
    let mut members = Map::new();
    for (name, value) in extra {
        if !name.is_empty() && !PLACES.contains(&name.as_str()) && !members.contains_key(&name) {
            members.insert(name, serde_json::to_value(value).unwrap_or_default());
        }
    }
    members
}
