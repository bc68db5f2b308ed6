//! Lines out of chunks of bytes, with a bound on what one line can hold.

use plugobs_core::registry::limit;

/// The most that is kept of a line (OBS-LIM-13).
pub(super) const MOST: usize = limit::OUTPUT_LINE_BYTES_DEFAULT;

/// A line without its line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) bytes: &'a [u8],
    /// `false`: this is its beginning, the rest was over the limit.
    pub(super) is_whole: bool,
}

/// The line that has begun.
#[derive(Default)]
pub(super) struct Lines {
    held: Vec<u8>,
    is_cut: bool,
}

impl Lines {
    /// Gives each line that ends in the chunk, and keeps the beginning of the
    /// one that does not.
    pub(super) fn feed(&mut self, mut chunk: &[u8], mut each: impl FnMut(Line<'_>)) {
        while let Some(end) = memchr::memchr(b'\n', chunk) {
            let (line, rest) = (&chunk[..end], &chunk[end + 1..]);
            if self.held.is_empty() && line.len() <= MOST {
                each(whole(line));
            } else {
                self.hold(line);
                self.finish(&mut each);
            }
            chunk = rest;
        }
        self.hold(chunk);
    }

    /// Gives the line that never ended, where there is one.
    pub(super) fn finish(&mut self, mut each: impl FnMut(Line<'_>)) {
        if !self.held.is_empty() {
            each(Line {
                is_whole: !self.is_cut,
                ..whole(&self.held)
            });
        }
        self.held.clear();
        self.is_cut = false;
    }

    fn hold(&mut self, bytes: &[u8]) {
        let room = MOST - self.held.len();
        self.is_cut |= bytes.len() > room;
        self.held.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// A carriage return before the line feed is part of the line break.
fn whole(bytes: &[u8]) -> Line<'_> {
    Line {
        bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes),
        is_whole: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(chunks: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
        let mut all = Vec::new();
        let mut lines = Lines::default();
        let mut keep = |line: Line<'_>| all.push((line.bytes.to_vec(), line.is_whole));
        for chunk in chunks {
            lines.feed(chunk, &mut keep);
        }
        lines.finish(&mut keep);
        all
    }

    fn text(line: &[u8]) -> (Vec<u8>, bool) {
        (line.to_vec(), true)
    }

    #[test]
    fn joins_chunks_and_keeps_every_byte() {
        let lines = lines_of(&[b"on", b"e\r\n\ntw", b"\xff\0o\nthree"]);
        let expected = [text(b"one"), text(b""), text(b"tw\xff\0o"), text(b"three")];
        assert_eq!(lines, expected);
    }

    #[test]
    fn holds_no_more_of_a_line_than_the_limit() {
        let mut lines = Lines::default();
        for _ in 0..64 {
            lines.feed(&[b'x'; 100_000], |_| panic!("no line ends here"));
            assert!(lines.held.capacity() <= 2 * MOST);
        }
        let mut got = Vec::new();
        lines.feed(b"\nshort\n", |line| {
            got.push((line.bytes.len(), line.is_whole));
        });
        assert_eq!(got, [(MOST, false), (5, true)]);
    }

    #[test]
    fn tells_a_line_of_exactly_the_limit_from_a_longer_one() {
        let mut long = vec![b'x'; MOST];
        assert_eq!(lines_of(&[&long]), [(long.clone(), true)]);
        long.push(b'x');
        let cut = vec![b'x'; MOST];
        assert_eq!(lines_of(&[&long]), [(cut.clone(), false)]);
        long.push(b'\n');
        assert_eq!(lines_of(&[&long]), [(cut, false)]);
    }
}
