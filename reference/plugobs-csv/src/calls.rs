//! The plugin's calls in terms of no transport: each asks the engine, and says what came out of it. A process and a
//! component serve the same calls with them and so say the same.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::compare::{self, Comparison};
use crate::configure::{self, Interaction};
use crate::content::{Body, CSV_CONTENT_TYPES, is_csv};
use crate::field;
use crate::generate::{self, Generation};
use crate::generator::Context;
use crate::mismatch::{Mismatch, Verdict};
use crate::random::Random;
use crate::report;
use crate::spec::Spec;

/// The key of the plugin's catalogue entries.
pub const CATALOGUE_KEY: &str = "csv";
/// The name of the values of a catalogue entry that say for which contents it is.
pub(crate) const CONTENT_TYPES: (&str, &str) = ("content-types", CSV_CONTENT_TYPES);
/// The part of an interaction that every mismatch of this plugin belongs to.
pub(crate) const BODY: &str = "body";

/// A driver sets the plugin up.
pub(crate) fn init(implementation: &str, version: &str, capabilities: usize) {
    tracing::debug!(
        host.implementation = implementation,
        host.version = version,
        host.capabilities = capabilities,
        "a driver sets the CSV plugin up"
    );
}

/// The catalogue of all plugins changed.
pub(crate) fn catalogue_changed(entries: usize) {
    tracing::debug!(
        entries,
        "the catalogue of all plugins changed; the CSV plugin uses no other"
    );
}

/// Configures an interaction; an error is for the reader of the test result.
pub(crate) fn configure(
    content_type: &str,
    config: &Map<String, Value>,
) -> Result<Interaction, String> {
    tracing::debug!(content_type, "configuring an interaction");
    if !is_csv(content_type) {
        tracing::warn!(
            content_type,
            "asked to configure content that is not called CSV; it is taken as CSV"
        );
    }
    configure::configure(config)
        .map_err(|error| report::refusal("configure the interaction", &error))
}

/// Compares two bodies.
pub(crate) fn compare(comparison: &Comparison<'_>) -> Result<Verdict, String> {
    let verdict = compare::compare(comparison)
        .map_err(|error| report::refusal("compare the contents", &error))?;
    report::verdict(&verdict);
    Ok(verdict)
}

/// The mismatches by the path of their place, in the order in which they were found at each.
pub(crate) fn by_path(mismatches: &[Mismatch]) -> BTreeMap<String, Vec<&Mismatch>> {
    let mut by_path: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for mismatch in mismatches {
        by_path
            .entry(mismatch.place.to_string())
            .or_default()
            .push(mismatch);
    }
    by_path
}

/// Fills a body with generated values; nothing where there is none.
pub(crate) fn generate(
    contents: Option<&Body>,
    generators: &BTreeMap<String, Spec>,
    configuration: &Map<String, Value>,
    context: &Context,
    random: &mut Random<'_>,
) -> Result<Option<Body>, String> {
    let Some(contents) = contents else {
        tracing::debug!("there is no body to generate values for");
        return Ok(None);
    };
    let generation = Generation {
        contents,
        generators,
        configuration,
        context,
    };
    generate::generate(&generation, random)
        .map(Some)
        .map_err(|error| report::refusal("generate the contents", &error))
}

/// A value that breaks its rule.
pub(crate) struct Broken {
    pub(crate) expected: String,
    pub(crate) actual: String,
    pub(crate) message: String,
}

/// Matches a single value; a value that is no text cannot be.
pub(crate) fn match_field(
    path: &str,
    rule: Option<&Spec>,
    expected: Option<String>,
    actual: Option<String>,
) -> Result<Option<Broken>, String> {
    let Some(rule) = rule else {
        return Err("the request has no matching rule".to_owned());
    };
    let (Some(expected), Some(actual)) = (expected, actual) else {
        let why = "a value is binary and no UTF-8 text; the CSV plugin matches text";
        return Err(why.to_owned());
    };
    match field::match_field(path, rule, &expected, &actual) {
        Ok(Ok(())) => {
            tracing::debug!(path, rule = rule.kind, "the value keeps its rule");
            Ok(None)
        }
        Ok(Err(violation)) => {
            report::violation(path, &violation);
            Ok(Some(Broken {
                expected,
                actual,
                message: violation.message,
            }))
        }
        Err(error) => Err(report::refusal("match the value", &error)),
    }
}

/// Generates a single value.
pub(crate) fn generate_field(
    path: &str,
    generator: Option<&Spec>,
    example: Option<String>,
    context: &Context,
    random: &mut Random<'_>,
) -> Result<String, String> {
    let Some(generator) = generator else {
        return Err("the request has no generator".to_owned());
    };
    let Some(example) = example else {
        let why = "the example is binary and no UTF-8 text; the CSV plugin generates text";
        return Err(why.to_owned());
    };
    let value = field::generate_field(path, generator, &example, context, random)
        .map_err(|error| report::refusal("generate the value", &error))?;
    tracing::debug!(path, generator = generator.kind, value, "generated a value");
    Ok(value)
}

/// A JSON value as the text that it would be in a CSV body.
pub(crate) fn text_of(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The values of the provider's state, which a driver puts into the test context.
pub(crate) fn provider_state(mut test_context: Map<String, Value>) -> Map<String, Value> {
    match test_context.remove("providerState") {
        Some(Value::Object(state)) => state,
        _ => Map::new(),
    }
}
