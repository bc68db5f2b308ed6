//! The registries as Rust: `plugobs_core::registry`.

mod codes;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{
    AttributeType, CodeKind, Entry, Event, Level, Limit, Registries, Registry, Side, Unit,
    constant_name,
};
use crate::artefact::Artefact;
use crate::error::Result;
use crate::{COMMAND, rustfmt};

const PATH: &str = "reference/plugobs-core/src/registry.rs";

/// Writes the registries as constants, tables and enums.
///
/// # Errors
/// `rustfmt` is missing or refuses the result.
pub fn generate(registries: &Registries) -> Result<Artefact> {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "// Generated from spec/registries/*.json by `{COMMAND}`. Do not edit.\n\n\
         //! The registries of the specification, as constants, tables and enums.\n\n\
         use std::fmt;\n"
    );
    names(&mut out, "channel", &registries.channels);
    names(&mut out, "source", &registries.sources);
    names(&mut out, "mark", &registries.marks);
    names(&mut out, "capability", &registries.capabilities);
    names(&mut out, "environment", &registries.environment);
    names(&mut out, "metadata", &registries.metadata);
    levels(&mut out, &registries.levels);
    events(&mut out, &registries.events);
    attributes(&mut out, &registries.events);
    limits(&mut out, &registries.limits);
    codes::generate(&mut out, &registries.errors, CodeKind::Rejection);
    codes::generate(&mut out, &registries.errors, CodeKind::Failure);
    Ok(Artefact::text(PATH, rustfmt::format(&out)?))
}

/// A module of name constants and the list of them.
fn names<E: Entry>(out: &mut String, module: &str, registry: &Registry<E>) {
    open(out, module, &registry.description);
    for entry in &registry.entries {
        constant(out, entry);
    }
    let _ = writeln!(
        out,
        "/// Every name, in the registry's order.\npub const ALL: &[&str] = &[{}];\n}}\n",
        list(registry)
    );
}

fn levels(out: &mut String, registry: &Registry<Level>) {
    open(out, "level", &registry.description);
    let _ = writeln!(
        out,
        "/// A level name that the registry knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct LevelName {{
            /// The name, upper case.
            pub name: &'static str,
            /// Its severity number, 1 to 24.
            pub severity: u8,
            /// The level it is shown as: one of TRACE, DEBUG, INFO, WARN, ERROR.
            pub shown_as: &'static str,
            /// Other spellings, upper case.
            pub aliases: &'static [&'static str],
        }}
        "
    );
    for level in &registry.entries {
        constant(out, level);
        let name = constant_name(&level.name);
        let _ = writeln!(
            out,
            "/// The severity number of `{}`.\npub const {name}_SEVERITY: u8 = {};\n",
            level.name, level.severity_number
        );
    }
    let _ = writeln!(
        out,
        "/// Every level name, by rising severity number.\npub const ALL: &[LevelName] = &["
    );
    let mut sorted: Vec<&Level> = registry.entries.iter().collect();
    sorted.sort_by_key(|level| level.severity_number);
    for level in sorted {
        let name = constant_name(&level.name);
        let shown = constant_name(level.shown_as.as_ref().unwrap_or(&level.name));
        let _ = writeln!(
            out,
            "LevelName {{ name: {name}, severity: {name}_SEVERITY, shown_as: {shown}, \
             aliases: &{:?} }},",
            level.aliases
        );
    }
    out.push_str("];\n}\n\n");
}

fn events(out: &mut String, registry: &Registry<Event>) {
    open(out, "event", &registry.description);
    let _ = writeln!(
        out,
        "/// The side that emits an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Side {{
            /// The plugin, through its SDK.
            Plugin,
            /// The driver.
            Driver,
        }}

        /// The type of a registered attribute.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AttributeType {{
            /// Text.
            String,
            /// A 64-bit signed integer.
            Int,
            /// True or false.
            Bool,
        }}

        /// A lifecycle event that the registry knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Event {{
            /// The event's name.
            pub name: &'static str,
            /// The side that emits it.
            pub set_by: Side,
            /// Its registered attributes, by name.
            pub attributes: &'static [(&'static str, AttributeType)],
        }}
        "
    );
    for event in &registry.entries {
        let side = match event.set_by {
            Side::Plugin => "plugin",
            Side::Driver => "driver",
        };
        let text = format!("{} Set by the {side}.", described(event));
        let _ = writeln!(
            out,
            "{}pub const {}: &str = {:?};\n",
            doc(&text),
            constant_name(&event.name),
            event.name
        );
    }
    out.push_str("/// Every event, in the registry's order.\npub const ALL: &[Event] = &[\n");
    for event in &registry.entries {
        let _ = write!(
            out,
            "Event {{ name: {}, set_by: Side::{:?}, attributes: &[",
            constant_name(&event.name),
            event.set_by
        );
        for (name, kind) in &event.attributes {
            let _ = write!(
                out,
                "(super::attribute::{}, AttributeType::{kind:?}),",
                constant_name(name)
            );
        }
        out.push_str("] },\n");
    }
    out.push_str("];\n}\n\n");
}

