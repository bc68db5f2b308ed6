//! All paths in one run: rounds of each, interleaved, so that whatever the
//! machine does meanwhile happens to all of them.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::paths::{Measured, Path, install};

#[derive(Args)]
pub struct PathsArgs {
    /// How often each path is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Records of one measurement of a path that is not unary; those that are get a tenth
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Print a line of JSON for each path
    #[arg(long)]
    json: bool,
}

/// Measures in a process of its own, so that memory and CPU are this path's.
pub fn measure(path: Path, records: u64) -> Result<Measured> {
    let (plugins, _) = install(path)?;
    let output = Command::new(std::env::current_exe()?)
        .args(["host", path.name(), &records.to_string()])
        .env("PACT_PLUGIN_DIR", plugins.path())
        .env("PACT_OUTPUT_DIR", plugins.path())
        .env("pact_do_not_track", "true")
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {told}", path.name());
    let last = output
        .stdout
        .split(|byte| *byte == b'\n')
        .rfind(|line| !line.is_empty());
    serde_json::from_slice(last.context("no result")?).with_context(|| path.name().to_owned())
}

pub fn run(args: &PathsArgs) -> Result<()> {
    let mut all: BTreeMap<Path, Vec<Measured>> = BTreeMap::new();
    for round in 0..args.rounds {
        for path in Path::value_variants() {
            let records = match path {
                Path::Deployed | Path::Unary => args.records / 10,
                _ => args.records,
            };
            eprintln!("round {} of {}: {}", round + 1, args.rounds, path.name());
            let measured = measure(*path, records)?;
            all.entry(*path).or_default().push(measured);
        }
    }
    let deployed = Summary::of(&all[&Path::Deployed]);
    let raw = Summary::of(&all[&Path::Raw]);
    for (path, measured) in &all {
        let summary = Summary::of(measured);
        summary.print(*path, &deployed, &raw, args.json)?;
    }
    Ok(())
}

/// Medians over the rounds.
struct Summary {
    records: u64,
    records_per_s: Spread,
    cpu_host: Spread,
    cpu_plugin: Spread,
    rss_host: Spread,
    rss_plugin: Spread,
}

/// A median, with the least and the most.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Self {
            median,
            least: values[0],
            most: values[values.len() - 1],
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "results have three digits")]
impl Summary {
    fn of(measured: &[Measured]) -> Self {
        let each = |value: fn(&Measured) -> f64| Spread::of(measured.iter().map(value));
        Self {
            records: measured[0].records,
            records_per_s: each(|m| m.records as f64 * 1e9 / m.elapsed_ns as f64),
            cpu_host: each(|m| m.host.cpu_ns as f64 / 1e3 / m.records as f64),
            cpu_plugin: each(|m| m.plugin.cpu_ns as f64 / 1e3 / m.records as f64),
            rss_host: each(|m| m.host.peak_rss_kib as f64 / 1024.0),
            rss_plugin: each(|m| m.plugin.peak_rss_kib as f64 / 1024.0),
        }
    }

    fn cpu(&self) -> f64 {
        self.cpu_host.median + self.cpu_plugin.median
    }

    fn print(&self, path: Path, deployed: &Self, raw: &Self, as_json: bool) -> Result<()> {
        let rate = self.records_per_s;
        let to_deployed = rate.median / deployed.records_per_s.median;
        let to_raw = rate.median / raw.records_per_s.median;
        let cpu_to_deployed = self.cpu() / deployed.cpu();
        if as_json {
            let line = json!({
                "path": path,
                "records": self.records,
                "records_per_s": rate.median.round(),
                "records_per_s_least": rate.least.round(),
                "records_per_s_most": rate.most.round(),
                "cpu_us_per_record_host": digits(self.cpu_host.median),
                "cpu_us_per_record_plugin": digits(self.cpu_plugin.median),
                "peak_rss_mib_host": digits(self.rss_host.median),
                "peak_rss_mib_plugin": digits(self.rss_plugin.median),
                "ratio_to_deployed": digits(to_deployed),
                "ratio_to_raw": digits(to_raw),
                "cpu_ratio_to_deployed": digits(cpu_to_deployed),
            });
            println!("{}", serde_json::to_string(&line)?);
        } else {
            println!(
                "{:<11}{:>11.0} records/s ({:.0} to {:.0})  ×{to_deployed:<6.3} deployed  ×{to_raw:<6.3} raw  CPU µs {:.2} host {:.2} plugin (×{cpu_to_deployed:.4})  RSS MiB {:.0} host {:.0} plugin",
                path.name(),
                rate.median,
                rate.least,
                rate.most,
                self.cpu_host.median,
                self.cpu_plugin.median,
                self.rss_host.median,
                self.rss_plugin.median,
            );
        }
        Ok(())
    }
}

/// Four digits are more than a measurement has.
pub fn digits(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
