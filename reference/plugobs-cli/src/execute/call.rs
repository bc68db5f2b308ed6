//! From a call of the plan to a request, and from an answer to what came of it.

use plugobs_driver::interface::{
    Body, CompareContents, ConfiguredInteraction, GenerateContents, PluginConfiguration, Request,
    Response,
};
use plugobs_driver::{PluginFailure, interface};
use serde_json::{Map, Value};

use super::result::{Came, Found};
use crate::plan::{Compare, Generate, Operation};

/// The deployed number of the mode in which contents are generated: a plan is a
/// consumer's.
const CONSUMER: i32 = 1;

/// What a configure call was answered, for calls that use it.
#[derive(Debug, Clone, Default)]
pub(super) struct Configured {
    interaction: ConfiguredInteraction,
    plugin_configuration: PluginConfiguration,
}

impl Configured {
    /// Of an answer: its first interaction. `None` where there is none.
    pub(super) fn of(response: &Response) -> Option<Self> {
        let Response::Configured {
            error,
            interactions,
            plugin_configuration,
        } = response
        else {
            return None;
        };
        let interaction = interactions.first().filter(|_| error.is_empty())?.clone();
        // A driver keeps the interaction's own part, and the pact's part of the
        // whole answer.
        let of_interaction = interaction.plugin_configuration.clone().unwrap_or_default();
        let of_pact = plugin_configuration.clone().unwrap_or_default();
        Some(Self {
            plugin_configuration: PluginConfiguration {
                interaction: of_interaction.interaction,
                pact: of_pact.pact,
            },
            interaction,
        })
    }
}

/// The request; `None` where it needs the answer to a configure call and there
/// is none.
pub(super) fn request(operation: &Operation, configured: Option<&Configured>) -> Option<Request> {
    Some(match operation {
        Operation::Configure {
            content_type,
            config,
        } => Request::ConfigureInteraction {
            content_type: content_type.clone(),
            contents_config: config.clone(),
        },
        Operation::Compare(planned) => compare(planned, configured)?,
        Operation::Generate(planned) => generate(planned, configured)?,
        Operation::MatchField(planned) => Request::MatchField(Box::new(interface::MatchField {
            key: planned.key.clone(),
            rule: planned.rule.clone(),
            path: planned.path.clone(),
            mismatch_type: "body".to_owned(),
            expected: planned.expected.clone(),
            actual: planned.actual.clone(),
            plugin_configuration: configuration(planned.config.as_ref(), None),
        })),
        Operation::GenerateField(planned) => {
            Request::GenerateField(Box::new(interface::GenerateField {
                key: planned.key.clone(),
                generator: planned.generator.clone(),
                path: planned.path.clone(),
                example: planned.example.clone(),
                plugin_configuration: configuration(planned.config.as_ref(), None),
                test_mode: CONSUMER,
            }))
        }
    })
}

fn compare(planned: &Compare, configured: Option<&Configured>) -> Option<Request> {
    let configured = used(planned.use_configured, configured)?;
    let interaction = configured.map(|configured| &configured.interaction);
    let expected = planned.expected.clone();
    Some(Request::CompareContents(Box::new(CompareContents {
        expected: expected
            .or_else(|| interaction?.contents.clone())
            .unwrap_or_else(|| Body {
                content_type: planned.actual.content_type.clone(),
                ..Body::default()
            }),
        actual: planned.actual.clone(),
        allow_unexpected_keys: planned.allow_unexpected_keys,
        rules: planned
            .rules
            .clone()
            .or_else(|| Some(interaction?.rules.clone()))
            .unwrap_or_default(),
        plugin_configuration: configuration(planned.config.as_ref(), configured),
    })))
}

fn generate(planned: &Generate, configured: Option<&Configured>) -> Option<Request> {
    let configured = used(planned.use_configured, configured)?;
    let interaction = configured.map(|configured| &configured.interaction);
    let contents = planned.contents.clone();
    Some(Request::GenerateContents(Box::new(GenerateContents {
        contents: contents
            .or_else(|| interaction?.contents.clone())
            .unwrap_or_default(),
        generators: planned
            .generators
            .clone()
            .or_else(|| Some(interaction?.generators.clone()))
            .unwrap_or_default(),
        plugin_configuration: configuration(planned.config.as_ref(), configured),
        test_mode: CONSUMER,
        content_for: 0,
    })))
}

/// What a call uses of the last configure call: nothing, or its answer. The
/// outer `None`: it is to use one, and there is none.
fn used(wanted: bool, configured: Option<&Configured>) -> Option<Option<&Configured>> {
    match (wanted, configured) {
        (false, _) => Some(None),
        (true, None) => None,
        (true, answer) => Some(answer),
    }
}

fn configuration(
    given: Option<&Map<String, Value>>,
    configured: Option<&Configured>,
) -> Option<PluginConfiguration> {
    let answered = configured.map(|configured| configured.plugin_configuration.clone());
    match given {
        None => answered,
        Some(given) => Some(PluginConfiguration {
            interaction: given.clone(),
            ..answered.unwrap_or_default()
        }),
    }
}

/// What came of a call.
pub(super) fn judge(result: Result<Response, PluginFailure>) -> Came {
    let response = match result {
        Ok(response) => response,
        Err(failure) => return Came::Failure(failure),
    };
    match response.outcome() {
        "error" => Came::Error(
            response
                .error_text()
                .unwrap_or("the plugin says that it failed, and not why")
                .to_owned(),
        ),
        "mismatch" => Came::Mismatch(mismatches(response)),
        _ => Came::Ok,
    }
}

fn mismatches(response: Response) -> Vec<Found> {
    let found = |(path, mismatch)| Found { path, mismatch };
    match response {
        Response::Compared(comparison) => {
            let types = comparison.type_mismatch.map(|(expected, actual)| Found {
                path: String::new(),
                mismatch: interface::Mismatch {
                    mismatch: format!("expected content of type {expected}, and it is {actual}"),
                    ..interface::Mismatch::default()
                },
            });
            let results = comparison.results.into_iter();
            types
                .into_iter()
                .chain(results.flat_map(|(path, list)| {
                    list.into_iter()
                        .map(move |mismatch| found((path.clone(), mismatch)))
                }))
                .collect()
        }
        Response::FieldMatched { mismatches, .. } => mismatches
            .into_iter()
            .map(|mismatch| found((mismatch.path.clone(), mismatch)))
            .collect(),
        _ => Vec::new(),
    }
}
