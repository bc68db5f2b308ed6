//! The plugin as a process: a gRPC server that a driver starts, finds by its handshake line and calls.

mod convert;
mod key;
mod service;

use std::io::Write;
use std::net::Ipv4Addr;
use std::time::Duration;

use plugobs_core::handshake::Handshake;
use plugobs_plugin::{Diagnostics, Guard, SetupError};
use plugobs_proto::pact::v2::pact_plugin_server::PactPluginServer;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt};

pub use crate::process::service::CsvService;

/// The largest request that is read, in bytes: a comparison carries two bodies.
const MAX_REQUEST_BYTES: usize = 64 * 1024 * 1024;

/// How long a stop waits for the calls that are being served and for the callers to close their connections.
const STOP_WAIT: Duration = Duration::from_secs(3);

/// Why the process could not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The diagnostics could not be set up.
    #[error("cannot set up diagnostics")]
    Diagnostics(#[from] SetupError),
    /// The threads that serve calls could not be started.
    #[error("cannot start the threads that serve calls")]
    Runtime(#[source] std::io::Error),
    /// No port on loopback could be had.
    #[error("cannot listen on 127.0.0.1")]
    Listen(#[source] std::io::Error),
    /// The handshake could not be printed, so that no driver will find the plugin.
    #[error("cannot print the handshake line")]
    Handshake(#[source] std::io::Error),
    /// The server failed.
    #[error("the gRPC server failed")]
    Serve(#[source] tonic::transport::Error),
}

/// Serves calls until the driver, or a termination signal, asks the process to stop.
///
/// `out` is the standard output: it gets the handshake line and nothing else.
/// Diagnostics belong to the whole process, so this runs once in it, and no other `tracing` subscriber may be in place.
///
/// # Errors
/// The process could not begin to serve, or its server failed.
pub fn run(out: &mut (dyn Write + Send)) -> Result<(), ProcessError> {
    // First of all, so that whatever fails from here on is recorded; the guard sends the last records.
    let (diagnostics, _guard) = set_up_diagnostics()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ProcessError::Runtime)?;
    runtime.block_on(serve(&diagnostics, out))
}

/// Records the plugin's own code at the level that is set, and its libraries from INFO on.
///
/// At DEBUG the gRPC server alone would say far more than this plugin.
fn set_up_diagnostics() -> Result<(Diagnostics, Guard), SetupError> {
    let (diagnostics, guard) = Diagnostics::builder().start()?;
    let wanted = filter_fn(|metadata| {
        // Spans carry the identity of their call.
        metadata.is_span()
            || metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
            || *metadata.level() <= tracing::Level::INFO
    });
    let subscriber = tracing_subscriber::registry().with(diagnostics.layer().with_filter(wanted));
    tracing::subscriber::set_global_default(subscriber).map_err(|_| SetupError::Subscriber)?;
    Ok((diagnostics, guard))
}

async fn serve(
    diagnostics: &Diagnostics,
    out: &mut (dyn Write + Send),
) -> Result<(), ProcessError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(ProcessError::Listen)?;
    let handshake = Handshake {
        port: listener.local_addr().map_err(ProcessError::Listen)?.port(),
        server_key: uuid::Uuid::new_v4().to_string(),
    };
    let service = PactPluginServer::new(CsvService).max_decoding_message_size(MAX_REQUEST_BYTES);
    let service = InterceptedService::new(service, key::Check::new(&handshake.server_key));
    // The port accepts from the moment it is bound, so a driver may be as quick as it likes.
    writeln!(out, "{}", handshake.to_line())
        .and_then(|()| out.flush())
        .map_err(ProcessError::Handshake)?;
    tracing::debug!(port = handshake.port, "the CSV plugin listens");
    let (stopping, stopped) = oneshot::channel();
    let stop = diagnostics.shutdown_signal();
    let server = Server::builder()
        .layer(diagnostics.server_layer())
        .add_service(service)
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            async {
                stop.await;
                // Nobody waits where the server has failed meanwhile.
                let _ = stopping.send(());
            },
        );
    // A caller that leaves its connection open must not keep the process alive.
    let overdue = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(STOP_WAIT).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        served = server => served.map_err(ProcessError::Serve)?,
        () = overdue => tracing::debug!("a connection was still open when the CSV plugin stopped"),
    }
    diagnostics.shutdown().await;
    Ok(())
}
