//! A plugin process, as a driver starts and calls it.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use plugobs_core::handshake::Handshake;
use plugobs_core::stderr_line::{is_record_line, parse_stderr_line};
use plugobs_core::{LogPosition, Record};
use plugobs_proto::pact::v2 as pact;
use plugobs_proto::pact::v2::pact_plugin_client::PactPluginClient;
use prost_types::Struct;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, watch};
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::{Driver, SOON};

pub(crate) const INSTANCE: &str = "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31";
pub(crate) const TOKEN: &str = "the-token";

/// The scripted plugin, as Cargo built it beside this test.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let program = profile.join("examples/scripted-plugin");
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified());
    let built = changed(&program).ok();
    // Cargo leaves examples alone when only some tests are asked for, and an old
    // one would prove nothing.
    let sources = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let mut sources = sources.split_whitespace().skip(1);
    let is_new = built.is_some_and(|built| {
        sources.all(|source| changed(Path::new(source)).is_ok_and(|changed| changed <= built))
    });
    assert!(
        is_new,
        "{} is missing or old; build it with `cargo build -p plugobs-plugin --examples`",
        program.display()
    );
    program
}

/// What a driver offers.
#[derive(Default, Clone)]
pub(crate) struct Offer {
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    /// Whose hello is waited for: what comes later is on the stream.
    greeted_by: Option<Driver>,
    /// Standard error is read only once this is told.
    stderr_after: Option<Arc<Notify>>,
}

impl Offer {
    /// A driver of this specification.
    pub(crate) fn of(driver: &Driver) -> Self {
        let address = driver.wire.address();
        Self::default()
            .greeted_by(driver)
            .with("PLUGOBS_ENDPOINT", &address)
            .with("PLUGOBS_TOKEN", TOKEN)
            .with("PACT_PLUGIN_HOST", &address)
            .with("PACT_PLUGIN_INSTANCE_ID", INSTANCE)
    }

    /// A deployed driver with a host.
    pub(crate) fn of_deployed(driver: &Driver) -> Self {
        Self::default()
            .with("PACT_PLUGIN_HOST", &driver.wire.address())
            .with("PACT_PLUGIN_INSTANCE_ID", INSTANCE)
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(other, _)| *other != name);
        self
    }

    fn greeted_by(mut self, driver: &Driver) -> Self {
        self.greeted_by = driver.has_streams().then(|| driver.clone());
        self
    }

    /// The plugin is not waited for beyond its handshake.
    pub(crate) fn at_once(mut self) -> Self {
        self.greeted_by = None;
        self
    }

    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Standard error is not read before `told` is.
    pub(crate) fn stderr_after(mut self, told: &Arc<Notify>) -> Self {
        self.stderr_after = Some(told.clone());
        self
    }

    /// Starts a plugin and has its handshake.
    pub(crate) async fn start(self) -> Plugin {
        let greeted_by = self.greeted_by.clone();
        let mut plugin = self.spawn();
        plugin.connect().await;
        if let Some(driver) = greeted_by {
            driver.wait("hello", |seen| seen.has_hello()).await;
        }
        plugin
    }

    /// Starts a plugin.
    pub(crate) fn spawn(self) -> Plugin {
        let mut command = Command::new(program());
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment)
            .args(self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap(), None);
        let stderr = lines(child.stderr.take().unwrap(), self.stderr_after);
        Plugin {
            child,
            stdout,
            stderr,
            channel: None,
        }
    }
}

/// What was written, and whether that was all.
type Written = watch::Receiver<(Vec<String>, bool)>;

fn lines(
    pipe: impl tokio::io::AsyncRead + Unpin + Send + 'static,
    after: Option<Arc<Notify>>,
) -> Written {
    let (written, received) = watch::channel((Vec::new(), false));
    tokio::spawn(async move {
        if let Some(after) = after {
            after.notified().await;
        }
        let mut lines = BufReader::new(pipe).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            written.send_modify(|(all, _)| all.push(line));
        }
        written.send_modify(|(_, ended)| *ended = true);
    });
    received
}

pub(crate) struct Plugin {
    child: Child,
    stdout: Written,
    stderr: Written,
    channel: Option<Channel>,
}

impl Plugin {
    async fn connect(&mut self) {
        let first = self.stdout.wait_for(|(lines, _)| !lines.is_empty());
        let first = tokio::time::timeout(SOON, first).await.unwrap();
        let line = first.unwrap().0[0].clone();
        let port = Handshake::parse(&line).unwrap().port;
        let endpoint = Channel::from_shared(format!("http://127.0.0.1:{port}")).unwrap();
        let endpoint = endpoint.tcp_nodelay(true);
        self.channel = Some(endpoint.connect().await.unwrap());
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone().unwrap()
    }

