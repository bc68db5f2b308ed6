//! The plugin's calls: each takes its message apart, asks the engine and says what came out of it.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use plugobs_proto::pact::v2;
use plugobs_proto::pact::v2::catalogue_entry::EntryType;
use plugobs_proto::pact::v2::pact_plugin_server::PactPlugin;
use tonic::{Request, Response, Status};

use super::convert;
use crate::calls::{self, CATALOGUE_KEY, CONTENT_TYPES};
use crate::compare::Comparison;
use crate::datetime::Moment;
use crate::generator::Context;
use crate::mismatch::Verdict;
use crate::random::Random;

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
        let capabilities = request.host_capabilities.len();
        calls::init(&request.implementation, &request.version, capabilities);
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
        calls::catalogue_changed(request.into_inner().catalogue.len());
        Ok(Response::new(()))
    }

    async fn configure_interaction(
        &self,
        request: Request<v2::ConfigureInteractionRequest>,
    ) -> Result<Response<v2::ConfigureInteractionResponse>, Status> {
        let request = request.into_inner();
        let config = convert::object(request.contents_config.as_ref());
        let response = match calls::configure(&request.content_type, &config) {
            Ok(interaction) => v2::ConfigureInteractionResponse {
                interaction: vec![convert::interaction_message(interaction)],
                ..v2::ConfigureInteractionResponse::default()
            },
            Err(error) => v2::ConfigureInteractionResponse {
                error,
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
        let verdict = calls::compare(&Comparison {
            expected: expected.as_ref(),
            actual: actual.as_ref(),
            allow_unexpected_keys: request.allow_unexpected_keys,
            rules: &convert::rules(request.rules),
            configuration: &convert::configuration(request.plugin_configuration.as_ref()),
        });
        let mut response = v2::CompareContentsResponse::default();
        match verdict {
            Ok(Verdict::ContentType { expected, actual }) => {
                response.type_mismatch = Some(v2::ContentTypeMismatch { expected, actual });
            }
            Ok(Verdict::Compared { mismatches, .. }) => {
                response.results = convert::results(&mismatches);
            }
            Err(error) => response.error = error,
        }
        Ok(Response::new(response))
    }

    async fn generate_content(
        &self,
        request: Request<v2::GenerateContentRequest>,
    ) -> Result<Response<v2::GenerateContentResponse>, Status> {
        let request = request.into_inner();
        let context = context(request.test_mode, request.test_context.as_ref());
        let body = with_random(|random| {
            calls::generate(
                convert::body(request.contents).as_ref(),
                &convert::generators(request.generators),
                &convert::configuration(request.plugin_configuration.as_ref()),
                &context,
                random,
            )
        })?;
        // The response has no field for an error.
        let body = body.map_err(Status::invalid_argument)?;
        Ok(Response::new(v2::GenerateContentResponse {
            contents: body.map(convert::body_message),
        }))
    }

    async fn match_field(
        &self,
        request: Request<v2::MatchFieldRequest>,
    ) -> Result<Response<v2::MatchFieldResponse>, Status> {
        let request = request.into_inner();
        let mut response = v2::MatchFieldResponse::default();
        let matched = calls::match_field(
            &request.path,
            request.rule.map(convert::rule).as_ref(),
            convert::field_text(request.expected.as_ref()),
            convert::field_text(request.actual.as_ref()),
        );
        match matched {
            Ok(broken) => {
                let mismatch = broken.map(|broken| v2::ContentMismatch {
                    expected: Some(broken.expected.into_bytes()),
                    actual: Some(broken.actual.into_bytes()),
                    mismatch: broken.message,
                    path: request.path,
                    diff: String::new(),
                    mismatch_type: request.mismatch_type,
                });
                response.mismatches = mismatch.into_iter().collect();
            }
            Err(error) => response.error = error,
        }
        Ok(Response::new(response))
    }

    async fn generate_field(
        &self,
        request: Request<v2::GenerateFieldRequest>,
    ) -> Result<Response<v2::GenerateFieldResponse>, Status> {
        let request = request.into_inner();
        let mut response = v2::GenerateFieldResponse::default();
        let context = context(request.test_mode, request.test_context.as_ref());
        let value = with_random(|random| {
            calls::generate_field(
                &request.path,
                request.generator.map(convert::generator).as_ref(),
                convert::field_text(request.example_value.as_ref()),
                &context,
                random,
            )
        })?;
        match value {
            Ok(value) => response.value = Some(convert::text_field(value)),
            Err(error) => response.error = error,
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
            values: BTreeMap::from([(CONTENT_TYPES.0.to_owned(), CONTENT_TYPES.1.to_owned())]),
        })
        .into()
}

fn context(test_mode: i32, test_context: Option<&prost_types::Struct>) -> Context {
    Context {
        now: now(),
        mode: convert::test_mode(test_mode),
        provider_state: calls::provider_state(convert::object(test_context)),
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
