//! The SDK as a plugin's author sees it: set up, hook in, shut down.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use plugobs_core::Severity;
use plugobs_core::registry::{attribute, event};
use tokio::sync::{mpsc, oneshot};
use tracing_core::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use crate::emitter::{Emitter, Options, SharedEmitter};
use crate::layer::{RecordLayer, Threshold};
use crate::queue::Bounds;
use crate::server::ServerLayer;
use crate::settings::Settings;
use crate::transport::{self, Closing};

/// How long the end of a program waits for its records.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(2);

/// The diagnostics of this process, once they are set up; [`crate::user_message!`]
/// finds them here.
static INSTALLED: OnceLock<Diagnostics> = OnceLock::new();

/// Why the diagnostics could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The transport's thread could not be started.
    #[error("cannot start the thread that carries records: {0}")]
    Thread(std::io::Error),
    /// One process has one emitter.
    #[error("diagnostics are set up already in this process; set them up once, in main")]
    Twice,
    /// Another subscriber is in place.
    #[error("another tracing subscriber is installed; add Diagnostics::layer to it instead")]
    Subscriber,
    /// Another logger is in place.
    #[error("another logger of the log crate is installed; set up diagnostics without the bridge")]
    Logger,
}

/// Collects how diagnostics are to be set up.
#[derive(Debug, Default)]
pub struct Builder {
    options: Options,
}

/// The diagnostics of a plugin process. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Diagnostics(Arc<Inner>);

struct Inner {
    emitter: SharedEmitter,
    closing: mpsc::UnboundedSender<Closing>,
    shut_down: AtomicBool,
}

/// Shuts diagnostics down when it is dropped, so that the last records are
/// said. Keep it until the end of `main`.
#[must_use = "dropping it ends the diagnostics"]
pub struct Guard(Diagnostics);

impl Builder {
    /// The level to begin with where the environment names none (registry
    /// `environment`: `PLUGOBS_LEVEL`, `LOG_LEVEL`); INFO by default. The
    /// driver may change it while the plugin runs.
    #[must_use]
    pub fn level(mut self, level: Severity) -> Self {
        self.options.level = level;
        self
    }

    /// The least severity that is wanted of the libraries that serve gRPC
    /// (targets below `h2`, `hyper`, `hyper_util`, `tonic` and `tower`). At
    /// DEBUG they say far more than most plugins; at WARN and above they tell
    /// faults. By default their level is that of everything (OBS-CHAN-21).
    /// What the SDK's own transport says is never recorded.
    #[must_use]
    pub fn library_level(mut self, level: Severity) -> Self {
        self.options.library_level = level;
        self
    }

    /// Bytes of records that may wait for the driver, and the part of them kept
    /// for WARN and above, lifecycle and user records; 8 MiB and 1 MiB by
    /// default.
    #[must_use]
    pub fn queue_bytes(mut self, queue: usize, reserve: usize) -> Self {
        self.options.bounds = Bounds { queue, reserve };
        self
    }

    /// Also writes records as lines of text to standard error while they go
    /// over the deployed unary log, as deployed plugins do: their drivers keep
    /// standard error in a file. Off by default.
    #[must_use]
    pub fn mirror_unary_to_stderr(mut self, mirror: bool) -> Self {
        self.options.mirror = mirror;
        self
    }

