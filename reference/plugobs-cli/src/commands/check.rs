//! `plugobs check`: whether run folders are valid and complete.

use std::fs;
use std::path::{Path, PathBuf};

use plugobs_core::sanitise::line;
use plugobs_runfile::{RunFolder, check};
use plugobs_view as view;

use super::locate;
use crate::args::CheckArgs;
use crate::{CliError, Exit, Io, print};

/// Folders deeper than this are nobody's runs.
const MAX_DEPTH: usize = 8;

pub(crate) fn run(args: &CheckArgs, io: &mut Io<'_>) -> Result<Exit, CliError> {
    if args.all {
        return check_all(args, io);
    }
    let report = check(&locate::open(&args.run.run, io)?)?;
    if args.json {
        print::json(&report, io.out)?;
    } else {
        let text = view::check_report(&report, &io.look());
        io.out.write_all(text.as_bytes())?;
    }
    Ok(exit(report.sound))
}

/// Checks every run; prints whole reports only of those that are not sound.
fn check_all(args: &CheckArgs, io: &mut Io<'_>) -> Result<Exit, CliError> {
    let mut runs = Vec::new();
    find_runs(&args.run.run, MAX_DEPTH, &mut runs)?;
    if runs.is_empty() {
        return Err(CliError::NoRun {
            folder: args.run.run.clone(),
            called: io.called.clone(),
        });
    }
    let (mut sound, mut records) = (0, 0);
    for run in &runs {
        let reader = RunFolder::open(run)?;
        let report = check(&reader)?;
        records += report.counts.records;
        if report.sound {
            sound += 1;
        }
        if args.json {
            print::json(&report, io.out)?;
        } else if report.sound {
            let path = run.display().to_string();
            writeln!(io.out, "sound  {}", line(&path))?;
        } else {
            let text = view::check_report(&report, &io.look());
            writeln!(io.out, "{text}")?;
        }
    }
    if !args.json {
        let all = runs.len();
        writeln!(
            io.out,
            "{sound} of {all} runs are sound, with {records} records"
        )?;
    }
    Ok(exit(sound == runs.len()))
}

fn exit(sound: bool) -> Exit {
    if sound { Exit::Success } else { Exit::Found }
}

/// The run folders in `folder`, itself included, in the order of their names.
fn find_runs(folder: &Path, depth: usize, runs: &mut Vec<PathBuf>) -> Result<(), CliError> {
    if folder.join("run.json").is_file() {
        runs.push(folder.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(folder).map_err(|source| CliError::Folder {
        folder: folder.to_owned(),
        source,
    })?;
    let mut below = Vec::new();
    for entry in entries.flatten() {
        // Links are not followed: they may lead in circles.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            below.push(entry.path());
        }
    }
    below.sort_unstable();
    if depth > 0 {
        for folder in below {
            find_runs(&folder, depth - 1, runs)?;
        }
    }
    Ok(())
}
