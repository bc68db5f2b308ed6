//! `plugobs completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::{CliError, Exit, Io};

pub(crate) fn run(shell: Shell, io: &mut Io<'_>) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "plugobs", &mut script);
    io.out.write_all(&script)?;
    Ok(Exit::Success)
}
