//! What the plugins did when: calls and other lifecycle events in one order.

use std::collections::{BTreeMap, HashMap};

use plugobs_core::{Record, Timestamp};
use plugobs_runfile::Story;
use plugobs_runfile::read::story::Call;

use crate::attributes;
use crate::page::{BAD, BOLD, DIM, GOOD, Line, PLAIN, Page, WARN};
use crate::record::{instance_name, short_id};
use crate::story::in_sequence;
use crate::units;

enum Item<'a> {
    Call(&'a Call),
    Event(&'a Record),
}

/// Writes the timeline. `from` is the time that offsets count from.
pub(crate) fn timeline(page: &mut Page, story: &Story, from: Timestamp) {
    let mut items: Vec<(Timestamp, Item<'_>)> = Vec::new();
    for call in &story.calls {
        // A call whose beginning was evicted stands where the test begins.
        items.push((call.began.unwrap_or(from), Item::Call(call)));
    }
    for event in story.events.iter() {
        items.push((event.timestamp, Item::Event(event)));
    }
    // Stable: what happened in the same nanosecond stays in its order.
    items.sort_by_key(|(time, _)| *time);
    order_events(&mut items);
    let depths = depths(&story.calls);
    let names: BTreeMap<&str, String> = story
        .calls
        .iter()
        .map(|call| (call.call_id.as_str(), call_instance(call, story)))
        .collect();
    let columns = names
        .values()
        .map(|name| crate::page::width(name))
        .chain(
            story
                .events
                .iter()
                .map(|e| crate::page::width(&instance_name(e, &story.labels))),
        )
        .max()
        .unwrap_or(0)
        .min(24);
    for (time, item) in items {
        let head = Line::new()
            .add(DIM, &format!("{:>10}", units::offset(time, from)))
            .add(PLAIN, "  ");
        match item {
            Item::Call(call) => {
                let id = call.call_id.as_str();
                let name = names.get(id).map_or("", String::as_str);
                let depth = depths.get(id).copied().unwrap_or(0);
                let head = head.padded(BOLD, name, columns).add(PLAIN, "  ");
                page.hanging(call_line(head, call, depth), 12);
            }
            Item::Event(event) => {
                let name = instance_name(event, &story.labels);
                let head = head.padded(BOLD, &name, columns).add(PLAIN, "  ");
                page.hanging(event_line(head, event), 12);
            }
        }
    }
    if story.events.left_out() > 0 {
        let text = format!(
            "  … and {} more",
            units::count(story.events.left_out(), "event")
        );
        page.line(Line::new().add(DIM, &text));
    }
}

/// Puts the events of one instance and epoch into the order of their sequence,
/// whatever its clock said, in the places that they have together
/// (`OBS-OUT-16`).
fn order_events(items: &mut [(Timestamp, Item<'_>)]) {
    let events = items.iter().filter_map(|(_, item)| match item {
        Item::Event(event) => Some(*event),
        Item::Call(_) => None,
    });
    let mut ordered = in_sequence(events).into_iter();
    for (time, item) in items {
        if let Item::Event(event) = item
            && let Some(next) = ordered.next()
        {
            (*time, *event) = (next.timestamp, next);
        }
    }
}

fn call_instance(call: &Call, story: &Story) -> String {
    match &call.plugin_instance_id {
        Some(id) => story
            .labels
            .get(id)
            .cloned()
            .unwrap_or_else(|| short_id(id).to_owned()),
        None => "unknown".to_owned(),
    }
}

fn call_line(head: Line, call: &Call, depth: usize) -> Line {
    let operation = call.operation.as_deref().unwrap_or("call");
    let nesting = "  ".repeat(depth.min(8));
    let mut line = head.add(PLAIN, &nesting).add(PLAIN, operation);
    match call.duration_ns {
        Some(duration) => line.push(PLAIN, &format!("  {}", units::duration(duration))),
        None => line.push(BAD, "  did not end"),
    }
    match call.outcome.as_deref() {
        Some("ok") => line.push(GOOD, "  ok"),
        Some("mismatch") => line.push(WARN, "  mismatch"),
        Some(other) => line.push(BAD, &format!("  {other}")),
        None => {}
    }
    if let Some(error) = &call.error {
        line.push(BAD, &format!(": {error}"));
    }
    if call.completeness.as_deref() == Some("incomplete") {
        line.push(WARN, "  [records can be missing]");
    }
    line
}

fn event_line(head: Line, event: &Record) -> Line {
    let name = event.event_name.as_deref().unwrap_or_default();
    let style = if event.severity >= plugobs_core::Severity::WARN {
        WARN
    } else {
        PLAIN
    };
    let mut line = head.add(style, name);
    if event.message.is_empty() {
        return line.join(attributes::tail(event));
    }
    line.push(style, &format!(": {}", event.message));
    for mark in &event.marks {
        line.push(WARN, &format!("  [{mark}]"));
    }
    line
}

/// How deep each call is nested. A parent that is not there counts as none.
fn depths(calls: &[Call]) -> HashMap<&str, usize> {
    let parents: HashMap<&str, &str> = calls
        .iter()
        .filter_map(|call| Some((call.call_id.as_str(), call.parent_id.as_deref()?)))
        .collect();
    let known: HashMap<&str, ()> = calls.iter().map(|c| (c.call_id.as_str(), ())).collect();
    calls
        .iter()
        .map(|call| {
            let id = call.call_id.as_str();
            // Bounded: a plugin may name any parent, a loop included.
            let depth = std::iter::successors(parents.get(id), |parent| parents.get(**parent))
                .take_while(|parent| known.contains_key(**parent))
                .take(8)
                .count();
            (id, depth)
        })
        .collect()
}
