//! The plugin's calls: each takes its message apart, asks the engine and says what came out of it.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use plugobs_proto::pact::v2;
use plugobs_proto::pact::v2::catalogue_entry::EntryType;
use plugobs_proto::pact::v2::pact_plugin_server::PactPlugin;
use tonic::{Request, Response, Status};

use super::{convert, report};
use crate::compare::{Comparison, compare};
use crate::configure::configure;
use crate::content::{CSV_CONTENT_TYPES, is_csv};
use crate::datetime::Moment;
use crate::field::{generate_field, match_field};
use crate::generate::{Generation, generate};
use crate::generator::Context;
use crate::mismatch::Verdict;
use crate::random::Random;

/// The key of the plugin's catalogue entries.
pub const CATALOGUE_KEY: &str = "csv";

/// The Pact plugin service for CSV; it keeps nothing between calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct CsvService;

#[tonic::async_trait]
impl PactPlugin for CsvService {
    async fn init_plugin(
        &self,
        request: Request<v2::InitPluginRequest>,
    ) -> Result<Response<v2::InitPluginResponse>, Status> {
        let request = request.into_inner();
        tracing::debug!(
            host.implementation = request.implementation,
            host.version = request.version,
            host.capabilities = request.host_capabilities.len(),
            "a driver sets the CSV plugin up"
        );
        let success = v2::InitPluginSuccess {
            catalogue: catalogue(),
            plugin_capabilities: plugobs_plugin::capabilities(),
        };
        Ok(Response::new(v2::InitPluginResponse {
            response: Some(v2::init_plugin_response::Response::Success(success)),
        }))
    }

    async fn update_catalogue(
        &self,
        request: Request<v2::Catalogue>,
    ) -> Result<Response<()>, Status> {
        let entries = request.into_inner().catalogue.len();
        tracing::debug!(
            entries,
            "the catalogue of all plugins changed; the CSV plugin uses no other"
        );
        Ok(Response::new(()))
    }

    async fn configure_interaction(
        &self,
        request: Request<v2::ConfigureInteractionRequest>,
    ) -> Result<Response<v2::ConfigureInteractionResponse>, Status> {
        let request = request.into_inner();
        let content_type = request.content_type.as_str();
        tracing::debug!(content_type, "configuring an interaction");
        if !is_csv(content_type) {
            tracing::warn!(
                content_type,
                "asked to configure content that is not called CSV; it is taken as CSV"
            );
        }
        let response = match configure(&convert::object(request.contents_config.as_ref())) {
            Ok(interaction) => v2::ConfigureInteractionResponse {
                interaction: vec![convert::interaction_message(interaction)],
                ..v2::ConfigureInteractionResponse::default()
            },
            Err(error) => v2::ConfigureInteractionResponse {
                error: report::refusal("configure the interaction", &error),
                ..v2::ConfigureInteractionResponse::default()
            },
        };
        Ok(Response::new(response))
    }

    async fn compare_contents(
        &self,
        request: Request<v2::CompareContentsRequest>,
    ) -> Result<Response<v2::CompareContentsResponse>, Status> {
        let request = request.into_inner();
        let (expected, actual) = (
            convert::body(request.expected),
            convert::body(request.actual),
        );
        let verdict = compare(&Comparison {
            expected: expected.as_ref(),
            actual: actual.as_ref(),
            allow_unexpected_keys: request.allow_unexpected_keys,
            rules: &convert::rules(request.rules),
            configuration: &convert::configuration(request.plugin_configuration.as_ref()),
        });
        let mut response = v2::CompareContentsResponse::default();
        match verdict {
            Ok(verdict) => {
                report::verdict(&verdict);
                match verdict {
                    Verdict::ContentType { expected, actual } => {
                        response.type_mismatch = Some(v2::ContentTypeMismatch { expected, actual });
                    }
                    Verdict::Compared { mismatches, .. } => {
                        response.results = convert::results(&mismatches);
                    }
                }
            }
            Err(error) => response.error = report::refusal("compare the contents", &error),
        }
        Ok(Response::new(response))
    }

    async fn generate_content(
        &self,
        request: Request<v2::GenerateContentRequest>,
    ) -> Result<Response<v2::GenerateContentResponse>, Status> {
        let request = request.into_inner();
        let Some(contents) = convert::body(request.contents) else {
            tracing::debug!("there is no body to generate values for");
            return Ok(Response::new(v2::GenerateContentResponse::default()));
        };
        let context = context(request.test_mode, request.test_context.as_ref());
        let generation = Generation {
            contents: &contents,
            generators: &convert::generators(request.generators),
            configuration: &convert::configuration(request.plugin_configuration.as_ref()),
            context: &context,
        };
        // The response has no field for an error.
        let body = with_random(|random| generate(&generation, random))?.map_err(|error| {
            Status::invalid_argument(report::refusal("generate the contents", &error))
        })?;
        Ok(Response::new(v2::GenerateContentResponse {
            contents: Some(convert::body_message(body)),
        }))
    }

