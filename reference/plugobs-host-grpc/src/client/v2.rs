//! Calls to a plugin of interface 2.

use plugobs_core::InstanceId;
use plugobs_driver::interface::{Request, Response};
use plugobs_driver::transport::{CallError, OutgoingCall, Reply};
use plugobs_proto::pact::v2 as pact;

use super::Answer;
use super::wire::Wire;
use crate::convert::v2 as convert;

macro_rules! path {
    ($operation:literal) => {
        concat!("/io.pact.plugin.v2.PactPlugin/", $operation)
    };
}

pub(super) async fn call(wire: &Wire, call: OutgoingCall, instance: &InstanceId) -> Reply {
    let metadata = wire.metadata(&call);
    let context = call.test_context;
    let operation = call.request.operation();
    match call.request {
        Request::Init {
            implementation,
            version,
            host_capabilities,
        } => wire
            .unary(
                path!("InitPlugin"),
                metadata,
                convert::init(
                    implementation,
                    version,
                    host_capabilities,
                    instance.to_string(),
                ),
            )
            .await
            .into_reply(convert::initialised),
        Request::UpdateCatalogue(entries) => {
            let answer: Answer<()> = wire
                .unary(
                    path!("UpdateCatalogue"),
                    metadata,
                    convert::catalogue_to_proto(entries),
                )
                .await;
            answer.into_reply(|()| Response::Empty)
        }
        Request::ConfigureInteraction {
            content_type,
            contents_config,
        } => wire
            .unary(
                path!("ConfigureInteraction"),
                metadata,
                convert::configure(content_type, contents_config, context),
            )
            .await
            .into_reply(convert::configured),
        Request::CompareContents(request) => wire
            .unary(
                path!("CompareContents"),
                metadata,
                convert::compare(*request, context),
            )
            .await
            .into_reply(convert::compared),
        Request::GenerateContents(request) => wire
            .unary(
                path!("GenerateContent"),
                metadata,
                convert::generate(*request, context),
            )
            .await
            .into_reply(convert::generated),
        Request::MatchField(request) => wire
            .unary(
                path!("MatchField"),
                metadata,
                convert::match_field(*request, context),
            )
            .await
            .into_reply(convert::field_matched),
        Request::GenerateField(request) => wire
            .unary(
                path!("GenerateField"),
                metadata,
                convert::generate_field(*request, context),
            )
            .await
            .into_reply(convert::field_generated),
        Request::StartMockServer(request) => wire
            .unary(
                path!("StartMockServer"),
                metadata,
                convert::start_mock_server(*request, context),
            )
            .await
            .into_reply(convert::mock_server_started),
        Request::ShutdownMockServer { server_key } => {
            mock_server(wire, path!("ShutdownMockServer"), metadata, server_key).await
        }
        Request::GetMockServerResults { server_key } => {
            mock_server(wire, path!("GetMockServerResults"), metadata, server_key).await
        }
        Request::PrepareInteraction(request) => wire
            .unary(
                path!("PrepareInteractionForVerification"),
                metadata,
                convert::prepare(*request, context),
            )
            .await
            .into_reply(convert::prepared),
        Request::VerifyInteraction(request) => wire
            .unary(
                path!("VerifyInteraction"),
                metadata,
                convert::verify(*request, context),
            )
            .await
            .into_reply(convert::verified),
        _ => Reply {
            result: Err(CallError::NotInInterface {
                interface: 2,
                operation,
            }),
            position: None,
        },
    }
}

/// Both questions about a mock server have one form here.
async fn mock_server(
    wire: &Wire,
    path: &'static str,
    metadata: tonic::metadata::MetadataMap,
    server_key: String,
) -> Reply {
    wire.unary(path, metadata, pact::MockServerRequest { server_key })
        .await
        .into_reply(|answer: pact::MockServerResults| {
            convert::mock_server_results(answer.ok, answer.results)
        })
}
