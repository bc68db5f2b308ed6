//! How long a record takes from the plugin's clock to the sink, when it comes
//! alone.

use std::sync::mpsc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use clap::Args;
use plugobs_driver::DriverBuilder;
use plugobs_driver::sink::{Sink, SinkError, SinkEvent};
use serde_json::json;

use crate::compare::{Spread, digits};
use crate::paths::Path;
use crate::paths::ours::Host;
use crate::record::TARGET;
use crate::usage::Usage;

#[derive(Args)]
pub struct IdleArgs {
    /// How many records, one at a time
    #[arg(long, default_value_t = 500)]
    records: u64,
    /// Print a line of JSON
    #[arg(long)]
    json: bool,
}

/// Sends how long each record took, in milliseconds.
struct Late(mpsc::Sender<f64>);

impl Sink for Late {
    fn name(&self) -> &'static str {
        "late"
    }

    #[expect(clippy::cast_precision_loss, reason = "results have three digits")]
    fn accept(&mut self, event: &SinkEvent) -> Result<(), SinkError> {
        if let SinkEvent::Records(records) = event {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = u64::try_from(now.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX);
            for record in records.iter().filter(|record| record.target == TARGET) {
                // Both processes read one clock.
                let took = now.saturating_sub(record.timestamp.unix_nanos());
                // Nobody may count any more.
                let _ = self.0.send(took as f64 / 1e6);
            }
        }
        Ok(())
    }
}

#[tokio::main]
pub async fn run(args: &IdleArgs) -> Result<()> {
    let (took, all) = mpsc::channel();
    let add = move |builder: DriverBuilder| builder.sink(Late(took));
    let host = Host::start(Path::Everything, Some(Box::new(add))).await?;
    let order = [("records", args.records), ("pause_ms", 10)];
    let _: Usage = host.order(&order).await?;
    host.driver.shutdown().await;
    let mut values: Vec<f64> = all.try_iter().collect();
    let spread = Spread::of(values.iter().copied());
    values.sort_by(f64::total_cmp);
    let p99 = values[values.len() * 99 / 100];
    if args.json {
        let line = json!({
            "records": values.len(),
            "median_ms": digits(spread.median),
            "p99_ms": digits(p99),
            "most_ms": digits(spread.most),
        });
        println!("{line}");
    } else {
        println!(
            "{} records  median {:.3} ms  p99 {p99:.3} ms  most {:.3} ms",
            values.len(),
            spread.median,
            spread.most
        );
    }
    Ok(())
}
