//! The deployed interface, version 1: `io.pact.plugin`. Only what a driver
//! calls: a plugin of this version calls nobody.

use plugobs_proto::pact::v1 as pact;

common_messages!();

pub(crate) fn init(implementation: String, version: String) -> pact::InitPluginRequest {
    pact::InitPluginRequest {
        implementation,
        version,
    }
}

/// This version has no refusal but an error status, and no capabilities.
pub(crate) fn initialised(response: pact::InitPluginResponse) -> neutral::Response {
    neutral::Response::Initialised {
        catalogue: catalogue_from_proto(response.catalogue),
        plugin_capabilities: Vec::new(),
    }
}

pub(crate) fn configure(
    content_type: String,
    contents_config: Map<String, Json>,
) -> pact::ConfigureInteractionRequest {
    pact::ConfigureInteractionRequest {
        content_type,
        contents_config: struct_of(contents_config),
    }
}

pub(crate) fn compare(request: neutral::CompareContents) -> pact::CompareContentsRequest {
    pact::CompareContentsRequest {
        expected: Some(body_to_proto(request.expected)),
        actual: Some(body_to_proto(request.actual)),
        allow_unexpected_keys: request.allow_unexpected_keys,
        rules: rules_to_proto(request.rules),
        plugin_configuration: request.plugin_configuration.map(configuration_to_proto),
    }
}

pub(crate) fn generate(
    request: neutral::GenerateContents,
    test_context: Map<String, Json>,
) -> pact::GenerateContentRequest {
    pact::GenerateContentRequest {
        contents: Some(body_to_proto(request.contents)),
        generators: generators_to_proto(request.generators),
        plugin_configuration: request.plugin_configuration.map(configuration_to_proto),
        test_context: json::to_struct_unless_empty(test_context),
        test_mode: request.test_mode,
        content_for: request.content_for,
    }
}

pub(crate) fn start_mock_server(
    request: neutral::StartMockServer,
    test_context: Map<String, Json>,
) -> pact::StartMockServerRequest {
    pact::StartMockServerRequest {
        host_interface: request.host_interface,
        port: u32::from(request.port),
        tls: request.tls,
        pact: request.pact,
        test_context: json::to_struct_unless_empty(test_context),
    }
}

pub(crate) fn prepare(request: neutral::VerifyInteraction) -> pact::VerificationPreparationRequest {
    pact::VerificationPreparationRequest {
        pact: request.pact,
        interaction_key: request.interaction_key,
        config: struct_of(request.config),
    }
}

pub(crate) fn verify(request: neutral::VerifyInteraction) -> pact::VerifyInteractionRequest {
    pact::VerifyInteractionRequest {
        interaction_data: request.data.map(data_to_proto),
        config: struct_of(request.config),
        pact: request.pact,
        interaction_key: request.interaction_key,
    }
}
