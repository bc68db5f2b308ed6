//! One record, as a line or as part of a story.

use std::collections::BTreeMap;

use anstyle::Style;
use plugobs_core::{Exception, Record, registry::channel};

use crate::Look;
use crate::attributes;
use crate::page::{BOLD, DIM, Line, PLAIN, Page, WARN, of_severity};
use crate::units;

/// One record on one line, for following a run: time of day (UTC), level,
/// plugin, test, target, message, attributes, marks. It is never wrapped and
/// has no line break; `labels` are short names of instances.
pub fn record_line(record: &Record, labels: &BTreeMap<String, String>, look: &Look) -> String {
    let look = Look {
        width: None,
        ..*look
    };
    let time = units::time_of_day(record.observed_timestamp.unwrap_or(record.timestamp));
    let mut line = Line::new()
        .add(DIM, &time)
        .add(PLAIN, "  ")
        .padded(style_of(record), kind(record), 5)
        .add(PLAIN, "  ")
        .add(BOLD, &instance_name(record, labels));
    if let Some(test) = &record.test_run_id {
        line.push(PLAIN, "  ");
        line.push(DIM, &format!("({test})"));
    }
    if !record.target.is_empty() && record.channel != channel::LIFECYCLE {
        line.push(PLAIN, "  ");
        line.push(DIM, &record.target);
    }
    line.push(PLAIN, "  ");
    line.push(message_style(record), &what(record));
    if let Some(exception) = &record.exception {
        line.push(
            message_style(record),
            &format!("  {}", exception_head(exception)),
        );
    }
    let mut page = Page::new(&look);
    page.line(line.join(attributes::tail(record)));
    page.finish().trim_end_matches('\n').to_owned()
}

/// `user`, `life`, or the level.
fn kind(record: &Record) -> &'static str {
    match record.channel.as_str() {
        channel::USER => "user",
        channel::LIFECYCLE => "life",
        _ => record.severity.shown(),
    }
}

fn style_of(record: &Record) -> Style {
    match record.channel.as_str() {
        channel::USER => BOLD,
        channel::LIFECYCLE => DIM,
        _ => of_severity(record.severity),
    }
}

fn message_style(record: &Record) -> Style {
    match record.channel.as_str() {
        channel::USER => BOLD,
        _ => PLAIN,
    }
}

/// The event's name on the lifecycle channel or where there is no message,
/// and the message.
pub(crate) fn what(record: &Record) -> String {
    let event = record.event_name.as_deref().unwrap_or_default();
    match (record.channel.as_str(), record.message.as_str()) {
        (_, "") => event.to_owned(),
        (channel::LIFECYCLE, message) => format!("{event}: {message}"),
        (_, message) => message.to_owned(),
    }
}

/// Who speaks: the instance's short name, `driver`, or `not believed`.
pub(crate) fn instance_name(record: &Record, labels: &BTreeMap<String, String>) -> String {
    if record.is_quarantined() {
        return "not believed".to_owned();
    }
    match &record.plugin_instance_id {
        None => "driver".to_owned(),
        Some(id) => labels.get(id.as_str()).cloned().unwrap_or_else(|| {
            let name = record.plugin_name.as_deref().unwrap_or("plugin");
            format!("{name}/{}", short_id(id))
        }),
    }
}

/// The beginning of an ID, enough to tell a few apart.
pub(crate) fn short_id(id: &str) -> &str {
    plugobs_core::sanitise::cut(id, 8)
}

/// A log record in a story: its head, then its text over several lines.
pub(crate) fn log_record(page: &mut Page, head: Line, record: &Record) {
    let message = what(record);
    page.text(head, PLAIN, &message, attributes::tail(record));
    if let Some(exception) = &record.exception {
        exception_block(page, exception);
    }
}

fn exception_block(page: &mut Page, exception: &Exception) {
    const INDENT: usize = 10;
    page.block(INDENT, WARN, &exception_head(exception));
    if let Some(stack) = &exception.stack_trace {
        page.block(INDENT, DIM, stack);
    }
}

fn exception_head(exception: &Exception) -> String {
    let kind = exception.kind.as_deref().unwrap_or("exception");
    match &exception.message {
        Some(message) => format!("{kind}: {message}"),
        None => kind.to_owned(),
    }
}
