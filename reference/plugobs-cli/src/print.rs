//! What several commands print.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use plugobs_core::json::escape::EscapingFormatter;
use plugobs_core::sanitise::line;
use serde::Serialize;
use serde_json::Serializer;

use crate::{CliError, Exit, Io};

/// What clap says: help and version are wanted, the rest is an error.
pub(crate) fn usage(error: &clap::Error, io: &mut Io<'_>) -> Exit {
    let text = error.render();
    let (to, exit) = if error.use_stderr() {
        (&mut *io.err, Exit::NotDone)
    } else {
        (&mut *io.out, Exit::Success)
    };
    // There is nobody left to tell where this fails.
    let _ = write!(to, "{}", text.ansi()).and_then(|()| to.flush());
    exit
}

/// One line of JSON that cannot deceive a terminal.
pub(crate) fn json(value: &impl Serialize, out: &mut dyn Write) -> Result<(), CliError> {
    let mut serializer = Serializer::with_formatter(&mut *out, EscapingFormatter);
    value
        .serialize(&mut serializer)
        .map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// The command to type for a run: its subcommand, and the run unless that is
/// the one which is meant when nothing is said.
pub(crate) fn command(called: &str, subcommand: &str, run: Option<&Path>) -> String {
    match run {
        None => format!("{called} {subcommand}"),
        Some(run) => {
            let run = run.display().to_string();
            format!("{called} {subcommand} {}", shell_word(&line(&run)))
        }
    }
}

/// An argument as a shell takes it: in quotes where it needs them.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::from("'");
    for c in text.chars() {
        if c == '\'' {
            quoted.push_str("'\\''");
        } else {
            quoted.push(c);
        }
    }
    quoted.push('\'');
    quoted
}

/// A duration for people: `3.4 ms`.
pub(crate) fn duration(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs_f64();
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = match seconds {
        s if s < 1.0 => write!(text, "{:.1} ms", s * 1e3),
        s if s < 120.0 => write!(text, "{s:.1} s"),
        s => write!(text, "{:.0} min", s / 60.0),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_apart() {
        assert_eq!(shell_word("a/b-1.json"), "a/b-1.json");
        assert_eq!(shell_word("two words"), "'two words'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn json_is_one_line_and_escapes_what_deceives() {
        let mut out = Vec::new();
        json(&["\u{202e}a\nb"], &mut out).unwrap();
        assert_eq!(out, b"[\"\\u202ea\\nb\"]\n");
    }
}
