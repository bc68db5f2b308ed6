//! Interface 1: the same commands, and the few other operations that the tests
//! call.

use plugobs_proto::pact::v1 as pact;
use plugobs_proto::pact::v1::pact_plugin_server::PactPlugin;
use serde_json::{Value as Json, json};
use tonic::{Request, Response, Status};

use crate::commands::{Call, metadata_json, run};
use crate::v2::to_json;

pub(crate) struct Plugin;

#[tonic::async_trait]
impl PactPlugin for Plugin {
    async fn init_plugin(
        &self,
        _request: Request<pact::InitPluginRequest>,
    ) -> Result<Response<pact::InitPluginResponse>, Status> {
        Ok(Response::new(pact::InitPluginResponse {
            catalogue: vec![pact::CatalogueEntry {
                key: "test-v1".to_owned(),
                ..pact::CatalogueEntry::default()
            }],
        }))
    }

    async fn update_catalogue(
        &self,
        _request: Request<pact::Catalogue>,
    ) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    async fn configure_interaction(
        &self,
        request: Request<pact::ConfigureInteractionRequest>,
    ) -> Result<Response<pact::ConfigureInteractionResponse>, Status> {
        let (metadata, _, message) = request.into_parts();
        let call = Call {
            metadata: &metadata,
            test_context: Json::Null,
            arguments: to_json(message.contents_config.as_ref()),
        };
        let answer = run(&message.content_type, call).await?;
        Ok(Response::new(pact::ConfigureInteractionResponse {
            interaction: vec![pact::InteractionResponse {
                contents: Some(pact::Body {
                    content: Some(answer.to_string().into_bytes()),
                    ..pact::Body::default()
                }),
                ..pact::InteractionResponse::default()
            }],
            ..pact::ConfigureInteractionResponse::default()
        }))
    }

    async fn compare_contents(
        &self,
        request: Request<pact::CompareContentsRequest>,
    ) -> Result<Response<pact::CompareContentsResponse>, Status> {
        let message = request.into_inner();
        let types = pact::ContentTypeMismatch {
            expected: message.expected.unwrap_or_default().content_type,
            actual: message.actual.unwrap_or_default().content_type,
        };
        Ok(Response::new(pact::CompareContentsResponse {
            type_mismatch: Some(types),
            ..pact::CompareContentsResponse::default()
        }))
    }

    async fn generate_content(
        &self,
        request: Request<pact::GenerateContentRequest>,
    ) -> Result<Response<pact::GenerateContentResponse>, Status> {
        Ok(Response::new(pact::GenerateContentResponse {
            contents: request.into_inner().contents,
        }))
    }

    async fn start_mock_server(
        &self,
        request: Request<pact::StartMockServerRequest>,
    ) -> Result<Response<pact::StartMockServerResponse>, Status> {
        let address = json!({
            "metadata": metadata_json(request.metadata()),
            "testContext": to_json(request.get_ref().test_context.as_ref()),
            "pact": request.get_ref().pact,
        });
        use pact::start_mock_server_response::Response as Answer;
        Ok(Response::new(pact::StartMockServerResponse {
            response: Some(Answer::Details(pact::MockServerDetails {
                key: "mock server 1".to_owned(),
                port: 70_000,
                address: address.to_string(),
            })),
        }))
    }

    async fn shutdown_mock_server(
        &self,
        _request: Request<pact::ShutdownMockServerRequest>,
    ) -> Result<Response<pact::ShutdownMockServerResponse>, Status> {
        Ok(Response::new(pact::ShutdownMockServerResponse {
            ok: true,
            results: Vec::new(),
        }))
    }

    async fn get_mock_server_results(
        &self,
        _request: Request<pact::MockServerRequest>,
    ) -> Result<Response<pact::MockServerResults>, Status> {
        Ok(Response::new(pact::MockServerResults::default()))
    }

    async fn prepare_interaction_for_verification(
        &self,
        _request: Request<pact::VerificationPreparationRequest>,
    ) -> Result<Response<pact::VerificationPreparationResponse>, Status> {
        Ok(Response::new(
            pact::VerificationPreparationResponse::default(),
        ))
    }

    async fn verify_interaction(
        &self,
        _request: Request<pact::VerifyInteractionRequest>,
    ) -> Result<Response<pact::VerifyInteractionResponse>, Status> {
        Ok(Response::new(pact::VerifyInteractionResponse::default()))
    }
}
