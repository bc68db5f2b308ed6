//! The transport for plugins that are components: from a manifest to an instance
//! that takes calls.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use async_trait::async_trait;
use plugobs_core::registry::{FailureCode, attribute, event};
use plugobs_driver::transport::{Connection, Launch, Transport, TransportFailure};
use wasmtime::StoreLimitsBuilder;

use crate::bounds::Bounds;
use crate::compiler::{Compiler, Ready, Told};
use crate::component::Running;
use crate::connection::{Place, WasmConnection};
use crate::log::Speaker;

/// Runs plugins whose `executableType` is `wasm`: each as a component in this
/// process, with a store of its own.
#[derive(Clone, Default)]
pub struct WasmHost {
    bounds: Bounds,
    /// Instances that are there.
    instances: Arc<AtomicUsize>,
    compiler: Arc<Compiler>,
}

impl WasmHost {
    /// The host, with the bounds of the specification. Nothing is started before
    /// the first component is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the bounds. A clone with bounds of its own shares what was compiled,
    /// and counts its own instances.
    #[must_use]
    pub fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self.instances = Arc::default();
        self
    }

    /// Keeps compiled components in this folder, from one driver run to the next
    /// (OBS-WASM-37). The folder is made where there is none. A folder or a file
    /// that others can write is not used: the component is compiled, and its
    /// `instance.spawned` says why.
    #[must_use]
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.compiler = Arc::new(self.compiler.with_cache(folder.into()));
        self
    }

    /// Gives components WASI, too: clocks, random numbers, and standard output
    /// and error, which become raw output of the instance (OBS-WASM-36). Files,
    /// environment, arguments and network stay closed.
    ///
    /// What a component waits for in WASI, as in a sleep, does not end by the
    /// bound of its call; its caller's time ends all the same.
    #[cfg(feature = "wasi")]
    #[must_use]
    pub fn wasi(mut self) -> Self {
        use crate::component::Interfaces;

        self.compiler = Arc::new(self.compiler.with_interfaces(Interfaces::AndWasi));
        self
    }

    fn place(&self) -> Result<Place, TransportFailure> {
        let most = self.bounds.instances;
        let taken = self
            .instances
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| {
                (now < most).then_some(now + 1)
            });
        match taken {
            Ok(_) => Ok(Place(self.instances.clone())),
            Err(now) => Err(cannot_start(format!(
                "{now} instances of components are there, and no more are allowed; stop some or raise the bound"
            ))),
        }
    }
}

#[async_trait]
impl Transport for WasmHost {
    fn executable_types(&self) -> &[&str] {
        &["wasm"]
    }

    async fn launch(&self, launch: Launch) -> Result<Arc<dyn Connection>, TransportFailure> {
        let Launch {
            intake, manifest, ..
        } = &launch;
        let place = self.place()?;
        let path = manifest.folder.join(&manifest.entry_point);
        let level = Arc::new(AtomicU8::new(launch.level.number()));
        let limits = StoreLimitsBuilder::new()
            .memory_size(self.bounds.memory_bytes)
            .trap_on_grow_failure(true)
            .build();
        let speaker = Speaker::new(intake.clone(), limits, level.clone());
        let executable = path.display().to_string();
        let host = self.clone();
        // Compiling takes long enough to be in others' way.
        let started = tokio::task::spawn_blocking(move || host.start(&path, speaker)).await;
        let Started { running, told } = match started {
            Ok(started) => started?,
            Err(error) => return Err(cannot_start(format!("the host failed: {error}"))),
        };
        intake.describe(|info| info.executable = Some(executable.clone()));
        let mut attributes = vec![(attribute::PROCESS_EXECUTABLE, executable.into())];
        attributes.extend(told);
        intake.lifecycle(
            event::INSTANCE_SPAWNED,
            "component instantiated",
            attributes,
        );
        let intake = intake.clone();
        Ok(Arc::new(WasmConnection::new(intake, running, place, level)))
    }
}

impl WasmHost {
    fn start(&self, path: &Path, speaker: Speaker) -> Result<Started, TransportFailure> {
        let failed = |why: String| cannot_start(format!("{}: {why}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let Ready { prepared, told } = self.compiler.prepare(&bytes).map_err(failed)?;
        let running = prepared.instantiate(speaker, self.bounds).map_err(failed)?;
        Ok(Started { running, told })
    }
}

/// An instance, and what is to be told of its start.
struct Started {
    running: Running,
    told: Told,
}

fn cannot_start(message: String) -> TransportFailure {
    TransportFailure {
        code: FailureCode::CannotStart,
        message,
        exit: None,
    }
}
