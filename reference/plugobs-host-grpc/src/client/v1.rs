//! Calls to a plugin of interface 1.

use plugobs_driver::interface::{Request, Response};
use plugobs_driver::transport::{CallError, OutgoingCall, Reply};
use plugobs_proto::pact::v1 as pact;

use super::Answer;
use super::wire::Wire;
use crate::convert::v1 as convert;

macro_rules! path {
    ($operation:literal) => {
        concat!("/io.pact.plugin.PactPlugin/", $operation)
    };
}

pub(super) async fn call(wire: &Wire, call: OutgoingCall) -> Reply {
    let metadata = wire.metadata(&call);
    let context = call.test_context;
    let operation = call.request.operation();
    match call.request {
        Request::Init {
            implementation,
            version,
            ..
        } => wire
            .unary(
                path!("InitPlugin"),
                metadata,
                convert::init(implementation, version),
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
                convert::configure(content_type, contents_config),
            )
            .await
            .into_reply(convert::configured),
        Request::CompareContents(request) => wire
            .unary(
                path!("CompareContents"),
                metadata,
                convert::compare(*request),
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
        Request::StartMockServer(request) => wire
            .unary(
                path!("StartMockServer"),
                metadata,
                convert::start_mock_server(*request, context),
            )
            .await
            .into_reply(convert::mock_server_started),
        Request::ShutdownMockServer { server_key } => wire
            .unary(
                path!("ShutdownMockServer"),
                metadata,
                pact::ShutdownMockServerRequest { server_key },
            )
            .await
            .into_reply(|answer: pact::ShutdownMockServerResponse| {
                convert::mock_server_results(answer.ok, answer.results)
            }),
        Request::GetMockServerResults { server_key } => wire
            .unary(
                path!("GetMockServerResults"),
                metadata,
                pact::MockServerRequest { server_key },
            )
            .await
            .into_reply(|answer: pact::MockServerResults| {
                convert::mock_server_results(answer.ok, answer.results)
            }),
        Request::PrepareInteraction(request) => wire
            .unary(
                path!("PrepareInteractionForVerification"),
                metadata,
                convert::prepare(*request),
            )
            .await
            .into_reply(convert::prepared),
        Request::VerifyInteraction(request) => wire
            .unary(
                path!("VerifyInteraction"),
                metadata,
                convert::verify(*request),
            )
            .await
            .into_reply(convert::verified),
        // Matching and generating one field came with interface 2.
        _ => Reply {
            result: Err(CallError::NotInInterface {
                interface: 1,
                operation,
            }),
            position: None,
        },
    }
}
