//! A plugin process, started and called as a driver does it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use plugobs_core::Record;
use plugobs_core::handshake::Handshake;
use plugobs_core::registry::{environment, metadata};
use plugobs_core::stderr_line::parse_stderr_line;
use plugobs_proto::pact::v2;
use plugobs_proto::pact::v2::pact_plugin_client::PactPluginClient;
use prost_types::value::Kind;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use crate::fixtures::fixture;

/// The test run that every comparison is made for.
pub(crate) const TEST_RUN_ID: &str = "orders.test#2";
/// The call that every comparison is.
pub(crate) const CALL_ID: &str = "019aae8a-94c8-7d12-9f6a-2b1c5d7e8f90";
/// The instance that every plugin of these tests is.
pub(crate) const INSTANCE_ID: &str = "4b3f2a9e-94d6-4c5a-8a17-2f6a9b1c7d10";

/// A running plugin, ended with the test that started it.
pub(crate) struct Plugin {
    process: Child,
    handshake: Handshake,
    stderr: Option<JoinHandle<String>>,
}

impl Plugin {
    /// Starts the plugin as if there were no driver with a log service.
    pub(crate) fn start() -> Self {
        Self::start_at("INFO")
    }

    pub(crate) fn start_at(level: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plugobs-csv"));
        plugobs_plugin::scrub_environment(&mut command);
        let mut process = command
            .env(environment::PACT_PLUGIN_INSTANCE_ID, INSTANCE_ID)
            .env(environment::PLUGOBS_LEVEL, level)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let handshake = Handshake::parse(&line).unwrap();
        // A pipe that nobody reads would fill up and hold the plugin back.
        let stderr = process.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || std::io::read_to_string(stderr).unwrap());
        Self {
            process,
            handshake,
            stderr: Some(stderr),
        }
    }

    /// Ends the plugin as a driver does, and gives what it wrote to standard error, all of it records.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> Vec<Record> {
        use rustix::process::{Pid, Signal, kill_process};

        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        assert!(self.process.wait().unwrap().success());
        let stderr = self.stderr.take().unwrap().join().unwrap();
        let records = stderr.lines().map(parse_stderr_line);
        records.collect::<Result<_, _>>().unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.handshake.port).into()
    }

    pub(crate) async fn client(&self) -> PactPluginClient<InterceptedService<Channel, Key>> {
        self.client_with(Some(&self.handshake.server_key)).await
    }

    pub(crate) async fn client_with(
        &self,
        key: Option<&str>,
    ) -> PactPluginClient<InterceptedService<Channel, Key>> {
        let address = format!("http://{}", self.address());
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
        // A plugin that was stopped has ended already.
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }
}

/// Shows a key with each call, as a driver does.
#[derive(Clone)]
pub(crate) struct Key(Option<String>);

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

pub(crate) fn text(value: &str) -> prost_types::Value {
    prost_types::Value {
        kind: Some(Kind::StringValue(value.to_owned())),
    }
}

pub(crate) fn object<const N: usize>(
    members: [(&str, prost_types::Value); N],
) -> prost_types::Struct {
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

pub(crate) fn body(content: Vec<u8>) -> v2::Body {
    v2::Body {
        content_type: "text/csv".to_owned(),
        content: Some(content),
        content_type_hint: 0,
    }
}

/// Configures the contract of a fixture and compares its actual body with it.
pub(crate) async fn compare(plugin: &Plugin, name: &str) -> Response<v2::CompareContentsResponse> {
    let mut client = plugin.client().await;
    let configured = client
        .configure_interaction(v2::ConfigureInteractionRequest {
            content_type: "text/csv".to_owned(),
            contents_config: Some(contents_config(name)),
            test_context: None,
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(configured.error, "");
    let [interaction] = configured.interaction.try_into().unwrap();
    let expected = interaction.contents.unwrap();
    assert_eq!(expected.content, Some(fixture(&format!("{name}.csv"))));
    let mut request = Request::new(v2::CompareContentsRequest {
        expected: Some(expected),
        actual: Some(body(fixture(&format!("{name}-actual.csv")))),
        allow_unexpected_keys: false,
        rules: interaction.rules,
        plugin_configuration: interaction.plugin_configuration,
        test_context: Some(object([("testRunId", text(TEST_RUN_ID))])),
    });
    let call_id = CALL_ID.parse().unwrap();
    request
        .metadata_mut()
        .insert(metadata::PLUGIN_CALL_ID, call_id);
    client.compare_contents(request).await.unwrap()
}
