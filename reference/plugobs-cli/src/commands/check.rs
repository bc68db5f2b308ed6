//! `plugobs check`: whether a run folder is valid and complete.

use plugobs_runfile::check;
use plugobs_view as view;

use super::locate;
use crate::args::CheckArgs;
use crate::{CliError, Exit, Io, print};

pub(crate) fn run(args: &CheckArgs, io: &mut Io<'_>) -> Result<Exit, CliError> {
    let reader = locate::open(&args.run.run, io)?;
    let report = check(&reader)?;
    if args.json {
        print::json(&report, io.out)?;
    } else {
        let text = view::check_report(&report, &io.look());
        io.out.write_all(text.as_bytes())?;
    }
    Ok(if report.sound {
        Exit::Success
    } else {
        Exit::Found
    })
}
