//! The driver itself: its plugins, its tests, its end.

pub(crate) mod call;
pub(crate) mod callbacks;
pub(crate) mod catalogue;
pub(crate) mod judge;
pub(crate) mod load;
pub(crate) mod make;
pub(crate) mod plugin;
pub(crate) mod report;
pub(crate) mod test;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugobs_core::registry::limit;
use plugobs_core::{RunId, Severity};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::watch;

use crate::config::{DriverBuilder, Settings};
use crate::driver::catalogue::Catalogue;
use crate::driver::plugin::{Plugin, PluginInner};
use crate::driver::test::Test;
use crate::failure::PluginFailure;
use crate::intake::hub::Hub;
use crate::manifest::{Manifest, PluginSource};
use crate::sink::SinkLoss;
use crate::test_run::TestRun;
use crate::transport::Transport;

/// How long sinks may take to write what is queued when the run ends.
const SINK_DEADLINE: Duration = limit::STOP_WAIT_DEFAULT;
/// How long calls to plugins that have stopped may take to notice.
const CALLS_DEADLINE: Duration = Duration::from_secs(2);

/// Why a driver could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// A thread could not be started.
    #[error("cannot start a thread of the driver: {0}")]
    Thread(std::io::Error),
    /// Acknowledgements follow one durable sink.
    #[error("more than one durable sink was added; add one run folder and other sinks beside it")]
    TwoDurableSinks,
    /// Within smaller limits a record cannot even name what was cut.
    #[error(
        "record_bytes is {record_bytes} and batch_bytes {batch_bytes}; give at least 4096 and at least as much as record_bytes"
    )]
    Limits {
        /// What was given.
        record_bytes: usize,
        /// What was given.
        batch_bytes: usize,
    },
}

/// Drives plugins for a test framework. Cheap to clone; all clones are one
/// driver.
///
/// Its futures run on its own runtime and can be awaited on any, or waited for
/// without one by [`Driver::wait`].
#[derive(Clone)]
pub struct Driver(Arc<Inner>);

pub(crate) struct Inner {
    runtime: Mutex<Option<Runtime>>,
    handle: Handle,
    pub(crate) hub: Arc<Hub>,
    pub(crate) settings: Settings,
    source: PluginSource,
    transports: Vec<Arc<dyn Transport>>,
    pub(crate) plugins: Mutex<Vec<Arc<PluginInner>>>,
    pub(crate) catalogue: Catalogue,
    /// Set once the driver shuts down: nothing is started any more.
    pub(crate) closing: watch::Sender<bool>,
}

impl Driver {
    /// Begins to set up a driver.
    pub fn builder() -> DriverBuilder {
        DriverBuilder::default()
    }

    pub(crate) fn new(
        runtime: Runtime,
        hub: Arc<Hub>,
        source: PluginSource,
        transports: Vec<Arc<dyn Transport>>,
        settings: Settings,
    ) -> Self {
        Self(Arc::new(Inner {
            handle: runtime.handle().clone(),
            runtime: Mutex::new(Some(runtime)),
            hub,
            settings,
            source,
            transports,
            plugins: Mutex::default(),
            catalogue: Catalogue::default(),
            closing: watch::Sender::new(false),
        }))
    }

    /// The run.
    pub fn run_id(&self) -> &RunId {
        &self.0.hub.run_id
    }

    /// Starts the plugin of that name: of exactly that version, or without one
    /// the highest installed. Each load is an instance of its own.
    ///
    /// # Errors
    /// A [`PluginFailure`] that says at which stage it failed, with the
    /// process's exit and its last output.
    pub async fn load(&self, name: &str, version: Option<&str>) -> Result<Plugin, PluginFailure> {
        let (inner, name) = (self.0.clone(), name.to_owned());
        let version = version.map(str::to_owned);
        self.on_runtime(async move {
            let manifest = load::find(&inner, &name, version.as_deref())?;
            load::start(&inner, manifest).await
        })
        .await
    }

    /// Starts a plugin by its manifest, wherever it came from.
    ///
    /// # Errors
    /// As [`Driver::load`].
    pub async fn load_manifest(&self, manifest: Manifest) -> Result<Plugin, PluginFailure> {
        let inner = self.0.clone();
        self.on_runtime(async move { load::start(&inner, manifest).await })
            .await
    }

    /// Begins a test run. Calls made for it carry its ID, and records name it.
    pub fn begin_test(&self, run: TestRun) -> Test {
        Test::begin(self.0.clone(), run)
    }

    /// The instances that are loaded, in the order of their loading.
    pub fn plugins(&self) -> Vec<Plugin> {
        self.0.loaded().into_iter().map(Plugin).collect()
    }

    /// Changes the least severity wanted of operational records, while running.
    pub fn set_level(&self, level: Severity) {
        for plugin in self.0.loaded() {
            plugin.connection.set_level(level);
        }
    }

    /// Stops every plugin, one that is still starting included, then ends the
    /// run: sinks take what is queued.
    /// Returns what each sink lost. Calling it again does nothing.
    pub async fn shutdown(&self) -> Vec<SinkLoss> {
        let inner = self.0.clone();
        self.on_runtime(async move { inner.shut_down().await })
            .await
    }

    /// Waits for a future of this driver on a thread without a runtime.
    ///
    /// # Panics
    /// Inside of a tokio runtime: await the future there.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.handle.block_on(future)
    }

    async fn on_runtime<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        self.0.on_runtime(work).await
    }
}

impl Inner {
    /// Runs the work on the driver's runtime, whoever awaits it.
    pub(crate) async fn on_runtime<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.handle.spawn(work).await {
            Ok(value) => value,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends only with the last handle on this driver,
                // and the caller holds one.
                Err(_) => std::future::pending().await,
            },
        }
    }

    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(work);
    }

    pub(crate) fn loaded(&self) -> Vec<Arc<PluginInner>> {
        self.plugins
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes a plugin that was started; `false` once the driver shuts down.
    pub(crate) fn register(&self, plugin: &Arc<PluginInner>) -> bool {
        let mut plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at under the lock: what is registered before is stopped.
        let open = !*self.closing.borrow();
        if open {
            plugins.push(plugin.clone());
        }
        open
    }

    pub(crate) fn transport(&self, executable_type: &str) -> Option<Arc<dyn Transport>> {
        self.transports
            .iter()
            .find(|t| t.executable_types().contains(&executable_type))
            .cloned()
    }

    async fn shut_down(self: Arc<Self>) -> Vec<SinkLoss> {
        self.closing.send_replace(true);
        let plugins =
            std::mem::take(&mut *self.plugins.lock().unwrap_or_else(PoisonError::into_inner));
        let stops: Vec<_> = plugins
            .into_iter()
            .map(|plugin| {
                tokio::spawn(async move {
                    plugin.stop().await;
                    plugin.wait_idle(CALLS_DEADLINE).await;
                })
            })
            .collect();
        for stop in stops {
            // A stop that panicked has nothing more to be waited for.
            let _ = stop.await;
        }
        let hub = self.hub.clone();
        tokio::task::spawn_blocking(move || hub.end(true, SINK_DEADLINE))
            .await
            .unwrap_or_default()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Without a shutdown the plugins are killed with their connections, and
        // the sinks take what is queued.
        self.plugins
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        let runtime = self
            .runtime
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtime.take() {
            runtime.shutdown_background();
        }
        self.hub.end(false, SINK_DEADLINE);
    }
}
