//! Whether logging slows the calls that a driver makes: the same calls with
//! the level on, where each emits a record, and off, in interleaved pairs.

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use plugobs_core::Severity;
use plugobs_driver::interface::{CompareContents, Request};
use plugobs_driver::{CallOptions, TestRun};
use serde_json::json;

use crate::compare::{Spread, digits};
use crate::paths::Path;
use crate::paths::ours::Host;
use crate::record::TEST;

/// Calls of one half of a pair.
const CALLS: u32 = 50;

#[derive(Args)]
pub struct OverheadArgs {
    /// How many pairs
    #[arg(long, default_value_t = 100)]
    pairs: usize,
    /// Print a line of JSON
    #[arg(long)]
    json: bool,
}

#[tokio::main]
pub async fn run(args: &OverheadArgs) -> Result<()> {
    let host = Host::start(Path::Everything, None).await?;
    let test = host.driver.begin_test(TestRun::new(TEST));
    let (mut on, mut off) = (Vec::new(), Vec::new());
    for pair in 0..args.pairs {
        // Each is first as often as the other.
        let order = if pair % 2 == 0 {
            [true, false]
        } else {
            [false, true]
        };
        for logs in order {
            let level = if logs {
                Severity::INFO
            } else {
                Severity::ERROR
            };
            host.driver.set_level(level);
            tokio::time::sleep(Duration::from_millis(5)).await;
            let begun = Instant::now();
            for _ in 0..CALLS {
                let request = Request::CompareContents(Box::<CompareContents>::default());
                let made = host
                    .plugin
                    .call(request, CallOptions::for_test(&test))
                    .await;
                made.result?;
            }
            let each = begun.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS);
            if logs { &mut on } else { &mut off }.push(each);
        }
    }
    host.driver.shutdown().await;
    let ratios = on.iter().zip(&off).map(|(on, off)| on / off);
    let ratio = Spread::of(ratios);
    let (on, off) = (Spread::of(on.into_iter()), Spread::of(off.into_iter()));
    if args.json {
        let line = json!({
            "pairs": args.pairs,
            "call_us_on": digits(on.median),
            "call_us_off": digits(off.median),
            "ratio": digits(on.median / off.median),
            "ratio_of_pairs": digits(ratio.median),
        });
        println!("{line}");
    } else {
        println!(
            "{} pairs  {:.1} µs with logging on, {:.1} µs off: × {:.3} (pairs: × {:.3})",
            args.pairs,
            on.median,
            off.median,
            on.median / off.median,
            ratio.median
        );
    }
    Ok(())
}
