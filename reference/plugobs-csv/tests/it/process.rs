//! The plugin as a driver meets it: a process that is started, found by its handshake and called.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use plugobs_core::handshake::Handshake;
use plugobs_proto::pact::v2;
use plugobs_proto::pact::v2::catalogue_entry::EntryType;
use plugobs_proto::pact::v2::pact_plugin_client::PactPluginClient;
use prost_types::value::Kind;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::fixtures::fixture;

/// A running plugin, ended with the test that started it.
struct Plugin {
    process: Child,
    handshake: Handshake,
}

impl Plugin {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_plugobs-csv"))
            .env_remove("PLUGOBS_ENDPOINT")
            .env_remove("PACT_PLUGIN_HOST")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let handshake = Handshake::parse(&line).unwrap();
        Self { process, handshake }
    }

    async fn client(&self) -> PactPluginClient<InterceptedService<Channel, Key>> {
        self.client_with(Some(&self.handshake.server_key)).await
    }

    async fn client_with(
        &self,
        key: Option<&str>,
    ) -> PactPluginClient<InterceptedService<Channel, Key>> {
        let address = format!("http://127.0.0.1:{}", self.handshake.port);
        let channel = Endpoint::from_shared(address)
            .unwrap()
            .connect()
            .await
            .unwrap();
        PactPluginClient::with_interceptor(channel, Key(key.map(str::to_owned)))
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Shows a key with each call, as a driver does.
#[derive(Clone)]
struct Key(Option<String>);

impl tonic::service::Interceptor for Key {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", key.parse().unwrap());
        }
        Ok(request)
    }
}

fn text(value: &str) -> prost_types::Value {
    prost_types::Value {
        kind: Some(Kind::StringValue(value.to_owned())),
    }
}

fn object<const N: usize>(members: [(&str, prost_types::Value); N]) -> prost_types::Struct {
    prost_types::Struct {
        fields: members
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    }
}

/// The `contentsConfig` of a fixture, all of whose values are text but for the header setting.
fn contents_config(name: &str) -> prost_types::Struct {
    let config: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&fixture(&format!("{name}.json"))).unwrap();
    let value = |value: serde_json::Value| match value {
        serde_json::Value::Bool(value) => prost_types::Value {
            kind: Some(Kind::BoolValue(value)),
        },
        value => text(value.as_str().unwrap()),
    };
    prost_types::Struct {
        fields: config
            .into_iter()
            .map(|(key, member)| (key, value(member)))
            .collect(),
    }
}

fn body(content: Vec<u8>) -> v2::Body {
    v2::Body {
        content_type: "text/csv".to_owned(),
        content: Some(content),
        content_type_hint: 0,
    }
}

