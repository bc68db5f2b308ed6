//! `plugobs run`: carries out a plan and says which tests did not pass.

use std::path::{Path, PathBuf};
use std::{fs, io::Write};

use anstyle::{AnsiColor, Style};
use plugobs_core::sanitise::line;
use plugobs_driver::PluginSource;
use plugobs_runfile::StoredFailure;
use plugobs_view as view;

use crate::args::{DEFAULT_OUT, OutArgs, RunArgs};
use crate::execute::result::{CallResult, Came, Outcome, RunResult, TestResult};
use crate::execute::{self, Settings};
use crate::plan::{self, Expect};
use crate::print::{self, command, shell_word};
use crate::{CliError, Exit, Io};

/// Mismatches of one call that are printed; the run folder has them all.
const SHOWN_MISMATCHES: usize = 10;

pub(crate) fn run(args: &RunArgs, io: &mut Io<'_>) -> Result<Exit, CliError> {
    let plan = plan::read(&args.plan)?;
    let settings = Settings {
        out: out_folder(&args.out)?,
        level: args.level,
        source: match &args.plugins {
            Some(folder) => PluginSource::folder(folder),
            None => PluginSource::from_environment(),
        },
        program: io.program.clone(),
        handshake_timeout: args.handshake_timeout,
        call_timeout: args.call_timeout,
        component_cache: args.component_cache.clone(),
    };
    let result = execute::carry_out(&plan, settings)?;
    let printed = if args.json {
        print::json(&execute::json::result(&result), io.out)
    } else {
        text(&result, args.out.out.is_none(), io)
    };
    match printed.and_then(|()| Ok(io.out.flush()?)) {
        // The run is over, and its exit code is for those who do not read.
        Err(error) if error.is_broken_pipe() => Ok(result.exit()),
        other => other.map(|()| result.exit()),
    }
}

/// The folder below which the run folder is made. The one that nobody named
/// keeps itself out of version control.
pub(super) fn out_folder(args: &OutArgs) -> Result<PathBuf, CliError> {
    if let Some(out) = &args.out {
        return Ok(out.clone());
    }
    let out = Path::new(DEFAULT_OUT);
    if fs::create_dir(out).is_ok() {
        // A nicety: where it cannot be had, the run goes on without.
        let _ = fs::write(out.join(".gitignore"), "*\n");
    }
    Ok(out.to_owned())
}

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default();
const BOLD: Style = Style::new().bold();

fn text(result: &RunResult, is_default: bool, io: &mut Io<'_>) -> Result<(), CliError> {
    let look = io.look();
    for failure in &result.failures {
        let failure = StoredFailure::from(&**failure);
        writeln!(io.out, "{}", view::failure(&failure, &look))?;
    }
    for test in &result.tests {
        test_line(test, io.out)?;
        for call in test.calls.iter().filter(|call| !call.is_as_expected()) {
            call_lines(result, call, io.out)?;
        }
    }
    summary(result, io)?;
    let show = command(&io.called, "show", (!is_default).then_some(&*result.folder));
    let not_passed = result
        .tests
        .iter()
        .find(|test| !matches!(test.outcome(), Outcome::Passed | Outcome::NotRun));
    match not_passed.and_then(|test| test.report.as_ref()) {
        Some(report) => {
            let test = shell_word(&report.test_run_id);
            writeln!(io.out, "Its story: {show} --test {test}")?;
        }
        None if !result.failures.is_empty() => writeln!(io.out, "What failed: {show} --failures")?,
        None => writeln!(io.out, "All of it: {show}")?,
    }
    Ok(())
}

fn test_line(test: &TestResult, out: &mut dyn Write) -> Result<(), CliError> {
    let (style, word) = match test.outcome() {
        Outcome::Passed => (GOOD, "passed"),
        Outcome::Failed => (BAD, "failed"),
        Outcome::Errored => (BAD, "errored"),
        Outcome::NotRun => (WARN, "not run"),
    };
    write!(
        out,
        "{style}{word:<8}{style:#} {BOLD}{}{BOLD:#}",
        line(&test.name)
    )?;
    if let Some(suite) = &test.suite {
        write!(out, " ({})", line(suite))?;
    }
    if let Some(report) = &test.report {
        write!(out, "  {}", print::duration(report.duration))?;
    }
    writeln!(out)?;
    Ok(())
}

fn call_lines(result: &RunResult, call: &CallResult, out: &mut dyn Write) -> Result<(), CliError> {
    let plugin = &result.plugins[call.plugin].id;
    write!(out, "         {} of {plugin}: ", call.operation)?;
    let wanted = match call.expect {
        Expect::Match => "no mismatch",
        Expect::Mismatch => "a mismatch",
        Expect::Error => "an error",
    };
    match &call.came {
        Came::Ok => writeln!(out, "ok, and {wanted} was expected")?,
        Came::Error(error) => {
            writeln!(out, "an error, and {wanted} was expected: {}", line(error))?;
        }
        Came::Failure(failure) => writeln!(out, "{}", line(&failure.report().message))?,
        Came::NotMade => writeln!(
            out,
            "not made, because the configure call before it gave nothing"
        )?,
        Came::Mismatch(found) => {
            let count = found.len();
            let s = if count == 1 { "" } else { "es" };
            writeln!(out, "{count} mismatch{s}, and {wanted} was expected")?;
            for found in found.iter().take(SHOWN_MISMATCHES) {
                let text = line(&found.mismatch.mismatch);
                writeln!(out, "           {}: {text}", line(&found.path))?;
            }
            if count > SHOWN_MISMATCHES {
                writeln!(out, "           and {} more", count - SHOWN_MISMATCHES)?;
            }
        }
    }
    Ok(())
}

fn summary(result: &RunResult, io: &mut Io<'_>) -> Result<(), CliError> {
    let count = |outcome| {
        let tests = result.tests.iter();
        tests.filter(|test| test.outcome() == outcome).count()
    };
    let words = [
        (Outcome::Passed, "passed"),
        (Outcome::Failed, "failed"),
        (Outcome::Errored, "errored"),
        (Outcome::NotRun, "not run"),
    ];
    let parts: Vec<_> = words
        .iter()
        .filter(|(outcome, _)| count(*outcome) > 0)
        .map(|(outcome, word)| format!("{} {word}", count(*outcome)))
        .collect();
    let took = print::duration(result.duration);
    writeln!(io.out, "\n{} after {took}", parts.join(", "))?;
    for loss in result.losses.iter().filter(|loss| loss.lost_records > 0) {
        writeln!(
            io.out,
            "{WARN}{} records are not in {}{WARN:#}",
            loss.lost_records,
            line(&loss.name)
        )?;
    }
    let folder = result.folder.display().to_string();
    writeln!(io.out, "The run is in {}", line(&folder))?;
    Ok(())
}
