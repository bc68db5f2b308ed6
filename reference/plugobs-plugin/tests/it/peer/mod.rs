//! The driver that a test plays: its services on loopback, in front of them a
//! wire that can be cut, and a memory of all that arrived.

mod host_service;
mod log_service;
mod process;
mod seen;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use plugobs_core::Severity;
use plugobs_proto::observability::v1 as proto;
use plugobs_proto::observability::v1::log_service_server::LogServiceServer;
use plugobs_proto::observability::v1::stream_response::Kind as FromDriver;
use plugobs_proto::pact::v2::plugin_host_server::PluginHostServer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};

pub(crate) use process::{INSTANCE, Offer, Plugin, TOKEN, context, script};
pub(crate) use seen::Seen;
pub(crate) use wire::Wire;

/// Longer than anything takes on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// How the log service behaves; may be changed while it runs.
#[derive(Debug, Clone)]
pub(crate) struct Ways {
    /// Ends each stream with it instead of a welcome.
    pub(crate) refuse: Option<(Code, &'static str)>,
    /// No answer to hello.
    pub(crate) mute: bool,
    /// After the welcome, nothing is read any more.
    pub(crate) deaf: bool,
    pub(crate) limits: proto::Limits,
    /// 0: all.
    pub(crate) severity: u32,
    /// The credit of the welcome.
    pub(crate) credit: u64,
    /// Whether what arrives is acknowledged, and its credit given back.
    pub(crate) acknowledge: bool,
    /// Ends each unary log with it.
    pub(crate) refuse_log: Option<Code>,
    /// Unary logs are not answered.
    pub(crate) hang_log: bool,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            refuse: None,
            mute: false,
            deaf: false,
            limits: proto::Limits::default(),
            severity: u32::from(Severity::INFO.number()),
            credit: 4 << 20,
            acknowledge: true,
            refuse_log: None,
            hang_log: false,
        }
    }
}

/// What the parts of the driver share.
pub(crate) struct Shared {
    pub(crate) ways: Mutex<Ways>,
    seen: watch::Sender<Seen>,
    /// Each open stream's way back to the plugin.
    replies: Mutex<HashMap<usize, log_service::Reply>>,
}

/// A driver for one plugin.
#[derive(Clone)]
pub(crate) struct Driver {
    shared: Arc<Shared>,
    /// The record stream and the deployed host are reached over it.
    pub(crate) wire: Arc<Wire>,
    has_streams: bool,
}

impl Driver {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Ways)) -> Self {
        let mut ways = Ways::default();
        change(&mut ways);
        Self::serving(ways, true).await
    }

    /// A deployed driver: there is no log service.
    pub(crate) async fn deployed(change: impl FnOnce(&mut Ways)) -> Self {
        let mut ways = Ways::default();
        change(&mut ways);
        Self::serving(ways, false).await
    }

    async fn serving(ways: Ways, streams: bool) -> Self {
        let shared = Arc::new(Shared {
            ways: Mutex::new(ways),
            seen: watch::Sender::default(),
            replies: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let logs = log_service::Service(shared.clone());
        let logs = LogServiceServer::new(logs).max_decoding_message_size(16 << 20);
        let host = PluginHostServer::new(host_service::Service(shared.clone()));
        let router = Server::builder()
            .add_optional_service(streams.then_some(logs))
            .add_service(host);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        tokio::spawn(router.serve_with_incoming(incoming));
        let wire = Arc::new(Wire::to(address).await);
        Self {
            shared,
            wire,
            has_streams: streams,
        }
    }

    pub(crate) fn has_streams(&self) -> bool {
        self.has_streams
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Ways)) {
        change(&mut self.shared.ways.lock().unwrap());
    }

    /// What has arrived by now.
    pub(crate) fn seen(&self) -> Seen {
        self.shared.seen.borrow().clone()
    }

    /// Waits until what arrived is as wanted.
    pub(crate) async fn wait(&self, what: &str, wanted: impl Fn(&Seen) -> bool) -> Seen {
        let mut seen = self.shared.seen.subscribe();
        let found = tokio::time::timeout(SOON, seen.wait_for(|seen| wanted(seen))).await;
        match found {
            Ok(found) => found.unwrap().clone(),
            Err(_) => panic!("no {what} in\n{}", self.seen().to_text()),
        }
    }

    /// Waits for a record with that message and gives it.
    pub(crate) async fn record(&self, message: &str) -> plugobs_core::Record {
        let seen = self
            .wait(message, |seen| seen.record(message).is_some())
            .await;
        seen.record(message).unwrap()
    }

    pub(crate) async fn event(&self, event: &str) -> plugobs_core::Record {
        let seen = self.wait(event, |seen| seen.event(event).is_some()).await;
        seen.event(event).unwrap()
    }

    /// Says something on the newest open stream.
    pub(crate) async fn say(&self, kind: FromDriver) {
        let reply = {
            let replies = self.shared.replies();
            let newest = replies.keys().max().copied().unwrap();
            replies[&newest].clone()
        };
        let message = proto::StreamResponse { kind: Some(kind) };
        reply.send(Ok(message)).await.unwrap();
    }

    pub(crate) async fn set_level(&self, severity_number: u32) {
        let set = proto::SetLevel { severity_number };
        self.say(FromDriver::SetLevel(set)).await;
    }

    /// Asks for a flush and waits for its answer: through which sequence.
    pub(crate) async fn flush(&self, flush_id: u64) -> u64 {
        let deadline_ms = 10_000;
        let flush = proto::Flush {
            flush_id,
            deadline_ms,
        };
        self.say(FromDriver::Flush(flush)).await;
        let seen = self
            .wait("flushed", |seen| seen.flushed(flush_id).is_some())
            .await;
        seen.flushed(flush_id).unwrap()
    }

    pub(crate) async fn stop(&self) {
        self.stop_within(5_000).await;
    }

    pub(crate) async fn stop_within(&self, deadline_ms: u32) {
        let stop = proto::Stop { deadline_ms };
        self.say(FromDriver::Stop(stop)).await;
    }

    /// Acknowledges everything that has arrived, and gives credit.
    pub(crate) async fn acknowledge(&self, credit_bytes: u64) {
        let through_sequence = self.seen().account().through();
        self.say(FromDriver::Acknowledgement(proto::Acknowledgement {
            through_sequence,
            credit_bytes,
        }))
        .await;
    }

    /// Ends the newest open stream with that status.
    pub(crate) async fn end_stream(&self, code: Code) {
        let reply = {
            let mut replies = self.shared.replies();
            let newest = replies.keys().max().copied().unwrap();
            replies.remove(&newest).unwrap()
        };
        reply.send(Err(Status::new(code, "as told"))).await.unwrap();
    }
}

impl Shared {
    fn ways(&self) -> Ways {
        self.ways.lock().unwrap().clone()
    }

    fn replies(&self) -> MutexGuard<'_, HashMap<usize, log_service::Reply>> {
        self.replies.lock().unwrap()
    }

    fn note(&self, note: impl FnOnce(&mut Seen)) {
        self.seen.send_modify(note);
    }
}
