//! One process from its start to its end: its output is read, its server is
//! served, and its end is told once everything that it said is in.

use std::sync::Arc;
use std::time::Instant;

use plugobs_core::registry::{attribute, event, limit};
use plugobs_driver::failure::Exit;
use plugobs_driver::intake::InstanceIntake;
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::{oneshot, watch};

use crate::output::{self, Found, Stderr, Stdout};
use crate::process::{End, Process, Started};
use crate::server::Server;

/// A process that is looked after. It is killed where this goes before it has
/// ended.
pub(crate) struct Instance {
    process: Process,
    started_at: Instant,
    intake: InstanceIntake,
    server: Arc<Server>,
    ended: watch::Receiver<bool>,
    exit: watch::Receiver<Option<Exit>>,
}

impl Instance {
    /// Begins to read the output and to wait for the end. The receiver gets the
    /// handshake.
    ///
    /// # Errors
    /// Where the pipes cannot be read.
    pub(crate) fn watch_over(
        started: Started,
        intake: InstanceIntake,
        server: Arc<Server>,
    ) -> std::io::Result<(Self, oneshot::Receiver<Found>)> {
        let stdout = ChildStdout::from_std(started.stdout)?;
        let stderr = ChildStderr::from_std(started.stderr)?;
        let (give_up, given_up) = watch::channel(false);
        let (found_tx, found) = oneshot::channel();
        let readers = [
            tokio::spawn(output::read(
                stdout,
                Stdout::new(intake.clone(), found_tx),
                intake.clone(),
                given_up.clone(),
            )),
            tokio::spawn(output::read(
                stderr,
                Stderr::new(intake.clone()),
                intake.clone(),
                given_up,
            )),
        ];
        let (ended_tx, ended) = watch::channel(false);
        let (exit_tx, exit) = watch::channel(None);
        let theirs = server.clone();
        tokio::spawn(async move {
            let End {
                ended,
                reap,
                reaped,
            } = started.end;
            // An error: the waiting thread is gone, and with it the process.
            let _ = ended.await;
            ended_tx.send_replace(true);
            read_the_rest(readers, give_up, &theirs).await;
            drop(reap);
            let exit = reaped.await.unwrap_or(Exit {
                code: None,
                signal: None,
            });
            exit_tx.send_replace(Some(exit));
        });
        let instance = Self {
            process: started.process,
            started_at: started.at,
            intake,
            server,
            ended,
            exit,
        };
        Ok((instance, found))
    }

    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    pub(crate) fn started_at(&self) -> Instant {
        self.started_at
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Whether the process has ended, be it that its output is still being
    /// read.
    pub(crate) fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// Waits until it has.
    pub(crate) async fn ended(&self) {
        let mut ended = self.ended.clone();
        // The supervisor goes without a word only with the whole runtime.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Becomes `Some` once the process is reaped and its output is read.
    pub(crate) fn exit(&self) -> watch::Receiver<Option<Exit>> {
        self.exit.clone()
    }

    /// Kills the process with its group and waits until it is reaped.
    pub(crate) async fn kill(&self, reason: &str) -> Option<Exit> {
        self.intake.lifecycle(
            event::INSTANCE_KILLED,
            &format!("killed: {reason}"),
            vec![(attribute::STOP_REASON, reason.into())],
        );
        self.process.kill();
        self.wait().await
    }

    /// Waits for the end.
    pub(crate) async fn wait(&self) -> Option<Exit> {
        let mut exit = self.exit();
        // The supervisor goes without a word only with the whole runtime.
        exit.wait_for(Option::is_some).await.ok().and_then(|e| *e)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.server.close();
    }
}

/// Waits for what a process that has ended still has to say, at most for the
/// limit `output_drain_wait`; then nothing more of it is taken in.
async fn read_the_rest(
    readers: [tokio::task::JoinHandle<()>; 2],
    give_up: watch::Sender<bool>,
    server: &Server,
) {
    let readers = async {
        for reader in readers {
            // A reader that panicked reads no more.
            let _ = reader.await;
        }
    };
    tokio::pin!(readers);
    let until = tokio::time::Instant::now() + limit::OUTPUT_DRAIN_WAIT_DEFAULT;
    if tokio::time::timeout_at(until, &mut readers).await.is_err() {
        // The readers make lines of what they have, and end.
        give_up.send_replace(true);
        readers.await;
    }
    let _ = tokio::time::timeout_at(until, server.streams().all_closed()).await;
    server.close();
    server.streams().all_closed().await;
}
