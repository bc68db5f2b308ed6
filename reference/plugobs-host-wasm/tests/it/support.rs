//! A driver, components for it, and what they left behind.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use plugobs_core::{Record, Value};
use plugobs_driver::interface::{Request, Response};
use plugobs_driver::sink::memory::{MemoryRecords, MemorySink};
use plugobs_driver::{CallOptions, Driver, DriverBuilder, Manifest, Plugin, PluginFailure};
use plugobs_host_wasm::{Bounds, WasmHost};
use serde_json::{Map, Value as Json};

/// Longer than anything takes on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Where the components are: those of the repository, or those that were built
/// from source a moment ago.
pub(crate) fn components() -> PathBuf {
    match std::env::var_os("PLUGOBS_COMPONENTS") {
        Some(folder) => folder.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/fixtures"),
    }
}

pub(crate) fn manifest(component: &str) -> Manifest {
    Manifest {
        name: "test".to_owned(),
        version: "1.2.3".parse().unwrap(),
        interface_version: 2,
        executable_type: "wasm".to_owned(),
        folder: components(),
        entry_point: component.to_owned(),
        args: Vec::new(),
        minimum_required_version: None,
        plugin_config: Map::new(),
    }
}

/// The component that does what its calls tell it, and how its language names
/// what goes wrong.
pub(crate) struct Guest {
    /// Below [`components`], or absolute.
    pub(crate) file: String,
    pub(crate) panic_kind: &'static str,
    pub(crate) error_kind: Option<&'static str>,
    pub(crate) error_message: &'static str,
}

/// That of the Rust SDK, or the one that `PLUGOBS_GUEST` names: the same
/// scenarios hold for a guest in any language.
pub(crate) fn guest() -> Guest {
    let file = std::env::var("PLUGOBS_GUEST");
    let file = file.unwrap_or_else(|_| "scripted-guest.wasm".to_owned());
    let (panic_kind, error_kind, error_message) = match &file {
        python if python.ends_with("python-guest.wasm") => (
            "RuntimeError",
            Some("ValueError"),
            "invalid literal for int() with base 10: 'x'",
        ),
        javascript if javascript.ends_with("javascript-guest.wasm") => (
            "RangeError",
            Some("SyntaxError"),
            "JSON.parse: unexpected character at line 1 column 1 of the JSON data",
        ),
        _ => ("panic", None, "invalid digit found in string"),
    };
    Guest {
        file,
        panic_kind,
        error_kind,
        error_message,
    }
}

pub(crate) fn scripted() -> Manifest {
    manifest(&guest().file)
}

/// One for all tests, because a guest with an interpreter in it takes long to
/// compile.
static HOST: LazyLock<WasmHost> =
    LazyLock::new(|| WasmHost::new().cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/components")));

/// A driver whose records are kept in memory.
pub(crate) fn driver_with(
    bounds: impl FnOnce(&mut Bounds),
    change: impl FnOnce(DriverBuilder) -> DriverBuilder,
) -> (Driver, MemoryRecords) {
    let mut set = Bounds::default();
    bounds(&mut set);
    let (sink, records) = MemorySink::new(400_000);
    let builder = Driver::builder()
        .transport(HOST.clone().bounds(set))
        .sink(sink)
        .stop_grace(Duration::from_millis(300));
    (change(builder).build().unwrap(), records)
}

pub(crate) fn driver() -> (Driver, MemoryRecords) {
    driver_with(|_| {}, |builder| builder)
}

/// The scripted component, under a driver of its own.
pub(crate) async fn serving() -> (Driver, Plugin, MemoryRecords) {
    let (driver, records) = driver();
    let plugin = driver.load_manifest(scripted()).await.unwrap();
    (driver, plugin, records)
}

/// One command of the scripted component.
pub(crate) async fn command(
    plugin: &Plugin,
    options: CallOptions,
    name: &str,
    arguments: Json,
) -> Result<Response, PluginFailure> {
    let Json::Object(contents_config) = arguments else {
        panic!("arguments are an object");
    };
    let request = Request::ConfigureInteraction {
        content_type: name.to_owned(),
        contents_config,
    };
    plugin.call(request, options).await.result
}

pub(crate) fn answer(response: Response) -> Json {
    let Response::Configured {
        interactions,
        error,
        ..
    } = response
    else {
        panic!("{response:?}");
    };
    assert_eq!(error, "");
    let body = interactions[0].contents.clone().unwrap();
    serde_json::from_slice(&body.content.unwrap()).unwrap()
}

/// Waits for a record with that message and gives it.
pub(crate) fn find(records: &MemoryRecords, message: &str) -> Record {
    find_where(records, message, |record| record.message == message)
}

pub(crate) fn find_event(records: &MemoryRecords, event: &str) -> Record {
    find_where(records, event, |record| {
        record.event_name.as_deref() == Some(event)
    })
}

pub(crate) fn find_where(
    records: &MemoryRecords,
    what: &str,
    is: impl Fn(&Record) -> bool,
) -> Record {
    let found = records.wait_for(SOON, |all| all.iter().any(&is));
    let mut all = records.all();
    let said: Vec<_> = all.iter().map(|record| record.message.as_str()).collect();
    assert!(found, "no {what} among {said:#?}");
    all.retain(is);
    all.remove(0)
}

/// The plugin's own records, in their order.
pub(crate) fn of_guest(records: &MemoryRecords) -> Vec<Record> {
    let mut all = records.all();
    all.retain(|record| record.source.as_deref() == Some("wasm"));
    all
}

pub(crate) fn integer(record: &Record, key: &str) -> i64 {
    record.attribute(key).and_then(Value::as_int).unwrap()
}
