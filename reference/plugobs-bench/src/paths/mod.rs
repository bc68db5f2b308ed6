//! What is measured: the ways of a record from a plugin's code to the host's.

pub mod component;
pub mod deployed;
pub mod ours;
pub mod raw;

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::usage::Usage;

/// A way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Path {
    /// The deployed driver, unary log calls, 64 in flight.
    Deployed,
    /// This repository's driver and SDK over the deployed unary log.
    Unary,
    /// The record stream, into a sink that counts.
    Stream,
    /// The record stream, into the run folder and a sink that counts.
    Everything,
    /// A component's log calls, into a sink that counts.
    Component,
    /// The host's log function alone, into a sink that counts: a component that
    /// hands over a record it has.
    #[value(name = "component-call")]
    #[serde(rename = "component-call")]
    ComponentCall,
    /// A component's log calls, into the run folder and a sink that counts.
    #[value(name = "component-everything")]
    #[serde(rename = "component-everything")]
    ComponentEverything,
    /// Length-delimited protobuf over loopback TCP: no protocol at all.
    Raw,
}

impl Path {
    /// As it is named on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Unary => "unary",
            Self::Stream => "stream",
            Self::Everything => "everything",
            Self::Component => "component",
            Self::ComponentCall => "component-call",
            Self::ComponentEverything => "component-everything",
            Self::Raw => "raw",
        }
    }
}

/// One measurement: what one run of one path took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Measured {
    pub records: u64,
    /// From the call that asks for the records until the sink has the last.
    pub elapsed_ns: u64,
    pub host: Usage,
    pub plugin: Usage,
}

/// Counts what arrives.
pub struct Counter {
    seen: u64,
    wanted: u64,
    done: mpsc::Sender<Instant>,
}

impl Counter {
    /// Tells when `wanted` have arrived.
    pub fn new(wanted: u64) -> (Self, mpsc::Receiver<Instant>) {
        let (done, all) = mpsc::channel();
        let counter = Self {
            seen: 0,
            wanted,
            done,
        };
        (counter, all)
    }

    pub fn add(&mut self, records: u64) {
        self.seen += records;
        if self.seen == self.wanted {
            // Who waits may have given up.
            let _ = self.done.send(Instant::now());
        }
    }
}

/// When all records are there; an error where some never come.
pub fn wait(all: &mpsc::Receiver<Instant>) -> Result<Instant> {
    all.recv_timeout(Duration::from_mins(2))
        .context("not every record arrived")
}

/// A folder with the plugin of that path in it, as a driver looks for it.
pub fn install(path: Path) -> Result<(tempfile::TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let plugin = folder.path().join("bench-0.1.0");
    std::fs::create_dir(&plugin)?;
    let manifest = json!({
        "manifestVersion": 1,
        "pluginInterfaceVersion": 2,
        "name": "bench",
        "version": "0.1.0",
        "executableType": "exec",
        "entryPoint": std::env::current_exe()?,
        "args": ["plugin", path.name()],
    });
    std::fs::write(plugin.join("pact-plugin.json"), manifest.to_string())?;
    Ok((folder, plugin))
}

/// Measures one run of the path; this process is the host.
pub fn measure(path: Path, records: u64) -> Result<Measured> {
    crate::record::check()?;
    match path {
        Path::Deployed => deployed::measure(records),
        Path::Unary | Path::Stream | Path::Everything => ours::measure(path, records),
        Path::Component | Path::ComponentCall | Path::ComponentEverything => {
            component::measure(path, records)
        }
        Path::Raw => raw::measure(records),
    }
}
