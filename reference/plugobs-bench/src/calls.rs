//! What a log call costs the plugin's own code: in time, inside of a plugin
//! that sends its records to a driver, and in instructions, which do not depend
//! on what else the machine does.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use plugobs_plugin::Diagnostics;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::compare::{Spread, digits};
use crate::paths::Path;
use crate::paths::ours::Host;
use crate::record;

/// Calls of one series: their records fit into the plugin's queue.
const CALLS: u64 = 5_000;

#[derive(Args)]
pub struct CallsArgs {
    /// Print a line of JSON
    #[arg(long)]
    json: bool,
}

/// Nanoseconds of one call.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct CallCost {
    pub enabled_ns: Spread,
    pub off_ns: Spread,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Enabled,
    Off,
}

/// A call whose record is sent. Its text is made as in any plugin.
#[inline]
pub fn enabled(n: u64) {
    record::log(n);
}

/// A call below the level that is set.
#[inline]
pub fn off(n: u64) {
    record::log_debug(std::hint::black_box(n));
}

#[tokio::main]
pub async fn run(args: &CallsArgs) -> Result<()> {
    let host = Host::start(Path::Stream, None).await?;
    let cost: CallCost = host.order(&[("calls", CALLS)]).await?;
    host.driver.shutdown().await;
    let instructions = [Kind::Enabled, Kind::Off].map(instructions);
    let [enabled, off] = instructions.map(|counted| counted.map_err(|error| error.to_string()));
    if args.json {
        let line = json!({
            "enabled_ns": digits(cost.enabled_ns.median),
            "off_ns": digits(cost.off_ns.median),
            "enabled_instructions": enabled.as_ref().ok(),
            "off_instructions": off.as_ref().ok(),
        });
        println!("{line}");
        return Ok(());
    }
    for (name, time, counted) in [
        ("enabled", cost.enabled_ns, enabled),
        ("level off", cost.off_ns, off),
    ] {
        let counted = match counted {
            Ok(count) => format!("{count} instructions"),
            Err(error) => format!("instructions not counted: {error}"),
        };
        println!(
            "{name:<10}{:>8.1} ns ({:.1} to {:.1})  {counted}",
            time.median, time.least, time.most
        );
    }
    Ok(())
}

/// Instructions of one call on the thread that makes it: the difference between
/// two counts of valgrind, so that start and end do not matter.
fn instructions(kind: Kind) -> Result<u64> {
    let (few, many) = (1_000, 11_000);
    let counted = |calls: u64| -> Result<u64> {
        let kind = kind.to_possible_value().context("a kind has a name")?;
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg("--toggle-collect=*run_series*")
            .arg(std::env::current_exe()?)
            .args(["loop", kind.get_name(), &calls.to_string()])
            // Records wait for a deployed host, which is not there.
            .env("PACT_PLUGIN_HOST", "127.0.0.1:1")
            .output()
            .context("valgrind is not installed")?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{told}");
        let line = told
            .lines()
            .find_map(|line| line.split("Collected :").nth(1));
        Ok(line.context("no count")?.trim().parse()?)
    };
    Ok((counted(many)? - counted(few)?) / (many - few))
}

/// What is counted.
pub fn run_loop(kind: Kind, calls: u64) -> Result<()> {
    let (_diagnostics, _guard) = Diagnostics::builder().install()?;
    match kind {
        Kind::Enabled => run_series(calls, enabled),
        Kind::Off => run_series(calls, off),
    }
    // What was logged is nobody's.
    std::process::exit(0);
}

#[inline(never)]
fn run_series(calls: u64, call: impl FnMut(u64)) {
    (0..calls).for_each(call);
}
