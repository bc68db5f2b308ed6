//! A transport in the test's own process: a plugin is a closure.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use plugobs_core::registry::source;
use plugobs_core::{Record, Severity, Timestamp};
use plugobs_driver::failure::Exit;
use plugobs_driver::intake::{Path, Received};
use plugobs_driver::interface::{CatalogueEntry, Request, Response};
use plugobs_driver::sink::memory::{MemoryRecords, MemorySink};
use plugobs_driver::transport::{
    Connection, Launch, OutgoingCall, Reply, StopOutcome, Transport, TransportFailure,
};
use plugobs_driver::{Driver, DriverBuilder, Manifest, Plugin};
use tokio::sync::watch;

pub(crate) type Answer =
    Arc<dyn Fn(&FakeConnection, &OutgoingCall) -> Result<Reply, Wait> + Send + Sync>;

/// What a scripted plugin does in place of an answer.
pub(crate) enum Wait {
    /// Never answers.
    Forever,
    /// Calls an entry of its host with the identity it was given, and answers
    /// with what comes back.
    Host(String, Request),
}

#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) answer: Answer,
    pub(crate) seen: Arc<Mutex<Vec<OutgoingCall>>>,
}

pub(crate) struct FakeConnection {
    pub(crate) launch: Launch,
    fake: Fake,
    exit: watch::Sender<Option<Exit>>,
}

impl Fake {
    pub(crate) fn new(
        answer: impl Fn(&FakeConnection, &OutgoingCall) -> Result<Reply, Wait> + Send + Sync + 'static,
    ) -> Self {
        Self {
            answer: Arc::new(answer),
            seen: Arc::default(),
        }
    }

    /// A plugin that takes every call and says nothing.
    pub(crate) fn silent() -> Self {
        Self::new(|_, call| Ok(plain(call)))
    }

    pub(crate) fn calls(&self, operation: &str) -> Vec<OutgoingCall> {
        let mut calls = self.seen.lock().unwrap().clone();
        calls.retain(|call| call.request.operation() == operation);
        calls
    }
}

/// The answer of a plugin that is content.
pub(crate) fn plain(call: &OutgoingCall) -> Reply {
    let response = match &call.request {
        Request::Init { .. } => Response::Initialised {
            catalogue: vec![CatalogueEntry {
                kind: "CONTENT_MATCHER".to_owned(),
                key: "csv".to_owned(),
                ..CatalogueEntry::default()
            }],
            plugin_capabilities: Vec::new(),
        },
        Request::StartMockServer(_) => Response::MockServerStarted {
            key: "server-1".to_owned(),
            port: 4711,
            address: "http://127.0.0.1:4711".to_owned(),
        },
        _ => Response::Empty,
    };
    Reply {
        result: Ok(response),
        position: None,
    }
}

pub(crate) fn reply(response: Response) -> Result<Reply, Wait> {
    Ok(Reply {
        result: Ok(response),
        position: None,
    })
}

/// Any call that a plugin takes for a test.
pub(crate) fn any_request() -> Request {
    Request::GetMockServerResults {
        server_key: "unknown".to_owned(),
    }
}

impl FakeConnection {
    /// A record with a key, as a plugin with a token sends it.
    pub(crate) fn send(&self, call: &OutgoingCall, sequence: u64, text: &str) {
        let mut record = self.record(sequence, text);
        record.test_run_id.clone_from(&call.identity.test_run_id);
        record.call_id.clone_from(&call.identity.call_id);
        self.receive(record, true);
    }

    pub(crate) fn record(&self, sequence: u64, text: &str) -> Record {
        let now = Timestamp::from_unix_nanos(1_000_000_000);
        let mut record = Record::new(now, Severity::INFO, "fake", text);
        record.plugin_instance_id = Some(self.launch.intake.instance_id().to_string().into());
        (record.epoch, record.sequence) = (Some(1), Some(sequence));
        record
    }

