//! `plugobs tail`: the records of a run as they arrive.

use std::thread::sleep;
use std::time::Duration;

use plugobs_runfile::{Life, RunFolder, RunReader};

use super::locate;
use super::show::{Printer, tell_manifest_problem};
use crate::args::TailArgs;
use crate::{CliError, Exit, Io};

/// How long to wait for more, at first and when nothing comes.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_millis(250);

pub(crate) fn run(args: &TailArgs, io: &mut Io<'_>) -> Result<Exit, CliError> {
    let reader = locate::open(&args.run.run, io)?;
    tell_manifest_problem(&reader, io);
    let mut follow = reader.follow(vec![locate::filter(&reader, &args.filter)?]);
    let mut printer = Printer::new(&reader, args.json);
    let mut wait = FIRST_WAIT;
    loop {
        // Asked before the records are: what a driver wrote last is then read.
        let life = reader.life();
        let mut came = false;
        let mut learnt = false;
        while let Some(entry) = follow.try_next()? {
            came = true;
            let record = entry.record.as_ref().ok();
            if let Some(instance) = record.and_then(|r| r.plugin_instance_id.as_deref())
                && !learnt
                && !printer.knows(instance)
            {
                // Once a round: the manifest may lag behind the records.
                learnt = true;
                learn(&reader, &mut printer);
            }
            printer.print(entry, io)?;
        }
        io.out.flush()?;
        match life {
            Life::Running => {}
            Life::Finished => return Ok(Exit::Success),
            Life::Left => {
                // For people; whoever reads the records has all there are.
                let _ = writeln!(
                    io.err,
                    "plugobs: the driver died before it ended the run; what came after is unknown"
                );
                return Ok(Exit::Success);
            }
        }
        wait = if came {
            FIRST_WAIT
        } else {
            (wait * 2).min(LONGEST_WAIT)
        };
        sleep(wait);
    }
}

/// Short names of instances that began after the run was opened. Where they are
/// not to be had, records show without them.
fn learn(reader: &RunReader, printer: &mut Printer) {
    if let Ok(now) = RunFolder::open(reader.path()) {
        printer.learn(&now);
    }
}