    /// Starts the transport and the panic hook, and leaves `tracing` and `log`
    /// alone: add [`Diagnostics::layer`] to your own subscriber.
    ///
    /// # Errors
    /// Where diagnostics are set up already, or the thread cannot be started.
    pub fn start(self) -> Result<(Diagnostics, Guard), SetupError> {
        let settings = Settings::from_environment();
        let emitter = Arc::new(Emitter::new(settings, self.options));
        let (closing, closings) = mpsc::unbounded_channel();
        let diagnostics = Diagnostics(Arc::new(Inner {
            emitter: emitter.clone(),
            closing,
            shut_down: AtomicBool::new(false),
        }));
        INSTALLED
            .set(diagnostics.clone())
            .map_err(|_| SetupError::Twice)?;
        crate::panic::install(emitter.clone());
        // The first record, before the connection to the driver (OBS-LIFE-06).
        emitter.lifecycle(
            event::PLUGIN_STARTED,
            "diagnostics are set up",
            vec![
                (attribute::SDK_NAME, env!("CARGO_PKG_NAME").into()),
                (attribute::SDK_VERSION, env!("CARGO_PKG_VERSION").into()),
                (attribute::SDK_LANGUAGE, "rust".into()),
                (attribute::PROCESS_PID, std::process::id().into()),
            ],
            None,
        );
        transport::start(&emitter, closings).map_err(|error| {
            emitter.go_direct();
            SetupError::Thread(error)
        })?;
        Ok((diagnostics.clone(), Guard(diagnostics)))
    }

    /// Sets up everything: the transport, the panic hook, a `tracing`
    /// subscriber of this layer alone, and the bridge from `log`.
    ///
    /// # Errors
    /// As [`Builder::start`], or where another subscriber or logger is in
    /// place.
    pub fn install(self) -> Result<(Diagnostics, Guard), SetupError> {
        let (diagnostics, guard) = self.start()?;
        let subscriber = tracing_subscriber::registry().with(diagnostics.layer());
        tracing::subscriber::set_global_default(subscriber).map_err(|_| SetupError::Subscriber)?;
        tracing_log::LogTracer::init().map_err(|_| SetupError::Logger)?;
        let emitter = &diagnostics.0.emitter;
        emitter.bridges_log.store(true, Ordering::Release);
        set_log_level(emitter.level());
        Ok((diagnostics, guard))
    }
}

