//! Whether a record keeps the rules, once its form has been read.

use std::collections::HashSet;

use crate::error::Rejection;
use crate::ids::{check_test_run_id, is_canonical_uuid};
use crate::record::Record;
use crate::registry::{RejectionCode as Code, channel, event, mark};

/// Checks what a plugin sends on a path with sequence (stream or standard
/// error): both halves of the key, the instance, and all of [`fields`].
///
/// # Errors
/// The first rule that it breaks.
pub fn from_plugin(record: &Record) -> Result<(), Rejection> {
    if record.plugin_instance_id.is_none() {
        return Err(missing(
            "pluginInstanceId",
            "a plugin's record names its instance",
        ));
    }
    for (field, value) in [("epoch", record.epoch), ("sequence", record.sequence)] {
        if value.is_none() {
            return Err(missing(field, "a number from 1 is expected"));
        }
    }
    fields(record)
}

/// Checks a line of a run's records: what the driver sets is there, and a
/// record without an instance is the driver's own or quarantined. What a
/// plugin said that breaks a rule of content is kept there as it came
/// (OBS-REC-33).
///
/// # Errors
/// The first rule that it breaks.
pub fn in_run(record: &Record) -> Result<(), Rejection> {
    if record.observed_timestamp.is_none() {
        return Err(missing("observedTimestamp", "the driver sets it"));
    }
    match &record.run_id {
        None => return Err(missing("runId", "the driver sets it")),
        Some(id) => uuid("runId", id, Code::InvalidInstanceId)?,
    }
    if record.source.is_none() {
        return Err(missing("source", "the driver sets it"));
    }
    if record.plugin_instance_id.is_none() && !record.is_from_driver() && !record.is_quarantined() {
        return Err(missing(
            "pluginInstanceId",
            "only a driver's own or a quarantined record has none",
        ));
    }
    identities(record)?;
    attributes(record)
}

/// Checks what holds for every record.
///
/// # Errors
/// The first rule that it breaks.
pub fn fields(record: &Record) -> Result<(), Rejection> {
    identities(record)?;
    if record.message.is_empty() && record.event_name.is_none() {
        return Err(missing(
            "message",
            "it may be empty only where eventName is set",
        ));
    }
    if record.channel == channel::LIFECYCLE {
        lifecycle_event(record.event_name.as_deref())?;
    }
    attributes(record)
}

fn lifecycle_event(name: Option<&str>) -> Result<(), Rejection> {
    let Some(name) = name else {
        return Err(missing("eventName", "a lifecycle record names its event"));
    };
    if event::ALL.iter().any(|known| known.name == name) {
        return Ok(());
    }
    Err(Rejection::new(
        Code::UnknownEvent,
        "eventName",
        format!("{name:?} is not in the registry lifecycle-events"),
    ))
}

/// Who speaks, for which test and call, and as which record of its emitter.
fn identities(record: &Record) -> Result<(), Rejection> {
    if let Some(id) = &record.plugin_instance_id {
        uuid("pluginInstanceId", id, Code::InvalidInstanceId)?;
    }
    if let Some(id) = &record.call_id {
        uuid("callId", id, Code::InvalidCallId)?;
    }
    if let (Some(id), false) = (
        &record.test_run_id,
        record.has_mark(mark::INVALID_TEST_RUN_ID),
    ) {
        check_test_run_id(id)?;
    }
    for (field, value) in [("epoch", record.epoch), ("sequence", record.sequence)] {
        if value == Some(0) {
            return Err(Rejection::new(Code::OutOfRange, field, "it counts from 1"));
        }
    }
    if record.sequence.is_some() && record.epoch.is_none() {
        return Err(missing("epoch", "a sequence counts within an epoch"));
    }
    Ok(())
}

fn attributes(record: &Record) -> Result<(), Rejection> {
    // A sender chooses how many there are, so comparing each with each is out.
    let mut seen = HashSet::with_capacity(record.attributes.len());
    for (key, _) in &record.attributes {
        if key.is_empty() {
            return Err(missing("attributes", "a key is empty"));
        }
        if !seen.insert(key.as_str()) {
            let field = format!("attributes.{key}");
            return Err(Rejection::new(
                Code::DuplicateKey,
                field,
                "the key stands twice",
            ));
        }
    }
    Ok(())
}

fn missing(field: &str, detail: &str) -> Rejection {
    Rejection::new(Code::MissingField, field, detail)
}

fn uuid(field: &str, id: &str, code: Code) -> Result<(), Rejection> {
    if is_canonical_uuid(id) {
        Ok(())
    } else {
        let detail = format!("{id:?} is not a UUID in canonical lower-case text");
        Err(Rejection::new(code, field, detail))
    }
}
