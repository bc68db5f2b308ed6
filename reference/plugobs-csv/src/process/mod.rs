//! The plugin as a process: a gRPC server that a driver starts, finds by its handshake line and calls.

mod convert;
mod key;
mod report;
mod service;

use std::io::Write;
use std::net::Ipv4Addr;

use plugobs_core::handshake::Handshake;
use plugobs_proto::pact::v2::pact_plugin_server::PactPluginServer;
use tokio::net::TcpListener;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

pub use crate::process::service::{CATALOGUE_KEY, CsvService};

/// The largest request that is read, in bytes: a comparison carries two bodies.
const MAX_REQUEST_BYTES: usize = 64 * 1024 * 1024;

/// Why the process could not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
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

/// Serves calls until the process is ended.
///
/// `out` is the standard output: it gets the handshake line and nothing else.
///
/// # Errors
/// The process could not begin to serve, or its server failed.
pub fn run(out: &mut (dyn Write + Send)) -> Result<(), ProcessError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ProcessError::Runtime)?;
    runtime.block_on(serve(out))
}

async fn serve(out: &mut (dyn Write + Send)) -> Result<(), ProcessError> {
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
    Server::builder()
        .add_service(service)
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
        .map_err(ProcessError::Serve)
}
