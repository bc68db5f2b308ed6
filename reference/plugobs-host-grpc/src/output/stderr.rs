//! Standard error: raw output, with records among its lines.

use plugobs_core::registry::source;
use plugobs_driver::intake::InstanceIntake;
use plugobs_driver::sink::OutputStream;

use super::lines::Lines;
use super::{Consumer, Outlet};

/// Keeps every byte, records included (OBS-CHAN-34).
pub(crate) struct Stderr {
    outlet: Outlet,
    lines: Lines,
}

impl Stderr {
    pub(crate) fn new(intake: InstanceIntake) -> Self {
        Self {
            outlet: Outlet {
                intake,
                stream: OutputStream::Stderr,
                source: source::STDERR,
                records: Vec::new(),
            },
            lines: Lines::default(),
        }
    }
}

impl Consumer for Stderr {
    fn chunk(&mut self, bytes: &[u8]) {
        self.outlet.raw(bytes);
        self.lines.feed(bytes, |line| self.outlet.line(line));
        self.outlet.deliver();
    }

    fn end(&mut self) {
        self.lines.finish(|line| self.outlet.line(line));
        self.outlet.end();
    }
}
