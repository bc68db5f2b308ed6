//! The `plugobs` command. Each subcommand is a module of `commands`; plans are
//! read by [`plan`] and carried out by `execute`.

mod args;
mod commands;
mod error;
mod execute;
mod exit;
pub mod plan;
mod print;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use anstyle::AnsiColor;
use clap::Parser;
use plugobs_view::Look;

use crate::args::{Cli, Command};

pub use error::CliError;
pub use exit::Exit;

/// What a command gets from its surroundings.
pub struct Io<'a> {
    /// For results. ANSI escapes are written to it: whoever gives it strips
    /// them where they are not wanted.
    pub out: &'a mut (dyn Write + Send),
    /// For errors and hints, as `out`.
    pub err: &'a mut (dyn Write + Send),
    /// The columns of the terminal that `out` leads to, where it is one.
    pub width: Option<usize>,
    /// The file of the program that this is, to start it as a plugin.
    pub program: Option<PathBuf>,
    /// What a person types to call this program, for hints.
    pub called: String,
}

impl Io<'_> {
    fn look(&self) -> Look {
        Look {
            colour: true,
            width: self.width,
        }
    }
}

/// Does what the arguments say; the first is the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> Exit {
    let done = match Cli::try_parse_from(args) {
        Ok(cli) => dispatch(cli.command, io),
        Err(error) => return print::usage(&error, io),
    };
    let flushed = io.out.flush().map_err(CliError::from);
    match (done, flushed) {
        (Ok(exit), Ok(())) => exit,
        // Whoever has read enough is not to be told more; what was found out
        // stands, where it was.
        (Ok(exit), Err(error)) if error.is_broken_pipe() => exit,
        (Err(error), _) if error.is_broken_pipe() => Exit::Success,
        (Err(error), _) | (Ok(_), Err(error)) => {
            let red = AnsiColor::Red.on_default().bold();
            // Where standard error is closed too, the exit code remains.
            let _ = writeln!(io.err, "{red}plugobs:{red:#} {error}");
            error.exit()
        }
    }
}

fn dispatch(command: Command, io: &mut Io<'_>) -> Result<Exit, CliError> {
    match command {
        Command::Demo(args) => commands::demo::run(&args, io),
        Command::Run(args) => commands::run::run(&args, io),
        Command::Show(args) => commands::show::run(&args, io),
        Command::Tail(args) => commands::tail::run(&args, io),
        Command::Check(args) => commands::check::run(&args, io),
        Command::Completions { shell } => commands::completions::run(shell, io),
        Command::CsvPlugin => {
            plugobs_csv::process::run(&mut *io.out)?;
            Ok(Exit::Success)
        }
    }
}
