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
        let mut exit = self.instance.exit();
        let error = tokio::select! {
            // An answer that is there counts, even where it was the last.
            biased;
            made = tokio::time::timeout(timeout, self.client.call(call)) => match made {
                Ok(reply) => return reply,
                Err(_) => CallError::Timeout(timeout),
            },
            // A child that inherited the connection can hold it open.
            _ = exit.wait_for(Option::is_some) => {
                CallError::Connection("the process has ended".to_owned())
            }
        };
        Reply {
            result: Err(error),
            position: None,
        }
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
