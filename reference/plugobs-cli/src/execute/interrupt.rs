//! Ctrl-C and its like: a run that is broken off leaves no plugin behind.

use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select, select_all};
use plugobs_core::registry::FailureCode;
use plugobs_driver::transport::{Connection, Launch, Transport, TransportFailure};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// How long a plugin that was being initialised may take to stop.
const STOP_WAIT: Duration = Duration::from_secs(1);

/// The signals that end a program whose user has had enough.
const KINDS: [fn() -> SignalKind; 3] = [
    SignalKind::interrupt,
    SignalKind::terminate,
    SignalKind::hangup,
];

/// From its making on, these signals no longer end this program by themselves.
pub(super) struct Interrupts(Vec<(i32, Signal)>);

impl Interrupts {
    /// Inside of a tokio runtime.
    pub(super) fn listen() -> io::Result<Self> {
        let signals = KINDS.iter().map(|kind| {
            let kind = kind();
            Ok((kind.as_raw_value(), signal(kind)?))
        });
        signals.collect::<io::Result<_>>().map(Self)
    }

    /// The number of the first that comes.
    pub(super) async fn next(&mut self) -> i32 {
        let signals = self.0.iter_mut().map(|(number, signal)| {
            Box::pin(async move {
                // It has no end.
                signal.recv().await;
                *number
            })
        });
        select_all(signals).await.0
    }
}

/// A transport whose starts can be broken off. A driver that is shut down stops
/// the plugins that it has; one that is still being started is none of them.
pub(super) struct Breakable<T> {
    transport: T,
    starts: Starts,
}

/// The starts of a [`Breakable`] transport.
#[derive(Clone, Default)]
pub(super) struct Starts(Arc<Inner>);

#[derive(Default)]
struct Inner {
    broken_off: watch::Sender<bool>,
    connections: Mutex<Vec<Weak<dyn Connection>>>,
}

impl<T> Breakable<T> {
    pub(super) fn new(transport: T) -> (Self, Starts) {
        let starts = Starts::default();
        let breakable = Self {
            transport,
            starts: starts.clone(),
        };
        (breakable, starts)
    }
}

impl Starts {
    /// A transport whose starts can be broken off with the others.
    pub(super) fn of<T>(&self, transport: T) -> Breakable<T> {
        Breakable {
            transport,
            starts: self.clone(),
        }
    }
}

#[async_trait]
impl<T: Transport> Transport for Breakable<T> {
    fn executable_types(&self) -> &[&str] {
        self.transport.executable_types()
    }

    async fn launch(&self, launch: Launch) -> Result<Arc<dyn Connection>, TransportFailure> {
        let mut broken_off = self.starts.0.broken_off.subscribe();
        let broken_off = pin!(broken_off.wait_for(|broken_off| *broken_off));
        // A start that is dropped kills its process.
        let launched = select(self.transport.launch(launch), broken_off).await;
        match launched {
            Either::Left((launched, _)) => {
                let connection = launched?;
                self.starts.lock().push(Arc::downgrade(&connection));
                Ok(connection)
            }
            Either::Right(_) => Err(TransportFailure {
                code: FailureCode::CannotStart,
                message: "the start was broken off by the user".to_owned(),
                exit: None,
            }),
        }
    }
}

impl Starts {
    fn lock(&self) -> MutexGuard<'_, Vec<Weak<dyn Connection>>> {
        let connections = &self.0.connections;
        connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Breaks off every start that has no connection yet.
    pub(super) fn break_off(&self) {
        self.0.broken_off.send_replace(true);
    }

    /// Stops what was started and the driver did not stop: a plugin that has
    /// not answered `InitPlugin`.
    pub(super) async fn stop_the_rest(&self) {
        let connections = std::mem::take(&mut *self.lock());
        for connection in connections.iter().filter_map(Weak::upgrade) {
            if connection.exit().borrow().is_none() {
                connection.stop(STOP_WAIT).await;
            }
        }
    }
}
