//! `plugobs demo`: two tests in parallel on two instances of the CSV plugin, one
//! a component and one a process. The second test fails.

use std::fs;
use std::io;
use std::path::Path;

use anstyle::Style;
use plugobs_core::sanitise::line;
use plugobs_driver::PluginSource;
use plugobs_runfile::{RunFolder, RunReader};
use plugobs_view as view;
use serde_json::json;

use super::run::out_folder;
use crate::args::DemoArgs;
use crate::execute::result::{Outcome, RunResult};
use crate::execute::{self, Settings};
use crate::plan::{self, Origin};
use crate::print::command;
use crate::{CliError, Exit, Io};

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!("../../../../conformance/fixtures/", $path))
    };
}
/// The demo's files, as they stand below `conformance/fixtures`: in this binary,
/// so that it works from any folder.
const FILES: [(&str, &[u8]); 7] = [
    (PLAN, fixture!("plans/demo.json")),
    (
        "plugobs-csv-component.wasm",
        fixture!("plugobs-csv-component.wasm"),
    ),
    (
        "csv-component/pact-plugin.json",
        fixture!("csv-component/pact-plugin.json"),
    ),
    ("csv/people.json", fixture!("csv/people.json")),
    ("csv/people-actual.csv", fixture!("csv/people-actual.csv")),
    ("csv/orders.json", fixture!("csv/orders.json")),
    ("csv/orders-actual.csv", fixture!("csv/orders-actual.csv")),
];

const PLAN: &str = "plans/demo.json";
const PLUGIN: &str = "plugobs-csv";

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

pub(crate) fn run(args: &DemoArgs, io: &mut Io<'_>) -> Result<Exit, CliError> {
    let out = out_folder(&args.out)?;
    let program = io.program.clone().ok_or(CliError::NoProgram)?;
    let files = files(&program)?;
    let mut plan = plan::read(&files.path().join(PLAN))?;
    for plugin in &mut plan.plugins {
        // The plan starts this program itself. Here it is installed instead, so
        // that the demo finds it as any plugin is found.
        if let Origin::Command { .. } = plugin.origin {
            plugin.origin = Origin::Installed;
        }
    }
    let result = execute::carry_out(
        &plan,
        Settings {
            out,
            level: args.level,
            source: PluginSource::folder(files.path().join("plugins")),
            program: None,
            handshake_timeout: None,
            call_timeout: None,
            component_cache: None,
        },
    )?;
    let reader = RunFolder::open(&result.folder)?;
    print(&result, &reader, args.out.out.is_none(), io)?;
    as_it_should(&result)?;
    Ok(Exit::Success)
}

/// A folder with the plan, its data, and the plugin as drivers find it.
fn files(program: &Path) -> Result<tempfile::TempDir, CliError> {
    let failed = |source| CliError::DemoFiles {
        folder: std::env::temp_dir(),
        source,
    };
    let folder = tempfile::Builder::new()
        .prefix("plugobs-demo-")
        .tempdir()
        .map_err(failed)?;
    for (path, bytes) in FILES {
        write(&folder.path().join(path), bytes).map_err(failed)?;
    }
    let version = env!("CARGO_PKG_VERSION");
    let manifest = json!({
        "manifestVersion": 1,
        "pluginInterfaceVersion": 2,
        "name": PLUGIN,
        "version": version,
        "executableType": "exec",
        "entryPoint": program.to_string_lossy(),
        "args": ["csv-plugin"],
        "pluginConfig": {},
    });
    let path = format!("plugins/{PLUGIN}-{version}/pact-plugin.json");
    write(&folder.path().join(path), manifest.to_string().as_bytes()).map_err(failed)?;
    Ok(folder)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
}

fn print(
    result: &RunResult,
    reader: &RunReader,
    is_default: bool,
    io: &mut Io<'_>,
) -> Result<(), CliError> {
    let look = io.look();
    for failure in &result.failures {
        writeln!(io.out, "{}", view::failure(&(&**failure).into(), &look))?;
    }
    writeln!(
        io.out,
        "Two tests ran in parallel on the CSV plugin: the first in a WebAssembly component,"
    )?;
    writeln!(io.out, "the second in a process of its own, over gRPC.")?;
    writeln!(io.out, "What each of them caused there, on its own:")?;
    let count = result.tests.len();
    for (number, test) in (1..).zip(&result.tests) {
        let Some(report) = &test.report else { continue };
        let story = view::story(&reader.story(&report.test_run_id)?, &look);
        writeln!(io.out, "\n{DIM}──── test {number} of {count} ────{DIM:#}\n")?;
        write!(io.out, "{story}")?;
    }
    what_next(&result.folder, is_default, io)
}

fn what_next(folder: &Path, is_default: bool, io: &mut Io<'_>) -> Result<(), CliError> {
    let path = folder.display().to_string();
    writeln!(
        io.out,
        "\n{DIM}────{DIM:#}\n\n{BOLD}The run is in {}{BOLD:#}",
        line(&path)
    )?;
    writeln!(io.out, "What to type next:")?;
    let run = (!is_default).then_some(folder);
    let show = command(&io.called, "show", run);
    let check = command(&io.called, "check", run);
    for (command, what) in [
        (show.clone(), "the whole run"),
        (format!("{show} --test orders"), "one test's story"),
        (
            format!("{show} --channel user"),
            "what the plugin told its users",
        ),
        (check, "is anything missing, or under the wrong test?"),
    ] {
        writeln!(io.out, "  {command}  # {what}")?;
    }
    Ok(())
}

/// The mismatch is part of the show; anything else is not.
fn as_it_should(result: &RunResult) -> Result<(), CliError> {
    let outcomes: Vec<_> = result.tests.iter().map(|test| test.outcome()).collect();
    if result.failures.is_empty() && outcomes == [Outcome::Passed, Outcome::Failed] {
        return Ok(());
    }
    let what: Vec<_> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
    Err(CliError::Demo {
        what: format!(
            "its tests ended as {}, and {} plugins failed",
            what.join(" and "),
            result.failures.len()
        ),
        folder: result.folder.clone(),
    })
}
