//! Whether a record costs the same when there were many before it.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::compare::{Spread, digits, measure};
use crate::paths::Path;

const SIZES: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

#[derive(Args)]
pub struct GrowthArgs {
    /// The path
    #[arg(long, value_enum, default_value_t = Path::Everything)]
    path: Path,
    /// How often each size is measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Print a line of JSON for each size
    #[arg(long)]
    json: bool,
}

#[expect(clippy::cast_precision_loss, reason = "results have three digits")]
pub fn run(args: &GrowthArgs) -> Result<()> {
    let mut all = SIZES.map(|_| Vec::new());
    for _ in 0..args.rounds {
        for (records, measured) in SIZES.iter().zip(&mut all) {
            measured.push(measure(args.path, *records)?);
        }
    }
    for (records, measured) in SIZES.into_iter().zip(all) {
        let cpu = measured
            .iter()
            .map(|m| (m.host.cpu_ns + m.plugin.cpu_ns) as f64);
        let cpu = Spread::of(cpu.map(|cpu| cpu / 1e3 / records as f64));
        let mib = |kib: u64| kib as f64 / 1024.0;
        let host = Spread::of(measured.iter().map(|m| mib(m.host.rss_kib)));
        let plugin = Spread::of(measured.iter().map(|m| mib(m.plugin.rss_kib)));
        if args.json {
            let line = json!({
                "path": args.path,
                "records": records,
                "cpu_us_per_record": digits(cpu.median),
                "rss_mib_host": digits(host.median),
                "rss_mib_plugin": digits(plugin.median),
            });
            println!("{line}");
        } else {
            println!(
                "{records:>9} records  CPU µs {:.2} ({:.2} to {:.2})  RSS MiB {:.1} host {:.1} plugin",
                cpu.median, cpu.least, cpu.most, host.median, plugin.median
            );
        }
    }
    Ok(())
}