    pub(crate) fn receive(&self, record: Record, verified: bool) {
        let path = Path {
            source: source::STREAM,
            verified,
        };
        let received = vec![Received::Record(Box::new(record))];
        self.launch.intake.receive(path, received, &[]);
    }

    pub(crate) fn exit(&self, code: i32) {
        self.exit.send_replace(Some(Exit {
            code: Some(code),
            signal: None,
        }));
    }
}

#[async_trait]
impl Transport for Fake {
    fn executable_types(&self) -> &[&str] {
        &["fake"]
    }

    async fn launch(&self, launch: Launch) -> Result<Arc<dyn Connection>, TransportFailure> {
        Ok(Arc::new(FakeConnection {
            launch,
            fake: self.clone(),
            exit: watch::channel(None).0,
        }))
    }
}

#[async_trait]
impl Connection for FakeConnection {
    async fn call(&self, call: OutgoingCall) -> Reply {
        self.fake.seen.lock().unwrap().push(call.clone());
        match (self.fake.answer)(self, &call) {
            Ok(reply) => reply,
            Err(Wait::Forever) => std::future::pending().await,
            Err(Wait::Host(key, request)) => {
                let host = self.launch.callbacks.clone();
                let caller = self.launch.intake.instance_id().clone();
                let result = host
                    .call_entry(&caller, call.identity, call.test_context, &key, request)
                    .await;
                let response = match result {
                    Ok(response) => response,
                    Err(error) => Response::Refused {
                        error: error.to_string(),
                    },
                };
                Reply {
                    result: Ok(response),
                    position: None,
                }
            }
        }
    }

    fn set_level(&self, _level: Severity) {}

    async fn flush(&self, _deadline: Duration) -> bool {
        true
    }

    async fn stop(&self, _grace: Duration) -> StopOutcome {
        self.exit(0);
        StopOutcome {
            exit: Exit {
                code: Some(0),
                signal: None,
            },
            killed: false,
        }
    }

    fn exit(&self) -> watch::Receiver<Option<Exit>> {
        self.exit.subscribe()
    }
}

pub(crate) fn manifest() -> Manifest {
    Manifest {
        name: "fake".to_owned(),
        version: "1.2.3".parse().unwrap(),
        interface_version: 2,
        executable_type: "fake".to_owned(),
        folder: PathBuf::from("/"),
        entry_point: "fake".to_owned(),
        args: Vec::new(),
        minimum_required_version: None,
        plugin_config: serde_json::Map::new(),
    }
}

/// A driver of that plugin whose records are kept in memory.
pub(crate) fn builder(fake: &Fake) -> (DriverBuilder, MemoryRecords) {
    let (sink, records) = MemorySink::new(100_000);
    let builder = Driver::builder().transport(fake.clone()).sink(sink);
    (builder, records)
}

pub(crate) async fn loaded(fake: &Fake) -> (Driver, Plugin, MemoryRecords) {
    let (builder, records) = builder(fake);
    let driver = builder.build().unwrap();
    let plugin = driver.load_manifest(manifest()).await.unwrap();
    (driver, plugin, records)
}

pub(crate) const SOON: Duration = Duration::from_secs(10);

/// Waits for a record with that message and gives it.
pub(crate) fn find(records: &MemoryRecords, message: &str) -> Record {
    let found = records.wait_for(SOON, |all| all.iter().any(|r| r.message == message));
    assert!(found, "no record {message:?} among {:#?}", records.all());
    let mut all = records.all();
    all.retain(|r| r.message == message);
    all.remove(0)
}

/// Waits for a lifecycle record of that event and gives it.
pub(crate) fn find_event(records: &MemoryRecords, event: &str) -> Record {
    let is = |r: &Record| r.event_name.as_deref() == Some(event);
    let found = records.wait_for(SOON, |all| all.iter().any(is));
    assert!(found, "no event {event} among {:#?}", records.all());
    let mut all = records.all();
    all.retain(is);
    all.remove(0)
}
