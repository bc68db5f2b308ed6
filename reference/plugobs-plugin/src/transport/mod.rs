//! The thread that carries records to the driver: over the record stream, else
//! over the deployed unary log, else to standard error.

mod close;
mod overdue;
mod session;
mod shedding;
mod stream;
mod unary;

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use plugobs_core::registry::limit;
use tokio::sync::mpsc;
use tonic::metadata::{Ascii, MetadataValue};

pub(crate) use self::close::Closing;
use self::close::End;
use crate::emitter::{Emitter, SharedEmitter};

thread_local! {
    static IS_TRANSPORT: Cell<bool> = const { Cell::new(false) };
}

/// Whether the current thread is the one that carries records: what is logged
/// on it is not recorded.
pub(crate) fn is_transport_thread() -> bool {
    IS_TRANSPORT.try_with(Cell::get).unwrap_or(false)
}

/// Why a path ended.
pub(crate) enum Ended {
    /// The plugin ends; what could be said was said.
    AtEnd,
    /// It is not there: the next path. `None` where it was never offered.
    NotThere(Option<String>),
    /// It will not be there: standard error.
    Refused(String),
    /// It broke: again, later.
    Broken(String),
}

/// Starts the thread.
pub(crate) fn start(
    emitter: &SharedEmitter,
    closings: mpsc::UnboundedReceiver<Closing>,
) -> std::io::Result<()> {
    let emitter = emitter.clone();
    std::thread::Builder::new()
        .name("plugobs-transport".to_owned())
        .spawn(move || {
            IS_TRANSPORT.set(true);
            // However this ends, what comes later has another path.
            let _end = DirectAtEnd(&emitter);
            // A runtime of its own: the plugin's may be busy, blocked or gone.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .on_thread_start(|| IS_TRANSPORT.set(true))
                .build();
            if let Ok(runtime) = runtime {
                runtime.block_on(run(&emitter, End::new(closings)));
            }
        })
        .map(drop)
}

struct DirectAtEnd<'a>(&'a Emitter);

impl Drop for DirectAtEnd<'_> {
    fn drop(&mut self) {
        self.0.go_direct();
    }
}

async fn run(emitter: &SharedEmitter, mut end: End) {
    let settings = &emitter.settings;
    let mut next = Ended::NotThere(None);
    if let Some(endpoint) = &settings.endpoint {
        next = with_retries(emitter, endpoint, &mut end).await;
    }
    if let (Ended::NotThere(why), Some(host)) = (&next, &settings.host) {
        if let Some(why) = why {
            emitter.record_fault(&format!("records go over the deployed log: {why}"));
        }
        next = unary::run(emitter, host, &mut end).await;
    }
    // What comes from here on has no other path.
    emitter.go_direct();
    if let Ended::NotThere(Some(why)) | Ended::Refused(why) | Ended::Broken(why) = next {
        emitter.record_fault(&format!("records go to standard error: {why}"));
    }
    end.wait().await;
    end.finish();
}

/// Streams until the end, a refusal, or a loss for good.
async fn with_retries(emitter: &SharedEmitter, endpoint: &str, end: &mut End) -> Ended {
    let mut progress = stream::Progress::default();
    let mut lost_since = tokio::time::Instant::now();
    let mut wait = limit::RECONNECT_FIRST_WAIT_DEFAULT;
    let mut fault_told = false;
    loop {
        let streamed = progress.welcomes;
        let ended = stream::run(emitter, endpoint, &mut progress, end, &mut fault_told).await;
        let welcomed = progress.welcomes > streamed;
        if welcomed {
            lost_since = tokio::time::Instant::now();
            wait = limit::RECONNECT_FIRST_WAIT_DEFAULT;
        }
        let why = match ended {
            // A driver that has streamed before does not take another path: no
            // record is to come on two (OBS-NEG-09).
            Ended::NotThere(Some(why)) if progress.welcomes > 0 => return Ended::Refused(why),
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
            () = end.wait() => return Ended::AtEnd,
        }
        wait = (wait * 2).min(limit::RECONNECT_MOST_WAIT_DEFAULT);
    }
}

/// What a driver that does not play along said.
fn words(status: &tonic::Status) -> String {
    match status.message() {
        "" => format!("{:?}", status.code()),
        message => format!("{:?}: {message}", status.code()),
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

/// The bearer of the instance's token, where it has one and that address is
/// loopback (OBS-SEC-04, OBS-GRPC-42).
fn authorization(emitter: &Emitter, address: &str) -> Option<MetadataValue<Ascii>> {
    let token = emitter.settings.token.as_ref()?;
    if !is_loopback(address) {
        return None;
    }
    let mut value: MetadataValue<Ascii> = format!("Bearer {token}").parse().ok()?;
    // No log of the request shows it.
    value.set_sensitive(true);
    Some(value)
}

fn is_loopback(address: &str) -> bool {
    match address.parse::<SocketAddr>() {
        Ok(address) => address.ip().is_loopback(),
        Err(_) => address
            .rsplit_once(':')
            .is_some_and(|(host, _)| host.eq_ignore_ascii_case("localhost")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_stays_on_this_machine() {
        for address in ["127.0.0.1:80", "127.8.8.8:80", "[::1]:80", "localhost:80"] {
            assert!(is_loopback(address), "{address}");
        }
        for address in ["10.0.0.1:80", "[::2]:80", "localhost.example:80", "x", ""] {
            assert!(!is_loopback(address), "{address}");
        }
    }

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
