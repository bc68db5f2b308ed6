//! The driver's services for one instance, on a loopback port of their own: the
//! record stream, and the deployed host service (`spec/binding-grpc.md`).

mod auth;
mod batch;
mod hello;
mod log_stream;
mod plugin_host;
mod session;
mod streams;

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, stream};
use plugobs_core::Severity;
use plugobs_driver::intake::InstanceIntake;
use plugobs_driver::transport::HostCallbacks;
use plugobs_proto::observability::v1::log_service_server::LogServiceServer;
use plugobs_proto::pact::v2::plugin_host_server::PluginHostServer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use self::log_stream::LogStreams;
use self::plugin_host::HostService;
pub(crate) use self::streams::Streams;

/// The least bound on a message that is read: what is over the limits is cut
/// and not refused, so that a log message of 10 MB still arrives (OBS-LIM-07).
const MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// Calls at once on one connection; more wait in the plugin.
const CALLS_AT_ONCE: u32 = 128;
/// How long to wait before the next connection where one could not be accepted,
/// as when there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bytes that may be on their way on one call: a batch is not to stop halfway.
const WINDOW_BYTES: u32 = 1 << 20;
/// Bytes of one frame: each has a price, in both processes.
const FRAME_BYTES: u32 = 64 * 1024;

/// Serves until it is closed.
pub(crate) struct Server {
    endpoint: String,
    streams: Arc<Streams>,
    shutdown: Mutex<Option<oneshot::Sender<()>>>,
}

impl Server {
    /// Binds a port and accepts connections from now on.
    ///
    /// # Errors
    /// Where no port can be had.
    pub(crate) async fn start(
        intake: InstanceIntake,
        callbacks: Arc<dyn HostCallbacks>,
        level: Severity,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint = listener.local_addr()?.to_string();
        let limits = intake.limits();
        let streams = Arc::new(Streams::new(intake.clone(), level));
        let logs = LogServiceServer::new(LogStreams::new(streams.clone()))
            .max_decoding_message_size(MESSAGE_BYTES.max(2 * limits.batch_bytes));
        let host = HostService::new(intake, callbacks, streams.clone());
        let host = PluginHostServer::new(host)
            .max_decoding_message_size(MESSAGE_BYTES.max(2 * limits.record_bytes))
            .max_encoding_message_size(usize::MAX);
        let (shutdown, closed) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let server = tonic::transport::Server::builder()
                .max_concurrent_streams(CALLS_AT_ONCE)
                .initial_stream_window_size(WINDOW_BYTES)
                .initial_connection_window_size(2 * WINDOW_BYTES)
                .max_frame_size(FRAME_BYTES)
                .add_service(logs)
                .add_service(host)
                .serve_with_incoming_shutdown(connections(listener), async {
                    let _ = closed.await;
                });
            // It fails with its listener only, and that does not fail.
            let _ = server.await;
        });
        Ok(Self {
            endpoint,
            streams,
            shutdown: Mutex::new(Some(shutdown)),
        })
    }

    /// `127.0.0.1:<port>`.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Takes no more connections, calls and records, and ends the streams
    /// (OBS-SEC-10).
    pub(crate) fn close(&self) {
        self.streams.close();
        let mut shutdown = self.shutdown.lock().unwrap_or_else(PoisonError::into_inner);
        // Dropping it is the word.
        shutdown.take();
    }
}

/// Connections as they come. One that fails does not end the others.
fn connections(listener: TcpListener) -> impl Stream<Item = io::Result<TcpStream>> {
    stream::unfold(listener, |listener| async move {
        loop {
            match listener.accept().await {
                Ok((connection, _)) => {
                    // Without it an acknowledgement waits for the next one; with
                    // a connection that has gone already nothing waits.
                    let _ = connection.set_nodelay(true);
                    return Some((Ok(connection), listener));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    })
}