/// Configures the contract of a fixture and compares its actual body with it.
async fn compare(plugin: &Plugin, name: &str) -> v2::CompareContentsResponse {
    let mut client = plugin.client().await;
    let configured = client
        .configure_interaction(v2::ConfigureInteractionRequest {
            content_type: "text/csv".to_owned(),
            contents_config: Some(contents_config(name)),
            test_context: Some(object([("testRunId", text("t-1"))])),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(configured.error, "");
    let [interaction] = configured.interaction.try_into().unwrap();
    let expected = interaction.contents.unwrap();
    assert_eq!(expected.content, Some(fixture(&format!("{name}.csv"))));
    let compared = client.compare_contents(v2::CompareContentsRequest {
        expected: Some(expected),
        actual: Some(body(fixture(&format!("{name}-actual.csv")))),
        allow_unexpected_keys: false,
        rules: interaction.rules,
        plugin_configuration: interaction.plugin_configuration,
        test_context: Some(object([("testRunId", text("t-1"))])),
    });
    compared.await.unwrap().into_inner()
}

#[tokio::test]
async fn the_catalogue_offers_csv_for_matching_and_generating() {
    let plugin = Plugin::start();
    let response = plugin
        .client()
        .await
        .init_plugin(v2::InitPluginRequest {
            implementation: "a-driver".to_owned(),
            version: "1".to_owned(),
            ..v2::InitPluginRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    let Some(v2::init_plugin_response::Response::Success(success)) = response.response else {
        panic!("the plugin refused: {response:?}");
    };
    let kinds: Vec<_> = success
        .catalogue
        .iter()
        .map(v2::CatalogueEntry::r#type)
        .collect();
    assert_eq!(
        kinds,
        [EntryType::ContentMatcher, EntryType::ContentGenerator]
    );
    for entry in &success.catalogue {
        assert_eq!(
            (entry.key.as_str(), entry.values["content-types"].as_str()),
            ("csv", "text/csv;application/csv")
        );
    }
    let catalogue = v2::Catalogue {
        catalogue: success.catalogue,
    };
    plugin
        .client()
        .await
        .update_catalogue(catalogue)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_fixtures_match_and_mismatch_over_the_wire() {
    let plugin = Plugin::start();
    assert_eq!(
        compare(&plugin, "people").await,
        v2::CompareContentsResponse::default()
    );

    let orders = compare(&plugin, "orders").await;
    assert_eq!((orders.error.as_str(), &orders.type_mismatch), ("", &None));
    let paths: Vec<_> = orders.results.keys().collect();
    assert_eq!(paths, ["row:3, column:Amount", "row:4, column:Placed"]);
    let amount = &orders.results["row:3, column:Amount"].mismatches[0];
    assert_eq!(amount.path, "row:3, column:Amount");
    assert_eq!(amount.expected.as_deref(), Some(&b"19.90"[..]));
    assert_eq!(amount.actual.as_deref(), Some(&b"on request"[..]));
    assert_eq!(amount.mismatch_type, "body");
    assert!(
        amount
            .mismatch
            .starts_with("'on request' is not a decimal number")
    );
}

#[tokio::test]
async fn what_cannot_be_answered_is_an_error_in_the_response() {
    let plugin = Plugin::start();
    let mut client = plugin.client().await;
    let config = object([("column:A", text("matching(date, 'ww', '1')"))]);
    let configured = client
        .configure_interaction(v2::ConfigureInteractionRequest {
            content_type: "text/csv".to_owned(),
            contents_config: Some(config),
            test_context: None,
        })
        .await
        .unwrap()
        .into_inner();
    assert!(
        configured.error.starts_with("column:A: "),
        "{}",
        configured.error
    );
    assert_eq!(configured.interaction, []);

    let compared = client
        .compare_contents(v2::CompareContentsRequest {
            expected: Some(body(b"A\n1\n".to_vec())),
            actual: Some(body(b"A\n\xe9\n".to_vec())),
            ..v2::CompareContentsRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert!(
        compared.error.contains("the byte at offset 2"),
        "{}",
        compared.error
    );

    let json = v2::Body {
        content_type: "application/json".to_owned(),
        ..body(b"{}".to_vec())
    };
    let compared = client
        .compare_contents(v2::CompareContentsRequest {
            expected: Some(body(b"A\n1\n".to_vec())),
            actual: Some(json),
            ..v2::CompareContentsRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(compared.type_mismatch.unwrap().actual, "application/json");
}

#[tokio::test]
async fn contents_and_values_are_generated() {
    use v2::generate_content_request::TestMode;
    let plugin = Plugin::start();
    let mut client = plugin.client().await;
    let generator = v2::Generator {
        r#type: "ProviderState".to_owned(),
        values: Some(object([("expression", text("${id}"))])),
    };
    let id = prost_types::Value {
        kind: Some(Kind::NumberValue(42.0)),
    };
    let state = prost_types::Value {
        kind: Some(Kind::StructValue(object([("id", id)]))),
    };
    let request = v2::GenerateContentRequest {
        contents: Some(body(b"Id,Name\n1,Ada\n2,Alan\n".to_vec())),
        generators: BTreeMap::from([("column:Id".to_owned(), generator.clone())]),
        test_context: Some(object([("providerState", state.clone())])),
        test_mode: TestMode::Provider.into(),
        ..v2::GenerateContentRequest::default()
    };
    let generated = client
        .generate_content(request.clone())
        .await
        .unwrap()
        .into_inner();
    let contents = generated.contents.unwrap();
    assert_eq!(contents.content_type, "text/csv;charset=UTF-8");
    assert_eq!(
        contents.content.as_deref(),
        Some(&b"Id,Name\n42,Ada\n42,Alan\n"[..])
    );

    let unknown = v2::Generator {
        r#type: "MockServerURL".to_owned(),
        values: None,
    };
    let refused = client
        .generate_content(v2::GenerateContentRequest {
            generators: BTreeMap::from([("column:Id".to_owned(), unknown)]),
            ..request
        })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused
            .message()
            .contains("`MockServerURL` is not supported"),
        "{refused}"
    );

    let field = client
        .generate_field(v2::GenerateFieldRequest {
            generator: Some(generator),
            test_context: Some(object([("providerState", state)])),
            test_mode: TestMode::Provider.into(),
            ..v2::GenerateFieldRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        field.value.unwrap().value,
        Some(v2::field_value::Value::StringValue("42".to_owned()))
    );
}

#[tokio::test]
async fn single_values_are_matched() {
    use v2::field_value::Value;
    let plugin = Plugin::start();
    let mut client = plugin.client().await;
    let request = |actual| v2::MatchFieldRequest {
        rule: Some(v2::MatchingRule {
            r#type: "integer".to_owned(),
            values: None,
        }),
        path: "$.id".to_owned(),
        mismatch_type: "metadata".to_owned(),
        expected: Some(v2::FieldValue {
            value: Some(Value::IntegerValue(1)),
        }),
        actual: Some(v2::FieldValue {
            value: Some(actual),
        }),
        ..v2::MatchFieldRequest::default()
    };
    let kept = client
        .match_field(request(Value::IntegerValue(7)))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(kept, v2::MatchFieldResponse::default());
    let broken = request(Value::StringValue("seven".to_owned()));
    let broken = client.match_field(broken).await.unwrap().into_inner();
    assert_eq!(broken.mismatches.len(), 1);
    assert_eq!(
        (
            broken.mismatches[0].path.as_str(),
            broken.mismatches[0].mismatch_type.as_str()
        ),
        ("$.id", "metadata")
    );
    let binary = request(Value::BinaryValue(vec![0xff]));
    let binary = client.match_field(binary).await.unwrap().into_inner();
    assert!(binary.error.contains("no UTF-8 text"), "{}", binary.error);
}

#[tokio::test]
async fn only_who_shows_the_key_is_served() {
    let plugin = Plugin::start();
    for key in [None, Some("guessed")] {
        let mut client = plugin.client_with(key).await;
        let refused = client
            .init_plugin(v2::InitPluginRequest::default())
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
    }
}

#[tokio::test]
async fn a_transport_is_not_offered() {
    let plugin = Plugin::start();
    let mut client = plugin.client().await;
    let refused = client
        .start_mock_server(v2::StartMockServerRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(
        refused.message().contains("does not serve StartMockServer"),
        "{refused}"
    );
    let refused = client
        .verify_interaction(v2::VerifyInteractionRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
}
