//! The reference plugin as a process, as its own crate builds it.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    Ok(plugobs_csv::process::run(&mut std::io::stdout())?)
}
