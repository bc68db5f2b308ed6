//! The last things an instance said, for failure reports.

use std::collections::VecDeque;

use plugobs_core::Record;
use plugobs_core::registry::limit;

use crate::sink::{OutputStream, Records};

/// Bytes of records kept beyond the newest batch.
const RECENT_BYTES: usize = 512 * 1024;

/// Recent records and recent lines of raw output.
#[derive(Default)]
pub(crate) struct Recent {
    batches: VecDeque<(usize, Records)>,
    bytes: usize,
    stderr: Tail,
    stdout: Tail,
}

/// The last lines of a stream, up to the limit `report_output_bytes`.
#[derive(Default)]
struct Tail {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Recent {
    /// Keeps a batch, shared with the sinks.
    pub(crate) fn remember(&mut self, batch: &Records, bytes: usize) {
        self.bytes += bytes;
        self.batches.push_back((bytes, batch.clone()));
        while self.bytes > RECENT_BYTES && self.batches.len() > 1 {
            if let Some((bytes, _)) = self.batches.pop_front() {
                self.bytes -= bytes;
            }
        }
    }

    /// Keeps a line.
    pub(crate) fn remember_line(&mut self, stream: OutputStream, line: &[u8]) {
        let tail = match stream {
            OutputStream::Stderr => &mut self.stderr,
            OutputStream::Stdout => &mut self.stdout,
        };
        let most = limit::REPORT_OUTPUT_BYTES_DEFAULT;
        let line = String::from_utf8_lossy(&line[..line.len().min(most)]).into_owned();
        tail.bytes += line.len();
        tail.lines.push_back(line);
        while tail.bytes > most && tail.lines.len() > 1 {
            if let Some(line) = tail.lines.pop_front() {
                tail.bytes -= line.len();
            }
        }
    }

    /// Lines of standard error and of standard output, oldest first.
    pub(crate) fn tails(&self) -> (Vec<String>, Vec<String>) {
        let lines = |tail: &Tail| tail.lines.iter().cloned().collect();
        (lines(&self.stderr), lines(&self.stdout))
    }

    /// The last `max` records that `wanted` picks, oldest first.
    pub(crate) fn records(&self, max: usize, wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
        let newest_first = self.batches.iter().rev();
        let mut picked: Vec<_> = newest_first
            .flat_map(|(_, batch)| batch.iter().rev())
            .filter(|record| wanted(record))
            .take(max)
            .cloned()
            .collect();
        picked.reverse();
        picked
    }
}
