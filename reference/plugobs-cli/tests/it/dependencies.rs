//! What the crates must do without, whoever would bring it in. `plugobs-gen`
//! holds what each of them names itself; this follows the names to the end.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::support::repository;

/// A crate of this workspace, and what may be nowhere below it: beginnings of
/// crates' names.
const WITHOUT: [(&str, &[&str]); 6] = [
    // The same code runs in a process, in a component, and in every tool.
    (
        "plugobs-core",
        &[
            "tokio", "tonic", "prost", "wasmtime", "hyper", "h2", "http", "futures", "async",
            "rustix", "mio", "tracing",
        ],
    ),
    // It knows no transport.
    (
        "plugobs-driver",
        &["tonic", "prost", "hyper", "h2", "wasmtime"],
    ),
    (
        "plugobs-runfile",
        &["tonic", "prost", "hyper", "h2", "wasmtime"],
    ),
    (
        "plugobs-view",
        &["tonic", "prost", "hyper", "h2", "wasmtime"],
    ),
    // It is in everybody's plugin.
    (
        "plugobs-plugin",
        &[
            "wasmtime",
            "opentelemetry",
            "clap",
            "jsonschema",
            "plugobs-driver",
        ],
    ),
    (
        "plugobs-csv",
        &[
            "wasmtime",
            "opentelemetry",
            "clap",
            "jsonschema",
            "plugobs-driver",
        ],
    ),
];

#[test]
fn nothing_forbidden_comes_in_through_others() {
    let graph = Graph::read();
    let mut problems = Vec::new();
    for (name, forbidden) in WITHOUT {
        let below = graph.below(name);
        assert!(below.len() > 1, "{name} uses nothing at all?");
        for used in below {
            let is = |start: &&str| used == *start || used.starts_with(&format!("{start}-"));
            if forbidden.iter().any(is) {
                problems.push(format!("{name} has {used} somewhere below it"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_command_line_is_above_all_of_them() {
    let graph = Graph::read();
    let below = graph.below("plugobs-cli");
    for (name, _) in WITHOUT {
        assert!(below.contains(name), "{name} is not part of the program");
    }
    // And the search sees what is far away.
    assert!(below.contains("h2"), "{below:?}");
}

/// Who uses whom, without what only tests and build scripts use.
struct Graph {
    names: BTreeMap<String, String>,
    uses: BTreeMap<String, Vec<String>>,
}

impl Graph {
    fn read() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--offline", "--format-version", "1"])
            .args(["--filter-platform", host().as_str()])
            .current_dir(repository())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = |value: &Value| value.as_array().unwrap().clone();
        let names = list(&metadata["packages"]);
        let names = names.iter().map(|p| (text(&p["id"]), text(&p["name"])));
        let uses = list(&metadata["resolve"]["nodes"]);
        let uses = uses.iter().map(|node| {
            let deps = list(&node["deps"]);
            let normal = deps.iter().filter(|dep| {
                let kinds = list(&dep["dep_kinds"]);
                kinds.iter().any(|kind| kind["kind"].is_null())
            });
            (
                text(&node["id"]),
                normal.map(|dep| text(&dep["pkg"])).collect(),
            )
        });
        Self {
            names: names.collect(),
            uses: uses.collect(),
        }
    }

    /// The names of everything below the crate, itself included.
    fn below(&self, name: &str) -> BTreeSet<&str> {
        let start = self.names.iter().find(|(_, n)| *n == name);
        let mut waiting = vec![start.expect("a crate of this workspace").0];
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if seen.insert(id) {
                waiting.extend(&self.uses[id]);
            }
        }
        seen.into_iter().map(|id| self.names[id].as_str()).collect()
    }
}

/// The platform that this is built for: what others need is nobody's business here.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.unwrap().to_owned()
}
