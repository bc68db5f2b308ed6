//! A driver works from any runtime, from several at once, and from none
//! (OBS-OUT-18, OBS-OUT-19).

use plugobs_driver::{CallOptions, TestRun};

use super::fake::{Fake, any_request, builder, loaded, manifest};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

#[test]
fn from_no_runtime() {
    let (builder, _records) = builder(&Fake::silent());
    let driver = builder.build().unwrap();
    let plugin = driver.wait(driver.load_manifest(manifest())).unwrap();
    let test = driver.begin_test(TestRun::new("t"));
    let made = driver.wait(plugin.call(any_request(), CallOptions::for_test(&test)));
    made.result.unwrap();
    driver.wait(test.end("passed"));
    driver.wait(driver.shutdown());
}

#[test]
fn from_two_runtimes_of_which_the_first_ends() {
    let fake = Fake::silent();
    let first = runtime();
    let (driver, plugin, _records) = first.block_on(loaded(&fake));
    drop(first);
    let made = runtime().block_on(plugin.call(any_request(), CallOptions::default()));
    made.result.unwrap();
    runtime().block_on(driver.shutdown());
}

#[test]
fn two_drivers_in_one_process_share_nothing() {
    let (one, two) = (Fake::silent(), Fake::silent());
    let runtime = runtime();
    let (first, first_plugin, first_records) = runtime.block_on(loaded(&one));
    let (second, second_plugin, second_records) = runtime.block_on(loaded(&two));
    assert_ne!(first.run_id(), second.run_id());
    runtime.block_on(async {
        first_plugin
            .call(any_request(), CallOptions::default())
            .await
            .result
            .unwrap();
        first.shutdown().await;
        second_plugin
            .call(any_request(), CallOptions::default())
            .await
            .result
            .unwrap();
        second.shutdown().await;
    });
    assert!(first_records.ended() && second_records.ended());
    let runs = |records: &plugobs_driver::sink::memory::MemoryRecords, id: &str| {
        records
            .all()
            .iter()
            .all(|r| r.run_id.as_deref() == Some(id))
    };
    assert!(runs(&first_records, first.run_id().as_str()));
    assert!(runs(&second_records, second.run_id().as_str()));
}

#[test]
fn dropping_a_driver_inside_of_a_runtime_does_not_panic() {
    runtime().block_on(async {
        let (driver, plugin, _records) = loaded(&Fake::silent()).await;
        drop(plugin);
        drop(driver);
    });
}
