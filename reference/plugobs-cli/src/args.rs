//! What can be typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use plugobs_core::Severity;

/// Below the current folder, when nothing else is said.
pub(crate) const DEFAULT_OUT: &str = "plugobs-runs";

/// What did this plugin do in my test?
///
/// plugobs starts plugins, calls them for tests that run in parallel, and keeps what each test
/// caused in its plugins apart: user messages, logs, and what the plugin did when. All of it is
/// in a run folder, which `show`, `tail` and `check` read.
#[derive(Debug, Parser)]
#[command(name = "plugobs", version, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 all well; 1 a test or check found something; \
    2 it could not be done as asked; 3 a plugin failed."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what this is about: two tests in parallel on two instances of the CSV plugin.
    ///
    /// One of the tests fails, because its data does not match: that is part of the show, and the
    /// exit code is 0.
    Demo(DemoArgs),
    /// Carry out a plan: start its plugins, run its tests, say which failed.
    ///
    /// A plan is a JSON file that names plugins, and tests with the calls that each makes;
    /// schemas/plan.schema.json describes it. Exit codes: 0 every call ended as the plan expects;
    /// 1 one did not; 2 the plan cannot be carried out; 3 a plugin failed.
    Run(RunArgs),
    /// Show a run, a test of it, or the records that filters take.
    Show(ShowArgs),
    /// Print the records of a run as they arrive, until it ends.
    Tail(TailArgs),
    /// Say whether a run folder is valid and complete.
    ///
    /// Every file against its schema; identities in every record; every sequence number a record,
    /// counted as dropped, or evicted by rotation; no record of one test in another. Exit codes:
    /// 0 nothing found, 1 findings, 2 the folder cannot be read.
    Check(CheckArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Be the CSV plugin: what the demo starts.
    #[command(hide = true)]
    CsvPlugin,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) out: OutArgs,
    /// The least severe log records to ask the plugin for.
    #[arg(long, value_name = "LEVEL", default_value = "debug", value_parser = level)]
    pub(crate) level: Severity,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The plan.
    #[arg(value_name = "PLAN.json")]
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) out: OutArgs,
    /// Print the result as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// The least severe log records to ask plugins for: trace, debug, info, warn or error.
    ///
    /// A PLUGOBS_LEVEL in the environment wins.
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = level)]
    pub(crate) level: Severity,
    /// Where plugins are installed, a folder each; $PACT_PLUGIN_DIR or ~/.pact/plugins otherwise.
    #[arg(long, value_name = "DIR")]
    pub(crate) plugins: Option<PathBuf>,
    /// How long a plugin may take until its handshake, such as 10s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) handshake_timeout: Option<Duration>,
    /// How long a call may take, where the plan does not say, such as 500ms.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) call_timeout: Option<Duration>,
    /// Keep compiled components here, so that the next run starts them at once.
    ///
    /// A folder or a file in it that others can write is not used; the record
    /// `instance.spawned` says so.
    #[arg(long, value_name = "DIR")]
    pub(crate) component_cache: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct OutArgs {
    /// The folder below which the run folder is made [default: plugobs-runs].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) run: RunFolderArg,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Show the failure reports: what failed, how it ended, what it said last.
    #[arg(long, conflicts_with_all = ["instance", "channel", "level", "json"])]
    pub(crate) failures: bool,
    /// Print JSON, one record a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    #[command(flatten)]
    pub(crate) run: RunFolderArg,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Print JSON, one record a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) run: RunFolderArg,
    /// Check every run folder below RUN, however deep, and not only the latest.
    #[arg(long)]
    pub(crate) all: bool,
    /// Print what was found as JSON, one object a run.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunFolderArg {
    /// A run folder, or a folder of them: then the latest run.
    #[arg(value_name = "RUN", default_value = DEFAULT_OUT)]
    pub(crate) run: PathBuf,
}

#[derive(Debug, Default, Args)]
pub(crate) struct FilterArgs {
    /// Only this test: its test run ID, or its name where no other test has it.
    #[arg(long, value_name = "ID")]
    pub(crate) test: Option<String>,
    /// Only this plugin instance: its ID or the beginning of it.
    #[arg(long, value_name = "ID")]
    pub(crate) instance: Option<String>,
    /// Only this channel: user, operational, lifecycle or a plugin's own.
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Option<String>,
    /// Only records at this level or above: trace, debug, info, warn or error. User messages have
    /// no level that could hide them.
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub(crate) level: Option<Severity>,
}

fn level(text: &str) -> Result<Severity, String> {
    Severity::from_name(text)
        .ok_or_else(|| "use trace, debug, info, warn or error, in any case".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("it has to be longer than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; write it like 500ms, 10s or 2m")),
    }
}
