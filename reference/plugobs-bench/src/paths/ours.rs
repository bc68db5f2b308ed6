//! The driver of this repository as the host.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use plugobs_driver::interface::{Request, Response};
use plugobs_driver::sink::{Sink, SinkError, SinkEvent};
use plugobs_driver::{CallOptions, Driver, DriverBuilder, Manifest, Plugin, TestRun};
use plugobs_host_grpc::GrpcHost;
use plugobs_runfile::{RunFolder, RunOptions};
use serde::de::DeserializeOwned;
use serde_json::{Map, json};
use tempfile::TempDir;

use super::{Counter, Measured, Path, wait};
use crate::record::{TARGET, TEST};
use crate::usage::{Usage, cpu_ns};

/// Longer than any measurement.
const CALL_WAIT: Duration = Duration::from_hours(1);

pub(super) struct Counted(pub(super) Counter);

impl Sink for Counted {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn accept(&mut self, event: &SinkEvent) -> Result<(), SinkError> {
        if let SinkEvent::Records(records) = event {
            let ours = records.iter().filter(|record| record.target == TARGET);
            self.0.add(ours.count() as u64);
        }
        Ok(())
    }
}

/// A driver with the plugin of the path loaded, and what it writes to.
pub struct Host {
    pub driver: Driver,
    pub plugin: Plugin,
    _folders: (TempDir, Option<TempDir>),
}

impl Host {
    /// Starts it, with one more sink.
    pub async fn start(
        path: Path,
        sink: Option<Box<dyn FnOnce(DriverBuilder) -> DriverBuilder>>,
    ) -> Result<Self> {
        let (plugins, folder) = super::install(path)?;
        let mut builder = Driver::builder()
            .transport(GrpcHost::new())
            .call_timeout(CALL_WAIT);
        if let Some(add) = sink {
            builder = add(builder);
        }
        let mut run_folder = None;
        if path == Path::Everything {
            let root = run_folder.insert(tempfile::tempdir()?);
            let sink = RunFolder::create(root.path(), builder.run_id(), RunOptions::default())?;
            builder = builder.sink(sink);
        }
        let driver = builder.build()?;
        let manifest = Manifest::read(&folder)?;
        let plugin = driver.load_manifest(manifest).await?;
        Ok(Self {
            driver,
            plugin,
            _folders: (plugins, run_folder),
        })
    }

    /// Has the plugin do something, and gives its answer.
    pub async fn order<T: DeserializeOwned>(&self, order: &[(&str, u64)]) -> Result<T> {
        let test = self.driver.begin_test(TestRun::new(TEST));
        let order = order
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)));
        let order: Map<_, _> = order.collect();
        let request = Request::ConfigureInteraction {
            content_type: "application/bench".to_owned(),
            contents_config: order,
        };
        let answer = self
            .plugin
            .call(request, CallOptions::for_test(&test))
            .await;
        let Response::Configured { interactions, .. } = answer.result? else {
            bail!("another answer than was asked for");
        };
        let body = interactions.first().and_then(|i| i.contents.as_ref());
        let content = body.and_then(|body| body.content.as_ref());
        Ok(serde_json::from_slice(content.context("no content")?)?)
    }
}

#[tokio::main]
pub(super) async fn measure(path: Path, records: u64) -> Result<Measured> {
    let (counter, all) = Counter::new(records);
    let add = move |builder: DriverBuilder| builder.sink(Counted(counter));
    let host = Host::start(path, Some(Box::new(add))).await?;
    let (begun, before) = (Instant::now(), cpu_ns());
    let plugin = host.order(&[("records", records)]).await?;
    let ended = wait(&all)?;
    let usage = Usage::since(before)?;
    let losses = host.driver.shutdown().await;
    if let Some(loss) = losses.iter().find(|loss| loss.lost_records > 0) {
        bail!("a sink lost records: {loss:?}");
    }
    Ok(Measured {
        records,
        elapsed_ns: u64::try_from((ended - begun).as_nanos())?,
        host: usage,
        plugin,
    })
}
