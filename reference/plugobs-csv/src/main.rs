//! The CSV plugin as a process of its own.

use std::error::Error;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Err(error) = plugobs_csv::process::run(&mut stdout()) else {
        return ExitCode::SUCCESS;
    };
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(&format!(": {source}"));
        cause = source.source();
    }
    // Standard error is the last place to say it; where it is closed, the exit code remains.
    let _ = writeln!(stderr(), "plugobs-csv: {text}");
    ExitCode::FAILURE
}
