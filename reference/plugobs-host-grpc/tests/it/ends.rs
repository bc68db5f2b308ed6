//! What is left when instances have ended: their records, and nothing else.

use plugobs_core::registry::event;
use plugobs_driver::CallOptions;
use serde_json::json;

use super::support::{SOON, command, driver, plugin, request, run_alone, serving};

#[tokio::test]
async fn what_a_dying_plugin_had_sent_is_stored_before_its_end_is_told() {
    let (driver, plugin, records) = serving().await;
    let hello = json!({"do": "open", "name": "a", "token": "own"});
    command(&plugin, "stream", hello).await;
    let flood = json!({
        "do": "flood", "name": "a", "from": 1, "batches": 200, "records": 50, "bytes": 200,
    });
    command(&plugin, "stream", flood).await;
    let wait = json!({"do": "await", "name": "a", "member": "through"});
    let heard = command(&plugin, "stream", wait).await;
    let through = heard.as_array().unwrap().iter();
    let through = through.filter_map(|e| e["through"].as_u64()).max().unwrap();
    let made = plugin.call(request("abort", json!({})), CallOptions::default());
    assert!(made.await.result.is_err());
    driver.shutdown().await;
    let all = records.all();
    let end = all
        .iter()
        .position(|r| r.event_name.as_deref() == Some(event::INSTANCE_EXITED))
        .unwrap();
    let of_stream = |r: &&plugobs_core::Record| r.source.as_deref() == Some("stream");
    assert!(!all[end..].iter().any(|r| of_stream(&r)));
    let stored: Vec<_> = all.iter().filter(of_stream).map(|r| r.sequence).collect();
    let expected: Vec<_> = (1..=stored.len() as u64).map(Some).collect();
    assert_eq!(stored, expected, "without a gap from the first");
    assert!(
        stored.len() as u64 >= through,
        "what was acknowledged is stored"
    );
}

/// In a process of its own, because other tests have files and threads too.
#[cfg(target_os = "linux")]
#[test]
fn many_instances_leave_nothing_behind() {
    const HERE: &str = "HOSTED_LEFTOVERS_TEST";
    if std::env::var_os(HERE).is_none() {
        return run_alone("ends::many_instances_leave_nothing_behind", HERE);
    }
    let entries = |of: &str| {
        std::fs::read_dir(format!("/proc/self/{of}"))
            .unwrap()
            .count()
    };
    let (driver, _) = driver();
    let round = || {
        let plugins: Vec<_> = (0..20)
            .map(|_| {
                driver
                    .wait(driver.load_manifest(plugin(&["serve"])))
                    .unwrap()
            })
            .collect();
        for plugin in &plugins {
            let hello = json!({"do": "open", "name": "a", "token": "own", "obeys": true});
            driver.wait(command(plugin, "stream", hello));
        }
        for plugin in plugins {
            driver.wait(plugin.stop());
            let pid = plugin.info().pid.unwrap();
            assert!(!super::support::exists(pid), "{pid} is left");
        }
    };
    round();
    let (files, threads) = (entries("fd"), entries("task"));
    round();
    round();
    let until = std::time::Instant::now() + SOON;
    while entries("fd") > files || entries("task") > threads {
        assert!(
            std::time::Instant::now() < until,
            "{} files of {files}, {} threads of {threads}",
            entries("fd"),
            entries("task"),
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    driver.wait(driver.shutdown());
}
