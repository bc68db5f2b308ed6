//! The plugin as a component: a driver runs it in its own process, and calls it through `wit/`.

use std::collections::BTreeMap;

use plugobs_guest::interface as wit;
use plugobs_guest::{Context as Call, Plugin};
use serde_json::{Map, Value};

use crate::calls::{self, CATALOGUE_KEY, CONTENT_TYPES};
use crate::compare::Comparison;
use crate::configure::Interaction;
use crate::content::Body;
use crate::datetime::Moment;
use crate::generator::{Context, TestMode};
use crate::mismatch::Verdict;
use crate::random::Random;
use crate::spec::Spec;

/// The plugin; it keeps nothing between calls.
#[derive(Debug)]
pub struct CsvPlugin;

impl Plugin for CsvPlugin {
    fn init(request: wit::InitRequest) -> Result<wit::Initialised, wit::Refusal> {
        let capabilities = request.host_capabilities.len();
        calls::init(&request.implementation, &request.version, capabilities);
        let catalogue = ["CONTENT_MATCHER", "CONTENT_GENERATOR"].map(|kind| wit::CatalogueEntry {
            kind: kind.to_owned(),
            key: CATALOGUE_KEY.to_owned(),
            values: vec![(CONTENT_TYPES.0.to_owned(), CONTENT_TYPES.1.to_owned())],
        });
        Ok(wit::Initialised {
            catalogue: catalogue.into(),
            capabilities: plugobs_guest::capabilities(),
        })
    }

    fn update_catalogue(entries: Vec<wit::CatalogueEntry>) {
        calls::catalogue_changed(entries.len());
    }

    fn configure_interaction(
        content_type: String,
        definition: String,
    ) -> Result<wit::Configured, String> {
        let interaction = calls::configure(&content_type, &object(&definition)?)?;
        Ok(wit::Configured {
            interactions: vec![interaction_of(interaction)],
            plugin_configuration: None,
        })
    }

    fn compare_contents(request: wit::CompareRequest) -> Result<wit::Comparison, String> {
        let verdict = calls::compare(&Comparison {
            expected: body(request.expected).as_ref(),
            actual: body(request.actual).as_ref(),
            allow_unexpected_keys: request.allow_unexpected_keys,
            rules: &rules(request.rules)?,
            configuration: &configuration(request.plugin_configuration)?,
        })?;
        Ok(match verdict {
            Verdict::ContentType { expected, actual } => wit::Comparison {
                type_mismatch: Some((expected, actual)),
                results: Vec::new(),
            },
            Verdict::Compared { mismatches, .. } => {
                let by_path = calls::by_path(&mismatches).into_iter();
                let results = by_path.map(|(path, found)| {
                    let found = found.into_iter().map(|mismatch| wit::Mismatch {
                        expected: mismatch.expected.clone().map(String::into_bytes),
                        actual: mismatch.actual.clone().map(String::into_bytes),
                        mismatch: mismatch.message.clone(),
                        path: path.clone(),
                        diff: String::new(),
                        mismatch_type: calls::BODY.to_owned(),
                    });
                    let found = found.collect();
                    (path, found)
                });
                wit::Comparison {
                    type_mismatch: None,
                    results: results.collect(),
                }
            }
        })
    }

    fn generate_contents(request: wit::GenerateRequest) -> Result<Option<wit::Body>, String> {
        let body = calls::generate(
            body(request.contents).as_ref(),
            &generators(request.generators)?,
            &configuration(request.plugin_configuration)?,
            &context(request.mode)?,
            &mut Random::new(&mut random()),
        )?;
        Ok(body.map(body_of))
    }

    fn match_field(request: wit::MatchFieldRequest) -> Result<Vec<wit::Mismatch>, String> {
        let rule = spec(request.rule)?;
        let (expected, actual) = (text(request.expected)?, text(request.actual)?);
        let broken = calls::match_field(&request.path, Some(&rule), expected, actual)?;
        let mismatch = broken.map(|broken| wit::Mismatch {
            expected: Some(broken.expected.into_bytes()),
            actual: Some(broken.actual.into_bytes()),
            mismatch: broken.message,
            path: request.path,
            diff: String::new(),
            mismatch_type: request.mismatch_type,
        });
        Ok(mismatch.into_iter().collect())
    }

