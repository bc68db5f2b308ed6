//! An instance of a component as the driver sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use plugobs_core::Severity;
use plugobs_core::registry::{attribute, event};
use plugobs_driver::failure::Exit;
use plugobs_driver::intake::InstanceIntake;
use plugobs_driver::transport::{CallError, Connection, OutgoingCall, Reply, StopOutcome};
use tokio::sync::{Mutex, watch};

use crate::calls::{self, Done};
use crate::component::Running;

/// A component has neither exit code nor signal (OBS-WASM-21).
const ENDED: Exit = Exit {
    code: None,
    signal: None,
};

/// Counts an instance as long as it is there.
pub(crate) struct Place(pub(crate) Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What is there until the instance is stopped or has trapped.
struct Alive {
    running: Running,
    _place: Place,
}

pub(crate) struct WasmConnection {
    intake: InstanceIntake,
    /// A component serves one call at a time.
    alive: Arc<Mutex<Option<Alive>>>,
    level: Arc<AtomicU8>,
    ended: watch::Sender<Option<Exit>>,
    /// The text of the trap that ended it.
    trapped: watch::Sender<Option<String>>,
}

impl WasmConnection {
    pub(crate) fn new(
        intake: InstanceIntake,
        running: Running,
        place: Place,
        level: Arc<AtomicU8>,
    ) -> Self {
        let alive = Alive {
            running,
            _place: place,
        };
        Self {
            intake,
            alive: Arc::new(Mutex::new(Some(alive))),
            level,
            ended: watch::Sender::new(None),
            trapped: watch::Sender::new(None),
        }
    }

    /// Calls the component on a thread that may be kept busy.
    async fn make(&self, call: OutgoingCall) -> Reply {
        let Some(operation) = calls::NOT_HERE
            .iter()
            .find(|name| **name == call.request.operation())
        else {
            let mut alive = self.alive.clone().lock_owned().await;
            let context = calls::context(&call);
            let instance_id = self.intake.instance_id().clone();
            let (ended, trapped) = (self.ended.clone(), self.trapped.clone());
            // It runs to its end, be it that nobody waits for it any more.
            let called = tokio::task::spawn_blocking(move || {
                let Some(running) = alive.as_mut() else {
                    return Err(trapped.borrow().clone());
                };
                let called = running.running.call(&context, &instance_id, call.request);
                if let Err(why) = &called.result {
                    // It is not called again (OBS-WASM-32).
                    trapped.send_replace(Some(why.clone()));
                    *alive = None;
                    ended.send_replace(Some(ENDED));
                }
                Ok(called)
            });
            return match called.await {
                Ok(Ok(called)) => Reply {
                    result: match called.result {
                        Ok(Done::Answer(response)) => Ok(*response),
                        Ok(Done::Failed(message)) => Err(CallError::Status {
                            code: "UNKNOWN".to_owned(),
                            message,
                        }),
                        Err(why) => Err(CallError::Trapped(why)),
                    },
                    position: Some(called.position),
                },
                Ok(Err(Some(why))) => failed(CallError::Trapped(why)),
                Ok(Err(None)) => failed(CallError::Connection("the instance has ended".into())),
                Err(error) => failed(CallError::Connection(format!("the host failed: {error}"))),
            };
        };
        failed(CallError::NotInInterface {
            interface: 0,
            operation,
        })
    }
}

#[async_trait]
impl Connection for WasmConnection {
    async fn call(&self, call: OutgoingCall) -> Reply {
        let timeout = call.timeout;
        // A call that takes longer goes on, up to its bound: the next one waits.
        let made = tokio::time::timeout(timeout, self.make(call)).await;
        made.unwrap_or_else(|_| failed(CallError::Timeout(timeout)))
    }

    fn set_level(&self, level: Severity) {
        self.level.store(level.number(), Ordering::Relaxed);
    }

    async fn flush(&self, deadline: Duration) -> bool {
        // A record is taken in before the component goes on; what is being
        // logged is in once the call has ended.
        tokio::time::timeout(deadline, self.alive.lock())
            .await
            .is_ok()
    }

    async fn stop(&self, grace: Duration) -> StopOutcome {
        if self.ended.borrow().is_none() {
            let nanos = u64::try_from(grace.as_nanos()).unwrap_or(u64::MAX);
            self.intake.lifecycle(
                event::INSTANCE_STOP_REQUESTED,
                "asked to stop",
                vec![(attribute::STOP_DEADLINE_NS, nanos.into())],
            );
        }
        // A call that is under way ends by itself or by its bound; its thread
        // drops the instance where it is waited for no longer.
        let stopped = tokio::time::timeout(grace, self.alive.lock()).await;
        let killed = match stopped {
            Ok(mut alive) => {
                *alive = None;
                false
            }
            Err(_) => {
                let alive = self.alive.clone();
                tokio::spawn(async move { *alive.lock().await = None });
                true
            }
        };
        self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            *ended = Some(ENDED);
            first
        });
        StopOutcome {
            exit: ENDED,
            killed,
        }
    }

    fn exit(&self) -> watch::Receiver<Option<Exit>> {
        self.ended.subscribe()
    }
}

fn failed(error: CallError) -> Reply {
    Reply {
        result: Err(error),
        position: None,
    }
}
