//! A plugin as it is deployed: one call of the host's log for each record, 64 of
//! them in flight.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use plugobs_proto::pact::v2::pact_plugin_server::PactPluginServer;
use plugobs_proto::pact::v2::plugin_host_client::PluginHostClient;
use tokio::sync::Semaphore;
use tonic::Status;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};

use super::service::{Log, Order, Service};
use crate::record;

const IN_FLIGHT: usize = 64;

struct Unary {
    instance: String,
    host: PluginHostClient<Channel>,
}

impl Log for Unary {
    async fn log(&self, order: Order) -> Result<(), Status> {
        let slots = Arc::new(Semaphore::new(IN_FLIGHT));
        for n in 0..order.records {
            let closed = |_| Status::internal("closed");
            let slot = slots.clone().acquire_owned().await.map_err(closed)?;
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = i64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(i64::MAX);
            let message = record::deployed(&self.instance, n, now);
            let mut host = self.host.clone();
            tokio::spawn(async move {
                // A record that is lost is missed by the host's count.
                let _ = host.log(message).await;
                drop(slot);
            });
        }
        let all = u32::try_from(IN_FLIGHT).unwrap_or(u32::MAX);
        let all = slots.acquire_many(all).await;
        all.map(drop).map_err(|_| Status::internal("closed"))
    }
}

#[tokio::main]
pub(super) async fn run() -> Result<()> {
    let instance = std::env::var("PACT_PLUGIN_INSTANCE_ID").context("PACT_PLUGIN_INSTANCE_ID")?;
    let host = std::env::var("PACT_PLUGIN_HOST").context("PACT_PLUGIN_HOST")?;
    let listener = super::listen().await?;
    let host = Endpoint::from_shared(format!("http://{host}"))?
        .connect()
        .await?;
    let host = PluginHostClient::new(host);
    Server::builder()
        .add_service(PactPluginServer::new(Service(Unary { instance, host })))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await?;
    Ok(())
}
