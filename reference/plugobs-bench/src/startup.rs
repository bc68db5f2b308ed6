//! How long a plugin takes to start, until it can be called.

use std::path::{Path as FilePath, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use clap::Args;
use plugobs_driver::Driver;
use serde_json::json;

use crate::compare::{Spread, digits};
use crate::paths::{Path, component, deployed, install, ours::Host};

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
    let cache = tempfile::tempdir()?;
    let cached = Some(cache.path());
    let ways = [
        ("deployed", Path::Deployed, None),
        ("stream", Path::Stream, None),
        ("everything", Path::Everything, None),
        ("component, compiled", Path::Component, None),
        ("component, from the cache", Path::Component, cached),
    ];
    // Fills the cache.
    in_process(Path::Component, cached)?;
    let mut all = ways.map(|_| Vec::new());
    for _ in 0..args.rounds {
        for ((_, path, cache), times) in ways.iter().zip(&mut all) {
            times.push(in_process(*path, *cache)?);
        }
    }
    for ((name, ..), times) in ways.iter().zip(all) {
        let spread = Spread::of(times.into_iter());
        if args.json {
            let (median, most) = (digits(spread.median), digits(spread.most));
            println!(
                "{}",
                json!({ "path": name, "median_ms": median, "most_ms": most })
            );
        } else {
            println!(
                "{name:<26}median {:.2} ms ({:.2} to {:.2})",
                spread.median, spread.least, spread.most
            );
        }
    }
    Ok(())
}

/// In a process of its own, because the deployed driver keeps what it loaded.
fn in_process(path: Path, cache: Option<&FilePath>) -> Result<f64> {
    let (plugins, _) = install(path)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["start", path.name()]);
    if let Some(folder) = cache {
        command.arg("--cache").arg(folder);
    }
    let output = command
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
pub async fn start(path: Path, cache: Option<PathBuf>) -> Result<()> {
    let begun = Instant::now();
    let driver = match path {
        Path::Deployed => {
            deployed::load().await?;
            println!("{}", begun.elapsed().as_secs_f64() * 1e3);
            deployed::shut_down();
            return Ok(());
        }
        Path::Component => {
            let mut host = component::host();
            if let Some(folder) = cache {
                host = host.cache(folder);
            }
            let driver = Driver::builder().transport(host).build()?;
            driver.load_manifest(component::manifest()).await?;
            driver
        }
        Path::Raw | Path::ComponentCall | Path::ComponentEverything => {
            bail!("nothing starts on this path")
        }
        _ => Host::start(path, None).await?.driver,
    };
    println!("{}", begun.elapsed().as_secs_f64() * 1e3);
    driver.shutdown().await;
    Ok(())
}
