//! The one conversion between the driver's requests and answers and the
//! interface `plugin` of `wit/`.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use plugobs_core::InstanceId;
use plugobs_driver::interface as neutral;
use plugobs_driver::interface::{Request, Response};
use plugobs_driver::transport::OutgoingCall;
use serde_json::{Map, Value as Json};
use wasmtime::Store;

use crate::bindings::exports::plugobs::observability::plugin as wit;
use crate::log::{Speaker, now};

/// Operations of the deployed interface that need a socket (OBS-WASM-40).
pub(crate) const NOT_HERE: [&str; 5] = [
    "StartMockServer",
    "ShutdownMockServer",
    "GetMockServerResults",
    "PrepareInteractionForVerification",
    "VerifyInteraction",
];

/// How a call ended that did not trap.
pub(crate) enum Done {
    /// With the component's answer, an error that it tells included.
    Answer(Box<Response>),
    /// With an answer that is none.
    Failed(String),
}

/// The context of a call (OBS-WASM-05).
pub(crate) fn context(call: &OutgoingCall) -> wit::CallContext {
    let identity = &call.identity;
    let text = |id: &Option<plugobs_core::Text>| id.as_ref().map(ToString::to_string);
    wit::CallContext {
        call_id: text(&identity.call_id).unwrap_or_default(),
        test_run_id: text(&identity.test_run_id),
        parent_call_id: text(&identity.parent_call_id),
        call_chain_id: text(&identity.call_chain_id),
        trace_parent: identity
            .trace_context
            .map(|context| context.to_traceparent()),
        test_context: json(call.test_context.clone()),
        time_unix_nano: now().unix_nanos(),
        // The standard library's only source of randomness is good enough here.
        random_seed: RandomState::new().build_hasher().finish(),
    }
}

/// Makes the call. An error is a trap.
pub(crate) fn make(
    plugin: &wit::Guest,
    store: &mut Store<Speaker>,
    context: &wit::CallContext,
    instance_id: &InstanceId,
    request: Request,
) -> wasmtime::Result<Done> {
    let answer = match request {
        Request::Init {
            implementation,
            version,
            host_capabilities,
        } => {
            let request = wit::InitRequest {
                plugin_instance_id: instance_id.to_string(),
                implementation,
                version,
                host_capabilities,
            };
            match plugin.call_init(store, context, &request)? {
                Ok(initialised) => Response::Initialised {
                    catalogue: initialised.catalogue.into_iter().map(entry_from).collect(),
                    plugin_capabilities: initialised.capabilities,
                },
                Err(refusal) => Response::InitRefused {
                    error: refusal.error,
                    missing_host_capabilities: refusal.missing_host_capabilities,
                },
            }
        }
        Request::UpdateCatalogue(entries) => {
            let entries: Vec<_> = entries.into_iter().map(entry_to).collect();
            plugin.call_update_catalogue(store, context, &entries)?;
            Response::Empty
        }
        Request::ConfigureInteraction {
            content_type,
            contents_config,
        } => {
            let definition = json(contents_config);
            match plugin.call_configure_interaction(store, context, &content_type, &definition)? {
                Ok(configured) => match configured_from(configured) {
                    Ok(response) => response,
                    Err(why) => return Ok(Done::Failed(why)),
                },
                Err(error) => Response::Configured {
                    error: said(error),
                    interactions: Vec::new(),
                    plugin_configuration: None,
                },
            }
        }
        Request::CompareContents(request) => {
            let request = compare_to(*request);
            match plugin.call_compare_contents(store, context, &request)? {
                Ok(comparison) => Response::Compared(comparison_from(comparison)),
                Err(error) => Response::Compared(neutral::Comparison {
                    error: said(error),
                    ..neutral::Comparison::default()
                }),
            }
        }
        Request::GenerateContents(request) => {
            let request = generate_to(*request);
            match plugin.call_generate_contents(store, context, &request)? {
                Ok(body) => Response::Generated(body.map(body_from)),
                // The deployed answer has no place for an error either.
                Err(error) => return Ok(Done::Failed(error)),
            }
        }
        Request::MatchField(request) => {
            let request = match_field_to(*request);
            match plugin.call_match_field(store, context, &request)? {
                Ok(mismatches) => Response::FieldMatched {
                    error: String::new(),
                    mismatches: mismatches.into_iter().map(mismatch_from).collect(),
                },
                Err(error) => Response::FieldMatched {
                    error: said(error),
                    mismatches: Vec::new(),
                },
            }
        }
        Request::GenerateField(request) => {
            let request = generate_field_to(*request);
            match plugin.call_generate_field(store, context, &request)? {
                Ok(value) => match value_from(value) {
                    Ok(value) => Response::FieldGenerated {
                        error: String::new(),
                        value: Some(value),
                    },
                    Err(why) => return Ok(Done::Failed(why)),
                },
                Err(error) => Response::FieldGenerated {
                    error: said(error),
                    value: None,
                },
            }
        }
        other => {
            let why = format!("a component has no {}", other.operation());
            return Ok(Done::Failed(why));
        }
    };
    Ok(Done::Answer(Box::new(answer)))
}

