//! A loaded instance.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once, OnceLock, Weak};
use std::time::{Duration, Instant};

use plugobs_core::registry::FailureCode;
use plugobs_core::{InstanceId, Severity};
use tokio::sync::watch;

use super::Inner;
use super::call::{self, CallOptions, CallReturn};
use super::judge::InFlight;
use super::load::SharedConnection;
use super::report::{Details, Failed};
use crate::failure::{Exit, PluginFailure};
use crate::info::InstanceInfo;
use crate::intake::instance::InstanceState;
use crate::interface::Request;
use crate::manifest::Manifest;

/// How long the records of a stopped instance may take to be written.
const SETTLE_WAIT: Duration = Duration::from_secs(2);

/// A loaded plugin instance. Cheap to clone; all clones are one instance.
#[derive(Clone)]
pub struct Plugin(pub(crate) Arc<PluginInner>);

pub(crate) struct PluginInner {
    pub(crate) driver: Weak<Inner>,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) state: Arc<InstanceState>,
    pub(crate) connection: SharedConnection,
    /// Set once it has ended without being asked to.
    pub(crate) crashed: OnceLock<PluginFailure>,
    pub(crate) calls_in_flight: watch::Sender<usize>,
    /// Calls whose logs are not known to be in.
    pub(crate) open_reports: watch::Sender<usize>,
    stopping: AtomicBool,
    ended: Once,
    started: Instant,
}

impl Plugin {
    /// The instance.
    pub fn instance_id(&self) -> &InstanceId {
        &self.0.state.id
    }

    /// The plugin's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// What is known of the instance by now.
    pub fn info(&self) -> InstanceInfo {
        self.0.state.info()
    }

    /// Makes one call, for the test of the options, else of the scope.
    pub async fn call(&self, request: Request, options: CallOptions) -> CallReturn {
        call::call(&self.0, request, options).await
    }

    /// Changes the level of this instance, while running.
    pub fn set_level(&self, level: Severity) {
        self.0.connection.set_level(level);
    }

    /// Asks for every record emitted so far; `false` where they did not all
    /// come by the deadline, or the plugin cannot tell.
    pub async fn flush(&self, deadline: Duration) -> bool {
        match self.0.driver.upgrade() {
            None => false,
            Some(driver) => {
                let plugin = self.0.clone();
                driver
                    .on_runtime(async move { plugin.connection.flush(deadline).await })
                    .await
            }
        }
    }

    /// Stops the instance: asks, waits, terminates, kills. Its records are
    /// taken in to the last.
    pub async fn stop(&self) {
        if let Some(driver) = self.0.driver.upgrade() {
            let plugin = self.0.clone();
            driver.on_runtime(async move { plugin.stop().await }).await;
        }
    }
}

impl PluginInner {
    pub(crate) fn new(
        driver: Weak<Inner>,
        manifest: Arc<Manifest>,
        state: Arc<InstanceState>,
        connection: SharedConnection,
    ) -> Self {
        Self {
            driver,
            manifest,
            state,
            connection,
            crashed: OnceLock::new(),
            calls_in_flight: watch::Sender::new(0),
            open_reports: watch::Sender::new(0),
            stopping: AtomicBool::new(false),
            ended: Once::new(),
            started: Instant::now(),
        }
    }

    /// Why this instance can take no call (OBS-FAIL-12); `None` where it can.
    pub(crate) fn ended(&self) -> Option<PluginFailure> {
        match self.crashed.get() {
            Some(crash) => Some(crash.clone()),
            None if self.is_stopping() => Some(PluginFailure::of_stopped(&self.manifest)),
            None => None,
        }
    }

