//! The commands that a serving plugin takes, whatever its interface.

use std::io::{Write, stderr, stdout};

use plugobs_core::registry::metadata::AUTHORIZATION;
use plugobs_proto::pact::v2 as pact;
use plugobs_proto::pact::v2::plugin_host_client::PluginHostClient;
use serde_json::{Map, Value as Json, json};
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A call as it came.
pub(crate) struct Call<'a> {
    pub(crate) metadata: &'a MetadataMap,
    pub(crate) test_context: Json,
    pub(crate) arguments: Json,
}

pub(crate) async fn run(command: &str, call: Call<'_>) -> Result<Json, Status> {
    let arguments = &call.arguments;
    match command {
        "tell" => Ok(json!({
            "metadata": metadata_json(call.metadata),
            "testContext": call.test_context,
            "environment": environment(),
        })),
        "stderr" => {
            let bytes = text(arguments, "text");
            writeln!(stderr(), "{bytes}").map_err(failed)?;
            Ok(json!({}))
        }
        "stdout" => {
            let bytes = text(arguments, "text");
            writeln!(stdout(), "{bytes}").map_err(failed)?;
            Ok(json!({}))
        }
        "abort" => {
            writeln!(stderr(), "about to abort").map_err(failed)?;
            std::process::abort();
        }
        "exit" => std::process::exit(7),
        "panic" => panic!("as it was told"),
        "hang" => std::future::pending().await,
        "fail" => {
            let mut status = Status::failed_precondition("as it was told");
            let position = "4711:42".parse().map_err(failed)?;
            status
                .metadata_mut()
                .insert("plugin-log-sequence", position);
            Err(status)
        }
        "log" => log(&call).await,
        "call-host" => call_host(&call).await,
        "stream" => crate::streams::run(arguments).await,
        other => Err(Status::unimplemented(format!("no command {other:?}"))),
    }
}

pub(crate) fn text(of: &Json, key: &str) -> String {
    of[key].as_str().unwrap_or_default().to_owned()
}

pub(crate) fn failed(error: impl std::fmt::Display) -> Status {
    Status::internal(error.to_string())
}

fn environment() -> Json {
    std::env::vars()
        .filter(|(name, _)| {
            [
                "PLUGOBS_",
                "PACT_PLUGIN_",
                "LOG_LEVEL",
                "RUST_LOG",
                "HOSTED_",
            ]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        })
        .map(|(name, value)| (name, Json::String(value)))
        .collect::<Map<_, _>>()
        .into()
}

pub(crate) fn metadata_json(map: &MetadataMap) -> Json {
    map.iter()
        .filter_map(|pair| match pair {
            KeyAndValueRef::Ascii(key, value) => {
                let value = value.to_str().ok()?.to_owned();
                Some((key.to_string(), Json::String(value)))
            }
            KeyAndValueRef::Binary(..) => None,
        })
        .collect::<Map<_, _>>()
        .into()
}

/// `token` is `own`, or what to send in its place; absent: none.
pub(crate) fn authorise(map: &mut MetadataMap, token: &Json) -> Result<(), Status> {
    let token = match token.as_str() {
        None => return Ok(()),
        Some("own") => std::env::var("PLUGOBS_TOKEN").map_err(failed)?,
        Some(other) => other.to_owned(),
    };
    let value = format!("Bearer {token}").parse().map_err(failed)?;
    map.insert(AUTHORIZATION, value);
    Ok(())
}

pub(crate) async fn connect(endpoint: &str) -> Result<Channel, Status> {
    let endpoint = Channel::from_shared(format!("http://{endpoint}")).map_err(failed)?;
    endpoint.tcp_nodelay(true).connect().await.map_err(failed)
}

async fn host() -> Result<PluginHostClient<Channel>, Status> {
    let host = std::env::var("PACT_PLUGIN_HOST").map_err(failed)?;
    let client = PluginHostClient::new(connect(&host).await?);
    Ok(client.max_encoding_message_size(usize::MAX))
}

/// Sends one deployed log message and tells the status.
async fn log(call: &Call<'_>) -> Result<Json, Status> {
    let arguments = &call.arguments;
    let own = std::env::var("PACT_PLUGIN_INSTANCE_ID").map_err(failed)?;
    let mut message = text(arguments, "message");
    if let Some(mb) = arguments["megabytes"].as_u64() {
        let mb = usize::try_from(mb).map_err(failed)?;
        message.push_str(&"y".repeat(mb * 1_000_000));
    }
    let mut request = Request::new(pact::LogMessage {
        plugin_instance_id: arguments["instance"].as_str().unwrap_or(&own).to_owned(),
        test_run_id: text(&call.test_context, "testRunId"),
        level: "INFO".to_owned(),
        message,
        target: "deployed".to_owned(),
        timestamp_ms: 1_700_000_000_000,
    });
    authorise(request.metadata_mut(), &arguments["token"])?;
    let status = match host().await?.log(request).await {
        Ok(_) => tonic::Code::Ok,
        Err(status) => status.code(),
    };
    Ok(json!({ "status": format!("{status:?}") }))
}

/// Asks the host to compare two bodies, for the call that is being served.
async fn call_host(call: &Call<'_>) -> Result<Json, Status> {
    let arguments = &call.arguments;
    let mut request = Request::new(pact::HostCompareContentsRequest {
        entry_key: text(arguments, "entry"),
        request: Some(pact::CompareContentsRequest {
            allow_unexpected_keys: true,
            ..pact::CompareContentsRequest::default()
        }),
    });
    for key in ["plugin-call-id", "plugin-test-run-id", "pact-call-chain-id"] {
        if let Some(value) = call.metadata.get(key) {
            request.metadata_mut().insert(key, value.clone());
        }
    }
    if let Some(id) = arguments["callId"].as_str() {
        let value = id.parse().map_err(failed)?;
        request.metadata_mut().insert("plugin-call-id", value);
    }
    authorise(request.metadata_mut(), &arguments["token"])?;
    Ok(match host().await?.compare_contents(request).await {
        Ok(answer) => json!({ "error": answer.into_inner().error }),
        Err(status) => json!({
            "status": format!("{:?}", status.code()),
            "message": status.message(),
        }),
    })
}
