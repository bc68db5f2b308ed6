//! The deployed interface, version 2: `io.pact.plugin.v2`. Both directions: a
//! driver's calls to a plugin, and a plugin's calls back to its host.

use plugobs_proto::pact::v2 as pact;

common_messages!();

pub(crate) fn init(
    implementation: String,
    version: String,
    host_capabilities: Vec<String>,
    plugin_instance_id: String,
) -> pact::InitPluginRequest {
    pact::InitPluginRequest {
        implementation,
        version,
        host_capabilities,
        plugin_instance_id,
    }
}

pub(crate) fn initialised(response: pact::InitPluginResponse) -> neutral::Response {
    use pact::init_plugin_response::Response;
    match response.response {
        Some(Response::Success(success)) => neutral::Response::Initialised {
            catalogue: catalogue_from_proto(success.catalogue),
            plugin_capabilities: success.plugin_capabilities,
        },
        Some(Response::Failure(failure)) => neutral::Response::InitRefused {
            error: failure.error,
            missing_host_capabilities: failure.missing_host_capabilities,
        },
        None => neutral::Response::InitRefused {
            error: "the answer holds neither success nor failure".to_owned(),
            missing_host_capabilities: Vec::new(),
        },
    }
}

pub(crate) fn configure(
    content_type: String,
    contents_config: Map<String, Json>,
    test_context: Map<String, Json>,
) -> pact::ConfigureInteractionRequest {
    pact::ConfigureInteractionRequest {
        content_type,
        contents_config: struct_of(contents_config),
        test_context: json::to_struct_unless_empty(test_context),
    }
}

