//! A started process as the driver sees it.

use std::time::Duration;

use async_trait::async_trait;
use plugobs_core::Severity;
use plugobs_driver::failure::Exit;
use plugobs_driver::intake::InstanceIntake;
use plugobs_driver::transport::{CallError, Connection, OutgoingCall, Reply, StopOutcome};
use tokio::sync::watch;

use crate::client::Client;
use crate::stop;
use crate::supervise::Instance;

/// The system closes the connections of a process a moment before it counts as
/// ended.
const END_AFTER_BREAK: Duration = Duration::from_millis(100);

pub(crate) struct GrpcConnection {
    instance: Instance,
    client: Client,
    intake: InstanceIntake,
}

impl GrpcConnection {
    pub(crate) fn new(instance: Instance, client: Client, intake: InstanceIntake) -> Self {
        Self {
            instance,
            client,
            intake,
        }
    }
}

#[async_trait]
impl Connection for GrpcConnection {
    async fn call(&self, call: OutgoingCall) -> Reply {
        let timeout = call.timeout;
        let reply = tokio::select! {
            // An answer that is there counts, even where it was the last.
            biased;
            made = tokio::time::timeout(timeout, self.client.call(call)) => {
                made.unwrap_or_else(|_| failed(CallError::Timeout(timeout)))
            }
            // A child that inherited the connection can hold it open.
            _ = self.instance.wait() => {
                failed(CallError::Connection("the process has ended".to_owned()))
            }
        };
        if let Err(CallError::Connection(_)) = &reply.result {
            self.wait_for_an_end().await;
        }
        reply
    }

    fn set_level(&self, level: Severity) {
        self.instance.server().streams().set_level(level);
    }

    async fn flush(&self, deadline: Duration) -> bool {
        self.instance.server().streams().flush(deadline).await
    }

    async fn stop(&self, grace: Duration) -> StopOutcome {
        stop::stop(&self.instance, &self.intake, grace).await
    }

    fn exit(&self) -> watch::Receiver<Option<Exit>> {
        self.instance.exit()
    }
}

impl GrpcConnection {
    /// A connection mostly breaks because its process ends. Then the caller is
    /// told once the exit and the last output are known.
    async fn wait_for_an_end(&self) {
        let ended = tokio::time::timeout(END_AFTER_BREAK, self.instance.ended());
        if ended.await.is_ok() {
            self.instance.wait().await;
        }
    }
}

fn failed(error: CallError) -> Reply {
    Reply {
        result: Err(error),
        position: None,
    }
}
