//! The deployed unary log: no sequence, no acknowledgement, several calls in
//! flight.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plugobs_core::registry::metadata;
use plugobs_proto::convert::decode_record;
use plugobs_proto::log_message::to_log_message;
use plugobs_proto::pact::v2::plugin_host_client::PluginHostClient;
use prost::bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::stream::connect;
use super::{Command, Commands, Ended, authorization};
use crate::emitter::{SharedEmitter, write_encoded};
use crate::queue::Queue;

/// Calls in flight.
const IN_FLIGHT: u32 = 64;
/// How long the first connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// How long one call may take.
const CALL_WAIT: Duration = Duration::from_secs(10);

/// Sends until the end, or until the host is lost.
pub(crate) async fn run(emitter: &SharedEmitter, host: &str, commands: &mut Commands) -> Ended {
    // Under a deployed driver there is no other way for what came before.
    emitter.hold();
    let channel = match connect_soon(host).await {
        Ok(channel) => channel,
        Err(why) => return Ended::Broken(why),
    };
    let slots = Arc::new(Semaphore::new(IN_FLIGHT as usize));
    let (lost, mut losses) = mpsc::unbounded_channel();
    let sender = Sender {
        channel,
        authorization: authorization(emitter),
        lost,
    };
    loop {
        if let Err(why) = send_queued(emitter, &slots, &sender, &mut losses).await {
            return Ended::Broken(why);
        }
        tokio::select! {
            () = emitter.wake.notified() => {}
            Some(why) = losses.recv() => return Ended::Broken(why),
            Some(Command::Shutdown { deadline, done }) = commands.recv() => {
                // What cannot be sent any more goes to standard error.
                let _ = send_queued(emitter, &slots, &sender, &mut losses).await;
                let all = slots.acquire_many(IN_FLIGHT);
                let left = deadline.saturating_duration_since(Instant::now());
                let _ = tokio::time::timeout(left, all).await;
                return Ended::Shutdown(done);
            }
        }
    }
}

/// Begins a call for each record that waits, in their order.
async fn send_queued(
    emitter: &SharedEmitter,
    slots: &Arc<Semaphore>,
    sender: &Sender,
    losses: &mut mpsc::UnboundedReceiver<String>,
) -> Result<(), String> {
    while let Some(encoded) = emitter.queue(Queue::pop) {
        // Never closed.
        let slot = slots.clone().acquire_owned().await;
        if let Ok(why) = losses.try_recv() {
            write_encoded(&encoded);
            return Err(why);
        }
        let sender = sender.clone();
        tokio::spawn(async move {
            sender.send(encoded).await;
            drop(slot);
        });
    }
    Ok(())
}

#[derive(Clone)]
struct Sender {
    channel: Channel,
    authorization: Option<MetadataValue<Ascii>>,
    /// Told that there is no host any more.
    lost: mpsc::UnboundedSender<String>,
}

impl Sender {
    /// One record; where it does not arrive, it goes to standard error.
    async fn send(self, encoded: Bytes) {
        let Ok(record) = decode_record(&encoded) else {
            return;
        };
        let mut request = Request::new(to_log_message(&record));
        let call_id = record.call_id.as_deref().and_then(|id| id.parse().ok());
        if let Some(value) = call_id {
            request
                .metadata_mut()
                .insert(metadata::PLUGIN_CALL_ID, value);
        }
        if let Some(value) = self.authorization {
            request
                .metadata_mut()
                .insert(metadata::AUTHORIZATION, value);
        }
        let mut client = PluginHostClient::new(self.channel);
        let sent = tokio::time::timeout(CALL_WAIT, client.log(request)).await;
        let Some(why) = failure(sent.map(|sent| sent.map(drop))) else {
            return;
        };
        write_encoded(&encoded);
        // The receiver is gone once one loss was told.
        let _ = self.lost.send(why);
    }
}

/// Why a call of the log did not do its work.
fn failure(sent: Result<Result<(), Status>, tokio::time::error::Elapsed>) -> Option<String> {
    match sent {
        Ok(Ok(())) => None,
        Ok(Err(status)) => Some(format!("{:?}: {}", status.code(), status.message())),
        Err(_) => Some("the host did not answer a log call in time".to_owned()),
    }
}

async fn connect_soon(host: &str) -> Result<Channel, String> {
    let until = Instant::now() + CONNECT_WAIT;
    loop {
        match connect(host).await {
            Ok(channel) => return Ok(channel),
            Err(why) if Instant::now() >= until => return Err(why),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
