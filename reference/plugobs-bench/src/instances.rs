//! Many components at once that do nothing.

use std::time::Instant;

use anyhow::Result;
use clap::Args;
use plugobs_driver::{CallOptions, Driver};
use serde_json::json;

use crate::compare::digits;
use crate::paths::component;
use crate::usage::{Usage, cpu_ns};

#[derive(Args)]
pub struct InstancesArgs {
    /// How many
    #[arg(long, default_value_t = 1_000)]
    count: u32,
    /// Print a line of JSON
    #[arg(long)]
    json: bool,
}

#[tokio::main]
pub async fn run(args: &InstancesArgs) -> Result<()> {
    let driver = Driver::builder().transport(component::host()).build()?;
    // What is there once for all: the engine, and the compiled component.
    let first = driver.load_manifest(component::manifest()).await?;
    let (cpu, begun) = (cpu_ns(), Instant::now());
    let before = Usage::since(cpu)?;
    let mut plugins = vec![first];
    for _ in 0..args.count {
        plugins.push(driver.load_manifest(component::manifest()).await?);
    }
    let each = f64::from(args.count);
    let start_ms = begun.elapsed().as_secs_f64() * 1e3 / each;
    let after = Usage::since(cpu)?;
    #[expect(clippy::cast_precision_loss, reason = "results have three digits")]
    let kib = after.rss_kib.saturating_sub(before.rss_kib) as f64 / each;
    // Each of them still works.
    for plugin in &plugins {
        component::log(plugin, component::BENCH, CallOptions::default(), 0, 1).await?;
    }
    driver.shutdown().await;
    let (kib, start_ms) = (digits(kib), digits(start_ms));
    if args.json {
        let line = json!({ "instances": args.count, "kib_each": kib, "start_ms_each": start_ms });
        println!("{line}");
    } else {
        println!(
            "{} idle instances, each {kib} KiB, started in {start_ms} ms",
            args.count
        );
    }
    Ok(())
}
