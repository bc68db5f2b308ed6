//! Which call some work belongs to. A component has one thread and serves one
//! call at a time; a `tracing` span takes its call to wherever it is entered.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use plugobs_core::{CallIdentity, Text, TraceContext, ids};

use crate::interface::CallContext;

thread_local! {
    static INSTANCE: RefCell<String> = const { RefCell::new(String::new()) };
    /// Innermost last.
    static STACK: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
    /// Counts calls, so that what is remembered of one is not taken for another's.
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

struct Frame {
    /// `None`: of the call itself.
    span: Option<u64>,
    context: Context,
}

/// One call that this plugin serves. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    identity: CallIdentity,
    invalid_test_run_id: bool,
    test_context: String,
    time_unix_nano: u64,
    random_seed: u64,
}

impl Context {
    /// The call in whose work this is called.
    pub fn current() -> Option<Self> {
        STACK.with_borrow(|stack| stack.last().map(|frame| frame.context.clone()))
    }

    /// What the host said of the call.
    pub fn identity(&self) -> &CallIdentity {
        &self.0.identity
    }

    /// The object `testContext` of the call, as JSON.
    pub fn test_context(&self) -> &str {
        &self.0.test_context
    }

    /// When the call was made, by the driver's clock: Unix nanoseconds.
    pub fn time_unix_nano(&self) -> u64 {
        self.0.time_unix_nano
    }

    /// Random, and another one for each call; not for secrets.
    pub fn random_seed(&self) -> u64 {
        self.0.random_seed
    }

    pub(crate) fn has_invalid_test_run_id(&self) -> bool {
        self.0.invalid_test_run_id
    }

    fn of(call: CallContext) -> Self {
        let text = |id: Option<String>| id.filter(|id| !id.is_empty()).map(Text::from);
        let test_run_id = text(call.test_run_id);
        let breaks = |id: &Text| ids::check_test_run_id(id).is_err();
        let trace = call.trace_parent.as_deref();
        Self(Arc::new(Inner {
            invalid_test_run_id: test_run_id.as_ref().is_some_and(breaks),
            identity: CallIdentity {
                test_run_id,
                call_id: text(Some(call.call_id)),
                parent_call_id: text(call.parent_call_id),
                call_chain_id: text(call.call_chain_id),
                trace_context: trace.and_then(|text| TraceContext::from_traceparent(text).ok()),
            },
            test_context: call.test_context,
            time_unix_nano: call.time_unix_nano,
            random_seed: call.random_seed,
        }))
    }
}

/// Leaves the call when it is dropped.
pub(crate) struct Served;

/// What follows is the work of a call.
pub(crate) fn serve(call: CallContext) -> Served {
    CALLS.set(CALLS.get() + 1);
    let context = Context::of(call);
    STACK.with_borrow_mut(|stack| {
        // What a call before it left entered does not belong to this one.
        stack.clear();
        stack.push(Frame {
            span: None,
            context,
        });
    });
    Served
}

impl Drop for Served {
    fn drop(&mut self) {
        STACK.with_borrow_mut(Vec::clear);
    }
}

/// A span of a call is entered.
pub(crate) fn enter_span(span: u64, context: Context) {
    STACK.with_borrow_mut(|stack| {
        stack.push(Frame {
            span: Some(span),
            context,
        });
    });
}

/// A span is left, one of a call or another.
pub(crate) fn leave_span(span: u64) {
    STACK.with_borrow_mut(|stack| {
        if let Some(at) = stack.iter().rposition(|frame| frame.span == Some(span)) {
            stack.remove(at);
        }
    });
}

/// The number of the call that is being served, or was last.
pub(crate) fn call_number() -> u64 {
    CALLS.get()
}

/// The instance, once `init` has told it.
pub(crate) fn set_instance_id(id: &str) {
    INSTANCE.with_borrow_mut(|instance| id.clone_into(instance));
}

pub(crate) fn with_instance_id<T>(act: impl FnOnce(&str) -> T) -> T {
    INSTANCE.with_borrow(|instance| act(instance))
}
