//! The reference plugin, unchanged, under the deployed driver in a process of
//! its own. `conformance/peers/README.md` says what a person has of it there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

/// What a run of the peer left.
struct Peer {
    /// Values that it printed, in their order.
    printed: Vec<Value>,
    /// Its log file for the plugin's standard error.
    stderr_file: String,
    _folder: TempDir,
}

impl Peer {
    /// Lets eight tests call the plugin at once.
    fn run(level: &str) -> Self {
        let folder = TempDir::new().unwrap();
        install(folder.path());
        let output = Command::new(env!("CARGO_BIN_EXE_pact-host"))
            .arg(level)
            .env("PACT_PLUGIN_DIR", folder.path())
            .env("PACT_OUTPUT_DIR", folder.path())
            .env("pact_do_not_track", "true")
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {stderr}", output.status);
        let printed = String::from_utf8(output.stdout).unwrap();
        let lines = printed
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        let printed = lines.collect();
        let logs = fs::read_dir(folder.path().join("logs")).unwrap();
        let logs: Vec<_> = logs.map(|file| file.unwrap().path()).collect();
        assert_eq!(logs.len(), 1, "{logs:?}");
        Self {
            printed,
            stderr_file: fs::read_to_string(&logs[0]).unwrap(),
            _folder: folder,
        }
    }

    fn values(&self, key: &str) -> Vec<&Value> {
        self.printed
            .iter()
            .filter_map(|line| line.get(key))
            .collect()
    }

    /// Records that came over the driver's log call.
    fn records(&self) -> Vec<Entry<'_>> {
        let entries = self.values("entry").into_iter().map(Entry);
        entries
            .filter(|entry| entry.text("source") == "LogRpc")
            .collect()
    }
}

#[derive(Clone, Copy)]
struct Entry<'a>(&'a Value);

impl<'a> Entry<'a> {
    fn text(self, key: &str) -> &'a str {
        self.0[key].as_str().unwrap_or_default()
    }
}

fn install(plugins: &Path) {
    let folder = plugins.join("plugobs-csv-0.1.0");
    fs::create_dir(&folder).unwrap();
    let manifest = json!({
        "manifestVersion": 1,
        "pluginInterfaceVersion": 2,
        "name": "plugobs-csv",
        "version": "0.1.0",
        "executableType": "exec",
        "entryPoint": env!("CARGO_BIN_EXE_csv-plugin"),
    });
    fs::write(folder.join("pact-plugin.json"), manifest.to_string()).unwrap();
}

#[test]
fn its_calls_are_served() {
    let peer = Peer::run("info");
    assert_eq!(peer.values("loaded").len(), 1);
    let generated = peer.values("generated");
    assert_eq!(generated.len(), 8);
    for body in generated {
        let body = body.as_str().unwrap();
        // This driver sorts the columns of a definition.
        let count = body.strip_prefix("Count,Name\n").unwrap();
        let count = count.strip_suffix(",Ann\n").unwrap();
        assert!((1..=9).contains(&count.parse::<u32>().unwrap()), "{body}");
    }
    let compared = peer
        .printed
        .iter()
        .filter(|line| line.get("compared").is_some());
    let (wrong, right): (Vec<_>, Vec<_>) = compared.partition(|line| line["count"] != "1");
    assert_eq!((wrong.len(), right.len()), (9, 8));
    for line in right {
        assert_eq!(line["mismatches"], json!([]), "{line}");
    }
    for line in wrong {
        let mismatch = line["mismatches"][0].as_str().unwrap();
        assert!(mismatch.contains(line["count"].as_str().unwrap()), "{line}");
    }
}

#[test]
fn every_record_has_the_instance_and_the_test_that_the_peer_sent() {
    let peer = Peer::run("info");
    let instance = peer.values("loaded")[0].as_str().unwrap();
    let records = peer.records();
    for record in &records {
        assert_eq!(record.text("plugin_instance_id"), instance, "{}", record.0);
    }

    // Each mismatch quotes a value of its own, which says whose it is.
    let mut mismatches = BTreeMap::new();
    for record in &records {
        if record.text("target") == "plugobs.user" {
            let message = record.text("message");
            let of_test = message.split("of-test-").nth(1);
            let n = of_test.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect());
            mismatches.insert(n.unwrap_or_else(String::new), record.text("test_run_id"));
        }
    }
    let wanted: Vec<_> = (0..8)
        .map(|n| (n.to_string(), format!("suite.py::test_{n}")))
        .collect();
    let mut found: Vec<_> = mismatches
        .iter()
        .map(|(n, id)| (n.clone(), (*id).to_owned()))
        .collect();
    // The call that was no test's.
    assert_eq!(found.remove(0), (String::new(), String::new()));
    assert_eq!(found, wanted);

    // It sends the ID with a configuration and a comparison, and not with a
    // generation.
    let ids_of = |text: &str| -> Vec<_> {
        let told = records
            .iter()
            .filter(|r| r.text("message").starts_with(text));
        told.map(|record| record.text("test_run_id")).collect()
    };
    let all: BTreeSet<_> = wanted.iter().map(|(_, id)| id.as_str()).collect();
    let configured = ids_of("configured a CSV interaction");
    assert_eq!(configured.len(), 9);
    let configured: BTreeSet<_> = configured.into_iter().filter(|id| !id.is_empty()).collect();
    assert_eq!(configured, all);
    let matched: BTreeSet<_> = ids_of("the CSV body matches").into_iter().collect();
    assert_eq!(matched, all);
    assert_eq!(ids_of("generated CSV content"), [""; 8]);
}

#[test]
fn levels_lifecycle_and_standard_error_are_as_it_reads_them() {
    let peer = Peer::run("info");
    let records = peer.records();
    for record in &records {
        assert!(
            ["INFO", "WARN", "ERROR"].contains(&record.text("level")),
            "{}",
            record.0
        );
        assert!(record.0["timestamp_ms"].as_i64().unwrap() > 1_700_000_000_000);
        assert!(!record.text("target").is_empty());
    }
    let targets: BTreeSet<_> = records.iter().map(|record| record.text("target")).collect();
    for event in ["started", "init_received", "catalogue_registered", "ready"] {
        let target = format!("plugobs.lifecycle.plugin.{event}");
        assert!(targets.contains(target.as_str()), "{targets:?}");
    }
    // Each record takes one path: nothing is said twice.
    assert_eq!(peer.stderr_file, "");

    let peer = Peer::run("debug");
    let debug = peer
        .records()
        .into_iter()
        .filter(|r| r.text("level") == "DEBUG");
    let targets: BTreeSet<_> = debug.map(|record| record.text("target")).collect();
    assert!(
        targets
            .iter()
            .any(|target| target.starts_with("plugobs_csv"))
    );
    let noise = ["h2", "hyper", "hyper_util", "tonic", "tower"];
    let is_noise = |target: &&&str| noise.contains(&target.split("::").next().unwrap());
    assert_eq!(targets.iter().find(is_noise), None);
}
