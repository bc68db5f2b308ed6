//! Who may depend on whom. The arrows are what makes a crate usable without the others, and
//! nothing else would notice one that points the wrong way.

use std::collections::BTreeSet;
use std::process::Command;

use plugobs_gen::cli;
use serde_json::Value;

struct Rule {
    crate_name: &'static str,
    /// The crates of this workspace that it may name.
    may_use: &'static [&'static str],
    /// Crates from elsewhere that it must do without, as the beginnings of their names.
    does_without: &'static [&'static str],
}

/// A transport, and what comes with one.
const TRANSPORTS: &[&str] = &["tonic", "prost", "hyper", "h2", "http", "tower", "wasmtime"];

const RULES: &[Rule] = &[
    Rule {
        crate_name: "plugobs-core",
        may_use: &[],
        // No I/O, no clock, no threads, no transport: it is the same for every side.
        does_without: &[
            "tonic",
            "prost",
            "hyper",
            "h2",
            "http",
            "tower",
            "wasmtime",
            "tokio",
            "futures",
            "async",
            "tracing",
            "log",
            "rustix",
            "getrandom",
        ],
    },
    Rule {
        crate_name: "plugobs-proto",
        may_use: &["plugobs-core"],
        does_without: &["tokio"],
    },
    Rule {
        crate_name: "plugobs-driver",
        may_use: &["plugobs-core"],
        does_without: TRANSPORTS,
    },
    Rule {
        crate_name: "plugobs-runfile",
        may_use: &["plugobs-core", "plugobs-driver"],
        does_without: TRANSPORTS,
    },
    Rule {
        crate_name: "plugobs-view",
        may_use: &["plugobs-core", "plugobs-driver", "plugobs-runfile"],
        does_without: TRANSPORTS,
    },
    Rule {
        crate_name: "plugobs-host-grpc",
        may_use: &["plugobs-core", "plugobs-driver", "plugobs-proto"],
        does_without: &["wasmtime"],
    },
    Rule {
        crate_name: "plugobs-host-wasm",
        may_use: &["plugobs-core", "plugobs-driver"],
        does_without: &["tonic", "prost", "hyper", "h2", "http", "tower"],
    },
    Rule {
        crate_name: "plugobs-tracing",
        may_use: &["plugobs-core"],
        does_without: &["tokio", "tonic", "prost", "wasmtime", "wit"],
    },
    Rule {
        crate_name: "plugobs-plugin",
        may_use: &["plugobs-core", "plugobs-proto", "plugobs-tracing"],
        does_without: &["wasmtime", "wit"],
    },
    Rule {
        crate_name: "plugobs-guest",
        may_use: &["plugobs-core", "plugobs-tracing"],
        // What a component has no use for, or no system for.
        does_without: &["tokio", "tonic", "prost", "wasmtime", "getrandom", "rustix"],
    },
    Rule {
        crate_name: "plugobs-csv",
        may_use: &[
            "plugobs-core",
            "plugobs-guest",
            "plugobs-plugin",
            "plugobs-proto",
        ],
        does_without: &["wasmtime"],
    },
    Rule {
        crate_name: "plugobs-cli",
        may_use: &[
            "plugobs-core",
            "plugobs-csv",
            "plugobs-driver",
            "plugobs-host-grpc",
            "plugobs-host-wasm",
            "plugobs-plugin",
            "plugobs-proto",
            "plugobs-runfile",
            "plugobs-view",
        ],
        does_without: &[],
    },
    Rule {
        crate_name: "plugobs-gen",
        // It writes a part of the others, so it has to build when they do not.
        may_use: &[],
        does_without: &["tokio"],
    },
];

#[test]
fn dependencies_point_the_right_way() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let Some(rule) = RULES.iter().find(|rule| rule.crate_name == name) else {
            problems.push(format!(
                "{name} has no rule; say in {} whom it may use",
                file!()
            ));
            continue;
        };
        for used in dependencies(package) {
            let ours = used.starts_with("plugobs-");
            if ours && !rule.may_use.contains(&used) {
                problems.push(format!("{name} must not use {used}"));
            }
            let family = |start: &&str| used == *start || used.starts_with(&format!("{start}-"));
            if rule.does_without.iter().any(family) {
                problems.push(format!("{name} must do without {used}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));

    let found: BTreeSet<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    for rule in RULES {
        assert!(
            found.contains(rule.crate_name),
            "{} is gone",
            rule.crate_name
        );
    }
}

/// What a crate names for its library and programs; its tests may use anything.
fn dependencies(package: &Value) -> impl Iterator<Item = &str> {
    let all = package["dependencies"].as_array().expect("a list");
    all.iter()
        .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
        .filter_map(|dependency| dependency["name"].as_str())
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(cli::default_root())
        .output()
        .expect("cargo runs this test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}
