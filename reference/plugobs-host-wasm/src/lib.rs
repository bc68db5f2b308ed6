//! Hosts plugins that are WebAssembly components: one store for each instance,
//! the host's functions of `wit/`, and a bound for everything that a component
//! can use up (`spec/binding-wasm.md`).

mod bounds;
mod cache;
mod calls;
mod compiler;
mod component;
mod connection;
mod engine;
mod entry;
mod host;
mod log;
mod record;
mod traps;
#[cfg(feature = "wasi")]
mod wasi;

pub use self::bounds::Bounds;
pub use self::host::WasmHost;

/// Both sides of the interface, from `wit/`.
mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` is the manual")]
    #![allow(unreachable_pub, reason = "generated")]
    #![allow(clippy::all, reason = "generated")]

    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "plugin-component",
    });
}
