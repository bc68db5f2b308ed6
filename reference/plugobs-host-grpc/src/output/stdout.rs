//! Standard output: the handshake line, and around it raw output with records
//! among its lines.

use plugobs_core::handshake::Handshake;
use plugobs_core::registry::source;
use plugobs_driver::intake::InstanceIntake;
use plugobs_driver::sink::OutputStream;
use tokio::sync::oneshot;

use super::lines::{Line, Lines, MOST};
use super::{Consumer, Outlet};

/// The handshake, once it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) handshake: Handshake,
    /// Lines before it.
    pub(crate) stray_lines: u64,
}

/// Takes the first line that is a valid handshake out of the output, and keeps
/// every other byte (OBS-CHAN-27).
pub(crate) struct Stdout {
    outlet: Outlet,
    stage: Stage,
    lines: Lines,
}

enum Stage {
    Before(Before),
    After,
}

/// The line that has begun is held back, because it may be the handshake.
struct Before {
    found: oneshot::Sender<Found>,
    stray_lines: u64,
    held: Vec<u8>,
    /// The line is too long to be the handshake, and passes by.
    is_passing: bool,
}

impl Stdout {
    /// `found` gets the handshake; it is dropped where none comes any more.
    pub(crate) fn new(intake: InstanceIntake, found: oneshot::Sender<Found>) -> Self {
        Self {
            outlet: Outlet {
                intake,
                stream: OutputStream::Stdout,
                source: source::STDOUT,
                records: Vec::new(),
            },
            stage: Stage::Before(Before {
                found,
                stray_lines: 0,
                held: Vec::new(),
                is_passing: false,
            }),
            lines: Lines::default(),
        }
    }

    /// Takes a piece that ends with a line break, or is the last of a chunk.
    fn piece_before(&mut self, piece: &[u8], is_end: bool) {
        let Stage::Before(before) = &mut self.stage else {
            return;
        };
        if before.is_passing {
            self.outlet.raw(piece);
            self.lines.feed(piece, |line| self.outlet.line(line));
            before.is_passing = !is_end;
            return;
        }
        before.held.extend_from_slice(piece);
        if is_end && let Some(handshake) = handshake_in(&before.held) {
            let Stage::Before(before) = std::mem::replace(&mut self.stage, Stage::After) else {
                return;
            };
            // Whoever waited may have given up.
            let _ = before.found.send(Found {
                handshake,
                stray_lines: before.stray_lines,
            });
        } else if is_end || before.held.len() > MOST {
            before.stray_lines += 1;
            before.is_passing = !is_end;
            let stray = std::mem::take(&mut before.held);
            self.outlet.raw(&stray);
            self.lines.feed(&stray, |line| self.outlet.line(line));
        }
    }
}

impl Consumer for Stdout {
    fn chunk(&mut self, mut bytes: &[u8]) {
        while matches!(self.stage, Stage::Before(_)) && !bytes.is_empty() {
            let end = memchr::memchr(b'\n', bytes);
            let (piece, rest) = bytes.split_at(end.map_or(bytes.len(), |at| at + 1));
            self.piece_before(piece, end.is_some());
            bytes = rest;
        }
        self.outlet.raw(bytes);
        self.lines.feed(bytes, |line| self.outlet.line(line));
        self.outlet.deliver();
    }

    fn end(&mut self) {
        // A plugin may close its output in place of ending the line.
        if matches!(&self.stage, Stage::Before(before) if !before.held.is_empty()) {
            self.piece_before(b"", true);
        }
        self.stage = Stage::After;
        self.lines.finish(|line: Line<'_>| self.outlet.line(line));
        self.outlet.end();
    }
}

fn handshake_in(line: &[u8]) -> Option<Handshake> {
    // Most stray lines are no JSON, and a parser need not be asked.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    Handshake::parse(std::str::from_utf8(line).ok()?).ok()
}