/// An error without a text is an error all the same.
fn said(error: String) -> String {
    match error.as_str() {
        "" => "an error without a text".to_owned(),
        _ => error,
    }
}

fn json(object: Map<String, Json>) -> String {
    Json::Object(object).to_string()
}

/// An object's text; none is `{}`.
fn object(text: &str) -> Result<Map<String, Json>, String> {
    if text.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(text).map_err(|error| format!("no JSON object: {error}: {text:.80}"))
}

fn entry_to(entry: neutral::CatalogueEntry) -> wit::CatalogueEntry {
    wit::CatalogueEntry {
        kind: entry.kind,
        key: entry.key,
        values: entry.values.into_iter().collect(),
    }
}

fn entry_from(entry: wit::CatalogueEntry) -> neutral::CatalogueEntry {
    neutral::CatalogueEntry {
        kind: entry.kind,
        key: entry.key,
        values: entry.values.into_iter().collect(),
    }
}

fn body_to(body: neutral::Body) -> wit::Body {
    wit::Body {
        content_type: body.content_type,
        content: body.content.map(Vec::from),
        hint: match body.hint {
            neutral::ContentHint::Default => wit::ContentHint::Default,
            neutral::ContentHint::Text => wit::ContentHint::Text,
            neutral::ContentHint::Binary => wit::ContentHint::Binary,
        },
    }
}

fn body_from(body: wit::Body) -> neutral::Body {
    neutral::Body {
        content_type: body.content_type,
        content: body.content.map(Into::into),
        hint: match body.hint {
            wit::ContentHint::Default => neutral::ContentHint::Default,
            wit::ContentHint::Text => neutral::ContentHint::Text,
            wit::ContentHint::Binary => neutral::ContentHint::Binary,
        },
    }
}

fn rule_to(rule: neutral::Rule) -> wit::Rule {
    wit::Rule {
        kind: rule.kind,
        values: json(rule.values),
    }
}

fn rule_from(rule: wit::Rule) -> Result<neutral::Rule, String> {
    Ok(neutral::Rule {
        values: object(&rule.values)?,
        kind: rule.kind,
    })
}

fn rules_to(rules: BTreeMap<String, Vec<neutral::Rule>>) -> wit::Rules {
    let rules = rules.into_iter();
    rules
        .map(|(path, rules)| (path, rules.into_iter().map(rule_to).collect()))
        .collect()
}

fn rules_from(rules: wit::Rules) -> Result<BTreeMap<String, Vec<neutral::Rule>>, String> {
    let rules = rules.into_iter();
    rules
        .map(|(path, rules)| {
            let rules: Result<_, _> = rules.into_iter().map(rule_from).collect();
            Ok((path, rules?))
        })
        .collect()
}

fn generators_to(rules: BTreeMap<String, neutral::Rule>) -> wit::Generators {
    let rules = rules.into_iter();
    rules.map(|(path, rule)| (path, rule_to(rule))).collect()
}

fn generators_from(rules: wit::Generators) -> Result<BTreeMap<String, neutral::Rule>, String> {
    let rules = rules.into_iter();
    rules
        .map(|(path, rule)| Ok((path, rule_from(rule)?)))
        .collect()
}

fn configuration_to(
    configuration: Option<neutral::PluginConfiguration>,
) -> Option<wit::PluginConfiguration> {
    configuration.map(|configuration| wit::PluginConfiguration {
        interaction: json(configuration.interaction),
        pact: json(configuration.pact),
    })
}

fn configuration_from(
    configuration: Option<wit::PluginConfiguration>,
) -> Result<Option<neutral::PluginConfiguration>, String> {
    let Some(configuration) = configuration else {
        return Ok(None);
    };
    Ok(Some(neutral::PluginConfiguration {
        interaction: object(&configuration.interaction)?,
        pact: object(&configuration.pact)?,
    }))
}

