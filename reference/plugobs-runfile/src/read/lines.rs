//! Lines of a file of any size, in bounded memory.

use std::io::{self, Read};

use memchr::memchr;
use plugobs_core::registry::limit;

/// A line beyond this is no record: a record within its limits, every
/// character of it escaped, is shorter.
pub(crate) const MAX_LINE_BYTES: usize = 16 * limit::RECORD_BYTES_DEFAULT;

const FIRST_BUFFER: usize = 256 * 1024;

/// A line as it is in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RawLine<'a> {
    /// From 1.
    pub(crate) number: u64,
    pub(crate) text: RawText<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RawText<'a> {
    /// A whole line, without its line feed.
    Whole(&'a [u8]),
    /// The file ends within the line.
    Torn(&'a [u8]),
    /// The line has so many bytes and was not kept.
    TooLong(u64),
}

/// What to do with a line that the file ends within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtEnd {
    /// Give it: nobody writes on.
    Give,
    /// Keep it until it is whole.
    Wait,
}

/// Reads lines. The number of one counts from the beginning of the reader.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    number: u64,
    /// Bytes of the present line that were thrown away.
    skipped: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: vec![0; FIRST_BUFFER],
            start: 0,
            end: 0,
            number: 0,
            skipped: 0,
        }
    }

    pub(crate) fn reader(&self) -> &R {
        &self.reader
    }

    /// The next line; `None` where there is none, or not yet.
    pub(crate) fn next(&mut self, at_end: AtEnd) -> io::Result<Option<RawLine<'_>>> {
        let mut scanned = 0;
        loop {
            let found = memchr(b'\n', &self.buffer[self.start + scanned..self.end]);
            if let Some(at) = found {
                let (from, to) = (self.start, self.start + scanned + at);
                self.start = to + 1;
                return Ok(Some(self.line(from, to, false)));
            }
            scanned = self.end - self.start;
            if self.skipped > 0 || scanned > MAX_LINE_BYTES {
                self.skipped += scanned as u64;
                (self.start, self.end, scanned) = (0, 0, 0);
            }
            if self.fill()? == 0 {
                let nothing = scanned == 0 && self.skipped == 0;
                if nothing || at_end == AtEnd::Wait {
                    return Ok(None);
                }
                let (from, to) = (self.start, self.end);
                self.start = to;
                return Ok(Some(self.line(from, to, true)));
            }
        }
    }

    fn line(&mut self, from: usize, to: usize, torn: bool) -> RawLine<'_> {
        self.number += 1;
        let skipped = std::mem::take(&mut self.skipped);
        let bytes = &self.buffer[from..to];
        let text = match (skipped, torn) {
            (0, false) if bytes.len() <= MAX_LINE_BYTES => RawText::Whole(bytes),
            (0, true) => RawText::Torn(bytes),
            _ => RawText::TooLong(skipped + bytes.len() as u64),
        };
        RawLine {
            number: self.number,
            text,
        }
    }

    /// Reads more behind what is there, and says how much.
    fn fill(&mut self) -> io::Result<usize> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(read) => {
                    self.end += read;
                    return Ok(read);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(bytes);
        let mut all = Vec::new();
        while let Some(line) = lines.next(AtEnd::Give).unwrap() {
            all.push(match line.text {
                RawText::Whole(b) => format!("{} {}", line.number, String::from_utf8_lossy(b)),
                RawText::Torn(b) => format!("{} torn {}", line.number, String::from_utf8_lossy(b)),
                RawText::TooLong(n) => format!("{} too long {n}", line.number),
            });
        }
        all
    }

    #[test]
    fn lines_are_numbered_and_a_torn_one_is_told() {
        assert_eq!(all(b"a\n\nb"), ["1 a", "2 ", "3 torn b"]);
        assert_eq!(all(b"a\n"), ["1 a"]);
        assert_eq!(all(b""), Vec::<String>::new());
    }

    #[test]
    fn a_line_of_any_length_costs_bounded_memory() {
        let huge = 5 * MAX_LINE_BYTES as u64;
        let reader = b"a\n"
            .chain(io::repeat(b'x').take(huge))
            .chain(&b"\nb\n"[..]);
        let mut lines = Lines::new(reader);
        assert_eq!(
            lines.next(AtEnd::Give).unwrap().unwrap().text,
            RawText::Whole(b"a")
        );
        let line = lines.next(AtEnd::Give).unwrap().unwrap();
        assert_eq!((line.number, line.text), (2, RawText::TooLong(huge)));
        let line = lines.next(AtEnd::Give).unwrap().unwrap();
        assert_eq!((line.number, line.text), (3, RawText::Whole(b"b")));
        assert!(lines.buffer.len() <= 4 * MAX_LINE_BYTES);
    }

    #[test]
    fn a_line_that_is_not_whole_is_waited_for() {
        struct Pieces(Vec<&'static [u8]>);
        impl Read for Pieces {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let piece = self.0.remove(0);
                buffer[..piece.len()].copy_from_slice(piece);
                Ok(piece.len())
            }
        }
        let mut lines = Lines::new(Pieces(vec![b"ab", b"", b"c\nd", b""]));
        assert_eq!(lines.next(AtEnd::Wait).unwrap(), None);
        let line = lines.next(AtEnd::Wait).unwrap().unwrap();
        assert_eq!(line.text, RawText::Whole(b"abc"));
        assert_eq!(lines.next(AtEnd::Wait).unwrap(), None);
    }
}