impl Diagnostics {
    /// Begins to set up.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Those that are set up in this process.
    pub fn installed() -> Option<&'static Self> {
        INSTALLED.get()
    }

    /// The `tracing` layer: every event of the program becomes an operational
    /// record, with the IDs of the call in whose work it happened. Its level is
    /// its own; layers beside it keep theirs.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let emitter = self.0.emitter.clone();
        RecordLayer(emitter.clone()).with_filter(Threshold(emitter))
    }

    /// The layer of a tonic server: `Server::builder().layer(…)`. It works
    /// with any generated code of the deployed interface.
    pub fn server_layer(&self) -> ServerLayer {
        ServerLayer(self.0.emitter.clone())
    }

    /// Bytes of records that wait for the driver, sent or not, and are not yet
    /// acknowledged. A plugin that makes very many records for one call can wait
    /// here, where otherwise some would be shed (OBS-LIM-22); 0 once all arrived.
    pub fn queued_bytes(&self) -> usize {
        self.0.emitter.queue(|queue| queue.bytes())
    }

    /// The least severity of the operational records that are emitted now.
    pub fn level(&self) -> Severity {
        Severity::from_number(self.0.emitter.level().into()).unwrap_or(Severity::TRACE)
    }

    /// Sets it, until the driver asks for another.
    pub fn set_level(&self, level: Severity) {
        set_level(&self.0.emitter, level.number());
    }

    /// A message for the person who reads the test result; see
    /// [`crate::user_message!`].
    pub fn user_message(&self, text: &str) {
        self.0.emitter.user_message(text, false);
    }

    /// A user message in CommonMark.
    pub fn user_message_markdown(&self, text: &str) {
        self.0.emitter.user_message(text, true);
    }

    /// Resolves when the driver, or a termination signal, asks the plugin to
    /// stop: for `serve_with_shutdown`. Call it inside of the runtime, before
    /// the handshake is printed: signals are caught from then on.
    ///
    /// A process that has not ended by the deadline that the driver gives with
    /// its word is ended then, with exit code 1 and its records on standard
    /// error (OBS-STR-15): a call that never ends does not keep it.
    pub fn shutdown_signal(&self) -> impl Future<Output = ()> + Send + 'static {
        let emitter = self.0.emitter.clone();
        // From here on, not from the first poll: a plugin may be told to stop
        // as soon as it has printed its handshake.
        let terminated = termination();
        async move {
            let mut stop = emitter.stop.subscribe();
            tokio::select! {
                // The sender is in the emitter.
                _ = stop.wait_for(|stop| *stop) => {}
                () = terminated => emitter.record_stopping("a termination signal"),
            }
        }
    }

    /// Sends what is queued and ends in order. What has not been acknowledged
    /// by the driver's deadline, or after two seconds where it gave none, and
    /// all that comes later, goes to standard error.
    pub async fn shutdown(&self) {
        let (done, wait) = oneshot::channel();
        let diagnostics = self.clone();
        // On a thread of its own, so that any runtime can wait for it.
        std::thread::spawn(move || {
            diagnostics.shutdown_blocking();
            // Whoever asked may have given up.
            let _ = done.send(());
        });
        // The thread does not panic, and has sent before it ends.
        let _ = wait.await;
    }

    /// [`Diagnostics::shutdown`] for code that is not asynchronous: call it
    /// before [`std::process::exit`], which drops no guard.
    pub fn shutdown_blocking(&self) {
        if let Some(done) = self.begin_shutdown() {
            // The transport keeps its own time; this is for one that cannot,
            // and for one that has gone.
            let left = self.deadline().saturating_duration_since(Instant::now());
            let _ = done.recv_timeout(left + SHUTDOWN_WAIT);
        }
    }

    /// The instance's token, for calls to the driver alone.
    pub(crate) fn token(&self) -> Option<&str> {
        self.0.emitter.settings.token.as_deref()
    }

    /// Until when records may be on their way once the program ends.
    fn deadline(&self) -> Instant {
        let now = Instant::now();
        match self.0.emitter.deadline() {
            // Time is left to write the rest to standard error.
            Some(deadline) => now + deadline.saturating_duration_since(now) * 9 / 10,
            None => now + SHUTDOWN_WAIT,
        }
    }

    /// Tells when it is done; `None` where there is nothing to wait for.
    fn begin_shutdown(&self) -> Option<Receiver<()>> {
        let emitter = &self.0.emitter;
        if emitter.is_forked() || self.0.shut_down.swap(true, Ordering::AcqRel) {
            return None;
        }
        emitter.record_stopping("the plugin ends");
        let (done, wait) = std::sync::mpsc::channel();
        let deadline = self.deadline();
        let sent = self.0.closing.send(Closing { deadline, done });
        if sent.is_err() {
            emitter.go_direct();
            return None;
        }
        Some(wait)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.shutdown_blocking();
    }
}

/// Changes the level while running: what is cached at each place of the code
/// is asked anew.
pub(crate) fn set_level(emitter: &Emitter, level: u8) {
    if emitter.set_level(level) {
        tracing_core::callsite::rebuild_interest_cache();
        // A logger of the plugin's own keeps its level.
        if emitter.bridges_log.load(Ordering::Acquire) {
            set_log_level(level);
        }
    }
}

/// The `log` crate has a level of its own, which the bridge follows.
fn set_log_level(level: u8) {
    log::set_max_level(match level {
        0..=1 => log::LevelFilter::Trace,
        2..=5 => log::LevelFilter::Debug,
        6..=9 => log::LevelFilter::Info,
        10..=13 => log::LevelFilter::Warn,
        14..=17 => log::LevelFilter::Error,
        _ => log::LevelFilter::Off,
    });
}

/// Resolves at a termination signal, which is caught from the call on inside
/// of a runtime, and outside of one from the first poll on.
#[cfg(unix)]
fn termination() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};

    let caught = || signal(SignalKind::terminate()).ok();
    let early = tokio::runtime::Handle::try_current().map(|_| caught());
    async move {
        match early.unwrap_or_else(|_| caught()) {
            Some(mut signal) => {
                signal.recv().await;
            }
            // The signal ends the process as it always did.
            None => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
fn termination() -> impl Future<Output = ()> + Send + 'static {
    std::future::pending()
}
