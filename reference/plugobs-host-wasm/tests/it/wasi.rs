//! A component that prints, where its user gives it something to print on. It
//! is `conformance/guests/python`, built with WASI; `PLUGOBS_WASI_GUEST` names it.

use plugobs_core::registry::FailureCode;
use plugobs_driver::sink::OutputStream;
use plugobs_driver::sink::memory::MemorySink;
use plugobs_driver::{CallOptions, Driver};
use plugobs_host_wasm::WasmHost;
use serde_json::json;

use crate::support::{command, find, manifest};

fn guest() -> String {
    std::env::var("PLUGOBS_WASI_GUEST").expect("PLUGOBS_WASI_GUEST names a component with WASI")
}

fn host() -> WasmHost {
    WasmHost::new().cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/components"))
}

#[tokio::test]
async fn what_it_prints_is_raw_output_of_its_instance() {
    let (sink, records) = MemorySink::new(10_000);
    let builder = Driver::builder().transport(host().wasi()).sink(sink);
    let driver = builder.build().unwrap();
    let plugin = driver.load_manifest(manifest(&guest())).await.unwrap();
    for name in ["print", "say"] {
        let made = command(&plugin, CallOptions::default(), name, json!({})).await;
        made.unwrap();
    }
    find(&records, "an event");
    driver.shutdown().await;
    let id = plugin.instance_id().as_str();
    let output = |stream| String::from_utf8(records.output(id, stream)).unwrap();
    assert_eq!(output(OutputStream::Stdout), "on standard output\n");
    assert_eq!(output(OutputStream::Stderr), "on standard error\n");
    // It is no record.
    let all = records.all();
    assert!(!all.iter().any(|r| r.message.contains("on standard")));
}

#[tokio::test]
async fn without_it_such_a_component_cannot_start() {
    let driver = Driver::builder().transport(host()).build().unwrap();
    let failure = driver
        .load_manifest(manifest(&guest()))
        .await
        .err()
        .unwrap();
    assert_eq!(failure.code(), FailureCode::CannotStart);
    assert!(failure.to_string().contains("wasi:"), "{failure}");
    driver.shutdown().await;
}
