//! The deployed driver as the host.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use pact_models::content_types::ContentType;
use pact_plugin_driver::catalogue_manager::find_content_matcher;
use pact_plugin_driver::plugin_log_sink::{PluginLogEntry, PluginLogSink, set_plugin_log_sink};
use pact_plugin_driver::plugin_manager::{load_plugin, shutdown_plugins};
use pact_plugin_driver::plugin_models::{PluginDependency, PluginDependencyType};
use pact_plugin_driver::test_context::set_test_run_id;

use super::{Counter, Measured, wait};
use crate::record::{TARGET, TEST};
use crate::usage::{Usage, cpu_ns};

struct Counted(Mutex<Counter>);

impl PluginLogSink for Counted {
    fn log(&self, entry: &PluginLogEntry) {
        if entry.target.as_deref() == Some(TARGET)
            && let Ok(mut counter) = self.0.lock()
        {
            counter.add(1);
        }
    }
}

/// Starts the plugin that the environment's folder has.
pub async fn load() -> Result<()> {
    let plugin = PluginDependency {
        name: "bench".to_owned(),
        version: None,
        dependency_type: PluginDependencyType::Plugin,
    };
    load_plugin(&plugin).await?;
    Ok(())
}

/// Kills it.
pub fn shut_down() {
    shutdown_plugins();
}

#[tokio::main]
pub(super) async fn measure(records: u64) -> Result<Measured> {
    // The folder of plugins is in the environment of this process.
    let (counter, all) = Counter::new(records);
    set_plugin_log_sink(Box::new(Counted(Mutex::new(counter))));
    load().await?;
    set_test_run_id(Some(TEST.to_owned()));
    let content_type = "application/bench";
    let matcher = find_content_matcher(content_type).context("no matcher")?;
    let content_type = ContentType::parse(content_type).map_err(anyhow::Error::msg)?;
    let order = HashMap::from([("records".to_owned(), records.into())]);

    let (begun, before) = (Instant::now(), cpu_ns());
    let (answer, _) = matcher.configure_interaction(&content_type, order).await?;
    let ended = wait(&all)?;
    let host = Usage::since(before)?;

    ensure!(answer.len() == 1, "{} answers", answer.len());
    let plugin = answer[0].body.value().context("no usage")?;
    shut_down();
    Ok(Measured {
        records,
        elapsed_ns: u64::try_from((ended - begun).as_nanos())?,
        host,
        plugin: serde_json::from_slice(&plugin)?,
    })
}
