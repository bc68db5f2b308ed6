//! Messages that both versions of the interface have in the same shape.

/// Conversions between the driver's terms and the messages of the module that
/// is called `pact` where the macro is used. The two versions are two packages
/// with the same messages, so that what is written once here is made for each.
macro_rules! common_messages {
    () => {
        use std::collections::BTreeMap;

        use bytes::Bytes;
        use plugobs_driver::interface as neutral;
        use serde_json::{Map, Value as Json};

        use $crate::convert::json;

        pub(crate) fn body_to_proto(body: neutral::Body) -> pact::Body {
            use pact::body::ContentTypeHint as Hint;
            let hint = match body.hint {
                neutral::ContentHint::Default => Hint::Default,
                neutral::ContentHint::Text => Hint::Text,
                neutral::ContentHint::Binary => Hint::Binary,
            };
            pact::Body {
                content_type: body.content_type,
                content: body.content.map(Vec::from),
                content_type_hint: hint.into(),
            }
        }

        pub(crate) fn body_from_proto(body: pact::Body) -> neutral::Body {
            use pact::body::ContentTypeHint as Hint;
            let hint = match body.content_type_hint() {
                Hint::Default => neutral::ContentHint::Default,
                Hint::Text => neutral::ContentHint::Text,
                Hint::Binary => neutral::ContentHint::Binary,
            };
            neutral::Body {
                content_type: body.content_type,
                content: body.content.map(Bytes::from),
                hint,
            }
        }

        fn rules_to_proto(
            rules: BTreeMap<String, Vec<neutral::Rule>>,
        ) -> BTreeMap<String, pact::MatchingRules> {
            rules
                .into_iter()
                .map(|(path, rules)| {
                    let rule = rules
                        .into_iter()
                        .map(|rule| pact::MatchingRule {
                            r#type: rule.kind,
                            values: json::to_struct_unless_empty(rule.values),
                        })
                        .collect();
                    (path, pact::MatchingRules { rule })
                })
                .collect()
        }

        fn rule_from_proto(rule: pact::MatchingRule) -> neutral::Rule {
            neutral::Rule {
                kind: rule.r#type,
                values: json::from_struct(rule.values),
            }
        }

        fn rules_from_proto(
            rules: BTreeMap<String, pact::MatchingRules>,
        ) -> BTreeMap<String, Vec<neutral::Rule>> {
            rules
                .into_iter()
                .map(|(path, rules)| (path, rules.rule.into_iter().map(rule_from_proto).collect()))
                .collect()
        }

        fn generator_to_proto(rule: neutral::Rule) -> pact::Generator {
            pact::Generator {
                r#type: rule.kind,
                values: json::to_struct_unless_empty(rule.values),
            }
        }

        fn generators_to_proto(
            generators: BTreeMap<String, neutral::Rule>,
        ) -> BTreeMap<String, pact::Generator> {
            generators
                .into_iter()
                .map(|(path, rule)| (path, generator_to_proto(rule)))
                .collect()
        }

        fn generator_from_proto(generator: pact::Generator) -> neutral::Rule {
            neutral::Rule {
                kind: generator.r#type,
                values: json::from_struct(generator.values),
            }
        }

        fn generators_from_proto(
            generators: BTreeMap<String, pact::Generator>,
        ) -> BTreeMap<String, neutral::Rule> {
            generators
                .into_iter()
                .map(|(path, generator)| (path, generator_from_proto(generator)))
                .collect()
        }

        fn configuration_to_proto(
            configuration: neutral::PluginConfiguration,
        ) -> pact::PluginConfiguration {
            pact::PluginConfiguration {
                interaction_configuration: Some(json::to_struct(configuration.interaction)),
                pact_configuration: Some(json::to_struct(configuration.pact)),
            }
        }

        fn configuration_from_proto(
            configuration: pact::PluginConfiguration,
        ) -> neutral::PluginConfiguration {
            neutral::PluginConfiguration {
                interaction: json::from_struct(configuration.interaction_configuration),
                pact: json::from_struct(configuration.pact_configuration),
            }
        }

        /// An entry of a kind that this version does not have is left out.
        pub(crate) fn catalogue_to_proto(entries: Vec<neutral::CatalogueEntry>) -> pact::Catalogue {
            use pact::catalogue_entry::EntryType;
            let entry = |entry: neutral::CatalogueEntry| {
                Some(pact::CatalogueEntry {
                    r#type: EntryType::from_str_name(&entry.kind)?.into(),
                    key: entry.key,
                    values: entry.values,
                })
            };
            pact::Catalogue {
                catalogue: entries.into_iter().filter_map(entry).collect(),
            }
        }

        /// An entry whose kind is not a number of this version is left out.
        fn catalogue_from_proto(
            entries: Vec<pact::CatalogueEntry>,
        ) -> Vec<neutral::CatalogueEntry> {
            use pact::catalogue_entry::EntryType;
            let entry = |entry: pact::CatalogueEntry| {
                let kind = EntryType::try_from(entry.r#type).ok()?;
                Some(neutral::CatalogueEntry {
                    kind: kind.as_str_name().to_owned(),
                    key: entry.key,
                    values: entry.values,
                })
            };
            entries.into_iter().filter_map(entry).collect()
        }

        fn mismatch_from_proto(mismatch: pact::ContentMismatch) -> neutral::Mismatch {
            neutral::Mismatch {
                expected: mismatch.expected.map(Bytes::from),
                actual: mismatch.actual.map(Bytes::from),
                mismatch: mismatch.mismatch,
                path: mismatch.path,
                diff: mismatch.diff,
                mismatch_type: mismatch.mismatch_type,
            }
        }

        fn mismatches_from_proto(of: Vec<pact::ContentMismatch>) -> Vec<neutral::Mismatch> {
            of.into_iter().map(mismatch_from_proto).collect()
        }

        pub(crate) fn compared(response: pact::CompareContentsResponse) -> neutral::Response {
            neutral::Response::Compared(neutral::Comparison {
                error: response.error,
                type_mismatch: response.type_mismatch.map(|m| (m.expected, m.actual)),
                results: response
                    .results
                    .into_iter()
                    .map(|(path, of)| (path, mismatches_from_proto(of.mismatches)))
                    .collect(),
            })
        }

        pub(crate) fn generated(response: pact::GenerateContentResponse) -> neutral::Response {
            neutral::Response::Generated(response.contents.map(body_from_proto))
        }

        pub(crate) fn configured(
            response: pact::ConfigureInteractionResponse,
        ) -> neutral::Response {
            let interaction = |of: pact::InteractionResponse| neutral::ConfiguredInteraction {
                markup_is_html: of.interaction_markup_type()
                    == pact::interaction_response::MarkupType::Html,
                contents: of.contents.map(body_from_proto),
                rules: rules_from_proto(of.rules),
                generators: generators_from_proto(of.generators),
                message_metadata: json::from_struct(of.message_metadata),
                plugin_configuration: of.plugin_configuration.map(configuration_from_proto),
                markup: of.interaction_markup,
                part_name: of.part_name,
                metadata_rules: rules_from_proto(of.metadata_rules),
                metadata_generators: generators_from_proto(of.metadata_generators),
            };
            neutral::Response::Configured {
                error: response.error,
                interactions: response.interaction.into_iter().map(interaction).collect(),
                plugin_configuration: response.plugin_configuration.map(configuration_from_proto),
            }
        }

        pub(crate) fn mock_server_started(
            response: pact::StartMockServerResponse,
        ) -> neutral::Response {
            use pact::start_mock_server_response::Response;
            let refused = |error: String| neutral::Response::Refused { error };
            match response.response {
                None => refused("the answer holds neither details nor an error".to_owned()),
                Some(Response::Error(error)) => refused(error),
                Some(Response::Details(details)) => match u16::try_from(details.port) {
                    Err(_) => refused(format!("{} is no port", details.port)),
                    Ok(port) => neutral::Response::MockServerStarted {
                        key: details.key,
                        port,
                        address: details.address,
                    },
                },
            }
        }

        fn mock_server_result(result: pact::MockServerResult) -> neutral::MockServerResult {
            neutral::MockServerResult {
                path: result.path,
                error: result.error,
                mismatches: mismatches_from_proto(result.mismatches),
            }
        }

        pub(crate) fn mock_server_results(
            ok: bool,
            results: Vec<pact::MockServerResult>,
        ) -> neutral::Response {
            neutral::Response::MockServerResults {
                ok,
                results: results.into_iter().map(mock_server_result).collect(),
            }
        }

        pub(crate) fn data_to_proto(data: neutral::InteractionData) -> pact::InteractionData {
            use pact::metadata_value::Value;
            let metadata_value = |value: neutral::FieldValue| pact::MetadataValue {
                value: Some(match value {
                    neutral::FieldValue::Json(json) => Value::NonBinaryValue(json::to_value(json)),
                    neutral::FieldValue::Binary(bytes) => Value::BinaryValue(Vec::from(bytes)),
                }),
            };
            pact::InteractionData {
                body: data.body.map(body_to_proto),
                metadata: data
                    .metadata
                    .into_iter()
                    .map(|(key, value)| (key, metadata_value(value)))
                    .collect(),
            }
        }

        fn data_from_proto(data: pact::InteractionData) -> neutral::InteractionData {
            use pact::metadata_value::Value;
            let metadata_value = |value: pact::MetadataValue| match value.value {
                None => neutral::FieldValue::Json(Json::Null),
                Some(Value::NonBinaryValue(value)) => {
                    neutral::FieldValue::Json(json::from_value(value))
                }
                Some(Value::BinaryValue(bytes)) => neutral::FieldValue::Binary(Bytes::from(bytes)),
            };
            neutral::InteractionData {
                body: data.body.map(body_from_proto),
                metadata: data
                    .metadata
                    .into_iter()
                    .map(|(key, value)| (key, metadata_value(value)))
                    .collect(),
            }
        }

        pub(crate) fn prepared(
            response: pact::VerificationPreparationResponse,
        ) -> neutral::Response {
            use pact::verification_preparation_response::Response;
            match response.response {
                Some(Response::InteractionData(data)) => {
                    neutral::Response::Prepared(data_from_proto(data))
                }
                Some(Response::Error(error)) => neutral::Response::Refused { error },
                None => neutral::Response::Refused {
                    error: "the answer holds neither data nor an error".to_owned(),
                },
            }
        }

        pub(crate) fn verified(response: pact::VerifyInteractionResponse) -> neutral::Response {
            use pact::verification_result_item::Result as Item;
            use pact::verify_interaction_response::Response;
            let result = match response.response {
                Some(Response::Result(result)) => result,
                Some(Response::Error(error)) => return neutral::Response::Refused { error },
                None => {
                    return neutral::Response::Refused {
                        error: "the answer holds neither a result nor an error".to_owned(),
                    };
                }
            };
            let mut verification = neutral::Verification {
                success: result.success,
                response: result.response_data.map(data_from_proto),
                output: result.output,
                ..neutral::Verification::default()
            };
            for item in result.mismatches {
                match item.result {
                    Some(Item::Error(error)) => verification.errors.push(error),
                    Some(Item::Mismatch(mismatch)) => {
                        verification.mismatches.push(mismatch_from_proto(mismatch))
                    }
                    None => {}
                }
            }
            neutral::Response::Verified(verification)
        }

        fn struct_of(map: Map<String, Json>) -> Option<prost_types::Struct> {
            Some(json::to_struct(map))
        }
    };
}
