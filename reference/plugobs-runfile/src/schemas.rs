//! The JSON Schemas of a run folder, embedded and ready to validate with.

use std::sync::OnceLock;

use jsonschema::{Registry, Validator};
use serde_json::Value;

/// `schemas/record.schema.json`.
pub const RECORD: &str = include_str!("../../../schemas/record.schema.json");
/// `schemas/run-record.schema.json`: a line of a run's records.
pub const RUN_RECORD: &str = include_str!("../../../schemas/run-record.schema.json");
/// `schemas/run-manifest.schema.json`: `run.json`.
pub const RUN_MANIFEST: &str = include_str!("../../../schemas/run-manifest.schema.json");
/// `schemas/failure.schema.json`: a failure report.
pub const FAILURE: &str = include_str!("../../../schemas/failure.schema.json");
/// `schemas/registries.schema.json`: names of the registries.
pub const REGISTRIES: &str = include_str!("../../../schemas/registries.schema.json");

/// The embedded schemas cannot be used. They are tested, so this is a fault
/// of this program and of nothing that it reads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// One is not JSON.
    #[error("an embedded schema is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// One is not a schema, or refers to one that is not embedded.
    #[error("an embedded schema cannot be used: {0}")]
    Schema(#[from] Box<jsonschema::ValidationError<'static>>),
    /// They cannot be registered.
    #[error("the embedded schemas cannot be registered: {0}")]
    Registry(#[from] Box<jsonschema::ReferencingError>),
}

/// Validators of a run folder's files.
#[derive(Debug)]
pub struct Schemas {
    /// Of a line of records.
    pub run_record: Validator,
    /// Of the manifest.
    pub run_manifest: Validator,
    /// Of a failure report.
    pub failure: Validator,
}

impl Schemas {
    /// The validators, built once in a process.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn shared() -> Result<&'static Self, SchemaError> {
        static SHARED: OnceLock<Schemas> = OnceLock::new();
        if let Some(schemas) = SHARED.get() {
            return Ok(schemas);
        }
        let schemas = Self::new()?;
        Ok(SHARED.get_or_init(|| schemas))
    }

    /// Builds the validators. That takes some milliseconds: once is enough.
    ///
    /// # Errors
    /// None, unless the embedded schemas are at fault.
    pub fn new() -> Result<Self, SchemaError> {
        let mut registry = Registry::new();
        for text in [RECORD, RUN_RECORD, RUN_MANIFEST, FAILURE, REGISTRIES] {
            let schema: Value = serde_json::from_str(text)?;
            let id = schema["$id"].as_str().unwrap_or_default().to_owned();
            registry = registry.add(id, schema).map_err(Box::new)?;
        }
        let registry = registry.prepare().map_err(Box::new)?;
        let validator = |text: &str| -> Result<Validator, SchemaError> {
            let schema = serde_json::from_str(text)?;
            Ok(jsonschema::options()
                .with_registry(&registry)
                .offline()
                .build(&schema)
                .map_err(Box::new)?)
        };
        Ok(Self {
            run_record: validator(RUN_RECORD)?,
            run_manifest: validator(RUN_MANIFEST)?,
            failure: validator(FAILURE)?,
        })
    }
}

/// What is wrong by the schema, the first few of it; empty where nothing is.
pub(crate) fn problems(validator: &Validator, value: &Value) -> Vec<String> {
    const FEW: usize = 3;
    if validator.is_valid(value) {
        return Vec::new();
    }
    // The message without the value: that may be long, and anybody's text.
    validator
        .iter_errors(value)
        .take(FEW)
        .map(|error| {
            let at = error.instance_path().as_str();
            let at = if at.is_empty() { "$" } else { at };
            format!("{at}: {}", error.masked())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_each_schema_are_valid() {
        let schemas = Schemas::new().unwrap();
        for (text, validator) in [
            (RUN_RECORD, &schemas.run_record),
            (RUN_MANIFEST, &schemas.run_manifest),
            (FAILURE, &schemas.failure),
        ] {
            let schema: Value = serde_json::from_str(text).unwrap();
            let examples = schema["examples"].as_array().unwrap();
            assert!(!examples.is_empty());
            for example in examples {
                assert_eq!(problems(validator, example), Vec::<String>::new());
            }
        }
    }

    #[test]
    fn a_problem_names_the_place_and_not_the_value() {
        let schemas = Schemas::new().unwrap();
        let record = serde_json::json!({ "severityNumber": 99 });
        let problems = problems(&schemas.run_record, &record);
        assert!(!problems.is_empty());
        assert!(problems.iter().all(|p| !p.contains("99")), "{problems:?}");
    }
}
