//! One instance of a component: its store, and one call at a time in it.

use wasmtime::component::Component;
use wasmtime::{Engine, Store};

use crate::bindings::exports::plugobs::observability::plugin::CallContext;
use crate::bindings::{PluginComponent, PluginComponentPre};
use crate::bounds::Bounds;
use crate::calls::{self, Done};
use crate::engine::ticks;
use crate::log::{EPOCH, Speaker};
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

/// What can be instantiated any number of times.
#[derive(Clone)]
pub(crate) struct Prepared(PluginComponentPre<Speaker>);

impl Prepared {
    /// Checks that the host has what the component imports, and that it exports
    /// a plugin (OBS-WASM-34, OBS-WASM-39).
    pub(crate) fn new(engine: &Engine, component: &Component) -> Result<Self, String> {
        let mut linker = wasmtime::component::Linker::new(engine);
        PluginComponent::add_to_linker::<_, wasmtime::component::HasSelf<_>>(&mut linker, |s| s)
            .map_err(|error| format!("{error:#}"))?;
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
        // Code that runs before the first call has its bounds as well.
        store.set_epoch_deadline(ticks(bounds.call_time));
        store.data_mut().begin_call(bounds.call_records);
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
        self.store.set_epoch_deadline(ticks(self.bounds.call_time));
        self.store.data_mut().begin_call(self.bounds.call_records);
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
