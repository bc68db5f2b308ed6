//! Help, version, completions, and arguments that are wrong.

use std::process::Stdio;

use plugobs_cli::Exit;

use crate::support::{plugobs, program};

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let help = plugobs(["--help"]).expect(Exit::Success).out;
    for word in [
        "demo",
        "run",
        "show",
        "tail",
        "check",
        "completions",
        "Exit codes: 0",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(!help.contains("csv-plugin"), "{help}");
    for command in ["demo", "run", "show", "tail", "check", "completions"] {
        let help = plugobs([command, "--help"]).expect(Exit::Success).out;
        assert!(help.contains("Usage: plugobs "), "{help}");
    }
}

#[test]
fn the_version_is_the_crates() {
    let ran = plugobs(["--version"]).expect(Exit::Success);
    assert_eq!(ran.out, format!("plugobs {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_arguments_are_told_on_standard_error() {
    for (args, told) in [
        (&[][..], "Usage: plugobs <COMMAND>"),
        (&["shw"], "similar subcommand exists: 'show'"),
        (&["run"], "<PLAN.json>"),
        (
            &["run", "p.json", "--level", "loud"],
            "use trace, debug, info, warn or error",
        ),
        (
            &["run", "p.json", "--call-timeout", "10"],
            "write it like 500ms, 10s or 2m",
        ),
        (
            &["run", "p.json", "--call-timeout", "0s"],
            "longer than nothing",
        ),
        (
            &["show", ".", "--failures", "--level", "warn"],
            "cannot be used with",
        ),
        (
            &["show", ".", "--failures", "--json"],
            "cannot be used with",
        ),
        (&["completions", "cmd"], "[possible values: bash"),
    ] {
        let ran = plugobs(args).expect(Exit::NotDone);
        assert!(ran.err.contains(told), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "");
    }
}

#[test]
fn a_level_has_any_case_and_any_known_name() {
    let missing = ["show", "no-such-folder", "--level"];
    for level in ["TRACE", "debug", "Warning"] {
        let ran = plugobs(missing.into_iter().chain([level])).expect(Exit::NotDone);
        assert!(
            ran.err.contains("there is no run in no-such-folder"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn completions_are_scripts_that_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = plugobs(["completions", shell]).expect(Exit::Success).out;
        assert!(
            script.contains("plugobs") && script.contains("tail"),
            "{shell}"
        );
    }
}

#[test]
fn the_program_itself_gives_the_exit_code() {
    let run = |args: &[&str]| program().args(args).output().unwrap();
    assert_eq!(run(&["--version"]).status.code(), Some(0));
    let refused = run(&["show", "no-such-folder"]);
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(
        told,
        "plugobs: there is no run in no-such-folder; give a run folder, or a folder that holds \
         some: plugobs demo makes one in plugobs-runs\n"
    );
}

#[test]
fn a_reader_that_goes_is_no_panic() {
    let mut child = program()
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}