fn configured_from(configured: wit::Configured) -> Result<Response, String> {
    let interactions = configured.interactions.into_iter();
    Ok(Response::Configured {
        error: String::new(),
        interactions: interactions
            .map(interaction_from)
            .collect::<Result<_, _>>()?,
        plugin_configuration: configuration_from(configured.plugin_configuration)?,
    })
}

fn interaction_from(
    made: wit::ConfiguredInteraction,
) -> Result<neutral::ConfiguredInteraction, String> {
    Ok(neutral::ConfiguredInteraction {
        contents: made.contents.map(body_from),
        rules: rules_from(made.rules)?,
        generators: generators_from(made.generators)?,
        message_metadata: object(&made.message_metadata)?,
        plugin_configuration: configuration_from(made.plugin_configuration)?,
        markup: made.markup,
        markup_is_html: made.markup_is_html,
        part_name: made.part_name,
        metadata_rules: rules_from(made.metadata_rules)?,
        metadata_generators: generators_from(made.metadata_generators)?,
    })
}

fn compare_to(request: neutral::CompareContents) -> wit::CompareRequest {
    wit::CompareRequest {
        expected: body_to(request.expected),
        actual: body_to(request.actual),
        allow_unexpected_keys: request.allow_unexpected_keys,
        rules: rules_to(request.rules),
        plugin_configuration: configuration_to(request.plugin_configuration),
    }
}

fn comparison_from(comparison: wit::Comparison) -> neutral::Comparison {
    let results = comparison.results.into_iter();
    neutral::Comparison {
        error: String::new(),
        type_mismatch: comparison.type_mismatch,
        results: results
            .map(|(path, found)| (path, found.into_iter().map(mismatch_from).collect()))
            .collect(),
    }
}

fn mismatch_from(mismatch: wit::Mismatch) -> neutral::Mismatch {
    neutral::Mismatch {
        expected: mismatch.expected.map(Into::into),
        actual: mismatch.actual.map(Into::into),
        mismatch: mismatch.mismatch,
        path: mismatch.path,
        diff: mismatch.diff,
        mismatch_type: mismatch.mismatch_type,
    }
}

fn mode(deployed: i32) -> wit::TestMode {
    match deployed {
        1 => wit::TestMode::Consumer,
        2 => wit::TestMode::Provider,
        _ => wit::TestMode::Unknown,
    }
}

fn generate_to(request: neutral::GenerateContents) -> wit::GenerateRequest {
    wit::GenerateRequest {
        contents: body_to(request.contents),
        generators: generators_to(request.generators),
        plugin_configuration: configuration_to(request.plugin_configuration),
        mode: mode(request.test_mode),
        content_for: match request.content_for {
            1 => wit::ContentFor::Response,
            _ => wit::ContentFor::Request,
        },
    }
}

fn value_to(value: neutral::FieldValue) -> wit::FieldValue {
    match value {
        neutral::FieldValue::Json(json) => wit::FieldValue::Json(json.to_string()),
        neutral::FieldValue::Binary(bytes) => wit::FieldValue::Binary(bytes.into()),
    }
}

fn value_from(value: wit::FieldValue) -> Result<neutral::FieldValue, String> {
    match value {
        wit::FieldValue::Json(text) => serde_json::from_str(&text)
            .map(neutral::FieldValue::Json)
            .map_err(|error| format!("no JSON value: {error}: {text:.80}")),
        wit::FieldValue::Binary(bytes) => Ok(neutral::FieldValue::Binary(bytes.into())),
    }
}

fn match_field_to(request: neutral::MatchField) -> wit::MatchFieldRequest {
    wit::MatchFieldRequest {
        key: request.key,
        rule: rule_to(request.rule),
        path: request.path,
        mismatch_type: request.mismatch_type,
        expected: value_to(request.expected),
        actual: value_to(request.actual),
        plugin_configuration: configuration_to(request.plugin_configuration),
    }
}

fn generate_field_to(request: neutral::GenerateField) -> wit::GenerateFieldRequest {
    wit::GenerateFieldRequest {
        key: request.key,
        generator: rule_to(request.generator),
        path: request.path,
        example: value_to(request.example),
        plugin_configuration: configuration_to(request.plugin_configuration),
        mode: mode(request.test_mode),
    }
}
