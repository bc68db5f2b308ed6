//! The connection to a plugin that has told its port.

use std::error::Error;
use std::time::Duration;

use plugobs_driver::failure::Exit;
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};

/// In this order (OBS-GRPC-05).
const ADDRESSES: [&str; 2] = ["[::1]", "127.0.0.1"];
/// Before the second and each further attempt: some plugins print their
/// handshake a moment before they listen. In sum less than two seconds.
const WAITS_MS: [u64; 8] = [5, 10, 25, 50, 100, 250, 500, 1000];
/// Loopback accepts or refuses at once.
const ATTEMPT: Duration = Duration::from_secs(1);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the process ended right after its handshake")]
    Ended,
    #[error("port {port} of the handshake does not answer: {}", attempts.join("; "))]
    Refused { port: u16, attempts: Vec<String> },
}

/// Connects, with a few attempts in quick succession.
///
/// # Errors
/// Where nothing on loopback accepts at that port, or the process ends.
pub(crate) async fn connect(
    port: u16,
    mut exit: watch::Receiver<Option<Exit>>,
) -> Result<Channel, ConnectError> {
    tokio::select! {
        connected = attempts(port) => connected,
        _ = exit.wait_for(Option::is_some) => Err(ConnectError::Ended),
    }
}

async fn attempts(port: u16) -> Result<Channel, ConnectError> {
    let mut waits = WAITS_MS.iter();
    loop {
        let mut refusals = Vec::new();
        for address in ADDRESSES {
            match attempt(address, port).await {
                Ok(channel) => return Ok(channel),
                Err(error) => refusals.push(format!("{address}: {}", innermost(&error))),
            }
        }
        match waits.next() {
            Some(wait) => tokio::time::sleep(Duration::from_millis(*wait)).await,
            None => {
                return Err(ConnectError::Refused {
                    port,
                    attempts: refusals,
                });
            }
        }
    }
}

async fn attempt(address: &str, port: u16) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(format!("http://{address}:{port}"))?
        .tcp_nodelay(true)
        .connect_timeout(ATTEMPT)
        .connect()
        .await
}

/// The outer ones say no more than that connecting failed.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
