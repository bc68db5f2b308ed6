//! The transport for plugins that are components: from a manifest to an instance
//! that takes calls.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use plugobs_core::registry::{FailureCode, attribute, event};
use plugobs_driver::transport::{Connection, Launch, Transport, TransportFailure};
use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, StoreLimitsBuilder};

use crate::bounds::Bounds;
use crate::component::{Prepared, Running};
use crate::connection::{Place, WasmConnection};
use crate::engine;
use crate::log::Speaker;

/// Runs plugins whose `executableType` is `wasm`: each as a component in this
/// process, with a store of its own.
#[derive(Clone, Default)]
pub struct WasmHost {
    bounds: Bounds,
    /// Instances that are there.
    instances: Arc<AtomicUsize>,
    compiled: Arc<Mutex<Compiled>>,
}

/// What is made once, when the first component is there.
#[derive(Default)]
struct Compiled {
    engine: Option<Engine>,
    /// By the digest of the component: many instances of one plugin are
    /// compiled once.
    prepared: HashMap<[u8; 32], Prepared>,
}

impl WasmHost {
    /// The host, with the bounds of the specification. Nothing is started before
    /// the first component is.
    pub fn new() -> Self {
        Self::default()
    }

    /// The host, with bounds of its user.
    pub fn with_bounds(bounds: Bounds) -> Self {
        Self {
            bounds,
            ..Self::default()
        }
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
        let running = match started {
            Ok(started) => started?,
            Err(error) => return Err(cannot_start(format!("the host failed: {error}"))),
        };
        intake.describe(|info| info.executable = Some(executable.clone()));
        intake.lifecycle(
            event::INSTANCE_SPAWNED,
            "component instantiated",
            vec![(attribute::PROCESS_EXECUTABLE, executable.into())],
        );
        let intake = intake.clone();
        Ok(Arc::new(WasmConnection::new(intake, running, place, level)))
    }
}

impl WasmHost {
    fn start(&self, path: &Path, speaker: Speaker) -> Result<Running, TransportFailure> {
        let failed = |why: String| cannot_start(format!("{}: {why}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let prepared = self.prepare(&bytes).map_err(failed)?;
        prepared.instantiate(speaker, self.bounds).map_err(failed)
    }

    fn prepare(&self, bytes: &[u8]) -> Result<Prepared, String> {
        let digest = Sha256::digest(bytes).into();
        // Two that start at once compile once, one after the other.
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.prepared.get(&digest) {
            return Ok(known.clone());
        }
        let engine = match &compiled.engine {
            Some(engine) => engine.clone(),
            None => compiled.engine.insert(engine::start()?).clone(),
        };
        let component = Component::from_binary(&engine, bytes)
            .map_err(|error| format!("no valid component: {error:#}"))?;
        let new = Prepared::new(&engine, &component)?;
        compiled.prepared.insert(digest, new.clone());
        Ok(new)
    }
}

fn cannot_start(message: String) -> TransportFailure {
    TransportFailure {
        code: FailureCode::CannotStart,
        message,
        exit: None,
    }
}
