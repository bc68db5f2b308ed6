//! The thread that carries records to the driver: over the record stream, else
//! over the deployed unary log, else to standard error.

mod session;
mod stream;
mod unary;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plugobs_core::registry::limit;
use tokio::sync::{mpsc, oneshot};

use crate::emitter::SharedEmitter;

thread_local! {
    static IS_TRANSPORT: Cell<bool> = const { Cell::new(false) };
}

/// Whether the current thread is the one that carries records: what is logged
/// on it is not recorded.
pub(crate) fn is_transport_thread() -> bool {
    IS_TRANSPORT.try_with(Cell::get).unwrap_or(false)
}

/// What the plugin asks of its transport.
pub(crate) enum Command {
    /// Send everything, have it acknowledged, end in order.
    Shutdown {
        /// By then, what is left goes to standard error.
        deadline: Instant,
        /// Told when it is done.
        done: oneshot::Sender<()>,
    },
}

pub(crate) type Commands = mpsc::UnboundedReceiver<Command>;

/// Why a path ended.
pub(crate) enum Ended {
    /// The plugin shuts down; everything was said.
    Shutdown(oneshot::Sender<()>),
    /// The stream is not there: the next path.
    NotThere(String),
    /// It will not be there: standard error.
    Refused(String),
    /// It broke: again, later.
    Broken(String),
}

/// Starts the thread.
pub(crate) fn start(emitter: SharedEmitter, commands: Commands) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("plugobs-transport".to_owned())
        .spawn(move || {
            IS_TRANSPORT.set(true);
            // A runtime of its own: the plugin's may be busy, blocked or gone.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            match runtime {
                Ok(runtime) => runtime.block_on(run(emitter, commands)),
                Err(_) => emitter.go_direct(),
            }
        })
        .map(drop)
}

async fn run(emitter: SharedEmitter, mut commands: Commands) {
    let mut fallback = None;
    if let Some(endpoint) = emitter.settings.endpoint.clone() {
        match with_retries(&emitter, &endpoint, &mut commands).await {
            Ended::Shutdown(done) => return finish(&emitter, done),
            Ended::NotThere(why) => fallback = Some(why),
            Ended::Refused(why) | Ended::Broken(why) => {
                emitter.go_direct();
                emitter.record_fault(&format!("records go to standard error: {why}"));
                return to_stderr(&emitter, &mut commands).await;
            }
        }
    }
    if let Some(host) = emitter.settings.host.clone() {
        if let Some(why) = fallback {
            emitter.record_fault(&format!("records go over the deployed log: {why}"));
        }
        match unary::run(&emitter, &host, &mut commands).await {
            Ended::Shutdown(done) => return finish(&emitter, done),
            Ended::NotThere(why) | Ended::Refused(why) | Ended::Broken(why) => {
                emitter.go_direct();
                emitter.record_fault(&format!("records go to standard error: {why}"));
            }
        }
    } else if let Some(why) = fallback {
        emitter.go_direct();
        emitter.record_fault(&format!("records go to standard error: {why}"));
    }
    to_stderr(&emitter, &mut commands).await;
}

/// Records are written as they are emitted: only the end is waited for.
async fn to_stderr(emitter: &SharedEmitter, commands: &mut Commands) {
    emitter.go_direct();
    if let Some(Command::Shutdown { done, .. }) = commands.recv().await {
        finish(emitter, done);
    }
}

fn finish(emitter: &SharedEmitter, done: oneshot::Sender<()>) {
    // What comes after the end has no other path.
    emitter.go_direct();
    // Who asked may have given up.
    let _ = done.send(());
}

/// Streams until the end, a refusal, or a loss for good.
async fn with_retries(emitter: &SharedEmitter, endpoint: &str, commands: &mut Commands) -> Ended {
    let mut progress = stream::Progress::default();
    let mut lost_since = Instant::now();
    let mut wait = limit::RECONNECT_FIRST_WAIT_DEFAULT;
    let mut fault_told = false;
    loop {
        let streamed = progress.welcomes;
        let ended = stream::run(emitter, endpoint, &mut progress, commands, &mut fault_told).await;
        let welcomed = progress.welcomes > streamed;
        if welcomed {
            lost_since = Instant::now();
            wait = limit::RECONNECT_FIRST_WAIT_DEFAULT;
        }
        let why = match ended {
            // A driver that has streamed before does not take another path: no
            // record is to come on two (OBS-NEG-09).
            Ended::NotThere(why) if progress.welcomes > 0 => return Ended::Refused(why),
            Ended::Broken(why) => why,
            other => return other,
        };
        if lost_since.elapsed() >= limit::HOST_LOST_WAIT_DEFAULT {
            return Ended::Refused(format!("no driver for 30 seconds: {why}"));
        }
        if !fault_told {
            fault_told = true;
            emitter.record_fault(&format!("the record stream broke: {why}"));
        }
        tokio::select! {
            () = tokio::time::sleep(jittered(wait)) => {}
            Some(Command::Shutdown { done, .. }) = commands.recv() => {
                return Ended::Shutdown(done);
            }
        }
        wait = (wait * 2).min(limit::RECONNECT_MOST_WAIT_DEFAULT);
    }
}

/// Up to 20 % either way (OBS-STR-23), so that many plugins of one driver do
/// not come back at one moment.
fn jittered(wait: Duration) -> Duration {
    use std::hash::{BuildHasher, Hasher, RandomState};

    // The standard library's only source of randomness is good enough here.
    let random = RandomState::new().build_hasher().finish() % 401;
    let percent = f64::from(u32::try_from(random).unwrap_or(200)) / 1000.0 + 0.8;
    wait.mul_f64(percent)
}

/// The bearer of the instance's token, where it has one.
pub(crate) fn authorization(
    emitter: &Arc<crate::emitter::Emitter>,
) -> Option<tonic::metadata::MetadataValue<tonic::metadata::Ascii>> {
    let token = emitter.settings.token.as_ref()?;
    format!("Bearer {token}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_differ_by_a_fifth_at_most() {
        let wait = Duration::from_secs(1);
        let waits: Vec<_> = (0..200).map(|_| jittered(wait)).collect();
        assert!(
            waits
                .iter()
                .all(|w| *w >= wait.mul_f64(0.8) && *w <= wait.mul_f64(1.2001))
        );
        assert!(waits.iter().any(|w| w != &waits[0]));
    }
}
