//! Interface 2: every operation tells what it was called with.

use plugobs_proto::pact::v2 as pact;
use plugobs_proto::pact::v2::pact_plugin_server::PactPlugin;
use prost_types::Struct;
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;
use tonic::{Request, Response, Status};

use crate::commands::{Call, metadata_json, run};
use crate::steps::SERVER_KEY;

/// Remembers what it was initialised with.
#[derive(Default)]
pub(crate) struct Plugin {
    init: Mutex<Json>,
}

/// Only what the tests send is understood.
pub(crate) fn to_json(of: Option<&Struct>) -> Json {
    fn value(of: &prost_types::Value) -> Json {
        use prost_types::value::Kind;
        match &of.kind {
            Some(Kind::StringValue(text)) => json!(text),
            Some(Kind::BoolValue(value)) => json!(value),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the tests send small counts"
            )]
            Some(Kind::NumberValue(number)) => json!(*number as u64),
            Some(Kind::ListValue(list)) => list.values.iter().map(value).collect(),
            Some(Kind::StructValue(of)) => to_json(Some(of)),
            _ => Json::Null,
        }
    }
    let fields = of.map(|of| &of.fields).into_iter().flatten();
    fields
        .map(|(key, of)| (key.clone(), value(of)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn check_key<T>(request: &Request<T>) -> Result<(), Status> {
    let key = request.metadata().get("authorization");
    match key.is_some_and(|key| key == SERVER_KEY) {
        true => Ok(()),
        false => Err(Status::unauthenticated(format!("the key is {key:?}"))),
    }
}

#[tonic::async_trait]
impl PactPlugin for Plugin {
    async fn init_plugin(
        &self,
        request: Request<pact::InitPluginRequest>,
    ) -> Result<Response<pact::InitPluginResponse>, Status> {
        check_key(&request)?;
        let metadata = metadata_json(request.metadata());
        let message = request.into_inner();
        *self.init.lock().await = json!({
            "metadata": metadata,
            "implementation": message.implementation,
            "instance": message.plugin_instance_id,
            "capabilities": message.host_capabilities,
        });
        use pact::catalogue_entry::EntryType;
        let entry = |kind: EntryType, key: &str| pact::CatalogueEntry {
            r#type: kind.into(),
            key: key.to_owned(),
            values: [("content-types".to_owned(), "text/test".to_owned())].into(),
        };
        let mut catalogue = vec![entry(EntryType::ContentMatcher, "test")];
        catalogue.push(pact::CatalogueEntry {
            r#type: 99,
            key: "of a later version".to_owned(),
            ..pact::CatalogueEntry::default()
        });
        use pact::init_plugin_response::Response as Answer;
        Ok(Response::new(pact::InitPluginResponse {
            response: Some(Answer::Success(pact::InitPluginSuccess {
                catalogue,
                plugin_capabilities: vec!["something/unknown".to_owned()],
            })),
        }))
    }

    async fn update_catalogue(
        &self,
        request: Request<pact::Catalogue>,
    ) -> Result<Response<()>, Status> {
        check_key(&request)?;
        Ok(Response::new(()))
    }

    async fn configure_interaction(
        &self,
        request: Request<pact::ConfigureInteractionRequest>,
    ) -> Result<Response<pact::ConfigureInteractionResponse>, Status> {
        check_key(&request)?;
        let (metadata, _, message) = request.into_parts();
        let call = Call {
            metadata: &metadata,
            test_context: to_json(message.test_context.as_ref()),
            arguments: to_json(message.contents_config.as_ref()),
        };
        let mut answer = run(&message.content_type, call).await?;
        if message.content_type == "tell" {
            answer["init"] = self.init.lock().await.clone();
        }
        let body = pact::Body {
            content_type: "application/json".to_owned(),
            content: Some(answer.to_string().into_bytes()),
            content_type_hint: pact::body::ContentTypeHint::Text.into(),
        };
        let mut response = Response::new(pact::ConfigureInteractionResponse {
            interaction: vec![pact::InteractionResponse {
                contents: Some(body),
                ..pact::InteractionResponse::default()
            }],
            ..pact::ConfigureInteractionResponse::default()
        });
        let position = "4711:41".parse().expect("it is ASCII");
        response
            .metadata_mut()
            .insert("plugin-log-sequence", position);
        Ok(response)
    }

    async fn compare_contents(
        &self,
        request: Request<pact::CompareContentsRequest>,
    ) -> Result<Response<pact::CompareContentsResponse>, Status> {
        check_key(&request)?;
        Ok(Response::new(pact::CompareContentsResponse {
            error: told(&request, request.get_ref().test_context.as_ref()),
            ..pact::CompareContentsResponse::default()
        }))
    }

    /// Gives the body back.
    async fn generate_content(
        &self,
        request: Request<pact::GenerateContentRequest>,
    ) -> Result<Response<pact::GenerateContentResponse>, Status> {
        check_key(&request)?;
        Ok(Response::new(pact::GenerateContentResponse {
            contents: request.into_inner().contents,
        }))
    }

    async fn match_field(
        &self,
        request: Request<pact::MatchFieldRequest>,
    ) -> Result<Response<pact::MatchFieldResponse>, Status> {
        check_key(&request)?;
        Ok(Response::new(pact::MatchFieldResponse {
            error: told(&request, request.get_ref().test_context.as_ref()),
            mismatches: Vec::new(),
        }))
    }

    /// Gives the example back.
    async fn generate_field(
        &self,
        request: Request<pact::GenerateFieldRequest>,
    ) -> Result<Response<pact::GenerateFieldResponse>, Status> {
        check_key(&request)?;
        Ok(Response::new(pact::GenerateFieldResponse {
            error: String::new(),
            value: request.into_inner().example_value,
        }))
    }

    async fn start_mock_server(
        &self,
        request: Request<pact::StartMockServerRequest>,
    ) -> Result<Response<pact::StartMockServerResponse>, Status> {
        check_key(&request)?;
        let address = told(&request, request.get_ref().test_context.as_ref());
        use pact::start_mock_server_response::Response as Answer;
        Ok(Response::new(pact::StartMockServerResponse {
            response: Some(Answer::Details(pact::MockServerDetails {
                key: "mock server 1".to_owned(),
                port: request.get_ref().port,
                address,
            })),
        }))
    }

    async fn shutdown_mock_server(
        &self,
        request: Request<pact::MockServerRequest>,
    ) -> Result<Response<pact::MockServerResults>, Status> {
        self.get_mock_server_results(request).await
    }

    async fn get_mock_server_results(
        &self,
        request: Request<pact::MockServerRequest>,
    ) -> Result<Response<pact::MockServerResults>, Status> {
        check_key(&request)?;
        Ok(Response::new(pact::MockServerResults {
            ok: true,
            results: vec![pact::MockServerResult {
                path: request.get_ref().server_key.clone(),
                error: told(&request, None),
                mismatches: Vec::new(),
            }],
        }))
    }

    async fn prepare_interaction_for_verification(
        &self,
        request: Request<pact::VerificationPreparationRequest>,
    ) -> Result<Response<pact::VerificationPreparationResponse>, Status> {
        check_key(&request)?;
        let error = told(&request, request.get_ref().test_context.as_ref());
        use pact::verification_preparation_response::Response as Answer;
        Ok(Response::new(pact::VerificationPreparationResponse {
            response: Some(Answer::Error(error)),
        }))
    }

    /// A mismatch, an error, and a line for the user.
    async fn verify_interaction(
        &self,
        request: Request<pact::VerifyInteractionRequest>,
    ) -> Result<Response<pact::VerifyInteractionResponse>, Status> {
        check_key(&request)?;
        let error = told(&request, request.get_ref().test_context.as_ref());
        use pact::verification_result_item::Result as Item;
        use pact::verify_interaction_response::Response as Answer;
        let mismatch = pact::ContentMismatch {
            mismatch: "differs".to_owned(),
            expected: Some(b"one".to_vec()),
            actual: Some(b"two".to_vec()),
            ..pact::ContentMismatch::default()
        };
        let item = |result| pact::VerificationResultItem {
            result: Some(result),
        };
        Ok(Response::new(pact::VerifyInteractionResponse {
            response: Some(Answer::Result(pact::VerificationResult {
                success: false,
                response_data: request.into_inner().interaction_data,
                mismatches: vec![item(Item::Error(error)), item(Item::Mismatch(mismatch))],
                output: vec!["for the user".to_owned()],
            })),
        }))
    }
}

/// What the call came with, as text.
fn told<T>(request: &Request<T>, test_context: Option<&Struct>) -> String {
    json!({
        "metadata": metadata_json(request.metadata()),
        "testContext": test_context.map(|of| to_json(Some(of))),
    })
    .to_string()
}
