//! The end of the plugin, as its transport hears of it: at any time, and acted on
//! when it suits.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep_until;

/// How long a stream that is being opened may take once the plugin ends.
const GREETING_AT_END: Duration = Duration::from_millis(500);

/// Send everything, have it acknowledged, end in order.
pub(crate) struct Closing {
    /// By then, what is left goes to standard error.
    pub(crate) deadline: Instant,
    /// Told when it is done.
    pub(crate) done: Sender<()>,
}

/// Whether the plugin ends.
pub(crate) struct End {
    asked: mpsc::UnboundedReceiver<Closing>,
    closing: Option<Closing>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The plugin ends: send the rest.
    Begins,
    /// It has no more time.
    Overdue,
}

impl End {
    pub(crate) fn new(asked: mpsc::UnboundedReceiver<Closing>) -> Self {
        Self {
            asked,
            closing: None,
        }
    }

    /// Whether the plugin ends.
    pub(crate) fn has_begun(&self) -> bool {
        self.closing.is_some()
    }

    /// Resolves when the plugin begins to end, and then when it has no more
    /// time. Cancel-safe.
    pub(crate) async fn turn(&mut self) -> Turn {
        if let Some(closing) = &self.closing {
            sleep_until(closing.deadline.into()).await;
            return Turn::Overdue;
        }
        match self.asked.recv().await {
            Some(closing) => {
                self.closing = Some(closing);
                Turn::Begins
            }
            // Nobody is left to ask.
            None => std::future::pending().await,
        }
    }

    /// Resolves when a greeting has taken too long for a plugin that ends. A
    /// stream that is as good as open is the better path for the last records.
    pub(crate) async fn greeting_is_over(&mut self) {
        if !self.has_begun() {
            self.turn().await;
        }
        tokio::time::sleep(GREETING_AT_END).await;
    }

    /// Waits for the end, where there is nothing else to do.
    pub(crate) async fn wait(&mut self) {
        if !self.has_begun() {
            self.turn().await;
        }
    }

    /// Tells that everything is said.
    pub(crate) fn finish(self) {
        if let Some(closing) = self.closing {
            // Who asked may have given up.
            let _ = closing.done.send(());
        }
    }
}
