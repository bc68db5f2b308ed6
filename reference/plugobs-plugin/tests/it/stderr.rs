//! Record lines, where there is no driver.

use std::fs;
use std::path::Path;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::peer::{INSTANCE, Offer};

fn schema(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let path = folder.join(format!("{name}.schema.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn validator() -> Validator {
    let mut registry = Registry::new();
    for name in ["record", "run-record", "registries", "stderr-record"] {
        let schema = schema(name);
        let id = schema["$id"].as_str().unwrap().to_owned();
        registry = registry.add(id, schema).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let options = jsonschema::options().with_registry(&registry);
    options.build(&schema("stderr-record")).unwrap()
}

#[tokio::test]
async fn every_line_keeps_the_schema() {
    let validator = validator();
    for instance in ["", INSTANCE] {
        let offer = Offer::default().with("PACT_PLUGIN_INSTANCE_ID", instance);
        let mut plugin = offer.start().await;
        if instance == INSTANCE {
            plugin.init().await.unwrap();
        }
        let steps = json!([
            {"do": "log", "level": "INFO", "message": "text \u{202e} \u{7} \u{1b}[31m \"q\""},
            {"do": "log_fields"},
            {"do": "log_without_text"},
            {"do": "log_error"},
            {"do": "log_bad_debug"},
            {"do": "log_big", "level": "WARN", "bytes": 60_000},
            {"do": "user_message", "text": "for the user"},
            {"do": "spawn", "steps": [{"do": "panic", "message": "a panic"}]},
            {"do": "burst", "level": "INFO", "count": 50},
        ]);
        let metadata = [
            ("plugin-test-run-id", "t-2"),
            ("plugin-call-id", "019ab3f2-7c1a-7d30-8a55-1c0e5b6f9a02"),
            (
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ),
        ];
        plugin.run_for(&metadata, Some("t-1"), steps).await;
        plugin.line_of("panicked: a panic").await;
        plugin.terminate();
        assert!(plugin.exit().await.success());
        let lines = plugin.stderr();
        let of_records: Vec<_> = lines
            .iter()
            .filter(|l| l.starts_with("{\"plugobs\":1,"))
            .collect();
        for line in &of_records {
            let value: Value = serde_json::from_str(line).unwrap();
            let problems: Vec<_> = validator
                .iter_errors(&value)
                .map(|e| e.to_string())
                .collect();
            assert!(problems.is_empty(), "{line}: {problems:?}");
            assert!(line.len() <= 32_768);
            assert_eq!(
                value.get("pluginInstanceId").is_some(),
                instance == INSTANCE
            );
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'));
        }
        let records = plugin.record_lines();
        let sequences: Vec<_> = records.iter().filter_map(|r| r.sequence).collect();
        assert_eq!(sequences, (1..=of_records.len() as u64).collect::<Vec<_>>());
        assert_eq!(records[0].event_name.as_deref(), Some("plugin.started"));
        let last = records.last().unwrap();
        assert_eq!(last.event_name.as_deref(), Some("plugin.stopping"));
        let error = records.iter().find(|r| r.message == "it failed").unwrap();
        assert_eq!(error.test_run_id.as_deref(), Some("t-1"));
        assert!(error.has_mark("id_conflict"));
    }
}

#[tokio::test]
async fn lines_of_many_threads_do_not_mix() {
    let mut plugin = Offer::default().start().await;
    let burst = json!([{"do": "burst", "level": "INFO", "count": 200, "bytes": 3000}]);
    let threads: Vec<_> = (0..8)
        .map(|_| json!({"do": "thread", "steps": burst}))
        .chain([json!({"do": "join"})])
        .collect();
    plugin.run(json!(threads)).await;
    plugin.terminate();
    assert!(plugin.exit().await.success());
    let lines = plugin.stderr();
    assert_eq!(plugin.record_lines().len(), lines.len());
    assert_eq!(lines.len(), 1 + 8 * 200 + 1);
    let sequences: Vec<_> = plugin
        .record_lines()
        .iter()
        .filter_map(|r| r.sequence)
        .collect();
    assert!(sequences.is_sorted());
}

#[tokio::test]
async fn a_reader_that_has_stopped_holds_up_no_call() {
    let read = Arc::new(Notify::new());
    let offer = Offer::default().stderr_after(&read);
    let mut plugin = offer.start().await;
    // Far more than a pipe holds.
    let steps = json!([{"do": "burst", "level": "INFO", "count": 5000, "bytes": 200}]);
    for _ in 0..3 {
        let begun = Instant::now();
        plugin.run(steps.clone()).await;
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
    }
    read.notify_one();
    // What could be written is there, what could not is counted.
    plugin
        .run(json!([{"do": "log", "level": "INFO", "message": "read again"}]))
        .await;
    plugin.line_of("read again").await;
    let lines = plugin.stderr();
    let lost = lines.iter().find_map(|line| {
        let told = line.strip_prefix("plugobs: nobody read standard error, ")?;
        told.split(' ').next()?.parse::<usize>().ok()
    });
    let bursts = plugin.record_lines().into_iter();
    let bursts = bursts
        .filter(|record| record.message.starts_with("burst"))
        .count();
    assert!(bursts > 0);
    assert_eq!(bursts + lost.unwrap(), 15_000);
}
