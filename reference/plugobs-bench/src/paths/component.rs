//! A component in the driver's own process: the log call is the whole way.

use std::path::Path as FilePath;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use plugobs_driver::interface::Request;
use plugobs_driver::{CallOptions, CallReturn, Driver, Manifest, Plugin, TestRun};
use plugobs_host_wasm::{Bounds, WasmHost};
use plugobs_runfile::{RunFolder, RunOptions};
use serde_json::{Map, json};

use super::ours::Counted;
use super::{Counter, Measured, Path, wait};
use crate::record::{FIRST, TEST, TEXT};
use crate::usage::{Usage, cpu_ns};

/// Longer than any measurement.
const CALL_WAIT: Duration = Duration::from_hours(1);
/// Records of one call. Those of two calls fit into the driver's queue: where it
/// is full, records are shed, and a component cannot wait for room.
const RECORDS_A_CALL: u64 = 5_000;

/// What the component is asked for by default: log calls of its code.
pub const BENCH: &str = "application/bench";

/// The component of the Rust SDK that does what its calls say.
pub fn manifest() -> Manifest {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/fixtures");
    Manifest {
        name: "bench".to_owned(),
        version: semver::Version::new(0, 1, 0),
        interface_version: 2,
        executable_type: "wasm".to_owned(),
        folder: FilePath::new(fixtures).to_owned(),
        entry_point: "scripted-guest.wasm".to_owned(),
        args: Vec::new(),
        minimum_required_version: None,
        plugin_config: Map::new(),
    }
}

/// A host without the bounds that a measurement would meet.
pub fn host() -> WasmHost {
    let mut bounds = Bounds::default();
    bounds.call_time = CALL_WAIT;
    bounds.call_records = u64::MAX;
    WasmHost::new().bounds(bounds)
}

/// Has the component log so many records, from this one.
pub async fn log(
    plugin: &Plugin,
    content_type: &str,
    options: CallOptions,
    first: u64,
    records: u64,
) -> Result<CallReturn> {
    let order = json!({
        "text": TEXT, "first": FIRST + first, "records": records,
        "instance": plugin.instance_id().as_str(),
    });
    let serde_json::Value::Object(contents_config) = order else {
        bail!("no object");
    };
    let request = Request::ConfigureInteraction {
        content_type: content_type.to_owned(),
        contents_config,
    };
    let made = plugin.call(request, options).await;
    made.result.as_ref().map_err(Clone::clone)?;
    Ok(made)
}

#[tokio::main]
pub(super) async fn measure(path: Path, records: u64) -> Result<Measured> {
    let (counter, all) = Counter::new(records);
    let mut builder = Driver::builder()
        .transport(host())
        .call_timeout(CALL_WAIT)
        .sink(Counted(counter));
    let root = tempfile::tempdir()?;
    if path == Path::ComponentEverything {
        let sink = RunFolder::create(root.path(), builder.run_id(), RunOptions::default())?;
        builder = builder.sink(sink);
    }
    let driver = builder.build()?;
    let plugin = driver.load_manifest(manifest()).await?;
    let test = driver.begin_test(TestRun::new(TEST));
    let (begun, before) = (Instant::now(), cpu_ns());
    let content_type = match path {
        Path::ComponentCall => "application/bench-host-call",
        _ => BENCH,
    };
    let (mut first, mut before_it) = (0, None::<CallReturn>);
    while first < records {
        let next = RECORDS_A_CALL.min(records - first);
        let made = log(
            &plugin,
            content_type,
            CallOptions::for_test(&test),
            first,
            next,
        )
        .await?;
        if let Some(call) = before_it.replace(made) {
            call.report().await;
        }
        first += next;
    }
    let ended = wait(&all)?;
    let usage = Usage::since(before)?;
    let losses = driver.shutdown().await;
    if let Some(loss) = losses.iter().find(|loss| loss.lost_records > 0) {
        bail!("a sink lost records: {loss:?}");
    }
    Ok(Measured {
        records,
        elapsed_ns: u64::try_from((ended - begun).as_nanos())?,
        host: usage,
        // It is a part of the host's process.
        plugin: Usage::NONE,
    })
}