    pub(crate) fn client(&self) -> PactPluginClient<Channel> {
        PactPluginClient::new(self.channel())
    }

    pub(crate) async fn init(&self) -> Result<Response<pact::InitPluginResponse>, Status> {
        let request = pact::InitPluginRequest {
            implementation: "a test".to_owned(),
            version: "1.2.3".to_owned(),
            plugin_instance_id: INSTANCE.to_owned(),
            ..pact::InitPluginRequest::default()
        };
        self.client().init_plugin(request).await
    }

    /// Has a script done, for no test.
    pub(crate) async fn run(&self, steps: Json) -> Json {
        self.run_for(&[], None, steps).await
    }

    /// Has a script done for the test that metadata and field tell.
    pub(crate) async fn run_for(
        &self,
        metadata: &[(&'static str, &str)],
        field: Option<&str>,
        steps: Json,
    ) -> Json {
        let response = self.try_run(metadata, field, steps).await.unwrap();
        let body = response.into_inner().interaction[0].contents.clone();
        serde_json::from_slice(&body.unwrap().content.unwrap()).unwrap()
    }

    pub(crate) async fn try_run(
        &self,
        metadata: &[(&'static str, &str)],
        field: Option<&str>,
        steps: Json,
    ) -> Result<Response<pact::ConfigureInteractionResponse>, Status> {
        let mut request = Request::new(pact::ConfigureInteractionRequest {
            content_type: "application/vnd.plugobs.script+json".to_owned(),
            contents_config: Some(script(steps)),
            test_context: field.map(context),
        });
        for (key, value) in metadata {
            let value = value.parse().unwrap();
            request.metadata_mut().append(*key, value);
        }
        self.client().configure_interaction(request).await
    }

    /// What `plugin-log-sequence` says.
    pub(crate) fn position(metadata: &MetadataMap) -> LogPosition {
        let value = metadata.get("plugin-log-sequence").unwrap();
        LogPosition::parse(value.to_str().unwrap()).unwrap()
    }

    pub(crate) fn terminate(&self) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Waits for the end of the process and of its output.
    pub(crate) async fn exit(&mut self) -> ExitStatus {
        // A server that ends in order waits for its connections.
        self.channel = None;
        let exit = tokio::time::timeout(SOON, self.child.wait()).await;
        let all = tokio::time::timeout(SOON, self.stderr.wait_for(|(_, ended)| *ended)).await;
        all.unwrap().unwrap();
        exit.unwrap().unwrap()
    }

    /// Lines of standard error by now.
    pub(crate) fn stderr(&self) -> Vec<String> {
        self.stderr.borrow().0.clone()
    }

    /// The record lines of standard error by now.
    pub(crate) fn record_lines(&self) -> Vec<Record> {
        let lines = self.stderr();
        let of_records = lines.iter().filter(|line| is_record_line(line.as_bytes()));
        of_records
            .map(|line| parse_stderr_line(line).unwrap())
            .collect()
    }

    /// Waits for a record line.
    pub(crate) async fn line(&mut self, what: &str, wanted: impl Fn(&Record) -> bool) -> Record {
        let is = |line: &str| {
            is_record_line(line.as_bytes())
                && parse_stderr_line(line).is_ok_and(|record| wanted(&record))
        };
        let found = self
            .stderr
            .wait_for(|(lines, _)| lines.iter().any(|line| is(line)));
        if tokio::time::timeout(SOON, found).await.is_err() {
            panic!("no {what} in\n{}", self.stderr().join("\n"));
        }
        let records = self.record_lines().into_iter();
        records.filter(|record| wanted(record)).last().unwrap()
    }

    /// Waits for a record line with that message.
    pub(crate) async fn line_of(&mut self, message: &str) -> Record {
        self.line(message, |record| record.message == message).await
    }
}

/// A script of those steps.
pub(crate) fn script(steps: Json) -> Struct {
    match value_of(&json!({ "script": 1, "steps": steps })).kind {
        Some(prost_types::value::Kind::StructValue(of)) => of,
        _ => panic!("an object is a struct"),
    }
}

/// A `testContext`.
pub(crate) fn context(test_run_id: &str) -> Struct {
    Struct {
        fields: [("testRunId".to_owned(), value_of(&json!(test_run_id)))].into(),
    }
}

fn value_of(json: &Json) -> prost_types::Value {
    use prost_types::value::Kind;
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(*value),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Array(values) => Kind::ListValue(prost_types::ListValue {
            values: values.iter().map(value_of).collect(),
        }),
        Json::Object(members) => Kind::StructValue(Struct {
            fields: members
                .iter()
                .map(|(key, value)| (key.clone(), value_of(value)))
                .collect(),
        }),
    };
    prost_types::Value { kind: Some(kind) }
}
