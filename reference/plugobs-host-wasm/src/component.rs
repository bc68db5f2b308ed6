//! One instance of a component: its store, and one call at a time in it.

use wasmtime::component::Component;
use wasmtime::{Engine, Store, Trap, UpdateDeadline};

use crate::bindings::exports::plugobs::observability::plugin::CallContext;
use crate::bindings::{PluginComponent, PluginComponentPre};
use crate::bounds::Bounds;
use crate::calls::{self, Done};
use crate::log::{self, EPOCH, Speaker};
use crate::traps;
use plugobs_core::{InstanceId, LogPosition};
use plugobs_driver::interface::Request;

/// An instance that has not trapped.
pub(crate) struct Running {
    store: Store<Speaker>,
    plugin: PluginComponent,
    bounds: Bounds,
}

/// What came of a call, and how far the log had come by then.
pub(crate) struct Called {
    /// The text of a trap in the other case.
    pub(crate) result: Result<Done, String>,
    pub(crate) position: LogPosition,
}

/// What a host has for components (OBS-WASM-34, OBS-WASM-35).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Interfaces {
    /// The package of the specification.
    #[default]
    Own,
    /// WASI as well.
    #[cfg(feature = "wasi")]
    AndWasi,
}

/// What can be instantiated any number of times.
#[derive(Clone)]
pub(crate) struct Prepared(PluginComponentPre<Speaker>);

impl Prepared {
    /// Checks that the host has what the component imports, and that it exports
    /// a plugin (OBS-WASM-34, OBS-WASM-39).
    pub(crate) fn new(
        engine: &Engine,
        component: &Component,
        interfaces: Interfaces,
    ) -> Result<Self, String> {
        let mut linker = wasmtime::component::Linker::new(engine);
        log::link(&mut linker).map_err(|error| format!("{error:#}"))?;
        match interfaces {
            Interfaces::Own => {}
            #[cfg(feature = "wasi")]
            Interfaces::AndWasi => {
                crate::wasi::link(&mut linker).map_err(|error| format!("{error:#}"))?;
            }
        }
        let pre = linker
            .instantiate_pre(component)
            .map_err(|error| format!("{error:#}"))?;
        PluginComponentPre::new(pre)
            .map(Self)
            .map_err(|error| format!("{error:#}"))
    }

    /// An instance in a store of its own (OBS-WASM-04).
    pub(crate) fn instantiate(&self, speaker: Speaker, bounds: Bounds) -> Result<Running, String> {
        let mut store = Store::new(self.0.engine(), speaker);
        store.limiter(|speaker| &mut speaker.limits);
        store.set_hostcall_fuel(bounds.host_call_bytes);
        store.epoch_deadline_callback(|mut context| {
            if context.data_mut().tick() {
                Ok(UpdateDeadline::Continue(1))
            } else {
                Err(Trap::Interrupt.into())
            }
        });
        // Code that runs before the first call has its bounds as well.
        store.set_epoch_deadline(1);
        store.data_mut().begin_call(&bounds);
        let plugin = self.0.instantiate(&mut store);
        store.data_mut().end_call();
        match plugin {
            Ok(plugin) => Ok(Running {
                store,
                plugin,
                bounds,
            }),
            Err(error) => Err(traps::describe(&error, &bounds)),
        }
    }
}

impl Running {
    /// Makes one call, which ends by itself or by a bound.
    pub(crate) fn call(
        &mut self,
        context: &CallContext,
        instance_id: &InstanceId,
        request: Request,
    ) -> Called {
        self.store.set_epoch_deadline(1);
        self.store.data_mut().begin_call(&self.bounds);
        let plugin = self.plugin.plugobs_observability_plugin();
        let done = calls::make(plugin, &mut self.store, context, instance_id, request);
        self.store.data_mut().end_call();
        Called {
            result: done.map_err(|error| traps::describe(&error, &self.bounds)),
            position: LogPosition {
                epoch: EPOCH,
                sequence: self.store.data().sequence(),
            },
        }
    }
}
