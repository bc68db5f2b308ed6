//! Formats generated Rust with the toolchain's own formatter, so that `cargo fmt` leaves it alone.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::error::{GenError, Result};

pub(crate) fn format(source: &str) -> Result<String> {
    let fault = |problem: String| GenError::Rustfmt { problem };
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| fault(error.to_string()))?;
    // rustfmt reads all of its input before it writes, so this cannot block on a full pipe.
    child
        .stdin
        .take()
        .expect("stdin was asked to be a pipe")
        .write_all(source.as_bytes())
        .map_err(|error| fault(error.to_string()))?;
    let output = child
        .wait_with_output()
        .map_err(|error| fault(error.to_string()))?;
    if !output.status.success() {
        return Err(fault(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    String::from_utf8(output.stdout).map_err(|error| fault(error.to_string()))
}
