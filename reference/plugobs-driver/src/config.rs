//! How a driver is set up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plugobs_core::registry::{environment, limit};
use plugobs_core::{Limits, RunId, Severity, Timestamp};
use regex::Regex;
use uuid::Uuid;

use crate::driver::{Driver, DriverError};
use crate::info::{DriverInfo, RedactionInfo, RunInfo, SessionInfo};
use crate::intake::hub::Hub;
use crate::intake::redact::Redaction;
use crate::manifest::PluginSource;
use crate::sink::Sink;
use crate::transport::Transport;

/// The least limit of a whole record (OBS-LIM-04).
const LEAST_RECORD_BYTES: usize = 4096;

/// Collects what a driver is made of.
pub struct DriverBuilder {
    pub(crate) run_id: RunId,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) plugins: PluginSource,
    pub(crate) transports: Vec<Arc<dyn Transport>>,
    pub(crate) sinks: Vec<Box<dyn Sink>>,
    pub(crate) redaction: Redaction,
    pub(crate) settings: Settings,
}

/// Settings of every instance and call.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) implementation: String,
    pub(crate) version: String,
    pub(crate) limits: Limits,
    pub(crate) level: Severity,
    pub(crate) handshake_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) logs_complete_wait: Duration,
    pub(crate) stop_grace: Duration,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) session_id: Option<String>,
}

impl Default for DriverBuilder {
    fn default() -> Self {
        let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        Self {
            run_id: RunId::from(Uuid::now_v7()),
            name: name.to_owned(),
            version: version.to_owned(),
            plugins: PluginSource::from_environment(),
            transports: Vec::new(),
            sinks: Vec::new(),
            redaction: Redaction::default(),
            settings: Settings {
                implementation: name.to_owned(),
                version: version.to_owned(),
                limits: Limits::default(),
                level: Severity::INFO,
                handshake_timeout: limit::HANDSHAKE_WAIT_DEFAULT,
                call_timeout: Duration::from_secs(60),
                logs_complete_wait: limit::LOGS_COMPLETE_WAIT_DEFAULT,
                stop_grace: limit::STOP_WAIT_DEFAULT,
                environment: Vec::new(),
                session_id: None,
            },
        }
    }
}

impl DriverBuilder {
    /// The ID that the run will have: a run folder is named by it.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// The framework's name and version, told to plugins and in the manifest.
    #[must_use]
    pub fn implementation(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.name = name.into();
        self.version = version.into();
        self.settings.implementation.clone_from(&self.name);
        self.settings.version.clone_from(&self.version);
        self
    }

    /// The ID of the test runner's whole invocation (`testSessionId`).
    #[must_use]
    pub fn session(mut self, id: impl Into<String>) -> Self {
        self.settings.session_id = Some(id.into());
        self
    }

    /// Where plugins are looked for; the environment's folder by default.
    #[must_use]
    pub fn plugins(mut self, source: PluginSource) -> Self {
        self.plugins = source;
        self
    }

    /// Adds a transport.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transports.push(Arc::new(transport));
        self
    }

    /// Adds a sink.
    #[must_use]
    pub fn sink(mut self, sink: impl Sink) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }

    /// Replaces the values of attributes of this name, in any case, by
    /// `[redacted]`, before any sink sees them (OBS-SEC-31).
    #[must_use]
    pub fn redact_key(mut self, key: impl Into<String>) -> Self {
        self.redaction.keys.push(key.into());
        self
    }

    /// Replaces each match in text by `[redacted]`, before any sink sees it
    /// (OBS-SEC-32).
    #[must_use]
    pub fn redact_pattern(mut self, pattern: Regex) -> Self {
        self.redaction.patterns.push(pattern);
        self
    }

    /// The least severity wanted of operational records; INFO by default. A
    /// user's `PLUGOBS_LEVEL` wins (OBS-CHAN-17).
    #[must_use]
    pub fn level(mut self, level: Severity) -> Self {
        self.settings.level = level;
        self
    }

    /// Limits of records and batches.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// How long a handshake may take; 60 s by default.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.settings.handshake_timeout = timeout;
        self
    }

    /// How long a call may take; 60 s by default.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.settings.call_timeout = timeout;
        self
    }

    /// How long an instance may take to stop before it is killed; 5 s by
    /// default.
    #[must_use]
    pub fn stop_grace(mut self, grace: Duration) -> Self {
        self.settings.stop_grace = grace;
        self
    }

    /// A variable for every plugin process, over what it inherits.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.environment.push((name.into(), value.into()));
        self
    }

    /// Starts the sinks and the driver's own runtime of two threads.
    ///
    /// # Errors
    /// Where a thread cannot be started, more than one sink is durable, or the
    /// limits are too small to say anything within them (OBS-LIM-04).
    pub fn build(mut self) -> Result<Driver, DriverError> {
        if self.sinks.iter().filter(|sink| sink.is_durable()).count() > 1 {
            return Err(DriverError::TwoDurableSinks);
        }
        let limits = self.settings.limits;
        if limits.record_bytes < LEAST_RECORD_BYTES || limits.batch_bytes < limits.record_bytes {
            return Err(DriverError::Limits {
                record_bytes: limits.record_bytes,
                batch_bytes: limits.batch_bytes,
            });
        }
        let users_level = std::env::var(environment::PLUGOBS_LEVEL).ok();
        if let Some(level) = users_level.as_deref().and_then(Severity::from_name) {
            self.settings.level = level;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("plugobs-driver")
            .enable_all()
            .build()
            .map_err(DriverError::Thread)?;
        let hub_info = RunInfo {
            run_id: self.run_id.to_string(),
            driver: DriverInfo {
                name: self.name,
                version: self.version,
                pid: std::process::id(),
            },
            started_at: Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default(),
            session: self
                .settings
                .session_id
                .clone()
                .map(|id| SessionInfo { id }),
            limits: limit_names(&limits),
            redaction: (!self.redaction.keys.is_empty() || !self.redaction.patterns.is_empty())
                .then(|| RedactionInfo {
                    keys: self.redaction.keys.clone(),
                    patterns: self.redaction.patterns.len(),
                }),
        };
        let hub = Hub::start(hub_info, self.run_id, limits, self.redaction, self.sinks)
            .map_err(DriverError::Thread)?;
        Ok(Driver::new(
            runtime,
            hub,
            self.plugins,
            self.transports,
            self.settings,
        ))
    }
}

/// The limits of records and batches by their names in the registry.
fn limit_names(limits: &Limits) -> BTreeMap<String, u64> {
    [
        ("message_bytes", limits.message_bytes),
        ("attributes", limits.attributes),
        ("attribute_key_bytes", limits.attribute_key_bytes),
        ("attribute_value_bytes", limits.attribute_value_bytes),
        ("record_bytes", limits.record_bytes),
        ("batch_bytes", limits.batch_bytes),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value as u64))
    .collect()
}
