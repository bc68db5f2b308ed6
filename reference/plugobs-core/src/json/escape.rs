//! A JSON formatter that escapes, without loss, what could deceive a reader.

use std::io;

use serde_json::ser::Formatter;

use crate::sanitise::is_deceptive;

/// Compact JSON in which characters that could forge a line or reorder text on
/// a terminal stand as `\uXXXX` (OBS-SEC).
pub struct EscapingFormatter;

impl Formatter for EscapingFormatter {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        // Nearly every text is plain; one pass over bytes settles it.
        if fragment.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut written = 0;
        for (at, c) in fragment.char_indices() {
            if is_deceptive(c) {
                writer.write_all(&fragment.as_bytes()[written..at])?;
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                written = at + c.len_utf8();
            }
        }
        writer.write_all(&fragment.as_bytes()[written..])
    }
}
