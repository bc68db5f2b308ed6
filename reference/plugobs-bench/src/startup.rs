//! How long a plugin takes to start, until it can be called.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use clap::Args;
use serde_json::json;

use crate::compare::{Spread, digits};
use crate::paths::{Path, deployed, install, ours::Host};

#[derive(Args)]
pub struct StartupArgs {
    /// How often each is started
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// Print a line of JSON for each
    #[arg(long)]
    json: bool,
}

pub fn run(args: &StartupArgs) -> Result<()> {
    let paths = [Path::Deployed, Path::Stream, Path::Everything];
    let mut all = paths.map(|_| Vec::new());
    for _ in 0..args.rounds {
        for (path, times) in paths.iter().zip(&mut all) {
            times.push(in_process(*path)?);
        }
    }
    for (path, times) in paths.iter().zip(all) {
        let spread = Spread::of(times.into_iter());
        if args.json {
            let (median, most) = (digits(spread.median), digits(spread.most));
            println!(
                "{}",
                json!({ "path": path, "median_ms": median, "most_ms": most })
            );
        } else {
            println!(
                "{:<11}median {:.2} ms ({:.2} to {:.2})",
                path.name(),
                spread.median,
                spread.least,
                spread.most
            );
        }
    }
    Ok(())
}

/// In a process of its own, because the deployed driver keeps what it loaded.
fn in_process(path: Path) -> Result<f64> {
    let (plugins, _) = install(path)?;
    let output = Command::new(std::env::current_exe()?)
        .args(["start", path.name()])
        .env("PACT_PLUGIN_DIR", plugins.path())
        .env("PACT_OUTPUT_DIR", plugins.path())
        .env("pact_do_not_track", "true")
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {told}", path.name());
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Prints how many milliseconds it took.
#[tokio::main]
pub async fn start(path: Path) -> Result<()> {
    let begun = Instant::now();
    match path {
        Path::Deployed => {
            deployed::load().await?;
            println!("{}", begun.elapsed().as_secs_f64() * 1e3);
            deployed::shut_down();
        }
        Path::Raw => bail!("there is no plugin on this path"),
        _ => {
            let host = Host::start(path, None).await?;
            println!("{}", begun.elapsed().as_secs_f64() * 1e3);
            host.driver.shutdown().await;
        }
    }
    Ok(())
}
