//! From the bytes of a component to what can be instantiated: each component is
//! compiled once.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugobs_core::Value;
use plugobs_core::registry::attribute;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cache::{Cache, Digest, Refused};
use crate::component::{Interfaces, Prepared};
use crate::engine;

/// Made once, when the first component is there.
#[derive(Default)]
pub(crate) struct Compiler {
    /// Where compiled components are kept from one driver run to the next.
    cache: Option<PathBuf>,
    interfaces: Interfaces,
    engine: Mutex<Option<Engine>>,
    /// By the digest of the component. Two that start at once compile once; two
    /// of different components do not wait for each other.
    prepared: Mutex<HashMap<Digest, Arc<Mutex<Option<Prepared>>>>>,
}

/// Attributes of `instance.spawned`.
pub(crate) type Told = Vec<(&'static str, Value)>;

/// A component that is ready, and what the cache had to do with it.
pub(crate) struct Ready {
    pub(crate) prepared: Prepared,
    pub(crate) told: Told,
}

impl Compiler {
    /// A compiler with the cache and the interfaces of this one that has compiled
    /// nothing yet.
    fn anew(&self) -> Self {
        Self {
            cache: self.cache.clone(),
            interfaces: self.interfaces,
            ..Self::default()
        }
    }

    pub(crate) fn with_cache(&self, folder: PathBuf) -> Self {
        Self {
            cache: Some(folder),
            ..self.anew()
        }
    }

    #[cfg(feature = "wasi")]
    pub(crate) fn with_interfaces(&self, interfaces: Interfaces) -> Self {
        Self {
            interfaces,
            ..self.anew()
        }
    }

    pub(crate) fn prepare(&self, bytes: &[u8]) -> Result<Ready, String> {
        let digest: Digest = Sha256::digest(bytes).into();
        let place = lock(&self.prepared).entry(digest).or_default().clone();
        let mut place = lock(&place);
        if let Some(known) = &*place {
            return Ok(Ready {
                prepared: known.clone(),
                told: Vec::new(),
            });
        }
        let engine = self.engine()?;
        let (component, told) = self.component(&engine, bytes, &digest)?;
        let prepared = Prepared::new(&engine, &component, self.interfaces)?;
        *place = Some(prepared.clone());
        Ok(Ready { prepared, told })
    }

    fn engine(&self) -> Result<Engine, String> {
        let mut engine = lock(&self.engine);
        match &*engine {
            Some(engine) => Ok(engine.clone()),
            None => Ok(engine.insert(engine::start()?).clone()),
        }
    }

    fn component(
        &self,
        engine: &Engine,
        bytes: &[u8],
        digest: &Digest,
    ) -> Result<(Component, Told), String> {
        let compile = || {
            Component::from_binary(engine, bytes)
                .map_err(|error| format!("no valid component: {error:#}"))
        };
        let Some(folder) = &self.cache else {
            return Ok((compile()?, Vec::new()));
        };
        let cache = match Cache::open(folder, compiler_digest(engine)) {
            Ok(cache) => cache,
            Err(refused) => return Ok((compile()?, told("refused", Some(&refused)))),
        };
        let (result, refused) = match cache.read(digest) {
            Ok(Some(code)) => {
                let component = deserialize(engine, &code)?;
                return Ok((component, told("hit", None)));
            }
            Ok(None) => ("miss", None),
            Err(refused) => ("refused", Some(refused)),
        };
        let component = compile()?;
        let code = component
            .serialize()
            .map_err(|error| format!("the compiled component cannot be written: {error:#}"))?;
        // The plugin starts without the cache, too.
        let written = cache.write(digest, &code);
        let problem = refused.or(written.err());
        Ok((component, told(result, problem.as_ref())))
    }
}

#[expect(
    unsafe_code,
    reason = "the only way to run code that was compiled before"
)]
fn deserialize(engine: &Engine, code: &[u8]) -> Result<Component, String> {
    // SAFETY: the bytes are what `Component::serialize` of this version of the
    // compiler with these settings gave (`compiler_digest`), written by this
    // user in a file that no other can write, and not changed since
    // (`Cache::read`).
    unsafe { Component::deserialize(engine, code) }
        .map_err(|error| format!("the compiled component cannot be read: {error:#}"))
}

fn told(result: &str, problem: Option<&Refused>) -> Told {
    let problem = problem.map(|problem| {
        let problem = problem.to_string();
        (attribute::COMPONENT_CACHE_PROBLEM, problem.into())
    });
    [(attribute::COMPONENT_CACHE, result.into())]
        .into_iter()
        .chain(problem)
        .collect()
}

/// The digest of the compiler's version and of all its settings that matter for
/// machine code.
fn compiler_digest(engine: &Engine) -> Digest {
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            0
        }
    }
    let mut sha = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut sha);
    sha.0.finalize().into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
