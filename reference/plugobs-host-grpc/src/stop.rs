//! Ending a process: asked first, then terminated, then killed
//! (OBS-FAIL-28).

use std::time::Duration;

use plugobs_core::registry::{attribute, event, limit};
use plugobs_driver::failure::Exit;
use plugobs_driver::intake::InstanceIntake;
use plugobs_driver::transport::StopOutcome;

use crate::supervise::Instance;

/// Stops the instance and returns once it is reaped and its output is read.
///
/// A plugin with an open record stream gets all of `grace` to follow the
/// stream's `stop`. One without, as every deployed plugin, or one that does not
/// follow, is terminated with its process group and gets another `grace`, at
/// most the limit `terminate_wait`. What still runs then is killed.
pub(crate) async fn stop(
    instance: &Instance,
    intake: &InstanceIntake,
    grace: Duration,
) -> StopOutcome {
    let ended = *instance.exit().borrow();
    if let Some(exit) = ended {
        return outcome(Some(exit), false);
    }
    intake.lifecycle(
        event::INSTANCE_STOP_REQUESTED,
        "asked to stop",
        vec![(
            attribute::STOP_DEADLINE_NS,
            u64::try_from(grace.as_nanos()).unwrap_or(u64::MAX).into(),
        )],
    );
    if instance.server().streams().stop(grace)
        && let Some(exit) = ended_within(instance, grace).await
    {
        return outcome(Some(exit), false);
    }
    if instance.process().terminate() {
        let wait = grace.min(limit::TERMINATE_WAIT_DEFAULT);
        if let Some(exit) = ended_within(instance, wait).await {
            return outcome(Some(exit), false);
        }
    }
    // It may have ended just now.
    if instance.has_ended() {
        return outcome(instance.wait().await, false);
    }
    outcome(instance.kill("it did not stop in time").await, true)
}

async fn ended_within(instance: &Instance, wait: Duration) -> Option<Exit> {
    tokio::time::timeout(wait, instance.ended()).await.ok()?;
    // Reading the rest of its output has a bound of its own.
    instance.wait().await
}

fn outcome(exit: Option<Exit>, killed: bool) -> StopOutcome {
    StopOutcome {
        exit: exit.unwrap_or(Exit {
            code: None,
            signal: None,
        }),
        killed,
    }
}