    async fn match_field(
        &self,
        request: Request<v2::MatchFieldRequest>,
    ) -> Result<Response<v2::MatchFieldResponse>, Status> {
        let request = request.into_inner();
        let mut response = v2::MatchFieldResponse::default();
        let Some(rule) = request.rule.map(convert::rule) else {
            response.error = "the request has no matching rule".to_owned();
            return Ok(Response::new(response));
        };
        let (expected, actual) = (request.expected.as_ref(), request.actual.as_ref());
        let (Some(expected), Some(actual)) =
            (convert::field_text(expected), convert::field_text(actual))
        else {
            response.error =
                "a value is binary and no UTF-8 text; the CSV plugin matches text".to_owned();
            return Ok(Response::new(response));
        };
        match match_field(&request.path, &rule, &expected, &actual) {
            Ok(Ok(())) => tracing::debug!(
                path = request.path,
                rule = rule.kind,
                "the value keeps its rule"
            ),
            Ok(Err(violation)) => {
                report::violation(&request.path, &violation);
                response.mismatches = vec![v2::ContentMismatch {
                    expected: Some(expected.into_bytes()),
                    actual: Some(actual.into_bytes()),
                    mismatch: violation.message,
                    path: request.path,
                    diff: String::new(),
                    mismatch_type: request.mismatch_type,
                }];
            }
            Err(error) => response.error = report::refusal("match the value", &error),
        }
        Ok(Response::new(response))
    }

    async fn generate_field(
        &self,
        request: Request<v2::GenerateFieldRequest>,
    ) -> Result<Response<v2::GenerateFieldResponse>, Status> {
        let request = request.into_inner();
        let mut response = v2::GenerateFieldResponse::default();
        let Some(generator) = request.generator.map(convert::generator) else {
            response.error = "the request has no generator".to_owned();
            return Ok(Response::new(response));
        };
        let Some(example) = convert::field_text(request.example_value.as_ref()) else {
            response.error =
                "the example is binary and no UTF-8 text; the CSV plugin generates text".to_owned();
            return Ok(Response::new(response));
        };
        let context = context(request.test_mode, request.test_context.as_ref());
        let value = with_random(|random| {
            generate_field(&request.path, &generator, &example, &context, random)
        })?;
        match value {
            Ok(value) => {
                tracing::debug!(
                    path = request.path,
                    generator = generator.kind,
                    value,
                    "generated a value"
                );
                response.value = Some(convert::text_field(value));
            }
            Err(error) => response.error = report::refusal("generate the value", &error),
        }
        Ok(Response::new(response))
    }

    async fn start_mock_server(
        &self,
        _request: Request<v2::StartMockServerRequest>,
    ) -> Result<Response<v2::StartMockServerResponse>, Status> {
        Err(not_a_transport("StartMockServer"))
    }

    async fn shutdown_mock_server(
        &self,
        _request: Request<v2::MockServerRequest>,
    ) -> Result<Response<v2::MockServerResults>, Status> {
        Err(not_a_transport("ShutdownMockServer"))
    }

    async fn get_mock_server_results(
        &self,
        _request: Request<v2::MockServerRequest>,
    ) -> Result<Response<v2::MockServerResults>, Status> {
        Err(not_a_transport("GetMockServerResults"))
    }

    async fn prepare_interaction_for_verification(
        &self,
        _request: Request<v2::VerificationPreparationRequest>,
    ) -> Result<Response<v2::VerificationPreparationResponse>, Status> {
        Err(not_a_transport("PrepareInteractionForVerification"))
    }

    async fn verify_interaction(
        &self,
        _request: Request<v2::VerifyInteractionRequest>,
    ) -> Result<Response<v2::VerifyInteractionResponse>, Status> {
        Err(not_a_transport("VerifyInteraction"))
    }
}

fn catalogue() -> Vec<v2::CatalogueEntry> {
    [EntryType::ContentMatcher, EntryType::ContentGenerator]
        .map(|kind| v2::CatalogueEntry {
            r#type: kind.into(),
            key: CATALOGUE_KEY.to_owned(),
            values: BTreeMap::from([("content-types".to_owned(), CSV_CONTENT_TYPES.to_owned())]),
        })
        .into()
}

fn context(test_mode: i32, test_context: Option<&prost_types::Struct>) -> Context {
    Context {
        now: now(),
        mode: convert::test_mode(test_mode),
        provider_state: convert::provider_state(test_context),
    }
}

/// A clock before 1970 is a broken one; its dates may as well begin there.
fn now() -> Moment {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Moment::from_unix(
        i64::try_from(since.as_secs()).unwrap_or_default(),
        since.subsec_nanos(),
    )
}

/// Lends the system's randomness to the engine; its failure is found before anything is made of it.
fn with_random<T>(work: impl FnOnce(&mut Random<'_>) -> T) -> Result<T, Status> {
    let mut failure = None;
    let mut source = || {
        getrandom::u64().unwrap_or_else(|error| {
            failure = Some(error);
            0
        })
    };
    let made = work(&mut Random::new(&mut source));
    match failure {
        None => Ok(made),
        Some(error) => {
            tracing::error!(%error, "the system gives no randomness");
            Err(Status::internal(format!(
                "the system gives no randomness: {error}"
            )))
        }
    }
}

fn not_a_transport(call: &str) -> Status {
    tracing::warn!(call, "a call that only transport plugins serve was refused");
    Status::unimplemented(format!(
        "the CSV plugin matches and generates contents; it is no transport and does not serve {call}"
    ))
}
