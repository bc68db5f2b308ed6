//! `plugobs-gen`: writes, or with `--check` compares, what is generated in this repository.

use std::process::ExitCode;

fn main() -> ExitCode {
    plugobs_gen::cli::run(
        std::env::args_os().skip(1),
        &mut std::io::stdout().lock(),
        &mut std::io::stderr().lock(),
    )
}