    /// Whether somebody asked it to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// What every report about this instance says.
    pub(crate) fn details(&self) -> Details<'_> {
        Details {
            version: Some(self.manifest.version.to_string()),
            instance: Some(&self.state),
            ..Details::default()
        }
    }

    pub(crate) async fn stop(self: &Arc<Self>) {
        if self.stopping.swap(true, Ordering::AcqRel) {
            // Somebody else stops it; wait until that is done.
            let mut exit = self.connection.exit();
            let _ = exit.wait_for(Option::is_some).await;
            return;
        }
        let grace = self
            .driver
            .upgrade()
            .map_or(Duration::ZERO, |driver| driver.settings.stop_grace);
        let started = Instant::now();
        let outcome = self.connection.stop(grace).await;
        self.record_end(outcome.exit);
        // The manifest's last word on this instance is said once its records
        // are written.
        self.state.wait_all_settled(SETTLE_WAIT).await;
        self.state.describe(|_| {});
        if let (true, Some(driver)) = (outcome.killed, self.driver.upgrade()) {
            driver.fail(Failed {
                code: FailureCode::ShutdownOverrun,
                message: format!("it had not stopped after {grace:?} and was killed"),
                elapsed: started.elapsed(),
                name: &self.manifest.name,
                details: Details {
                    exit: Some(outcome.exit),
                    ..self.details()
                },
            });
        }
    }

    /// Writes the instance's end into the timeline, once; whoever comes second
    /// finds it written.
    fn record_end(&self, exit: Exit) {
        self.ended.call_once(|| {
            self.state.close_accounts();
            self.state.report_shed();
            self.state.record_end(Some(exit), self.started.elapsed());
            if let Some(driver) = self.driver.upgrade() {
                driver.catalogue.remove(&self.state.id);
            }
        });
    }

    /// Watches for an end that nobody asked for.
    pub(crate) fn watch(self: &Arc<Self>) {
        let Some(driver) = self.driver.upgrade() else {
            return;
        };
        let mut exit = self.connection.exit();
        let weak = Arc::downgrade(self);
        driver.spawn(async move {
            let ended = exit.wait_for(Option::is_some).await.ok().and_then(|e| *e);
            let (Some(plugin), Some(exit)) = (weak.upgrade(), ended) else {
                return;
            };
            let was_asked_for = plugin.is_stopping();
            plugin.record_end(exit);
            // A call in flight makes the report, with its test in it; but not
            // one that was answered just before the end.
            let mut calls = plugin.calls_in_flight.subscribe();
            let _ = calls.wait_for(|calls| *calls == 0).await;
            if !was_asked_for && plugin.crashed.get().is_none() {
                plugin.crash(exit, None);
            }
        });
    }

    /// Waits until every call has its end in the timeline, and that of its logs.
    /// Once the plugin has stopped that is soon: a call in flight has lost its
    /// connection, and no more logs come.
    pub(crate) async fn wait_idle(&self, deadline: Duration) {
        let mut calls = self.calls_in_flight.subscribe();
        let mut reports = self.open_reports.subscribe();
        let idle = async {
            // The senders live as long as this instance.
            let _ = calls.wait_for(|calls| *calls == 0).await;
            let _ = reports.wait_for(|reports| *reports == 0).await;
        };
        // What does not end in time ends without a record.
        let _ = tokio::time::timeout(deadline, idle).await;
    }

    /// The report of an end that nobody asked for. A call in flight has one of
    /// its own, with its test in it; the first is what later calls are told.
    pub(crate) fn crash(&self, exit: Exit, call: Option<&InFlight<'_>>) -> PluginFailure {
        let make = || {
            let doing = call.map_or("while no call was running".to_owned(), |call| {
                format!("during {}", call.operation)
            });
            let failed = Failed {
                code: FailureCode::Crashed,
                message: format!("the process ended {doing}"),
                elapsed: call.map_or(self.started.elapsed(), |call| call.started.elapsed()),
                name: &self.manifest.name,
                details: Details {
                    exit: Some(exit),
                    identity: call.map(|call| call.identity),
                    operation: call.map(|call| call.operation),
                    ..self.details()
                },
            };
            self.driver.upgrade().map(|driver| driver.fail(failed))
        };
        if let (None, Some(failure)) = (call, self.crashed.get()) {
            return failure.clone();
        }
        let failure = make().unwrap_or_else(|| PluginFailure::of_ended_driver(&self.manifest));
        // Another call may have been first.
        let _ = self.crashed.set(failure.clone());
        failure
    }
}