/// The attribute keys of all lifecycle events, each with the events that carry it.
fn attributes(out: &mut String, registry: &Registry<Event>) {
    let mut keys: BTreeMap<&str, (AttributeType, Vec<String>)> = BTreeMap::new();
    for event in &registry.entries {
        for (name, kind) in &event.attributes {
            let events = &mut keys.entry(name).or_insert((*kind, Vec::new())).1;
            events.push(format!("`{}`", event.name));
        }
    }
    open(out, "attribute", "Attribute keys of lifecycle events.");
    for (name, (kind, events)) in keys {
        let kind = format!("{kind:?}").to_lowercase();
        let _ = writeln!(
            out,
            "/// Attribute of {}: {kind}.\npub const {}: &str = {name:?};\n",
            events.join(", "),
            constant_name(name)
        );
    }
    out.push_str("}\n\n");
}

fn limits(out: &mut String, registry: &Registry<Limit>) {
    open(out, "limit", &registry.description);
    if registry
        .entries
        .iter()
        .any(|limit| limit.unit == Unit::Milliseconds)
    {
        out.push_str("use std::time::Duration;\n\n");
    }
    for limit in &registry.entries {
        let (kind, value, unit) = match limit.unit {
            Unit::Bytes => ("usize", digits(limit.default), " In bytes."),
            Unit::Count => ("usize", digits(limit.default), ""),
            Unit::Milliseconds => (
                "Duration",
                format!("Duration::from_millis({})", digits(limit.default)),
                "",
            ),
        };
        let _ = writeln!(
            out,
            "{}pub const {}_DEFAULT: {kind} = {value};\n",
            doc(&format!("{}{unit}", described(limit))),
            constant_name(&limit.name)
        );
    }
    out.push_str("}\n\n");
}

fn open(out: &mut String, module: &str, description: &str) {
    let _ = writeln!(out, "{}pub mod {module} {{", doc(description));
}

fn constant(out: &mut String, entry: &impl Entry) {
    let _ = writeln!(
        out,
        "{}pub const {}: &str = {:?};\n",
        doc(&described(entry)),
        constant_name(entry.name()),
        entry.name()
    );
}

fn list<E: Entry>(registry: &Registry<E>) -> String {
    let names = registry
        .entries
        .iter()
        .map(|entry| constant_name(entry.name()) + ",");
    names.collect()
}

/// The description, and the clause where the registry names one.
fn described(entry: &impl Entry) -> String {
    match entry.clause() {
        Some(clause) => format!("{} ({clause})", entry.description()),
        None => entry.description().to_owned(),
    }
}

/// A doc comment; characters that rustdoc would read as markup are escaped.
fn doc(text: &str) -> String {
    let escaped = text.replace('<', "\\<").replace('[', "\\[");
    format!("/// {escaped}\n")
}

/// A number with `_` between groups of three digits.
fn digits(number: u64) -> String {
    let plain = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in plain.chars().enumerate() {
        if index > 0 && (plain.len() - index).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        assert_eq!(
            constant_name("observability/log-stream/v1"),
            "OBSERVABILITY_LOG_STREAM_V1"
        );
        assert_eq!(digits(65536), "65_536");
        assert_eq!(digits(1_048_576), "1_048_576");
        assert_eq!(digits(64), "64");
    }

    #[test]
    fn descriptions_stay_plain_text_in_documentation() {
        assert_eq!(doc("A [link] and <b>."), "/// A \\[link] and \\<b>.\n");
    }
}
