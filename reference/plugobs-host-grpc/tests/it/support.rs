//! A driver, plugins for it, and what they left behind.

use std::path::PathBuf;
use std::time::Duration;

use plugobs_core::Record;
use plugobs_driver::interface::{Request, Response};
use plugobs_driver::sink::OutputStream;
use plugobs_driver::sink::memory::{MemoryRecords, MemorySink};
use plugobs_driver::{CallOptions, Driver, DriverBuilder, Manifest, Plugin, PluginFailure};
use plugobs_host_grpc::GrpcHost;
use serde_json::{Map, Value as Json};

/// Longer than anything takes on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Between two looks at what gives no notice of its change.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// The plugin of many manners, with these steps.
pub(crate) fn plugin(steps: &[&str]) -> Manifest {
    manifest(env!("CARGO_BIN_EXE_plugobs-host-grpc-test-plugin"), steps)
}

/// A plugin that is a shell script.
pub(crate) fn shell(script: &str) -> Manifest {
    manifest("/bin/sh", &["-c", script])
}

/// The shell, which becomes the plugin of many manners.
pub(crate) fn shell_then_plugin(script: &str, steps: &[&str]) -> Manifest {
    let program = env!("CARGO_BIN_EXE_plugobs-host-grpc-test-plugin");
    let script = format!("{script}; exec {program} {}", steps.join(" "));
    shell(&script)
}

/// The shell, with the plugin of many manners as its child.
pub(crate) fn shell_around_plugin(script: &str, steps: &[&str]) -> Manifest {
    let program = env!("CARGO_BIN_EXE_plugobs-host-grpc-test-plugin");
    shell(&format!("{script}; {program} {} & wait", steps.join(" ")))
}

pub(crate) fn manifest(program: &str, arguments: &[&str]) -> Manifest {
    Manifest {
        name: "test".to_owned(),
        version: "1.2.3".parse().unwrap(),
        interface_version: 2,
        executable_type: "exec".to_owned(),
        folder: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        entry_point: program.to_owned(),
        args: arguments.iter().map(|a| (*a).to_owned()).collect(),
        minimum_required_version: None,
        plugin_config: Map::new(),
    }
}

/// A driver whose records are kept in memory.
pub(crate) fn driver_with(
    change: impl FnOnce(DriverBuilder) -> DriverBuilder,
) -> (Driver, MemoryRecords) {
    let (sink, records) = MemorySink::new(200_000);
    let builder = Driver::builder()
        .transport(GrpcHost::new())
        .sink(sink)
        .stop_grace(Duration::from_millis(300));
    (change(builder).build().unwrap(), records)
}

pub(crate) fn driver() -> (Driver, MemoryRecords) {
    driver_with(|builder| builder)
}

/// A plugin that serves interface 2, under a driver of its own.
pub(crate) async fn serving() -> (Driver, Plugin, MemoryRecords) {
    let (driver, records) = driver();
    let plugin = driver.load_manifest(plugin(&["serve"])).await.unwrap();
    (driver, plugin, records)
}

/// The failure of a plugin that does not start.
pub(crate) async fn failed_start(driver: &Driver, manifest: Manifest) -> PluginFailure {
    match driver.load_manifest(manifest).await {
        Err(failure) => failure,
        Ok(_) => panic!("it started"),
    }
}

/// One command of the plugin's, and its answer.
pub(crate) async fn command(plugin: &Plugin, name: &str, arguments: Json) -> Json {
    command_for(plugin, CallOptions::default(), name, arguments).await
}

pub(crate) async fn command_for(
    plugin: &Plugin,
    options: CallOptions,
    name: &str,
    arguments: Json,
) -> Json {
    let made = plugin.call(request(name, arguments), options).await;
    match made.result {
        Ok(response) => answer(response),
        Err(failure) => panic!("{failure}"),
    }
}

pub(crate) fn request(name: &str, arguments: Json) -> Request {
    let Json::Object(contents_config) = arguments else {
        panic!("arguments are an object");
    };
    Request::ConfigureInteraction {
        content_type: name.to_owned(),
        contents_config,
    }
}

pub(crate) fn answer(response: Response) -> Json {
    let Response::Configured { interactions, .. } = response else {
        panic!("{response:?}");
    };
    let body = interactions[0].contents.clone().unwrap();
    serde_json::from_slice(&body.content.unwrap()).unwrap()
}

/// Waits for a record with that message and gives it.
pub(crate) fn find(records: &MemoryRecords, message: &str) -> Record {
    find_where(records, &format!("message {message:?}"), |record| {
        record.message == message
    })
}

/// Waits for a lifecycle record of that event and gives it.
pub(crate) fn find_event(records: &MemoryRecords, event: &str) -> Record {
    find_where(records, &format!("event {event}"), |record| {
        record.event_name.as_deref() == Some(event)
    })
}

pub(crate) fn find_where(
    records: &MemoryRecords,
    what: &str,
    is: impl Fn(&Record) -> bool,
) -> Record {
    let found = records.wait_for(SOON, |all| all.iter().any(&is));
    let told = || {
        let all = records.all().into_iter();
        let lines = all.map(|record| plugobs_core::json::to_json_line(&record));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert!(found, "no {what} among\n{}", told());
    let mut all = records.all();
    all.retain(is);
    all.remove(0)
}

pub(crate) fn events(records: &MemoryRecords) -> Vec<String> {
    let all = records.all().into_iter();
    all.filter_map(|record| record.event_name.map(String::from))
        .collect()
}

/// The attribute, as JSON writes it.
pub(crate) fn attribute(record: &Record, key: &str) -> Json {
    let json: Json = serde_json::from_str(&plugobs_core::json::to_json_line(record)).unwrap();
    json["attributes"][key].clone()
}

pub(crate) fn raw(records: &MemoryRecords, plugin: &Plugin, stream: OutputStream) -> Vec<u8> {
    records.output(plugin.instance_id().as_str(), stream)
}

/// Waits until the raw output holds the text.
pub(crate) fn wait_for_raw(
    records: &MemoryRecords,
    plugin: &Plugin,
    stream: OutputStream,
    text: &[u8],
) -> Vec<u8> {
    let holds = || memchr::memmem::find(&raw(records, plugin, stream), text).is_some();
    let until = std::time::Instant::now() + SOON;
    while !holds() {
        let output = raw(records, plugin, stream);
        let output = String::from_utf8_lossy(&output).into_owned();
        assert!(std::time::Instant::now() < until, "only {output:?}");
        std::thread::sleep(LOOK_AGAIN);
    }
    raw(records, plugin, stream)
}

/// Whether a process of that number exists, be it as a zombie.
pub(crate) fn exists(pid: u32) -> bool {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::test_kill_process(pid).is_ok()
}

/// Waits until no process of that number exists.
pub(crate) fn wait_until_gone(pid: u32) {
    let until = std::time::Instant::now() + SOON;
    while exists(pid) {
        assert!(std::time::Instant::now() < until, "{pid} is still there");
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Runs that test in a process of its own, where `variable` is set: what a
/// process has as a whole is not measured beside other tests.
pub(crate) fn run_alone(test: &str, variable: &str) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(variable, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}
