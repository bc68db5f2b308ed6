//! The record of `wit/types.wit` as it lies in a guest's memory. Its texts are
//! not copied to be looked at: most of them are those of the record before.

use wasmtime::component::{ComponentType, Lift, WasmList, WasmStr};

/// `log-record`.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Entry {
    #[component(name = "call-id")]
    pub(crate) call_id: Option<WasmStr>,
    #[component(name = "timestamp-unix-nano")]
    pub(crate) timestamp_unix_nano: Option<u64>,
    pub(crate) level: Option<WasmStr>,
    #[component(name = "severity-number")]
    pub(crate) severity_number: Option<u8>,
    pub(crate) channel: Option<WasmStr>,
    #[component(name = "event-name")]
    pub(crate) event_name: Option<WasmStr>,
    pub(crate) target: WasmStr,
    pub(crate) message: WasmStr,
    pub(crate) attributes: WasmList<(WasmStr, Value)>,
    pub(crate) exception: Option<Exception>,
    #[component(name = "trace-context")]
    pub(crate) trace_context: Option<TraceContext>,
    pub(crate) marks: WasmList<WasmStr>,
    #[component(name = "truncated-bytes")]
    pub(crate) truncated_bytes: u64,
    pub(crate) extra: WasmList<(WasmStr, Value)>,
}

/// `value`.
#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum Value {
    #[component(name = "text")]
    Text(WasmStr),
    #[component(name = "boolean")]
    Boolean(bool),
    #[component(name = "int")]
    Int(i64),
    #[component(name = "double")]
    Double(f64),
    #[component(name = "bytes")]
    Bytes(WasmList<u8>),
    #[component(name = "items")]
    Items(WasmList<Scalar>),
}

/// `scalar`.
#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum Scalar {
    #[component(name = "text")]
    Text(WasmStr),
    #[component(name = "boolean")]
    Boolean(bool),
    #[component(name = "int")]
    Int(i64),
    #[component(name = "double")]
    Double(f64),
    #[component(name = "bytes")]
    Bytes(WasmList<u8>),
}

/// `exception`.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Exception {
    pub(crate) kind: Option<WasmStr>,
    pub(crate) message: Option<WasmStr>,
    #[component(name = "stack-trace")]
    pub(crate) stack_trace: Option<WasmStr>,
}

/// `trace-context`.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct TraceContext {
    #[component(name = "trace-id")]
    pub(crate) trace_id: WasmList<u8>,
    #[component(name = "span-id")]
    pub(crate) span_id: WasmList<u8>,
    #[component(name = "trace-flags")]
    pub(crate) trace_flags: u8,
}
