//! Interface 1: scripts, and one record for each other call that a test makes.

use plugobs_proto::pact::v1 as pact;
use plugobs_proto::pact::v1::pact_plugin_server::PactPlugin;
use tonic::{Request, Response, Status};

use crate::script;
use crate::steps::log;

pub(crate) struct Plugin;

#[tonic::async_trait]
impl PactPlugin for Plugin {
    async fn init_plugin(
        &self,
        _: Request<pact::InitPluginRequest>,
    ) -> Result<Response<pact::InitPluginResponse>, Status> {
        Ok(Response::new(pact::InitPluginResponse {
            catalogue: vec![pact::CatalogueEntry {
                key: "test".to_owned(),
                ..pact::CatalogueEntry::default()
            }],
        }))
    }

    async fn update_catalogue(&self, _: Request<pact::Catalogue>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    async fn configure_interaction(
        &self,
        request: Request<pact::ConfigureInteractionRequest>,
    ) -> Result<Response<pact::ConfigureInteractionResponse>, Status> {
        let answer = script::run(request.get_ref().contents_config.as_ref()).await?;
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
        _: Request<pact::CompareContentsRequest>,
    ) -> Result<Response<pact::CompareContentsResponse>, Status> {
        log("INFO", "served CompareContents");
        Ok(Response::new(pact::CompareContentsResponse::default()))
    }

    async fn generate_content(
        &self,
        _: Request<pact::GenerateContentRequest>,
    ) -> Result<Response<pact::GenerateContentResponse>, Status> {
        log("INFO", "served GenerateContent");
        Ok(Response::new(pact::GenerateContentResponse::default()))
    }

    async fn start_mock_server(
        &self,
        _: Request<pact::StartMockServerRequest>,
    ) -> Result<Response<pact::StartMockServerResponse>, Status> {
        log("INFO", "served StartMockServer");
        Ok(Response::new(pact::StartMockServerResponse::default()))
    }

    async fn shutdown_mock_server(
        &self,
        _: Request<pact::ShutdownMockServerRequest>,
    ) -> Result<Response<pact::ShutdownMockServerResponse>, Status> {
        log("INFO", "served ShutdownMockServer");
        Ok(Response::new(pact::ShutdownMockServerResponse::default()))
    }

    async fn get_mock_server_results(
        &self,
        _: Request<pact::MockServerRequest>,
    ) -> Result<Response<pact::MockServerResults>, Status> {
        log("INFO", "served GetMockServerResults");
        Ok(Response::new(pact::MockServerResults::default()))
    }

    async fn prepare_interaction_for_verification(
        &self,
        _: Request<pact::VerificationPreparationRequest>,
    ) -> Result<Response<pact::VerificationPreparationResponse>, Status> {
        log("INFO", "served PrepareInteractionForVerification");
        let answer = pact::VerificationPreparationResponse::default();
        Ok(Response::new(answer))
    }

    async fn verify_interaction(
        &self,
        _: Request<pact::VerifyInteractionRequest>,
    ) -> Result<Response<pact::VerifyInteractionResponse>, Status> {
        log("INFO", "served VerifyInteraction");
        Ok(Response::new(pact::VerifyInteractionResponse::default()))
    }
}
