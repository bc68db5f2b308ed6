//! Colours and widths: only for a terminal, and as its user wants them.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::support::{Runs, demo_run, program};

/// Runs the command with its output on a terminal of so many columns.
fn on_terminal(command: &mut Command, columns: u16) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    tcsetwinsize(
        &master,
        Winsize {
            ws_row: 50,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        },
    )
    .unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let terminal: OwnedFd = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap()
        .into();
    let mut child = command.stdout(terminal).spawn().unwrap();
    // The command holds the terminal too; then its end is the program's end.
    command.stdout(std::process::Stdio::null());
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let mut master = File::from(master);
    // A terminal that nobody holds any more answers with an error.
    while let Ok(read @ 1..) = master.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
    }
    assert!(child.wait().unwrap().success());
    // Line feeds became two characters on the way.
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

fn story(run: &Path) -> Command {
    let mut command = program();
    command.args(["show", "--test", "orders", run.to_str().unwrap()]);
    command.env("TERM", "xterm-256color");
    command
}

fn piped(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

fn has_colours(text: &str) -> bool {
    text.contains("\u{1b}[")
}

#[test]
fn a_terminal_gets_colours_unless_its_user_wants_none() {
    let runs = Runs::new();
    let run = demo_run(&runs);
    assert!(has_colours(&on_terminal(&mut story(&run), 400)));
    assert!(!has_colours(&on_terminal(
        story(&run).env("NO_COLOR", "1"),
        400
    )));
    assert!(!has_colours(&on_terminal(
        story(&run).env("TERM", "dumb"),
        400
    )));
    assert!(!has_colours(&piped(&mut story(&run))));
    assert!(has_colours(&piped(story(&run).env("CLICOLOR_FORCE", "1"))));
}

#[test]
fn colours_are_all_that_a_terminal_adds() {
    let runs = Runs::new();
    let run = demo_run(&runs);
    let plain = on_terminal(story(&run).env("NO_COLOR", "1"), 400);
    assert_eq!(plain, piped(&mut story(&run)));
    let coloured = on_terminal(&mut story(&run), 400);
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
}

#[test]
fn lines_are_as_wide_as_the_terminal() {
    let runs = Runs::new();
    let run = demo_run(&runs);
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap();
    let narrow = on_terminal(story(&run).env("NO_COLOR", "1"), 72);
    assert!((60..=72).contains(&widest(&narrow)), "{narrow}");
    assert!(widest(&piped(&mut story(&run))) > 72);
}
