//! A child process and everything that it started: begun, signalled, waited
//! for and reaped.
//!
//! A thread of its own waits for each process, so that none is left as a
//! zombie whatever becomes of the async runtime. On Unix it first waits without
//! reaping: until the process is reaped its number cannot go to another, and a
//! signal to its group cannot go astray.

use std::io;
use std::process::{Child, ChildStderr, ChildStdout, Command};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use plugobs_driver::failure::Exit;
use tokio::sync::oneshot;

use system::{lead_a_group, send, signal_of, wait_without_reaping};

/// A process that was started. It is killed, with its group, where the handle
/// goes before it has ended.
pub(crate) struct Process(Arc<Shared>);

struct Shared {
    pid: u32,
    /// `None` once it has been reaped.
    child: Mutex<Option<Child>>,
}

/// What a start gives besides the handle.
pub(crate) struct Started {
    pub(crate) process: Process,
    pub(crate) at: Instant,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
    pub(crate) end: End,
}

/// The two steps of an end.
pub(crate) struct End {
    /// The process has ended and waits to be reaped.
    pub(crate) ended: oneshot::Receiver<()>,
    /// To be sent once its output is read; dropping it does as well.
    pub(crate) reap: mpsc::Sender<()>,
    /// It has been reaped, and what was left of its group was killed.
    pub(crate) reaped: oneshot::Receiver<Exit>,
}

/// Starts the command in a process group of its own.
///
/// # Errors
/// The operating system's.
pub(crate) fn start(command: &mut Command) -> io::Result<Started> {
    lead_a_group(command);
    let at = Instant::now();
    let mut child = command.spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let shared = Arc::new(Shared {
        pid: child.id(),
        child: Mutex::new(Some(child)),
    });
    let process = Process(shared.clone());
    let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
        return Err(io::Error::other("the command has no pipes for its output"));
    };
    let (ended_tx, ended) = oneshot::channel();
    let (reap, reap_rx) = mpsc::channel();
    let (reaped_tx, reaped) = oneshot::channel();
    let theirs = shared.clone();
    let waiter = thread::Builder::new()
        .name(format!("plugobs-wait-{}", shared.pid))
        .spawn(move || {
            wait_without_reaping(&theirs);
            // Nobody may be there to be told; then it is reaped at once.
            if ended_tx.send(()).is_ok() {
                let _ = reap_rx.recv();
            }
            let _ = reaped_tx.send(theirs.reap());
        });
    if let Err(error) = waiter {
        shared.reap();
        return Err(error);
    }
    Ok(Started {
        process,
        at,
        stdout,
        stderr,
        end: End {
            ended,
            reap,
            reaped,
        },
    })
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.0.pid
    }

    /// Asks the group to end. `false` where the system has no such request, or
    /// the process has ended.
    pub(crate) fn terminate(&self) -> bool {
        self.0.signal(Signal::Terminate)
    }

    /// Ends the group.
    pub(crate) fn kill(&self) {
        self.0.signal(Signal::Kill);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[derive(Clone, Copy)]
enum Signal {
    Terminate,
    Kill,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: Signal) -> bool {
        match &mut *self.lock() {
            Some(child) => send(signal, child),
            None => false,
        }
    }

    /// Reaps the process, which has ended, and kills what is left of its group:
    /// children that a plugin left behind hold its ports and its pipes.
    fn reap(&self) -> Exit {
        let mut slot = self.lock();
        let unknown = Exit {
            code: None,
            signal: None,
        };
        let Some(mut child) = slot.take() else {
            return unknown;
        };
        send(Signal::Kill, &mut child);
        match child.wait() {
            Ok(status) => Exit {
                code: status.code(),
                signal: signal_of(status),
            },
            // Somebody else in this process reaped it.
            Err(_) => unknown,
        }
    }
}

#[cfg(unix)]
mod system {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, Command, ExitStatus};

    use rustix::io::Errno;
    use rustix::process::{Pid, WaitId, WaitIdOptions, kill_process_group, waitid};

    use super::{Shared, Signal};

    pub(super) fn lead_a_group(command: &mut Command) {
        command.process_group(0);
    }

    pub(super) fn send(signal: Signal, child: &mut Child) -> bool {
        let signal = match signal {
            Signal::Terminate => rustix::process::Signal::TERM,
            Signal::Kill => rustix::process::Signal::KILL,
        };
        kill_process_group(Pid::from_child(child), signal).is_ok()
    }

    pub(super) fn wait_without_reaping(shared: &Shared) {
        let Some(pid) = i32::try_from(shared.pid).ok().and_then(Pid::from_raw) else {
            return;
        };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        // Another error than an interruption means that there is no such child
        // any more.
        while let Err(Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
    }

    pub(super) fn signal_of(status: ExitStatus) -> Option<i32> {
        status.signal()
    }
}

#[cfg(not(unix))]
mod system {
    use std::process::{Child, Command, ExitStatus};
    use std::thread;
    use std::time::Duration;

    use super::{Shared, Signal};

    pub(super) fn lead_a_group(_command: &mut Command) {}

    /// There is no request to end here but the record stream's.
    pub(super) fn send(signal: Signal, child: &mut Child) -> bool {
        match signal {
            Signal::Terminate => false,
            Signal::Kill => child.kill().is_ok(),
        }
    }

    /// A blocking wait would keep the handle from whoever wants to kill, so the
    /// process is looked at a few times in a second.
    pub(super) fn wait_without_reaping(shared: &Shared) {
        let running = || {
            let mut child = shared.lock();
            matches!(child.as_mut().map(Child::try_wait), Some(Ok(None)))
        };
        while running() {
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn signal_of(_status: ExitStatus) -> Option<i32> {
        None
    }
}
