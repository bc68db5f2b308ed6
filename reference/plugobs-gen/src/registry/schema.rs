//! The closed lists as enumerations for the JSON Schemas: `schemas/registries.schema.json`.

use serde_json::{Value, json};

use super::{Code, CodeKind, Entry, Registries, Side};
use crate::artefact::Artefact;
use crate::error::{GenError, Result};

const PATH: &str = "schemas/registries.schema.json";

/// Writes the schema. Lists have the names and the order of their registry.
///
/// # Errors
/// None is known; the schema is plain JSON.
pub fn generate(registries: &Registries) -> Result<Artefact> {
    let events = |side: Side| {
        let events = registries.events.entries.iter();
        events
            .filter(move |event| event.set_by == side)
            .map(Entry::name)
    };
    let codes = |kind: CodeKind| {
        let codes = registries.errors.entries.iter();
        codes.filter(move |code| code.kind == kind)
    };
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://plugin-observability.example/schemas/0.1/registries.schema.json",
        "title": "Closed lists",
        "description": "The closed lists of spec/registries as enumerations, for the other schemas to refer to. Each list has the names and the order of its registry; change the registry first.",
        "$defs": {
            "pluginLifecycleEvent": list(
                "Event names that a plugin sets on the lifecycle channel (spec/registries/lifecycle-events.json).",
                events(Side::Plugin),
            ),
            "driverLifecycleEvent": list(
                "Event names that a driver sets on the lifecycle channel (spec/registries/lifecycle-events.json).",
                events(Side::Driver),
            ),
            "source": list(
                "The path on which a record reached the driver (spec/registries/sources.json).",
                registries.sources.entries.iter().map(Entry::name),
            ),
            "failureCode": list(
                "The ways in which a plugin can fail (spec/registries/errors.json, kind failure).",
                codes(CodeKind::Failure).map(Entry::name),
            ),
            "failureStage": list(
                "Where in an instance's life a failure arose (spec/registries/errors.json, kind failure).",
                stages(codes(CodeKind::Failure)),
            ),
            "rejectionCode": list(
                "Why a decoder or validator refuses something (spec/registries/errors.json, kind rejection).",
                codes(CodeKind::Rejection).map(Entry::name),
            ),
        }
    });
    let text = serde_json::to_string_pretty(&schema).map_err(|source| GenError::Json {
        path: PATH.into(),
        source,
    })?;
    Ok(Artefact::text(PATH, text + "\n"))
}

fn list<'a>(description: &str, names: impl IntoIterator<Item = &'a str>) -> Value {
    let names: Vec<&str> = names.into_iter().collect();
    json!({ "description": description, "enum": names })
}

/// Each stage once, in the order in which it is first used.
fn stages<'a>(codes: impl Iterator<Item = &'a Code>) -> Vec<&'a str> {
    let mut stages: Vec<&str> = Vec::new();
    for code in codes {
        if !stages.contains(&code.stage.as_str()) {
            stages.push(&code.stage);
        }
    }
    stages
}