pub(crate) fn compare(
    request: neutral::CompareContents,
    test_context: Map<String, Json>,
) -> pact::CompareContentsRequest {
    pact::CompareContentsRequest {
        expected: Some(body_to_proto(request.expected)),
        actual: Some(body_to_proto(request.actual)),
        allow_unexpected_keys: request.allow_unexpected_keys,
        rules: rules_to_proto(request.rules),
        plugin_configuration: request.plugin_configuration.map(configuration_to_proto),
        test_context: json::to_struct_unless_empty(test_context),
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

pub(crate) fn match_field(
    request: neutral::MatchField,
    test_context: Map<String, Json>,
) -> pact::MatchFieldRequest {
    pact::MatchFieldRequest {
        key: request.key,
        rule: Some(pact::MatchingRule {
            r#type: request.rule.kind,
            values: json::to_struct_unless_empty(request.rule.values),
        }),
        path: request.path,
        mismatch_type: request.mismatch_type,
        expected: Some(field_to_proto(request.expected)),
        actual: Some(field_to_proto(request.actual)),
        plugin_configuration: request.plugin_configuration.map(configuration_to_proto),
        test_context: json::to_struct_unless_empty(test_context),
    }
}

pub(crate) fn field_matched(response: pact::MatchFieldResponse) -> neutral::Response {
    neutral::Response::FieldMatched {
        error: response.error,
        mismatches: mismatches_from_proto(response.mismatches),
    }
}

pub(crate) fn generate_field(
    request: neutral::GenerateField,
    test_context: Map<String, Json>,
) -> pact::GenerateFieldRequest {
    pact::GenerateFieldRequest {
        key: request.key,
        generator: Some(generator_to_proto(request.generator)),
        path: request.path,
        example_value: Some(field_to_proto(request.example)),
        plugin_configuration: request.plugin_configuration.map(configuration_to_proto),
        test_context: json::to_struct_unless_empty(test_context),
        test_mode: request.test_mode,
    }
}

pub(crate) fn field_generated(response: pact::GenerateFieldResponse) -> neutral::Response {
    neutral::Response::FieldGenerated {
        error: response.error,
        value: response.value.map(|value| field_from_proto(Some(value))),
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
        interactions: request
            .interactions
            .into_iter()
            .map(interaction_to_proto)
            .collect(),
        test_context: json::to_struct_unless_empty(test_context),
    }
}

pub(crate) fn prepare(
    request: neutral::VerifyInteraction,
    test_context: Map<String, Json>,
) -> pact::VerificationPreparationRequest {
    pact::VerificationPreparationRequest {
        interaction_contents: Some(interaction_to_proto(request.interaction)),
        config: struct_of(request.config),
        test_context: json::to_struct_unless_empty(test_context),
    }
}

pub(crate) fn verify(
    request: neutral::VerifyInteraction,
    test_context: Map<String, Json>,
) -> pact::VerifyInteractionRequest {
    pact::VerifyInteractionRequest {
        interaction_data: request.data.map(data_to_proto),
        config: struct_of(request.config),
        interaction_contents: Some(interaction_to_proto(request.interaction)),
        test_context: json::to_struct_unless_empty(test_context),
    }
}

fn interaction_to_proto(of: neutral::InteractionContents) -> pact::InteractionContents {
    pact::InteractionContents {
        interaction_type: of.kind,
        plugin_configuration: of.plugin_configuration.map(configuration_to_proto),
        consumer: of.consumer,
        provider: of.provider,
    }
}

fn field_to_proto(value: neutral::FieldValue) -> pact::FieldValue {
    use pact::field_value::Value;
    let value = match value {
        neutral::FieldValue::Binary(bytes) => Value::BinaryValue(Vec::from(bytes)),
        neutral::FieldValue::Json(Json::Null) => Value::NullValue(0),
        neutral::FieldValue::Json(Json::Bool(value)) => Value::BooleanValue(value),
        neutral::FieldValue::Json(Json::String(text)) => Value::StringValue(text),
        neutral::FieldValue::Json(Json::Number(number)) => match number.as_i64() {
            Some(integer) => Value::IntegerValue(integer),
            None => Value::DecimalValue(number.as_f64().unwrap_or(f64::NAN)),
        },
        neutral::FieldValue::Json(json) => Value::StructuredValue(json::to_value(json)),
    };
    pact::FieldValue { value: Some(value) }
}

/// A value without a kind is null. A decimal stays one, with or without a
/// fraction: here the interface tells the two kinds of number apart.
fn field_from_proto(value: Option<pact::FieldValue>) -> neutral::FieldValue {
    use pact::field_value::Value;
    let json = match value.and_then(|value| value.value) {
        None | Some(Value::NullValue(_)) => Json::Null,
        Some(Value::BooleanValue(value)) => Json::Bool(value),
        Some(Value::StringValue(text)) => Json::String(text),
        Some(Value::IntegerValue(integer)) => Json::from(integer),
        Some(Value::DecimalValue(decimal)) => Json::from(decimal),
        Some(Value::StructuredValue(value)) => json::from_value(value),
        Some(Value::BinaryValue(bytes)) => {
            return neutral::FieldValue::Binary(Bytes::from(bytes));
        }
    };
    neutral::FieldValue::Json(json)
}

/// A plugin's calls back to its host: requests come in, answers go out.
pub(crate) mod callback {
    use super::*;

    /// A request in the driver's terms, and its `testContext`.
    pub(crate) type Asked = (neutral::Request, Map<String, Json>);

    pub(crate) fn compare(request: pact::CompareContentsRequest) -> Asked {
        let asked = neutral::CompareContents {
            expected: request.expected.map(body_from_proto).unwrap_or_default(),
            actual: request.actual.map(body_from_proto).unwrap_or_default(),
            allow_unexpected_keys: request.allow_unexpected_keys,
            rules: rules_from_proto(request.rules),
            plugin_configuration: request.plugin_configuration.map(configuration_from_proto),
        };
        (
            neutral::Request::CompareContents(Box::new(asked)),
            json::from_struct(request.test_context),
        )
    }

    pub(crate) fn compared(answer: neutral::Comparison) -> pact::CompareContentsResponse {
        pact::CompareContentsResponse {
            error: answer.error,
            type_mismatch: answer
                .type_mismatch
                .map(|(expected, actual)| pact::ContentTypeMismatch { expected, actual }),
            results: answer
                .results
                .into_iter()
                .map(|(path, of)| {
                    let mismatches = mismatches_to_proto(of);
                    (path, pact::ContentMismatches { mismatches })
                })
                .collect(),
        }
    }

    pub(crate) fn generate(request: pact::GenerateContentRequest) -> Asked {
        let asked = neutral::GenerateContents {
            contents: request.contents.map(body_from_proto).unwrap_or_default(),
            generators: generators_from_proto(request.generators),
            plugin_configuration: request.plugin_configuration.map(configuration_from_proto),
            test_mode: request.test_mode,
            content_for: request.content_for,
        };
        (
            neutral::Request::GenerateContents(Box::new(asked)),
            json::from_struct(request.test_context),
        )
    }

    pub(crate) fn generated(answer: Option<neutral::Body>) -> pact::GenerateContentResponse {
        pact::GenerateContentResponse {
            contents: answer.map(body_to_proto),
        }
    }

    pub(crate) fn match_field(request: pact::MatchFieldRequest) -> Asked {
        let asked = neutral::MatchField {
            key: request.key,
            rule: request.rule.map(rule_from_proto).unwrap_or_default(),
            path: request.path,
            mismatch_type: request.mismatch_type,
            expected: field_from_proto(request.expected),
            actual: field_from_proto(request.actual),
            plugin_configuration: request.plugin_configuration.map(configuration_from_proto),
        };
        (
            neutral::Request::MatchField(Box::new(asked)),
            json::from_struct(request.test_context),
        )
    }

    pub(crate) fn field_matched(
        error: String,
        mismatches: Vec<neutral::Mismatch>,
    ) -> pact::MatchFieldResponse {
        pact::MatchFieldResponse {
            error,
            mismatches: mismatches_to_proto(mismatches),
        }
    }

    pub(crate) fn generate_field(request: pact::GenerateFieldRequest) -> Asked {
        let asked = neutral::GenerateField {
            key: request.key,
            generator: request
                .generator
                .map(generator_from_proto)
                .unwrap_or_default(),
            path: request.path,
            example: field_from_proto(request.example_value),
            plugin_configuration: request.plugin_configuration.map(configuration_from_proto),
            test_mode: request.test_mode,
        };
        (
            neutral::Request::GenerateField(Box::new(asked)),
            json::from_struct(request.test_context),
        )
    }

    pub(crate) fn field_generated(
        error: String,
        value: Option<neutral::FieldValue>,
    ) -> pact::GenerateFieldResponse {
        pact::GenerateFieldResponse {
            error,
            value: value.map(field_to_proto),
        }
    }

    fn mismatches_to_proto(of: Vec<neutral::Mismatch>) -> Vec<pact::ContentMismatch> {
        of.into_iter()
            .map(|mismatch| pact::ContentMismatch {
                expected: mismatch.expected.map(Vec::from),
                actual: mismatch.actual.map(Vec::from),
                mismatch: mismatch.mismatch,
                path: mismatch.path,
                diff: mismatch.diff,
                mismatch_type: mismatch.mismatch_type,
            })
            .collect()
    }
}
