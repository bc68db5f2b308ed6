//! Which call some work belongs to, and how that follows the work.
//!
//! The context of a call is with its future, not with its thread: it is put in
//! place around each poll. Work that a call starts takes it along by
//! [`spawn`], [`spawn_blocking`], [`spawn_thread`], [`Context::scope`] or
//! [`Context::enter`], or by a `tracing` span: a span that is created inside of
//! a call belongs to it wherever it is entered. Of several that are in place,
//! the one that was entered last counts.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task;

use plugobs_core::CallIdentity;
use plugobs_core::registry::metadata;

thread_local! {
    static FRAMES: RefCell<Frames> = const {
        RefCell::new(Frames { stack: Vec::new(), next_guard: 0 })
    };
}

/// One call that this plugin serves. Cheap to clone; all clones are one call.
#[derive(Debug, Clone)]
pub struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    identity: CallIdentity,
    marks: Vec<&'static str>,
    deadline: Option<String>,
}

/// Leaves the context when it is dropped. It stays on its thread.
#[must_use = "the context is left when this is dropped"]
#[derive(Debug)]
pub struct Entered {
    guard: u64,
    /// A guard that moved to another thread would leave a context there.
    _stays: std::marker::PhantomData<*const ()>,
}

impl Context {
    /// The context of a call; `marks` are put on all of its records.
    pub(crate) fn new(
        identity: CallIdentity,
        marks: Vec<&'static str>,
        deadline: Option<String>,
    ) -> Self {
        Self(Arc::new(Inner {
            identity,
            marks,
            deadline,
        }))
    }

    /// The call in whose work this is called.
    pub fn current() -> Option<Self> {
        // While a thread ends there is no call any more.
        FRAMES
            .try_with(|frames| frames.try_borrow().ok()?.stack.last()?.context.clone())
            .ok()
            .flatten()
    }

    /// What the driver said of the call.
    pub fn identity(&self) -> &CallIdentity {
        &self.0.identity
    }

    /// The metadata, keys and values, that a call made for this one bears
    /// (OBS-GRPC-15, OBS-NEG-31). [`crate::HostCalls`] puts them on calls back
    /// to the host; use this for any other client.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        let identity = CallIdentity {
            parent_call_id: None,
            ..self.0.identity.clone()
        };
        let mut pairs = identity.to_metadata();
        if let Some(deadline) = &self.0.deadline {
            pairs.push((metadata::PACT_DEADLINE_MS, deadline.clone()));
        }
        pairs
    }

    pub(crate) fn marks(&self) -> &[&'static str] {
        &self.0.marks
    }

    /// Runs a future as part of this call.
    pub fn scope<F: Future>(self, work: F) -> Scoped<F> {
        Scoped::new(Some(self), work)
    }

    /// Makes the rest of the current block, on this thread, part of this call.
    /// Not across an `.await`: use [`Context::scope`] there.
    pub fn enter(self) -> Entered {
        enter(Some(self))
    }
}

/// What is in place on a thread, innermost last.
struct Frames {
    stack: Vec<Frame>,
    next_guard: u64,
}

struct Frame {
    key: Key,
    /// `None`: work of no call.
    context: Option<Context>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Guard(u64),
    Span(u64),
}

impl Frames {
    /// Guards and spans may be left in another order than they were entered.
    fn leave(&mut self, key: Key) -> Option<Frame> {
        let at = self.stack.iter().rposition(|frame| frame.key == key)?;
        Some(self.stack.remove(at))
    }
}

fn enter(context: Option<Context>) -> Entered {
    let guard = FRAMES.try_with(|frames| {
        let mut frames = frames.borrow_mut();
        frames.next_guard += 1;
        let guard = frames.next_guard;
        let key = Key::Guard(guard);
        frames.stack.push(Frame { key, context });
        guard
    });
    Entered {
        // While a thread ends nothing is entered; no guard is 0.
        guard: guard.unwrap_or(0),
        _stays: std::marker::PhantomData,
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        leave(Key::Guard(self.guard));
    }
}

/// A span of a call is entered.
pub(crate) fn enter_span(span: u64, context: Context) {
    // While a thread ends there is no work of a call on it any more.
    let _ = FRAMES.try_with(|frames| {
        frames.borrow_mut().stack.push(Frame {
            key: Key::Span(span),
            context: Some(context),
        });
    });
}

/// A span is left, one of a call or another.
pub(crate) fn leave_span(span: u64) {
    leave(Key::Span(span));
}

fn leave(key: Key) {
    // The frame is dropped when the stack is free again.
    drop(FRAMES.try_with(|frames| frames.borrow_mut().leave(key)));
}

