//! The steps that are done at once.

use std::collections::HashMap;
use std::fmt;
use std::io::{Write, stderr, stdout};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use plugobs_plugin::{Diagnostics, HostCalls, scrub_environment, user_message};
use plugobs_proto::pact::v2 as pact;
use plugobs_proto::pact::v2::plugin_host_client::PluginHostClient;
use serde_json::Value as Json;
use tokio::sync::watch;
use tonic::Status;
use tonic::transport::Channel;

use crate::script::{Answer, failed, status_of};

/// Gates by name: what waits at one goes on when another call opens it.
static GATES: LazyLock<Mutex<HashMap<String, watch::Sender<bool>>>> = LazyLock::new(Mutex::default);

pub(crate) async fn take(step: &Json, answer: &mut Answer) -> Result<(), Status> {
    let text = |key: &str| step[key].as_str().unwrap_or_default();
    match text("do") {
        "log" => log(text("level"), text("message")),
        "log_crate" => {
            let level = text("level").parse().map_err(failed)?;
            log::log!(target: "a::log::target", level, "{}", text("message"));
        }
        "log_error" => {
            let error: &dyn std::error::Error = &Outer(Middle(Inner));
            tracing::error!(error, "it failed");
        }
        "log_fields" => {
            tracing::info!(
                row = 7,
                ratio = 0.5,
                big = u64::MAX,
                ok = true,
                name = "n",
                "fields"
            );
        }
        "log_without_text" => tracing::info!(row = 7),
        "log_bad_debug" => tracing::info!(bad = ?PanicsInDebug, "before and after"),
        "log_big" => {
            let bytes = count(step, "bytes")?;
            log(text("level"), &"x".repeat(bytes));
        }
        "log_at_drop" => {
            let _last = LogsWhenDropped;
            std::future::pending::<()>().await;
        }
        "user_message" => user_message!("{}", text("text")),
        "user_markdown" => {
            if let Some(diagnostics) = Diagnostics::installed() {
                diagnostics.user_message_markdown(text("text"));
            }
        }
        "burst" => {
            let filler = "x".repeat(count(step, "bytes").unwrap_or(0));
            for n in 0..count(step, "count")? {
                log(text("level"), &format!("burst {n} {filler}"));
            }
        }
        "gate" => {
            let mut opened = gate(text("name")).subscribe();
            opened.wait_for(|open| *open).await.map_err(failed)?;
        }
        "open" => {
            gate(text("name")).send_replace(true);
        }
        "sleep_ms" => {
            let ms = step["ms"].as_u64().unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        "stderr" => writeln!(stderr(), "{}", text("text")).map_err(failed)?,
        "stdout" => writeln!(stdout(), "{}", text("text")).map_err(failed)?,
        "child_environment" => answer["environment"] = child_environment()?,
        "log_max_level" => answer["level"] = log::max_level().to_string().into(),
        "host_call" => host_call().await?,
        "reply_error" => return Err(status_of(step)),
        "panic" => panic!("{}", text("message")),
        "exit" => std::process::exit(7),
        other => return Err(Status::unimplemented(format!("no step {other:?}"))),
    }
    Ok(())
}

pub(crate) fn log(level: &str, message: &str) {
    match level {
        "TRACE" => tracing::trace!("{message}"),
        "DEBUG" => tracing::debug!("{message}"),
        "WARN" => tracing::warn!("{message}"),
        "ERROR" => tracing::error!("{message}"),
        _ => tracing::info!("{message}"),
    }
}

fn count(step: &Json, key: &str) -> Result<usize, Status> {
    let found = step[key].as_u64();
    let found = found.ok_or_else(|| failed(format!("{key} is missing")))?;
    usize::try_from(found).map_err(failed)
}

fn gate(name: &str) -> watch::Sender<bool> {
    let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
    gates.entry(name.to_owned()).or_default().clone()
}

/// What a process that the plugin starts sees of the driver's word.
fn child_environment() -> Result<Json, Status> {
    let mut command = Command::new("env");
    let output = scrub_environment(&mut command).output().map_err(failed)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text
        .lines()
        .filter(|line| line.starts_with("PLUGOBS_") || line.starts_with("PACT_"))
        .collect())
}

async fn host_call() -> Result<(), Status> {
    let host = std::env::var("PACT_PLUGIN_HOST").map_err(failed)?;
    let endpoint = Channel::from_shared(format!("http://{host}")).map_err(failed)?;
    let channel = endpoint.connect().await.map_err(failed)?;
    let mut client = PluginHostClient::with_interceptor(channel, HostCalls);
    let request = pact::HostCompareContentsRequest::default();
    client.compare_contents(request).await.map(drop)
}

#[derive(Debug)]
struct Outer(Middle);
#[derive(Debug)]
struct Middle(Inner);
#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot read the file")
    }
}

impl fmt::Display for Middle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("row 7 is broken")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such column")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl std::error::Error for Middle {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl std::error::Error for Inner {}

struct PanicsInDebug;

impl fmt::Debug for PanicsInDebug {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("Debug panics")
    }
}

struct LogsWhenDropped;

impl Drop for LogsWhenDropped {
    fn drop(&mut self) {
        tracing::warn!("dropped");
        user_message!("dropped, user");
    }
}
