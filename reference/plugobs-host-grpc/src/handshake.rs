//! Waiting for the handshake line, the end of the process, or the end of
//! patience, whichever comes first (`spec/failures.md`).

use std::time::Duration;

use plugobs_core::registry::{FailureCode, attribute, event};
use plugobs_driver::intake::InstanceIntake;
use plugobs_driver::transport::TransportFailure;
use tokio::sync::oneshot;

use crate::output::Found;
use crate::supervise::Instance;

/// Waits for the handshake. Where none comes, nothing of the process is left
/// when this returns.
///
/// # Errors
/// `exited_early` as soon as the process has ended and its output is read;
/// `handshake_timeout` once `timeout` has passed since its start.
pub(crate) async fn wait(
    instance: &Instance,
    intake: &InstanceIntake,
    mut found: oneshot::Receiver<Found>,
    timeout: Duration,
) -> Result<Found, TransportFailure> {
    let until = tokio::time::Instant::from_std(instance.started_at()) + timeout;
    let waited = tokio::time::timeout_at(until, async {
        tokio::select! {
            biased;
            Ok(arrived) = &mut found => Ok(arrived),
            exit = instance.wait() => Err(exit),
        }
    })
    .await;
    let arrived = match waited {
        Ok(Ok(arrived)) => arrived,
        // The line may have come as the last thing that the process said.
        Ok(Err(exit)) => found.try_recv().map_err(|_| TransportFailure {
            code: FailureCode::ExitedEarly,
            message: "the process ended before its handshake".to_owned(),
            exit,
        })?,
        Err(_) => return Err(overdue(instance, timeout).await),
    };
    let took = u64::try_from(instance.started_at().elapsed().as_nanos()).unwrap_or(u64::MAX);
    intake.lifecycle(
        event::INSTANCE_HANDSHAKE,
        &format!("listens on port {}", arrived.handshake.port),
        vec![
            (
                attribute::HANDSHAKE_PORT,
                u64::from(arrived.handshake.port).into(),
            ),
            (attribute::HANDSHAKE_DURATION_NS, took.into()),
            (attribute::HANDSHAKE_STRAY_LINES, arrived.stray_lines.into()),
        ],
    );
    Ok(arrived)
}

async fn overdue(instance: &Instance, timeout: Duration) -> TransportFailure {
    TransportFailure {
        code: FailureCode::HandshakeTimeout,
        message: format!("no handshake line came within {timeout:?}; the process was killed"),
        exit: instance.kill("no handshake").await,
    }
}