/// A future that is part of a call, whoever polls it.
#[must_use = "a future does nothing unless it is polled"]
pub struct Scoped<F> {
    /// Taken when it is dropped.
    work: Option<Pin<Box<F>>>,
    context: Option<Context>,
}

impl<F> Scoped<F> {
    fn new(context: Option<Context>, work: F) -> Self {
        Self {
            work: Some(Box::pin(work)),
            context,
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<F::Output> {
        let _entered = enter(self.context.clone());
        match &mut self.work {
            Some(work) => work.as_mut().poll(cx),
            // It is there until the drop, after which nobody polls.
            None => task::Poll::Pending,
        }
    }
}

impl<F> Drop for Scoped<F> {
    /// A call that is cancelled is still that call: what its destructors log
    /// belongs to it.
    fn drop(&mut self) {
        let _entered = enter(self.context.take());
        self.work = None;
    }
}

/// `tokio::spawn` for work that belongs to the current call.
pub fn spawn<F>(work: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    tokio::spawn(Scoped::new(Context::current(), work))
}

/// `tokio::task::spawn_blocking` for work that belongs to the current call.
pub fn spawn_blocking<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> tokio::task::JoinHandle<R> {
    let context = Context::current();
    tokio::task::spawn_blocking(move || {
        let _entered = enter(context);
        work()
    })
}

/// `std::thread::spawn` for work that belongs to the current call.
pub fn spawn_thread<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> std::thread::JoinHandle<R> {
    let context = Context::current();
    std::thread::spawn(move || {
        let _entered = enter(context);
        work()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str) -> Context {
        let identity = CallIdentity {
            test_run_id: Some(id.into()),
            ..CallIdentity::default()
        };
        Context::new(identity, Vec::new(), None)
    }

    fn current() -> Option<String> {
        Context::current()?
            .identity()
            .test_run_id
            .clone()
            .map(String::from)
    }

    #[test]
    fn the_last_entered_counts_and_guards_may_go_in_any_order() {
        assert_eq!(current(), None);
        let a = call("a").enter();
        let b = call("b").enter();
        enter_span(7, call("c"));
        assert_eq!(current().as_deref(), Some("c"));
        drop(b);
        assert_eq!(current().as_deref(), Some("c"));
        leave_span(7);
        // One that was never entered.
        leave_span(8);
        assert_eq!(current().as_deref(), Some("a"));
        let none = enter(None);
        assert_eq!(current(), None);
        drop(none);
        drop(a);
        assert_eq!(current(), None);
    }

    #[test]
    fn a_future_is_polled_and_dropped_in_its_call() {
        struct Last(Arc<std::sync::Mutex<Vec<Option<String>>>>);
        impl Drop for Last {
            fn drop(&mut self) {
                self.0.lock().unwrap().push(current());
            }
        }
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let last = Last(seen.clone());
        let mut work = Box::pin(call("a").scope(async move {
            last.0.lock().unwrap().push(current());
            std::future::pending::<()>().await;
        }));
        let mut cx = task::Context::from_waker(task::Waker::noop());
        assert!(work.as_mut().poll(&mut cx).is_pending());
        assert_eq!(current(), None);
        drop(work);
        let a = Some("a".to_owned());
        assert_eq!(*seen.lock().unwrap(), [a.clone(), a]);
    }

    #[test]
    fn threads_take_the_call_along() {
        let _entered = call("a").enter();
        let inner = spawn_thread(|| spawn_thread(current).join().unwrap());
        assert_eq!(inner.join().unwrap().as_deref(), Some("a"));
        assert_eq!(std::thread::spawn(current).join().unwrap(), None);
    }

    #[test]
    fn metadata_of_a_nested_call_names_this_one_as_it_came() {
        let identity = CallIdentity {
            test_run_id: Some("t".into()),
            call_id: Some("c".into()),
            parent_call_id: Some("p".into()),
            ..CallIdentity::default()
        };
        let pairs = Context::new(identity, Vec::new(), Some("17".to_owned())).metadata();
        let get = |key| pairs.iter().find(|(k, _)| *k == key).map(|p| p.1.as_str());
        assert_eq!(get(metadata::PLUGIN_CALL_ID), Some("c"));
        assert_eq!(get(metadata::PLUGIN_TEST_RUN_ID), Some("t"));
        assert_eq!(get(metadata::PLUGIN_PARENT_CALL_ID), None);
        assert_eq!(get(metadata::PACT_DEADLINE_MS), Some("17"));
    }
}