    fn generate_field(request: wit::GenerateFieldRequest) -> Result<wit::FieldValue, String> {
        let value = calls::generate_field(
            &request.path,
            Some(&spec(request.generator)?),
            text(request.example)?,
            &context(request.mode)?,
            &mut Random::new(&mut random()),
        )?;
        Ok(wit::FieldValue::Json(Value::String(value).to_string()))
    }
}

/// The members of an object; nothing is none.
fn object(text: &str) -> Result<Map<String, Value>, String> {
    if text.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(text).map_err(|error| format!("the driver sent no JSON object: {error}"))
}

fn json(object: Map<String, Value>) -> String {
    Value::Object(object).to_string()
}

/// A body; one without content says that there is none.
fn body(body: wit::Body) -> Option<Body> {
    Some(Body {
        content: body.content?,
        content_type: body.content_type,
    })
}

fn body_of(body: Body) -> wit::Body {
    wit::Body {
        content_type: body.content_type,
        content: Some(body.content),
        hint: wit::ContentHint::Text,
    }
}

fn spec(rule: wit::Rule) -> Result<Spec, String> {
    Ok(Spec {
        values: object(&rule.values)?,
        kind: rule.kind,
    })
}

fn rule_of(spec: Spec) -> wit::Rule {
    wit::Rule {
        kind: spec.kind,
        values: json(spec.values),
    }
}

fn rules(rules: wit::Rules) -> Result<BTreeMap<String, Vec<Spec>>, String> {
    let rules = rules.into_iter();
    rules
        .map(|(path, rules)| {
            Ok((
                path,
                rules.into_iter().map(spec).collect::<Result<_, String>>()?,
            ))
        })
        .collect()
}

fn generators(generators: wit::Generators) -> Result<BTreeMap<String, Spec>, String> {
    let generators = generators.into_iter();
    generators
        .map(|(path, generator)| Ok((path, spec(generator)?)))
        .collect()
}

/// The configuration stored with the interaction.
fn configuration(stored: Option<wit::PluginConfiguration>) -> Result<Map<String, Value>, String> {
    object(&stored.map(|stored| stored.interaction).unwrap_or_default())
}

fn interaction_of(interaction: Interaction) -> wit::ConfiguredInteraction {
    let rules = interaction.rules.into_iter();
    let generators = interaction.generators.into_iter();
    wit::ConfiguredInteraction {
        contents: Some(body_of(interaction.body)),
        rules: rules
            .map(|(path, specs)| (path, specs.into_iter().map(rule_of).collect()))
            .collect(),
        generators: generators
            .map(|(path, spec)| (path, rule_of(spec)))
            .collect(),
        message_metadata: String::new(),
        metadata_rules: Vec::new(),
        metadata_generators: Vec::new(),
        plugin_configuration: Some(wit::PluginConfiguration {
            interaction: json(interaction.configuration),
            pact: String::new(),
        }),
        markup: interaction.markup,
        markup_is_html: false,
        part_name: String::new(),
    }
}

/// A single value as the text that it would be in a CSV body; nothing for bytes that are no text.
fn text(value: wit::FieldValue) -> Result<Option<String>, String> {
    match value {
        wit::FieldValue::Binary(bytes) => Ok(String::from_utf8(bytes).ok()),
        wit::FieldValue::Json(text) => serde_json::from_str(&text)
            .map(|value| Some(calls::text_of(value)))
            .map_err(|error| format!("the driver sent no JSON value: {error}")),
    }
}

fn context(mode: wit::TestMode) -> Result<Context, String> {
    let call = Call::current();
    let nanos = call.as_ref().map_or(0, Call::time_unix_nano);
    let test_context = call.as_ref().map_or("", Call::test_context);
    let second = i64::try_from(nanos / 1_000_000_000).unwrap_or_default();
    let nanos = u32::try_from(nanos % 1_000_000_000).unwrap_or_default();
    Ok(Context {
        now: Moment::from_unix(second, nanos),
        mode: match mode {
            wit::TestMode::Unknown => TestMode::Unknown,
            wit::TestMode::Consumer => TestMode::Consumer,
            wit::TestMode::Provider => TestMode::Provider,
        },
        provider_state: calls::provider_state(object(test_context)?),
    })
}

/// Numbers out of the call's seed, each unlike the one before (the generator `SplitMix64`).
fn random() -> impl FnMut() -> u64 {
    let mut state = Call::current().map_or(0, |call| call.random_seed());
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
