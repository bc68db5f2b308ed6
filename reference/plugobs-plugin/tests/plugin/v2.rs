//! Interface 2: scripts, and one record for each other call.

use plugobs_proto::pact::v2 as pact;
use plugobs_proto::pact::v2::pact_plugin_server::PactPlugin;
use tonic::{Request, Response, Status};

use crate::script;
use crate::steps::log;

pub(crate) struct Plugin {
    /// How `InitPlugin` fails, if it is to.
    pub(crate) init: Option<String>,
}

#[tonic::async_trait]
impl PactPlugin for Plugin {
    async fn init_plugin(
        &self,
        _: Request<pact::InitPluginRequest>,
    ) -> Result<Response<pact::InitPluginResponse>, Status> {
        use pact::init_plugin_response::Response as Answer;
        let answer = match self.init.as_deref() {
            Some("error") => return Err(Status::internal("as it was told")),
            Some(_) => Answer::Failure(pact::InitPluginFailure::default()),
            None => Answer::Success(pact::InitPluginSuccess {
                catalogue: vec![pact::CatalogueEntry::default(); 2],
                plugin_capabilities: plugobs_plugin::capabilities(),
            }),
        };
        Ok(Response::new(pact::InitPluginResponse {
            response: Some(answer),
        }))
    }

    async fn update_catalogue(&self, _: Request<pact::Catalogue>) -> Result<Response<()>, Status> {
        log("INFO", "served UpdateCatalogue");
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
                    content_type: "application/json".to_owned(),
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

    async fn match_field(
        &self,
        _: Request<pact::MatchFieldRequest>,
    ) -> Result<Response<pact::MatchFieldResponse>, Status> {
        log("INFO", "served MatchField");
        Ok(Response::new(pact::MatchFieldResponse::default()))
    }

    async fn generate_field(
        &self,
        _: Request<pact::GenerateFieldRequest>,
    ) -> Result<Response<pact::GenerateFieldResponse>, Status> {
        log("INFO", "served GenerateField");
        Ok(Response::new(pact::GenerateFieldResponse::default()))
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
        _: Request<pact::MockServerRequest>,
    ) -> Result<Response<pact::MockServerResults>, Status> {
        log("INFO", "served ShutdownMockServer");
        Ok(Response::new(pact::MockServerResults::default()))
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
