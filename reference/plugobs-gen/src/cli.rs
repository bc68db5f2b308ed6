//! The command line: which repository, and whether to write or to compare.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::{COMMAND, artefact, generate};

const USAGE: &str = "usage: plugobs-gen [--check] [--root DIR]";

/// Runs the tool. Exit code 0: written, or nothing differs; 1: a source breaks a rule or a file
/// differs; 2: the arguments are wrong.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(message) => {
            say(err, &format!("plugobs-gen: {message}\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match execute(&options, out, err) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(err, &format!("plugobs-gen: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// The repository this tool was built in.
#[must_use]
pub fn default_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .unwrap_or(manifest)
        .to_path_buf()
}

fn execute(options: &Options, out: &mut dyn Write, err: &mut dyn Write) -> crate::Result<bool> {
    let generated = generate(&options.root)?;
    for problem in &generated.problems {
        say(err, &problem.to_string());
    }
    if options.check {
        let drifts = artefact::compare(&options.root, &generated.artefacts)?;
        for drift in &drifts {
            say(err, &drift.to_string());
        }
        if !drifts.is_empty() {
            say(err, &format!("run {COMMAND}"));
        }
        return Ok(drifts.is_empty() && generated.problems.is_empty());
    }
    for path in artefact::write(&options.root, &generated.artefacts)? {
        say(out, &format!("wrote {path}"));
    }
    Ok(generated.problems.is_empty())
}

/// A closed pipe is no reason to fail a generator, so the result of printing is dropped.
fn say(to: &mut dyn Write, text: &str) {
    let _ = writeln!(to, "{text}");
}

struct Options {
    check: bool,
    root: PathBuf,
}

impl Options {
    fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Self {
            check: false,
            root: default_root(),
        };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("--check") => options.check = true,
                Some("--root") => {
                    options.root = args.next().ok_or("--root needs a folder")?.into();
                }
                _ => return Err(format!("unknown argument {}", arg.display())),
            }
        }
        Ok(options)
    }
}
