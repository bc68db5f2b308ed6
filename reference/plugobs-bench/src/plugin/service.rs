//! The service of a plugin that logs as much as it is asked to.

use std::future::Future;

use plugobs_proto::pact::v2 as pact;
use plugobs_proto::pact::v2::pact_plugin_server::PactPlugin;
use prost_types::value::Kind;
use tonic::{Request, Response, Status};

use crate::calls::CallCost;
use crate::usage::{Usage, cpu_ns};

/// What a call asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Order {
    /// So many records.
    pub records: u64,
    /// So long between two of them; 0 for none.
    pub pause_ms: u64,
    /// Time log calls instead.
    pub calls: u64,
}

impl Order {
    fn of(request: &pact::ConfigureInteractionRequest) -> Self {
        let fields = request
            .contents_config
            .as_ref()
            .map(|config| &config.fields);
        let number = |name: &str| match fields?.get(name)?.kind {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count"
            )]
            Some(Kind::NumberValue(number)) => Some(number as u64),
            _ => None,
        };
        Self {
            records: number("records").unwrap_or_default(),
            pause_ms: number("pause_ms").unwrap_or_default(),
            calls: number("calls").unwrap_or_default(),
        }
    }
}

/// What makes the records.
pub trait Log: Send + Sync + 'static {
    /// Logs, and returns once all of it is with the host.
    fn log(&self, order: Order) -> impl Future<Output = Result<(), Status>> + Send;

    /// What log calls cost the code that makes them.
    fn time_calls(&self, _: u64) -> impl Future<Output = Result<CallCost, Status>> + Send {
        async { Err(unserved()) }
    }
}

/// The service.
pub struct Service<L>(pub L);

#[tonic::async_trait]
impl<L: Log> PactPlugin for Service<L> {
    async fn init_plugin(
        &self,
        _: Request<pact::InitPluginRequest>,
    ) -> Result<Response<pact::InitPluginResponse>, Status> {
        use pact::init_plugin_response::Response as Kind;

        let success = pact::InitPluginSuccess {
            catalogue: vec![pact::CatalogueEntry {
                r#type: pact::catalogue_entry::EntryType::ContentMatcher.into(),
                key: "bench".to_owned(),
                values: [("content-types".to_owned(), "application/bench".to_owned())].into(),
            }],
            ..pact::InitPluginSuccess::default()
        };
        Ok(Response::new(pact::InitPluginResponse {
            response: Some(Kind::Success(success)),
        }))
    }

    async fn update_catalogue(&self, _: Request<pact::Catalogue>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    /// Logs, and answers with what that cost.
    async fn configure_interaction(
        &self,
        request: Request<pact::ConfigureInteractionRequest>,
    ) -> Result<Response<pact::ConfigureInteractionResponse>, Status> {
        let order = Order::of(request.get_ref());
        let internal = |error: &dyn std::fmt::Display| Status::internal(error.to_string());
        let answer = if order.calls > 0 {
            serde_json::to_vec(&self.0.time_calls(order.calls).await?)
        } else {
            let before = cpu_ns();
            self.0.log(order).await?;
            serde_json::to_vec(&Usage::since(before).map_err(|error| internal(&error))?)
        };
        let answer = answer.map_err(|error| internal(&error))?;
        Ok(Response::new(pact::ConfigureInteractionResponse {
            interaction: vec![pact::InteractionResponse {
                contents: Some(pact::Body {
                    content_type: "application/json".to_owned(),
                    content: Some(answer),
                    ..pact::Body::default()
                }),
                ..pact::InteractionResponse::default()
            }],
            ..pact::ConfigureInteractionResponse::default()
        }))
    }

    /// Does nothing but answer, after one record.
    async fn compare_contents(
        &self,
        _: Request<pact::CompareContentsRequest>,
    ) -> Result<Response<pact::CompareContentsResponse>, Status> {
        crate::record::log(0);
        Ok(Response::new(pact::CompareContentsResponse::default()))
    }

    async fn generate_content(
        &self,
        _: Request<pact::GenerateContentRequest>,
    ) -> Result<Response<pact::GenerateContentResponse>, Status> {
        Err(unserved())
    }

    async fn match_field(
        &self,
        _: Request<pact::MatchFieldRequest>,
    ) -> Result<Response<pact::MatchFieldResponse>, Status> {
        Err(unserved())
    }

    async fn generate_field(
        &self,
        _: Request<pact::GenerateFieldRequest>,
    ) -> Result<Response<pact::GenerateFieldResponse>, Status> {
        Err(unserved())
    }

    async fn start_mock_server(
        &self,
        _: Request<pact::StartMockServerRequest>,
    ) -> Result<Response<pact::StartMockServerResponse>, Status> {
        Err(unserved())
    }

    async fn shutdown_mock_server(
        &self,
        _: Request<pact::MockServerRequest>,
    ) -> Result<Response<pact::MockServerResults>, Status> {
        Err(unserved())
    }

    async fn get_mock_server_results(
        &self,
        _: Request<pact::MockServerRequest>,
    ) -> Result<Response<pact::MockServerResults>, Status> {
        Err(unserved())
    }

    async fn prepare_interaction_for_verification(
        &self,
        _: Request<pact::VerificationPreparationRequest>,
    ) -> Result<Response<pact::VerificationPreparationResponse>, Status> {
        Err(unserved())
    }

    async fn verify_interaction(
        &self,
        _: Request<pact::VerifyInteractionRequest>,
    ) -> Result<Response<pact::VerifyInteractionResponse>, Status> {
        Err(unserved())
    }
}

fn unserved() -> Status {
    Status::unimplemented("this plugin is there to be measured")
}
