//! `plugobs show`: a run, a test's story, or the records that filters take.

use std::path::Path;

use plugobs_core::json::to_json_line;
use plugobs_core::sanitise::line;
use plugobs_runfile::read::overview::{TestOverview, instance_labels};
use plugobs_runfile::{Entry, ReadError, RunReader};
use plugobs_view as view;

use super::locate;
use crate::args::{DEFAULT_OUT, FilterArgs, ShowArgs};
use crate::print::{command, shell_word};
use crate::{CliError, Exit, Io};

pub(crate) fn run(args: &ShowArgs, io: &mut Io<'_>) -> Result<Exit, CliError> {
    let reader = locate::open(&args.run.run, io)?;
    tell_manifest_problem(&reader, io);
    let filter = &args.filter;
    if args.failures {
        failures(&reader, filter, io)?;
    } else if args.json || filter.takes_records() {
        records(&reader, args, io)?;
    } else if let Some(wanted) = &filter.test {
        let story = reader.story(&locate::test(&reader, wanted)?)?;
        let text = view::story(&story, &io.look());
        io.out.write_all(text.as_bytes())?;
    } else {
        overview(&reader, args, io)?;
    }
    Ok(Exit::Success)
}

impl FilterArgs {
    /// Whether single records are wanted, not a story.
    fn takes_records(&self) -> bool {
        self.instance.is_some() || self.channel.is_some() || self.level.is_some()
    }
}

/// A run without a readable manifest still has records; say what is missing.
pub(super) fn tell_manifest_problem(reader: &RunReader, io: &mut Io<'_>) {
    if let Some(problem) = reader.manifest_problem() {
        let text = problem.to_string();
        // Standard error is for this and may be closed.
        let _ = writeln!(io.err, "plugobs: {}", line(&text));
    }
}

fn overview(reader: &RunReader, args: &ShowArgs, io: &mut Io<'_>) -> Result<(), CliError> {
    let overview = reader.overview()?;
    let text = view::overview(&overview, &io.look());
    io.out.write_all(text.as_bytes())?;
    let is_default = args.run.run == Path::new(DEFAULT_OUT);
    let show = command(&io.called, "show", (!is_default).then_some(reader.path()));
    // The first that did not pass is the one to look at.
    let passed = |test: &&TestOverview| {
        let outcome = test.info.as_ref().and_then(|info| info.outcome.as_deref());
        outcome == Some("passed")
    };
    let mut tests = overview.tests.iter();
    let test = tests.find(|test| !passed(test));
    if let Some(test) = test.or(overview.tests.first()) {
        let test = shell_word(&line(&test.test_run_id));
        writeln!(io.out, "\nA test's story: {show} --test {test}")?;
    }
    if !overview.failures.is_empty() {
        writeln!(io.out, "What failed: {show} --failures")?;
    }
    Ok(())
}

fn records(reader: &RunReader, args: &ShowArgs, io: &mut Io<'_>) -> Result<(), CliError> {
    let filter = locate::filter(reader, &args.filter)?;
    let mut printer = Printer::new(reader, args.json);
    for entry in reader.select(vec![filter]) {
        printer.print(entry?, io)?;
    }
    Ok(())
}

fn failures(reader: &RunReader, filter: &FilterArgs, io: &mut Io<'_>) -> Result<(), CliError> {
    let test = filter.test.as_deref();
    let test = test
        .map(|wanted| locate::test(reader, wanted))
        .transpose()?;
    let mut shown = 0_usize;
    for failure in reader.failures()? {
        let failure = match failure {
            Ok(failure) => failure,
            Err(error) => {
                tell_unreadable(&error, io);
                continue;
            }
        };
        if test.is_some() && failure.test_run_id != test {
            continue;
        }
        if shown > 0 {
            writeln!(io.out)?;
        }
        shown += 1;
        let text = view::failure(&failure, &io.look());
        io.out.write_all(text.as_bytes())?;
    }
    if shown == 0 {
        writeln!(io.out, "no plugin failed")?;
    }
    Ok(())
}

fn tell_unreadable(error: &ReadError, io: &mut Io<'_>) {
    let text = error.to_string();
    // As above.
    let _ = writeln!(io.err, "plugobs: {}", line(&text));
}

/// Prints entries of a run as lines.
pub(super) struct Printer {
    json: bool,
    labels: std::collections::BTreeMap<String, String>,
}

impl Printer {
    pub(super) fn new(reader: &RunReader, json: bool) -> Self {
        Self {
            json,
            labels: instance_labels(reader.manifest()),
        }
    }

    pub(super) fn print(&mut self, entry: Entry, io: &mut Io<'_>) -> Result<(), CliError> {
        match entry.record {
            Ok(record) if self.json => {
                writeln!(io.out, "{}", to_json_line(&record))?;
            }
            Ok(record) => {
                let text = view::record_line(&record, &self.labels, &io.look());
                writeln!(io.out, "{text}")?;
            }
            Err(damage) => {
                let text = damage.to_string();
                // Damage is not part of what was asked for, and is not hidden.
                let _ = writeln!(io.err, "plugobs: {}: {}", entry.at, line(&text));
            }
        }
        Ok(())
    }

    /// Knows this instance's short name?
    pub(super) fn knows(&self, instance: &str) -> bool {
        self.labels.contains_key(instance)
    }

    /// Learns the short names of instances that have come since.
    pub(super) fn learn(&mut self, reader: &RunReader) {
        self.labels = instance_labels(reader.manifest());
    }
}
