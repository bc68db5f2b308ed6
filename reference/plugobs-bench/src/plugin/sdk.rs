//! A plugin on the SDK: records are made by `tracing`, as in any plugin.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use plugobs_plugin::Diagnostics;
use plugobs_proto::pact::v2::pact_plugin_server::PactPluginServer;
use tonic::Status;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::service::{Log, Order, Service};
use crate::calls::{self, CallCost};
use crate::compare::Spread;
use crate::record;

/// Bytes that may wait in the plugin before it waits itself: a plugin sheds
/// what it cannot send, and here every record is to be delivered.
const MOST_QUEUED: usize = 2 << 20;
/// How often that is looked at.
const RECORDS_BETWEEN: u64 = 64;

/// How often a series of calls is timed.
const ROUNDS: usize = 21;
const ENDPOINT: &str = "PLUGOBS_ENDPOINT";

#[derive(Clone)]
struct Sdk(Diagnostics);

impl Log for Sdk {
    async fn log(&self, order: Order) -> Result<(), Status> {
        let sdk = self.clone();
        // On a thread of its own, because it sleeps for less than a timer can.
        plugobs_plugin::spawn_blocking(move || sdk.log_all(order))
            .await
            .map_err(|error| Status::internal(error.to_string()))
    }

    async fn time_calls(&self, calls: u64) -> Result<CallCost, Status> {
        let mut enabled = Vec::new();
        for _ in 0..ROUNDS {
            enabled.push(time(calls, calls::enabled));
            self.wait_for(0);
        }
        let off = (0..ROUNDS).map(|_| time(calls * 1000, calls::off));
        Ok(CallCost {
            enabled_ns: Spread::of(enabled.into_iter()),
            off_ns: Spread::of(off),
        })
    }
}

/// Nanoseconds of one call.
#[expect(clippy::cast_precision_loss, reason = "results have three digits")]
fn time(calls: u64, call: impl FnMut(u64)) -> f64 {
    let begun = Instant::now();
    (0..calls).for_each(call);
    begun.elapsed().as_nanos() as f64 / calls as f64
}

impl Sdk {
    fn log_all(&self, order: Order) {
        for n in 0..order.records {
            if n % RECORDS_BETWEEN == 0 {
                self.wait_for(MOST_QUEUED);
            }
            record::log(n);
            if order.pause_ms > 0 {
                thread::sleep(Duration::from_millis(order.pause_ms));
            }
        }
        self.wait_for(0);
    }

    fn wait_for(&self, bytes: usize) {
        while self.0.queued_bytes() > bytes {
            thread::sleep(Duration::from_micros(50));
        }
    }
}

/// Where the driver offers no stream, records go over the deployed log.
pub(super) fn run_unary() -> Result<()> {
    if std::env::var_os(ENDPOINT).is_none() {
        return run();
    }
    let error = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env_remove(ENDPOINT)
        .exec();
    Err(error.into())
}

#[tokio::main]
pub(super) async fn run() -> Result<()> {
    let (diagnostics, _guard) = Diagnostics::builder().install()?;
    let listener = super::listen().await?;
    let stop = diagnostics.shutdown_signal();
    Server::builder()
        .layer(diagnostics.server_layer())
        .add_service(PactPluginServer::new(Service(Sdk(diagnostics.clone()))))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stop)
        .await?;
    diagnostics.shutdown().await;
    Ok(())
}
