//! The `plugobs` command; what it does is in the library, so that it is tested
//! in-process.

use std::env;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use plugobs_cli::Io;

fn main() -> ExitCode {
    // Both know whether they lead to a terminal, and NO_COLOR.
    let mut out = BufWriter::new(anstream::stdout());
    let mut err = anstream::stderr();
    let exit = plugobs_cli::run(
        env::args_os(),
        &mut Io {
            out: &mut out,
            err: &mut err,
            width: width(),
            program: env::current_exe().ok(),
            called: called(),
        },
    );
    // What was not written by now was for somebody who has gone.
    let _ = out.flush();
    exit.into()
}

/// The columns of the terminal, where standard output leads to one.
fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    // A terminal that does not know says 0.
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// What a person types to call this program again.
fn called() -> String {
    // Cargo sets this for what it runs, and a build there is on nobody's PATH.
    if env::var_os("CARGO_PKG_NAME").is_some_and(|name| name == env!("CARGO_PKG_NAME")) {
        "cargo run -q --".to_owned()
    } else {
        env!("CARGO_BIN_NAME").to_owned()
    }
}
