//! Which call some work belongs to, and how that follows the work.
//!
//! The context of a call is with its future, not with its thread: it is put in
//! place around each poll. Work that a call starts takes it along by
//! [`spawn`], [`spawn_blocking`], [`spawn_thread`], [`Context::scope`] or
//! [`Context::enter`], or by a `tracing` span: a span that is created inside of
//! a call belongs to it wherever it is entered.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task;

use plugobs_core::CallIdentity;

thread_local! {
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
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
pub struct Entered {
    before: Option<Context>,
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
        CURRENT
            .try_with(|current| current.borrow().clone())
            .ok()
            .flatten()
    }

    /// What the driver said of the call.
    pub fn identity(&self) -> &CallIdentity {
        &self.0.identity
    }

    pub(crate) fn marks(&self) -> &[&'static str] {
        &self.0.marks
    }

    /// The `pact-deadline-ms` that came with the call.
    pub(crate) fn deadline(&self) -> Option<&str> {
        self.0.deadline.as_deref()
    }

    /// Runs a future as part of this call.
    pub fn scope<F: Future>(self, work: F) -> Scoped<F> {
        Scoped {
            work: Box::pin(work),
            context: Some(self),
        }
    }

    /// Makes the rest of the current block, on this thread, part of this call.
    /// Not across an `.await`: use [`Context::scope`] there.
    pub fn enter(self) -> Entered {
        enter(Some(self))
    }
}

fn enter(context: Option<Context>) -> Entered {
    let before = CURRENT
        .try_with(|current| current.replace(context))
        .ok()
        .flatten();
    Entered {
        before,
        _stays: std::marker::PhantomData,
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let before = self.before.take();
        // While a thread ends there is nothing to put back.
        let _ = CURRENT.try_with(|current| current.replace(before));
    }
}

/// A future that is part of a call, whoever polls it.
pub struct Scoped<F> {
    work: Pin<Box<F>>,
    context: Option<Context>,
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<F::Output> {
        let _entered = enter(self.context.clone());
        self.work.as_mut().poll(cx)
    }
}

/// `tokio::spawn` for work that belongs to the current call.
pub fn spawn<F>(work: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    tokio::spawn(Scoped {
        work: Box::pin(work),
        context: Context::current(),
    })
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
