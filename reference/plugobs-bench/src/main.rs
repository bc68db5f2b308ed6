//! Measurements of this repository against what is deployed, and against what
//! the machine could do at best. `BENCHMARKS.md` has method and results.

mod calls;
mod compare;
mod growth;
mod idle;
mod instances;
mod overhead;
mod paths;
mod plugin;
mod record;
mod startup;
mod usage;

use anyhow::Result;
use clap::{Parser, Subcommand};

use paths::Path;

#[derive(Parser)]
#[command(about, version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The paths, side by side in one run
    Paths(compare::PathsArgs),
    /// Cost per record and memory, at 10^4 to 10^7 records
    Growth(growth::GrowthArgs),
    /// What a log call costs the code that makes it
    Calls(calls::CallsArgs),
    /// From a record's emission to the sink, when nothing else happens
    Idle(idle::IdleArgs),
    /// Calls to a plugin with logging on, and with logging off
    Overhead(overhead::OverheadArgs),
    /// Many idle components at once: memory of each, and time to start
    Instances(instances::InstancesArgs),
    /// The start of a plugin, ours and the deployed driver's
    Startup(startup::StartupArgs),
    /// So many log calls, for a tool that counts instructions
    #[command(hide = true)]
    Loop { kind: calls::Kind, calls: u64 },
    /// One start of a plugin, in this process
    #[command(hide = true)]
    Start {
        path: Path,
        #[arg(long)]
        cache: Option<std::path::PathBuf>,
    },
    /// One run of one path, in this process
    #[command(hide = true)]
    Host { path: Path, records: u64 },
    /// The plugin of a path, as a driver starts it
    #[command(hide = true)]
    Plugin { path: Path },
}

fn main() -> Result<()> {
    match Args::parse().command {
        Command::Paths(args) => compare::run(&args),
        Command::Growth(args) => growth::run(&args),
        Command::Calls(args) => calls::run(&args),
        Command::Idle(args) => idle::run(&args),
        Command::Overhead(args) => overhead::run(&args),
        Command::Instances(args) => instances::run(&args),
        Command::Startup(args) => startup::run(&args),
        Command::Loop { kind, calls } => calls::run_loop(kind, calls),
        Command::Start { path, cache } => startup::start(path, cache),
        Command::Host { path, records } => {
            let measured = paths::measure(path, records)?;
            println!("{}", serde_json::to_string(&measured)?);
            Ok(())
        }
        Command::Plugin { path } => plugin::run(path),
    }
}
