//! Why a command could not be done.

use std::io;
use std::path::PathBuf;

use plugobs_core::sanitise::line;
use plugobs_driver::DriverError;
use plugobs_driver::manifest::ManifestError;
use plugobs_runfile::check::CheckError;
use plugobs_runfile::{ReadError, WriteError};

use crate::Exit;
use crate::plan::PlanError;

/// Why a command could not be done: what was wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The plan is wrong.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The folder that a plan names for a plugin holds no usable manifest.
    #[error(
        "plugin \"{plugin}\" of the plan: {source}; \"dir\" is the folder that holds its pact-plugin.json"
    )]
    PluginFolder {
        /// Its id in the plan.
        plugin: String,
        /// Why.
        source: Box<ManifestError>,
    },
    /// The folder that a plan names for a plugin holds another one.
    #[error("plugin \"{plugin}\" of the plan is to be {}, and {} holds {}", line(wanted), folder.display(), line(found))]
    AnotherPlugin {
        /// Its id in the plan.
        plugin: String,
        /// The folder.
        folder: PathBuf,
        /// The name, and the version where the plan has one.
        wanted: String,
        /// The manifest's name and version.
        found: String,
    },
    /// The version that a plan gives to a command is none.
    #[error(
        "plugin \"{plugin}\" of the plan: \"{}\" is no version ({source}); write it like 1.2.3",
        line(version)
    )]
    PluginVersion {
        /// Its id in the plan.
        plugin: String,
        /// What stands there.
        version: String,
        /// Why it is none.
        source: semver::Error,
    },
    /// The operating system does not say where this program is.
    #[error(
        "cannot find this program's own file, which is to be started as a plugin; give the plugin's program as a path"
    )]
    NoProgram,
    /// The run folder cannot be made.
    #[error(transparent)]
    RunFolder(#[from] WriteError),
    /// The driver cannot be made.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// The run could not be kept from leaving plugins behind when it is
    /// broken off.
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
    /// The user broke the run off.
    #[error("broken off by signal {signal}; its plugins were stopped, and the run is in {}", folder.display())]
    Interrupted {
        /// The signal's number.
        signal: i32,
        /// Its run folder.
        folder: PathBuf,
    },
    /// A run cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A run cannot be checked.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// There is no run where one was looked for.
    #[error("there is no run in {}; give a run folder, or a folder that holds some: {called} demo makes one in plugobs-runs", folder.display())]
    NoRun {
        /// Where.
        folder: PathBuf,
        /// How this program was called.
        called: String,
    },
    /// A folder in which runs were looked for cannot be listed.
    #[error("cannot look for runs in {}: {source}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The run has no such test.
    #[error("the run has no test \"{}\"; it has {}", line(wanted), several(known))]
    NoSuchTest {
        /// What was asked for.
        wanted: String,
        /// The tests that there are.
        known: Vec<String>,
    },
    /// Several tests have the name.
    #[error("{} tests are called \"{}\"; say which by its ID: {}", ids.len(), line(wanted), several(ids))]
    SeveralTests {
        /// What was asked for.
        wanted: String,
        /// Their IDs.
        ids: Vec<String>,
    },
    /// The run has no such instance, or several.
    #[error(
        "\"{}\" names {} plugin instances of the run; give the ID, or enough of its beginning: {}",
        line(wanted),
        found,
        several(known)
    )]
    Instance {
        /// What was asked for.
        wanted: String,
        /// How many it fits.
        found: usize,
        /// The instances that there are.
        known: Vec<String>,
    },
    /// The demo cannot put its files anywhere.
    #[error("cannot write the demo's files below {}: {source}", folder.display())]
    DemoFiles {
        /// Where.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The demo did not do what it is there to show.
    #[error("the demo did not go as it should: {what}; this is a fault of this program or of its surroundings, see the run in {}", folder.display())]
    Demo {
        /// What was otherwise.
        what: String,
        /// Its run folder.
        folder: PathBuf,
    },
    /// The CSV plugin could not serve.
    #[error("the CSV plugin cannot serve: {0}")]
    CsvPlugin(#[from] plugobs_csv::process::ProcessError),
    /// What this prints cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// The exit code that says so.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Interrupted { signal, .. } => Exit::Interrupted(*signal),
            _ => Exit::NotDone,
        }
    }

    /// Whether whoever reads the output has gone, as `head` does.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The first few of many.
fn several(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text: Vec<_> = names
        .iter()
        .take(SHOWN)
        .map(|name| line(name).into_owned())
        .collect();
    if names.len() > SHOWN {
        text.push(format!("and {} more", names.len() - SHOWN));
    }
    match text.len() {
        0 => "none".to_owned(),
        _ => text.join(", "),
    }
}
