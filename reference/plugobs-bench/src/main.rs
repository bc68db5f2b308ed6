//! Measurements of this repository against what is deployed, and against what
//! the machine could do at best. `BENCHMARKS.md` has method and results.

mod compare;
mod paths;
mod plugin;
mod record;
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
        Command::Host { path, records } => {
            let measured = paths::measure(path, records)?;
            println!("{}", serde_json::to_string(&measured)?);
            Ok(())
        }
        Command::Plugin { path } => plugin::run(path),
    }
}
